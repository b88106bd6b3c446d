// Draws every lab. A scene (axes, marks, controls) comes once; each frame is one float32 buffer:
// its number, four limits for each axes, (rows, columns) for each mark, then the marks' numbers in order.
// `render` needs only get, set, on, off, save_changes and send of its model, so a recording can play too.

const BASE = 900;                       // the width at which sizes in a scene are pixels
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const INK = "#1a1a1a", FAINT = "#d9d9d9";

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
};

// Inside JupyterLab a control in an output loses its keys to Lab's shortcuts unless it says so itself.
const KEYS = { "data-lm-suppress-shortcuts": "true" };

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;  // then a playing lab changes its picture once a second

// ---- numbers ------------------------------------------------------------------------------------------

export const format = v => {
  if (!Number.isFinite(v)) return String(v);
  if (v === 0) return "0";
  const a = Math.abs(v);
  if (a < 1e-3 || a >= 1e5) return v.toExponential(1).replace(".0e", "e").replace("e+", "e").replace("-", "−");
  return String(+v.toPrecision(3)).replace("-", "−");
};

export const ticks = (low, high, log, most) => {
  if (log) {
    const out = [];
    const from = Math.ceil(Math.log10(low) - 1e-9), to = Math.floor(Math.log10(high) + 1e-9);
    const stride = Math.max(1, Math.ceil((to - from) / most));
    for (let e = from; e <= to; e += stride) out.push(10 ** e);
    return out;
  }
  const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find(m => m * power >= raw) * power;
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) out.push(i * step);
  return out;
};

// A range input has 1000 positions, which `log` spaces by equal factors, or one for each of its `stops`.
export const toPosition = (c, v) => c.stops ? c.stops.indexOf(v) : c.log
  ? 1000 * Math.log(v / c.low) / Math.log(c.high / c.low) : 1000 * (v - c.low) / (c.high - c.low);
export const fromPosition = (c, s) => {
  if (c.stops) return c.stops[s];
  if (c.log) return +(c.low * (c.high / c.low) ** (s / 1000)).toPrecision(3);
  const v = c.low + (c.high - c.low) * s / 1000;
  return Math.min(c.high, +(c.low + Math.round((v - c.low) / c.step) * c.step).toPrecision(10));
};

// ---- a frame --------------------------------------------------------------------------------------------

export const decode = (scene, bytes) => {
  const start = bytes.byteOffset, all = bytes.byteLength;
  const f = new Float32Array(bytes.buffer.slice(start, start + all));
  const A = scene.axes.length;
  let at = 1 + 4 * A + 2 * scene.marks.length;
  const limits = {}, data = {};
  scene.axes.forEach((a, i) => { limits[a.key] = f.subarray(1 + 4 * i, 5 + 4 * i); });
  scene.marks.forEach((m, i) => {
    const rows = f[1 + 4 * A + 2 * i], columns = f[2 + 4 * A + 2 * i];
    data[m.key] = { rows, columns, v: f.subarray(at, at + rows * columns) };
    at += rows * columns;
  });
  return { number: f[0], limits, data };
};

// Where a pair of axes lies on the canvas, and how data become pixels.
const place = (a, limits, W, H, k) => {
  const [left, top, width, height] = a.box;
  const padLeft = 52, padRight = 18, padTop = a.title || a.legend === "top" ? 24 : 10;
  const padBottom = a.frame ? (a.xlabel ? 40 : 24) : 4;
  const x0 = left * W + padLeft * k, x1 = (left + width) * W - padRight * k;
  const y0 = (top + height) * H - padBottom * k, y1 = top * H + padTop * k;
  const lx = a.log.includes("x") ? Math.log : v => v, ly = a.log.includes("y") ? Math.log : v => v;
  const [dx0, dx1] = [lx(limits[0]), lx(limits[1])], [dy0, dy1] = [ly(limits[2]), ly(limits[3])];
  const back = (v, log, low, high) => log ? Math.exp(low + v * (high - low)) : low + v * (high - low);
  return {
    a, limits, x0, x1, y0, y1,
    x: v => x0 + (lx(v) - dx0) / (dx1 - dx0) * (x1 - x0),
    y: v => y0 + (ly(v) - dy0) / (dy1 - dy0) * (y1 - y0),
    toX: p => back((p - x0) / (x1 - x0), a.log.includes("x"), dx0, dx1),
    toY: p => back((p - y0) / (y1 - y0), a.log.includes("y"), dy0, dy1),
    holds: (px, py) => px >= x0 - 6 && px <= x1 + 6 && py >= y1 - 6 && py <= y0 + 6,
  };
};

