"""The checks of notebook 02, The taxonomy, running."""

from itertools import permutations
from math import log, log2

import numpy as np

from ganlib.exercises import OF_FUNCTION, _as_many, _function, _letters, _numbers

# The letter of each of the eight models, and why.
# fmt: off
EIGHT = [
    ("t", "A language model multiplies conditionals: the chain rule."),
    ("t", "A sum of normals is a formula for p(x)."),
    ("t", "An invertible map gives p(x) by the change of variables."),
    ("v", "A VAE maximises a bound on log p(x)."),
    ("m", "A Boltzmann machine has p(x) up to Z, and draws by a chain."),
    ("c", "A generative stochastic network learns to walk: no formula, and a chain."),
    ("d", "DCGAN draws in one pass and has no formula."),
    ("t", "PixelCNN multiplies conditionals, pixel by pixel."),
]

_elbo = _numbers(
    log(0.2),
    "Average log(p(x, z)/q(z)) over z with the weights q(z), where p(x, z) = ½ p(x|z).",
    {
        log2(0.2):    "In bits that is right; nats are asked.",
        log(0.1):     "You left out the entropy of q: add log 2.",
        log(0.25):    "That is log p(x) itself; the ELBO averages logarithms.",
        2 * log(0.2): "You left q out of the average: weight each logarithm by ½.",
    },
)
_gap = _numbers(
    log(1.25),
    "The ELBO is right. The gap is log p(x) − ELBO, with p(x) = 0.25.",
    {},
)
# fmt: on


def elbo_by_hand(answer):
    """(ELBO, its gap to log p(x))."""
    elbo, gap = _as_many(answer, 2)
    hint = _elbo(elbo)
    if hint:
        return hint
    return _gap(gap)


def acceptance(accept):
    """A function (i, j) that gives the probability with which a step from i to j is accepted."""
    weight = np.array([[1], [2], [3]])
    q = np.array([[0, 0.9, 0.1], [0.3, 0, 0.7], [0.5, 0.5, 0]])

    accept = _function(accept)
    accepted = np.zeros((3, 3))
    for i, j in permutations(range(3), 2):
        (accepted[i, j],) = _as_many(accept(i, j), 1, OF_FUNCTION)

    def balanced(flow):
        """Is detailed balance kept, if `flow` is what is proposed from i to j?"""
        return np.allclose(flow * accepted, (flow * accepted).T, rtol=1e-9, atol=0)

    if not ((accepted >= 0) & (accepted <= 1)).all():
        return "A probability lies between 0 and 1: cut the ratio off at 1."
    if not accepted.any():
        return "Nobody ever moves: balanced, and useless."
    if balanced(weight * q):
        return None
    if balanced(weight):
        return "Right for symmetric proposals; here q belongs in the ratio too."
    if balanced(q / weight):
        return "The weights are upside down: weight[j] stands above."
    if balanced(weight * q.T):
        return "The q's are upside down: the way back, q[j][i], stands above."
    return (
        "Detailed balance fails: weight[i] q[i][j] accept(i, j) must equal "
        "weight[j] q[j][i] accept(j, i)."
    )


def eight_models(answer):
    """The eight letters, as one word or a list."""
    letters = _letters(answer)
    if len(letters) != len(EIGHT) or set(letters) - set("tvmdc"):
        return f"Eight letters out of t, v, m, d, c are asked, got {len(letters)}."

    for number, (letter, (right, why)) in enumerate(zip(letters, EIGHT), 1):
        if letter != right:
            return f"Number {number}: {why}"
    return None
