/**
 * The seven products that all of training is made of, plain and readable; wasm.js has the same in
 * C.
 *
 * A matrix is stored row by row. A column is one example: x is (features, n), W is (rows, inner)
 * as in torch, b is (rows). n is always a multiple of LANES; what stands in the columns beyond
 * the last example does no harm as long as the slopes there are 0, and networks.js sees to that.
 */

export const LANES = 8; // SIMD takes eight columns at a time
export const CHUNK = 256; // a larger batch goes through the networks in chunks of so many columns

/** The columns that n examples take: n, filled up to a multiple of LANES. */
export function padded(n) {
  return LANES * Math.ceil(n / LANES);
}

/**
 * y = W x + b, (rows, n). Four of the inner rows go at once: then y is read and written less
 * often.
 */
function mul(y, W, b, x, rows, inner, n) {
  for (let r = 0; r < rows; r++) {
    const row = r * n;
    for (let j = 0; j < n; j++) y[row + j] = b[r];
    add_rows(y, row, W, r * inner, 1, x, inner, n);
  }
}

/** y = Wᵀ z, (inner, n), for z (rows, n). */
function mulT(y, W, z, rows, inner, n) {
  for (let k = 0; k < inner; k++) {
    const row = k * n;
    for (let j = 0; j < n; j++) y[row + j] = 0;
    add_rows(y, row, W, k, inner, z, rows, n);
  }
}

/**
 * One row of a product: y += Σₖ wₖ xₖ, where wₖ stands at W[first + k · stride] and xₖ is row k
 * of x.
 */
function add_rows(y, row, W, first, stride, x, count, n) {
  let k = 0;
  for (; k + 4 <= count; k += 4) {
    const at = first + k * stride;
    const w0 = W[at];
    const w1 = W[at + stride];
    const w2 = W[at + 2 * stride];
    const w3 = W[at + 3 * stride];
    const x0 = k * n;
    const x1 = x0 + n;
    const x2 = x1 + n;
    const x3 = x2 + n;
    for (let j = 0; j < n; j++) {
      y[row + j] += w0 * x[x0 + j] + w1 * x[x1 + j] + w2 * x[x2 + j] + w3 * x[x3 + j];
    }
  }

  for (; k < count; k++) {
    const weight = W[first + k * stride];
    for (let j = 0; j < n; j++) y[row + j] += weight * x[k * n + j];
  }
}

/** dW += z hᵀ, (rows, inner), and db += Σ z over the columns, (rows), unless db is null. */
function outer(dW, db, z, h, rows, inner, n) {
  for (let r = 0; r < rows; r++) {
    const row = r * n;
    for (let k = 0; k < inner; k++) dW[r * inner + k] += dot(z, row, h, k * n, n);

    if (db === null) continue;
    let sum = 0;
    for (let j = 0; j < n; j++) sum += z[row + j];
    db[r] += sum;
  }
}

/**
 * Σ over n columns of z · h, in four sums that do not wait for each other; n is a multiple of
 * LANES.
 */
function dot(z, row, h, other, n) {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  for (let j = 0; j < n; j += 4) {
    sum0 += z[row + j] * h[other + j];
    sum1 += z[row + j + 1] * h[other + j + 1];
    sum2 += z[row + j + 2] * h[other + j + 2];
    sum3 += z[row + j + 3] * h[other + j + 3];
  }
  return sum0 + sum1 + (sum2 + sum3);
}

/** h = tanh a = ±(1 − e)/(1 + e), e = exp(−2|a|): right to 1e-16, and faster than Math.tanh. */
function tanh(h, a, size) {
  for (let i = 0; i < size; i++) {
    const e = Math.exp(-2 * Math.abs(a[i]));
    const y = (1 - e) / (1 + e);
    h[i] = a[i] < 0 ? -y : y;
  }
}

/** y = z (1 − h²): a slope with respect to h = tanh a becomes one with respect to a. */
function slope(y, z, h, size) {
  for (let i = 0; i < size; i++) y[i] = z[i] * (1 - h[i] * h[i]);
}

/**
 * z −= 2 h ȧ v: how tanh's own slope changes along the direction ȧ, which a penalty on slopes
 * asks for.
 */
function bend(z, h, da, v, size) {
  for (let i = 0; i < size; i++) z[i] -= 2 * h[i] * da[i] * v[i];
}

/**
 * Adam: m ← m + (1 − β₁)(g − m), v ← β₂ v + (1 − β₂) g², p ← p − rate · m / (√v / root + 1e-8).
 * rate = lr / (1 − β₁ᵗ) and root = √(1 − β₂ᵗ). Source: Kingma & Ba 2015, algorithm 1,
 * arXiv:1412.6980.
 */
function adam(p, g, m, v, size, rate, beta1, beta2, root) {
  for (let i = 0; i < size; i++) {
    m[i] += (1 - beta1) * (g[i] - m[i]);
    v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
    p[i] -= (rate * m[i]) / (Math.sqrt(v[i]) / root + 1e-8);
  }
}

/**
 * The plain engine. Floats: the one array type of the page, for a function that sees two of them
 * becomes several times slower; Float64Array is the faster one here.
 */
export function reference(Floats = Float64Array) {
  const bits = 8 * Floats.BYTES_PER_ELEMENT;
  return {
    kind: `plain JavaScript, float${bits}`,
    fast: false,
    Floats,
    alloc: (size) => new Floats(size),
    mul,
    mulT,
    outer,
    tanh,
    slope,
    bend,
    adam,
  };
}
