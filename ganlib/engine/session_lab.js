/** `SessionLab` of ganlib/labs/session_lab.py: what the labs on the line and in the plane share. */

import { shortened } from "../stage/js/checked.js";
import { Lab } from "../stage/js/lab.js";
import { general } from "../stage/js/numbers.js";
import { fragment, lab_of, read } from "./address.js";
import { gan } from "./build.js";
import { saved } from "./run.js";
import { Session } from "./session.js";
import { SlowMotion } from "./slow_motion.js";
import { law } from "./targets.js";

const SAID = 6; // of what a link brings and cannot be

export class SessionLab extends Lab {
  /**
   * told: the description of a lab that labs/in_page.py writes; ops: where its networks live;
   * gauge: LineGauge or PlaneGauge.
   */
  constructor(told, ops, gauge) {
    super(told.scene);
    this.told = told;
    this.beside = ""; // where G is, if it can be seen only in part
    this.gan = gan(ops, told.gan);
    if (told.start) this.gan.load(saved.state(told.start, this.gan));
    const first = this.law_named(this.values.target);
    this.session = new Session(this.gan, first, { gauge, ...told.session });
    this.slow = new SlowMotion();
    this.defaults = { ...this.values };
    this.show_law();
  }

  /** A law of the list, by its name. */
  law_named(name) {
    return law(this.told.laws[name]);
  }

  get law() {
    return this.session.law;
  }

  // -- training ----------------------------------------------------------------------------------

  /** One training step; in slow motion one phase of it, and false until the step is done. */
  advance() {
    const { train, slow, oracle } = this.values;
    const next = slow
      ? this.slow.next(oracle ? "G only" : train, this.playing)
      : { who: train, done: true };
    if (next.who !== null) {
      this.allow(next.who);
      this.session.step(next.who, next.done);
    }
    return next.done;
  }

  /** A lab may refuse a move by RangeError. */
  allow() {}

  /** Start again, with the knobs as they stand. */
  reset() {
    this.tune();
    this.session.reset();
    this.steps = this.gan.steps;
    this.slow.begin();
    this.why = "";
  }

  tune() {
    this.session.tune(this.knobs_of(this.values));
  }

  /** Those values that are knobs of the session. */
  knobs_of(values) {
    const keys = Object.keys(this.session.settings);
    return Object.fromEntries(keys.map((key) => [key, values[key]]));
  }

  // -- the learner's hand ------------------------------------------------------------------------

  /** A knob was turned: it acts at the next step, and the optimisers' memory is kept. */
  changed(key, value) {
    if (key === "preset") {
      this.take_preset(value);
    } else if (key !== "slow") {
      if (key === "target") this.set_law(value);
      this.tune();
      if (key === "seed") {
        this.reset();
      } else {
        this.note = "";
        this.tell({ preset: "your own" });
      }
    }
  }

  set_law(name) {
    this.session.turn_to(this.law_named(name));
    this.show_law();
  }

  take_preset(name) {
    const { presets } = this.told;
    this.note = "";
    if (!(name in presets)) return; // "your own"

    const { note, knobs } = presets[name];
    const { seed, slow, target } = this.values;
    const own = { seed, slow };
    const brought = Object.values(presets).map((preset) => preset.knobs.target);
    if (!brought.includes(target)) own.target = target; // the learner chose it
    this.note = note;
    this.tell({ ...this.defaults, ...own, ...knobs, preset: name });
    this.set_law(this.values.target);
    this.reset();
  }

  /** A button: single steps, back to the last good state, save, load and copy. */
  pressed(key, text = "") {
    if (key === "back") {
      this.session.back();
      this.steps = this.gan.steps;
      this.pause(`Back at step ${this.steps}.`);
    } else if (key === "step_D") {
      this.step_of("D only");
    } else if (key === "step_G") {
      this.step_of("G only");
    } else if (key === "save") {
      this.download("gan-run.json", this.save());
    } else if (key === "load") {
      this.load(text);
    } else if (key === "link") {
      this.copy(this.link());
    } else if (key === "code") {
      this.copy(this.code());
    }
  }

  /** A step of one player. */
  step_of(who) {
    this.pause();
    this.allow(who);
    this.session.move(who);
    this.gan.steps += 1;
    this.steps += 1;
  }

  failed(error) {
    if (error.name === "Diverged") {
      error.message += `. ${this.way_back()}`;
    }
    super.failed(error);
  }

  /** What to do after a divergence, and which knobs may have led there. */
  way_back() {
    const [first] = Object.keys(this.told.presets);
    const { settings } = this.session;
    const turned = Object.entries(this.turned(this.defaults)).filter(([key]) => key in settings);
    const stand = turned.map(([key, value]) => {
      const { label } = this.scene.controls.find((control) => control.key === key);
      return `${label} ${short(value)} (at first ${short(this.defaults[key])})`;
    });
    const knobs = stand.length ? `: ${stand.join(", ")}` : "";
    return (
      "Press “back to the last good state”, then lower a rate. Reset keeps the knobs as they " +
      `stand${knobs}; the preset “${first}” puts them back. “save run” keeps the last good state.`
    );
  }

  // -- in words ----------------------------------------------------------------------------------

