// The controls of a lab. Every input is native and has a label.

import { KEYS, make } from "./dom.js";
import { format, fromPosition, general, positions, toPosition } from "./numbers.js";

const LARGEST = 2e7; // bytes of a file: of a larger one nothing is read
const TOUCHED = 500; // ms: what the learner is moving right now is left alone

/** A text input for a number, and how to show a value in it unless the learner is typing. */
const typed = (c, set) => {
  let typing = false;
  const input = make("input", {
    type: "text",
    inputmode: "decimal",
    size: 8,
    "aria-label": `${c.label}, typed`,
    ...KEYS,
    oninput: () => {
      typing = true;
    },
    onblur: () => {
      typing = false;
    },
    onkeydown: (event) => {
      if (event.key !== "Enter") return;
      input.blur(); // JupyterLab keeps Enter to itself, so leave and come back
      input.focus();
    },
    onchange: () => {
      typing = false;
      set(input.value.trim().replace("−", "-"));
    },
  });
  const show = (v) => {
    if (!typing) input.value = general(v, 5); // as short as the box is wide
  };
  return { input, show };
};

// One maker for each kind of control c. `set` sends its value, `press` says that it was pressed, id
// is unique on the page. Each returns the element, and how to show a value in it.
const MAKE = {
  button(c, { press }) {
    const attributes = { type: "button", title: c.help || null, ...KEYS, onclick: () => press() };
    return { element: make("button", attributes, c.label), show() {} };
  },

  file(c, { press, id }) {
    const input = make("input", {
      type: "file",
      id,
      ...KEYS,
      onchange: async () => {
        const [file] = input.files;
        if (file) press(file.size <= LARGEST ? await file.text() : "");
        input.value = "";
      },
    });
    const title = c.help || null;
    return { element: make("label", { class: "gl-file", title }, c.label, " ", input), show() {} };
  },

  toggle(c, { set }) {
    const onchange = () => set(input.checked);
    const input = make("input", { type: "checkbox", ...KEYS, onchange });
    return {
      element: make("label", { class: "gl-toggle", title: c.help || null }, input, " ", c.label),
      show(v) {
        input.checked = v;
      },
    };
  },

  choice(c, { set }) {
    const options = c.options.map((option) => make("option", { value: option }, option));
    const input = make("select", { ...KEYS, onchange: () => set(input.value) }, ...options);
    return {
      element: make("label", { class: "gl-choice", title: c.help || null }, c.label, " ", input),
      show(v) {
        input.value = v;
      },
    };
  },

  number(c, { set }) {
    const { input, show } = typed(c, set);
    const title = c.help || null;
    return { element: make("label", { class: "gl-number", title }, c.label, " ", input), show };
  },

  slider(c, { set, id }) {
    const number = typed(c, set);
    let touched = -Infinity;
    const speak = (v) => range.setAttribute("aria-valuetext", format(v));
    const range = make("input", {
      type: "range",
      min: 0,
      ...positions(c),
      id,
      ...KEYS,
      oninput: () => {
        const v = fromPosition(c, +range.value);
        touched = performance.now();
        number.show(v);
        speak(v);
        set(v);
      },
    });
    const label = make("label", { for: id }, c.label);
    return {
      element: make(
        "div",
        { class: "gl-slider", title: c.help || null },
        label,
        range,
        number.input,
      ),
      show(v) {
        if (performance.now() - touched > TOUCHED) range.value = toPosition(c, v);
        number.show(v);
        speak(v);
      },
    };
  },
};

/** A control as { element, show(value) }; `send` takes the messages that it makes. */
export const control = (c, value, send, id) => {
  const made = MAKE[c.kind](c, {
    id,
    set: (v) => send({ kind: "set", key: c.key, value: v }),
    press: (text) => send({ kind: "press", key: c.key, ...(text === undefined ? {} : { text }) }),
  });
  if (value !== undefined) made.show(value);
  return made;
};
