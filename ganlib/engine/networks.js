/**
 * The tanh network, forward and backward, and what R1 needs besides: `mlp` of ganlib/networks.py.
 *
 * Columns are examples. With t = 1 − h², for the layers l = 1 … L:
 *
 *     forward     a_l = W_l h_{l−1} + b_l,  h_l = tanh a_l;  the last layer is y = a_L
 *     backward    z_L = slopes of the cost at y,  z_l = (W_{l+1}ᵀ z_{l+1}) t_l
 *                 dW_l += z_l h_{l−1}ᵀ,  db_l += Σ z_l,  dx = W_1ᵀ z_1
 *     slopes      u_L = 1,  v_l = W_{l+1}ᵀ u_{l+1},  u_l = v_l t_l,  s = ∂y/∂x = W_1ᵀ u_1
 *     tangent     along a direction ẋ = ḣ_0:  ȧ_l = W_l ḣ_{l−1},  ḣ_l = ȧ_l t_l
 *
 * The gradient of ẋ·s with respect to the weights comes out of one more term in the backward pass:
 *
 *     z_l = (W_{l+1}ᵀ z_{l+1} − 2 h_l ȧ_l v_l) t_l  and  dW_l += u_l ḣ_{l−1}ᵀ
 *
 * So the double backward of a penalty on slopes is one tangent pass along the gradient.
 */

import { CHUNK, padded } from "./ops.js";
import { Generator, rand, uniform } from "./random.js";

const round = Math.fround; // torch draws and sets weights in float32

/**
 * One linear layer: its weights and slopes, and room for a chunk of everything that passes
 * through.
 */
class Layer {
  constructor(ops, inner, rows, place) {
    this.inner = inner;
    this.rows = rows;
    this.W = place.p(rows * inner);
    this.dW = place.g(rows * inner);
    this.b = place.p(rows);
    this.db = place.g(rows);

    const room = () => ops.alloc(rows * CHUNK);
    this.a = room(); // before tanh
    this.h = room(); // after it
    this.z = room(); // slope of the cost at a
    this.dh = room(); // slope of the cost at h
    this.u = room(); // slope of y at a
    this.v = room(); // slope of y at h
    this.da = room(); // ȧ
    this.dh_dot = room(); // ḣ
  }
}

/** Hands out the parts of one long array one behind the other. */
function parts(whole) {
  let next = 0;
  return (size) => whole.subarray(next, (next += size));
}

export class Network {
  /**
   * sizes: units of each layer, the input first, [1, 32, 32, 1]. cover: null or [low, high, slope].
   * All weights stand in one array `p` in torch's order (W_1, b_1, W_2, …), their slopes in `g`.
   */
  constructor(ops, sizes, cover = null) {
    if (sizes.length < 2 || !sizes.every((n) => Number.isInteger(n) && n > 0)) {
      throw new RangeError(`mlp needs at least two positive sizes, got ${sizes}`);
    }
    this.ops = ops;
    this.sizes = sizes;
    this.cover = cover;

    const pairs = sizes.slice(1).map((rows, l) => [sizes[l], rows]);
    this.count = pairs.reduce((sum, [inner, rows]) => sum + rows * (inner + 1), 0);
    this.p = ops.alloc(this.count);
    this.g = ops.alloc(this.count);
    const place = { p: parts(this.p), g: parts(this.g) };
    this.layers = pairs.map(([inner, rows]) => new Layer(ops, inner, rows, place));

    this.last = this.layers[this.layers.length - 1];
    this.x = ops.alloc(sizes[0] * CHUNK); // the examples of this chunk
    this.dx = ops.alloc(sizes[0] * CHUNK); // slope of the cost at x
    this.s = ops.alloc(sizes[0] * CHUNK); // slope of y at x
    this.x_dot = ops.alloc(sizes[0] * CHUNK); // ẋ
    this.n = 0; // columns of this chunk
  }

  get dim() {
    return this.sizes[0];
  }

  /** The output of layer l, where layer −1 is the input. */
  below(l) {
    return l === 0 ? this.x : this.layers[l - 1].h;
  }

  /** y, (outputs, n): the logits of D, the examples of G. */
  get y() {
    return this.last.a;
  }

  /** The slopes of the cost at y, which whoever knows the cost writes before `backward`. */
  get at_y() {
    return this.last.z;
  }

  zero_slopes() {
    this.g.fill(0);
  }

  /** Take `count` examples of x, (examples, dim), from number `first` on, as columns; returns n. */
  load(x, first, count) {
    this.n = padded(count);
    to_columns(this.x, x, this.dim, first, count, this.n);
    return this.n;
  }

  /** Take n columns of another network's answer, (dim, n), as they stand. */
  take(columns, n) {
    this.n = n;
    this.x.set(columns.subarray(0, this.dim * n));
  }

  forward() {
    const { ops, n } = this;
    this.layers.forEach((layer, l) => {
      ops.mul(layer.a, layer.W, layer.b, this.below(l), layer.rows, layer.inner, n);
      if (layer !== this.last) ops.tanh(layer.h, layer.a, layer.rows * n);
    });
  }

