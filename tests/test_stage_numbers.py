"""The numbers of js/numbers.js under node: how they are written, ticks, positions of sliders."""

import numpy as np
import pytest

LOG = '{"low": 1e-5, "high": 1, "log": true}'
EVEN = '{"low": -3, "high": 3, "log": false, "step": 0.01}'


def test_numbers_are_written_short(node):
    said = node("numbers.js", "say([0, 1, 0.25, 1234567, 2e-5, -3.14159, 1 / 0].map(js.format))")
    assert said == ["0", "1", "0.25", "1.2e6", "2e−5", "−3.14", "Infinity"]


@pytest.mark.parametrize(
    "call, places",
    [
        ("js.ticks(-1, 1, false, 4)", [-1, -0.5, 0, 0.5, 1]),
        ("js.ticks(1e-4, 1, true, 10)", [1e-4, 1e-3, 1e-2, 1e-1, 1]),
        ("js.ticks(0, 3000, false, 3.1)", [0, 1000, 2000, 3000]),
        (f"[1e-5, 1e-3, 1].map(v => js.toPosition({LOG}, v))", [0, 400, 1000]),
        (f"[0, 400, 1000].map(s => js.fromPosition({LOG}, s))", [1e-5, 1e-3, 1]),
        (f"[0, 500.6, 1000].map(s => js.fromPosition({EVEN}, s))", [-3, 0, 3]),
    ],
)
def test_ticks_and_positions(node, call, places):
    assert node("numbers.js", f"say({call})") == pytest.approx(places)


def test_a_slider_comes_back_to_the_value_it_shows(node):
    values = np.linspace(-3, 3, 13).round(2).tolist()
    there = f"{values}.map(v => js.fromPosition({EVEN}, js.toPosition({EVEN}, v)))"
    assert node("numbers.js", f"say({there})") == pytest.approx(values)
