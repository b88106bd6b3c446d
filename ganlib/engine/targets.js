/**
 * What a generator must learn: the laws of ganlib/targets.py, drawn from as torch draws.
 *
 * Every law is a mixture of normals or a uniform. Numbers that torch holds in float32 are rounded
 * to float32 here too, so that the same seed gives the same draws. Examples are arrays (n · dim).
 */

import { count } from "./checks.js";
import { first_not_below, multinomial, rand, rand_double, randn, randperm } from "./random.js";
import { ndtr, ndtri } from "./special.js";

const round = Math.fround;

/** Mixture of isotropic normals, p(x) = Σₖ wₖ N(x; μₖ, σₖ² I). */
export class Mixture {
  /**
   * means: (modes · dim), stds and weights: (modes), or one std for all. The law lives in
   * standardised units; shift + scale · x returns to those named `unit`.
   */
  constructor({ means, stds, weights, dim = 1, name = "mixture", ...more }) {
    const modes = means.length / dim;
    this.dim = dim;
    this.modes = modes;
    this.means = Float32Array.from(means);
    this.stds = Float32Array.from({ length: modes }, (_, k) => stds[stds.length > 1 ? k : 0]);
    this.weights = weights ? Float32Array.from(weights) : new Float32Array(modes).fill(1 / modes);
    this.name = name;
    Object.assign(this, { shift: 0, scale: 1, unit: "x", ...more });
  }

  /** n draws, (n · dim). */
  sample(n, generator) {
    count("n", n);
    const { dim, means, stds } = this;
    const mode = this.modes === 1 ? null : multinomial(generator, this.weights, n);
    const normal = randn(generator, n * dim);
    return normal.map((z, i) => {
      const k = mode === null ? 0 : mode[Math.floor(i / dim)];
      return means[k * dim + (i % dim)] + round(stds[k] * z);
    });
  }

  /** Draws made of uniform numbers u in [0, 1), in one dimension, whose modes are in order. */
  from_uniform(u) {
    let sum = 0;
    const ends = Float64Array.from(this.weights, (weight) => (sum += weight));
    return Float32Array.from(u, (share) => {
      const k = Math.min(first_not_below(ends, share), ends.length - 1);
      const rest = 1 - (ends[k] - share) / this.weights[k]; // of u, within mode k: uniform again
      const normal = round(ndtri(Math.min(Math.max(rest, 1e-7), 1 - 1e-7)));
      return this.means[k] + round(this.stds[k] * normal);
    });
  }

  /** The same law with its modes from left to right. */
  in_order() {
    const order = Array.from(this.means.keys()).sort((j, k) => this.means[j] - this.means[k]);
    const sorted = (row) => order.map((k) => row[k]);
    const { means, stds, weights } = this;
    return new Mixture({
      ...this,
      means: sorted(means),
      stds: sorted(stds),
      weights: sorted(weights),
    });
  }

  /** log p(x) in nats at each of the examples x, (n · dim) → (n). */
  log_prob(x) {
    const { dim, means, stds, weights } = this;
    const parts = new Float64Array(this.modes);
    const constant = Array.from(weights, (weight, k) => {
      return Math.log(weight) - dim * Math.log(stds[k] * Math.sqrt(2 * Math.PI));
    });

    return Float64Array.from({ length: x.length / dim }, (_, i) => {
      for (let k = 0; k < this.modes; k++) {
        let square = 0;
        for (let d = 0; d < dim; d++)
          square += ((x[i * dim + d] - means[k * dim + d]) / stds[k]) ** 2;
        parts[k] = constant[k] - square / 2;
      }
      return log_sum_exp(parts);
    });
  }

  /** P(X ≤ x) in one dimension. */
  cdf(x) {
    let sum = 0;
    for (let k = 0; k < this.modes; k++) {
      sum += this.weights[k] * ndtr((x - this.means[k]) / this.stds[k]);
    }
    return sum;
  }

  /** The x with P(X ≤ x) = u, of a single normal in one dimension, which is what a prior needs. */
  quantile(u) {
    if (this.modes !== 1 || this.dim !== 1) {
      throw new RangeError(`quantile needs one normal in one dimension, got ${this.modes}`);
    }
    return this.means[0] + this.stds[0] * ndtri(u);
  }

  /** An interval, the same for every axis, that holds all but about 1e-4 of the law. */
  get range() {
    let low = Infinity;
    let high = -Infinity;
    this.means.forEach((mean, i) => {
      const reach = round(4 * this.stds[Math.floor(i / this.dim)]);
      low = Math.min(low, round(mean - reach));
      high = Math.max(high, round(mean + reach));
    });
    return [low, high];
  }
}

function log_sum_exp(parts) {
  let largest = -Infinity;
  for (const part of parts) largest = Math.max(largest, part);

  let sum = 0;
  for (const part of parts) sum += Math.exp(part - largest);
  return largest + Math.log(sum);
}

/** Uniform law on [low, high], p(x) = 1 / (high − low). */
export class Uniform {
  constructor({ low = -1, high = 1, name = "uniform", ...more } = {}) {
    this.dim = 1;
    this.low = low;
    this.high = high;
    this.name = name;
    Object.assign(this, { shift: 0, scale: 1, unit: "x", ...more });
  }

  /** n draws, (n). */
  sample(n, generator) {
    return this.from_uniform(rand(generator, count("n", n)));
  }

  /** Draws made of uniform numbers u in [0, 1), the quantiles, in float32 as torch has them. */
  from_uniform(u) {
    const width = round(this.high - this.low);
    return Float32Array.from(u, (share) => round(this.low) + round(width * round(share)));
  }

  /** log p(x) in nats: −log(high − low) inside, −∞ outside. */
  log_prob(x) {
    const inside = -Math.log(this.high - this.low);
    return Float64Array.from(x, (at) => (at >= this.low && at <= this.high ? inside : -Infinity));
  }

  /** P(X ≤ x). */
  cdf(x) {
    return Math.min(1, Math.max(0, (x - this.low) / (this.high - this.low)));
  }

  /** The x with P(X ≤ x) = u. */
  quantile(u) {
    return this.low + (this.high - this.low) * u;
  }

  /** The support with a quarter of its width on both sides. */
  get range() {
    const margin = (this.high - this.low) / 4;
    return [this.low - margin, this.high + margin];
  }
}

/**
 * The same one-dimensional law, drawn evenly: each draw comes from a slice [i/n, (i + 1)/n) of
 * its own, so that every mode, and every part of it, gets its share of a batch (stratified; Owen
 * 2013, ch. 8).
 */
export function even(law) {
  const drawn = law instanceof Mixture ? law.in_order() : new Uniform(law);
  drawn.sample = (n, generator) => {
    const where = rand_double(generator, count("n", n));
    const which = randperm(generator, n);
    return drawn.from_uniform(where.map((within, i) => (which[i] + within) / n));
  };
  return drawn;
}

/**
 * A law from its description, as export.py writes it: { kind: "mixture" | "uniform",
 * drawn_evenly, … }.
 */
export function law({ kind, drawn_evenly = false, ...description }) {
  const plain = kind === "uniform" ? new Uniform(description) : new Mixture(description);
  return drawn_evenly ? even(plain) : plain;
}
