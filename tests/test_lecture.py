"""The editions, all made anew.

Nothing of a solution is in the students', and every slide of the instructor's has its notes.
"""

import ast
import importlib.util
import json
import os
import re
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from minutes import parts
from predictions import ANSWER, folded
from test_minutes import LATER

ROOT = Path(__file__).parent.parent
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def script(name):
    """A script of the lecture as a module."""
    path = ROOT / f"notebooks/lecture/{name}.py"
    spec = importlib.util.spec_from_file_location(f"lecture_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lecture = script("make")
hand_out = script("lab")


def need(*modules):
    """The extra `lecture`, which a learner may be without and CI may not."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"the extra “lecture” is not installed: no {', '.join(missing)}")


def read(paths):
    """{number: notebook}"""
    return {path.name[:2]: nbformat.read(path, as_version=4) for path in paths}


def made(edition, folder):
    """{number: notebook} of an edition, made by the command."""
    lecture.make(edition, PATHS, folder)
    return read(sorted((folder / "notebooks").glob("*.ipynb")))


@pytest.fixture(scope="module")
def kept():
    return read(PATHS)


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    return made("student", tmp_path_factory.mktemp("student"))


@pytest.fixture(scope="module")
def instructors(tmp_path_factory):
    return made("instructor", tmp_path_factory.mktemp("instructor"))


def of_kind(nb, *kinds):
    """The cells of these kinds of slide."""
    return [cell for cell in nb.cells if lecture.kind(cell) in kinds]


def begins(nb):
    """The cells with which a slide begins."""
    return of_kind(nb, "slide", "subslide")


def tagged(nb, tag):
    return [cell for cell in nb.cells if lecture.tagged(cell, tag)]


# -- the students' edition ----------------------------------------------------------------------
def test_students_get_no_solution_and_everything_else(kept, students):
    assert set(students) == set(kept)
    for number, nb in students.items():
        nbformat.validate(nb)
        solutions = tagged(kept[number], "solution")
        assert solutions
        others = [cell.id for cell in kept[number].cells if cell not in solutions]
        assert [cell.id for cell in nb.cells] == others

        sources = "\n\n".join(cell.source for cell in nb.cells)
        assert not [cell.id for cell in solutions if cell.source in sources]

        printed = "\n".join(str(cell.get("outputs", "")) for cell in nb.cells)
        assert not re.search(r"\w: right\.", printed)
        assert printed.count("not answered yet.") >= len(solutions)

        counts = [cell.execution_count for cell in nb.cells if cell.cell_type == "code"]
        assert counts == list(range(1, len(counts) + 1))


def names(source, context):
    """Names that a cell's own lines set (ast.Store) or ask for (ast.Load).

    Functions count as names that are set.
    """
    tree = ast.parse(source)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, context):
            found.add(node.id)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and context is ast.Store:
            found.add(node.name)
    return found


def test_no_cell_needs_what_only_a_solution_made(kept):
    """So the students' notebooks run from top to bottom, with every exercise unanswered."""
    for number, nb in kept.items():
        without = set()  # set by cells that students have
        only = set()  # set by solutions, and by nothing else before
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            here = names(cell.source, ast.Store)
            if lecture.tagged(cell, "solution"):
                only |= here - without
            else:
                needed = names(cell.source, ast.Load)
                assert not needed & (only - here), f"{number}: {cell.id}"
                without |= here
                only -= here


def test_the_students_notebook_runs_unanswered(students):
    from nbclient import NotebookClient

    nb = students["00"]

    def printed():
        """What the cells with an exercise have printed, a list for each."""
        return [
            [output.get("text") for output in cell.get("outputs", [])]
            for cell in tagged(nb, "exercise")
        ]

    before = printed()
    folder = str(ROOT / "notebooks")
    client = NotebookClient(
        nb, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute()
    assert printed() == before
    assert all("not answered yet" in texts[-1] for texts in before)


# -- the instructor's edition -------------------------------------------------------------------
def test_every_slide_has_its_notes_and_every_note_its_slide(kept, instructors):
    for number, nb in kept.items():
        slides = [cell.id for cell in begins(nb)]
        assert 10 <= len(slides) <= 14, number
        assert list(lecture.speaker_notes(number)) == slides, number

        edition = instructors[number]
        followed = [
            cell.id for cell, after in pairwise(edition.cells) if after.id == f"notes-{cell.id}"
        ]
        assert followed == slides
        assert all(len(cell.source.split()) >= 20 for cell in of_kind(edition, "notes"))


def instructor():
    return (ROOT / "notebooks/INSTRUCTOR.md").read_text(encoding="utf-8")


def minutes_of_slides(number):
    """{slide: minutes}, as the notes of a notebook say."""
    return {name: minutes for name, (minutes, _) in lecture.speaker_notes(number).items()}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_table_of_minutes_says_what_the_notebooks_and_the_notes_say(path, kept):
    number = path.name[:2]
    if number in LATER:
        pytest.skip(LATER[number])
    stated = [part for part in parts(kept[number]) if part.stated]
    short = sum(part.stated for part in stated if not part.depth)
    whole = sum(part.stated for part in stated)
    slides = sum(minutes_of_slides(number).values())
    title = kept[number].cells[0].source.splitlines()[0].strip("# ")
    assert f"| {number} {title} | {short} | {whole} | {slides} |" in instructor()


def test_the_instructor_sees_solutions(kept, instructors):
    for number, nb in instructors.items():
        nbformat.validate(nb)
        assert nb.metadata.rise.theme == "white"  # the other themes ask for fonts from the network
        solutions = tagged(nb, "solution")
        assert len(solutions) == len(tagged(kept[number], "solution")) > 0
        assert not any("jupyter" in cell.metadata for cell in solutions)


def test_the_instructor_prints_what_a_learner_unfolds(kept, instructors):
    def folds(nb):
        """Answers and outputs that are folded."""
        answers = sum(cell.source.count(ANSWER) for cell in nb.cells)
        outputs = sum(folded(cell) for cell in nb.cells)
        return answers, outputs

    for number, nb in instructors.items():
        assert folds(nb) == (0, 0)
        if number not in LATER:
            assert min(folds(kept[number])) > 0


# -- slides -------------------------------------------------------------------------------------
def test_slides_hold_every_slide_with_its_notes_and_no_solution(kept, tmp_path):
    need("sphinx_revealjs")
    lecture.make("slides", PATHS, tmp_path / "slides")
    for path in PATHS:
        number = path.name[:2]
        nb = kept[number]
        page = (tmp_path / "slides" / f"{path.stem}.html").read_text(encoding="utf-8")

        # A column of slides is a section, and so is each slide in it; labs have their own.
        slides = 2 * len(of_kind(nb, "slide")) + len(of_kind(nb, "subslide"))
        of_labs = page.count('<section class=\\"gl-lab')
        assert page.count("<section") == slides + of_labs
        assert page.count('<aside class="notes">') == len(begins(nb))

        assert not re.search(r"""<(script|link|img|iframe)[^>]+(src|href)=["'](https?:)?//""", page)
        assert ": right." not in page
        assert "../images/" not in page

        labs = {"00": 1, "03": 1, "04": 2, "05": 1}
        assert page.count('class="gl-page"') == labs.get(number, 0)


# -- the command and what it stands on ----------------------------------------------------------
def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SystemExit, match="did not make"):
        lecture.make("student", PATHS[:1], tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_an_unknown_notebook_is_named(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["make.py", "student", "99"])
    with pytest.raises(SystemExit, match="no notebook begins with 99"):
        lecture.main()


def test_the_extension_for_rise_is_whole(tmp_path):
    need("jupyterlab_rise")
    lecture.install_rise(tmp_path)
    (package,) = (tmp_path / "share/jupyter/labextensions").glob("*/package.json")
    about = json.loads(package.read_text())
    name = about["name"]
    assert name == package.parent.name  # JupyterLab looks for it under its name

    entry = package.parent / about["jupyterlab"]["_build"]["load"]
    assert f'["{name}"]' in entry.read_text()


def plans():
    """The rows of the plans: (minutes, what is said of their slides)."""
    text = instructor()
    text = text[text.index("## A lesson of 50") : text.index("## A room full")]
    for line in re.findall(r"^\|.*\|$", text, re.M):
        columns = [column.strip() for column in line.strip("|").split("|")]
        for minutes, said in ((columns[0], columns[2]), (columns[1], columns[2])):
            if minutes.isdigit():
                yield int(minutes), said


def minutes_of_a_plan(said):
    """Of slides as a plan names them: “04: `a` to `b`, `c`”, or all of “00, 01”."""
    found = 0
    for piece in said.split(";"):
        numbers = re.findall(r"\b(0\d)\b", piece)
        if "`" not in piece:
            found += sum(sum(minutes_of_slides(number).values()) for number in numbers)
            continue
        minutes = minutes_of_slides(numbers[0])
        order = list(minutes)
        for first, last in re.findall(r"`([\w-]+)`(?: to `([\w-]+)`)?", piece):
            end = order.index(last or first)
            found += sum(minutes[name] for name in order[order.index(first) : end + 1])
    return found


def test_the_plans_name_what_there_is(kept):
    known = {cell.id for nb in kept.values() for cell in begins(nb)}
    for nb in kept.values():
        for cell in nb.cells:
            known.update(re.findall(r'check\("(\w+)"', cell.source))
    text = instructor()
    text = text[text.index("## A lesson of 50") : text.index("## A room full")]
    assert set(re.findall(r"`([\w-]+)`", text)) <= known


def test_the_plans_add_up():
    rows = list(plans())
    assert sum(minutes for minutes, _ in rows[:5]) == 50
    assert sum(minutes for minutes, _ in rows[5:8]) == 90
    assert len(rows) == 11
    for minutes, said in rows:
        if re.search(r"\b0\d\b", said):
            assert minutes == minutes_of_a_plan(said), said


# -- the lab to hand out -------------------------------------------------------------------------
@pytest.mark.parametrize(
    "settings, address",
    [
        ('SITE = ""\n', ""),
        ('A = 1\nSITE = "https://x.org/course"\n', "https://x.org/course/lab.html"),
        ('SITE = "https://x.org/"\n', "https://x.org/lab.html"),
    ],
)
def test_links_begin_where_the_settings_say(settings, address):
    assert hand_out.site(settings) == address


def test_settings_without_a_site_are_named():
    with pytest.raises(ValueError, match="must have a line SITE"):
        hand_out.site("REPOSITORY = 'x'")
