"""The exercises of notebook 07, the U-Net: right answers pass, and each usual mistake gets its own hint."""

import pytest

from ganlib.exercises import check

RIGHT = {
    "blur_of_averages": [(-0.2, -1), [0.4 - 0.6, -1.0]],
    "unet_bottleneck": [512, 128 * 2**2],
    "receptive_field": [70],
    "choose_cost": ["L1"],
}
WRONG = [
    ("blur_of_averages", (-1, -0.2), "swapped"),
    ("blur_of_averages", (-0.2, -0.2), "Only L2"),
    ("blur_of_averages", (-1, -1), "Only L1"),
    ("blur_of_averages", (0.2, -1), "sign"),
    ("blur_of_averages", (0.5, 1), "middle"),
    ("blur_of_averages", 3, "middle"),
    ("unet_bottleneck", 128, "side is 2"),
    ("unet_bottleneck", 2048, "there are five"),
    ("unet_bottleneck", 4, "Each of"),
    ("unet_bottleneck", 7, "Halve"),
    ("receptive_field", 46, "there are two"),
    ("receptive_field", 94, "double"),
    ("receptive_field", 16, "multiply"),
    ("receptive_field", 28, "forwards"),
    ("receptive_field", 3, "Backwards"),
    ("choose_cost", "L1 + GAN", "invents"),
    ("choose_cost", "L2", "not offered"),
    ("choose_cost", "GAN", "Alone"),
    ("choose_cost", "both", "Answer with"),
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
