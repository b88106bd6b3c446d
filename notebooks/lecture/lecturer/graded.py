"""Notebooks as nbgrader wants them: it takes the solutions out, collects, and grades by `check`.

nbgrader (https://nbgrader.readthedocs.io) works in a course folder. `source/03/…ipynb` is what the
lecturer has: each exercise is a cell with its solution between two marks, and below it a locked
cell that asks `check` and is worth a point. nbgrader makes `release/` from it, where the solution
has become a stub.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import nbformat

from lecturer.scores import ASKED

SCHEMA = 3  # of nbgrader's metadata
POINTS = 1

# What the notebooks name of the files beside them. nbgrader moves a notebook about with the files
# of its own folder only, so these go there.
FILE = re.compile(r"\.\./(images/[\w.-]+)|(weights/[\w.-]+)")

CONFIG = """c = get_config()
c.CourseDirectory.course_id = "gans"
# What a learner finds in place of a solution; the dots are in the line above.
c.ClearSolutions.code_stub = {"python": "# your answer here, in place of the dots above"}
c.Execute.timeout = 600  # seconds that a cell may take: some of them train
c.ExecutePreprocessor.timeout = 600
"""

# Imported anew, so that no `check` of a learner's own is asked.
TEST = """# {name}: 1 point if `check` says right.
import contextlib, io
from ganlib import exercises as ganlib_exercises

said = io.StringIO()
with contextlib.redirect_stdout(said):
    ganlib_exercises.check("{name}", {answer})
print(said.getvalue())
assert said.getvalue() == "{name}: right.\\n", said.getvalue()"""


def nbgrader(name: str, *, solution: bool, grade: bool) -> dict:
    """What nbgrader keeps in the metadata of a cell."""
    about = {
        "schema_version": SCHEMA,
        "grade_id": name,
        "grade": grade,
        "solution": solution,
        "locked": not solution,
        "task": False,
    }
    return {"nbgrader": about | ({"points": POINTS} if grade else {})}


def without_check(source: str) -> str:
    """The lines of a cell up to its call of `check`, which is its last."""
    lines = [line for line in source.splitlines() if not ASKED.match(line)]
    return "\n".join(lines).rstrip()


def asked_of(source: str) -> tuple[str, str]:
    """The exercise and the answer of the one call `check("name", answer)` of a cell."""
    found = re.findall(r"""^check\(\s*["'](\w+)["'],\s*(\w+)\)$""", source, re.M)
    if len(found) != 1:
        raise ValueError(f'one line check("name", answer) must be in the cell, not in {source!r}')
    return found[0]


def source_of(nb):
    """Change a notebook of the course into a source notebook of nbgrader."""
    cells, waiting = [], None
    for cell in nb.cells:
        if "solution" in cell.metadata.get("tags", []):
            if waiting is None:
                raise ValueError(f"the solution {cell.id} stands below no exercise")
            name, answer = asked_of(waiting.source)
            marked = ["### BEGIN SOLUTION", without_check(cell.source), "### END SOLUTION"]
            waiting.source = "\n".join([without_check(waiting.source), *marked])
            waiting.metadata |= nbgrader(f"{name}-answer", solution=True, grade=False)
            test = nbformat.v4.new_code_cell(
                TEST.format(name=name, answer=answer), id=f"test-{cell.id}"
            )
            test.metadata |= nbgrader(name, solution=False, grade=True)
            cells.append(test)
            waiting = None
            continue
        if "exercise" in cell.metadata.get("tags", []):
            waiting = cell
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
    nb.cells = cells
    return nb


def beside(nb) -> set[str]:
    """The files that a notebook names, as paths below the folder of the course's notebooks."""
    named = set()
    for cell in nb.cells:
        for picture, weights in FILE.findall(cell.source):
            named.add(f"../{picture}" if picture else weights)
        cell.source = cell.source.replace("../images/", "images/")
    return named


def write(paths: Sequence[Path], out: Path) -> list[Path]:
    """Make the course folder; every notebook is an assignment with the number of the notebook."""
    (out / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    made = []
    for path in paths:
        nb = source_of(nbformat.read(path, as_version=4))
        folder = out / "source" / path.stem[:2]
        for named in sorted(beside(nb)):
            to = folder / named.removeprefix("../")
            to.parent.mkdir(parents=True, exist_ok=True)
            if "*" not in named and (path.parent / named).is_file():
                shutil.copyfile(path.parent / named, to)
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(nb, folder / path.name)
        made.append(folder / path.name)
    return made
