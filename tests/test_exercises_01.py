"""The exercises of notebook 01: right answers pass, and each usual mistake gets its own hint."""

import math

import pytest
import torch
from torch.special import xlogy

from ganlib import divergences
from ganlib.exercises import check


def naive(p, q):
    return (p * (p / q).log()).sum()


def safe(p, q):
    return (xlogy(p, p) - xlogy(p, q)).sum()


def finite(p, q):
    return sum(a * math.log(a / max(b, 1e-9)) for a, b in zip(p.tolist(), q.tolist()) if a > 0)


RIGHT = {
    "nll_split": [(0.481, 1.419), torch.tensor([0.4811, 1.4189])],
    "bits_and_nats": [0.3466, 0.5 * math.log(2)],
    "kl_by_hand": [safe, divergences.kl],
    "reverse_kl_fit": [(3, 0.5, -math.log(0.7)), [2.99, 0.51, 0.357]],
}
WRONG = [
    ("nll_split", (1.419, 0.481), "order"),
    ("nll_split", (0.481, 0), "Not 0"),
    ("nll_split", 0.481, "Two"),
    ("nll_split", (1.9, 1.419), "whole"),
    ("bits_and_nats", 0.5, "in bits"),
    ("bits_and_nats", 0.721, "divided"),
    ("bits_and_nats", 1.906, "whole cost"),
    ("bits_and_nats", 3, "2.75 − 2.25"),
    ("bits_and_nats", "a", "failed"),
    ("kl_by_hand", naive, "nan"),
    ("kl_by_hand", finite, "inf"),
    ("kl_by_hand", lambda p, q: safe(q, p), "swap"),
    ("kl_by_hand", lambda p, q: xlogy(p, p / q).sum(), "both are 0"),
    ("kl_by_hand", lambda p, q: safe(p, q) / math.log(2), "log₂"),
    ("kl_by_hand", lambda p, q: 0, "nats"),
    ("kl_by_hand", lambda p, q: -safe(p, q), "sign"),
    ("kl_by_hand", lambda p, q: -xlogy(p, q).sum(), "cross"),
    ("kl_by_hand", 0.3, "failed"),
    ("reverse_kl_fit", (1.2, 2.8, 1.1), "mean of all of p"),
    ("reverse_kl_fit", (-3, 0.5, 1.2), "lighter"),
    ("reverse_kl_fit", (3, 2, 1), "one mode"),
    ("reverse_kl_fit", (3, 0.5, 0), "Not free"),
    ("reverse_kl_fit", (3, 0.5, 0.515), "bit"),
    ("reverse_kl_fit", (3, 0.5, 0.9), "one logarithm"),
    ("reverse_kl_fit", (3, 0.5), "failed"),
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


def test_the_numbers_of_the_checks_are_those_of_the_laws():
    from ganlib.densities import line

    x = line(-12, 12, 2000)

    def normal(mean, std):
        return torch.distributions.Normal(mean, std).log_prob(x).exp()

    p, q = 0.3 * normal(-3.0, 0.5) + 0.7 * normal(3.0, 0.5), normal(3.0, 0.5)
    assert divergences.kl(q, p, x).item() == pytest.approx(-math.log(0.7), abs=1e-6)
    assert all(
        divergences.kl(normal(3.0 + m, 0.5 + s), p, x) > divergences.kl(q, p, x)
        for m, s in ((0.1, 0), (-0.1, 0), (0, 0.05), (0, -0.05))
    )
    assert divergences.entropy(normal(0.0, 1.0), x).item() == pytest.approx(1.419, abs=5e-4)
