// Answers the questions of the tests with the engine itself; run by node (node.mjs), or in a page
// when `bundle.join` has made one script of it.

import { gan, network } from "./../../ganlib/engine/build.js";
import { LineGauge, PlaneGauge } from "./../../ganlib/engine/gauges.js";
import { ledger, line, push_masses, z_cells } from "./../../ganlib/engine/ledger.js";
import { LOSSES, PENALTIES } from "./../../ganlib/engine/losses.js";
import { reference } from "./../../ganlib/engine/ops.js";
import { OPTIMISERS } from "./../../ganlib/engine/optimisers.js";
import { BlurredD } from "./../../ganlib/engine/plane.js";
import {
  Generator,
  multinomial,
  rand,
  rand_double,
  randn,
  randperm,
  uniform,
} from "./../../ganlib/engine/random.js";
import { fall } from "./../../ganlib/engine/schedule.js";
import { Session } from "./../../ganlib/engine/session.js";
import { SlowMotion } from "./../../ganlib/engine/slow_motion.js";
import { log_sigmoid, ndtr, ndtri, sigmoid, softplus } from "./../../ganlib/engine/special.js";
import { law } from "./../../ganlib/engine/targets.js";
import { fastest, wasm } from "./../../ganlib/engine/wasm.js";

async function ops_of(question) {
  if (question.ops === "wasm") return await wasm(question.wasm);
  return reference(question.ops === "float32" ? Float32Array : Float64Array);
}

/** A D that says the same everywhere, which the ledger asks beside the grid. */
const same_everywhere = (logit) => ({ evaluate: (x) => x.map(() => logit) });

const DRAWS = { multinomial, rand, rand_double, randn, randperm, uniform };
const SPECIAL = { log_sigmoid, ndtr, ndtri, sigmoid, softplus };

const ANSWERS = {
  names: () => ({
    losses: Object.keys(LOSSES),
    penalties: Object.keys(PENALTIES),
    optimisers: Object.keys(OPTIMISERS),
  }),

  /** Calls of random.js, one after the other, from one generator. */
  random({ seed, calls }) {
    const generator = new Generator(seed);
    return calls.map(([name, ...args]) => [...DRAWS[name](generator, ...args)]);
  },

  /** The generator goes on from a state of torch, and says its own. */
  resume({ state, n }) {
    const generator = new Generator(0);
    generator.load(state);
    const drawn = [...rand(generator, n)];
    const normal = [...randn(generator, 1)];
    return { drawn, normal, state: generator.state() };
  },

  special: ({ name, at }) => at.map((x) => SPECIAL[name](x)),

  fall: ({ steps, at }) => at.map((step) => fall(step, steps)),

  async weights(question) {
    return [...network(await ops_of(question), question.network).p];
  },

  law({ description, n, seed, x, probabilities }) {
    const here = law(description);
    return {
      sample: [...here.sample(n, new Generator(seed))],
      log_prob: [...here.log_prob(x)],
      cdf: here.dim === 1 ? x.map((at) => here.cdf(at)) : null,
      quantile: probabilities.map((u) => here.quantile(u)),
      range: here.range,
    };
  },

  /** Steps on given batches; the weights after them, D on `x`, and both losses of each step. */
  async train(question) {
    const player = gan(await ops_of(question), question.gan);
    const { Floats } = player.G.ops;
    if (question.state) player.load(question.state);
    const noises = (question.noises ?? []).map((z) => Floats.from(z));
    if (question.noises) player.noise = () => noises.shift();
    question.reals.forEach((real) => player.step(Floats.from(real)));
    return {
      G: [...player.G.p],
      D: [...player.D.p],
      logits: [...player.D.evaluate(question.x)],
      history: player.history,
    };
  },

  async state(question) {
    const player = gan(await ops_of(question), question.gan);
    const target = law(question.target);
    const data = new Generator(1);
    for (let i = 0; i < question.steps; i++) player.step(target.sample(question.batch, data));
    const { G, D, opt_G, opt_D, ...rest } = player.state();
    const memory = ({ m, v, t }) => (m ? { m: [...m], v: [...v], t } : {});
    return { G: [...G], D: [...D], opt_G: memory(opt_G), opt_D: memory(opt_D), ...rest };
  },

  z_cells({ prior, cells }) {
    const { z, mass } = z_cells(law(prior), cells);
    return { z: [...z], mass: [...mass] };
  },

  /** The ledger of a G whose piecewise straight form is a formula, with a D that says `logit`. */
  formula({ formula, prior, range, points, target, logit, cells }) {
    const x = line(...range, points);
    const G = { evaluate: (z) => z.map(new Function("z", `return ${formula}`)) };
    const pushed = push_masses(G, z_cells(law(prior), cells), x);
    const p_data = law(target).log_prob(x).map(Math.exp);
    const logits = x.map(() => logit);
    const entry = ledger(same_everywhere(logit), p_data, x, pushed, logits);
    return { ...entry, masses: [...pushed.masses] };
  },

  /** A session and what is done with it, [method, …arguments] each; and where it stands then. */
  async session(question) {
    const player = gan(await ops_of(question), question.gan);
    const gauge = question.plane ? PlaneGauge : LineGauge;
    const session = new Session(player, law(question.law), { gauge, ...question.how });

    const does = {
      run: (steps, ...part) => {
        for (let i = 0; i < steps; i++) session.step(...part);
      },
      law: (described) => session.set_law(law(described)),
      reload: () => session.load(JSON.parse(JSON.stringify(session.save()))),
      spoil: () => session.load({ ...session.save(), state: { G: [1], D: [1] } }),
    };
    const said = question.script.map(([what, ...args]) => {
      try {
        return ((does[what] ?? session[what].bind(session))(...args) ?? null) && "done";
      } catch (error) {
        return error.message;
      }
    });
    return {
      said,
      past: session.past,
      G: [...player.G.p],
      D: [...player.D.p],
      steps: player.steps,
      real: [...session.real],
      good: session.good.map((state) => state.steps),
      rates: [player.lr_G, player.lr_D],
      settings: session.settings,
      js: session.curve("js"),
    };
  },

  slow_motion({ script }) {
    let clock = 10;
    const slow = new SlowMotion(() => clock);
    return script.map(([what, ...args]) => {
      if (what === "wait") clock += args[0];
      return what === "next" ? slow.next(...args) : null;
    });
  },

  /** D* through noise: its logits and slopes at points of the plane. */
  blurred({ p_data, p_g, x }) {
    const D = new BlurredD(law(p_data), law(p_g));
    const n = x.length / 2;
    const columns = x.map((_, i) => x[2 * (i % n) + Math.floor(i / n)]);
    D.take(columns, n);
    D.forward();
    D.at_y.fill(1);
    D.backward();
    return { logits: [...D.y], again: [...D.evaluate(x)], slopes: [...D.dx] };
  },

  async kind(question) {
    return { good: (await fastest(question.wasm)).kind, bad: (await fastest("AAAA")).kind };
  },
};

/** The answer to one question, {task, …}; an error as {error}. */
export async function answer(question) {
  try {
    return { value: await ANSWERS[question.task](question) };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}
