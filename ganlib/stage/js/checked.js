// Values that a learner types or moves: `checked` of each control in scene.py.

import { general } from "./numbers.js";

const LONG = 60; // letters that are repeated from what somebody typed

/** What somebody typed, in quotes, and cut where it is long. */
export const shortened = (text) => `'${text.length > LONG ? `${text.slice(0, LONG)}…` : text}'`;

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
  const point = comma ? shortened(value.trim().replaceAll(",", ".")).slice(1, -1) : "";
  const hint = comma ? `; write ${point} with a point` : "";
  return new RangeError(`${label} must be ${kind} ${allowed}, got ${said(value)}${hint}`);
};

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

// A slider's input shows six digits: an end that is written so is that end.
const SHOWN = 5.01e-6;
const ended = ({ low, high }, number) => {
  const end = number < low ? low : high;
  const outside = number < low || number > high;
  return outside && Math.abs(number - end) <= SHOWN * Math.abs(end) ? end : number;
};

const within = (control, kind, value) => {
  let number = NUMBER.test(String(value).trim()) ? Number(value) : NaN;
  if (control.kind === "slider") number = ended(control, number);
  if (!(control.low <= number && number <= control.high)) throw outside(control, kind, value);
  return number;
};

const oneOf = (control, value, options) => {
  if (options.includes(value)) return value;
  const allowed = options.map((option) => (typeof option === "boolean" ? said(option) : option));
  throw new RangeError(`${control.label} must be one of ${allowed.join(", ")}, got ${said(value)}`);
};

const CHECKED = {
  slider: (control, value) => within(control, "a number", value),
  number(control, value) {
    const number = within(control, "a whole number", value);
    if (!Number.isInteger(number)) throw outside(control, "a whole number", value);
    return number;
  },
  choice: (control, value) => oneOf(control, value, control.options),
  toggle: (control, value) => oneOf(control, value, [true, false]),
};

/** The value if the control allows it; else a RangeError that says what is allowed. */
export const checked = (control, value) => CHECKED[control.kind](control, value);
