"""`check` says right, not yet or not answered, and why; every exercise has a check and is used.

The answers that are tried stand in tests/answers, a table for each notebook.
"""

import inspect
import math
import re
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import nbformat
import numpy as np
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
        ("much", "not yet. One number is asked, and 'much' is no number."),
        ("7.107", "not yet. One number is asked, and '7.107' is no number."),
        ([7.107, 7.107], "not yet. One number is asked, got [7.107, 7.107]."),
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


# -- answers of another kind ---------------------------------------------------------------------

OTHER_KINDS = {
    "text": "no",
    "None": None,
    "no list": [],
    "list": ["no", None, 3],
    "nested": [[1, 2], [3, "a"]],
    "tensor": torch.ones(2, 3),
    "tensor with a slope": torch.ones(5, requires_grad=True),
    "array": np.ones((3, 2)),
    "complex": 1 + 2j,
    "object": object(),
    "iterator": iter("ab"),
    "dict": {"a": 1},
}
OBSCURE = r"failed with|Error|ambiguous|converted|NoneType|np\.|<function"
OF_CODE = [
    "acceptance",
    "count_modes",
    "d_star",
    "kl_by_hand",
    "reverse_kl_cost",
    "v_of_d",
    "velocity",
]
STEPS = ["step_of_d", "step_of_g"]  # code that gives nothing


@pytest.mark.parametrize("kind", OTHER_KINDS)
@pytest.mark.parametrize("exercise", RIGHT)
def test_an_answer_of_another_kind_is_told_what_is_asked(exercise, kind, said):
    verdict = said(exercise, OTHER_KINDS[kind])
    assert verdict.startswith("not yet. ")
    assert not re.search(OBSCURE, verdict)
    assert re.search(r"\b(asked|[Gg]ive|Answer with|None stands)\b|of eight are wrong", verdict)


@pytest.mark.parametrize("kind", OTHER_KINDS)
@pytest.mark.parametrize("exercise", OF_CODE)
def test_a_function_that_gives_another_kind_is_told_what_is_asked(exercise, kind, said):
    verdict = said(exercise, lambda *given: OTHER_KINDS[kind])
    if OTHER_KINDS[kind] is None:
        assert verdict == "not answered yet."
    else:
        assert re.search(r"^not yet\. .* asked of your function, (got|and) ", verdict)
        assert not re.search(OBSCURE, verdict)


def test_all_exercises_with_code_are_tried():
    """Those whose right answers are functions."""
    code = {name for name, answers in RIGHT.items() if callable(answers[0])}
    assert code == {*OF_CODE, *STEPS}


@pytest.mark.parametrize("exercise", ["acceptance", "count_modes", "kl_by_hand"])
def test_a_function_that_gives_nothing_for_some_arguments_is_no_stub(exercise, said):
    calls = iter([RIGHT[exercise][0]])

    def forgetful(*given):
        for right in calls:
            return right(*given)

    words = "not yet. One number is asked of your function, and None is no number."
    assert said(exercise, forgetful) == words


@pytest.mark.parametrize("gauge", [["regret"], np.array(["regret", "off_half"])])
def test_a_gauge_of_another_kind_is_told_which_there_are(gauge, said):
    assert said("break_it", (1e-5, 1e-2, gauge)) == "not yet. The gauge is one of regret, off_half."


def all_in_numbers():
    """(exercise, tensor) of the right answers that are numbers: one, or a tuple of them."""
    for exercise, (answer, *_) in RIGHT.items():
        listed = answer if isinstance(answer, tuple) else [answer]
        if all(isinstance(number, (int, float)) for number in listed):
            yield exercise, torch.tensor(answer, dtype=torch.float64)


@pytest.mark.parametrize("exercise, numbers", list(all_in_numbers()))
def test_numbers_may_come_as_a_list_an_array_or_a_tensor(exercise, numbers, said):
    for answer in (numbers, numbers.requires_grad_(), numbers.tolist(), numbers.detach().numpy()):
        assert said(exercise, answer) == "right."
        if numbers.ndim:
            assert said(exercise, list(numbers)) == "right."


@pytest.mark.parametrize("exercise", OF_CODE)
def test_a_function_may_compute_with_numpy(exercise, said):
    for right in RIGHT[exercise]:
        assert said(exercise, lambda *given: np.asarray(right(*given))) == "right."  # noqa: B023


# -- answers that do not end, or end too much ----------------------------------------------------


def forever(*given):
    while True:
        with suppress(Exception):  # which does not catch the end of its time
            sum(range(10))


@pytest.mark.parametrize("exercise", [*OF_CODE, *STEPS])
def test_an_answer_that_never_ends_is_stopped(exercise, said, monkeypatch):
    monkeypatch.setattr(exercises, "LIMIT", 0.05)
    words = "not yet. Checking your answer took more than 0.05 s and was stopped: does it ever end?"
    assert said(exercise, forever) == words


def test_what_is_stopped_too_late_hurts_nobody():
    """However near to the limit an answer ends, nothing is thrown afterwards."""
    for number in range(200):
        with suppress(exercises._TooLong), exercises._at_most(1e-3):
            time.sleep(1e-3 - number * 1e-6)
        assert sum(range(5000)) == 12_497_500


def test_a_time_limit_works_in_any_thread():
    found = []

    def work():
        try:
            with exercises._at_most(0.05):
                forever()
        except exercises._TooLong:
            found.append("stopped")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert found == ["stopped"]


@pytest.mark.parametrize("exercise", [*OF_CODE, *STEPS])
def test_an_answer_that_ends_the_program_is_told_so(exercise, said):
    assert said(exercise, lambda *given: sys.exit(3)).startswith("not yet. Your answer ends the pr")


def test_ctrl_c_is_let_through():
    def stop(*given):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("d_star", stop)


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


@pytest.mark.parametrize("chance", [0.1, 0.4, 0.6, 0.9])
def test_of_the_pixel_costs_l2_is_faint_where_it_doubts(chance):
    """What `choose_cost` says: the best L1 answer is a full stroke or none, the best L2 a grey."""
    paint = torch.linspace(0, 1, 1001)  # 0: no stroke, 1: a full one
    away = torch.tensor([1.0, 0.0])[:, None] - paint
    likely = torch.tensor([chance, 1 - chance])
    best_l2 = paint[(likely @ away.square()).argmin()]
    best_l1 = paint[(likely @ away.abs()).argmin()]
    assert best_l2 == pytest.approx(chance, abs=1e-3)
    assert best_l1 == (chance > 0.5)


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
