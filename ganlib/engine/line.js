/** What a session looks at in one dimension: the law on a grid, the push-forward, and the ledger. */

import { Diverged } from "./gan.js";
import {
  BestD,
  density,
  density_on,
  ledger,
  line,
  optimal_discriminator,
  push_masses,
  z_cells,
} from "./ledger.js";

export class LineView {
  /** prior: of z, in one dimension. */
  constructor(prior) {
    this.cells = z_cells(prior);
  }

  /** Names of what a record holds, in order. */
  get fields() {
    return ["js", "value", "regret", "off_half", "off_star", "real_term", "fake_term"];
  }

  /** Look at this law from now on: its grid x of `points`, a tenth wider than its range, and p_data. */
  aim(law, points = 400) {
    const [low, high] = law.range;
    const margin = 0.1 * (high - low);
    this.law = law;
    this.x = line(low - margin, high + margin, points);
    this.p_data = density_on(law, this.x);
  }

  /** Everything exact about this moment; oracle: with D* in place of D. */
  look(gan, oracle) {
    const pushed = push_masses(gan.G, this.cells, this.x);
    const D = oracle ? new BestD(this.x, this.p_data, pushed) : gan.D;
    const logits = D.evaluate(this.x);
    if (!logits.every(Number.isFinite)) throw new Diverged("D gives numbers that are not finite");

    const p_g = density(pushed, this.x);
    return {
      pushed,
      logits,
      p_g,
      D_star: optimal_discriminator(this.p_data, p_g),
      now: ledger(D, this.p_data, this.x, pushed, logits),
    };
  }

  /** D* for the G of this moment. */
  best_D(gan) {
    return new BestD(this.x, this.p_data, push_masses(gan.G, this.cells, this.x));
  }
}
