"""What bad input is told: one sentence that names it, says what is allowed and what was given."""

import math
from numbers import Real


def count(name: str, n, least: int = 1) -> int:
    """n if it is a whole number of at least `least`, else ValueError."""
    if isinstance(n, bool) or not isinstance(n, int) or n < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {n!r}")
    return n


def positive(name: str, number) -> float:
    """The number as a float if it is positive and finite, else ValueError."""
    if isinstance(number, bool) or not isinstance(number, Real) or not 0 < float(number) < math.inf:
        raise ValueError(f"{name} must be a positive number, got {number!r}")
    return float(number)


def one_of(name: str, value, allowed):
    """The value if it is one of `allowed`, which may be a dict by its keys, else ValueError."""
    if value not in list(allowed):  # a list, as a dict would fail at a value without a hash
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}, got {value!r}")
    return value
