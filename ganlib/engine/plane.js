/**
 * GANs in the plane: modes covered, good samples and JS on 32 × 32 cells, as `modes` and `View` of
 * ganlib/metrics.py; and the best D between two laws that are seen through noise.
 */

import { Diverged } from "./gan.js";
import { Generator } from "./random.js";
import { ndtr, xlogy } from "./special.js";

const SIDE = 32; // cells on each side of the square
const SAMPLES = 4096; // of G, always from the same z

/**
 * Modes that get 1/5 of their part of x (n · 2), and the share of samples within 3 sd of their
 * mode.
 */
export function modes(x, law) {
  const counts = new Float64Array(law.modes);
  const n = x.length / 2;
  let good = 0;
  for (let i = 0; i < n; i++) {
    const { nearest, distance } = nearest_mode(x[2 * i], x[2 * i + 1], law);
    if (distance <= 3 * law.stds[nearest]) {
      counts[nearest] += 1;
      good += 1;
    }
  }
  const covered = counts.filter((count, k) => count >= 0.2 * law.weights[k] * n);
  return { modes: covered.length, good: good / n };
}

function nearest_mode(x, y, { means }) {
  let nearest = 0;
  let least = Infinity;
  for (let k = 0; 2 * k < means.length; k++) {
    const square = (x - means[2 * k]) ** 2 + (y - means[2 * k + 1]) ** 2;
    if (square < least) {
      nearest = k;
      least = square;
    }
  }
  return { nearest, distance: Math.sqrt(least) };
}

/**
 * The mass of a law in each cell of the square [−reach, reach]², row by row; the last is all the
 * rest.
 */
export function cell_masses(law, reach) {
  const masses = new Float64Array(SIDE * SIDE + 1);
  for (let k = 0; k < law.modes; k++) {
    const across = strips(law.means[2 * k], law.stds[k], reach);
    const up = strips(law.means[2 * k + 1], law.stds[k], reach);
    for (let i = 0; i < SIDE * SIDE; i++) {
      masses[i] += law.weights[k] * up[Math.floor(i / SIDE)] * across[i % SIDE];
    }
  }
  const inside = masses.reduce((sum, mass) => sum + mass, 0);
  masses[SIDE * SIDE] = Math.max(0, 1 - inside);
  return masses;
}

/** The mass of N(mean, std²) in each of the strips of [−reach, reach]. */
function strips(mean, std, reach) {
  const below = (i) => ndtr((((2 * i) / SIDE - 1) * reach - mean) / std);
  return Float64Array.from({ length: SIDE }, (_, i) => below(i + 1) - below(i));
}

/** The share of the examples x (n · 2) in each of those cells. */
export function cell_shares(x, reach) {
  const shares = new Float64Array(SIDE * SIDE + 1);
  const n = x.length / 2;
  for (let i = 0; i < n; i++) {
    const inside = Math.abs(x[2 * i]) < reach && Math.abs(x[2 * i + 1]) < reach;
    const column = Math.floor((x[2 * i] / reach + 1) * (SIDE / 2));
    const row = Math.floor((x[2 * i + 1] / reach + 1) * (SIDE / 2));
    shares[inside ? row * SIDE + column : SIDE * SIDE] += 1 / n;
  }
  return shares;
}

/** JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m) in nats, m = (p + q)/2, of two rows of masses. */
export function js(p, q) {
  const terms = p.map(
    (a, i) => xlogy(a, 2 * a) + xlogy(q[i], 2 * q[i]) - xlogy(a + q[i], a + q[i]),
  );
  return terms.reduce((sum, term) => sum + term, 0) / 2;
}

/** How well 4,096 samples of a G, always from the same z, fit a law in the plane. */
export class View {
  /** The cells lie in a square a tenth wider than the law's range. */
  constructor(law, prior) {
    this.law = law;
    this.reach = 1.1 * Math.max(...law.range.map(Math.abs));
    this.z = prior.sample(SAMPLES, new Generator(0));
    this.p = cell_masses(law, this.reach);
  }

  look(G) {
    const x = G.evaluate(this.z);
    if (!x.every(Number.isFinite)) throw new Diverged("G gives numbers that are not finite");

    const fit = js(this.p, cell_shares(x, this.reach));
    return { ledger: { ...modes(x, this.law), js: fit }, x };
  }
}

/**
 * D* = p_data / (p_data + p_g) as a judge: its logit log p_data − log p_g, and the slope of that.
 */
export class BlurredD {
  constructor(p_data, p_g) {
    this.dim = 2;
    this.p_data = p_data;
    this.p_g = p_g;
  }

  take(columns, n) {
    this.n = n;
    this.x = columns.slice(0, 2 * n);
    this.y = new Float64Array(n);
    this.at_y = new Float64Array(n);
    this.dx = new Float64Array(2 * n);
  }

  forward() {
    this.slopes = [];
    for (let j = 0; j < this.n; j++) {
      const real = pull(this.p_data, this.x[j], this.x[this.n + j]);
      const fake = pull(this.p_g, this.x[j], this.x[this.n + j]);
      this.y[j] = real.log - fake.log;
      this.slopes.push([real.slope[0] - fake.slope[0], real.slope[1] - fake.slope[1]]);
    }
  }

  backward() {
    this.slopes.forEach(([across, up], j) => {
      this.dx[j] = this.at_y[j] * across;
      this.dx[this.n + j] = this.at_y[j] * up;
    });
  }

  evaluate(x) {
    const fake = this.p_g.log_prob(x);
    return this.p_data.log_prob(x).map((log, i) => log - fake[i]);
  }
}

/**
 * log p of a mixture at one point, and its slope Σₖ rₖ (μₖ − x)/σₖ², rₖ the share of mode k
 * there.
 */
function pull(law, x, y) {
  const { means, stds, weights } = law;
  const log = law.log_prob([x, y])[0];
  const slope = [0, 0];
  for (let k = 0; k < law.modes; k++) {
    const across = (means[2 * k] - x) / stds[k] ** 2;
    const up = (means[2 * k + 1] - y) / stds[k] ** 2;
    const square = (across ** 2 + up ** 2) * stds[k] ** 2;
    const part = Math.log(weights[k] / (2 * Math.PI * stds[k] ** 2)) - square / 2;
    const share = Math.exp(part - log);
    slope[0] += share * across;
    slope[1] += share * up;
  }
  return { log, slope };
}
