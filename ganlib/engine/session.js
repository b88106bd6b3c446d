/**
 * One training session: what `GANLab` does with a GAN, without its picture.
 *
 * `values` are the knobs, under the names of the lab's controls. The view (LineView or PlaneView)
 * knows what is looked at; `past` holds its records over time, the step first.
 */

import { Diverged } from "./gan.js";
import { Generator } from "./random.js";
import { fall } from "./schedule.js";

const EVERY = 25; // steps from one record to the next
const POINTS = 400; // beyond so many records every second one is dropped, and EVERY doubles
const GOOD = 100; // steps from one state to go back to, to the next
const PHASE = 0.9; // seconds of a phase of slow motion

// Slow motion shows six phases of a step, 0 to 5; which of them a player goes through, and who moves.
const PHASES = { both: [0, 1, 2, 3, 4, 5], "D only": [0, 1, 2, 3], "G only": [4, 5] };
const MOVES = { 3: "D only", 5: "G only" };

/** The knobs and where they stand at first. */
export const VALUES = {
  lr_G: 2e-3,
  lr_D: 2e-2,
  target: "normal",
  train: "both", // "both", "D only" or "G only"
  anneal: false, // let both rates fall to 0 over the second half of the run
  oracle: false, // G plays against D*, computed instead of learned
  slow: false, // one phase of a step at a time
  k: 1, // D steps per G step
  batch: 128,
  seed: 0,
  loss: "non-saturating",
  penalty: "none",
  weight: 1,
  optimiser: "adam",
  beta1: 0.5,
  beta2: 0.999,
};

export class Session {
  /**
   * targets: { name: () => law }. values: some of VALUES. horizon: steps of a run, or null: 3,000 for
   * a normal and 5,000 for all else. clock: seconds, for slow motion.
   */
  constructor(gan, view, targets, { values = {}, horizon = null, clock = seconds } = {}) {
    this.gan = gan;
    this.view = view;
    this.targets = targets;
    this.horizon = horizon;
    this.clock = clock;
    this.values = { ...VALUES, ...values };
    this.first = { values: { ...this.values }, state: gan.state() };
    this.set_target();
    this.reset();
  }

  get steps() {
    return this.gan.steps;
  }

  /** The record of this moment. */
  get now() {
    return this.look().now;
  }

  // -- training ----------------------------------------------------------------------------------------

  /** One training step; in slow motion one phase of it. Returns whether a step is done. */
  advance(playing = false) {
    const { gan, values } = this;
    const { who, done } = values.slow
      ? this.next_phase(playing)
      : { who: values.train, done: true };

    if (who !== null) {
      if (gan.steps % GOOD === 0) this.remember();
      this.move(who);
    }
    if (done) {
      if (who !== "both") gan.steps += 1; // `GAN.step` counts by itself
      if (gan.steps % this.every === 0) this.record();
    }
    return done;
  }

  /** The move of one player or of both, at the rates of this moment. */
  move(who) {
    const { gan, values } = this;
    const { batch, k } = values;
    this.set_rates();

    if (values.oracle) {
      if (who === "D only") {
        throw new RangeError("D* has nothing to learn: switch the oracle off, or train G");
      }
      gan.step_G(batch, this.view.best_D(gan));
      if (who === "both") gan.steps += 1;
    } else if (who === "both") {
      gan.step(this.real(batch * k));
      if (gan.history.length > 20000) gan.history.splice(0, 10000); // a lab may run for hours
    } else if (who === "D only") {
      const real = this.real(batch * k);
      const size = batch * gan.D.dim;
      for (let i = 0; i < k; i++) gan.step_D(real.subarray(i * size, (i + 1) * size));
    } else {
      gan.step_G(batch);
    }
  }

  /** One move of one player alone, which counts as a step: the buttons “step D” and “step G”. */
  move_once(who) {
    this.move(who);
    this.gan.steps += 1;
  }

  /** Who moves in the next phase of slow motion (null: nobody), and whether that ends the step. */
  next_phase(playing) {
    const now = this.clock();
    if (playing && now < this.phase_due) return { who: null, done: false };

    const phases = PHASES[this.values.oracle ? "G only" : this.values.train];
    this.phase = phases.includes(this.phase + 1) ? this.phase + 1 : phases[0];
    this.phase_due = now + PHASE;
    return { who: MOVES[this.phase] ?? null, done: this.phase === phases[phases.length - 1] };
  }

  /** n examples of the target, (n · dim). */
  real(n) {
    this.last_real = this.target.sample(n, this.generator);
    return this.last_real;
  }

