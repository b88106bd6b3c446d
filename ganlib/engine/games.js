/**
 * Two players who follow the slopes of one V(x, y): ganlib/games.py. x goes down V, y goes up.
 *
 * A game gives, at (x, y), the slopes of V and its second derivatives: { x, y, xx, xy, yy }. So
 * nothing has to be differentiated here: F = (−V_x, V_y), with the matrix J = [[−V_xx, −V_xy],
 * [V_xy, V_yy]] of its own slopes.
 */

import { sigmoid } from "./special.js";

export const GAMES = {
  "bilinear: xy": (x, y) => ({ x: y, y: x, xx: 0, xy: 1, yy: 0 }),

  "convex-concave: xy + (x² − y²)/8": (x, y) => {
    return { x: y + x / 4, y: x - y / 4, xx: 1 / 4, xy: 1, yy: -1 / 4 };
  },

  "false cycle: xy + (cos 4y − cos 4x)/16": (x, y) => ({
    x: y + Math.sin(4 * x) / 4,
    y: x - Math.sin(4 * y) / 4,
    xx: Math.cos(4 * x),
    xy: 1,
    yy: -Math.cos(4 * y),
  }),
};

/**
 * V(θ, w) = E log σ(w x) + E log σ(−w (z + θ)), x and z of N(0, spread²): nodes and weights of
 * Gauss and Hermite sum up to the two means.
 */
export function smallest_gan({ nodes, weights }, spread) {
  return (theta, w) => {
    const slopes = { x: 0, y: 0, xx: 0, xy: 0, yy: 0 };
    nodes.forEach((node, i) => {
      const z = spread * node;
      const fake = z + theta;
      const real_D = sigmoid(w * z);
      const fake_D = sigmoid(w * fake);
      const real_bend = real_D * (1 - real_D);
      const fake_bend = fake_D * (1 - fake_D);

      slopes.x -= weights[i] * fake_D * w;
      slopes.y += weights[i] * ((1 - real_D) * z - fake_D * fake);
      slopes.xx -= weights[i] * fake_bend * w * w;
      slopes.xy -= weights[i] * (fake_D + fake_bend * w * fake);
      slopes.yy -= weights[i] * (real_bend * z * z + fake_bend * fake * fake);
    });
    return slopes;
  };
}

// -- small vectors and matrices -------------------------------------------------------------------

const plus = ([a, b], share, [c, d]) => [a + share * c, b + share * d];
const times = ([[a, b], [c, d]], [x, y]) => [a * x + b * y, c * x + d * y];
const product = (A, [[a, b], [c, d]]) => {
  const first = times(A, [a, c]);
  const second = times(A, [b, d]);
  return [
    [first[0], second[0]],
    [first[1], second[1]],
  ];
};
const transposed = ([[a, b], [c, d]]) => [
  [a, c],
  [b, d],
];
const shifted = (share, A, B) => A.map((row, i) => plus(row, share, B[i])); // A + share · B

const ONE = [
  [1, 0],
  [0, 1],
];
const ONLY_X = [
  [1, 0],
  [0, 0],
];
const ONLY_Y = [
  [0, 0],
  [0, 1],
];

/** Where the players want to go: F = (−V_x, V_y). */
export function field(game, [x, y]) {
  const slopes = game(x, y);
  return [-slopes.x, slopes.y];
}

function jacobian(game, [x, y]) {
  const { xx, xy, yy } = game(x, y);
  return [
    [-xx, -xy],
    [xy, yy],
  ];
}

// -- the rules ------------------------------------------------------------------------------------

// One way to move both players: `step` gives the next w; `near` the matrix of a step at a rest
// point where F = J w.
export const RULES = {
  simultaneous: {
    step: (game, w, before, lr) => plus(w, lr, field(game, w)),
    near: (J, lr) => shifted(lr, ONE, J),
  },

  alternating: {
    step(game, w, before, lr) {
      const x_moved = plus(w, lr, times(ONLY_X, field(game, w)));
      return plus(x_moved, lr, times(ONLY_Y, field(game, x_moved)));
    },
    near(J, lr) {
      const x_moved = shifted(lr, ONE, product(ONLY_X, J));
      return shifted(lr, x_moved, product(product(ONLY_Y, J), x_moved));
    },
  },

  extragradient: {
    step: (game, w, before, lr) => plus(w, lr, field(game, plus(w, lr, field(game, w)))),
    near: (J, lr) => shifted(lr, ONE, product(J, shifted(lr, ONE, J))),
  },

  optimistic: {
    step: (game, w, before, lr) => plus(plus(w, 2 * lr, field(game, w)), -lr, field(game, before)),
    near: null, // it needs two moments: see `factor`
  },

  consensus: {
    step(game, w, before, lr) {
      const F = field(game, w);
      return plus(w, lr, plus(F, -1, times(transposed(jacobian(game, w)), F)));
    },
    near: (J, lr) => shifted(lr, ONE, shifted(-1, J, product(transposed(J), J))),
  },
};

// -- eigenvalues ----------------------------------------------------------------------------------

/** The eigenvalues of a matrix of two rows, as [re, im]. */
function eigenvalues([[a, b], [c, d]]) {
  const half = (a + d) / 2;
  const under = ((a - d) / 2) ** 2 + b * c;
  const root = Math.sqrt(Math.abs(under));
  return under < 0
    ? [
        [half, root],
        [half, -root],
      ]
    : [
        [half + root, 0],
        [half - root, 0],
      ];
}

/** The square root of a complex number, the one whose real part is not negative. */
function complex_root([re, im]) {
  const size = Math.hypot(re, im);
  const real = Math.sqrt(Math.max(0, size + re) / 2);
  const imaginary = Math.sqrt(Math.max(0, size - re) / 2);
  return [real, im < 0 ? -imaginary : imaginary];
}

/**
 * By what the distance to the rest point (0, 0) is multiplied in a step, near it: the largest
 * |eigenvalue| of the step.
 */
export function factor(game, rule, lr) {
  const J = jacobian(game, [0, 0]);
  const { near } = RULES[rule];
  if (near !== null) return Math.max(...eigenvalues(near(J, lr)).map((one) => Math.hypot(...one)));

  // The optimistic step: μ² = (1 + 2 η λ) μ − η λ for each eigenvalue λ of J.
  const sizes = eigenvalues(J).flatMap(([re, im]) => {
    const b = [1 + 2 * lr * re, 2 * lr * im];
    const square = [b[0] ** 2 - b[1] ** 2 - 4 * lr * re, 2 * b[0] * b[1] - 4 * lr * im];
    const root = complex_root(square);
    return [1, -1].map((sign) => Math.hypot(b[0] + sign * root[0], b[1] + sign * root[1]) / 2);
  });
  return Math.max(...sizes);
}
