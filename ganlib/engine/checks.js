/**
 * Checks of settings: each gives the value back, or throws a RangeError that says what is
 * allowed.
 */

export function positive(name, value) {
  if (!(Number.isFinite(value) && value > 0)) {
    throw new RangeError(`${name} must be a positive number, got ${value}`);
  }
  return value;
}

export function finite(name, value) {
  if (!Number.isFinite(value))
    throw new RangeError(`${name} must be a finite number, got ${value}`);
  return value;
}

export function count(name, value, least = 1) {
  if (!(Number.isInteger(value) && value >= least)) {
    throw new RangeError(`${name} must be a whole number of at least ${least}, got ${value}`);
  }
  return value;
}

export function one_of(name, value, table) {
  if (!Object.keys(table).includes(value)) {
    throw new RangeError(`${name} must be one of ${Object.keys(table).join(", ")}, got ${value}`);
  }
  return value;
}

export function betas(name, value) {
  const fits = value.length === 2 && value.every((beta) => beta >= 0 && beta < 1);
  if (!fits) throw new RangeError(`${name} must be two numbers in [0, 1), got ${value}`);
  return value;
}
