"""What all labs and figures owe to every reader.

Colours that can be told apart, lines that differ without colour, and contrast.
"""

import re
from itertools import combinations
from pathlib import Path

import all_labs
import pytest

from ganlib import labs, plots, stage

# Okabe & Ito 2008.
OKABE_ITO = {
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
}
STAGE = Path(stage.__file__).parent


def luminance(colour):
    """Relative luminance of #rgb or #rrggbb (WCAG 2.1, definition of relative luminance)."""
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * d for d in digits)
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(ink, paper="#ffffff"):
    """Contrast of two colours, 1 to 21 (WCAG 2.1)."""
    low, high = sorted((luminance(ink), luminance(paper)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_colours_whose_contrast_is_known():
    assert contrast("#000") == pytest.approx(21)
    assert contrast("#fff") == 1
    # The lightest grey that passes for small type.
    assert contrast("#767676") == pytest.approx(4.54, abs=0.005)


def grey(colour):
    return colour[1:3] == colour[3:5] == colour[5:7]


@pytest.fixture(scope="module")
def scenes():
    made = all_labs.make()
    assert set(made) == set(labs.__all__) - {"Lab"}
    return {name: lab.scene for name, lab in made.items()}


def marks(scenes):
    """Every mark of every lab, with the name of both."""
    found = []
    for name, scene in scenes.items():
        found += [(f"{name}: {mark.key}", mark) for mark in scene.marks]
    return found


def test_colours_are_those_of_okabe_and_ito_or_grey(scenes):
    colours = plots.COLOURS
    assert set(colours.values()) - OKABE_ITO == {colours["grey"]}
    assert grey(colours["grey"])
    assert {style["color"] for style in plots.STYLE.values()} <= set(colours.values())

    drawn = [(name, m.color) for name, m in marks(scenes) if m.kind not in ("text", "heat")]
    assert drawn
    assert not [
        (name, colour)
        for name, colour in drawn
        if colour.upper() not in OKABE_ITO and not grey(colour)
    ]


def alike(a, b):
    """Two lines of one picture that only their colour tells apart."""
    if a.axes != b.axes or list(a.dash) != list(b.dash):
        return False
    thin, thick = sorted((a.width, b.width))
    return thick < 2 * thin


def test_curves_of_one_picture_differ_without_colour(scenes):
    """Two named lines on the same axes have another dash, or one is twice as wide as the other."""
    same = []
    for name, scene in scenes.items():
        lines = [mark for mark in scene.marks if mark.kind == "line" and mark.label]
        pairs = combinations(lines, 2)
        same += [f"{name}: {a.label} and {b.label}" for a, b in pairs if alike(a, b)]
    assert not same


def test_figures_have_a_line_style_for_each_thing():
    styles = {key: str(style["linestyle"]) for key, style in plots.STYLE.items() if key != "half"}
    same = [(a, b) for a, b in combinations(styles, 2) if styles[a] == styles[b]]
    # Both solid: a density and a divergence, which no picture shows on the same axes.
    assert same == [("G", "JS")]


def test_words_in_a_picture_stand_out(scenes):
    words = [(name, m.color) for name, m in marks(scenes) if m.kind == "text"]
    assert words
    assert not [(name, colour) for name, colour in words if contrast(colour) < 4.5]


def test_what_is_drawn_stands_out_by_day_and_by_night(scenes, node):
    """Words by 4.5 to 1; marks that are not meant to be pale by 3 to 1, on a dark page too."""
    colours = sorted({mark.color for _, mark in marks(scenes)} | {"#000000"})
    day, night = node(
        "look.js",
        f"""say([js.DAY, js.NIGHT].map(({{ ink, paper, color }}) => (
            {{ ink, paper, colours: {colours}.map(color) }})));""",
    )
    assert day["colours"] == colours
    for look in (day, night):
        assert contrast(look["ink"], look["paper"]) >= 4.5
    assert [c for c in night["colours"] if contrast(c, night["paper"]) < 2.9] == []
    assert night["colours"][colours.index("#000000")] == "#ffffff"


def themes(sheet):
    """The colours that canvas.css names, by day and by night."""
    by_day, by_night = (
        dict(re.findall(r"(--\w+): *(#\w+)", body))
        for body in re.findall(r"\.gl-lab(?:\.gl-dark)? \{([^}]*)\}", sheet)[:2]
    )
    assert set(by_day) == set(by_night)
    return by_day, by_night


def test_words_around_a_picture_stand_out():
    """Every rule of canvas.css that sets a colour of type, on its own background or on the paper.

    By day and by night.
    """
    sheet = (STAGE / "canvas.css").read_text(encoding="utf-8")
    for theme in themes(sheet):
        found = 0
        plain = re.sub(r"var\((--\w+)\)", lambda name, theme=theme: theme[name[1]], sheet)
        for where, body in re.findall(r"([^{}]+)\{([^}]*)\}", plain):
            said = dict(re.findall(r"(?<![-\w])(color|background): *(#\w+)", body))
            if said:
                found += 1
                ink = said.get("color", theme["--ink"])
                paper = said.get("background", theme["--paper"])
                assert contrast(ink, paper) >= 4.5, where.strip()
        assert found >= 6
