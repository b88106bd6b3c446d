// The widget: buttons, controls, the canvas, and the words below it.
//
// A scene (axes, marks, controls) comes once; each frame is one buffer (numbers.js). `render` needs
// only get, on, off and send of its model, so that an engine in the page can play too (lab.js).

import { changes } from "./changes.js";
import { control } from "./controls.js";
import { KEYS, calm, copy, hand, make } from "./dom.js";
import { follow } from "./look.js";
import { decode } from "./numbers.js";
import { draw } from "./paint.js";
import { BASE, stack } from "./place.js";
import { listen } from "./pointer.js";

const PHONE = 500; // pixels: a narrower picture is stacked
const LEAST = 280; // pixels: no picture is made less high to fit a screen
const SENTENCE = 3.5; // lines below the picture that are to be in sight with it
const SECOND = 1000;
const PATIENCE = 10 * SECOND; // without any word from a kernel
const SILENT =
  "No word from the kernel for 10 seconds. If it is busy with a cell or a long step, this goes " +
  "on by itself. If it was restarted or ran out of memory, run the cell of this lab again.";

/** The buttons above the picture. */
const buttons = (scene, model, error, send, acts) => {
  const button = (label, help, attributes) =>
    make("button", { type: "button", title: help, ...KEYS, ...attributes }, label);
  const asks = (label, help, kind) => button(label, help, { onclick: () => send({ kind }) });

  const play = button("▶ play", null, {
    class: "gl-play",
    onclick: () => send({ kind: model.get("status").playing ? "pause" : "play" }),
  });
  const count = make("span", { class: "gl-count" });
  const save = button("save picture", "Save the picture as a PNG file", { onclick: acts.save });
  const help = "Fill the screen, with large type (Escape to leave)";
  const big = button("projector", help, { "aria-pressed": "false", onclick: acts.project });
  const bar = make(
    "div",
    { class: "gl-bar", role: "group", "aria-label": scene.title },
    ...(scene.plays ? [play, asks("step", "One step", "step")] : []),
    ...(scene.resets ? [asks("reset", "Start again", "reset")] : []),
    count,
    error,
    save,
    big,
  );
  return { bar, play, count, big };
};

/**
 * All controls: sliders in `near`, above the picture, and a button that follows one; others, and
 * folds of them, in `panel`.
 */
const panels = (scene, values, send) => {
  const me = `gl-${Math.random().toString(36).slice(2)}`;
  const near = make("div", { class: "gl-controls" }); // both fit on the screen of a laptop
  const panel = make("div", { class: "gl-controls" });
  const groups = {};
  const controls = {};
  let last = panel; // where the control before stands
  scene.controls.forEach((c, i) => {
    controls[c.key] = control(c, values[c.key], send, `${me}-${i}`);
    if (c.group && !groups[c.group]) {
      groups[c.group] = make("div", { class: "gl-controls" });
      const summary = make("summary", KEYS, c.group);
      panel.append(make("details", { class: "gl-group" }, summary, groups[c.group]));
    }
    const follows = c.kind === "button" && last === near;
    last = groups[c.group] ?? (c.kind === "slider" || follows ? near : panel);
    last.append(controls[c.key].element);
  });
  return { near, panel, controls };
};

/** How high the place is that shows `root`: the window, or what scrolls it in a front end. */
const sight = (root) => {
  let high = window.innerHeight;
  for (let at = root.parentElement; at && at !== document.body; at = at.parentElement) {
    const scrolls = /auto|scroll/.test(getComputedStyle(at).overflowY);
    if (scrolls && at.clientHeight >= LEAST) high = Math.min(high, at.clientHeight);
  }
  return high;
};

/**
 * The size of the canvas, and of the scene on it: { wide, high, full, boxes, type }. `room` is its
 * place: { wide, high }, the width of the lab, and the height at which what belongs to the
 * picture is in sight with it.
 */
const fit = (scene, boxes, stacked, room, projector) => {
  const tall = room.wide < PHONE && stacked;
  const full = tall ? stacked.full : [BASE, scene.height];
  let { wide } = room;
  let high = (wide * full[1]) / full[0];
  if (!tall && wide < BASE) high = Math.max(high, Math.min(scene.height, LEAST));
  if (!tall) high = Math.max(Math.min(high, room.high), LEAST);
  const pictures = scene.marks.some((mark) => mark.kind === "heat"); // keep their proportions
  if (pictures && !tall) wide = Math.min(wide, Math.max((high * full[0]) / full[1], PHONE));

  const scale = Math.min(wide / full[0], high / full[1]);
  const usual = scale < 1 ? scale ** 0.6 : scale; // type shrinks less than the picture
  const far = projector ? 2 * Math.min(1, window.innerHeight / 1080) : 0; // 24 pixels on 1,080
  return { wide, high, full, boxes: tall ? stacked.boxes : boxes, type: Math.max(usual, far) };
};

