/**
 * Class `GAN` of ganlib/gan.py: two networks, two optimisers, one step.
 *
 * The caller writes the loop: `gan.step(real)`. One step is D then G, Algorithm 1 of Goodfellow
 * et al. 2014, arXiv:1406.2661. Settings may be tuned at any time; Adam's memory is kept.
 * Examples are plain arrays (n · dim) in torch's order, one example behind the other.
 */

import { betas, count, one_of, positive } from "./checks.js";
import { LOSSES, PENALTIES } from "./losses.js";
import { CHUNK } from "./ops.js";
import { OPTIMISERS } from "./optimisers.js";
import { Generator, rand } from "./random.js";

/** Thrown when a loss is no longer a finite number. */
export class Diverged extends Error {
  name = "Diverged";
  foreseen = true; // a lab says it as it stands
}

const CHECKS = {
  loss: (name, value) => one_of(name, value, LOSSES),
  lr_G: positive,
  lr_D: positive,
  betas,
  optimiser: (name, value) => one_of(name, value, OPTIMISERS),
  d_steps: count,
  penalty: (name, value) => (value === null ? null : one_of(name, value, PENALTIES)),
  penalty_weight: positive,
};

const DEFAULTS = {
  loss: "non-saturating",
  lr_G: 1e-3,
  lr_D: 1e-3,
  betas: [0.5, 0.999],
  optimiser: "adam",
  d_steps: 1,
  penalty: null,
  penalty_weight: 1,
};

export class GAN {
  /**
   * G, D: networks of networks.js on the same `ops`; prior: a law with sample(n, generator).
   * settings: as in Python, each with its default, and `seed`, of the noise z.
   */
  constructor(G, D, prior, { seed = 0, ...settings } = {}) {
    this.G = G;
    this.D = D;
    this.prior = prior;
    this.generator = new Generator(seed);
    this.steps = 0;
    this.history = [];
    this.tune({ ...DEFAULTS, ...settings });
  }

  /**
   * Set some of the settings, `gan.tune({ lr_G: 1e-3 })`; another optimiser starts without
   * memory.
   */
  tune(settings) {
    const before = this.optimiser;
    const checked = Object.entries(settings).map(([name, value]) => {
      one_of("setting", name, CHECKS);
      return [name, CHECKS[name](name, value)];
    });
    Object.assign(this, Object.fromEntries(checked)); // all of them, or none

    if (this.optimiser !== before) {
      this.opt_G = OPTIMISERS[this.optimiser](this.G);
      this.opt_D = OPTIMISERS[this.optimiser](this.D);
    }
  }

  /** n draws of z from the prior, (n, z_dim). */
  noise(n) {
    return this.prior.sample(count("n", n), this.generator);
  }

  /** n generated examples, (n, dim). */
  sample(n) {
    return this.G.evaluate(this.noise(n));
  }

  /** One step of D: descend its loss on real (n, dim) and as many fakes, with G held fixed. */
  step_D(real) {
    const { D } = this;
    const n = real.length / D.dim;
    const fake = this.sample(n);
    const { real: cost_real, fake: cost_fake } = LOSSES[this.loss];
    const at = this.penalty === null ? null : PENALTIES[this.penalty].at;
    const between = at === "between" ? this.between(real, fake) : null;

    D.zero_slopes();
    let loss = 0;
    for (let first = 0; first < n; first += CHUNK) {
      const chunk = { first, size: Math.min(CHUNK, n - first), n };
      loss += this.judge(real, chunk, cost_real, at === "real");
      loss += this.judge(fake, chunk, cost_fake, false);
      if (between !== null) this.judge(between, chunk, no_cost, true);
    }
    const record = { loss_D: this.finite("loss_D", loss) }; // before any weight moves
    this.opt_D.step(this.lr_D, this.betas);
    return record;
  }

  /**
   * One step of G on n fresh fakes: the gradient passes through the judge, D, which does not
   * move.
   */
  step_G(n, judge = this.D) {
    const { G } = this;
    const z = this.noise(n);
    const cost = LOSSES[this.loss].G;

    G.zero_slopes();
    let loss = 0;
    for (let first = 0; first < n; first += CHUNK) {
      const size = Math.min(CHUNK, n - first);
      G.load(z, first, size);
      G.forward();

      judge.take(G.y, G.n);
      judge.forward();
      loss += slopes_at(judge, cost, { size, n });
      judge.backward({ learn: false, input: true });

      G.at_y.set(judge.dx.subarray(0, judge.dim * G.n));
      G.backward();
    }
    const record = { loss_G: this.finite("loss_G", loss) }; // before any weight moves
    this.opt_G.step(this.lr_G, this.betas);
    return record;
  }

