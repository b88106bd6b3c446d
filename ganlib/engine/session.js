/**
 * `Session` of ganlib/session.py: a GAN learns a law, and all that happens on the way is kept.
 *
 * A session owns what a run needs besides the GAN: the rates that were asked for and how they fall,
 * the batch, who trains, the data, the record over time, states to go back to. It shows nothing.
 */

import { count, one_of, positive } from "./checks.js";
import { Diverged } from "./gan.js";
import { LineGauge } from "./gauges.js";
import { packed } from "./packed.js";
import { Generator } from "./random.js";
import { saved } from "./run.js";
import { fall } from "./schedule.js";

const EVERY = 25; // steps between two lines of the record, at first
const EARLY = [1, 2, 4, 8, 16]; // steps with a line besides: wild rates diverge before the 25th
const LINES = 400; // of the record; beyond that every second one is dropped
const KEPT = 12; // states to go back to
const MOST = 2 ** 18; // real examples of a step: with more a lab would stand still for seconds
const WHO = { both: true, "D only": true, "G only": true }; // may train
const SWITCH = { true: true, false: true };

const CHECKS = {
  lr_G: positive,
  lr_D: positive,
  train: (name, value) => one_of(name, value, WHO),
  anneal: (name, value) => one_of(name, String(value), SWITCH) === "true",
  oracle: (name, value) => one_of(name, String(value), SWITCH) === "true",
  batch: count,
  seed: (name, value) => count(name, value, 0),
};

export class Session {
  /**
   * gan: a `GAN`; law: what it shall learn; gauge: LineGauge or PlaneGauge, as a class. The rest
   * as in Python. `past` is the record: every 25 steps, and at some of the first, [step, …ledger];
   * `real` the last batch of data; `good` the states to go back to.
   */
  constructor(gan, law, how = {}) {
    const { gauge = LineGauge, batch = 128, anneal = true, horizon = null, seed = 0 } = how;
    this.gan = gan;
    this.horizon = horizon;
    this.new_gauge = gauge;
    this.set_law(law);

    this.lr_G = gan.lr_G;
    this.lr_D = gan.lr_D;
    this.train = "both";
    this.oracle = false; // G plays against D*, which is computed
    this.start = this.state();
    this.first_seed = seed;
    this.anneal = anneal;
    this.batch = batch;
    this.seed = seed;
    this.tune({ batch, anneal, seed });
    this.reset();
  }

  /** Learn another law from the next step on. */
  set_law(law) {
    const Gauge = this.new_gauge;
    this.gauge = new Gauge(law, this.gan.prior);
    this.law = law;
  }

  /** Learn another law from now on: the record of how near the old one was ends. */
  turn_to(law) {
    this.set_law(law);
    this.real = this.first_look();
    const { past } = this;
    try {
      this.past = [];
      this.record();
    } catch (error) {
      if (!(error instanceof Diverged)) throw error;
      this.past = past; // it has diverged, and stands as it did
    }
  }

  /** Examples to show before any are drawn to learn from. */
  first_look() {
    return this.law.sample(64, new Generator(this.seed));
  }

  // -- settings ----------------------------------------------------------------------------------

  /** All knobs by name, as `tune` takes them and `save` keeps them; k: D steps per G step. */
  get settings() {
    const { gan } = this;
    return {
      lr_G: this.lr_G,
      lr_D: this.lr_D,
      train: this.train,
      anneal: this.anneal,
      oracle: this.oracle,
      k: gan.d_steps,
      batch: this.batch,
      seed: this.seed,
      loss: gan.loss,
      penalty: gan.penalty ?? "none",
      weight: gan.penalty_weight,
      optimiser: gan.optimiser,
      beta1: gan.betas[0],
      beta2: gan.betas[1],
    };
  }

  /**
   * Turn knobs, as `settings` names them: they act at the next step, a seed at the next reset.
   * What is not allowed is named in a RangeError, and then all knobs stay as they were.
   */
  tune(settings) {
    const before = this.settings;
    for (const key of Object.keys(settings)) one_of("setting", key, before);
    try {
      this.turn({ ...before, ...settings });
    } catch (error) {
      this.turn(before);
      throw error;
    }
  }

