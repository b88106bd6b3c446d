"""Answers to the exercises of notebook 05, Losses and failure."""

import json
import math
from pathlib import Path

import torch
from torch.nn.functional import softplus

from ganlib.metrics import modes
from ganlib.targets import Mixture

# What the eight runs are, the recording itself knows.
FAILURES = Path(__file__).parents[2] / "images/failures.json"
CLINIC = list(json.loads(FAILURES.read_text(encoding="utf-8"))["clinic"])

not_starved = ["frozen" if run == "starved" else run for run in CLINIC]


def count(x, centres, sd, within=3, share=0.2):
    distance, nearest = torch.cdist(x, centres).min(1)
    good = torch.bincount(nearest[distance <= within * sd], minlength=len(centres))
    return (good >= share * len(x) / len(centres)).sum()


def count_of_ganlib(x, centres, sd):
    return modes(x, Mixture(centres, [sd]))[0]


def count_of_the_good(x, centres, sd):
    """The usual mistake: the fair part of the good samples only."""
    return count(x[torch.cdist(x, centres).amin(1) <= 3 * sd], centres, sd)


def count_in_boxes(x, centres, sd):
    """The usual mistake: 3 sd along each axis."""
    apart, nearest = torch.cdist(x, centres, p=math.inf).min(1)
    good = torch.bincount(nearest[apart <= 3 * sd], minlength=len(centres))
    return (good >= 0.2 * len(x) / len(centres)).sum()


RIGHT = {
    "starved_share": [0.2 / 0.8, torch.tensor(0.25)],
    "reverse_kl_cost": [lambda t: -t, lambda t: 5 - t, lambda t: -t.numpy()],
    "collapsed": [(0.5, 1.5)],
    "smooth_d_star": [0.225],
    "count_modes": [count, count_of_ganlib],
    "interval": [(1.122, 2.878), torch.tensor([1.1220, 2.8780])],
    "clinic": [CLINIC, [diagnosis.upper() for diagnosis in CLINIC]],
}

# fmt: off
WRONG = {
    "starved_share": [
        (0.2, "divide"),
        (4,   "Upside"),
        (0.8, "the other pull"),
        (7,   "The ratio"),
    ],
    "reverse_kl_cost": [
        (lambda t: t,            "sign"),
        (lambda t: -t.exp(),     "likelihood"),
        (lambda t: softplus(-t), "2 KL"),
        (lambda t: t**2,         "slope of"),
    ],
    "collapsed": [
        ((1.5, 0.5), "Swapped"),
        ((0.5, 3),   "Only half"),
        ((1, 1.5),   "missing"),
        ((0, 0),     "too far"),
    ],
    "smooth_d_star": [
        (0.25, "without"),
        (0.3,  "Two-sided"),
        (0.9,  "only data"),
        (0.5,  "Put"),
    ],
    "count_modes": [
        (lambda x, centres, sd: count(x, centres, sd, share=0.1),    "19 of 400"),
        (lambda x, centres, sd: count(x, centres, sd, share=0.185),  "19 of 400"),
        (lambda x, centres, sd: count(x, centres, sd, share=0.215),  "is enough"),
        (lambda x, centres, sd: count(x, centres, sd, share=1),      "is enough"),
        (count_of_the_good,                                          "n counts the bad"),
        (lambda x, centres, sd: count(x, centres, sd, within=3.2),   "3.1 sd away"),
        (lambda x, centres, sd: count(x, centres, sd, within=9),     "3.1 sd away"),
        (lambda x, centres, sd: count(x, centres, sd, within=2.8),   "2.9 sd"),
        (count_in_boxes,                                             "Euclidean"),
        (lambda x, centres, sd: count(x, centres, 0.1),              "sd is given"),
        (lambda x, centres, sd: 4,                                   "Neither"),
        (lambda x, centres, sd: 1,                                   "Four sets"),
    ],
    "interval": [
        ("1.122, 2.878", "Two numbers"),
        ((1.380, 2.620), "many seeds"),
        ((2.878, 1.122), "lower end"),
        ((0.037, 3.963), "Divide the sd"),
        ((0, 1),         "mean ±"),
    ],
    "clinic": [
        (CLINIC[:7],      "1 of eight are wrong; the first is run 8: look at the pull on G"),
        (not_starved,     "1 of eight are wrong; the first is run 4: look at the pull on G"),
        (["healthy"] * 8, "7 of eight are wrong; the first is run 1: compare its regret"),
    ],
}
# fmt: on

STUBS = {
    "reverse_kl_cost": [lambda logit: ...],
    "count_modes": [lambda x, centres, sd: ...],
}
