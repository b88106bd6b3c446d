/** How the learning rates fall while a GAN trains: `fall` of ganlib/schedule.py. */

/**
 * What both rates are multiplied with at a step of a run: min(1, max(floor, 2 − 2 step / steps)).
 */
export function fall(step, steps, floor = 0.01) {
  return Math.min(1, Math.max(floor, 2 - (2 * step) / steps));
}
