/** `GANLab` of ganlib/labs/gan_lab.py: a GAN in one dimension that trains while knobs are moved. */

import { general } from "../stage/js/numbers.js";
import { table } from "../stage/js/wire.js";
import { LineGauge } from "./gauges.js";
import { between, converged, optimal_discriminator } from "./ledger.js";
import { SessionLab } from "./session_lab.js";
import { sigmoid } from "./special.js";

const ARROWS = 31; // of the map from z to G(z)
const RARE = 0.01; // of an even density over the picture: where both are less, nobody is asked
const SEEN = 0.01; // of p_g outside the picture: where there is more, it is said
const LOG_2 = Math.log(2);
const CLOSE = 0.05; // the level that the gauges of D are compared with

export class GANLab extends SessionLab {
  constructor(told, ops) {
    super(told, ops, LineGauge);
  }

  // -- the picture -------------------------------------------------------------------------------

  /** Fit the axes to the law, which may be another one than before. */
  show_law() {
    const { gauge, law } = this.session;
    this.xs = gauge.x.map((x) => law.shift + law.scale * x);
    this.left = this.xs[0];
    this.right = this.xs[this.xs.length - 1];

    const shares = Float64Array.from({ length: ARROWS }, (_, i) => (i + 0.5) / ARROWS);
    this.z = shares.map((share) => this.gan.prior.quantile(share));
    const reach = this.z[ARROWS - 1] - this.z[0];
    this.feet = this.z.map((z) => {
      const share = 0.1 + (0.8 * (z - this.z[0])) / reach;
      return this.left + share * (this.right - this.left);
    });

    const x = [this.left, this.right];
    const peak = gauge.p_data.reduce((most, p) => Math.max(most, p), 0);
    const per_sd = law.scale === 1 ? "" : " per sd";
    this.relabel("map", { x });
    this.relabel("game", {
      x,
      y: [0, Math.max(1.05, 1.5 * peak)],
      xlabel: law.unit,
      ylabel: `density${per_sd}, D(x)`,
    });
    this.asides.crowd = this.crowded();
  }

  /** Of data that are a spike in the picture: where they are, and what may be the reason. */
  crowded() {
    const { gauge } = this.session;
    const found = gauge.crowd();
    if (found === null) return "";

    const ends = [found[0], found[1], ...this.law.range];
    const [low, high, least, most] = this.in_units(ends).map((end) => general(end));
    return (
      `90 % of p_data lie between ${low} and ${high}, in ${found[2]} of the picture's ` +
      `${gauge.x.length} cells; the rest reaches from ${least} to ${most}: is a value mistaken?`
    );
  }

  in_units(x) {
    return Array.from(x, (at) => this.law.shift + this.law.scale * at); // in double precision
  }

  draw() {
    const sight = this.session.look();
    this.beside = this.said_beside(sight);
    return {
      ...this.draw_game(sight),
      ...this.draw_map(sight),
      ...this.draw_histories(),
      ...this.draw_slow(),
    };
  }

  /** Both densities, D, and D* where there is anything to judge; real examples; ½. */
  draw_game({ p_g, logits }) {
    const { xs, left, right } = this;
    const { p_data, x } = this.session.gauge;
    const rare = RARE / (x.length * (x[1] - x[0]));
    const asked = (D, i) => (p_data[i] + p_g[i] > rare ? D : NaN);
    return {
      data: table(xs, p_data),
      p_g: table(xs, p_g),
      D: table(xs, logits.map(sigmoid)),
      D_star: table(xs, optimal_discriminator(p_data, p_g).map(asked)),
      real: table(this.in_units(this.session.real.subarray(0, 64))),
      half: [
        [left, 0.5],
        [right, 0.5],
      ],
    };
  }

  /** Arrows from z to G(z); where they end are also the fakes of the picture above. */
  draw_map({ ends }) {
    const { left, right, z, feet } = this;
    const cells = this.session.gauge.cells.z;
    const step = cells[1] - cells[0];
    const heads = this.in_units(z.map((at) => between(ends, (at - cells[0]) / step)));
    const bottom = new Float64Array(z.length);
    return {
      map: table(
        feet,
        bottom,
        heads,
        bottom.map(() => 1),
      ),
      fake: table(heads),
      floor: [
        [left, 0],
        [right, 0],
      ],
      names: [
        [left, 0.1, "z"],
        [left, 0.9, "x = G(z)"],
      ],
    };
  }

  /** The ledger over time, with the level that each curve is compared with. */
  draw_histories() {
    const curve = (name) => this.session.curve(name);
    const value = curve("value");
    const two_js = curve("js").map(([step, js]) => [step, 2 * js]);
    const first = two_js[0][0];
    const last = Math.max(two_js[two_js.length - 1][0], first + 1);
    const level = (height) => [
      [first, height],
      [last, height],
    ];
    return {
      real_term: curve("real_term"),
      fake_term: curve("fake_term"),
      log_half: level(-LOG_2),
      value,
      two_js,
      regret: value.map(([step, v], i) => [step, v, two_js[i][1]]),
      zero: level(0),
      off_half: curve("off_half"),
      off_star: curve("off_star"),
      goal: level(CLOSE),
    };
  }

  // -- in words ----------------------------------------------------------------------------------

  /** Where G is, if it can be seen only in part. */
  said_beside({ beside, ends }) {
    const { x } = this.session.gauge;
    const out = [ends.filter((at) => at < x[0]), ends.filter((at) => at > x[x.length - 1])];
    const said = ["left", "right"].flatMap((side, i) => {
      if (!(beside[i] > SEEN)) return [];
      const middle = out[i].reduce((sum, at) => sum + at, 0) / out[i].length;
      const [near] = this.in_units([middle]);
      return [`${(100 * beside[i]).toFixed(0)} % on the ${side}, near ${general(near, 3)}`];
    });
    return said.length ? ` Outside the picture p_g has ${said.join(" and ")}.` : "";
  }

  text() {
    const { now } = this.session;
    const begin = `After ${this.gan.steps} steps on ${this.values.target} (${this.rates()})`;
    const said = `${begin}: ${entry(now)}.`;
    return (converged(now) ? `${said} Converged.` : said) + this.beside;
  }
}

/** To three places; a number that has run away, by its first three digits. */
const nats = (number) => (Math.abs(number) < 1e4 ? number.toFixed(3) : general(number, 3));

/** A ledger in a line, as Python prints it. */
function entry({ js, value, regret, off_half, off_star }) {
  return (
    `JS ${js.toFixed(3)}, V + log 4 ${nats(value)}, regret ${nats(regret)}, ` +
    `E|D − ½| ${off_half.toFixed(3)}, E|D − D*| ${off_star.toFixed(3)}`
  );
}
