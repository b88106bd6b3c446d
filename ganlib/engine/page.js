/** Labs that train in the page they stand in: they need neither a kernel nor a network. */

import { make } from "../stage/js/dom.js";
import { render } from "../stage/js/widget.js";
import { lab_of } from "./address.js";
import { Detective, Knots, TwoTerms } from "./discriminator.js";
import { GANLab } from "./gan_lab.js";
import { PlaneLab } from "./plane_lab.js";
import { Players } from "./players.js";
import { fastest } from "./wasm.js";

const TRAINED = { GANLab, PlaneLab };
const BY_HAND = { Detective, Knots, Players, TwoTerms };

/** Whether the address of the page speaks of this lab; without a name it means the first one. */
function is_meant(told, address) {
  const named = lab_of(address);
  const here = Object.hasOwn(TRAINED, named) ? named === told.lab : told.first;
  return named === null ? told.first && address.includes("=") : here;
}

/** The lab that is told of; one that trains, on the fastest engine that there is. */
export async function lab_from(told, wasm) {
  if (Object.hasOwn(BY_HAND, told.lab)) return new BY_HAND[told.lab](told);

  const ops = await fastest(wasm);
  const lab = new TRAINED[told.lab](told, ops);
  if (!ops.fast) lab.asides.engine = `Slower than usual: ${ops.kind}.`;
  return lab;
}

/** Bring a lab into sight, and keep it there for a second: what is above it finds its size. */
function bring(place) {
  const watch = new ResizeObserver(() => place.scrollIntoView());
  watch.observe(document.body);
  setTimeout(() => watch.disconnect(), 1000);
}

/**
 * Put a lab into `el`. told: its description, as labs/in_page.py writes it; wasm: engine.wasm in
 * base64. What stood in `el`, a picture with its words, stays if the browser cannot show the lab.
 */
export async function mount(el, told, wasm) {
  try {
    if (make("canvas").getContext("2d") === null) throw new Error("it draws no canvas");

    const lab = await lab_from(told, wasm);
    if (is_meant(told, location.hash)) lab.open(location.hash);
    lab.show();

    const place = make("div");
    render({ model: lab, el: place });
    el.replaceChildren(place);
    el.lab = lab;
    if (is_meant(told, location.hash)) bring(place);
    window.addEventListener("hashchange", () => {
      if (is_meant(told, location.hash)) lab.go(location.hash);
    });
  } catch (error) {
    el.append(make("p", {}, `This browser cannot train the lab: ${error.message}.`));
  }
}
