// A lab that runs in the page: `Lab` of lab.py, on the clock of the screen instead of a kernel's.
//
// For widget.js it is the model, with get, on, off and send. A subclass gives `draw` and `text`;
// with `advance` it plays, with `reset` it can start again; `changed`, `pressed`, `pointed` and
// `dragged` hear the learner. What it cannot do it says in words, as the labs of a kernel do.

import { checked } from "./checked.js";
import { pack, tables } from "./wire.js";

const SLICE = { least: 5, most: 9 }; // ms of work between two pictures
const LATE = 18; // ms from one picture to the next that are too many: then it works a little less
const NOBODY = 5000; // ms: a lab that is unseen for so long pauses
const SAID = 250; // ms between two status lines while it plays

// What a learner may ask for, as in lab.py.
const ASKED = {
  set: (lab, { key, value }) => lab.assign(key, value),
  press: (lab, { key, text }) => lab.pressed(key, text),
  point: (lab, { axes, x, y }) => lab.pointed(axes, x, y),
  drag: (lab, { mark, index, x, y }) => lab.dragged(mark, index, x, y),
  step: (lab) => lab.oneStep(),
  play: (lab) => lab.play(),
  pause: (lab) => lab.pause(),
  reset: (lab) => lab.startAgain(),
};

/** An error in words; what the lab did not foresee is named. */
const inWords = (error) => {
  const foreseen = error instanceof RangeError || error.foreseen;
  return foreseen ? error.message : `${error.name}: ${error.message}`;
};

export class Lab {
  /** scene: as `Scene.describe()` tells it. */
  constructor(scene) {
    const valued = scene.controls.filter((control) => "value" in control);
    this.inPage = true; // there is no kernel that could be gone
    this.steps = 0;
    this.playing = false;
    this.error = ""; // what went wrong
    this.note = ""; // what the lab wants to say
    this.why = ""; // why it paused
    this.asides = {}; // what it says as long as it is shown, by what it is about
    this.frames = 0; // number of the last picture
    this.cost = 0; // of a picture, in ms
    this.slice = SLICE.most;
    this.began = 0; // the last slice of work
    this.generation = 0; // each play and each pause begins a new one
    this.seen = 0; // when somebody last looked
    this.said = 0; // when the status line was last said
    this.hearing = {}; // functions by event
    this.shown = { scene, values: Object.fromEntries(valued.map((c) => [c.key, c.value])) };
    this.shown.status = {};
  }

  // -- the model of the widget -------------------------------------------------------------------

  get(part) {
    return this.shown[part];
  }

  on(event, hear) {
    (this.hearing[event] ||= []).push(hear);
  }

  off(event, hear) {
    this.hearing[event] = this.hearing[event].filter((other) => other !== hear);
  }

  emit(event, ...details) {
    for (const hear of this.hearing[event] || []) hear(...details);
  }

  put(part, value) {
    this.shown[part] = value;
    this.emit(`change:${part}`);
  }

  /** A message of the widget. What cannot be done is said, and the lab goes on. */
  send(message) {
    if (message?.kind === "seen") {
      this.seen = Math.max(this.seen, performance.now());
      return;
    }
    if (!Object.hasOwn(ASKED, message?.kind)) return; // no question of a widget
    this.error = "";
    try {
      ASKED[message.kind](this, message);
      this.show();
    } catch (error) {
      this.error = inWords(error);
      this.put("values", this.values); // what holds, not what was refused
      this.say();
    }
  }

  // -- what is shown -----------------------------------------------------------------------------

  get scene() {
    return this.shown.scene;
  }

  get values() {
    return this.shown.values;
  }

  /** Show other values in the controls, as a preset does; `changed` is not called. */
  tell(values) {
    this.put("values", { ...this.values, ...values });
  }

  /** Say something else of a pair of axes: `relabel("x", { x: [0, 7], xlabel: "in cm" })`. */
  relabel(key, what) {
    const axes = this.scene.axes.map((pair) => (pair.key === key ? { ...pair, ...what } : pair));
    this.put("scene", { ...this.scene, axes });
  }

