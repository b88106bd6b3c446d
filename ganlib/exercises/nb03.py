"""The checks of notebook 03, Zero-sum games."""

import numpy as np


def _judge(answer, right, wrong, otherwise):
    """None if the numbers are right within half a percent, else the hint of the mistake that gives them."""
    answer = np.array([float(number) for number in np.ravel(answer)])
    def is_it(numbers):
        return len(answer) == np.size(numbers) and np.allclose(answer, numbers, rtol=5e-3, atol=5e-3)
    return None if is_it(right) else next((hint for numbers, hint in wrong.items() if is_it(numbers)), otherwise)


def zero_sum(answer):
    letters = set("".join(answer).replace(",", "").replace(" ", "").lower())
    if letters & {"b", "d"}:
        return "Add the two matrices of b and of d: what both get together depends on what they choose."
    if "c" not in letters:
        return "In c the sum is −2 everywhere: a constant, which can be taken off."
    return None if letters == {"a", "c"} else "In a the two chances add up to 1 everywhere: constant-sum."


def two_by_two(answer):
    return _judge(answer, (2.5, 0.25, 0.5), {
        (2.5, 0.5, 0.25): "You swapped the players: p belongs to the rows and makes the two columns equally good.",
        (2.5, 0.75, 0.5): "Your p is the probability of the second row; that of the first is asked.",
        (2, 0, 1): "That is the best fixed choice, in the open: mix.",
        (3, 0, 0): "That is a cell of the matrix, and the forger would leave it: mix.",
    }, "Make the columns equally good for p, the rows equally good for q; n = a + d − b − c = 4.")


def growth(answer):
    return _judge(answer, 1.04**50, {
        1.04**100: "That is the squared distance: 1 + η² a step; the distance itself grows by the root.",
        1.2**100: "The step is at a right angle to where you are: by Pythagoras the factor is √(1 + η²), not 1 + η.",
        1.04**0.5: "That is a single step; 100 of them multiply.",
    }, "Each step multiplies the distance by √(1 + η²), and there are 100.")


def extragradient(answer):
    return _judge(answer, (-0.25, 2), {
        (0, 2.5): "That is the look ahead. Now step from (1, 2), with the slopes found there.",
        (-1.25, 2.5): "You walked on from the look-ahead point; only its slopes are used, the step starts at (1, 2).",
        (2.25, 3): "The sign: x goes down V, so its slope is taken off.",
    }, "The look ahead is (1 − ½·2, 2 + ½·1); put its x and y into the step from (1, 2).")
