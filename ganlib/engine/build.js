/** From the plain descriptions that export.py writes to networks, laws and a GAN. */

import { GAN } from "./gan.js";
import { Network } from "./networks.js";
import { law } from "./targets.js";

/**
 * A network from { sizes, cover } and either its `weights` in torch's order or the `seed` of
 * them.
 */
export function network(ops, { sizes, cover = null, weights = null, seed = 0 }) {
  const net = new Network(ops, sizes, cover);
  if (weights === null) return net.reinitialise(seed);

  if (weights.length !== net.count) {
    throw new RangeError(`${sizes} has ${net.count} weights, got ${weights.length}`);
  }
  net.p.set(weights);
  return net;
}

/** A GAN from { G, D, prior, settings }, ready to train on `ops`. */
export function gan(ops, { G, D, prior, settings = {} }) {
  return new GAN(network(ops, G), network(ops, D), law(prior), settings);
}
