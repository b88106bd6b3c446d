"""Completion read from learners' notebooks: some that ran here, some that are not as hoped."""

import csv
import json
import shutil
import sys

import make as lecture
import nbformat
import pytest
from lecturer import scores

(START,) = lecture.chosen(["00"])
EXERCISE, SOLUTION = "exercise-log-score-stub", "exercise-log-score-solution"


def handed_in(answer=None):
    """Notebook 00 of the students' edition, with this answer in place of the dots."""
    nb = lecture.student(nbformat.read(START, as_version=4))
    if answer is not None:
        cell = next(cell for cell in nb.cells if cell.id == EXERCISE)
        cell.source = cell.source.replace("answer = ...", f"answer = {answer}")
        cell.outputs = []
    return nb


def said(nb, text, cell_id=EXERCISE):
    """With this line as the output of its exercise."""
    cell = next(cell for cell in nb.cells if cell.id == cell_id)
    cell.outputs = [nbformat.v4.new_output("stream", text=text)]
    return nb


def scored(folder, out, monkeypatch, *options):
    """{(learner, notebook): row} that the command makes."""
    command = ["make.py", "score", str(folder), "--out", str(out), *options]
    monkeypatch.setattr(sys, "argv", command)
    lecture.main()
    with (out / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
        return {(row["learner"], row["notebook"]): row for row in csv.DictReader(file)}


def put(nb, *parts):
    path = parts[0].joinpath(*parts[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)


def test_what_was_answered_is_counted_and_solutions_are_not(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "class"
    name = START.name
    put(handed_in(), folder, "Ann", name)  # as it was given out
    put(said(handed_in(), "log_score: right.\n"), folder, "Bea", name)
    put(said(handed_in(), "log_score: not yet. Think.\n"), folder, "Cem", name)
    shutil.copy(START, folder / f"{START.stem}_Dan.ipynb")  # the course's own, with its solution
    broken = handed_in("1 / 0")
    cell = next(cell for cell in broken.cells if cell.id == EXERCISE)
    cell.outputs = [nbformat.v4.new_output("error", ename="X", evalue="", traceback=[])]
    put(broken, folder, "Eve", "deeper", "my copy.ipynb")

    found = scored(folder, tmp_path / "out", monkeypatch)
    seen = {
        learner: next(state for state in scores.STATES if row.get(state) == "1")
        for (learner, notebook), row in found.items()
        if notebook == START.stem
    }
    assert seen == {"Ann": "open", "Bea": "right", "Cem": "tried", "Dan": "open", "Eve": "tried"}
    assert {row["exercises"] for row in found.values()} == {"1"}
    assert "do not mark by them" in capsys.readouterr().out


def test_a_solution_is_no_answer_with_its_tag_taken_off_or_its_id_changed():
    of = scores.lesson(START)
    nb = nbformat.read(START, as_version=4)
    for change in ({"tags": []}, {"tags": [], "id": "other"}):
        cell = next(cell for cell in nb.cells if cell.id in (SOLUTION, "other"))
        cell.metadata["tags"] = change["tags"]
        cell["id"] = change.get("id", cell.id)
        assert scores.state(scores.own_cells(nb, of), "log_score", EXERCISE) == "open"


@pytest.mark.slow
def test_run_again_a_typed_line_is_worth_nothing(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    put(said(handed_in(), "log_score: right.\n"), folder, "typed", START.name)
    put(handed_in("math.log(0.2)"), folder, "answered", START.name)
    before = {path: path.read_bytes() for path in folder.rglob("*.ipynb")}
    stored = scored(folder, tmp_path / "out", monkeypatch)
    anew = scored(folder, tmp_path / "out", monkeypatch, "--again")
    right = lambda rows: {learner: row["right"] for (learner, _), row in rows.items()}
    assert right(stored) == {"typed": "1", "answered": "0"}
    assert right(anew) == {"typed": "0", "answered": "1"}
    assert {path: path.read_bytes() for path in folder.rglob("*.ipynb")} == before


def test_one_bad_file_stops_nobody(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    put(said(handed_in(), "log_score: right.\n"), folder, "=cmd()", START.name)
    put(nbformat.v4.new_notebook(), folder, "poem.ipynb")
    (folder / "torn.ipynb").write_text('{"cells": [')
    (folder / "list.ipynb").write_text("[1, 2]")
    odd = json.loads(nbformat.writes(handed_in()))
    for cell in odd["cells"]:
        if cell["id"] == EXERCISE:
            cell["outputs"] = [{"text": "log_score: right."}]  # of no type
    (folder / "odd.ipynb").write_text(json.dumps(odd))
    put(handed_in(), folder, "Ann", ".ipynb_checkpoints", START.name)
    (folder / "link.ipynb").symlink_to(START)
    found = scored(folder, tmp_path / "out", monkeypatch)
    assert {learner: row["trouble"].split(":")[0] for (learner, _), row in found.items()} == {
        "'=cmd()": "",  # no spreadsheet takes it for a formula
        "poem": "is no notebook of the course",
        "torn": "cannot be read",
        "list": "cannot be read",
        "odd": "cannot be read",
    }


def test_every_exercise_of_the_course_is_known():
    from ganlib.exercises import _checks

    checks = _checks()
    for path in lecture.chosen([]):
        assert set(scores.lesson(path).exercises) == set(checks[f"nb{path.name[:2]}"])


@pytest.mark.parametrize("where, says", [("nowhere", "is no folder"), ("", "holds no notebook")])
def test_a_wrong_folder_is_named(where, says, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=says):
        scored(tmp_path / where, tmp_path / "out", monkeypatch)


def test_what_is_read_is_never_emptied(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    put(handed_in(), folder, "Ann", START.name)
    (folder / ".made").touch()  # as if the script had made it
    for out in (folder, tmp_path):
        with pytest.raises(SystemExit, match="which is emptied: name another folder"):
            scored(folder, out, monkeypatch)
    assert (folder / "Ann" / START.name).exists()
