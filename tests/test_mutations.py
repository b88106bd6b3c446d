"""The catalogue of answers as a whole: every usual mistake is caught, with a hint of its own.

`pytest tests/test_mutations.py -s` prints the count. The catalogue stands in tests/answers.
"""

import math
import re

import numpy as np
import pytest
import torch
from answers import RIGHT, WRONG, cases

from ganlib import exercises

KINDS = [
    # no answers
    None,
    True,
    object(),
    len,
    int,
    # numbers
    7,
    -1.5,
    10**400,
    math.nan,
    math.inf,
    (math.nan,) * 3,
    # words, and lists of anything
    "much",
    b"x",
    [],
    {},
    (),
    {"a"},
    ("a", "b"),
    [[1, 2], [3]],
    [None] * 3,
    # functions
    lambda *given: None,
    lambda *given: "?",
    lambda *given: 1 / 0,
    lambda: 3,
    # arrays, tensors and networks
    np.array([]),
    np.array(["a"]),
    torch.tensor([]),
    torch.tensor(math.nan),
    torch.nn.Linear(1, 1),
]


def test_every_exercise_is_in_the_catalogue():
    names = {name for checks in exercises._checks().values() for name in checks}
    assert names == set(RIGHT) == set(WRONG)


def test_at_least_60_mistakes_are_told_apart(said, capsys):
    count = 0
    for exercise, mistakes in WRONG.items():
        hints = {said(exercise, answer) for answer, _ in mistakes}
        assert all(hint.startswith("not yet. ") for hint in hints), exercise
        assert len(hints) >= 2, exercise
        # Two answers that await the same words are one mistake, made by a little or by much.
        assert len(hints) == len({words for _, words in mistakes}), exercise
        count += len(hints)

    with capsys.disabled():
        print(
            f"\n{len(cases(WRONG))} wrong answers to {len(WRONG)} exercises are caught, "
            f"with {count} different hints"
        )
    assert count >= 60


@pytest.mark.parametrize("exercise", RIGHT)
def test_a_wrong_kind_of_thing_is_not_yet_right(exercise, said):
    for thing in KINDS:
        verdict = said(exercise, thing)
        is_no_answer = verdict == "not answered yet."
        is_wrong = re.match(r"not yet\. \S", verdict)
        assert is_no_answer or is_wrong, (thing, verdict)


def test_twice_and_in_any_order_the_verdict_is_the_same(said):
    """A check keeps nothing, draws no global random numbers and does not spoil the answer."""

    def state():
        return torch.is_grad_enabled(), torch.get_default_dtype()

    answers = [(exercise, right[0]) for exercise, right in RIGHT.items()]
    for exercise, (answer, _) in cases(WRONG):
        if exercise != "break_it":  # it trains a GAN each time
            answers.append((exercise, answer))

    random = torch.get_rng_state()
    before = state()
    forwards = [said(*answer) for answer in answers]
    backwards = [said(*answer) for answer in reversed(answers)]
    assert backwards[::-1] == forwards
    assert torch.equal(torch.get_rng_state(), random)
    assert state() == before
