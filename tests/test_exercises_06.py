"""The exercises of notebook 06, DCGAN: right answers pass, and each usual mistake gets its own hint."""

import pytest
import torch

from ganlib.exercises import check

RIGHT = {
    "pixels_alone": [1024, 1024.0],
    "dcgan_side": [64],
    "dcgan_parameters": [32832],
    "midpoint_length": [16, 16.0, torch.tensor(16.0)],
    "frechet_normals": [10, 10.0],
    "copies_share": [0.55, 0.1 + 0.9 / 2],
}
WRONG = [
    ("pixels_alone", 1088, "free"),
    ("pixels_alone", 16, "one pixel"),
    ("pixels_alone", 17**64 - 1, "whole"),
    ("pixels_alone", 5, "levels"),
    ("dcgan_side", 32, "three"),
    ("dcgan_side", 128, "five"),
    ("dcgan_side", 16, "two"),
    ("dcgan_side", 94, "padding"),
    ("dcgan_side", 1, "Apply"),
    ("dcgan_parameters", 32768, "forgot"),
    ("dcgan_parameters", 32800, "norm has two"),
    ("dcgan_parameters", 32864, "no bias"),
    ("dcgan_parameters", 32896, "not 64"),
    ("dcgan_parameters", 8256, "not 4"),
    ("dcgan_parameters", 3, "kernels of"),
    ("midpoint_length", 32, "varies less"),
    ("midpoint_length", 4, "its square"),
    ("midpoint_length", 8, "variance"),
    ("frechet_normals", 18, "variances"),
    ("frechet_normals", 10**0.5, "root"),
    ("frechet_normals", 9, "spreads"),
    ("frechet_normals", 2, "μ′ = 3"),
    ("copies_share", 0.6, "nine tenths"),
    ("copies_share", 0.1, "Half"),
    ("copies_share", 55, "percent"),
    ("copies_share", 0.3, "1 − c"),
]


@pytest.mark.parametrize(
    "name, answer", [(name, answer) for name, answers in RIGHT.items() for answer in answers]
)
def test_right(name, answer, capsys):
    check(name, answer)
    assert capsys.readouterr().out == f"{name}: right.\n"


@pytest.mark.parametrize("name, answer, word", WRONG)
def test_wrong(name, answer, word, capsys):
    check(name, answer)
    words = capsys.readouterr().out
    assert words.startswith(f"{name}: not yet. ") and word in words
    others = {other for n, _, other in WRONG if n == name and other != word}
    assert not [other for other in others if other in words]  # each hint is its own


@pytest.mark.parametrize("name", RIGHT)
def test_stub(name, capsys):
    check(name, ...)
    assert "not answered yet" in capsys.readouterr().out
