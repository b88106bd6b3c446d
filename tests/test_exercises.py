"""`check` says right, not yet or not answered, and why; every exercise has a check and is used.

The answers that are tried stand in tests/answers, a table for each notebook.
"""

import inspect
import math
import re
from pathlib import Path

import nbformat
import pytest
import torch
from answers import RIGHT, STUBS, WRONG, cases

from ganlib import densities, exercises
from ganlib.divergences import entropy, kl
from ganlib.exercises import check, nb03, show_source

ROOT = Path(__file__).parent.parent
CHECKS = exercises._checks()


@pytest.mark.parametrize("exercise, answer", cases(RIGHT))
def test_a_right_answer_is_right(exercise, answer, said):
    assert said(exercise, answer) == "right."


@pytest.mark.parametrize("exercise, answer, words", [(name, *case) for name, case in cases(WRONG)])
def test_each_usual_mistake_gets_its_own_hint(exercise, answer, words, said):
    verdict = said(exercise, answer)
    assert verdict.startswith("not yet. ") and words in verdict

    others = {other for _, other in WRONG[exercise]} - {words}
    assert not [other for other in others if other in verdict]


@pytest.mark.parametrize("exercise", RIGHT)
def test_three_dots_are_not_answered_yet(exercise, said):
    assert said(exercise, ...) == "not answered yet."


@pytest.mark.parametrize("exercise, stub", cases(STUBS))
def test_a_function_that_gives_three_dots_is_not_answered_yet(exercise, stub, said):
    assert said(exercise, stub) == "not answered yet."


@pytest.mark.parametrize(
    "answer, verdict",
    [
        (1.04**50, "right."),
        (..., "not answered yet."),
        (1.2**100, "not yet. The step is at a right angle"),
        ([], "not yet. "),
        ("much", "not yet. Checking your answer failed with ValueError"),
        (None, "not yet. Checking your answer failed with TypeError"),
    ],
)
def test_check_says_which(answer, verdict, said):
    assert said("growth", answer).startswith(verdict)


def test_a_function_that_is_still_a_stub_is_not_answered(said, monkeypatch):
    def judge(answer):
        answer()

    def stub():
        raise NotImplementedError

    monkeypatch.setattr(exercises, "_find", lambda name: judge)
    assert said("stub", stub) == "not answered yet."

    failed = "Checking your answer failed with ZeroDivisionError: division by zero"
    assert said("stub", lambda: 1 / 0) == f"not yet. {failed}"


def test_an_unknown_name_lists_the_exercises():
    with pytest.raises(ValueError, match=r"exercise must be one of .*growth.*, got 'pizza'"):
        check("pizza", 1)


def test_helpers_are_no_exercises():
    with pytest.raises(ValueError, match=r"exercise must be one of .*, got '_numbers'"):
        check("_numbers", 1)


def test_names_are_unique_over_the_course():
    every = [name for checks in CHECKS.values() for name in checks]
    assert len(set(every)) == len(every) > 0


@pytest.mark.parametrize("notebook", CHECKS)
def test_every_check_is_used_by_its_notebook(notebook):
    number = notebook.removeprefix("nb")
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    source = "\n".join(cell.source for cell in cells)
    asked = re.findall(r"check\(['\"](\w+)['\"]", source)
    assert set(asked) == set(CHECKS[notebook])


def test_show_source_prints_what_runs(capsys):
    show_source(nb03.zero_sum)
    assert capsys.readouterr().out == inspect.getsource(nb03.zero_sum)


def test_the_numbers_of_notebook_01_are_those_of_its_laws():
    x = densities.line(-12, 12, 2000)

    def normal(mean, std):
        return torch.distributions.Normal(mean, std).log_prob(x).exp()

    p = 0.3 * normal(-3.0, 0.5) + 0.7 * normal(3.0, 0.5)
    q = normal(3.0, 0.5)
    least = kl(q, p, x)
    assert least.item() == pytest.approx(-math.log(0.7), abs=1e-6)
    for shift, wider in [(0.1, 0), (-0.1, 0), (0, 0.05), (0, -0.05)]:
        assert kl(normal(3.0 + shift, 0.5 + wider), p, x) > least

    assert entropy(normal(0.0, 1.0), x).item() == pytest.approx(1.419, abs=5e-4)