const paintAxes = (g, p, k) => {
  const { a, x0, x1, y0, y1, limits } = p;
  g.textBaseline = "alphabetic"; g.fillStyle = INK; g.textAlign = "left";
  g.font = `600 ${13 * k}px ${FONT}`;
  if (a.title) g.fillText(a.title, x0, y1 - 8 * k, x1 - x0 + 16 * k);  // a long title is squeezed, not cut
  if (!a.frame) return;
  g.strokeStyle = FAINT; g.lineWidth = 1; g.font = `${12 * k}px ${FONT}`;
  g.textAlign = "center"; g.textBaseline = "top";
  for (const t of a.ticks.includes("x") ? ticks(limits[0], limits[1], a.log.includes("x"), Math.max(2, (x1 - x0) / (80 * k))) : []) {
    g.beginPath(); g.moveTo(p.x(t), y0); g.lineTo(p.x(t), y0 + 4 * k); g.stroke();
    g.fillText(format(t), Math.min(p.x(t), x1 + 17 * k - g.measureText(format(t)).width / 2), y0 + 6 * k);
  }
  if (a.xlabel) g.fillText(a.xlabel, (x0 + x1) / 2, y0 + 22 * k);
  g.textAlign = "right"; g.textBaseline = "middle";
  for (const t of a.ticks.includes("y") ? ticks(limits[2], limits[3], a.log.includes("y"), Math.max(2, (y0 - y1) / (45 * k))) : []) {
    g.beginPath(); g.moveTo(x0, p.y(t)); g.lineTo(x1, p.y(t)); g.stroke();
    g.fillText(format(t), x0 - 5 * k, p.y(t));
  }
  if (a.ylabel) {
    g.save(); g.translate(x0 - 42 * k, (y0 + y1) / 2); g.rotate(-Math.PI / 2);
    g.textAlign = "center"; g.fillText(a.ylabel, 0, 0); g.restore();
  }
  g.strokeStyle = "#8a8a8a";
  g.beginPath(); g.moveTo(x0, y1); g.lineTo(x0, y0); g.lineTo(x1, y0); g.stroke();
};