  turn(knobs) {
    for (const [name, check] of Object.entries(CHECKS)) this[name] = check(name, knobs[name]);
    if (knobs.k * this.batch > MOST) {
      const [most, batch] = [MOST, this.batch].map((number) => number.toLocaleString("en"));
      throw new RangeError(`k times batch must be at most ${most}, got ${knobs.k} times ${batch}`);
    }
    this.gan.tune({
      optimiser: knobs.optimiser,
      loss: knobs.loss,
      d_steps: knobs.k,
      betas: [knobs.beta1, knobs.beta2],
      penalty: knobs.penalty === "none" ? null : knobs.penalty,
      penalty_weight: knobs.weight,
    });
    this.set_rates();
  }

  /** The rates of this moment. */
  set_rates() {
    const usual = this.law.name === "normal" ? 3000 : 5000;
    const share = this.anneal ? fall(this.gan.steps, this.horizon ?? usual) : 1;
    this.gan.tune({ lr_G: this.lr_G * share, lr_D: this.lr_D * share });
  }

  // -- training ----------------------------------------------------------------------------------

  /**
   * One step of those who train: it is counted, and every 25 steps it is written down. Slow
   * motion takes a step in parts: then `who` names the player that moves, and only the last part
   * is `done`.
   */
  step(who = this.train, done = true) {
    const { gan } = this;
    if (gan.steps % (4 * EVERY) === 0) this.remember();

    const number = gan.steps + 1;
    this.move(who);
    if (done) {
      gan.steps = number; // `GAN.step` counts by itself, `step_D` and `step_G` do not
      if (number % this.every === 0 || EARLY.includes(number)) this.record();
    }
  }

  /** The move of one player or of both, at the rates of this moment, and nothing else. */
  move(who) {
    const { gan, batch } = this;
    this.set_rates();
    if (this.oracle) {
      if (who === "D only") {
        throw new RangeError(
          "D* is computed and has nothing to learn: switch the oracle off, or train G",
        );
      }
      gan.step_G(batch, this.best_D());
    } else if (who === "both") {
      gan.step(this.sample(batch * gan.d_steps));
      if (gan.history.length > 20_000) gan.history.splice(0, 10_000); // it may run for hours
    } else if (who === "D only") {
      const real = this.sample(batch * gan.d_steps);
      const size = batch * gan.D.dim;
      for (let i = 0; i < gan.d_steps; i++) gan.step_D(real.subarray(i * size, (i + 1) * size));
    } else {
      gan.step_G(batch);
    }
  }

  /** n fresh examples of the law, (n · dim); they are kept as `real`. */
  sample(n) {
    this.real = this.law.sample(n, this.data);
    return this.real;
  }

  /** D* against the G of this moment, as a judge in place of D. */
  best_D() {
    return this.gauge.best_D(this.gan);
  }

  // -- the record --------------------------------------------------------------------------------

  /** What the gauge sees of this moment; Diverged if there is nothing to see. */
  look() {
    try {
      const sight = this.gauge.look(this.gan, this.oracle);
      this.now = sight.ledger;
      return sight;
    } catch (error) {
      if (!(error instanceof Diverged)) throw error;
      throw new Diverged(`diverged at step ${this.gan.steps}: ${error.message}`);
    }
  }

  /** The ledger of this moment. */
  get ledger() {
    return this.look().ledger;
  }

  /** Write the ledger of this moment down. */
  record() {
    const { ledger } = this;
    this.past.push([this.gan.steps, ...this.gauge.fields.map((name) => ledger[name])]);
    if (this.past.length > LINES) {
      this.every *= 2; // rather than forget the beginning
      this.past = this.past.filter(([step], i) => i === 0 || step % this.every === 0);
    }
  }

  /** One field of the ledger over time: rows [step, value]. */
  curve(name) {
    const column = 1 + this.gauge.fields.indexOf(name);
    return this.past.map((row) => [row[0], row[column]]);
  }

  // -- there and back ----------------------------------------------------------------------------

