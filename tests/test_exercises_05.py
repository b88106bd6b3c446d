"""The exercises of notebook 05: right answers pass, and each usual mistake gets its own hint."""

import pytest
import torch
from torch.nn.functional import softplus

from ganlib.exercises import check
from ganlib.labs.plane import modes
from ganlib.targets import Mixture

EIGHT = [
    "circling",
    "few data",
    "healthy",
    "starved",
    "collapse",
    "G too small",
    "blind D",
    "frozen",
]


def count(x, centres, sd, within=3, share=0.2):
    distance, nearest = torch.cdist(x, centres).min(1)
    good = torch.bincount(nearest[distance <= within * sd], minlength=len(centres))
    return (good >= share * len(x) / len(centres)).sum()


RIGHT = {
    "starved_share": [0.2 / 0.8, torch.tensor(0.25)],
    "reverse_kl_cost": [lambda t: -t, lambda t: 5 - t],
    "collapsed": [(0.5, 1.5)],
    "smooth_d_star": [0.225],
    "count_modes": [count, lambda x, centres, sd: modes(x, Mixture(centres, [sd]))[0]],
    "interval": [(1.122, 2.878), torch.tensor([1.1220, 2.8780])],
    "clinic": [EIGHT, [d.upper() for d in EIGHT]],
}
WRONG = [
    ("starved_share", 0.2, "over"),
    ("starved_share", 4, "Upside"),
    ("starved_share", 0.8, "the other pull"),
    ("starved_share", 7, "The ratio"),
    ("reverse_kl_cost", lambda t: t, "sign"),
    ("reverse_kl_cost", lambda t: -t.exp(), "likelihood"),
    ("reverse_kl_cost", lambda t: softplus(-t), "2 JS"),
    ("reverse_kl_cost", lambda t: t**2, "slope of"),
    ("collapsed", (1.5, 0.5), "Swapped"),
    ("collapsed", (0.5, 3), "Only half"),
    ("collapsed", (1, 1.5), "missing"),
    ("collapsed", (0, 0), "too far"),
    ("smooth_d_star", 0.25, "without"),
    ("smooth_d_star", 0.3, "Two-sided"),
    ("smooth_d_star", 0.9, "only data"),
    ("smooth_d_star", 0.5, "Put"),
    ("count_modes", lambda x, c, sd: count(x, c, sd, share=0.05), "2 %"),
    ("count_modes", lambda x, c, sd: count(x, c, sd, within=9), "4 sd"),
    ("count_modes", lambda x, c, sd: 4, "Neither"),
    ("count_modes", lambda x, c, sd: count(x, c, sd, share=1), "enough"),
    ("count_modes", lambda x, c, sd: 1, "Two sets"),
    ("interval", (1.380, 2.620), "many seeds"),
    ("interval", (2.878, 1.122), "lower end"),
    ("interval", (0.037, 3.963), "√5"),
    ("interval", (0, 1), "mean ±"),
    ("clinic", EIGHT[:7], "1 of eight are wrong; the first is run 8"),
    ("clinic", [*EIGHT[:3], "frozen", *EIGHT[4:]], "pull on G"),
    ("clinic", ["healthy"] * 8, "7 of eight are wrong; the first is run 1: compare its regret"),
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


@pytest.mark.parametrize("name", RIGHT)
def test_the_stub_is_not_answered(name, capsys):
    stub = {"reverse_kl_cost": lambda logit: ..., "count_modes": lambda x, centres, sd: ...}
    check(name, stub.get(name, ...))
    assert capsys.readouterr().out == f"{name}: not answered yet.\n"
