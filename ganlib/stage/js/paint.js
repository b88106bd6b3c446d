// Draws a frame: axes, marks, legends. poster.py does the same in matplotlib.

import { FONT } from "./dom.js";
import { DAY, NIGHT } from "./look.js";
import { ticks, written } from "./numbers.js";
import { place } from "./place.js";

let look = DAY; // of the picture that is being drawn
const ROUND = 7; // radians: more than a full turn

/** Canvas g, place p, size of type k: what all painters of axes take. */
const paintAxes = (g, p, k, onImage) => {
  const { axes, x0, x1, y1 } = p;
  g.textBaseline = "alphabetic";
  g.textAlign = "left";
  g.fillStyle = look.ink;
  g.font = `600 ${13 * k}px ${FONT}`;
  const below = axes.beside ? 0 : 17 * axes.lines.length;
  const most = x1 - x0 + 16 * k; // a longer title is squeezed, not cut
  if (axes.title) g.fillText(axes.title, x0, y1 - (8 + below) * k, most);
  p.afterTitle = x0 + Math.min(most, g.measureText(axes.title).width) + 16 * k;
  if (!axes.frame) return;

  g.strokeStyle = onImage ? DAY.faint : look.faint;
  g.lineWidth = 1;
  g.font = `${12 * k}px ${FONT}`;
  paintX(g, p, k);
  paintY(g, p, k);
  paintSpines(g, p);
};

const paintX = (g, p, k) => {
  const { axes, limits, x0, x1, y0 } = p;
  const most = Math.max(2, (x1 - x0) / (80 * k));
  g.textAlign = "center";
  g.textBaseline = "top";
  if (axes.ticks.includes("x")) {
    const log = axes.log.includes("x");
    const places = ticks(limits[0], limits[1], log, most);
    const words = written(places, log);
    places.forEach((tick, i) => {
      const x = p.x(tick);
      stroke(g, [x, y0], [x, y0 + 4 * k]);
      const most_right = x1 + 17 * k - g.measureText(words[i]).width / 2;
      g.fillText(words[i], Math.min(x, most_right), y0 + 6 * k);
    });
  }
  if (axes.xlabel) g.fillText(axes.xlabel, (x0 + x1) / 2, y0 + 22 * k);
};

const paintY = (g, p, k) => {
  const { axes, limits, x0, x1, y0, y1 } = p;
  const most = Math.max(2, (y0 - y1) / (45 * k));
  const room = (axes.ylabel ? 30 : 45) * k;
  g.textAlign = "right";
  g.textBaseline = "middle";
  if (axes.ticks.includes("y")) {
    const log = axes.log.includes("y");
    const places = ticks(limits[2], limits[3], log, most);
    const words = written(places, log);
    places.forEach((tick, i) => {
      stroke(g, [x0, p.y(tick)], [x1, p.y(tick)]);
      g.fillText(words[i], x0 - 5 * k, p.y(tick), room); // squeezed, not cut
    });
  }
  if (axes.ylabel) {
    g.save();
    g.translate(x0 - 42 * k, (y0 + y1) / 2);
    g.rotate(-Math.PI / 2);
    g.textAlign = "center";
    g.fillText(axes.ylabel, 0, 0);
    g.restore();
  }
};

const paintSpines = (g, { x0, x1, y0, y1 }) => {
  g.strokeStyle = look.spine;
  stroke(g, [x0, y1], [x0, y0], [x1, y0]);
};

const stroke = (g, [x, y], ...others) => {
  g.beginPath();
  g.moveTo(x, y);
  for (const [toX, toY] of others) g.lineTo(toX, toY);
  g.stroke();
};

