/**
 * The GAN losses of ganlib/losses.py: what both players minimise, on logits y, and its slope there.
 *
 * D returns logits; the paper's D(x) is sigmoid(y). Each loss is a mean over examples, so an entry
 * gives for one example [cost, slope of the cost at y]: `real` and `fake` for D, `G` for G.
 * A penalty turns the slopes s = ∂y/∂x of D into [cost, direction]: the cost of one example, and ẋ,
 * the slope of that cost at s, along which networks.js differentiates once more.
 */

import { sigmoid, softplus } from "./special.js";

const step = (y) => (y > 20 ? 1 : sigmoid(y)); // the slope of softplus, as torch has it

const relu = (y) => Math.max(y, 0);

const log_loss = {
  real: (y) => [softplus(-y), -step(-y)], // −log D(x)
  fake: (y) => [softplus(y), step(y)], // −log(1 − D(G(z)))
};

const middle = (y) => {
  const D = sigmoid(y);
  return [D, D * (1 - D)];
};

const minus = ([cost, slope]) => [-cost, -slope];

export const LOSSES = {
  // V(D, G) itself, a zero-sum game. Goodfellow et al. 2014, eq. 1.
  minimax: { ...log_loss, G: (y) => [-softplus(y), -step(y)] }, // log(1 − D(G(z)))

  // The same D; G maximises log D(G(z)). Ibid., section 3.
  "non-saturating": { ...log_loss, G: (y) => [softplus(-y), -step(-y)] }, // −log D(G(z))

  // Targets 1, −1 for D and 0 for G. Mao et al. 2017, arXiv:1611.04076.
  "least-squares": {
    real: (y) => [(y - 1) ** 2 / 2, y - 1],
    fake: (y) => [(y + 1) ** 2 / 2, y + 1],
    G: (y) => [y ** 2 / 2, y],
  },

  // D is asked for a margin. Lim & Ye 2017, arXiv:1705.02894.
  hinge: {
    real: (y) => [relu(1 - y), y < 1 ? -1 : 0],
    fake: (y) => [relu(1 + y), y > -1 ? 1 : 0],
    G: (y) => [-y, -1],
  },

  // W1 if D is 1-Lipschitz. Arjovsky et al. 2017, arXiv:1701.07875.
  wasserstein: { real: (y) => [-y, -1], fake: (y) => [y, 1], G: (y) => [-y, -1] },

  // E[D(x)] − E[D(G(z))] with D in [0, 1].
  linear: { real: (y) => minus(middle(y)), fake: middle, G: (y) => minus(middle(y)) },
};

export const PENALTIES = {
  // ½ E‖∇D(x)‖² at the real data. Mescheder et al. 2018, eq. 9, arXiv:1801.04406.
  r1: {
    at: "real",
    direction: () => 1, // ẋ = s
  },

  // E(‖∇D(x̂)‖ − 1)², x̂ uniform on the lines from real to fake.
  // Gulrajani et al. 2017, arXiv:1704.00028.
  "gradient penalty": {
    at: "between",
    direction: (square) => {
      const r = Math.sqrt(square + 1e-12);
      return (2 * (r - 1)) / r; // ẋ = 2 (r − 1)/r · s
    },
  },
};