/** Says `words()` as the label of the canvas, at most once a second, and never misses the last. */
const speaker = (canvas, words) => {
  let spoken = 0;
  let waiting = null;
  const speak = () => {
    const wait = spoken + SECOND - performance.now();
    if (wait <= 0) {
      spoken = performance.now();
      canvas.setAttribute("aria-label", words());
    } else {
      waiting ||= setTimeout(() => {
        waiting = null;
        speak();
      }, wait);
    }
  };
  return { speak, stop: () => clearTimeout(waiting) };
};

/** The picture: keeps the canvas as large as its place, and draws what is fresh. */
const picture = (canvas, scene, root, model) => {
  const boxes = scene.axes.map((axes) => axes.box);
  const stacked = stack(scene);
  const now = { frame: null, places: {}, words: {}, fresh: false, drawn: 0 };
  const shown = changes(scene);
  let painted = 0;
  let alive = true;
  let ratio = 1;
  let size = { type: 1 };
  let type = 0; // the size that it has been drawn with

  const paint = () => {
    if (!now.frame || !root.isConnected) return;
    const { keys, waits } = shown.next(now.frame, now.words, model.get("status").playing);
    now.fresh = waits;
    if (keys?.length === 0) return;
    const how = { ratio, type: size.type, dark: root.classList.contains("gl-dark") };
    now.places = draw(canvas, scene, now.frame, now.words, how, keys);
    canvas.dataset.drawn = ++now.drawn;
    painted = performance.now();
  };
  const resize = () => {
    ratio = window.devicePixelRatio || 1;
    canvas.style.width = "";
    const wide = canvas.clientWidth || BASE;
    const above = canvas.offsetTop - root.offsetTop;
    const line = parseFloat(getComputedStyle(root).fontSize) * 1.4;
    const high = sight(root) - above - SENTENCE * line;
    const big = root.classList.contains("gl-projector");
    size = fit(scene, boxes, stacked, { wide, high }, big);
    scene.full = size.full;
    scene.axes.forEach((axes, i) => {
      axes.box = size.boxes[i];
    });
    const W = Math.round(size.wide * ratio);
    const H = Math.round(size.high * ratio);
    canvas.style.width = `${size.wide}px`;
    canvas.style.height = `${size.high}px`;
    if (W === canvas.width && H === canvas.height && size.type === type) return;
    type = size.type;
    canvas.width = W;
    canvas.height = H;
    shown.forget(); // a resized canvas is empty, so it is painted at once
    paint();
  };
  const loop = () => {
    if (!alive) return;
    requestAnimationFrame(loop); // first: whatever happens below, the next picture is drawn
    const wait = model.get("status").playing && calm() ? SECOND : 0;
    if (now.fresh && performance.now() - painted >= wait) paint();
  };

  const watch = new ResizeObserver(resize);
  watch.observe(canvas.parentElement);
  window.addEventListener("resize", resize); // a lower window leaves the width as it was
  resize();
  const stop = () => {
    alive = false;
    watch.disconnect();
    window.removeEventListener("resize", resize);
  };
  return { now, shown, resize, loop, stop };
};

/** Fill the screen, and leave again; `after` follows each change. */
const projector = (root, big, after) => {
  const project = (on) => {
    root.classList.toggle("gl-projector", on);
    big().setAttribute("aria-pressed", on);
    if (on) root.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
    after();
  };
  const left = () => {
    const shown = root.classList.contains("gl-projector");
    if (shown && !document.fullscreenElement) project(false);
  };
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") project(false);
  });
  document.addEventListener("fullscreenchange", left);
  return {
    toggle: () => project(!root.classList.contains("gl-projector")),
    stop: () => document.removeEventListener("fullscreenchange", left),
  };
};

/**
 * Tell the kernel once a second that somebody is looking: it cannot know otherwise. And if it owes
 * an answer for too long, `say` so; "" when it is heard again.
 */
