"""The exercises of notebook 02: right answers pass, and each usual mistake gets its own hint."""

import math

import numpy as np
import pytest
import torch

from ganlib.exercises import check

WEIGHT, Q = (1, 2, 3), ((0.0, 0.9, 0.1), (0.3, 0.0, 0.7), (0.5, 0.5, 0.0))


def rule(formula):
    return lambda i, j: formula(WEIGHT[i], WEIGHT[j], Q[i][j], Q[j][i])


HASTINGS = rule(lambda p, p2, q, back: min(1, p2 * back / (p * q)))
BARKER = rule(lambda p, p2, q, back: p2 * back / (p2 * back + p * q))
RIGHT = {
    "elbo_by_hand": [
        (math.log(0.2), math.log(1.25)),
        np.array([-1.609, 0.223]),
        torch.tensor([-1.6094, 0.2231]),
    ],
    "acceptance": [HASTINGS, BARKER],
    "eight_models": ["tttvmcdt", "t t t v m c d t", list("TTTVMCDT")],
}
WRONG = [
    ("elbo_by_hand", (math.log(0.2), -0.223), "ELBO is right"),
    ("elbo_by_hand", (math.log2(0.2), 0.3), "bits"),
    ("elbo_by_hand", (math.log(0.25), 0.0), "averages logarithms"),
    ("elbo_by_hand", (math.log(0.1), 0.9), "entropy of q"),
    ("elbo_by_hand", (2 * math.log(0.2), 1.8), "left q out"),
    ("elbo_by_hand", (7.0, 7.0), "with the weights"),
    ("elbo_by_hand", 3, "failed with TypeError"),
    ("acceptance", rule(lambda p, p2, q, back: p2 * back / (p * q)), "cut the ratio"),
    ("acceptance", rule(lambda *_: 0), "useless"),
    ("acceptance", rule(lambda p, p2, q, back: min(1, p2 / p)), "symmetric"),
    (
        "acceptance",
        rule(lambda p, p2, q, back: min(1, p * back / (p2 * q))),
        "weights are upside down",
    ),
    ("acceptance", rule(lambda p, p2, q, back: min(1, p2 * q / (p * back))), "q's are upside down"),
    ("acceptance", rule(lambda *_: 1), "Detailed balance fails"),
    ("eight_models", "ttt", "got 3"),
    ("eight_models", "xttvmcdt", "out of"),
    ("eight_models", "tttvmddt", "Number 6"),
    ("eight_models", "tvtvmcdt", "Number 2"),
    ("eight_models", "tttvmcdd", "Number 8"),
]


@pytest.mark.parametrize(
    "name, answer", [(name, answer) for name, answers in RIGHT.items() for answer in answers]
)
def test_right(name, answer, capsys):
    check(name, answer)
    assert capsys.readouterr().out == f"{name}: right.\n"


@pytest.mark.parametrize("name, answer, word", WRONG)
def test_wrong_answers_get_their_own_hint(name, answer, word, capsys):
    check(name, answer)
    out = capsys.readouterr().out
    assert out.startswith(f"{name}: not yet. ") and word in out


@pytest.mark.parametrize(
    "name, stub", [*((name, ...) for name in RIGHT), ("acceptance", lambda i, j: ...)]
)
def test_the_stub_is_not_answered(name, stub, capsys):
    check(name, stub)
    assert capsys.readouterr().out == f"{name}: not answered yet.\n"