  /** Draw now and say where things stand. */
  show() {
    this.sendFrame();
    this.say();
  }

  sendFrame() {
    const { data, words } = tables(this.scene, this.draw());
    this.words = words;
    this.frames += 1;
    this.put("frame", pack(this.scene, this.frames, data));
  }

  say() {
    this.said = performance.now();
    let twin = "";
    try {
      twin = this.text();
    } catch (error) {
      this.error ||= inWords(error);
    }
    this.put("status", {
      playing: this.playing,
      steps: this.steps,
      text: twin,
      error: this.error,
      note: [this.why, this.note, ...Object.values(this.asides)].filter(Boolean).join(" "),
      words: this.words ?? {},
    });
  }

  // -- playing -----------------------------------------------------------------------------------

  play() {
    this.generation += 1;
    this.playing = true;
    this.why = "";
    this.seen = performance.now() + NOBODY;
    this.beat(this.generation);
  }

  /** Stop advancing; nothing is lost, and `play` goes on from here. */
  pause(why = "") {
    this.generation += 1;
    this.playing = false;
    this.why = why;
  }

  /** Work for a slice of time and show what came of it: once for each picture of the screen. */
  beat(generation) {
    if (generation !== this.generation) return;
    try {
      const worked = this.work();
      if (worked - this.seen > NOBODY)
        this.pause("Paused: nobody was looking. Press play to go on.");
      this.sendFrame();
      const now = performance.now();
      this.cost += (now - worked - this.cost) / 8;
      if (now - this.said > SAID || !this.playing) this.say();
    } catch (error) {
      this.failed(error);
    }
    requestAnimationFrame(() => this.beat(generation));
  }

  /** Step through a slice of time, as long as a picture takes if that is more; when it ended. */
  work() {
    let now = performance.now();
    this.adapt(now - this.began);
    this.began = now;
    const end = now + Math.max(this.slice, this.cost);
    while (now < end && this.step()) now = performance.now();
    return now;
  }

  /** Fit the slice of work to how fast pictures follow each other here. */
  adapt(interval) {
    const change = interval > LATE ? -0.2 : 0.05;
    this.slice = Math.min(Math.max(this.slice + change, SLICE.least), SLICE.most);
  }

  /** One step; false if the lab says that it is not yet time for one. */
  step() {
    this.why = ""; // it spoke of where the lab stood
    const done = this.advance() !== false;
    this.steps += done;
    return done;
  }

  /** Advance `steps` times at once and draw: playing, without a clock. Returns the lab. */
  run(steps = 1) {
    for (let i = 0; i < steps; i++) this.step();
    this.show();
    return this;
  }

  /** An error stops the lab and is shown in it. */
  failed(error) {
    this.pause();
    this.error = inWords(error);
    try {
      this.sendFrame();
    } catch {
      // What failed may be the drawing itself: the last picture stays.
    }
    this.say();
  }

  // -- what the learner asks for -----------------------------------------------------------------

  oneStep() {
    this.pause();
    this.step();
  }

  startAgain() {
    this.steps = 0;
    this.why = "";
    this.reset();
  }

  /** Check a control's new value, store it, tell the lab; if it refuses, all stays as it was. */
  assign(key, value) {
    const control = this.scene.controls.find((one) => one.key === key && "value" in one);
    if (!control) throw new RangeError(`this lab has no control '${key}'`);

    const before = this.values;
    const after = checked(control, value);
    this.tell({ [key]: after });
    try {
      this.changed?.(key, after);
    } catch (error) {
      this.tell(before);
      throw error;
    }
  }

  /** Move a control, and show it. Returns the lab. */
  set(key, value) {
    this.assign(key, value);
    this.show();
    return this;
  }

  /** Hand a text to the learner as a file. */
  download(name, text) {
    this.emit("msg:custom", { kind: "download", name, text });
  }

  /** Put a text on the learner's clipboard. */
  copy(text) {
    this.emit("msg:custom", { kind: "copy", text });
  }
}
