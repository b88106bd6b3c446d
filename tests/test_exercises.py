"""`check` says right, not yet or not answered, whatever it is handed; every exercise has a check and is used."""

import inspect
import re
from pathlib import Path

import nbformat
import pytest

from ganlib import exercises
from ganlib.exercises import check, nb03, show_source

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "ganlib/exercises").glob("nb*.py"))


def names(path):
    return re.findall(
        r"^(?:def )?([a-z]\w*)(?:\(| = _numbers\()", path.read_text(encoding="utf-8"), re.M
    )


@pytest.mark.parametrize(
    "answer, said",
    [
        (1.04**50, "growth: right."),
        (..., "growth: not answered yet."),
        (1.2**100, "growth: not yet. The step is at a right angle"),
        ([], "growth: not yet. "),
        ("much", "growth: not yet. Checking your answer failed with ValueError"),
        (None, "growth: not yet. Checking your answer failed with TypeError"),
    ],
)
def test_check_says_which(answer, said, capsys):
    assert check("growth", answer) is None
    out = capsys.readouterr().out
    assert out.startswith(said) and out.count("\n") == 1


def test_a_function_that_is_still_a_stub_is_not_answered(capsys, monkeypatch):
    def judge(answer):
        answer()

    def stub():
        raise NotImplementedError

    monkeypatch.setattr(exercises, "_find", lambda name: judge)
    check("stub", stub)
    check("stub", lambda: 1 / 0)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "stub: not answered yet."
    assert (
        second
        == "stub: not yet. Checking your answer failed with ZeroDivisionError: division by zero"
    )


def test_an_unknown_name_lists_the_exercises():
    with pytest.raises(ValueError, match=r"exercise must be one of .*growth.*, got 'pizza'"):
        check("pizza", 1)


def test_helpers_are_no_exercises():
    with pytest.raises(ValueError, match=r"exercise must be one of .*, got '_numbers'"):
        check("_numbers", 1)


def test_names_are_unique_over_the_course():
    every = [name for path in FILES for name in names(path)]
    assert len(set(every)) == len(every) > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_check_is_used_by_its_notebook(path):
    (notebook,) = (ROOT / "notebooks").glob(path.stem.removeprefix("nb") + "_*.ipynb")
    source = "\n".join(cell.source for cell in nbformat.read(notebook, as_version=4).cells)
    assert set(re.findall(r"check\(['\"](\w+)['\"]", source)) == set(names(path))


def test_show_source_prints_what_runs(capsys):
    show_source(nb03.zero_sum)
    assert capsys.readouterr().out == inspect.getsource(nb03.zero_sum)
