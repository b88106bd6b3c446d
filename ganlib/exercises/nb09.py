"""The checks of notebook 09, What came after."""

import math

import torch

from ganlib.exercises import OF_FUNCTION, _as_many, _function, _numbers

# fmt: off
shrink = _numbers(
    math.cos(math.pi / 8) ** 4,
    "Each step multiplies x by the cosine of its angle, and four steps share the angle π/2.",
    {
        math.cos(math.pi / 8):      "That is one step; there are four, one after the other.",
        math.cos(math.pi / 8) ** 8: "That is the variance; the standard deviation is its root.",
        math.sin(math.pi / 8) ** 4: "A step turns x by cos(a − b), not by the sine.",
        1:                          "Each step is a little too short, though v is exact.",
    },
    near=5e-4,
)

fewest_steps = _numbers(
    10,
    "Walk with 1, 2, 3, … steps, and stop at the first JS below 0.01.",
    {
        9:  "Nearly: 9 steps have JS 0.0102.",
        16: "That is the first power of two; any whole number may be taken.",
        8:  "8 steps have JS 0.0128, which is above 0.01.",
        4:  "4 steps have JS 0.0486. Perhaps you read 0.1 for 0.01?",
    },
    near=0,
)
# fmt: on


def velocity(answer):
    """A function (x0, noise, t) that gives a training example, (x, target), on the cosine path."""
    answer = _function(answer)
    given = [torch.tensor([[number]], dtype=torch.float64) for number in (0.7, -1.1, 0.3)]
    x, target = _as_many(answer(*given), 2, OF_FUNCTION)
    _, again = _as_many(answer(*given), 2, OF_FUNCTION)
    if target != again:
        return "The target must be of the same noise as x: you draw fresh noise for it."

    x0, noise, t = (float(one) for one in given)
    c = math.cos(math.pi / 2 * t)
    s = math.sin(math.pi / 2 * t)
    # fmt: off
    place = _numbers(
        c * x0 + s * noise,
        "x is cos(πt/2) x₀ + sin(πt/2) ε.",
        {s * x0 + c * noise: "Time is swapped: at t = 0 stands the example, at t = 1 the noise."},
        near=1e-6,
    )
    speed = _numbers(
        c * noise - s * x0,
        "The target is the slope of x in the angle πt/2: differentiate both terms.",
        {
            noise:              "That is the noise alone; it is cos(πt/2) ε − sin(πt/2) x₀.",
            s * x0 - c * noise: "The sign is reversed: t grows from the example to the noise.",
            math.pi / 2 * (c * noise - s * x0):
                                "Here it is for each unit of the angle, without π/2.",
            noise - x0:         "That is the velocity of the straight path.",
        },
        near=1e-6,
    )
    # fmt: on
    return place(x) or speed(target)
