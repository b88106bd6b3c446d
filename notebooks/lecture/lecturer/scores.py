"""How far learners came, from their saved notebooks: the lines that `check` printed.

This counts completion, for a list of who took part. It is no exam: a saved line can be typed by
hand, the solutions come with the course, and nobody sees who sat at the keyboard.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

ASKED = re.compile(r"""check\(\s*["'](\w+)["']""")
SAID = re.compile(r"^(\w+): (right\.|not answered yet\.|not yet\. .*)$", re.M)

# From the least to the most that may be known of an exercise.
STATES = ("missing", "open", "tried", "right")

# What a spreadsheet would take for a formula, at the beginning of a cell.
FORMULA = ("=", "+", "-", "@", "\t")


@dataclass
class Lesson:
    """A notebook of the course: {exercise: id of its cell}, and what its solutions are."""

    name: str
    exercises: dict[str, str]
    solution_ids: set[str]
    solutions: set[str]
    ids: set[str]


@dataclass
class Score:
    """What one learner did in one notebook: {exercise: state}; or why that cannot be said."""

    learner: str
    notebook: str
    states: dict[str, str] = field(default_factory=dict)
    trouble: str = ""

    def count(self, state: str) -> int:
        return sum(found == state for found in self.states.values())


def lesson(path: Path) -> Lesson:
    """A notebook of the course, as it is kept."""
    exercises, solution_ids, solutions, ids = {}, set(), set(), set()
    for cell in nbformat.read(path, as_version=4).cells:
        tags = cell.metadata.get("tags", [])
        ids.add(cell.id)
        if "solution" in tags:
            solution_ids.add(cell.id)
            solutions.add(cell.source.strip())
        elif "exercise" in tags:
            exercises.update({name: cell.id for name in ASKED.findall(cell.source)})
    return Lesson(path.stem, exercises, solution_ids, solutions, ids)


def own_cells(nb, of: Lesson) -> list:
    """The code cells of a learner's notebook that are not solutions of the course, left as is."""
    return [
        cell
        for cell in nb.cells
        if cell.cell_type == "code"
        and "solution" not in cell.metadata.get("tags", [])
        and cell.get("id") not in of.solution_ids
        and cell.source.strip() not in of.solutions
    ]


def state(cells: Sequence, exercise: str, cell_id: str) -> str:
    """The most that the outputs of these cells say of an exercise."""
    found = ["missing"]
    for cell in cells:
        if cell.get("id") == cell_id:
            found.append("open")
        for output in cell.get("outputs", []):
            text = output.get("text", "") if output.output_type == "stream" else ""
            for name, verdict in SAID.findall(text):
                if name == exercise:
                    kind = {"right.": "right", "not answered yet.": "open"}.get(verdict, "tried")
                    found.append(kind)
            # An answer that fails was tried, too; the stub of the notebook does not fail.
            if output.output_type == "error" and cell.get("id") == cell_id:
                found.append("tried")
    return max(found, key=STATES.index)


def learner(path: Path, folder: Path, of: str) -> str:
    """Whose notebook it is: the first folder below the one given, else what its name adds."""
    inside = path.relative_to(folder)
    if len(inside.parts) > 1:
        return inside.parts[0]
    return path.stem.replace(of, "").strip(" _-.") or path.stem


def belongs(nb, path: Path, lessons: Iterable[Lesson]) -> Lesson | None:
    """The notebook of the course that this was made from: by its cells, else by its name."""
    here = {cell.get("id") for cell in nb.cells}
    best = max(lessons, key=lambda each: len(each.ids & here))
    # Some ids, such as that of the title, stand in every notebook.
    if len(best.ids & here) > len(best.ids) / 3:
        return best
    return next((each for each in lessons if each.name in path.stem), None)


def score(path: Path, folder: Path, lessons: Sequence[Lesson], run=None) -> Score:
    """One saved notebook.

    run: a function that runs the learner's notebook, without the course's solutions, anew.
    """
    found = Score(learner(path, folder, ""), path.name)
    try:
        nb = nbformat.read(path, as_version=4)
        of = belongs(nb, path, lessons)
        if of is None:
            found.trouble = "is no notebook of the course"
            return found
        found = Score(learner(path, folder, of.name), of.name)
        if run is not None:
            found.trouble = tried(run, nb, own_cells(nb, of))
        cells = own_cells(nb, of)
        for exercise, cell_id in of.exercises.items():
            found.states[exercise] = state(cells, exercise, cell_id)
    except Exception as error:  # whatever a learner handed in: one file must not stop the others
        found.states = {}
        found.trouble = (
            f"cannot be read: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        )
    return found


def tried(run, nb, own: list) -> str:
    """Run a notebook without the solutions of the course; what went wrong, or nothing."""
    nb.cells = [cell for cell in nb.cells if cell.cell_type != "code" or cell in own]
    try:
        run(nb)
    except Exception as error:
        return f"did not run to its end: {type(error).__name__}"
    return ""


def again(folder: Path, seconds: int):
    """A function that runs a notebook in a fresh kernel, in this folder; errors are let be."""
    from nbclient import NotebookClient

    def run(nb) -> None:
        NotebookClient(
            nb,
            timeout=seconds,
            allow_errors=True,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
        ).execute()

    return run


def saved(folder: Path) -> list[Path]:
    """The notebooks in a folder and in those inside it: no copies of Jupyter's own, no links."""
    return sorted(
        path
        for path in folder.rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts and not path.is_symlink()
    )


# -- tables --------------------------------------------------------------------------------------


def safe(value) -> str:
    """A cell of a table that no spreadsheet takes for a formula; a number stays a number."""
    text = str(value)
    is_number = re.fullmatch(r"[+-]?\d+(\.\d+)?", text)
    return f"'{text}" if text.startswith(FORMULA) and not is_number else text


def write(rows: Iterable[Sequence], to: Path) -> None:
    """A table as CSV, with the byte order mark by which Excel knows UTF-8."""
    with to.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([safe(value) for value in row] for row in rows)


def tables(scores: Sequence[Score]) -> dict[str, list[list]]:
    """The two tables: a row for each notebook of a learner, and one for each exercise."""
    whole = [["learner", "notebook", "right", "tried", "open", "missing", "exercises", "trouble"]]
    single = [["learner", "notebook", "exercise", "state"]]
    for each in scores:
        counts = [each.count(state) for state in ("right", "tried", "open", "missing")]
        whole.append([each.learner, each.notebook, *counts, len(each.states), each.trouble])
        single += [[each.learner, each.notebook, *pair] for pair in each.states.items()]
    return {"scores": whole, "exercises": single}
