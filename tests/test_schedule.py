"""The falling rate against its values, and against the formula to the last bit."""

import math

import pytest

from ganlib.schedule import fall


@pytest.mark.parametrize(
    "step, expected",
    [
        (0, 1.0),
        (1, 1.0),
        (500, 1.0),
        (600, 0.8),
        (750, 0.5),
        (990, 0.02),
        (995, 0.01),
        (1000, 0.01),
    ],
)
def test_full_for_half_of_the_run_then_a_line(step, expected):
    assert fall(step, 1000) == pytest.approx(expected, abs=1e-12)


def test_a_run_that_goes_on_keeps_the_floor():
    assert fall(5000, 1000) == 0.01
    assert fall(5000, 1000, floor=0.2) == 0.2
    assert fall(900, 1000, floor=0.5) == 0.5


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 300, 1234, 3000])
def test_it_is_the_formula_to_the_last_bit(steps):
    for step in range(steps):
        line = 2 - 2 * step / steps
        assert fall(step, steps) == min(1.0, max(0.01, line))
        assert fall(step, steps, floor=0.0) == min(1, line)


def test_it_never_rises():
    rates = [fall(step, 100) for step in range(150)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"step": math.nan}, "step must be a finite number, got nan"),
        ({"steps": 0}, "steps must be a positive number, got 0"),
        ({"floor": "low"}, "floor must be a finite number, got 'low'"),
    ],
)
def test_wrong_numbers_are_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        fall(**{"step": 1, "steps": 2, **wrong})
