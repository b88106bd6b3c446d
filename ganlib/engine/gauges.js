/**
 * `LineGauge` and `PlaneGauge` of ganlib/gauges.py: how far a GAN is, and the best D against it.
 *
 * What differs between one dimension and two is here. A session has one of them. `look` gives a
 * sight: the `ledger` of this moment, whose entries `fields` names, and what a picture needs.
 */

import { Diverged } from "./gan.js";
import {
  BestD,
  FINE,
  below,
  density,
  density_from,
  ledger,
  line,
  push_masses,
  z_cells,
} from "./ledger.js";
import { BlurredD, View } from "./plane.js";
import { Mixture } from "./targets.js";

const BLUR = 0.3; // sd of the noise through which D* in the plane sees both laws
const FAKES = 128; // that have a density when they are so blurred
const FEW = 20; // cells of a grid: what lies in so few is drawn as a spike

export class LineGauge {
  /**
   * Measures by exact densities on a grid x of 400 points, a tenth wider than the law on each
   * side.
   */
  constructor(law, prior) {
    const [low, high] = law.range;
    const margin = 0.1 * (high - low);
    this.x = line(low - margin, high + margin, 400);
    this.below = below(law, this.x);
    this.p_data = density_from(this.below, this.x);
    this.cells = z_cells(prior);
  }

  get fields() {
    return ["js", "value", "regret", "off_half", "off_star", "real_term", "fake_term"];
  }

  /** What is exact about this moment; oracle: D* is the D that is looked at. */
  look(gan, oracle = false) {
    const pushed = push_masses(gan.G, this.cells, this.x);
    const D = oracle ? new BestD(this.x, this.p_data, pushed) : gan.D;
    const logits = D.evaluate(this.x);
    if (!logits.every(Number.isFinite)) throw new Diverged("D gives numbers that are not finite");

    return {
      ledger: ledger(D, this.p_data, this.x, pushed, logits, oracle, this.below),
      p_g: density(pushed, this.x),
      logits,
      ends: pushed.ends, // G at each of `cells.z`
      beside: [pushed.masses[0], pushed.masses[this.x.length + 1]], // of p_g, left and right
    };
  }

  /** If nearly all of the law lies in a few cells: [from, to, how many]; else null. */
  crowd() {
    const middle = this.below.reduce((sum, at) => sum + (at > 0.05 && at < 0.95), 0);
    const cells = Math.ceil(middle / FINE);
    if (cells > FEW) return null;

    const first = this.below.reduce((sum, at) => sum + (at <= 0.05), 0) - 1;
    const step = this.x[1] - this.x[0];
    const at = (part) => this.x[0] - step / 2 + (step / FINE) * part;
    return [at(first), at(first + middle + 1), Math.max(cells, 1)];
  }

  /** D* against the G of this moment. */
  best_D(gan) {
    return new BestD(this.x, this.p_data, push_masses(gan.G, this.cells, this.x));
  }
}

export class PlaneGauge {
  /** Measures in two dimensions by 4,096 samples. */
  constructor(law, prior) {
    this.law = law;
    this.view = new View(law, prior);
  }

  get fields() {
    return ["modes", "good", "js"];
  }

  /** Modes, good samples and JS at this moment, and the samples x; they say nothing of D. */
  look(gan) {
    return this.view.look(gan.G);
  }

  /** D* against the G of this moment, between both laws seen through noise of sd BLUR. */
  best_D(gan) {
    const { means, stds, weights } = this.law;
    const blurred = stds.map((std) => Math.hypot(std, BLUR));
    const p_data = new Mixture({ means, stds: blurred, weights, dim: 2 });
    const fakes = gan.G.evaluate(this.view.z.subarray(0, 2 * FAKES));
    return new BlurredD(p_data, new Mixture({ means: fakes, stds: [BLUR], dim: 2 }));
  }
}
