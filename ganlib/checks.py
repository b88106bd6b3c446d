"""What bad input is told: one sentence that names it, says what is allowed and what was given."""

import math
import os
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_COUNT = 10**9  # of anything that this machine shall make or do
LARGEST_SEED = 2**53  # beyond it JavaScript, which repeats our runs in a page, skips numbers


def count(name: str, n, least: int = 1, most: int | None = None) -> int:
    """n as an int if it is a whole number from `least` to `most`, NumPy's too, else ValueError."""
    whole = isinstance(n, Integral) and not isinstance(n, bool)
    highest = LARGEST_COUNT if most is None else most
    if whole and least <= n <= highest:
        return int(n)

    allowed = f"from {least} to {most}"
    if most is None:
        allowed = f"of at least {least}"
        if whole and n > least:
            allowed = f"of at most {LARGEST_COUNT:,}"
    raise ValueError(f"{name} must be a whole number {allowed}, got {n!r}")


def seed_of(seed, name: str = "seed") -> int:
    """The seed as an int if it is a whole number from 0 to 2^53, else ValueError."""
    return count(name, seed, 0, LARGEST_SEED)


def finite(name: str, number) -> float:
    """The number as a float if it is finite, else ValueError."""
    value = _float(number)
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {number!r}")
    return value


def positive(name: str, number) -> float:
    """The number as a float if it is positive and finite, else ValueError."""
    value = _float(number)
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a positive number, got {number!r}")
    return value


def share(name: str, number) -> float:
    """The number as a float if it is in [0, 1), else ValueError."""
    value = _float(number)
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be a number of at least 0 and below 1, got {number!r}")
    return value


def one_of(name: str, value, allowed):
    """The one of `allowed`, which may be a dict by its keys, that equals value, else ValueError."""
    for choice in allowed:
        same = choice == value
        if isinstance(same, (bool, np.bool_)) and same:  # of an array it would be an array
            return choice

    choices = ", ".join(map(str, allowed))
    raise ValueError(f"{name} must be one of {choices}, got {value!r}")


def method(name: str, thing, *needed: str, like: str = "targets.uniform()"):
    """The thing if it has all methods that are needed, as `like` has, else ValueError."""
    for each in needed:
        found = getattr(thing, each, None)
        if isinstance(thing, type) or not callable(found):
            raise ValueError(f"{name} must have a {each}, as {like} has; {thing!r} has none")
    return thing


def floats(name: str, values) -> np.ndarray:
    """Numbers of any kind and shape as a new array of float64.

    Lists, arrays, tensors, columns of a table, and numbers written as text; ValueError for what is
    no number, such as dates, truth values, complex numbers.
    """
    try:
        if hasattr(values, "detach"):  # a tensor of torch
            values = values.detach().cpu()
            if values.is_floating_point():  # of a kind that NumPy may not know
                values = values.double()
            values = values.numpy()

        # NumPy would make numbers of these, too.
        given = np.asarray(values)
        if values is None:
            raise TypeError("got None")
        if given.dtype.kind in "bcmMV":
            raise TypeError(f"got {given.dtype}")

        with np.errstate(over="ignore"):  # what is too large becomes infinite
            return given.astype(float, order="C")
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise ValueError(f"{name} must be numbers: {error}") from None


def tensor(name: str, x) -> "Tensor":
    """x as it is if it is a tensor of floating numbers, else what `floats` makes of it."""
    import torch

    if isinstance(x, torch.Tensor):
        if x.layout != torch.strided or x.is_meta:
            raise ValueError(f"{name} must be a dense tensor with numbers, got {x.layout}")
        if x.is_floating_point():
            return x
    return torch.from_numpy(floats(name, x))


def row(name: str, values, points: int | None = None) -> "Tensor":
    """The values as one row of floating numbers, (points,), at least one; ValueError if not."""
    x = tensor(name, values)
    if x.ndim != 1 or len(x) == 0 or points not in (None, len(x)):
        wanted = "numbers" if points is None else f"{points} numbers"
        raise ValueError(f"{name} must be one row of {wanted}, got shape {tuple(x.shape)}")
    return x


def rows(name: str, values, dim: int) -> "Tensor":
    """The values as rows of `dim` floating numbers, (n, dim); ValueError if they are not."""
    x = tensor(name, values)
    if x.ndim != 2 or x.shape[1] != dim:
        raise ValueError(f"{name} must be (n, {dim}), got shape {tuple(x.shape)}")
    return x


def all_finite(x: "Tensor") -> bool:
    """Whether no number of a tensor is nan or infinite."""
    return bool(x.isfinite().all())


def rises(x: "Tensor") -> bool:
    """Whether a row holds at least two numbers, each greater than the one before."""
    return len(x) > 1 and bool((x.diff() > 0).all())


def function(name: str, f):
    """What can be called, else ValueError."""
    if not callable(f):
        raise ValueError(f"{name} must be a function, got {f!r}")
    return f


def of_kind(name: str, thing, kind: type):
    """The thing if it is of that class, else ValueError."""
    if not isinstance(thing, kind):
        raise ValueError(f"{name} must be a {kind.__name__}, got {thing!r}")
    return thing


def place(name: str, path) -> Path:
    """Where a file or a folder is, or shall be; ValueError for what names none."""
    if not isinstance(path, (str, os.PathLike)) or not str(path) or "\0" in str(path):
        raise ValueError(f"{name} must name a file or a folder, got {path!r}")
    return Path(path)


def _float(number) -> float:
    """nan for what is no number, and for a truth value."""
    if isinstance(number, bool) or not isinstance(number, Real):
        return math.nan
    try:
        return float(number)
    except OverflowError:
        return math.inf