  /** The rates in use, which may have fallen below those that are set; who stands still. */
  rates() {
    const { train, oracle } = this.values;
    const still = oracle ? "D" : { "D only": "G", "G only": "D" }[train];
    return ["G", "D"]
      .map((player) => {
        const used = this.gan[`lr_${player}`];
        const told = this.values[`lr_${player}`];
        const fallen = used < 0.999 * told ? `, fallen from ${general(told, 3)}` : "";
        return player === still
          ? `${player} stands still`
          : `lr_${player} ${general(used, 3)}${fallen}`;
      })
      .join(", ");
  }

  // -- its state, to hand on ---------------------------------------------------------------------

  /** The knobs that do not stand as `usual`. */
  turned(usual) {
    const knobs = Object.entries(this.values).filter(([key]) => key !== "preset");
    return Object.fromEntries(knobs.filter(([key, value]) => value !== usual[key]));
  }

  /**
   * The address of this page, or of the site it is on, with the knobs as they stand. A target that
   * pages do not have is left out.
   */
  link() {
    const { lab, site, usual, targets } = this.told;
    const asked = this.turned(usual);
    if (!targets.includes(this.values.target)) delete asked.target;
    return (site || location.href.replace(/#.*/, "")) + fragment({ lab, ...asked });
  }

  /** Turn the knobs that a link names; what it names and cannot be is said, and left as it was. */
  open(address) {
    const { values, refused } = read(address, this.scene);
    const lab = lab_of(address) ?? this.told.lab;
    if (lab !== this.told.lab) refused.unshift(`there is no lab ${shortened(lab)}`);
    for (const [key, value] of Object.entries(values)) {
      try {
        this.assign(key, value);
      } catch (error) {
        refused.push(error.message);
      }
    }
    this.reset();
    if (refused.length) {
      const more = refused.length > SAID ? `; and ${refused.length - SAID} more` : "";
      this.error = `Not taken from the link: ${refused.slice(0, SAID).join("; ")}${more}.`;
    }
  }

  /** Follow another link while the lab is shown. */
  go(address) {
    this.pause();
    this.error = "";
    this.note = "";
    this.tell(this.defaults);
    this.set_law(this.values.target);
    this.open(address);
    this.show();
  }

  /** The lab as Python, for a notebook. */
  code() {
    const turns = Object.entries(this.turned(this.defaults)).map(([key, value]) => {
      return `lab.set("${key}", ${python(value)})`;
    });
    return [...this.told.code, ...turns, "lab"].join("\n");
  }

  /** The run as plain data: the knobs, the record, and all that the next step depends on. */
  run_data() {
    const { lab } = this.told;
    const { note, values: knobs } = this;
    return { ...this.session.save(), lab, note, knobs };
  }

  /** The same as JSON text. */
  save() {
    return JSON.stringify(this.run_data());
  }

  /** Go on from a saved run; the present one stays as it is if the file does not fit. */
  load(text) {
    const before = this.snapshot();
    try {
      this.adopt(JSON.parse(text));
      this.draw();
    } catch (error) {
      this.put_back(before);
      const why = error.message.replace(/\s+/g, " ").slice(0, 200);
      throw new RangeError(
        `This is not a saved run that fits this lab: ${why}. Nothing was changed.`,
      );
    }
    this.session.forget();
    this.pause(`Loaded: step ${this.steps}.`);
  }

  /** Go on from a run of the kernel. */
  take(run) {
    this.adopt(run);
    if (run.horizon !== undefined) this.session.horizon = run.horizon;
    this.note = run.note ?? "";
    this.session.forget();
    try {
      this.show();
    } catch (error) {
      this.failed(error);
    }
  }

  /** All that `put_back` needs, to undo whatever is done from here on. */
  snapshot() {
    const { values, note, steps } = this;
    return { session: this.session.snapshot(), values, lab: { note, steps } };
  }

  /** Be as it was at a snapshot. */
  put_back({ session, values, lab }) {
    this.session.put_back(session);
    Object.assign(this, lab);
    this.tell(values);
    this.show_law();
  }

  adopt(run) {
    if (run?.lab !== this.told.lab) throw new RangeError("it was not saved by this lab");

    const { values, refused } = read(fragment(run.knobs ?? {}), this.scene);
    for (const key of Object.keys(this.values)) {
      if (!(key in values)) refused.push(`it does not say ${key}`);
    }
    if (refused.length) throw new RangeError(refused[0]);

    this.session.set_law(this.law_named(values.target));
    this.session.adopt({ ...run, values: this.knobs_of(values) });
    this.tell(values);
    this.note = "";
    this.show_law();
    this.steps = this.gan.steps;
  }

  // -- slow motion -------------------------------------------------------------------------------

  /** What the marks of slow motion show; if it is not on, nothing lights up. */
  draw_slow() {
    const { flow, boxes, phases, not_yet } = this.told.slow;
    let [words, lit] = ["", []];
    if (this.values.slow) [words, lit] = this.slow.phase < 0 ? not_yet : phases[this.slow.phase];
    return { flow, boxes, lit: lit.map((i) => flow[i]), phase: [[0.5, 0.08, words]] };
  }
}

/** A value as a sentence says it. */
function short(value) {
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "number" && !Number.isInteger(value) ? general(value, 3) : String(value);
}

/** A value as Python writes it. */
function python(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value);
}
