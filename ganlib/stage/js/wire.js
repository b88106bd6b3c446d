// What the widget reads, made in the page: pictures as one buffer of float32, as wire.py packs
// them.

import { moved } from "./numbers.js";

const FAR = 1000; // times its length: an interval so far from 0 has an origin of its own

/** A table of n rows from columns of n numbers each: { rows, columns, v }, v row by row. */
export const table = (...parts) => {
  const rows = parts[0].length;
  const columns = parts.length;
  const v = new Float64Array(rows * columns);
  parts.forEach((part, k) => {
    for (let i = 0; i < rows; i++) v[i * columns + k] = part[i];
  });
  return { rows, columns, v };
};

/** What `draw` gave for one mark as a table: it may also be rows, or numbers of one column. */
const tableOf = (data) => {
  if (data.v) return data;
  if (typeof data[0] === "number") return table(data);
  return { rows: data.length, columns: data[0]?.length ?? 0, v: data.flat() };
};

/** What `draw` gave as tables by key of the mark; and the words of text marks by key. */
export const tables = (scene, frame) => {
  const data = {};
  const words = {};
  for (const mark of scene.marks) {
    let rows = frame[mark.key];
    if (rows === undefined) throw new Error(`draw() gives nothing for mark '${mark.key}'`);
    if (mark.kind === "text") {
      words[mark.key] = rows.map((row) => row[2]);
      rows = rows.map((row) => row.slice(0, 2));
    }
    data[mark.key] = tableOf(rows);
  }
  return { data, words };
};

/** [x0, x1, y0, y1] of all axes, by key; where `auto` says so they follow the data. */
export const limits = (scene, data) => {
  const found = {};
  for (const axes of scene.axes) {
    const ends = { x: axes.x, y: axes.y };
    for (const side of axes.auto) {
      const marks = scene.marks.filter((mark) => mark.axes === axes.key);
      const parts = marks.map((mark) => along(side, mark.kind, data[mark.key]));
      ends[side] = span(axes, side, parts.flat()) ?? ends[side];
    }
    found[axes.key] = [...ends.x, ...ends.y];
  }
  return found;
};

/** From the least to the greatest of the values that can be drawn; null if there is none. */
const span = (axes, side, values) => {
  const log = axes.log.includes(side);
  let low = Infinity;
  let high = -Infinity;
  for (const v of values) {
    if (!Number.isFinite(v) || (log && v <= 0)) continue;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  if (low > high) return null;

  if (side === "y" && !log) {
    const margin = 0.05 * (high - low);
    low -= margin;
    high += margin;
  }
  return low === high ? [low - 0.5, low + 0.5] : [low, high];
};

/** The numbers of a mark that lie along x or y. */
const along = (side, kind, { rows, columns, v }) => {
  const i = "xy".indexOf(side);
  if (kind === "text" || kind === "heat" || (kind === "rug" && side === "y")) return [];

  const found = [];
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    if (kind === "bars") {
      found.push(v[at + i], v[at + i] + v[at + i + 2]);
    } else if (kind === "area" && side === "x") {
      found.push(v[at]);
    } else {
      const first = kind === "area" ? 1 : i;
      const stride = kind === "area" ? 1 : 2;
      for (let k = first; k < columns; k += stride) found.push(v[at + k]);
    }
  }
  return found;
};

/** What is taken off all numbers along a side: 0, or a float32 where they lie far from it. */
const off = (log, low, high) => {
  const far = Math.abs(low) > FAR * (high - low) && !log;
  return far ? Math.fround(low) : 0;
};

/**
 * A picture: its number, origins and limits, the shape of each mark, then all numbers, row by
 * row.
 */
export const pack = (scene, number, data) => {
  const ends = limits(scene, data);
  const head = [number];
  const back = {}; // to the origin of the axes
  for (const { key, log } of scene.axes) {
    const [x0, x1, y0, y1] = ends[key];
    const x = off(log.includes("x"), x0, x1);
    const y = off(log.includes("y"), y0, y1);
    back[key] = [-x, -y];
    head.push(x, y, x0 - x, x1 - x, y0 - y, y1 - y);
  }
  for (const { key } of scene.marks) head.push(data[key].rows, data[key].columns);

  const parts = scene.marks.map(({ key, kind, axes }) => moved(kind, back[axes], data[key].v));
  const size = parts.reduce((sum, v) => sum + v.length, head.length);
  const packed = new Float32Array(size);
  packed.set(head);
  let at = head.length;
  for (const v of parts) {
    packed.set(v, at);
    at += v.length;
  }
  return packed;
};
