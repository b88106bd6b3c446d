"""Answers to the exercises of notebook 01, Maximum likelihood and KL."""

from math import log

import torch
from torch.special import xlogy

from ganlib import divergences


def naive(p, q):
    return (p * (p / q).log()).sum()


def half_naive(p, q):
    return xlogy(p, p / q).sum()


def safe(p, q):
    return (xlogy(p, p) - xlogy(p, q)).sum()


def finite(p, q):
    return sum(a * log(a / max(b, 1e-9)) for a, b in zip(p.tolist(), q.tolist()) if a > 0)


RIGHT = {
    "nll_split": [(0.481, 1.419), torch.tensor([0.4811, 1.4189])],
    "bits_and_nats": [0.3466, 0.5 * log(2)],
    "kl_by_hand": [safe, divergences.kl],
    "reverse_kl_fit": [(3, 0.5, -log(0.7)), [2.99, 0.51, 0.357]],
}

# fmt: off
WRONG = {
    "nll_split": [
        ((1.419, 0.481), "order"),
        ((0.481, 0),     "Not 0"),
        (0.481,          "got 0.481"),
        ((1.9, 1.419),   "whole"),
    ],
    "bits_and_nats": [
        (0.5,   "in bits"),
        (0.721, "divided"),
        (1.906, "whole cost"),
        (3,     "2.75 − 2.25"),
        ("a",   "is no number"),
    ],
    "kl_by_hand": [
        (naive,                            "gives nan"),
        (finite,                           "inf"),
        (lambda p, q: safe(q, p),          "swap"),
        (half_naive,                       "both are 0"),
        (lambda p, q: safe(p, q) / log(2), "log₂"),
        (lambda p, q: 0,                   "For p = "),
        (lambda p, q: -safe(p, q),         "sign"),
        (lambda p, q: -xlogy(p, q).sum(),  "cross"),
        (0.3,                              "function"),
    ],
    "reverse_kl_fit": [
        ((1.2, 2.8, 1.1), "mean of all of p"),
        ((-3, 0.5, 1.2),  "lighter"),
        ((3, 2, 1),       "one mode"),
        ((3, 0.5, 0),     "Not free"),
        ((3, 0.5, 0.515), "bit"),
        ((3, 0.5, 0.9),   "one logarithm"),
        ((3, 0.5),        "Three numbers"),
    ],
}
# fmt: on
