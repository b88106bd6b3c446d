// Where each pair of axes lies on the canvas, and how data become pixels and pixels data.

export const BASE = 900; // the width at which sizes in a scene are pixels

/** The place of `axes` on a canvas of W × H pixels whose type is k times its usual size. */
export const place = (axes, limits, W, H, k) => {
  const [left, top, width, height] = axes.box;
  const [padLeft, padRight, padTop, padBottom] = axes.padding;
  const x0 = left * W + padLeft * k;
  const x1 = (left + width) * W - padRight * k;
  const y0 = (top + height) * H - padBottom * k;
  const y1 = top * H + padTop * k;
  const alongX = scale(axes.log.includes("x"), limits[0], limits[1], x0, x1);
  const alongY = scale(axes.log.includes("y"), limits[2], limits[3], y0, y1);
  return {
    axes,
    limits,
    x0,
    x1,
    y0,
    y1,
    x: alongX.to,
    y: alongY.to,
    toX: alongX.from,
    toY: alongY.from,
    holds: (px, py) => px >= x0 - 6 && px <= x1 + 6 && py >= y1 - 6 && py <= y0 + 6,
  };
};

/** The map from data in low..high to pixels in start..end, and back. */
const scale = (log, low, high, start, end) => {
  const bend = log ? Math.log : (v) => v;
  const unbend = log ? Math.exp : (v) => v;
  const first = bend(low);
  const last = bend(high);
  return {
    to: (v) => start + ((bend(v) - first) / (last - first)) * (end - start),
    from: (pixel) => unbend(first + ((pixel - start) / (end - start)) * (last - first)),
  };
};

/**
 * The boxes for a phone, where two columns of axes stand one below the other; null where that is
 * not possible (one column) or not good (pictures would be stretched).
 */
export const stack = ({ axes, marks, height }) => {
  const apart = (x) => axes.every(({ box }) => box[0] >= x || box[0] + box[2] < x + 1e-6);
  const cut = axes.map(({ box }) => box[0]).find((x) => x > 0 && apart(x));
  if (!cut || marks.some((mark) => mark.kind === "heat")) return null;

  const first = ([x, y, w, h]) => [x / cut, y / 2, w / cut, h / 2];
  const second = ([x, y, w, h]) => [(x - cut) / (1 - cut), 0.5 + y / 2, w / (1 - cut), h / 2];
  return {
    boxes: axes.map(({ box }) => (box[0] < cut ? first(box) : second(box))),
    full: [BASE * Math.max(cut, 1 - cut), 2 * height],
  };
};
