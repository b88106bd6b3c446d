"""The checks of notebook 03, Zero-sum games."""

from ganlib.exercises import _letters, _numbers, _shown


def zero_sum(answer):
    """The letters of the games that are zero-sum but for a constant."""
    letters = set(_letters(answer))
    if not letters or letters - set("abcd"):
        return f"Letters out of a, b, c, d are asked, got {_shown(answer)}."
    if letters & {"b", "d"}:
        return (
            "Add the two matrices of b and of d: "
            "what both get together depends on what they choose."
        )
    if "c" not in letters:
        return "In c the sum is −2 everywhere: a constant, which can be taken off."
    if letters != {"a", "c"}:
        return "In a the two chances add up to 1 everywhere: constant-sum."
    return None


# fmt: off
two_by_two = _numbers(
    (2.5, 0.25, 0.5),
    "Make the columns equally good for p, the rows equally good for q; n = a + d − b − c = 4.",
    {
        (2, 0, 1):        "That is the best fixed choice, in the open: mix.",
        (2.5, 0.5, 0.25): "You swapped the players: p belongs to the rows and makes the two "
                          "columns equally good.",
        (2.5, 0.75, 0.5): "Your p is the probability of the second row; that of the first is "
                          "asked.",
        (3, 0, 0):        "That is a cell of the matrix, and the forger would leave it: mix.",
    },
)

growth = _numbers(
    1.04**50,
    "Each step multiplies the distance by √(1 + η²), and there are 100.",
    {
        1.04**100: "That is the squared distance: 1 + η² a step; the distance itself grows by the "
                   "root.",
        1.2**100:  "The step is at a right angle to where you are: by Pythagoras the factor is "
                   "√(1 + η²), not 1 + η.",
        1.04**0.5: "That is a single step; 100 of them multiply.",
    },
)

extragradient = _numbers(
    (-0.25, 2),
    "The look ahead is (1 − ½·2, 2 + ½·1); put its x and y into the step from (1, 2).",
    {
        (0, 2.5):     "That is the look ahead. Now step from (1, 2), with the slopes found there.",
        (-1.25, 2.5): "You walked on from the look-ahead point; only its slopes are used, the step "
                      "starts at (1, 2).",
        (2.25, 3):    "The sign: x goes down V, so its slope is taken off.",
    },
)
# fmt: on
