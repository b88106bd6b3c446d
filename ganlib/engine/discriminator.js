/**
 * The labs of ganlib/labs/discriminator.py, in which you are the discriminator: `Detective`,
 * `TwoTerms` and `Knots`. They need no network: two laws are known, and D is yours.
 */

import { Lab } from "../stage/js/lab.js";
import { table } from "../stage/js/wire.js";
import { line, optimal_discriminator } from "./ledger.js";
import { js } from "./plane.js";
import { Generator, rand } from "./random.js";
import { log_sigmoid, sigmoid, xlogy } from "./special.js";
import { Mixture, law } from "./targets.js";

const CASES = 20; // that a detective judges
const KNOWN = 40; // examples of each law that they may look at
const LOG_4 = Math.log(4);

const density = (of, x) => of.log_prob(x).map(Math.exp);

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Masses that sum to 1, of heights on an even grid. */
const shares = (heights) => {
  const total = sum(heights);
  return heights.map((height) => height / total);
};

/** The names and numbers of bars that hang from 0 down to `low`; an arrow: it goes on below. */
function numbered(names, values, low) {
  return names.flatMap((name, i) => {
    const arrow = values[i] < low ? "↓ " : "";
    return [
      [i, -0.09 * low, name],
      [i, -0.03 * low, `${arrow}${values[i].toFixed(2)}`],
    ];
  });
}

class Judged extends Lab {
  /** told: the description of a lab, with the laws `real` and `fake`. */
  constructor(told) {
    super(told.scene);
    this.told = told;
    this.real = law(told.real);
    this.fake = law(told.fake);
  }

  best(x) {
    return optimal_discriminator(density(this.real, x), density(this.fake, x));
  }
}

/** Say how sure you are that each of 20 numbers is real; the log of what the truth got counts. */
export class Detective extends Judged {
  constructor(told) {
    super(told);
    this.seed = told.seed - 1;
    this.reset();
  }

  /** New examples and new cases. */
  reset() {
    this.seed += 1;
    const generator = new Generator(this.seed);
    this.known_real = this.real.sample(KNOWN, generator);
    this.known_fake = this.fake.sample(KNOWN, generator);
    this.truth = Array.from(rand(generator, CASES), (share) => share < 0.5);
    const real = this.real.sample(CASES, generator);
    const fake = this.fake.sample(CASES, generator);
    this.xs = this.truth.map((is_real, i) => (is_real ? real[i] : fake[i]));
    this.beliefs = [];
  }

  /** Commit to the belief shown, for the case at hand. */
  pressed() {
    if (this.beliefs.length === CASES) {
      throw new RangeError("All cases are judged. Press reset for new ones.");
    }
    this.beliefs = [...this.beliefs, this.values.belief / 100];
  }

  /** Mean log score in nats on the cases so far: [who, score] of ½, the learner and Bayes. */
  scores() {
    const judged = this.beliefs.length;
    if (judged === 0) return [];

    const score = (beliefs) => {
      const logs = this.beliefs.map((_, i) => {
        return Math.log(this.truth[i] ? beliefs[i] : 1 - beliefs[i]);
      });
      return sum(logs) / judged;
    };
    return [
      ["blind ½", score(this.beliefs.map(() => 0.5))],
      ["you", score(this.beliefs)],
      ["Bayes", score(this.best(Float64Array.from(this.xs)))],
    ];
  }

  draw() {
    const shown = this.beliefs.map((belief, i) => [this.xs[i], belief]);
    const scores = this.scores();
    const names = scores.map(([who]) => who);
    const values = scores.map(([, score]) => score);
    return {
      real: table(this.known_real),
      fake: table(this.known_fake),
      was_real: shown.filter((_, i) => this.truth[i]),
      was_fake: shown.filter((_, i) => !this.truth[i]),
      bars: values.map((score, i) => [i - 0.3, score, 0.6, -score]),
      who: numbered(names, values, -1.3),
      ...this.draw_case(),
    };
  }

  /** The case at hand; after the last one, the best verdict on all. */
  draw_case() {
    const judged = this.beliefs.length;
    if (judged === CASES) {
      const x = line(-3.5, 4.5, 200);
      const words = "all judged: the curve is the best verdict";
      return { case: [], ask: [[0.5, 1.06, words]], bayes: table(x, this.best(x)) };
    }
    const now = this.xs[judged];
    return {
      case: [
        [now, 0],
        [now, 0.5],
      ],
      ask: [[now, 0.56, `x = ${now.toFixed(2)}: real?`]],
      bayes: [],
    };
  }