// One painter for each kind of mark m: d.v holds its numbers row by row.
const PAINT = {
  line(g, p, m, d) {
    let pen = false;
    g.beginPath();
    for (let i = 0; i < d.v.length; i += 2) {
      const x = p.x(d.v[i]);
      const y = p.y(d.v[i + 1]);
      const there = Number.isFinite(x + y);
      if (there && pen) g.lineTo(x, y);
      else if (there) g.moveTo(x, y);
      pen = there;
    }
    g.stroke();
  },

  area(g, p, m, d) {
    if (!d.rows) return;
    g.globalAlpha = m.alpha;
    g.beginPath();
    for (let i = 0; i < d.rows; i++) g.lineTo(p.x(d.v[3 * i]), p.y(d.v[3 * i + 2]));
    for (let i = d.rows - 1; i >= 0; i--) g.lineTo(p.x(d.v[3 * i]), p.y(d.v[3 * i + 1]));
    g.fill();
  },

  bars(g, p, m, d) {
    g.globalAlpha = m.alpha;
    for (let i = 0; i < d.v.length; i += 4) {
      const [left, bottom, width, height] = d.v.subarray(i, i + 4);
      const x = p.x(left);
      const y = p.y(bottom);
      g.fillRect(x, y, p.x(left + width) - x, p.y(bottom + height) - y);
    }
  },

  points(g, p, m, d, k) {
    const radius = (m.size * k) / 2;
    g.globalAlpha = m.alpha;
    g.beginPath();
    for (let i = 0; i < d.v.length; i += 2) {
      const x = p.x(d.v[i]);
      const y = p.y(d.v[i + 1]);
      g.moveTo(x + radius, y);
      g.arc(x, y, radius, 0, ROUND);
    }
    if (!m.hollow) {
      g.fill();
      return;
    }
    g.lineWidth = 1.5 * k;
    g.setLineDash([]);
    g.stroke();
  },

  handles(g, p, m, d, k) {
    g.lineWidth = 2 * k;
    g.strokeStyle = look.paper;
    g.setLineDash([]);
    for (let i = 0; i < d.v.length; i += 2) {
      g.beginPath();
      g.arc(p.x(d.v[i]), p.y(d.v[i + 1]), (m.size * k) / 2, 0, ROUND);
      g.fill();
      g.stroke();
    }
  },

  arrows(g, p, m, d, k) {
    g.beginPath();
    for (let i = 0; i < d.v.length; i += 4) {
      const x0 = p.x(d.v[i]);
      const y0 = p.y(d.v[i + 1]);
      const x1 = p.x(d.v[i + 2]);
      const y1 = p.y(d.v[i + 3]);
      const long = Math.hypot(x1 - x0, y1 - y0);
      if (!(long > 0.5)) continue;
      const head = Math.min(7 * k, 0.6 * long) / long;
      const ux = (x1 - x0) * head;
      const uy = (y1 - y0) * head;
      g.moveTo(x0, y0);
      g.lineTo(x1, y1);
      g.moveTo(x1 - ux - uy / 2, y1 - uy + ux / 2);
      g.lineTo(x1, y1);
      g.lineTo(x1 - ux + uy / 2, y1 - uy - ux / 2);
    }
    g.stroke();
  },

  rug(g, p, m, d, k) {
    const from = m.top ? p.y1 : p.y0;
    const to = from + (m.top ? 9 : -9) * k;
    g.globalAlpha = m.alpha;
    g.lineWidth = k;
    g.setLineDash([]);
    g.beginPath();
    for (const v of d.v) {
      g.moveTo(p.x(v), from);
      g.lineTo(p.x(v), to);
    }
    g.stroke();
  },

  heat(g, p, m, d) {
    if (!d.rows) return;
    m.scratch ||= document.createElement("canvas");
    m.scratch.width = d.columns;
    m.scratch.height = d.rows;
    m.scratch.getContext("2d").putImageData(shades(m.palette, d), 0, 0);
    g.imageSmoothingEnabled = m.smooth;
    g.drawImage(m.scratch, p.x0, p.y1, p.x1 - p.x0, p.y0 - p.y1);
  },

  text(g, p, m, d, k, words) {
    g.font = `${m.size * k}px ${FONT}`;
    g.textAlign = m.align;
    g.textBaseline = "middle";
    for (let i = 0; i < d.rows; i++) {
      g.fillText(words?.[i] ?? "", p.x(d.v[2 * i]), p.y(d.v[2 * i + 1]));
    }
  },
};

/** The numbers of a heat mark as an image, its first row at the bottom. */
const shades = (palette, d) => {
  const stops = palette.map((color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16)));
  const image = new ImageData(d.columns, d.rows);
  for (let row = 0; row < d.rows; row++) {
    for (let column = 0; column < d.columns; column++) {
      const here = d.v[row * d.columns + column];
      if (Number.isNaN(here)) continue; // nothing is known there: it stays empty
      const value = Math.min(1, Math.max(0, here)) * (stops.length - 1);
      const i = Math.min(stops.length - 2, Math.floor(value));
      const at = 4 * ((d.rows - 1 - row) * d.columns + column);
      for (let b = 0; b < 3; b++) {
        image.data[at + b] = stops[i][b] + (value - i) * (stops[i + 1][b] - stops[i][b]);
      }
      image.data[at + 3] = 255;
    }
  }
  return image;
};

/** The lines of the legend: beside the title, or between it and the axes. */
const paintLegend = (g, p, marks, k) => {
  const { axes, x0, x1, y1 } = p;
  const right = x1 + 14 * k;
  g.textAlign = "left";
  g.textBaseline = "middle";
  axes.lines.forEach((line, i) => {
    const named = marks.filter((mark) => line.includes(mark.key));
    const y = y1 - 10 * k - 17 * k * (axes.lines.length - 1 - i);
    paintLine(g, named, [axes.beside ? p.afterTitle : x0, right], y, k);
  });
};

/** Marks with their labels in a line from left to right; smaller where they need more room. */
const paintLine = (g, marks, [left, right], y, k) => {
  g.font = `${12 * k}px ${FONT}`;
  const wide = marks.map((mark) => 46 * k + g.measureText(mark.label).width);
  const all = wide.reduce((sum, width) => sum + width, -14 * k);
  const s = Math.min(1, (right - left) / all);
  g.font = `${12 * k * s}px ${FONT}`;
  let x = left;
  marks.forEach((mark, i) => {
    paintSample(g, mark, x, y, k * s);
    g.fillStyle = look.ink;
    g.fillText(mark.label, x + 32 * k * s, y);
    x += wide[i] * s;
  });
};