  /** d_steps steps of D, then one of G; returns both losses and appends them to `history`. */
  step(real) {
    const { dim } = this.D;
    let record = {};
    let size = 0;
    for (const part of split(real, real.length / dim, this.d_steps, dim)) {
      record = this.step_D(part);
      size = part.length / dim;
    }
    Object.assign(record, this.step_G(size));
    this.steps += 1;
    this.history.push(record);
    return record;
  }

  /**
   * D on one chunk of examples: adds their slopes, and those of the penalty there; returns the
   * cost.
   */
  judge(x, chunk, cost, penalised) {
    const { D } = this;
    D.load(x, chunk.first, chunk.size);
    D.forward();
    const loss = slopes_at(D, cost, chunk);

    if (penalised) {
      D.slopes();
      this.aim(chunk);
      D.tangent();
    }
    D.backward({ bent: penalised });
    return loss;
  }

  /**
   * ẋ = weight/n · direction(‖s‖²) · s for each example: along it the penalty's slope is a
   * tangent.
   */
  aim({ size, n }) {
    const { D, penalty_weight } = this;
    const { direction } = PENALTIES[this.penalty];
    D.x_dot.fill(0);
    for (let j = 0; j < size; j++) {
      let square = 0;
      for (let d = 0; d < D.dim; d++) square += D.s[d * D.n + j] ** 2;

      const along = (penalty_weight / n) * direction(square);
      for (let d = 0; d < D.dim; d++) D.x_dot[d * D.n + j] = along * D.s[d * D.n + j];
    }
  }

  /** x̂ = t x + (1 − t) G(z), one t for each example, uniform on [0, 1). */
  between(real, fake) {
    const { dim } = this.D;
    const t = rand(this.generator, real.length / dim);
    return Float64Array.from(real, (x, i) => {
      const share = t[Math.floor(i / dim)];
      return share * x + (1 - share) * fake[i];
    });
  }

  finite(name, loss) {
    if (!Number.isFinite(loss)) {
      const said = Number.isNaN(loss) ? "nan" : loss > 0 ? "inf" : "-inf";
      throw new Diverged(`diverged at step ${this.steps + 1}: ${name} is ${said}`);
    }
    return loss;
  }

  /** Everything that the next step depends on, copied: weights, optimisers, noise, step count. */
  state() {
    return {
      G: this.G.p.slice(),
      D: this.D.p.slice(),
      opt_G: this.opt_G.state(),
      opt_D: this.opt_D.state(),
      optimiser: this.optimiser,
      generator: this.generator.state(),
      steps: this.steps,
    };
  }

  /** Go back to a `state`; one of another kind of optimiser leaves this one without memory. */
  load(state) {
    this.G.p.set(state.G);
    this.D.p.set(state.D);
    for (const name of ["opt_G", "opt_D"]) {
      if (state.optimiser === this.optimiser) this[name].load(state[name]);
      else this[name].forget();
    }
    this.generator.load(state.generator);
    this.steps = state.steps;
    this.history.length = Math.min(this.history.length, this.steps);
  }
}

const no_cost = () => [0, 0];

/**
 * Write the slopes of the mean cost at a judge's logits, 0 beyond the last example; returns the
 * cost.
 */
function slopes_at(judge, cost, { size, n }) {
  let loss = 0;
  for (let j = 0; j < size; j++) {
    const [here, slope] = cost(judge.y[j]);
    loss += here / n;
    judge.at_y[j] = slope / n;
  }
  judge.at_y.fill(0, size, judge.n);
  return loss;
}

/** n examples in `parts` parts, as torch's tensor_split: the first ones are longer by one. */
function split(x, n, parts, dim) {
  const out = [];
  let first = 0;
  for (let i = 0; i < parts; i++) {
    const size = Math.floor(n / parts) + (i < n % parts ? 1 : 0);
    out.push(x.subarray(first * dim, (first + size) * dim));
    first += size;
  }
  return out;
}
