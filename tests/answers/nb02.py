"""Answers to the exercises of notebook 02, The taxonomy, running."""

from math import log, log2

import numpy as np
import torch

WEIGHT = (1, 2, 3)
Q = ((0.0, 0.9, 0.1), (0.3, 0.0, 0.7), (0.5, 0.5, 0.0))


def rule(formula):
    """accept(i, j) from a formula of both weights, the probability to propose this, and back."""
    return lambda i, j: formula(WEIGHT[i], WEIGHT[j], Q[i][j], Q[j][i])


# fmt: off
hastings     = rule(lambda p, p2, q, back: min(1, p2 * back / (p * q)))
barker       = rule(lambda p, p2, q, back: p2 * back / (p2 * back + p * q))
ratio        = rule(lambda p, p2, q, back: p2 * back / (p * q))
metropolis   = rule(lambda p, p2, q, back: min(1, p2 / p))
weights_down = rule(lambda p, p2, q, back: min(1, p * back / (p2 * q)))
qs_down      = rule(lambda p, p2, q, back: min(1, p2 * q / (p * back)))
never        = rule(lambda p, p2, q, back: 0)
always       = rule(lambda p, p2, q, back: 1)
# fmt: on

RIGHT = {
    "elbo_by_hand": [
        (log(0.2), log(1.25)),
        np.array([-1.609, 0.223]),
        torch.tensor([-1.6094, 0.2231]),
    ],
    "acceptance": [hastings, barker],
    "eight_models": ["tttvmcdt", "t t t v m c d t", list("TTTVMCDT")],
}

# fmt: off
WRONG = {
    "elbo_by_hand": [
        ((log(0.2), -0.223),  "ELBO is right"),
        ((log2(0.2), 0.3),    "bits"),
        ((log(0.25), 0.0),    "averages logarithms"),
        ((log(0.1), 0.9),     "entropy of q"),
        ((2 * log(0.2), 1.8), "left q out"),
        ((7.0, 7.0),          "with the weights"),
        (3,                   "Two numbers"),
    ],
    "acceptance": [
        (ratio,        "cut the ratio"),
        (never,        "useless"),
        (metropolis,   "symmetric"),
        (weights_down, "weights are upside down"),
        (qs_down,      "q's are upside down"),
        (always,       "Detailed balance fails"),
    ],
    "eight_models": [
        ("ttt",      "out of t, v, m, d, c are asked, got 3"),
        ("xttvmcdt", "out of t, v, m, d, c are asked, got 8"),
        ("tttvmddt", "Number 6"),
        ("tvtvmcdt", "Number 2"),
        ("tttvmcdd", "Number 8"),
    ],
}
# fmt: on

STUBS = {
    "acceptance": [lambda i, j: ...],
}
