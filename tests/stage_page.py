"""Labs in a page without a kernel: the widget, and what the kernel would have sent, at rest."""

import json

import numpy as np

from ganlib.stage import wire
from ganlib.stage.bundle import join
from ganlib.stage.widget import CSS, JS

SCRIPT = """
const models = {};
const pictureOf = (numbers) => {
  const all = new Float32Array(numbers.map((v) => v ?? NaN));
  return new DataView(all.buffer);
};
const add = (name, { frame, ...told }) => {
  const parts = { ...told, frame: pictureOf(frame) };
  const hearing = {};
  models[name] = {
    get: (part) => parts[part],
    on: (event, hear) => { (hearing[event] ||= []).push(hear); },
    send() {}, // nobody answers
    put(part, value) {
      parts[part] = part === "frame" ? pictureOf(value) : value;
      for (const hear of hearing[`change:${part}`] || []) hear();
    },
  };
  const el = document.createElement("div");
  el.id = name;
  document.querySelector("main").append(el);
  render({ model: models[name], el });
};
"""


def told(lab) -> dict:
    """What the browser is told of a lab, as JSON can hold it."""
    arrays, words = wire.tables(lab.scene, lab.draw())
    numbers = np.frombuffer(wire.pack(lab.scene, 1, arrays), np.float32).tolist()
    return {
        "scene": lab.scene.describe(),
        "values": dict(lab.values),
        "frame": [v if np.isfinite(v) else None for v in numbers],
        "status": {
            "playing": False,
            "steps": lab.steps,
            "text": lab.text(),
            "error": "",
            "note": "",
            "words": words,
        },
    }


def html(labs: dict) -> str:
    """A page with labs, as `told` tells them by name.

    `models[name].put(part, value)` is what a kernel would say.
    """
    told_of = json.dumps(labs)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>labs</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>body {{ margin: 0 }} {CSS.read_text(encoding='utf-8')}</style>"
        f"<main><h1>labs</h1></main><script>{join(JS / 'widget.js')}{SCRIPT}"
        f"for (const [name, lab] of Object.entries({told_of})) add(name, lab);</script></html>"
    )
