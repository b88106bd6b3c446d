// Values that a learner types or moves: `checked` of each control in scene.py.

import { general } from "./numbers.js";

const LONG = 60; // letters that are repeated from what somebody typed

const cut = (text) => (text.length > LONG ? `${text.slice(0, LONG)}…` : text);

/** What somebody typed, in quotes, and cut where it is long. */
export const shortened = (text) => `'${cut(text)}'`;

/** A value as Python writes it in an error. */
const said = (value) => {
  if (typeof value === "string") return shortened(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  return String(value);
};

const outside = (control, kind, value) => {
  const { label, low, high } = control;
  const allowed = `from ${general(low)} to ${general(high)}`;
  const comma = typeof value === "string" && value.includes(",");
  const hint = comma ? `; write ${cut(value.trim().replaceAll(",", "."))} with a point` : "";
  return new RangeError(`${label} must be ${kind} ${allowed}, got ${said(value)}${hint}`);
};

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const SHOWN = 5.01e-6; // how far a number is off, at most, that is written in six digits

const numeric = (value) => (NUMBER.test(String(value).trim()) ? Number(value) : NaN);

const oneOf = (control, value, options) => {
  if (options.includes(value)) return value;
  const allowed = options.map((option) => (typeof option === "boolean" ? said(option) : option));
  throw new RangeError(`${control.label} must be one of ${allowed.join(", ")}, got ${said(value)}`);
};

const CHECKED = {
  /** The input shows six digits: an end that is written so is that end. */
  slider(control, value) {
    const number = numeric(value);
    const nearest = Math.min(Math.max(number, control.low), control.high);
    if (Math.abs(number - nearest) <= SHOWN * Math.abs(nearest)) return nearest;
    throw outside(control, "a number", value);
  },
  number(control, value) {
    const number = numeric(value);
    const inside = control.low <= number && number <= control.high;
    if (inside && Number.isInteger(number)) return number;
    throw outside(control, "a whole number", value);
  },
  choice: (control, value) => oneOf(control, value, control.options),
  toggle: (control, value) => oneOf(control, value, [true, false]),
};

/** The value if the control allows it; else a RangeError that says what is allowed. */
export const checked = (control, value) => CHECKED[control.kind](control, value);