// One painter for each kind of mark: d.v holds its numbers row by row.
const PAINT = {
  line(g, p, m, d) {
    g.beginPath();
    let pen = false;
    for (let i = 0; i < d.v.length; i += 2) {
      const x = p.x(d.v[i]), y = p.y(d.v[i + 1]);
      if (!Number.isFinite(x + y)) { pen = false; continue; }
      if (pen) g.lineTo(x, y); else g.moveTo(x, y);
      pen = true;
    }
    g.stroke();
  },
  area(g, p, m, d) {
    const n = d.rows;
    if (!n) return;
    g.globalAlpha = m.alpha; g.beginPath();
    for (let i = 0; i < n; i++) g.lineTo(p.x(d.v[3 * i]), p.y(d.v[3 * i + 2]));
    for (let i = n - 1; i >= 0; i--) g.lineTo(p.x(d.v[3 * i]), p.y(d.v[3 * i + 1]));
    g.fill();
  },
  bars(g, p, m, d) {
    g.globalAlpha = m.alpha;
    for (let i = 0; i < d.v.length; i += 4) {
      const [l, b, w, h] = d.v.subarray(i, i + 4);
      const X = p.x(l), Y = p.y(b);
      g.fillRect(X, Y, p.x(l + w) - X, p.y(b + h) - Y);
    }
  },
  points(g, p, m, d, k) {
    g.globalAlpha = m.alpha; g.beginPath();
    const r = m.size * k / 2;
    for (let i = 0; i < d.v.length; i += 2) {
      const x = p.x(d.v[i]), y = p.y(d.v[i + 1]);
      g.moveTo(x + r, y); g.arc(x, y, r, 0, 7);
    }
    if (m.hollow) { g.lineWidth = 1.5 * k; g.setLineDash([]); g.stroke(); } else g.fill();
  },
  handles(g, p, m, d, k) {
    g.lineWidth = 2 * k; g.strokeStyle = "#ffffff"; g.setLineDash([]);
    for (let i = 0; i < d.v.length; i += 2) {
      g.beginPath(); g.arc(p.x(d.v[i]), p.y(d.v[i + 1]), m.size * k / 2, 0, 7); g.fill(); g.stroke();
    }
  },
  arrows(g, p, m, d, k) {
    g.beginPath();
    for (let i = 0; i < d.v.length; i += 4) {
      const x0 = p.x(d.v[i]), y0 = p.y(d.v[i + 1]), x1 = p.x(d.v[i + 2]), y1 = p.y(d.v[i + 3]);
      const long = Math.hypot(x1 - x0, y1 - y0);
      if (!(long > 0.5)) continue;
      const s = Math.min(7 * k, 0.6 * long) / long, ux = (x1 - x0) * s, uy = (y1 - y0) * s;
      g.moveTo(x0, y0); g.lineTo(x1, y1);
      g.moveTo(x1 - ux - uy / 2, y1 - uy + ux / 2); g.lineTo(x1, y1); g.lineTo(x1 - ux + uy / 2, y1 - uy - ux / 2);
    }
    g.stroke();
  },
  rug(g, p, m, d, k) {
    g.globalAlpha = m.alpha; g.lineWidth = k; g.setLineDash([]); g.beginPath();
    const from = m.top ? p.y1 : p.y0, to = from + (m.top ? 9 : -9) * k;
    for (const v of d.v) { const x = p.x(v); g.moveTo(x, from); g.lineTo(x, to); }
    g.stroke();
  },
  heat(g, p, m, d) {
    if (!d.rows) return;
    const image = new ImageData(d.columns, d.rows), stops = m.palette.map(c => [1, 3, 5].map(i => parseInt(c.slice(i, i + 2), 16)));
    for (let r = 0; r < d.rows; r++) for (let c = 0; c < d.columns; c++) {
      const t = Math.min(1, Math.max(0, d.v[r * d.columns + c])) * (stops.length - 1), i = Math.min(stops.length - 2, Math.floor(t));
      const at = 4 * ((d.rows - 1 - r) * d.columns + c);
      for (let b = 0; b < 3; b++) image.data[at + b] = stops[i][b] + (t - i) * (stops[i + 1][b] - stops[i][b]);
      image.data[at + 3] = 255;
    }
    const scratch = (m.scratch ||= document.createElement("canvas"));
    scratch.width = d.columns; scratch.height = d.rows;
    scratch.getContext("2d").putImageData(image, 0, 0);
    g.imageSmoothingEnabled = m.smooth;
    g.drawImage(scratch, p.x0, p.y1, p.x1 - p.x0, p.y0 - p.y1);
  },
  text(g, p, m, d, k, words) {
    g.font = `${m.size * k}px ${FONT}`; g.textAlign = m.align; g.textBaseline = "middle";
    for (let i = 0; i < d.rows; i++) g.fillText(words?.[i] ?? "", p.x(d.v[2 * i]), p.y(d.v[2 * i + 1]));
  },
};

