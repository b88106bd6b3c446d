/**
 * A lab that trains in a notebook's page, with its kernel idle: the widget `PageCanvas` of
 * labs/in_page.py.
 *
 * The page sends its run when it pauses, when a knob comes to rest, and every five seconds while it
 * plays; so a page that is closed loses no more than that. What the kernel hands over is taken at
 * once.
 */

import { render as show } from "../stage/js/widget.js";
import { lab_from } from "./page.js";

const LOOK = 250; // ms between two looks for news
const OFTEN = 5000; // ms between two runs that are sent while it plays

class Messenger {
  /** deliver: is given the run as plain data. */
  constructor(lab, deliver) {
    this.lab = lab;
    this.deliver = deliver;
    this.values = lab.values;
    this.mark();
  }

  /** The kernel has what is here now. */
  mark() {
    this.sent = { at: performance.now(), frames: this.lab.frames, values: this.lab.values };
  }

  get news() {
    return this.lab.frames !== this.sent.frames;
  }

  send() {
    if (!this.news) return;
    this.deliver(this.lab.run_data());
    this.mark();
  }

  /** Send what there is to send, unless a knob is on its way. */
  look() {
    const { lab, sent } = this;
    const moving = lab.values !== this.values;
    this.values = lab.values;
    const turned = lab.values !== sent.values;
    const due = performance.now() - sent.at > OFTEN;
    if (!moving && (!lab.playing || turned || due)) this.send();
  }
}

/** The newer of what the kernel has handed over and what a page has sent since; null if none. */
function newest(model) {
  const [run, sent] = ["run", "sent"].map((name) => JSON.parse(model.get(name) || "null"));
  return sent !== null && sent.number >= (run?.number ?? 0) ? sent : run;
}

/** Show the lab; returns the function that takes it away again. */
export async function render({ model, el }) {
  const lab = await lab_from(model.get("told"), model.get("wasm"));
  let number = 0; // of the last run of the kernel that is here
  const messenger = new Messenger(lab, (run) => {
    model.set("sent", JSON.stringify({ ...run, number }));
    model.save_changes();
  });

  const take = (run) => {
    if (run !== null) {
      lab.take(run);
      number = run.number;
    }
    messenger.mark();
  };
  const hand_over = () => take(JSON.parse(model.get("run")));
  const ask = ({ kind }) => lab.send({ kind });
  model.on("change:run", hand_over);
  model.on("msg:custom", ask);
  lab.show();
  take(newest(model));

  const clean = show({ model: lab, el });
  const timer = setInterval(() => messenger.look(), LOOK);
  el.lab = lab;
  return () => {
    lab.pause();
    messenger.send();
    clearInterval(timer);
    model.off("change:run", hand_over);
    model.off("msg:custom", ask);
    clean();
  };
}
