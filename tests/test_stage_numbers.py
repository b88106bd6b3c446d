"""The numbers of js/numbers.js under node: how they are written, ticks, positions of sliders."""

import numpy as np
import pytest

LOG = '{"low": 1e-5, "high": 1, "log": true}'
EVEN = '{"low": -3, "high": 3, "log": false, "step": 0.01}'


def test_numbers_are_written_short(node):
    said = node("numbers.js", "say([0, 1, 0.25, 1234567, 2e-5, -3.14159, 1 / 0].map(js.format))")
    assert said == ["0", "1", "0.25", "1.2e6", "2e−5", "−3.14", "Infinity"]


@pytest.mark.parametrize(
    "low, high, words",
    [
        (2013, 2027, ["2015", "2020", "2025"]),
        (2017, 2022.5, ["2017", "2018", "2019", "2020", "2021", "2022"]),
        (2017.9, 2020.3, ["2018", "2018.5", "2019", "2019.5", "2020"]),
        (-0.05, 1.05, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-1.1, 0.6, ["−1", "−0.5", "0", "0.5"]),
        (0, 2.2e6, ["0", "5e5", "1.0e6", "1.5e6", "2.0e6"]),
        (100_000, 100_010, ["100000", "100002", "100004", "100006", "100008", "100010"]),
        (0, 5e-5, ["0", "1e−5", "2e−5", "3e−5", "4e−5", "5e−5"]),
    ],
)
def test_ticks_are_told_apart(node, low, high, words):
    """Years are no 2e3, and no tick is labelled with the number of another place."""
    places = node("numbers.js", f"say(js.ticks({low}, {high}, false, 6.9))")
    said = node("numbers.js", f"say(js.written(js.ticks({low}, {high}, false, 6.9), false))")
    assert said == words
    numbers = [float(word.replace("−", "-")) for word in said]
    assert numbers == pytest.approx(places, rel=1e-9, abs=1e-12)


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


def test_an_axis_has_at_least_three_numbers_however_narrow_it_is(node):
    for low, high in ((-3.6, 3.6), (0, 7), (0, 1), (-0.013, 0.017), (1e5, 1e5 + 7), (2015.9, 2022)):
        places = node("numbers.js", f"say(js.ticks({low}, {high}, false, 2))")
        assert 3 <= len(places) <= 5
        assert all(low <= place <= high for place in places)
    for low, high in ((3, 70), (0.2, 0.9), (1.1, 9.5)):
        places = node("numbers.js", f"say(js.ticks({low}, {high}, true, 2))")
        assert len(places) >= 2
        assert all(low <= place <= high for place in places)


def test_a_slider_never_leaves_its_ends(node):
    odd = '{"low": 2.11534589123456, "high": 4.74065410876544, "log": false, "step": 0.013}'
    log = '{"low": 0.0123456, "high": 1.23449, "log": true}'
    for scale in (odd, log):
        ends = f"[{scale}.low, {scale}.high]"
        inside = f"v >= {ends}[0] && v <= {ends}[1]"
        values = f"[0, 1, 999, 1000].map(s => js.fromPosition({scale}, s))"
        assert node("numbers.js", f"say({values}.every(v => {inside}))") is True


def test_an_end_in_six_digits_is_that_end(node):
    control = '{"kind": "slider", "label": "mu", "low": 2.11534589, "high": 4.74065411}'
    said = node("checked.js", f"say([2.11534, '4.74066', 3].map(v => js.checked({control}, v)))")
    assert said == [2.11534589, 4.74065411, 3]