const paintLegend = (g, p, marks, k) => {
  g.font = `${12 * k}px ${FONT}`; g.textAlign = "left"; g.textBaseline = "middle";
  const top = p.a.legend === "top", wide = Math.max(...marks.map(m => g.measureText(m.label).width)) + 40 * k;
  let x = top ? p.x0 : p.x1 - wide + 4 * k, y = p.y1 + (top ? -11 : 11) * k;
  g.globalAlpha = 0.8; g.fillStyle = "#ffffff";
  if (!top) g.fillRect(p.x1 - wide, p.y1, wide, (marks.length * 17 + 6) * k);
  g.globalAlpha = 1;
  for (const m of marks) {
    g.strokeStyle = g.fillStyle = m.color;
    if (["line", "arrows", "rug"].includes(m.kind)) {
      g.setLineDash(m.dash.map(v => v * k)); g.lineWidth = m.width * k;
      g.beginPath(); g.moveTo(x, y); g.lineTo(x + 26 * k, y); g.stroke(); g.setLineDash([]);
    } else if (["points", "handles"].includes(m.kind)) {
      g.beginPath(); g.arc(x + 13 * k, y, 4 * k, 0, 7);
      if (m.hollow) { g.lineWidth = 1.5 * k; g.stroke(); } else g.fill();
    } else { g.globalAlpha = m.alpha ?? 1; g.fillRect(x + 3 * k, y - 5 * k, 20 * k, 10 * k); g.globalAlpha = 1; }
    g.fillStyle = INK; g.fillText(m.label, x + 32 * k, y);
    if (top) x += g.measureText(m.label).width + 48 * k; else y += 17 * k;
  }
};

export const draw = (canvas, scene, frame, words, ratio) => {
  const g = canvas.getContext("2d"), W = canvas.width / ratio, H = canvas.height / ratio;
  const [wide, high] = scene.full || [BASE, scene.height];
  const k = Math.min(W / wide, H / high) ** (W < wide ? 0.6 : 1);  // small screens: type shrinks less than the picture
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.fillStyle = "#ffffff"; g.fillRect(0, 0, W, H);
  const places = {};
  for (const a of scene.axes) places[a.key] = place(a, frame.limits[a.key], W, H, k);
  const layer = wanted => {
    for (const m of scene.marks) {
      if ((m.kind === "heat") !== wanted) continue;
      const p = places[m.axes];
      g.save();
      g.beginPath();
      if (m.kind === "text" || m.kind === "handles") g.rect(0, 0, W, H);
      else g.rect(p.x0 - 1, p.y1 - 1, p.x1 - p.x0 + 2, p.y0 - p.y1 + 2);
      g.clip();
      g.strokeStyle = g.fillStyle = m.color; g.lineWidth = m.width * k; g.setLineDash(m.dash.map(v => v * k)); g.lineJoin = "round";
      PAINT[m.kind](g, p, m, frame.data[m.key], k, words[m.key]);
      g.restore();
    }
  };
  layer(true);
  for (const a of scene.axes) paintAxes(g, places[a.key], k);
  layer(false);
  for (const a of scene.axes) {
    const named = scene.marks.filter(m => m.axes === a.key && m.label && frame.data[m.key].rows);
    if (a.legend && named.length) paintLegend(g, places[a.key], named, k);
  }
  return places;
};

// ---- the widget -------------------------------------------------------------------------------------------

