"""Bad input is named, with what is allowed; good input comes back unchanged."""

import math
import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from ganlib.checks import (
    count,
    finite,
    floats,
    function,
    method,
    of_kind,
    one_of,
    place,
    positive,
    row,
    seed_of,
    share,
    tensor,
)
from ganlib.losses import LOSSES


@pytest.mark.parametrize("n", [0, -1, 2.0, True, np.True_, None, "3", math.nan, np.int64(0)])
def test_no_whole_number(n):
    with pytest.raises(ValueError, match="steps must be a whole number of at least 1, got"):
        count("steps", n)


@pytest.mark.parametrize(
    "number",
    [0, -1e-9, True, np.True_, None, "1e-3", math.nan, math.inf, 1j, [1.0], np.zeros(2), 10**400],
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
    for number in (np.int64(7), np.uint8(7)):
        assert type(count("n", number, 7, 7)) is int
    assert finite("x", -3) == -3.0
    assert share("ema", np.float64(0.0)) == 0
    assert seed_of(np.int64(2**53)) == 2**53
    assert one_of("size", np.int64(8), (8, 16)) == 8
    assert one_of("loss", "hinge", LOSSES) == "hinge"
    assert one_of("on", False, (True, False)) is False
    assert of_kind("path", Path("a"), Path) == place("path", "a") == Path("a")
    assert function("f", len) is len
    assert row("x", [1, 2], 2).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("value", ["Hinge", None, 3, ["hinge"], {}, np.zeros(2)])
def test_a_choice_names_all_that_is_allowed(value):
    with pytest.raises(ValueError) as told:
        one_of("loss", value, LOSSES)
    assert str(told.value) == f"loss must be one of {', '.join(LOSSES)}, got {value!r}"


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: count("size", 3, 4, 256), "size must be a whole number from 4 to 256, got 3"),
        (lambda: count("size", 257, 4, 256), "from 4 to 256, got 257"),
        (lambda: count("n", 10**10), "n must be a whole number of at most 1,000,000,000, got 1"),
        (lambda: seed_of(-1), "seed must be a whole number from 0"),
        (lambda: seed_of(0.5), r"seed .* got 0\.5"),
        (lambda: finite("mean", math.inf), "mean must be a finite number, got inf"),
        (lambda: finite("mean", True), "mean must be a finite number"),
        (lambda: share("ema", 1), "ema must be a number of at least 0 and below 1, got 1"),
        (lambda: share("ema", math.nan), "ema .* got nan"),
        (lambda: share("ema", -0.1), "ema .* got -0.1"),
        (lambda: method("prior", None, "sample"), "prior must have a sample, .* None has none"),
        (lambda: method("prior", random.Random, "sample"), "prior must have a sample"),
        (lambda: row("x", [[1.0]]), r"x must be one row of numbers, got shape \(1, 1\)"),
        (lambda: row("x", []), r"x must be one row of numbers, got shape \(0,\)"),
        (lambda: row("x", [1.0], 2), r"x must be one row of 2 numbers, got shape \(1,\)"),
        (lambda: function("f", 3), "f must be a function, got 3"),
        (lambda: of_kind("law", 3, Path), "law must be a Path, got 3"),
        (lambda: place("out", 3), "out must name a file or a folder, got 3"),
        (lambda: place("out", ""), "out must name a file or a folder, got ''"),
        (lambda: place("out", "a\0b"), "out must name a file or a folder"),
    ],
)
def test_what_is_not_allowed_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


class Labelled:
    """A column of a table: it has labels of its own in place of 0, 1, 2, and is no list."""

    def __init__(self, rows):
        self.rows = rows

    def __getitem__(self, label):
        return self.rows[label]

    def __len__(self):
        return len(self.rows)

    def __array__(self, dtype=None, copy=None):
        return np.array(list(self.rows.values()), dtype)


ROW = np.array([3.0, -1.0, 2.0])
ALIKE = {
    "list": [3, -1.0, np.float32(2)],
    "tuple of fractions": (Fraction(3), Fraction(-1), Fraction(2)),
    "decimals": [Decimal("3"), Decimal("-1"), Decimal("2")],
    "texts": ["3", " -1.0", "2e0"],
    "bytes": np.array([b"3", b"-1", b"2"]),
    "labelled": Labelled({7: 3, 2: -1, 9: 2}),
    "reversed": ROW[::-1].copy()[::-1],
    "every second": np.array([3, 0, -1, 0, 2])[::2],
    "big-endian": ROW.astype(">f8"),
    "big-endian int": ROW.astype(">i2"),
    "float16": ROW.astype(np.float16),
    "int8": ROW.astype(np.int8),
    "long double": ROW.astype(np.longdouble),
    "read-only": np.broadcast_to(ROW, (1, 3))[0],
    "tensor": torch.tensor(ROW),
    "bfloat16": torch.tensor(ROW, dtype=torch.bfloat16),
    "with a graph": torch.tensor(ROW, requires_grad=True),
    "whole tensor": torch.tensor(ROW).long(),
}


@pytest.mark.parametrize("name", ALIKE)
def test_numbers_of_any_kind_are_the_same_numbers(name):
    found = floats("x", ALIKE[name])
    assert found.dtype == np.float64
    assert found.dtype.isnative
    assert found.flags["C_CONTIGUOUS"]
    assert found.tolist() == ROW.tolist()
    found[:] = 0  # a copy
    assert floats("x", ALIKE[name]).tolist() == ROW.tolist()
    assert tensor("x", ALIKE[name]).tolist() == ROW.tolist()


def test_a_tensor_of_floats_stays_itself():
    x = torch.zeros(2, requires_grad=True)
    assert tensor("x", x) is x


@pytest.mark.parametrize(
    "values",
    [
        ["a"],
        None,
        {1: 2},
        {1, 2},
        iter([1, 2]),
        [[1], [2, 3]],
        [True, False],
        torch.tensor([True]),
        [1j],
        np.array(["2020-01-01"], "M8[D]"),
        np.zeros(2, [("a", float)]),
        [10**400],
        object(),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_no_number_is_named(values):
    with pytest.raises(ValueError, match="x must be numbers: "):
        floats("x", values)
