"""Bad input is named, with what is allowed; good input comes back unchanged."""

import math
from fractions import Fraction

import numpy as np
import pytest

from ganlib.checks import count, one_of, positive
from ganlib.losses import LOSSES


@pytest.mark.parametrize("n", [0, -1, 2.0, True, None, "3", math.nan])
def test_no_whole_number(n):
    with pytest.raises(ValueError, match="steps must be a whole number of at least 1, got"):
        count("steps", n)


@pytest.mark.parametrize(
    "number", [0, -1e-9, True, None, "1e-3", math.nan, math.inf, 1j, [1.0], np.zeros(2)]
)
def test_no_positive_number(number):
    with pytest.raises(ValueError, match="lr_G must be a positive number, got"):
        positive("lr_G", number)


def test_what_is_allowed_comes_back():
    assert count("steps", 0, 0) == 0
    assert count("n", 7, 7) == 7
    for number in (3, 1e-300, np.float32(0.5), np.int64(4), Fraction(1, 2)):
        given_back = positive("lr", number)
        assert given_back == float(number)
        assert isinstance(given_back, float)
    assert one_of("loss", "hinge", LOSSES) == "hinge"
    assert one_of("on", False, (True, False)) is False


@pytest.mark.parametrize("value", ["Hinge", None, 3, ["hinge"], {}])
def test_a_choice_names_all_that_is_allowed(value):
    with pytest.raises(ValueError) as told:
        one_of("loss", value, LOSSES)
    assert str(told.value) == f"loss must be one of {', '.join(LOSSES)}, got {value!r}"