const control = (c, value, send, id) => {
  // Returns { element, show(value) }. Every input is native and has a label.
  const set = v => send({ kind: "set", key: c.key, value: v });
  const title = c.help || null;
  if (c.kind === "button")
    return { element: make("button", { type: "button", title, ...KEYS, onclick: () => send({ kind: "press", key: c.key }) }, c.label), show() {} };
  if (c.kind === "file") {
    const input = make("input", { type: "file", id, ...KEYS, onchange: async () => {
      if (input.files[0]) send({ kind: "press", key: c.key, text: await input.files[0].text() });
      input.value = "";
    } });
    return { element: make("label", { class: "gl-file", title }, c.label, " ", input), show() {} };
  }
  if (c.kind === "toggle") {
    const input = make("input", { type: "checkbox", ...KEYS, onchange: () => set(input.checked) });
    return { element: make("label", { class: "gl-toggle", title }, input, " ", c.label), show: v => { input.checked = v; } };
  }
  if (c.kind === "choice") {
    const input = make("select", { ...KEYS, onchange: () => set(input.value) }, ...c.options.map(o => make("option", { value: o }, o)));
    return { element: make("label", { class: "gl-choice", title }, c.label, " ", input), show: v => { input.value = v; } };
  }
  let typing = false, touched = 0;  // what the learner is changing right now is left alone
  const number = make("input", { type: "text", inputmode: "decimal", size: 8, "aria-label": `${c.label}, typed`, ...KEYS,
    oninput: () => { typing = true; }, onblur: () => { typing = false; },
    onkeydown: event => { if (event.key === "Enter") { number.blur(); number.focus(); } },  // JupyterLab keeps Enter to itself
    onchange: () => { typing = false; set(number.value.trim().replace("−", "-")); } });
  const write = v => { if (!typing) number.value = String(+v.toPrecision(6)); };
  if (c.kind === "number")
    return { element: make("label", { class: "gl-number", title }, c.label, " ", number), show: write };
  const range = make("input", { type: "range", min: 0, max: c.stops ? c.stops.length - 1 : 1000, step: c.stops || c.log ? 1 : Math.max(1e-3, 1000 * c.step / (c.high - c.low)), id, ...KEYS,
    oninput: () => { const v = fromPosition(c, +range.value); touched = performance.now(); write(v); speak(v); set(v); } });
  const speak = v => range.setAttribute("aria-valuetext", format(v));
  return {
    element: make("div", { class: "gl-slider", title }, make("label", { for: id }, c.label), range, number),
    show: v => {
      if (performance.now() - touched > 500) range.value = toPosition(c, v);
      write(v); speak(v);
    },
  };
};

// On a phone two columns of axes stand one below the other (not pictures: they would be stretched).
const stack = ({ axes, marks, height }) => {
  const cut = axes.map(a => a.box[0]).find(x => x > 0 && axes.every(a => a.box[0] >= x || a.box[0] + a.box[2] < x + 1e-6));
  if (!cut || marks.some(m => m.kind === "heat")) return null;
  const part = ([x, y, w, h]) => x < cut ? [x / cut, y / 2, w / cut, h / 2] : [(x - cut) / (1 - cut), 0.5 + y / 2, w / (1 - cut), h / 2];
  return { boxes: axes.map(a => part(a.box)), full: [BASE * Math.max(cut, 1 - cut), 2 * height] };
};

