"""What all labs and figures owe to every reader: colours that can be told apart, lines that differ without colour, contrast."""

import re
from itertools import combinations
from pathlib import Path

import all_labs
import pytest

from ganlib import labs, plots

OKABE_ITO = {
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
}  # Okabe & Ito 2008
CANVAS = Path(labs.__file__).parent


def luminance(colour):
    """Relative luminance of #rgb or #rrggbb (WCAG 2.1, definition of relative luminance)."""
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(ink, paper="#ffffff"):
    """Contrast of two colours, 1 to 21 (WCAG 2.1)."""
    low, high = sorted((luminance(ink), luminance(paper)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_colours_whose_contrast_is_known():
    assert contrast("#000") == pytest.approx(21) and contrast("#fff") == 1
    assert contrast("#767676") == pytest.approx(
        4.54, abs=0.005
    )  # the lightest grey that passes for small type


def grey(colour):
    return colour[1:3] == colour[3:5] == colour[5:7]


@pytest.fixture(scope="module")
def scenes():
    made = all_labs.make()
    assert set(made) == set(labs.__all__) - {"Lab"}
    return {name: lab.scene for name, lab in made.items()}


def marks(scenes):
    return [(f"{name}: {m['key']}", m) for name, scene in scenes.items() for m in scene["marks"]]


def test_colours_are_those_of_okabe_and_ito_or_grey(scenes):
    assert set(plots.COLOURS.values()) - OKABE_ITO == {plots.COLOURS["grey"]} and grey(
        plots.COLOURS["grey"]
    )
    assert {style["color"] for style in plots.STYLE.values()} <= set(plots.COLOURS.values())
    drawn = [(name, m["color"]) for name, m in marks(scenes) if m["kind"] not in ("text", "heat")]
    assert not [
        (name, colour)
        for name, colour in drawn
        if colour.upper() not in OKABE_ITO and not grey(colour)
    ]


def test_curves_of_one_picture_differ_without_colour(scenes):
    """Two named lines on the same axes have another dash, or one is twice as wide as the other."""
    looks = lambda m: (tuple(m["dash"]), m["width"])
    same = []
    for name, scene in scenes.items():
        for a, b in combinations(
            [m for m in scene["marks"] if m["kind"] == "line" and m["label"]], 2
        ):
            (dash_a, wide_a), (dash_b, wide_b) = looks(a), looks(b)
            if (
                a["axes"] == b["axes"]
                and dash_a == dash_b
                and max(wide_a, wide_b) < 2 * min(wide_a, wide_b)
            ):
                same.append(f"{name}: {a['label']} and {b['label']}")
    assert not same


def test_figures_have_a_line_style_for_each_thing():
    styles = {key: str(style["linestyle"]) for key, style in plots.STYLE.items() if key != "half"}
    alike = [pair for pair in combinations(styles, 2) if styles[pair[0]] == styles[pair[1]]]
    assert alike == [
        ("G", "JS")
    ]  # both solid: a density and a divergence, which no picture shows on the same axes


def test_words_in_a_picture_stand_out(scenes):
    words = [(name, m) for name, m in marks(scenes) if m["kind"] == "text"]
    assert words and not [(name, m["color"]) for name, m in words if contrast(m["color"]) < 4.5]
    module = (CANVAS / "canvas.js").read_text(encoding="utf-8")
    assert contrast(re.search(r'INK = "(#\w+)"', module)[1]) >= 4.5


def test_words_around_a_picture_stand_out():
    """Every rule of canvas.css that sets a colour of type, on its own background or on white."""
    rules = re.findall(r"([^{}]+)\{([^}]*)\}", (CANVAS / "canvas.css").read_text(encoding="utf-8"))
    found = 0
    for where, body in rules:
        said = dict(re.findall(r"(?<![-\w])(color|background): *(#\w+)", body))
        if "color" in said or "background" in said:
            found += 1
            assert (
                contrast(said.get("color", "#1a1a1a"), said.get("background", "#ffffff")) >= 4.5
            ), where.strip()
    assert found >= 6
