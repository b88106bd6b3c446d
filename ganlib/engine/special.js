/** The few functions that Math lacks, in double precision. */

/** 1 / (1 + e^(−y)): the logistic function, which turns a logit into D. */
export function sigmoid(y) {
  return y >= 0 ? 1 / (1 + Math.exp(-y)) : Math.exp(y) / (1 + Math.exp(y));
}

/** log(1 + e^y); above 20 it is y itself, as in torch. */
export function softplus(y) {
  return y > 20 ? y : Math.log1p(Math.exp(y));
}

/** log of `sigmoid`, (−∞, 0): right for every y, as torch's logsigmoid. */
export function log_sigmoid(y) {
  return Math.min(y, 0) - Math.log1p(Math.exp(-Math.abs(y)));
}

/** x log y, and 0 where x is 0. */
export function xlogy(x, y) {
  return x === 0 ? 0 : x * Math.log(y);
}

/**
 * Φ(x), the standard normal's distribution function, to 1e-15 and in the left tail to as many
 * digits.
 */
export function ndtr(x) {
  const size = Math.abs(x);
  const tail = size < 3 ? 0.5 - middle(size) : fraction(size);
  return x < 0 ? tail : 1 - tail;
}

/** Φ(x) − ½ for 0 ≤ x < 3: φ(x) (x + x³/3 + x⁵/(3·5) + …). Source: Abramowitz & Stegun, 26.2.11. */
function middle(x) {
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-17 * sum; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return density(x) * sum;
}

/** 1 − Φ(x) for x ≥ 3: φ(x) / (x + 1/(x + 2/(x + …))). Source: Abramowitz & Stegun, 26.2.14. */
function fraction(x) {
  let below = x;
  for (let k = 60; k > 0; k--) below = x + k / below;
  return density(x) / below;
}

function density(x) {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

// Acklam's rational approximation of Φ⁻¹, right to 1e-9: numerator and denominator in the middle,
// and in the tail.
// prettier-ignore
const ACKLAM = {
  a: [-39.69683028665376, 220.9460984245205, -275.9285104469687,
      138.357751867269, -30.66479806614716, 2.506628277459239],
  b: [-54.47609879822406, 161.5858368580409, -155.6989798598866,
      66.80131188771972, -13.28068155288572, 1],
  c: [-0.007784894002430293, -0.3223964580411365, -2.400758277161838,
      -2.549732539343734, 4.374664141464968, 2.938163982698783],
  d: [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
};

function polynomial(coefficients, x) {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

/** Φ⁻¹(u), the standard normal's quantile function, −∞ at 0 and ∞ at 1. */
export function ndtri(u) {
  if (u > 0.5) return -ndtri(1 - u);
  if (u === 0) return -Infinity;

  let x;
  if (u < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(u));
    x = polynomial(ACKLAM.c, q) / polynomial(ACKLAM.d, q);
  } else {
    const q = u - 0.5;
    x = (q * polynomial(ACKLAM.a, q * q)) / polynomial(ACKLAM.b, q * q);
  }
  const off = (ndtr(x) - u) / density(x); // one step of Halley's rule makes it exact
  return x - off / (1 + (x * off) / 2);
}
