/**
 * How far a one-dimensional GAN is: ganlib/densities.py and `GAN.ledger`, in double precision.
 *
 * p_g is never a histogram of samples. The prior's support is cut into equal z cells, G is taken
 * as a straight line within each, and the cell's mass is laid evenly over the interval that G
 * maps it to. The ledger is summed over cells of x so fine that p_g is constant on each of them:
 * they are cut at the points of the grid, between which p_data is a straight line, and where a
 * piece of G begins or ends.
 */

import { Diverged } from "./gan.js";
import { log_sigmoid, ndtr, sigmoid, xlogy } from "./special.js";

export const CELLS = 1024; // of z
const REACH = 5.5; // standard deviations of a normal prior that are cut into cells
const FLAT = 1e-6; // of a grid cell: a piece of G that is no wider lies at one point
export const FINE = 32; // parts of a grid cell, at whose ends it is known how much lies below

/** The midpoints of `points` equal cells of [low, high], (points). */
export function line(low, high, points = 400) {
  return Float64Array.from({ length: points }, (_, i) => low + ((high - low) * (i + 0.5)) / points);
}

function spacing(x) {
  return (x[x.length - 1] - x[0]) / (x.length - 1);
}

/** z cells even over the prior's support: their ends (cells + 1), and the prior's mass in each. */
export function z_cells(prior, cells = CELLS) {
  const beyond = ndtr(-REACH);
  const low = prior.quantile(beyond);
  const high = prior.quantile(1 - beyond);
  const ends = Float64Array.from({ length: cells + 1 }, (_, i) => low + ((high - low) * i) / cells);

  const below = ends.map((z) => prior.cdf(z));
  below[0] = 0;
  below[cells] = 1;
  const mass = below.subarray(1).map((above, i) => above - below[i]);
  return { z: ends, mass };
}

/**
 * Where G sends the prior: `masses` (points + 2) left of the grid x, in its cells, right of it,
 * which sum to 1; `ends`, G at the ends of the z cells; and `mass` of each z cell. The second
 * argument is `z_cells` of the prior, which stay the same while G learns.
 */
export function push_masses(G, { z, mass }, x) {
  const cells = mass.length;
  const ends = G.evaluate(z);
  if (!ends.every(Number.isFinite)) {
    throw new Diverged("G must give finite numbers: it has diverged");
  }

  const step = spacing(x);
  const count = x.length + 2;
  const masses = new Float64Array(count);
  const inside = new Float64Array(count + 1); // mass a cell, as steps up and down
  for (let i = 0; i < cells; i++) {
    // In grid cells: number k reaches from k to k + 1, and 0 is all that is left of the grid.
    const a = (ends[i] - x[0]) / step + 1.5;
    const b = (ends[i + 1] - x[0]) / step + 1.5;
    spread(masses, inside, Math.min(a, b), Math.max(a, b), mass[i]);
  }

  let level = 0;
  for (let k = 0; k < count; k++) {
    level += inside[k];
    masses[k] += Math.max(level, 0);
  }
  return { masses, ends, mass };
}

/**
 * Lay `mass` evenly over [low, high]: the two cells at its ends, and the level of those between.
 */
function spread(masses, inside, low, high, mass) {
  const most = masses.length - 1;
  const first = Math.min(Math.max(Math.floor(low), 0), most);
  const last = Math.min(Math.max(Math.floor(high), 0), most);
  if (first === last) {
    masses[first] += mass;
    return;
  }
  const rate = mass / (high - low);
  masses[first] += (first + 1 - low) * rate;
  masses[last] += (high - last) * rate;
  inside[first + 1] += rate;
  inside[last] -= rate;
}

/** p_g on the grid x: the mean density over each of its cells. */
export function density(pushed, x) {
  const step = spacing(x);
  return pushed.masses.subarray(1, x.length + 1).map((mass) => mass / step);
}

/**
 * How much of a law lies left of each place on the grid x: (FINE · points + 1), from 0 to 1. The
 * places cut each grid cell into `FINE` parts; what lies outside the grid is left out.
 */