  /** The rates of this moment: as the knobs say, times their fall. */
  set_rates() {
    const { gan, values } = this;
    const horizon = this.horizon ?? (values.target === "normal" ? 3000 : 5000);
    const share = values.anneal ? fall(gan.steps, horizon) : 1;
    gan.tune({ lr_G: values.lr_G * share, lr_D: values.lr_D * share });
  }

  /** Hand the knobs to the GAN; the optimisers keep their memory unless another kind is asked for. */
  tune() {
    const { loss, k, penalty, weight, optimiser, beta1, beta2 } = this.values;
    this.gan.tune({
      optimiser,
      loss,
      d_steps: k,
      betas: [beta1, beta2],
      penalty: penalty === "none" ? null : penalty,
      penalty_weight: weight,
    });
    this.set_rates();
  }

  // -- the ledger --------------------------------------------------------------------------------------

  /** What the view sees at this moment. */
  look() {
    try {
      return this.view.look(this.gan, this.values.oracle);
    } catch (error) {
      if (!(error instanceof Diverged)) throw error;
      throw new Diverged(`diverged at step ${this.gan.steps}: ${error.message}`);
    }
  }

  record() {
    const { now } = this.look();
    this.past.push([this.gan.steps, ...this.view.fields.map((name) => now[name])]);
    if (this.past.length > POINTS) {
      this.past = this.past.filter((_, i) => i % 2 === 0); // thin out rather than forget the beginning
      this.every *= 2;
    }
  }

  // -- the learner's hand ------------------------------------------------------------------------------

  /** A knob is turned: it acts at the next step. What is refused leaves all as it was. */
  set(key, value) {
    const before = { ...this.values };
    this.values[key] = value;
    try {
      if (key === "target") this.set_target();
      this.tune();
      if (key === "seed") this.reset();
    } catch (error) {
      this.values = before;
      this.set_target();
      this.tune();
      throw error;
    }
  }

  /** Several knobs at once, and again from the start, as a preset does. */
  begin(values) {
    Object.assign(this.values, values);
    this.set_target();
    this.reset();
  }

  set_target() {
    const { target } = this.values;
    if (!(target in this.targets)) throw new RangeError(`there is no target ${target}`);
    this.target = this.targets[target]();
    this.view.aim(this.target);
  }

  /** Start again from the first weights; with another seed than at first, from weights drawn by it. */
  reset() {
    const { gan } = this;
    const { seed } = this.values;
    this.restore(this.first.state);
    if (seed !== this.first.values.seed) {
      gan.G.reinitialise(2 * seed);
      gan.D.reinitialise(2 * seed + 1);
      gan.opt_G.forget();
      gan.opt_D.forget();
      gan.generator.manual_seed(seed);
      gan.steps = 0;
      this.set_rates();
    }

    this.generator = new Generator(seed + 1);
    this.last_real = this.target.sample(64, new Generator(seed));
    this.every = EVERY;
    this.phase = -1; // of slow motion: not yet begun
    this.phase_due = 0;
    this.past = [];
    this.good = [];
    this.record();
    this.remember();
  }

  /** Go back to a state; the knobs stand as they are shown, not as they stood then. */
  restore(state) {
    this.tune();
    this.gan.load(state);
    this.set_rates();
  }

  /** Keep a state to go back to, if it is a good one; of older ones ever fewer. */
  remember() {
    const { G, D } = this.gan;
    if (!G.p.every(Number.isFinite) || !D.p.every(Number.isFinite)) return;

    this.good.push(this.gan.state());
    if (this.good.length > 12) this.good = this.good.filter((_, i) => ![1, 3, 5, 7].includes(i));
  }

  /** Back to the last good state before this moment; returns its step. */
  back() {
    while (this.good.length > 1 && this.good[this.good.length - 1].steps >= this.gan.steps) {
      this.good.pop();
    }
    this.restore(this.good[this.good.length - 1]);
    this.past = this.past.filter(([step]) => step <= this.gan.steps);
    return this.gan.steps;
  }

  // -- keeping a run -----------------------------------------------------------------------------------

  /** The run as plain data, which JSON can hold: knobs, records, and all that the next step depends on. */
  save() {
    const { values, past, every } = this;
    const data = this.generator.state();
    return { values: { ...values }, past: [...past], every, data, state: plain(this.gan.state()) };
  }

  /** Go on from a saved run. */
  load({ values, past, every, data, state }) {
    this.values = { ...this.values, ...values };
    this.set_target();
    this.restore(state);
    this.past = [...past];
    this.every = every;
    this.generator.load(data);
    this.good = [this.gan.state()];
  }
}

/** The same with plain arrays in place of typed ones. */
function plain(value) {
  if (ArrayBuffer.isView(value)) return Array.from(value);
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

function seconds() {
  return performance.now() / 1000;
}
