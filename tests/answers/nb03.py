"""Answers to the exercises of notebook 03, Zero-sum games."""

import numpy as np
import torch

RIGHT = {
    "zero_sum": ["ac", "a, c", {"c", "a"}, "CA"],
    "two_by_two": [(2.5, 0.25, 0.5), torch.tensor([2.5, 0.25, 0.5])],
    "growth": [1.04**50, 7.107, torch.tensor(7.1067)],
    "extragradient": [(-0.25, 2.0), np.array([-0.25, 2])],
}

# fmt: off
WRONG = {
    "zero_sum": [
        ("a",   "c the sum"),
        ("c",   "In a"),
        ("abc", "b and of d"),
        ("acx", "out of a, b"),
        (3,     "Letters are asked"),
    ],
    "two_by_two": [
        ((2.5, 0.5, 0.25), "swapped"),
        ((2.5, 0.75, 0.5), "second row"),
        ((2, 0, 1),        "fixed choice"),
        ((1, 0.5, 0.5),    "n = a"),
        ((2.5,),           "Three numbers"),
    ],
    "growth": [
        (1.04**100, "squared"),
        (1.2**100,  "Pythagoras"),
        (1.0198,    "single"),
        (3.0,       "there are 100"),
        ("much",    "no number"),
    ],
    "extragradient": [
        ((0, 2.5),     "look ahead. Now"),
        ((-1.25, 2.5), "walked on"),
        ((2.25, 3),    "sign"),
        ((9, 9),       "put its"),
    ],
}
# fmt: on