  /** Start again from the first weights; another seed than the first draws its own. */
  reset() {
    const { gan, seed } = this;
    this.restore(this.start);
    if (seed !== this.first_seed) {
      gan.G.reinitialise(2 * seed);
      gan.D.reinitialise(2 * seed + 1);
      gan.opt_G.forget();
      gan.opt_D.forget();
      gan.generator.manual_seed(seed);
      gan.steps = 0;
      this.set_rates();
    }
    this.data = new Generator(seed + 1);
    this.real = this.first_look();

    this.every = EVERY;
    this.past = [];
    this.record();
    this.forget();
  }

  /** All of the GAN that the next step depends on, copied. */
  state() {
    return this.gan.state();
  }

  /** Go back to a `state`, under the knobs of now; of another optimiser it has no memory. */
  restore(state) {
    this.gan.load(state);
    this.set_rates();
  }

  /** Keep the state of now to go back to, if it is finite; of older ones ever fewer. */
  remember() {
    const { G, D } = this.gan;
    if (!G.p.every(Number.isFinite) || !D.p.every(Number.isFinite)) return;

    this.good.push(this.state());
    if (this.good.length > KEPT) this.good = this.good.filter((_, i) => ![1, 3, 5, 7].includes(i));
  }

  /** Have nothing to go back to but now. */
  forget() {
    this.good = [];
    this.remember();
  }

  /** Go back to the last good state; the next time, further back. */
  back() {
    const { good } = this;
    while (good.length > 1 && good[good.length - 1].steps >= this.gan.steps) good.pop();
    this.restore(good[good.length - 1]);
    this.past = this.past.filter(([step]) => step <= this.gan.steps);
  }

  // -- keeping a run -----------------------------------------------------------------------------

  /**
   * The run as plain data for JSON: the knobs, the record, and all that the next step depends
   * on. Of a run that has diverged it is the last good state.
   */
  save() {
    if (this.sound()) return this.saved();
    const before = this.snapshot();
    for (let i = 0; i < before.kept.good.length && !this.sound(); i++) this.back();
    try {
      return this.saved();
    } finally {
      this.put_back(before);
    }
  }

  /** Whether all that would be saved is finite, and there is something to see. */
  sound() {
    const { G, D, opt_G, opt_D } = this.state();
    const rows = [G, D, opt_G.m, opt_G.v, opt_D.m, opt_D.v].filter(Boolean);
    if (!rows.every((row) => row.every(Number.isFinite))) return false;
    try {
      this.look();
    } catch (error) {
      if (!(error instanceof Diverged)) throw error;
      return false;
    }
    return true;
  }

  saved() {
    return {
      values: this.settings,
      past: this.past,
      every: this.every,
      data: this.data.state(),
      state: packed(this.state()),
    };
  }

  /** Go on from a saved run; if it does not fit, RangeError says why and nothing changes. */
  load(run) {
    const before = this.snapshot();
    try {
      this.adopt(run);
      this.look();
    } catch (error) {
      this.put_back(before);
      throw new RangeError(`This is not a saved run that fits this lab: ${error.message}`);
    }
    this.forget();
  }

  /** All that `put_back` needs, to undo whatever is done from here on. */
  snapshot() {
    const { law, gauge, past, every, real, now, good } = this;
    return {
      kept: { law, gauge, past, every, real, now, good: [...good] },
      settings: this.settings,
      state: this.state(),
      data: this.data.state(),
    };
  }

  /** Be as it was at a snapshot. */
  put_back({ kept, settings, state, data }) {
    Object.assign(this, kept);
    this.tune(settings);
    this.restore(state);
    this.data.load(data);
  }

  /** Take over a run, once all of it has been checked; its knobs may still be refused. */
  adopt({ values, past, every, data, state }) {
    const lines = saved.past(past, this.gauge.fields.length);
    const pause = saved.every(every);
    const generator = saved.generator("data", data);
    const at = saved.state(state, this.gan);
    this.tune(values);
    this.restore(at);
    this.data.load(generator);
    this.past = lines;
    this.every = pause;
    this.real = this.first_look();
  }
}