  /**
   * Add the slopes of the cost at all weights to `g`, from those at y; bent: with a penalty's
   * terms, after `slopes` and `tangent`. learn: false leaves `g` alone. input: true writes `dx`
   * as well.
   */
  backward({ bent = false, learn = true, input = false } = {}) {
    const { ops, n } = this;
    for (let l = this.layers.length - 1; l >= 0; l--) {
      const layer = this.layers[l];
      if (layer !== this.last) {
        const above = this.layers[l + 1];
        ops.mulT(layer.dh, above.W, above.z, above.rows, above.inner, n);
        if (bent) ops.bend(layer.dh, layer.h, layer.da, layer.v, layer.rows * n);
        ops.slope(layer.z, layer.dh, layer.h, layer.rows * n);
      }

      if (learn) ops.outer(layer.dW, layer.db, layer.z, this.below(l), layer.rows, layer.inner, n);
      if (bent) {
        const direction = l === 0 ? this.x_dot : this.layers[l - 1].dh_dot;
        ops.outer(layer.dW, null, layer.u, direction, layer.rows, layer.inner, n);
      }
    }

    const first = this.layers[0];
    if (input) ops.mulT(this.dx, first.W, first.z, first.rows, first.inner, n);
  }

  /** s = ∂y/∂x, (dim, n), of a network with one output, after `forward`. */
  slopes() {
    const { ops, n } = this;
    this.last.u.fill(1, 0, n);
    for (let l = this.layers.length - 2; l >= 0; l--) {
      const layer = this.layers[l];
      const above = this.layers[l + 1];
      ops.mulT(layer.v, above.W, above.u, above.rows, above.inner, n);
      ops.slope(layer.u, layer.v, layer.h, layer.rows * n);
    }
    const first = this.layers[0];
    ops.mulT(this.s, first.W, first.u, first.rows, first.inner, n);
  }

  /** ȧ and ḣ of every layer along the direction `x_dot`, (dim, n). */
  tangent() {
    const { ops, n } = this;
    let direction = this.x_dot;
    for (const layer of this.layers) {
      if (layer === this.last) break;
      ops.mul(layer.da, layer.W, this.no_offset(layer), direction, layer.rows, layer.inner, n);
      ops.slope(layer.dh_dot, layer.da, layer.h, layer.rows * n);
      direction = layer.dh_dot;
    }
  }

  no_offset(layer) {
    this.zeros ??= this.ops.alloc(Math.max(...this.sizes));
    return this.zeros.subarray(0, layer.rows);
  }

  /** The network at many examples x, (examples, dim), answered as (examples, outputs), float64. */
  evaluate(x) {
    const outputs = this.last.rows;
    const examples = x.length / this.dim;
    const out = new Float64Array(examples * outputs);
    for (let first = 0; first < examples; first += CHUNK) {
      const count = Math.min(CHUNK, examples - first);
      this.load(x, first, count);
      this.forward();
      from_columns(out, this.y, outputs, first, count, this.n);
    }
    return out;
  }

  /** Draw new weights from `seed` as torch does, ±1/√inputs, in torch's order. */
  reinitialise(seed) {
    const generator = new Generator(seed);
    for (const layer of this.layers) {
      // torch gets the same bound for weights in these steps, which matter for the last digit
      const std = Math.sqrt(2 / 6) / Math.sqrt(layer.inner);
      const bound = Math.sqrt(3) * std;
      layer.W.set(uniform(generator, layer.W.length, -bound, bound));
      const offset = 1 / Math.sqrt(layer.inner);
      layer.b.set(uniform(generator, layer.b.length, -offset, offset));
    }
    if (this.cover !== null) this.spread(generator, ...this.cover);
    return this;
  }

  /** First-layer slopes ±slope per half-width of [low, high], kinks spread evenly over it. */
  spread(generator, low, high, slope) {
    const { W, b, rows } = this.layers[0];
    const sign = rand(generator, rows);
    const scale = (2 / (high - low)) * slope;
    for (let i = 0; i < rows; i++) {
      const share = round(round(round(high - low) * (i + 0.5)) / rows);
      const weight = sign[i] < 0.5 ? -round(scale) : round(scale);
      W[i] = weight;
      b[i] = round(-weight * round(round(low) + share));
    }
  }
}

/**
 * Examples (count, dim) from number `first` on become columns (dim, n); the columns beyond are 0.
 */
export function to_columns(columns, x, dim, first, count, n) {
  for (let d = 0; d < dim; d++) {
    for (let j = 0; j < count; j++) columns[d * n + j] = x[(first + j) * dim + d];
    columns.fill(0, d * n + count, d * n + n);
  }
}

/** And back: columns (dim, n) become the examples (count, dim) from number `first` on. */
export function from_columns(x, columns, dim, first, count, n) {
  for (let d = 0; d < dim; d++) {
    for (let j = 0; j < count; j++) x[(first + j) * dim + d] = columns[d * n + j];
  }
}
