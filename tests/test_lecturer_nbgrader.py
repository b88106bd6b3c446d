"""The course folder for nbgrader: its form, and the whole cycle run by nbgrader itself."""

import csv
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import make as lecture
import nbformat
import pytest
from lecturer import graded, scores

PATHS = lecture.chosen([])


def cell_of(source, **metadata):
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata = nbformat.from_dict(metadata)
    return cell


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_exercise_has_its_solution_between_marks_and_its_point(path, tmp_path):
    kept = nbformat.read(path, as_version=4)
    (made,) = graded.write([path], tmp_path)
    nb = nbformat.read(made, as_version=4)
    nbformat.validate(nb)

    about = [cell.metadata.nbgrader for cell in nb.cells if "nbgrader" in cell.metadata]
    points = [each.grade_id for each in about if each.grade]
    assert points == list(scores.lesson(path).exercises)
    assert [each.points for each in about if each.grade] == [1] * len(points)
    assert [each.grade_id for each in about if each.solution] == [
        f"{name}-answer" for name in points
    ]
    assert all(each.locked != each.solution for each in about)

    # Between the marks is all of the solution, and without it the notebook is the students'.
    marked = re.compile(r"\n### BEGIN SOLUTION\n(.*?)\n### END SOLUTION$", re.S)
    inside = [found for cell in nb.cells for found in marked.findall(cell.source)]
    solutions = [cell.source for cell in kept.cells if lecture.tagged(cell, "solution")]
    call = re.compile(r"\n*^check\(.*\)$", re.M)
    assert inside == [call.sub("", source).rstrip() for source in solutions]
    left = [marked.sub("", cell.source) for cell in nb.cells if not cell.id.startswith("test-")]
    students = [
        call.sub("", cell.source).rstrip() if lecture.tagged(cell, "exercise") else cell.source
        for cell in lecture.student(kept).cells
    ]
    assert left == [source.replace("../images/", "images/") for source in students]
    assert not any(cell.get("outputs") for cell in nb.cells)

    # What it reads lies beside it.
    for name in re.findall(r"(?<![\w/])((?:images|weights)/\w+\.\w+)", "\n".join(left)):
        assert (made.parent / name).is_file(), name


def test_a_cell_that_cannot_be_graded_is_named():
    with pytest.raises(ValueError, match="one line check"):
        graded.asked_of('check("a", 1)\ncheck("b", 2)')
    nb = nbformat.v4.new_notebook(cells=[cell_of("answer = 1", tags=["solution"])])
    with pytest.raises(ValueError, match="stands below no exercise"):
        graded.source_of(nb)


# -- by nbgrader itself ------------------------------------------------------------------------


def run(folder, *command):
    """A command of nbgrader in the course folder; its own programs must be on the PATH."""
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def cycle(folder, paths):
    """{(assignment, student): (score, of)}: released, handed in twice, graded, exported."""
    if importlib.util.find_spec("nbgrader") is None:
        pytest.skip("pip install nbgrader==0.9.6 to run its cycle")
    graded.write(paths, folder)
    for path in paths:
        number = path.stem[:2]
        run(folder, "generate_assignment", number, "--create")
        for student, edition in (("solved", "source"), ("untouched", "release")):
            shutil.copytree(folder / edition / number, folder / "submitted" / student / number)
        run(folder, "autograde", number, "--create")
    run(folder, "export", "--to", "grades.csv")
    with (folder / "grades.csv").open(newline="") as file:
        return {
            (row["assignment"], row["student_id"]): (float(row["score"]), float(row["max_score"]))
            for row in csv.DictReader(file)
        }


def expected(paths):
    counts = {path.stem[:2]: len(scores.lesson(path).exercises) for path in paths}
    right = {(number, "solved"): (count, count) for number, count in counts.items()}
    return right | {(number, "untouched"): (0, count) for number, count in counts.items()}


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_nbgrader_gives_full_marks_for_solutions_and_none_for_stubs(path, tmp_path):
    found = cycle(tmp_path, [path])
    (released,) = (tmp_path / "release").rglob("*.ipynb")
    assert "your answer here" in released.read_text(encoding="utf-8")
    cells = nbformat.read(released, as_version=4).cells
    assert not [cell.id for cell in cells if "### BEGIN SOLUTION" in cell.source]
    assert found == expected([path])
