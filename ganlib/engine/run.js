/**
 * A saved run, as `save` of session_lab.js writes it, checked before any of it is taken over: it
 * may come from anywhere.
 */

import { count } from "./checks.js";
import { unpack } from "./packed.js";

const LINES = 800; // of a record, at most
const LONGEST = 1e9; // step of a run
const WORDS = 624; // of state in a generator
const POINTS = 1000; // that were drawn, at most
const FAR = 100; // of a point from 0

const refuse = (words) => {
  throw new RangeError(words);
};

const record = (name, value) => {
  const fits = value !== null && typeof value === "object" && !Array.isArray(value);
  return fits ? value : refuse(`${name} is missing`);
};

const record_or_array = (name, value) => (Array.isArray(value) ? value : record(name, value));

/** Finite numbers, so many. */
function row(name, value, length, what = "numbers") {
  const numbers = unpack(record_or_array(name, value));
  if (numbers.length !== length) refuse(`${name} has ${length} ${what}, not ${numbers.length}`);
  if (!Array.from(numbers).every(Number.isFinite))
    refuse(`${name} has numbers that are not finite`);
  return numbers;
}

const step = (name, value, least) => {
  count(name, value, least);
  return value <= LONGEST ? value : refuse(`${name} must be at most ${LONGEST}, got ${value}`);
};

/** A state of a generator. */
function generator(name, value) {
  const { words, used, waiting } = record(name, value);
  const whole = (word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32;
  if (!Array.isArray(words) || words.length !== WORDS || !words.every(whole)) {
    refuse(`${name} must have ${WORDS} whole numbers`);
  }
  if (words.every((word) => word === 0)) refuse(`${name} has only zeros, and stays there`);
  if (!(Number.isInteger(used) && used >= 0 && used <= WORDS)) refuse(`${name} has used ${used}`);
  if (waiting !== null && !Number.isFinite(waiting)) refuse(`${name} waits with ${waiting}`);
  return { words: [...words], used, waiting };
}

/** What an optimiser remembers of so many weights. */
function memory(name, value, optimiser, size) {
  const told = record(name, value);
  if (optimiser !== "adam") return {};

  const v = row(`${name}.v`, told.v, size);
  if (!v.every((square) => square >= 0)) refuse(`${name}.v has negative squares`);
  return { m: row(`${name}.m`, told.m, size), v, t: step(`${name}.t`, told.t, 0) };
}

/** The state of a GAN with networks of these sizes. */
function state(told, { G, D }) {
  const { optimiser } = record("state", told);
  const weights = {
    G: row("G", told.G, G.count, "weights"),
    D: row("D", told.D, D.count, "weights"),
  };
  if (!["adam", "sgd"].includes(optimiser)) refuse(`optimiser is ${optimiser}`);
  return {
    ...weights,
    opt_G: memory("opt_G", told.opt_G, optimiser, G.count),
    opt_D: memory("opt_D", told.opt_D, optimiser, D.count),
    optimiser,
    generator: generator("generator", told.generator),
    steps: step("steps", told.steps, 0),
  };
}

/** The lines of a record, each with the step and so many numbers. */
function past(lines, fields) {
  if (!Array.isArray(lines) || lines.length === 0 || lines.length > LINES) {
    refuse(`the record must have 1 to ${LINES} lines`);
  }
  return lines.map((line) => [...row("a line of the record", line, 1 + fields)]);
}

/** Steps between two lines of a record. */
function every(value) {
  return step("every", value, 1);
}

/** Points that were drawn. */
function points(value) {
  if (!Array.isArray(value) || value.length > POINTS) refuse(`there may be ${POINTS} points`);
  return value.map((point) => {
    const near = [...row("a point", point, 2)];
    if (!near.every((v) => Math.abs(v) <= FAR)) refuse(`a point lies beyond ${FAR}: ${near}`);
    return near;
  });
}

export const saved = { generator, state, past, every, points };
