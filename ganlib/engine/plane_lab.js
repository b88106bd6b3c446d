/** `PlaneLab` of ganlib/labs/plane.py: a GAN in two dimensions, and the modes that it covers. */

import { PlaneGauge } from "./gauges.js";
import { LOSSES } from "./losses.js";
import { from_columns, to_columns } from "./networks.js";
import { Generator, rand, randn } from "./random.js";
import { saved } from "./run.js";
import { SessionLab } from "./session_lab.js";
import { sigmoid } from "./special.js";
import { Mixture } from "./targets.js";

const ENOUGH = 10; // points that are drawn, to learn from
const WIDTH = 0.1; // sd of the normal at each of them
const PIXELS = 48; // of D, along each side
const BENT = { lines: 13, points: 40 }; // of z each way, and on each line
const SHOWN = 256; // examples
const ARROWS = 64;
const SEEN = 0.01; // of G's samples outside the picture: where there are more, it is said

export class PlaneLab extends SessionLab {
  constructor(told, ops) {
    super(told, ops, PlaneGauge);
  }

  get by_hand() {
    return this.told.by_hand; // the name of the target that the learner draws
  }

  /** The points that were clicked, (points · 2). */
  get clicked() {
    return (this.points ??= []);
  }

  law_named(name) {
    if (name !== this.told.by_hand) return super.law_named(name);
    const means = this.clicked.length ? this.clicked.flat() : [0, 0];
    return new Mixture({ means, stds: [WIDTH], dim: 2 });
  }

  // -- points you draw ---------------------------------------------------------------------------

  allow(who) {
    const needs_data = who !== "G only" && !this.values.oracle;
    const few = this.values.target === this.by_hand && this.clicked.length < ENOUGH;
    if (needs_data && few) {
      throw new RangeError(
        `draw at least ${ENOUGH} points first: click into the picture; ` +
          `so far ${this.clicked.length}`,
      );
    }
  }

  /** A point was clicked: the data are what is drawn from now on. */
  pointed(axes, x, y) {
    if (axes !== "plane") return;
    this.points = [...this.clicked, [x, y]];
    this.note = "";
    this.tell({ target: this.by_hand, preset: "your own" });
    this.set_law(this.by_hand);
  }

  pressed(key, text) {
    if (key === "ten") this.draw_ten();
    else if (key === "clear") this.clear();
    else super.pressed(key, text);
  }

  /** Forget all points that were drawn. */
  clear() {
    this.points = [];
    if (this.values.target === this.by_hand) this.set_law(this.by_hand);
  }

  /** Without a mouse: a heap at a random place. */
  draw_ten() {
    const generator = new Generator(this.clicked.length);
    const [across, up] = rand(generator, 2).map((share) => 3 * share - 1.5);
    const heap = randn(generator, 20);
    for (let i = 0; i < 10; i++) {
      this.pointed("plane", across + 0.2 * heap[2 * i], up + 0.2 * heap[2 * i + 1]);
    }
  }

  run_data() {
    return { ...super.run_data(), clicked: this.clicked };
  }

  adopt(run) {
    this.points = saved.points(run?.clicked ?? []);
    super.adopt(run);
  }

  snapshot() {
    return { ...super.snapshot(), clicked: this.clicked };
  }

  put_back(snapshot) {
    this.points = snapshot.clicked;
    super.put_back(snapshot);
  }

  // -- the picture -------------------------------------------------------------------------------

  /** Fit the axes to the law, which may be another one than before. */
  show_law() {
    const { modes } = this.law;
    const reach = this.values.target === this.by_hand ? 2.5 : this.session.gauge.view.reach;
    this.reach = reach;
    const square = { x: [-reach, reach], y: [-reach, reach] };
    this.relabel("plane", square);
    this.relabel("latent", square);
    this.relabel("modes", { title: `modes covered, of ${modes}`, y: [0, 1.05 * modes] });

    this.pixels = new Float64Array(2 * PIXELS * PIXELS); // row by row from the bottom
    const middle = (i) => reach * ((2 * i + 1) / PIXELS - 1);
    for (let i = 0; i < PIXELS * PIXELS; i++) {
      this.pixels[2 * i] = middle(i % PIXELS);
      this.pixels[2 * i + 1] = middle(Math.floor(i / PIXELS));
    }
  }

