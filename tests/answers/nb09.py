"""Answers to the exercises of notebook 09, What came after."""

import math

import torch


def velocity(x0, noise, t):
    """The right answer."""
    a = math.pi / 2 * t
    return a.cos() * x0 + a.sin() * noise, a.cos() * noise - a.sin() * x0


DRAWS = torch.Generator().manual_seed(0)


def fresh(noise):
    """Other noise each time, of a generator of its own."""
    return torch.randn(noise.shape, generator=DRAWS).to(noise)


def other_target(formula):
    """The right x with another target: formula(x0, noise, cos, sin)."""

    def wrong(x0, noise, t):
        a = math.pi / 2 * t
        return velocity(x0, noise, t)[0], formula(x0, noise, a.cos(), a.sin())

    return wrong


def sines_for_cosines(x0, noise, t):
    """Time runs the other way."""
    return velocity(x0, noise, 1 - t)


def no_mixture(x0, noise, t):
    """x of neither path."""
    return x0 + t * noise, noise


def stub(x0, noise, t):
    return ...


RIGHT = {
    "shrink": [0.7286, math.cos(math.pi / 8) ** 4],
    "fewest_steps": [10],
    "velocity": [velocity],
}

# fmt: off
WRONG = {
    "shrink": [
        (math.cos(math.pi / 8),      "one step"),
        (math.cos(math.pi / 8) ** 8, "variance"),
        (math.sin(math.pi / 8) ** 4, "not by the sine"),
        (1.0,                        "too short"),
        (0.5,                        "share the angle"),
    ],
    "fewest_steps": [
        (9,  "Nearly"),
        (16, "power of two"),
        (8,  "0.0128"),
        (4,  "0.0486"),
        (30, "stop at the first"),
    ],
    "velocity": [
        (other_target(lambda x0, noise, c, s: noise),                        "noise alone"),
        (other_target(lambda x0, noise, c, s: s * x0 - c * noise),           "reversed"),
        (other_target(lambda x0, noise, c, s: c * fresh(noise) - s * x0), "fresh"),
        (other_target(lambda x0, noise, c, s: (c * noise - s * x0) * math.pi / 2),   "unit"),
        (other_target(lambda x0, noise, c, s: noise - x0),                   "straight"),
        (other_target(lambda x0, noise, c, s: x0),                           "differentiate"),
        (sines_for_cosines,                                                  "swapped"),
        (no_mixture,                                                         "x is cos"),
        (lambda x0, noise, t: x0,                                            "Two numbers"),
        (0.5,                                                                "function is asked"),
    ],
}
# fmt: on

STUBS = {"velocity": [stub]}