  text() {
    const scores = this.scores().map(([who, score]) => `${who} ${score.toFixed(2)}`);
    return (
      `${this.beliefs.length} of ${CASES} cases judged; ` +
      `mean log score in nats: ${scores.join(", ") || "none yet"}.`
    );
  }
}

/** Move a logistic D by hand and watch the two terms of V; their sum is what D climbs. */
export class TwoTerms extends Judged {
  /** The curves p_data, p_g and D; and E log D(x), E log(1 − D(G(z))), V, the best V in nats. */
  terms() {
    const { middle, slope, mean } = this.values;
    const x = line(-5, 6);
    const dx = x[1] - x[0];
    const p = density(this.real, x);
    const q = density(new Mixture({ means: [mean], stds: this.fake.stds }), x);
    const logit = x.map((at) => slope * (middle - at));
    const real = sum(p.map((height, i) => height * log_sigmoid(logit[i]))) * dx;
    const fake = sum(q.map((height, i) => height * log_sigmoid(-logit[i]))) * dx;
    const best = 2 * js(shares(p), shares(q)) - LOG_4;
    return { x, p, q, D: logit.map(sigmoid), values: [real, fake, real + fake, best] };
  }

  draw() {
    const { x, p, q, D, values } = this.terms();
    const bars = values.map((value, i) => [`bar ${i}`, [[i - 0.35, value, 0.7, -value]]]);
    return {
      data: table(x, p),
      p_g: table(x, q),
      D: table(x, D),
      ...Object.fromEntries(bars),
      names: numbered(["real term", "fake term", "V", "best V"], values, -3),
    };
  }

  text() {
    const [real, fake, V, best] = this.terms().values.map((value) => value.toFixed(3));
    return (
      `E log D(x) = ${real}, E log(1 − D(G(z))) = ${fake}, V = ${V} nats; ` +
      `the best any D can do here is ${best}.`
    );
  }
}

/** Drag the knots of D until nothing can be gained: you have found D*. */
export class Knots extends Judged {
  constructor(told) {
    super(told);
    this.at = told.at;
    this.height = this.at.map(() => 0.5);
  }

  changed(key, value) {
    if (key === "height") this.move(this.values.knot - 1, value);
    else if (key === "knot") this.tell({ height: this.height[value - 1] });
  }

  move(index, height) {
    this.height = this.height.map((own, i) => (i === index ? height : own));
  }

  /** Put all knots where D* is. */
  pressed() {
    const best = Array.from(this.best(Float64Array.from(this.at)));
    this.height = best.map((height) => Math.min(Math.max(height, 0.01), 0.99));
    this.tell({ height: this.height[this.values.knot - 1] });
  }

  /** A knot moves up and down only. */
  dragged(mark, index, x, y) {
    this.move(index, Math.min(0.99, Math.max(0.01, y)));
    this.tell({ knot: index + 1, height: this.height[index] });
  }

  /** The learner's D: straight lines from knot to knot, and flat beside them. */
  D(x) {
    const { at, height } = this;
    return x.map((place) => {
      const next = at.findIndex((knot) => knot >= place);
      if (next === -1) return height[height.length - 1];
      if (next === 0) return height[0];
      const share = (place - at[next - 1]) / (at[next] - at[next - 1]);
      return height[next - 1] + share * (height[next] - height[next - 1]);
    });
  }

  /** V + log 4 of the learner's D and 2 JS, in nats, on the grid x with both densities. */
  value() {
    const x = line(-4.5, 5.5);
    const p = density(this.real, x);
    const q = density(this.fake, x);
    const P = shares(p);
    const Q = shares(q);
    const D = this.D(x);
    const V = sum(D.map((belief, i) => xlogy(P[i], belief) + xlogy(Q[i], 1 - belief)));
    return { x, p, q, D, gain: V + LOG_4, top: 2 * js(P, Q) };
  }

  draw() {
    const { x, p, q, D, gain, top } = this.value();
    return {
      data: table(x, p),
      p_g: table(x, q),
      knots: table(this.at, this.height),
      D: table(x, D),
      D_star: this.values.star ? table(x, optimal_discriminator(p, q)) : [],
      gain: [[-0.35, Math.min(gain, 0), 0.7, Math.abs(gain)]],
      regret: [[0.65, gain, 0.7, top - gain]],
    };
  }

  text() {
    const { gain, top } = this.value();
    const [gained, most, regret] = [gain, top, top - gain].map((value) => {
      return (Number(value.toFixed(3)) + 0).toFixed(3); // no −0
    });
    return `V + log 4 = ${gained}, 2 JS = ${most}, so your regret is ${regret} nats.`;
  }
}