export function below(law, x) {
  const step = spacing(x);
  const first = x[0] - step / 2;
  const cdf = Float64Array.from({ length: FINE * x.length + 1 }, (_, i) => {
    return law.cdf(first + (step * i) / FINE);
  });
  const [least, most] = [cdf[0], cdf[cdf.length - 1]];
  return cdf.map((at) => (at - least) / (most - least));
}

/** The mean density in each cell of the grid x, from `below`. */
export function density_from(below, x) {
  const step = spacing(x);
  return x.map((_, i) => (below[FINE * (i + 1)] - below[FINE * i]) / step);
}

/**
 * Where the density of p_g changes within the grid, in order, and by how much: `at` and `change`,
 * with the points of the grid among them, where it does not. `atoms` are [place, mass] of G's
 * flat pieces.
 *
 * A piece of G from one end to the next has the density mass / |difference|. It comes in at the
 * lower end and goes out at the upper one, so at each end the change is a difference of mass /
 * difference.
 */
export function turns(x, { ends, mass }) {
  const step = spacing(x);
  const left = x[0] - step / 2;
  const right = x[x.length - 1] + step / 2;
  const at = new Float64Array(ends.length + x.length + 2);
  const change = new Float64Array(at.length);
  const atoms = [];

  let before = 0;
  for (let i = 0; i < ends.length; i++) {
    let density = 0;
    if (i < mass.length) {
      const difference = ends[i + 1] - ends[i];
      if (Math.abs(difference) > FLAT * step) density = mass[i] / difference;
      else if (ends[i] > left && ends[i] < right) atoms.push([ends[i], mass[i]]);
    }
    at[i] = Math.min(Math.max(ends[i], left), right);
    change[i] = density - before;
    before = density;
  }
  at.set([left, ...x, right], ends.length);

  const order = new Uint32Array(at.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  order.sort((i, j) => at[i] - at[j]);
  return { at: pick(at, order), change: pick(change, order), atoms };
}

function pick(values, order) {
  const picked = new Float64Array(order.length);
  for (let i = 0; i < order.length; i++) picked[i] = values[order[i]];
  return picked;
}

/** A function given on the grid x, at a place between its points: on a straight line. */
export function between(values, place) {
  const at = Math.min(Math.max(place, 0), values.length - 1);
  const k = Math.min(Math.floor(at), values.length - 2);
  return values[k] + (at - k) * (values[k + 1] - values[k]);
}

/**
 * The exact ledger: JS(p_data, p_g) in nats, value = V(D, G) + log 4, regret = 2 JS − value,
 * E_m|D − ½|, E_m|D − D*|, and the two terms of V; m = (p_data + p_g)/2. D is anything with
 * `evaluate`.
 *
 * p_data and logits of D are given on the grid x, between whose points they are straight lines.
 * What G throws beside the grid counts as one cell on each side: there p_data is 0. oracle: D* of
 * every cell in place of D. law_below: from `below`; with it the masses of p_data are right also
 * where it is narrower than a cell.
 */
export function ledger(D, p_data, x, pushed, logits, oracle = false, law_below = null) {
  const step = spacing(x);
  const add = oracle ? add_with_best : add_with;
  const mass = p_data.reduce((sum, p) => sum + p, 0) * step;
  const sums = { js: 0, off_half: 0, off_star: 0, real_term: 0, fake_term: 0 };
  const share_at = (place) => between(law_below, ((place - x[0]) / step + 0.5) * FINE);

  const { at, change, atoms } = turns(x, pushed);
  let density = 0;
  for (let i = 0; i + 1 < at.length; i++) {
    density += change[i];
    const width = at[i + 1] - at[i];
    if (width === 0) continue;

    const place = ((at[i] + at[i + 1]) / 2 - x[0]) / step;
    const p =
      law_below === null
        ? (between(p_data, place) * width) / mass
        : share_at(at[i + 1]) - share_at(at[i]);
    add(sums, p, Math.max(density, 0) * width, between(logits, place));
  }

  for (const [place, q] of atoms) add(sums, 0, q, between(logits, (place - x[0]) / step));
  const beside = logits_beside(D, x, pushed.ends);
  add(sums, 0, pushed.masses[0], beside[0]);
  add(sums, 0, pushed.masses[x.length + 1], beside[1]);

  const value = sums.real_term + sums.fake_term + Math.log(4);
  return { ...sums, value, regret: 2 * sums.js - value };
}

/** What a cell with masses p and q, where D has this logit, adds to the ledger. */
function add_with(sums, p, q, logit) {
  const D = sigmoid(logit);
  sums.js += (xlogy(p, 2 * p) + xlogy(q, 2 * q) - xlogy(p + q, p + q)) / 2;
  sums.off_half += ((p + q) / 2) * Math.abs(D - 0.5);
  sums.off_star += Math.abs(p - (p + q) * D) / 2; // m |D − D*|
  sums.real_term += p * log_sigmoid(logit);
  sums.fake_term += q * log_sigmoid(-logit);
}

/** The same with the D that is best in this cell. */
function add_with_best(sums, p, q) {
  add_with(sums, p, q, Math.log(Math.max(p, 1e-300)) - Math.log(Math.max(q, 1e-300)));
}

/**
 * D where G throws on the left and on the right of the grid, on average; at the grid's ends if
 * nowhere.
 */
function logits_beside(D, x, ends) {
  const left = ends.filter((at) => at < x[0]);
  const right = ends.filter((at) => at > x[x.length - 1]);
  const mean = (places, edge) =>
    places.length === 0 ? edge : places.reduce((sum, at) => sum + at, 0) / places.length;
  return D.evaluate([mean(left, x[0]), mean(right, x[x.length - 1])]);
}

/** JS ≤ `js` nats and both gauges of D ≤ 0.05. D = ½ alone proves nothing. */
export function converged(entry, js = 0.02) {
  return entry.js <= js && entry.off_star <= 0.05 && entry.off_half <= 0.05;
}

/**
 * D*(x) = p_data / (p_data + p_g); nan where both vanish. Goodfellow et al. 2014, proposition 1.
 */
export function optimal_discriminator(p_data, p_g) {
  return p_data.map((p, i) => p / (p + p_g[i]));
}

/**
 * D* as a judge in place of D: its logit on the grid, straight between the points, with its
 * slope.
 */
export class BestD {
  constructor(x, p_data, pushed) {
    const p_g = density(pushed, x);
    this.dim = 1;
    this.low = x[0];
    this.step = spacing(x);
    this.logit = p_data.map((p, i) => {
      const odds = Math.log(Math.max(p, 1e-12)) - Math.log(Math.max(p_g[i], 1e-12));
      return Math.min(Math.max(odds, -15), 15);
    });
  }

  take(columns, n) {
    this.n = n;
    this.x = columns.slice(0, n);
    this.y = new Float64Array(n);
    this.at_y = new Float64Array(n);
    this.dx = new Float64Array(n);
  }

  forward() {
    for (let j = 0; j < this.n; j++) this.y[j] = this.at(this.x[j])[0];
  }

  backward() {
    for (let j = 0; j < this.n; j++) this.dx[j] = this.at_y[j] * this.at(this.x[j])[1];
  }

  evaluate(x) {
    return Float64Array.from(x, (at) => this.at(at)[0]);
  }

  /** The logit at x and its slope there, which is 0 beside the grid. */
  at(x) {
    const { logit } = this;
    const place = (x - this.low) / this.step;
    const most = logit.length - 1.001;
    const within = Math.min(Math.max(place, 0), most);
    const k = Math.floor(within);
    const rise = logit[k + 1] - logit[k];
    const slope = place >= 0 && place <= most ? rise / this.step : 0;
    return [logit[k] + (within - k) * rise, slope];
  }
}
