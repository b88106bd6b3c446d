// Plays a recording (images/record.py) without a kernel: its model answers as a kernel would.
//
// trace.bytes, gzip and base64: for each run (preset, lr_G, lr_D) and each of `steps` the `gauges`
// in ten-thousandths as int32, −2³¹ for none; then for each the points of the `curves`: bytes, 0 to
// 254 from low to high, 255 for none, as differences. trace.columns says of which columns a mark is
// made: fixed ones, curves, and `step` and gauges up to now.

import { calm } from "./dom.js";
import { render } from "./widget.js";

const NONE = -(2 ** 31);

const unpack = async (text) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const unzipped = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(unzipped).arrayBuffer();
};

/** The columns of one moment of one run, and the preset it belongs to. */
const reader = (trace, buffer) => {
  const { presets, rates, steps, gauges } = trace;
  const moments = presets.length * rates.length ** 2 * steps.length;
  const numbers = new Int32Array(buffer, 0, moments * gauges.length);
  const points = new Uint8Array(buffer, 4 * numbers.length);

  const curve = (at, n, low, high, before) => {
    let v = before;
    const column = Array.from(points.subarray(at, at + n), (change) => {
      v = (v + change) % 256;
      return v < 255 ? low + ((high - low) * v) / 254 : NaN;
    });
    return { column, last: v };
  };
  return ({ preset, lr_G, lr_D, step }) => {
    const p = presets.findIndex((q) => q.name === preset);
    const now = steps.indexOf(step);
    const run = (p * rates.length + rates.indexOf(lr_G)) * rates.length + rates.indexOf(lr_D);
    const first = run * steps.length;
    const columns = { ...presets[p].fixed, step: steps.slice(0, now + 1) };
    gauges.forEach((name, i) => {
      columns[name] = columns.step.map((_, t) => {
        const v = numbers[(first + t) * gauges.length + i];
        return v > NONE ? v / 1e4 : NaN;
      });
    });
    let at = ((first + now) * points.length) / moments;
    let before = 0;
    for (const [name, [n, low, high]] of Object.entries(presets[p].curves)) {
      const { column, last } = curve(at, n, low, high, before);
      columns[name] = column;
      at += n;
      before = last;
    }
    return { columns, ...presets[p] };
  };
};

/** A frame as wire.py packs it: marks is a list of columns for each mark. */
const pack = (number, scene, limits, marks) => {
  const head = [number, ...scene.axes.flatMap((axes) => limits[axes.key])];
  const shapes = marks.flatMap((mark) => [mark[0].length, mark.length]);
  const rows = marks.flatMap((mark) => mark[0].flatMap((_, i) => mark.map((column) => column[i])));
  return Float32Array.from([...head, ...shapes, ...rows]);
};

/** What the picture shows, in a sentence. */
const sentence = (trace, columns, values) => {
  const now = (name) => {
    if (name === "verdict") return trace.verdicts[columns.verdict.at(-1)];
    if (!trace.gauges.includes(name)) return values[name];
    return columns[name].at(-1).toFixed(3).replace("-", "−");
  };
  return trace.says.replace(/{(\w+)}/g, (_, name) => now(name));
};

/**
 * What a learner can do with a recording. `state` holds values; `move` shows others; `refuse` says
 * why.
 */
const actions = (trace, state, el, { move, refuse, playing }) => {
  const { scene, steps } = trace;
  const later = () => steps[Math.min(steps.indexOf(state.values.step) + 1, steps.length - 1)];
  const pause = () => {
    clearInterval(playing.timer);
    playing.timer = null;
  };
  const tick = () => {
    if (later() === steps.at(-1) || !el.isConnected) pause();
    move({ step: later() });
  };
  return {
    pause,
    play() {
      if (state.values.step === steps.at(-1)) move({ step: steps[0] });
      playing.timer = setInterval(tick, calm() ? 1000 : 150);
    },
    step() {
      pause();
      move({ step: later() });
    },
    reset() {
      move({ step: steps[0] });
    },
    set({ key, value }) {
      const { stops, label } = scene.controls.find((c) => c.key === key);
      const wish = Number(value);
      if (!stops) {
        move({ [key]: value });
      } else if (String(value).trim() === "" || !Number.isFinite(wish)) {
        refuse(`${label} must be a number, got '${value}'`);
      } else {
        const near = (a, b) => (Math.abs(b - wish) < Math.abs(a - wish) ? b : a);
        move({ [key]: stops.reduce(near) }); // the nearest recorded one
      }
    },
  };
};

/** Play the recording `trace` in `el`; returns the function that takes it away again. */
export const mount = async (el, trace) => {
  const { scene, steps } = trace;
  const read = reader(trace, await unpack(trace.bytes));
  const state = { scene, values: { ...trace.start }, status: {} };
  const heard = {};
  const playing = { timer: null };
  let count = 0;
  let error = "";

  const set = (key, value) => {
    state[key] = value;
    for (const hear of heard[`change:${key}`] || []) hear();
  };
  const show = () => {
    const { columns, limits, note } = read(state.values);
    const marks = scene.marks.map((m) => trace.columns[m.key].map((name) => columns[name]));
    set("frame", pack(++count, scene, limits, marks));
    set("status", {
      playing: !!playing.timer,
      steps: state.values.step,
      text: sentence(trace, columns, state.values),
      error,
      note,
      words: trace.words,
    });
  };
  const move = (values) => {
    set("values", { ...state.values, ...values });
    show();
  };
  const refuse = (why) => {
    error = why;
  };
  const acts = actions(trace, state, el, { move, refuse, playing });

  el.replaceChildren(); // only now: what stood here stays if the browser cannot do all this
  const model = {
    get: (key) => state[key],
    on: (event, hear) => (heard[event] ||= []).push(hear),
    off() {},
    send(message) {
      if (!(message.kind in acts)) return;
      error = "";
      acts[message.kind](message);
      show();
    },
  };
  const clean = render({ el, model });
  show();
  return () => {
    acts.pause();
    clean();
  };
};
