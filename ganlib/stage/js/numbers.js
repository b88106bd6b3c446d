// Numbers: how they are written, where ticks stand, what a slider's position means, what a
// frame holds.

/** A number in at most three digits, with a true minus. */
export const format = (v) => {
  if (!Number.isFinite(v)) return String(v);
  if (v === 0) return "0";
  const size = Math.abs(v);
  if (size < 1e-3 || size >= 1e5) {
    return v.toExponential(1).replace(".0e", "e").replace("e+", "e").replace("-", "−");
  }
  return String(+v.toPrecision(3)).replace("-", "−");
};

/** A number in at most so many digits, as format "g" of Python writes it. */
export const general = (v, most = 6) => {
  const digits = Number(v.toPrecision(most));
  const size = Math.abs(digits);
  if (size === 0 || (size >= 1e-4 && size < 10 ** most)) return String(digits);
  const [front, power] = digits.toExponential().split("e");
  return `${front}e${power[0]}${power.slice(1).padStart(2, "0")}`;
};

const FEWEST = 3; // ticks: one alone tells no scale

/** Powers of ten from low to high; where they are too few, with their halves and fifths. */
const decades = (low, high, most) => {
  const from = Math.ceil(Math.log10(low) - 1e-9);
  const to = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((to - from) / most));
  const found = [];
  for (let exponent = from; exponent <= to; exponent += stride) found.push(10 ** exponent);
  if (found.length >= FEWEST - 1) return found;

  const finer = [];
  for (let exponent = from - 1; exponent <= to; exponent++) {
    finer.push(...[1, 2, 5].map((m) => m * 10 ** exponent));
  }
  return finer.filter((v) => v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9));
};

/** Multiples of a step from low to high. */
const multiples = (low, high, step) => {
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
    found.push(i * step);
  }
  return found;
};

/** The places of at most about `most` round numbers from low to high, and of at least three. */
export const ticks = (low, high, log, most) => {
  if (log) return decades(low, high, most);
  const power = 10 ** Math.floor(Math.log10((high - low) / most));
  const steps = [10, 5, 2, 1, 0.5, 0.2, 0.1].map((m) => m * power);
  const wide = steps.filter((step) => step * most >= high - low).at(-1) ?? steps[0];
  const finer = steps.filter((step) => step <= wide);
  return (
    finer.map((step) => multiples(low, high, step)).find((found) => found.length >= FEWEST) ??
    multiples(low, high, wide)
  );
};

const short = (exponential) => exponential.replace("e+", "e").replaceAll("-", "−");

/** Ticks as they are written: each to as many digits as tell it from the next one. */
export const written = (places, log) => {
  if (log || places.length < 2) return places.map(format);
  const step = Math.abs(places[1] - places[0]);
  const power = Math.floor(Math.log10(step) + 1e-9); // of the last digit that differs
  const size = Math.max(...places.map(Math.abs));
  const long = power >= 3 && size >= 1e5;

  return places.map((v) => {
    const rounded = Number(v.toFixed(Math.min(Math.max(0, -power), 100)));
    if (rounded === 0) return "0";
    if (!long && size >= 1e-3) return short(String(rounded));
    const digits = Math.floor(Math.log10(Math.abs(rounded)) + 1e-9) - power;
    return short(rounded.toExponential(Math.min(Math.max(0, digits), 100)));
  });
};

// A range input has 1000 positions, which `log` spaces by equal factors, or one for each of
// `stops`.
const POSITIONS = 1000;

/** The position of a slider at value v. */
export const toPosition = (c, v) => {
  if (c.stops) return c.stops.indexOf(v);
  if (c.log) return (POSITIONS * Math.log(v / c.low)) / Math.log(c.high / c.low);
  return (POSITIONS * (v - c.low)) / (c.high - c.low);
};

/** The value of a slider at a position: round, and never beyond its ends. */
export const fromPosition = (c, position) => {
  if (c.stops) return c.stops[position];
  const within = (v) => Math.min(Math.max(v, c.low), c.high); // rounding may lead out at an end
  if (c.log) return within(+(c.low * (c.high / c.low) ** (position / POSITIONS)).toPrecision(3));
  const v = c.low + ((c.high - c.low) * position) / POSITIONS;
  const rounded = c.low + Math.round((v - c.low) / c.step) * c.step;
  return within(+rounded.toPrecision(10));
};

/** How many positions a slider has, and the step between them. */
export const positions = (c) => {
  if (c.stops) return { max: c.stops.length - 1, step: 1 };
  if (c.log) return { max: POSITIONS, step: 1 };
  return { max: POSITIONS, step: Math.max(1e-3, (POSITIONS * c.step) / (c.high - c.low)) };
};

// Along which side the columns of a mark lie, by its kind; "0": a length, which has no origin.
export const SIDES = {
  line: "xy",
  points: "xy",
  handles: "xy",
  text: "xy",
  arrows: "xyxy",
  bars: "xy00",
  area: "xyy",
  rug: "x",
  heat: "",
};

/** The numbers of a mark, moved by x and y, in double precision. */
export const moved = (kind, [x, y], v) => {
  const sides = SIDES[kind];
  if (!(x || y) || !sides) return v;
  const by = Array.from(sides, (side) => ({ x, y, 0: 0 })[side]);
  return Float64Array.from(v, (at, i) => at + by[i % by.length]);
};

/**
 * A frame, as wire.py packs it: its number, an origin and four limits for each axes, (rows,
 * columns) for each mark, then the numbers of all marks, row by row.
 */
export const decode = (scene, bytes) => {
  const start = bytes.byteOffset;
  const all = new Float32Array(bytes.buffer.slice(start, start + bytes.byteLength));
  const origins = {};
  const limits = {};
  scene.axes.forEach((axes, i) => {
    const [x, y, x0, x1, y0, y1] = all.subarray(1 + 6 * i, 7 + 6 * i);
    origins[axes.key] = [x, y];
    limits[axes.key] = [x0 + x, x1 + x, y0 + y, y1 + y];
  });

  const shapes = 1 + 6 * scene.axes.length;
  let at = shapes + 2 * scene.marks.length;
  const data = {};
  scene.marks.forEach((mark, i) => {
    const rows = all[shapes + 2 * i];
    const columns = all[shapes + 2 * i + 1];
    const told = all.subarray(at, at + rows * columns);
    data[mark.key] = { rows, columns, v: moved(mark.kind, origins[mark.axes], told) };
    at += rows * columns;
  });
  return { number: all[0], limits, data };
};