const acknowledge = (root, model, now, say) => {
  let owed = null; // since when an answer is awaited
  const inSight = ({ top, bottom }) => bottom > 0 && top < innerHeight;
  const looking = () => {
    return root.isConnected && !document.hidden && inSight(root.getBoundingClientRect());
  };
  const wait = () => {
    if (!model.inPage) owed ??= performance.now();
  };
  const ack = () => {
    if (!looking()) {
      owed = null; // what is not looked at may rest
      return;
    }
    if (model.get("status").playing) wait();
    if (owed !== null && performance.now() - owed > PATIENCE) say(SILENT);
    model.send({ kind: "seen", frame: now.frame?.number ?? 0, drawn: now.drawn });
  };
  const timer = setInterval(ack, SECOND);
  return {
    ack,
    stop: () => clearInterval(timer),
    asked() {
      if (!model.get("status").error) wait(); // the same error again is no news for the page
    },
    heard() {
      owed = null;
      say("");
    },
  };
};

/** What is done when something of the model changes, by the name of the event. */
const reactions = (model, scene, { now, shown }, { play, count, twin, error, controls, voice }) => {
  const showValues = () => {
    const values = model.get("values");
    for (const [key, { show }] of Object.entries(controls)) {
      if (key in values) show(values[key]);
    }
  };
  const showStatus = () => {
    const status = model.get("status");
    if (!status.words) return;
    now.words = status.words;
    now.fresh = true;
    play.textContent = status.playing ? "❚❚ pause" : "▶ play";
    play.setAttribute("aria-pressed", !!status.playing);
    if (scene.plays) count.textContent = `step ${status.steps}`;
    twin.textContent = status.text;
    error.textContent = status.error || status.note;
    error.classList.toggle("gl-note", !status.error && !!status.note);
    if (status.error) showValues(); // what holds, not what was refused
    voice.speak();
  };
  const showFrame = () => {
    if (!model.get("frame")?.byteLength) return;
    now.frame = decode(scene, model.get("frame"));
    now.fresh = true;
  };
  const relabel = () => {
    shown.forget();
    model.get("scene").axes.forEach((axes, i) => {
      Object.assign(scene.axes[i], axes, { box: scene.axes[i].box });
    });
  };
  const give = ({ kind, text, name }) => {
    if (kind === "download") hand(new Blob([text], { type: "application/json" }), name);
    else if (kind === "copy") copy(text);
  };
  return {
    "change:scene": relabel,
    "change:frame": showFrame,
    "change:status": showStatus,
    "change:values": showValues,
    "msg:custom": give,
  };
};

/** Show a lab in `el`; returns the function that takes it away again. */
export const render = ({ model, el }) => {
  const scene = structuredClone(model.get("scene"));
  const send = (message) => {
    watcher.asked(); // first: a lab in the page answers at once
    model.send(message);
  };
  const held = scene.marks.some((mark) => mark.kind === "handles");
  const kind = held ? "gl-held" : null; // a finger drags a handle, else it scrolls the page
  const canvas = make("canvas", { role: "img", "aria-label": scene.title, class: kind });
  const twin = make("p", { class: "gl-text" });
  const error = make("p", { class: "gl-error", role: "alert" });
  const silence = make("p", { class: "gl-silence", role: "alert" });
  const { bar, play, count, big } = buttons(scene, model, error, send, {
    save: () => canvas.toBlob((blob) => hand(blob, `${scene.title}.png`)),
    project: () => screen.toggle(),
  });
  const { near, panel, controls } = panels(scene, model.get("values"), send);
  const title = make("h4", {}, scene.title);
  const attributes = { class: "gl-lab", "aria-label": scene.title };
  const root = make("section", attributes, title, bar, silence, near, canvas, twin, panel);
  el.append(root);

  const seen = picture(canvas, scene, root, model);
  const { now, shown, resize, loop } = seen;
  const daylight = follow(root, (dark) => {
    root.classList.toggle("gl-dark", dark);
    shown.forget();
    now.fresh = true;
  });
  const screen = projector(root, () => big, resize);
  const voice = speaker(canvas, () => `${scene.title}. ${twin.textContent}`);
  const watcher = acknowledge(root, model, now, (words) => {
    silence.textContent = words;
  });
  listen(canvas, scene, () => now, send);

  const parts = { play, count, twin, error, controls, voice };
  const heard = reactions(model, scene, seen, parts);
  for (const [event, react] of Object.entries(heard)) {
    model.on(event, react);
    model.on(event, watcher.heard);
  }
  for (const event of ["change:frame", "change:status", "change:values"]) heard[event]();
  watcher.ack();
  loop();
  return () => {
    for (const part of [seen, daylight, screen, voice, watcher]) part.stop();
    for (const [event, react] of Object.entries(heard)) {
      model.off(event, react);
      model.off(event, watcher.heard);
    }
  };
};
