/** `Players` of ganlib/labs/games.py: click to start a path; x goes down V, y goes up. */

import { Lab } from "../stage/js/lab.js";
import { general } from "../stage/js/numbers.js";
import { finite } from "./checks.js";
import { GAMES, RULES, factor, field, smallest_gan } from "./games.js";

const SIDE = 13; // arrows along each side
const SQUARE = 1.8; // how far the arrows reach from the rest point
const HALF = 0.13; // length of half an arrow
const EDGE = 2; // how far the picture reaches from the rest point
const FAR = 1e4; // a path that is so far from the rest point is off to infinity
const LONG = 2000; // the points of a path, at most
const KEPT = 10; // paths

export class Players extends Lab {
  /** told: with the nodes and weights of `smallest_gan`, and the word for `all` rules. */
  constructor(told) {
    super(told.scene);
    this.told = told;
    this.due = 0; // when the next step is, while it plays
    this.changed("game");
  }

  reset() {
    this.paths = [];
    this.steps = 0;
    this.pressed();
  }

  changed(key) {
    if (key !== "game" && key !== "spread") return;
    this.game = GAMES[this.values.game] ?? smallest_gan(this.told, this.values.spread);
    this.reset();
  }

  pressed() {
    this.pointed("plane", this.values.x, this.values.y);
  }

  /** Start a path here by each rule that is chosen; the last ten paths are kept. */
  pointed(where, x, y) {
    if (where !== "plane") return;
    const start = [finite("x", x), finite("y", y)];
    const { rule } = this.values;
    const rules = rule === this.told.all ? Object.keys(RULES) : [rule];
    const started = rules.map((by) => ({ by, path: [start] }));
    this.paths = [...this.paths, ...started].slice(-KEPT);
  }

  advance() {
    const now = performance.now();
    if (this.playing && now < this.due) return false;
    this.due = Math.max(this.due, now - 100) + 1000 / this.values.speed;

    for (const { by, path } of this.paths) {
      const here = path[path.length - 1];
      const before = path[path.length - 2] ?? here; // a path of one point stood there before, too
      if (Math.hypot(...here) < FAR && path.length < LONG) {
        path.push(RULES[by].step(this.game, here, before, this.values.lr));
      }
    }
    return true;
  }

  draw() {
    const frame = {
      field: this.arrows(),
      rest: [[0, 0]],
      now: this.paths.map(({ path }) => path[path.length - 1]),
    };
    for (const rule of Object.keys(RULES)) {
      // The pen is lifted at the end of each path.
      const paths = this.paths.filter(({ by }) => by === rule).map(({ path }) => path);
      frame[rule] = paths.flatMap((path) => [...path, [NaN, NaN]]);
      frame[`far, ${rule}`] = paths.flatMap((path) => [
        ...path.map((place, step) => [step, Math.hypot(...place)]),
        [path.length, NaN],
      ]);
    }
    return frame;
  }

  arrows() {
    const place = (i) => SQUARE * ((2 * i) / (SIDE - 1) - 1);
    return Array.from({ length: SIDE * SIDE }, (_, i) => {
      const [x, y] = [place(Math.floor(i / SIDE)), place(i % SIDE)];
      const [across, up] = field(this.game, [x, y]);
      const shrunk = HALF / Math.max(Math.hypot(across, up), 1e-12);
      return [x - shrunk * across, y - shrunk * up, x + shrunk * across, y + shrunk * up];
    });
  }

  text() {
    const { by, path } = this.paths[this.paths.length - 1];
    const { lr } = this.values;
    const now = path[path.length - 1];
    const far = Math.hypot(...now);
    let gone = "";
    if (far >= FAR) gone = ", off to infinity";
    else if (Math.max(...now.map(Math.abs)) > EDGE) gone = ", outside the picture";
    return (
      `${by}, η = ${general(lr, 3)}: near the rest point a step should multiply the distance by ` +
      `${factor(this.game, by, lr).toFixed(4)}. The last path is ${general(far, 3)} away after ` +
      `its ${path.length - 1} steps${gone}.`
    );
  }
}
