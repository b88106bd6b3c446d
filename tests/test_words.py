"""The words of a figure: a lab's own sentence, else what its cell prints."""

from ganlib.words import words

FIGURE = {"data": {"image/png": "…", "text/plain": "<Figure size 640x480 with 1 Axes>"}}
LAB = {"data": {"image/png": "…", "text/plain": "A lab: after 3 steps, JS 0.2."}}
PRINTED = {"text": "best at\n  x = 2.0\n"}
RESULT = {"data": {"text/plain": "0.25"}}


def test_a_figure_has_the_words_that_its_cell_prints():
    assert words([FIGURE, PRINTED]) == "best at x = 2.0"
    assert words([PRINTED, FIGURE, RESULT]) == "best at x = 2.0 0.25"


def test_a_lab_has_its_own_sentence():
    assert words([PRINTED, LAB]) == "A lab: after 3 steps, JS 0.2."


def test_a_silent_figure_has_none():
    assert words([FIGURE]) == words([]) == ""
