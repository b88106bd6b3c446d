"""A scene that cannot be right is refused when it is made, by the name of what is wrong."""

import json

import all_labs
import pytest

from ganlib.stage.scene import (
    Axes,
    Button,
    Choice,
    Heat,
    Line,
    Number,
    Points,
    Scene,
    Slider,
    Toggle,
)


def scene(axes=None, marks=None, controls=()):
    return Scene(
        title="S", axes=axes or [Axes("a")], marks=marks or [Line("l", "a")], controls=controls
    )


# What an author may get wrong, and words of what is said of it.
MISTAKES = {
    "axes that are not there": (
        lambda: scene(marks=[Line("l", "b")]),
        "axes of mark 'l' must be one of a, got 'b'",
    ),
    "two axes of one name": (
        lambda: scene(axes=[Axes("a"), Axes("a")]),
        "two axes have the key 'a'",
    ),
    "two marks of one name": (
        lambda: scene(marks=[Line("l", "a"), Points("l", "a")]),
        "two marks have the key 'l'",
    ),
    "two controls of one name": (
        lambda: scene(controls=[Toggle("t", "t"), Button("t", "t")]),
        "two controls have the key 't'",
    ),
    "a colour by its name": (
        lambda: Line("l", "a", color="black"),
        "color of mark 'l' must be written as #rrggbb, got 'black'",
    ),
    "an unknown style": (
        lambda: Line("l", "a", style="Gen"),
        "style of mark 'l' must be one of data, G",
    ),
    "an unknown dash": (lambda: Line("l", "a", dash="..."), "dash of mark 'l' must be one of"),
    "an unknown palette": (lambda: Heat("h", "a", palette="viridis"), "palette of mark 'h'"),
    "a log axis from 0": (
        lambda: Axes("a", log="y"),
        "y of axes 'a' is logarithmic and must be positive, got 0",
    ),
    "an axis upside down": (
        lambda: Axes("a", x=(1, 0)),
        "x of axes 'a' must rise from low to high",
    ),
    "a side that is none": (lambda: Axes("a", auto="z"), "auto of axes 'a' must be one of"),
    "a box off the picture": (lambda: Axes("a", box=(0.6, 0, 0.6, 1)), "box of axes 'a'"),
    "a legend nowhere": (lambda: Axes("a", legend="left"), "legend of axes 'a' must be one of"),
    "a slider that starts outside": (
        lambda: Slider("s", "speed", 0, 1, 2),
        "speed must be a number from 0 to 1, got 2",
    ),
    "a slider with no way": (lambda: Slider("s", "speed", 1, 1, 1), "must have low < high"),
    "a log slider from 0": (
        lambda: Slider("s", "speed", 0, 1, 1, log=True),
        "speed is logarithmic: low must be positive, got 0",
    ),
    "half of a whole number": (lambda: Number("n", "n", 0, 9, 2.5), "whole number from 0 to 9"),
    "a choice that is not offered": (
        lambda: Choice("c", "colour", ["a", "b"], "c"),
        "colour must be one of a, b, got 'c'",
    ),
    "a toggle that is neither": (lambda: Toggle("t", "t", "maybe"), "one of True, False"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_by_name(mistake):
    make, words = MISTAKES[mistake]
    with pytest.raises(ValueError) as refused:
        make()
    assert words in str(refused.value)


def test_a_word_that_no_mark_knows_is_refused():
    with pytest.raises(TypeError, match="colour"):
        Line("l", "a", colour="#ff0000")


def test_relabelling_changes_one_pair_of_axes_and_checks_it():
    before = scene(axes=[Axes("a"), Axes("b")])
    after = before.relabelled("b", x=(2, 3), xlabel="length")
    assert after.axes[0] == before.axes[0]
    assert (after.axes[1].x, after.axes[1].xlabel) == ((2, 3), "length")
    with pytest.raises(ValueError, match="axes must be one of a, b, got 'c'"):
        before.relabelled("c", x=(0, 1))
    with pytest.raises(ValueError, match="must rise"):
        before.relabelled("a", x=(1, 1))


def test_a_control_gives_its_values_in_one_type():
    assert type(Slider("s", "s", 0, 4, 1, step=1).checked("3")) is float
    assert type(Number("n", "n", 0, 4, 1).checked("3")) is int
    assert Choice("c", "c", {"x": 1, "y": 2}, "x").options == ["x", "y"]


def test_the_browser_is_told_plain_json():
    for lab in all_labs.make().values():
        told = json.loads(json.dumps(lab.scene.describe()))
        assert [mark["key"] for mark in told["marks"]] == [mark.key for mark in lab.scene.marks]