const render = ({ model, el }) => {
  const scene = structuredClone(model.get("scene")), send = message => model.send(message), me = `gl-${Math.random().toString(36).slice(2)}`;
  const button = (label, message, help) => make("button", { type: "button", title: help, ...KEYS, onclick: () => send(message) }, label);
  const play = make("button", { type: "button", class: "gl-play", ...KEYS, onclick: () => send({ kind: model.get("status").playing ? "pause" : "play" }) }, "▶ play");
  const count = make("span", { class: "gl-count" });
  const canvas = make("canvas", { role: "img", "aria-label": scene.title });
  const twin = make("p", { class: "gl-text" }), error = make("p", { class: "gl-error", role: "alert" });
  const controls = {}, groups = {};
  const panel = make("div", { class: "gl-controls" });
  const near = make("div", { class: "gl-controls" });  // sliders stand above the picture: both fit on a laptop's screen
  scene.controls.forEach((c, i) => {
    const made = control(c, model.get("values")[c.key], send, `${me}-${i}`);
    controls[c.key] = made;
    if (c.group && !groups[c.group]) {
      groups[c.group] = make("div", { class: "gl-controls" });
      panel.append(make("details", { class: "gl-group" }, make("summary", KEYS, c.group), groups[c.group]));
    }
    (groups[c.group] || (c.kind === "slider" ? near : panel)).append(made.element);
  });
  const save = make("button", { type: "button", title: "Save the picture as a PNG file", ...KEYS, onclick: () => canvas.toBlob(blob => hand(blob, `${scene.title}.png`)) }, "save picture");
  const big = make("button", { type: "button", "aria-pressed": "false", title: "Fill the screen, with large type (Escape to leave)", ...KEYS, onclick: () => project(!root.classList.contains("gl-projector")) }, "projector");
  const bar = make("div", { class: "gl-bar", role: "group", "aria-label": scene.title },
    ...(scene.plays ? [play, button("step", { kind: "step" }, "One step")] : []),
    ...(scene.resets ? [button("reset", { kind: "reset" }, "Start again")] : []), count, make("span", { class: "gl-space" }), save, big);
  const root = make("section", { class: "gl-lab", "aria-label": scene.title }, make("h4", {}, scene.title), bar, near, canvas, twin, error, panel);
  root.addEventListener("keydown", event => { if (event.key === "Escape") project(false); });
  el.append(root);

  const hand = (blob, name) => {
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const project = on => {
    root.classList.toggle("gl-projector", on);
    big.setAttribute("aria-pressed", on);
    if (on) root.requestFullscreen?.().catch(() => {}); else if (document.fullscreenElement) document.exitFullscreen();
    resize();
  };
  const left = () => { if (!document.fullscreenElement && root.classList.contains("gl-projector")) project(false); };
  document.addEventListener("fullscreenchange", left);

  const boxes = scene.axes.map(a => a.box), stacked = stack(scene);
  let frame = null, places = {}, fresh = false, drawn = 0, painted = 0, alive = true, ratio = 1, words = {}, spoken = 0, waiting = null;
  const resize = () => {
    ratio = window.devicePixelRatio || 1;
    const wide = canvas.clientWidth || BASE, tall = wide < 500 && stacked;
    scene.full = tall ? stacked.full : [BASE, scene.height];
    scene.axes.forEach((a, i) => { a.box = tall ? stacked.boxes[i] : boxes[i]; });
    const usual = wide * scene.full[1] / scene.full[0];
    const high = tall ? usual : root.classList.contains("gl-projector") ? Math.min(usual, window.innerHeight * 0.68)
      : wide < BASE ? Math.max(usual, Math.min(scene.height, 280)) : usual;
    const [W, H] = [Math.round(wide * ratio), Math.round(high * ratio)];
    if (W === canvas.width && H === canvas.height) return;
    canvas.style.height = `${high}px`;
    canvas.width = W; canvas.height = H;
    paint();  // at once: a resized canvas is empty
  };
  const speak = () => {  // the label follows at most once a second, and never misses the last state
    const wait = spoken + 1000 - performance.now();
    if (wait <= 0) { spoken = performance.now(); canvas.setAttribute("aria-label", `${scene.title}. ${twin.textContent}`); }
    else waiting ||= setTimeout(() => { waiting = null; speak(); }, wait);
  };
  const onScene = () => model.get("scene").axes.forEach((a, i) => Object.assign(scene.axes[i], a, { box: scene.axes[i].box }));  // new labels
  const onFrame = () => { frame = decode(scene, model.get("frame")); fresh = true; };
  const onStatus = () => {
    const s = model.get("status");
    if (!s.words) return;
    words = s.words; fresh = true;
    play.textContent = s.playing ? "❚❚ pause" : "▶ play";
    play.setAttribute("aria-pressed", !!s.playing);
    if (scene.plays) count.textContent = `step ${s.steps}`;
    twin.textContent = s.text;
    error.textContent = s.error || s.note;
    error.classList.toggle("gl-note", !s.error && !!s.note);
    if (s.error) onValues();  // show what holds, not what was refused
    speak();
  };
  const onValues = () => {
    const values = model.get("values");
    for (const [key, c] of Object.entries(controls)) if (key in values) c.show(values[key]);
  };
  const onMessage = m => { if (m.kind === "download") hand(new Blob([m.text], { type: "application/json" }), m.name); };
  const paint = () => {
    if (!frame || !root.isConnected) return;
    places = draw(canvas, scene, frame, words, ratio);
    fresh = false; canvas.dataset.drawn = ++drawn; painted = performance.now();
  };
  const loop = () => {
    if (!alive) return;
    if (fresh && performance.now() - painted >= (model.get("status").playing && calm() ? 1000 : 0)) paint();
    requestAnimationFrame(loop);
  };
  const inSight = ({ top, bottom }) => bottom > 0 && top < innerHeight;
  const ack = () => { if (root.isConnected && !document.hidden && inSight(root.getBoundingClientRect())) send({ kind: "seen", frame: frame?.number ?? 0, drawn }); };
  const seen = setInterval(ack, 1000);  // the kernel cannot know otherwise that anybody is looking

  // Dragging handles and pointing into axes, in data units, at most once a frame.
  let held = null;
  const at = event => { const r = canvas.getBoundingClientRect(); return [event.clientX - r.left, event.clientY - r.top]; };
  const nearest = (px, py) => {
    let best = null, reach = 18;
    for (const m of scene.marks) if (m.kind === "handles") {
      const d = frame.data[m.key], p = places[m.axes];
      for (let i = 0; i < d.rows; i++) {
        const far = Math.hypot(p.x(d.v[2 * i]) - px, p.y(d.v[2 * i + 1]) - py);
        if (far < reach) { reach = far; best = { mark: m.key, index: i, p }; }
      }
    }
    return best;
  };
  const tell = (px, py) => {
    const inside = (v, low, high) => Math.min(Math.max(v, Math.min(low, high)), Math.max(low, high));
    const { p } = held, x = inside(p.toX(px), p.limits[0], p.limits[1]), y = inside(p.toY(py), p.limits[2], p.limits[3]);
    send(held.mark ? { kind: "drag", mark: held.mark, index: held.index, x, y } : { kind: "point", axes: p.a.key, x, y });
  };
  canvas.addEventListener("pointerdown", event => {
    if (!frame) return;
    const [px, py] = at(event);
    const p = scene.points && Object.values(places).find(q => q.holds(px, py));
    held = nearest(px, py) || (p && { p });
    if (held) { canvas.setPointerCapture(event.pointerId); event.preventDefault(); tell(px, py); }
  });
  let moving = false;
  canvas.addEventListener("pointermove", event => {
    const [px, py] = at(event);
    if (!held) { canvas.style.cursor = frame && nearest(px, py) ? "grab" : scene.points ? "crosshair" : "default"; return; }
    if (!moving) { moving = true; requestAnimationFrame(() => { moving = false; if (held) tell(px, py); }); }
  });
  canvas.addEventListener("pointerup", event => { if (held?.mark) tell(...at(event)); held = null; });  // a click is one point
  canvas.addEventListener("pointercancel", () => { held = null; });

  model.on("change:scene", onScene); model.on("change:frame", onFrame); model.on("change:status", onStatus); model.on("change:values", onValues); model.on("msg:custom", onMessage);
  const watch = new ResizeObserver(resize);
  watch.observe(canvas.parentElement);
  resize();
  if (model.get("frame")?.byteLength) onFrame();
  onStatus(); onValues();
  ack();
  loop();
  return () => {
    alive = false; clearInterval(seen); clearTimeout(waiting); watch.disconnect();
    document.removeEventListener("fullscreenchange", left);
    model.off("change:scene", onScene); model.off("change:frame", onFrame); model.off("change:status", onStatus); model.off("change:values", onValues); model.off("msg:custom", onMessage);
  };
};

// ---- a recording ------------------------------------------------------------------------------------------

// `mount(el, trace)` plays a recording (images/record.py) without a kernel: its model answers as a kernel would.
// trace.bytes, gzip and base64: for each run (preset, lr_G, lr_D) and each of `steps` the `gauges` in ten-thousandths as
// int32, −2³¹ for none; then for each the points of the `curves`: bytes, 0 to 254 from low to high, 255 for none, as differences.
// trace.columns says of which columns a mark is made: fixed ones, curves, and `step` and gauges up to now.
const unpack = async text => {
  const packed = new Blob([Uint8Array.from(atob(text), c => c.charCodeAt(0))]).stream();
  return new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
};

export const mount = async (el, trace) => {
  const { scene, presets, rates, steps, gauges } = trace, buffer = await unpack(trace.bytes);
  const moments = presets.length * rates.length ** 2 * steps.length;
  const numbers = new Int32Array(buffer, 0, moments * gauges.length), points = new Uint8Array(buffer, 4 * numbers.length);
  const state = { scene, values: { ...trace.start }, status: {} }, heard = {};
  let count = 0, playing = null, error = "";
  const set = (key, value) => { state[key] = value; for (const hear of heard[`change:${key}`] || []) hear(); };

  const table = () => {  // every column of this moment, and the number of the first moment of its run
    const { preset, lr_G, lr_D, step } = state.values, p = presets.findIndex(q => q.name === preset), now = steps.indexOf(step);
    const first = ((p * rates.length + rates.indexOf(lr_G)) * rates.length + rates.indexOf(lr_D)) * steps.length;
    const columns = { ...presets[p].fixed, step: steps.slice(0, now + 1) };
    gauges.forEach((name, i) => {
      columns[name] = columns.step.map((_, t) => numbers[(first + t) * gauges.length + i]).map(v => v > -(2 ** 31) ? v / 1e4 : NaN);
    });
    let at = (first + now) * points.length / moments, v = 0;
    for (const [name, [n, low, high]] of Object.entries(presets[p].curves)) columns[name] = Array.from(
      points.subarray(at, at += n), change => { v = (v + change) % 256; return v < 255 ? low + (high - low) * v / 254 : NaN; });
    return { columns, ...presets[p] };
  };
  const show = () => {
    const { columns, limits, note } = table(), marks = scene.marks.map(m => trace.columns[m.key].map(name => columns[name]));
    const head = [++count, ...scene.axes.flatMap(a => limits[a.key]), ...marks.flatMap(mark => [mark[0].length, mark.length])];
    set("frame", Float32Array.from([...head, ...marks.flatMap(mark => mark[0].flatMap((_, i) => mark.map(column => column[i])))]));
    const now = name => name === "verdict" ? trace.verdicts[columns.verdict.at(-1)]
      : gauges.includes(name) ? columns[name].at(-1).toFixed(3).replace("-", "−") : state.values[name];
    const text = trace.says.replace(/{(\w+)}/g, (_, name) => now(name));
    set("status", { playing: !!playing, steps: state.values.step, text, error, note, words: trace.words });
  };
  const move = values => { set("values", { ...state.values, ...values }); show(); };
  const later = () => steps[Math.min(steps.indexOf(state.values.step) + 1, steps.length - 1)];
  const pause = () => { clearInterval(playing); playing = null; };
  const acts = {
    play() {
      if (state.values.step === steps.at(-1)) move({ step: steps[0] });
      playing = setInterval(() => { if (later() === steps.at(-1) || !el.isConnected) pause(); move({ step: later() }); }, calm() ? 1000 : 150);
    },
    pause,
    step() { pause(); move({ step: later() }); },
    reset() { move({ step: steps[0] }); },
    set({ key, value }) {
      const { stops, label } = scene.controls.find(c => c.key === key), wish = Number(value);
      if (!stops) return move({ [key]: value });
      if (String(value).trim() === "" || !Number.isFinite(wish)) { error = `${label} must be a number, got '${value}'`; return; }
      move({ [key]: stops.reduce((a, b) => Math.abs(b - wish) < Math.abs(a - wish) ? b : a) });  // the nearest recorded one
    },
  };
  el.replaceChildren();  // only now: what stood here stays if the browser cannot do all this
  const clean = render({ el, model: {
    get: key => state[key], set() {}, save_changes() {}, off() {},
    on(event, hear) { (heard[event] ||= []).push(hear); },
    send(message) { if (message.kind in acts) { error = ""; acts[message.kind](message); show(); } },
  } });
  show();
  return () => { pause(); clean(); };
};

export default { render };
