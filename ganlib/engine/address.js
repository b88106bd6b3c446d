/**
 * All knobs of a lab in the part of an address behind #, as `#target=two+modes&lr_G=0.002`: so a
 * situation can be sent as a link.
 */

import { checked, shortened } from "../stage/js/checked.js";

const SWITCHED = new Map([
  ["true", true],
  ["false", false],
]);

/** The part of an address that names these values. */
export function fragment(values) {
  const pairs = Object.entries(values).map(([key, value]) => [key, String(value)]);
  return `#${new URLSearchParams(pairs)}`;
}

/** The name of the lab that an address asks for, if any. */
export function lab_of(address) {
  return pairs_of(address).get("lab");
}

/**
 * What an address says of the controls of a scene: `values` by key; and what is `refused`, in
 * sentences.
 */
export function read(address, scene) {
  const values = {};
  const refused = [];
  for (const [key, text] of pairs_of(address)) {
    if (key === "lab") continue;

    const control = scene.controls.find((one) => one.key === key && "value" in one);
    try {
      if (!control) throw new RangeError(`this lab has no control ${shortened(key)}`);
      values[key] = checked(control, value_of(control, text));
    } catch (error) {
      refused.push(error.message);
    }
  }
  return { values, refused };
}

function pairs_of(address) {
  return new URLSearchParams(address.replace(/^[^#]*#?/, ""));
}

/** The text of a switch as what it means. */
function value_of(control, text) {
  if (control.kind !== "toggle") return text;
  return SWITCHED.get(text.toLowerCase()) ?? text;
}
