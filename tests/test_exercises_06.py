"""The exercises of notebooks 06 and 07: right answers pass, and each usual mistake gets its own hint."""

import pytest
import torch

from ganlib.exercises import check

RIGHT = {"pixels_alone": [1024, 1024.0], "dcgan_side": [64], "dcgan_parameters": [32832],
         "midpoint_length": [16, 16.0, torch.tensor(16.0)], "frechet_normals": [10, 10.0],
         "copies_share": [0.55, 0.1 + 0.9 / 2], "blur_of_averages": [(-0.2, -1), [0.4 - 0.6, -1.0]],
         "unet_bottleneck": [512], "receptive_field": [70], "choose_cost": ["L1"]}
WRONG = [("pixels_alone", 1088, "free"), ("pixels_alone", 16, "one pixel"), ("pixels_alone", 17**64 - 1, "whole"),
         ("pixels_alone", 5, "levels"), ("dcgan_side", 32, "three"), ("dcgan_side", 128, "five"),
         ("dcgan_side", 16, "two"), ("dcgan_side", 94, "padding"), ("dcgan_side", 1, "Apply"),
         ("dcgan_parameters", 32768, "forgot"), ("dcgan_parameters", 32800, "norm has two"),
         ("dcgan_parameters", 32864, "no bias"), ("dcgan_parameters", 32896, "not 64"),
         ("dcgan_parameters", 8256, "not 4"), ("dcgan_parameters", 3, "kernels of"),
         ("midpoint_length", 32, "varies less"), ("midpoint_length", 4, "its square"),
         ("midpoint_length", 8, "variance"),
         ("frechet_normals", 18, "variances"), ("frechet_normals", 10**0.5, "root"), ("frechet_normals", 9, "spreads"),
         ("frechet_normals", 2, "μ′ = 3"), ("copies_share", 0.6, "nine tenths"), ("copies_share", 0.1, "Half"),
         ("copies_share", 55, "percent"), ("copies_share", 0.3, "1 − c"),
         ("blur_of_averages", (-1, -0.2), "swapped"), ("blur_of_averages", (-0.2, -0.2), "Only L2"),
         ("blur_of_averages", (0.2, -1), "sign"), ("blur_of_averages", (0.5, 1), "middle"),
         ("blur_of_averages", 3, "failed with TypeError"), ("unet_bottleneck", 128, "side is 2"),
         ("unet_bottleneck", 2048, "three"), ("unet_bottleneck", 4, "Each of"), ("unet_bottleneck", 7, "Halve"),
         ("receptive_field", 46, "there are two"), ("receptive_field", 94, "double"),
         ("receptive_field", 16, "multiply"), ("receptive_field", 28, "forwards"), ("receptive_field", 3, "Backwards"),
         ("choose_cost", "L1 + GAN", "invents"), ("choose_cost", "L2", "Answer with")]


@pytest.mark.parametrize("name, answer", [(name, answer) for name, answers in RIGHT.items() for answer in answers])
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