/** A small piece of a mark, to stand beside its label. */
const paintSample = (g, m, x, y, k) => {
  g.strokeStyle = look.color(m.color);
  g.fillStyle = look.color(m.color);
  if (["line", "arrows", "rug"].includes(m.kind)) {
    g.setLineDash(m.dash.map((v) => v * k));
    g.lineWidth = m.width * k;
    stroke(g, [x, y], [x + 26 * k, y]);
    g.setLineDash([]);
  } else if (["points", "handles"].includes(m.kind)) {
    g.beginPath();
    g.arc(x + 13 * k, y, (m.size * k) / 2, 0, ROUND);
    g.lineWidth = 1.5 * k;
    if (m.hollow) g.stroke();
    else g.fill();
  } else {
    g.globalAlpha = m.alpha ?? 1;
    g.fillRect(x + 3 * k, y - 5 * k, 20 * k, 10 * k);
    g.globalAlpha = 1;
  }
};

const paintMark = (g, p, m, d, k, words, onImage) => {
  const beyond = m.kind === "text" || m.kind === "handles"; // they may stand out of their axes
  g.save();
  if (!beyond) {
    g.beginPath();
    g.rect(p.x0 - 1, p.y1 - 1, p.x1 - p.x0 + 2, p.y0 - p.y1 + 2);
    g.clip();
  }
  const color = onImage ? m.color : look.color(m.color); // an image is as it is, also at night
  g.strokeStyle = color;
  g.fillStyle = color;
  g.lineWidth = m.width * k;
  g.lineJoin = "round";
  g.setLineDash(m.dash.map((v) => v * k));
  PAINT[m.kind](g, p, m, d, k, words);
  g.restore();
};

/** The axes in groups that can be painted one by one: within a group their boxes overlap. */
const groups = (scene) => {
  const meets = (a, b) => [0, 1].every((i) => a[i] + a[i + 2] > b[i] + 1e-6);
  const overlap = ({ box: a }, { box: b }) => meets(a, b) && meets(b, a);
  let found = [];
  for (const axes of scene.axes) {
    const touched = found.filter((group) => group.some((other) => overlap(axes, other)));
    found = [...found.filter((group) => !touched.includes(group)), [...touched.flat(), axes]];
  }
  return found;
};

/** From here on g draws nothing outside the boxes of these axes, whose edges are whole pixels. */
const keepWithin = (g, group, W, H, ratio) => {
  const whole = (v) => Math.round(v * ratio) / ratio;
  g.beginPath();
  for (const {
    box: [left, top, width, height],
  } of group) {
    const x = whole(left * W);
    const y = whole(top * H);
    g.rect(x, y, whole((left + width) * W) - x, whole((top + height) * H) - y);
  }
  g.clip();
};

/** The axes of a group with their marks and legends, on fresh paper. */
const paintGroup = (g, group, places, scene, { data }, words, k) => {
  const keys = group.map((axes) => axes.key);
  const marks = scene.marks.filter((m) => keys.includes(m.axes));
  const images = marks.filter((m) => m.kind === "heat" && data[m.key].rows).map((m) => m.axes);
  const layer = (some) => {
    for (const m of some) {
      paintMark(g, places[m.axes], m, data[m.key], k, words[m.key], images.includes(m.axes));
    }
  };
  layer(marks.filter((m) => m.kind === "heat")); // below the axes
  for (const axes of group) paintAxes(g, places[axes.key], k, images.includes(axes.key));
  layer(marks.filter((m) => m.kind !== "heat"));

  for (const axes of group) {
    const named = marks.filter((m) => axes.lines.flat().includes(m.key) && data[m.key].rows);
    if (named.length) paintLegend(g, places[axes.key], named, k);
  }
};

/**
 * Draw a frame of a scene on a canvas; words: those of text marks; how: { ratio, type, dark },
 * device pixels a pixel, how many times their usual size letters have, and whether the page is
 * dark; keys: of the axes that are painted anew, by default all. Returns the places of all axes,
 * by key.
 */
export const draw = (canvas, scene, frame, words, { ratio, type, dark }, keys = null) => {
  const g = canvas.getContext("2d", { alpha: false });
  const W = canvas.width / ratio;
  const H = canvas.height / ratio;
  look = dark ? NIGHT : DAY;
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.fillStyle = look.paper;
  if (!keys) g.fillRect(0, 0, W, H);

  const places = {};
  for (const axes of scene.axes) places[axes.key] = place(axes, frame.limits[axes.key], W, H, type);
  for (const group of groups(scene)) {
    if (keys && !group.some((axes) => keys.includes(axes.key))) continue;
    g.save();
    keepWithin(g, group, W, H, ratio);
    g.fillStyle = look.paper;
    g.fillRect(0, 0, W, H);
    paintGroup(g, group, places, scene, frame, words, type);
    g.restore();
  }
  return places;
};