  draw() {
    const D = this.values.oracle ? this.session.best_D() : this.gan.D;
    const fake = this.gan.G.evaluate(this.session.gauge.view.z.subarray(0, 2 * SHOWN));
    const belief = D.evaluate(this.pixels).map(sigmoid);
    this.beside = this.said_beside(fake);
    return {
      D: { rows: PIXELS, columns: PIXELS, v: belief },
      real: points(this.session.real, SHOWN),
      drawn: this.values.target === this.by_hand ? this.clicked : [],
      fake: points(fake, SHOWN),
      pull: this.pull(D, fake.subarray(0, 2 * ARROWS)),
      grid: this.bent(),
      modes: this.session.curve("modes"),
      good: this.session.curve("good"),
      js: this.session.curve("js"),
      ...this.draw_slow(),
    };
  }

  /** An arrow from each fake to where G's cost falls, (n, 4); a long pull is half a unit. */
  pull(D, fake) {
    const n = fake.length / 2;
    const slopes = slopes_at(D, fake, LOSSES[this.gan.loss].G);
    const v = new Float64Array(4 * n);
    for (let i = 0; i < n; i++) {
      const along = slopes[2 * i];
      const up = slopes[2 * i + 1];
      const shrunk = 0.5 / (1 + Math.hypot(along, up));
      const [x, y] = [fake[2 * i], fake[2 * i + 1]];
      v.set([x, y, x - shrunk * along, y - shrunk * up], 4 * i);
    }
    return { rows: n, columns: 4, v };
  }

  /** A grid of lines of z as G bends it, one line after the other, each ended by nan. */
  bent() {
    const { lines, points } = BENT;
    const z = new Float64Array(4 * lines * points);
    const place = (i, n) => (4 * i) / (n - 1) - 2;
    for (let i = 0; i < lines * points; i++) {
      const across = place(Math.floor(i / points), lines);
      const along = place(i % points, points);
      z.set([across, along], 2 * i);
      z.set([along, across], 2 * (lines * points + i));
    }
    const bent = this.gan.G.evaluate(z);
    const v = new Float64Array(4 * lines * (points + 1)).fill(NaN);
    for (let line = 0; line < 2 * lines; line++) {
      const from = 2 * line * points;
      v.set(bent.subarray(from, from + 2 * points), 2 * line * (points + 1));
    }
    return { rows: 2 * lines * (points + 1), columns: 2, v };
  }

  // -- in words ----------------------------------------------------------------------------------

  text() {
    const { modes, good, js } = this.session.ledger;
    const said =
      `${modes} of ${this.law.modes} modes, ${(100 * good).toFixed(0)} % good samples, ` +
      `JS ${js.toFixed(3)}`;
    const begin = `After ${this.gan.steps} steps on ${this.values.target} (${this.rates()})`;
    return `${begin}: ${said}.${this.beside}`;
  }

  /** Where G is, if it can be seen only in part. */
  said_beside(fake) {
    const shown = Math.min(SHOWN, fake.length / 2);
    const sum = [0, 0];
    let out = 0;
    for (let i = 0; i < shown; i++) {
      const [x, y] = [fake[2 * i], fake[2 * i + 1]];
      if (Math.abs(x) <= this.reach && Math.abs(y) <= this.reach) continue;
      out += 1;
      sum[0] += x;
      sum[1] += y;
    }
    if (out / shown <= SEEN) return "";
    const [x, y] = sum.map((total) => (total / out).toFixed(2));
    const share = ((100 * out) / shown).toFixed(0);
    return ` Outside the picture are ${share} % of G's samples, around (${x}, ${y}).`;
  }
}

/** The first examples of x (n · 2), as a table. */
function points(x, most) {
  const rows = Math.min(most, x.length / 2);
  return { rows, columns: 2, v: x.subarray(0, 2 * rows) };
}

/** The slope of G's cost at each example of x (n · 2), as a judge sees it; n a multiple of 8. */
function slopes_at(judge, x, cost) {
  const n = x.length / 2;
  const columns = new Float64Array(2 * n);
  to_columns(columns, x, 2, 0, n, n);
  judge.take(columns, n);
  judge.forward();
  for (let j = 0; j < n; j++) judge.at_y[j] = cost(judge.y[j])[1];
  judge.backward({ learn: false, input: true });

  const slopes = new Float64Array(2 * n);
  from_columns(slopes, judge.dx, 2, 0, n, n);
  return slopes;
}
