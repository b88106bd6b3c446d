"""The exercises of notebook 03: right answers pass, and each usual mistake gets its own hint."""

import numpy as np
import pytest
import torch

from ganlib.exercises import check

RIGHT = {
    "zero_sum": ["ac", "a, c", {"c", "a"}, "CA"],
    "two_by_two": [(2.5, 0.25, 0.5), torch.tensor([2.5, 0.25, 0.5])],
    "growth": [1.04**50, 7.107, torch.tensor(7.1067)],
    "extragradient": [(-0.25, 2.0), np.array([-0.25, 2])],
}
WRONG = [
    ("zero_sum", "a", "c the sum"),
    ("zero_sum", "c", "In a"),
    ("zero_sum", "abc", "b and of d"),
    ("zero_sum", "acx", "In a"),
    ("two_by_two", (2.5, 0.5, 0.25), "swapped"),
    ("two_by_two", (2.5, 0.75, 0.5), "second row"),
    ("two_by_two", (2, 0, 1), "fixed choice"),
    ("two_by_two", (1, 0.5, 0.5), "n = a"),
    ("two_by_two", (2.5,), "n = a"),
    ("growth", 1.04**100, "squared"),
    ("growth", 1.2**100, "Pythagoras"),
    ("growth", 1.0198, "single"),
    ("growth", 3.0, "there are 100"),
    ("extragradient", (0, 2.5), "look ahead. Now"),
    ("extragradient", (-1.25, 2.5), "walked on"),
    ("extragradient", (2.25, 3), "sign"),
    ("extragradient", (9, 9), "put its"),
    ("growth", "much", "failed with ValueError"),
    ("zero_sum", 3, "failed with TypeError"),
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
    check(name, ...)
    assert capsys.readouterr().out == f"{name}: not answered yet.\n"
