"""The editions: nothing of a solution in the students', notes on every slide of the instructor's; all made anew."""

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

ROOT = Path(__file__).parent.parent
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
spec = importlib.util.spec_from_file_location("lecture", ROOT / "notebooks/lecture/make.py")
lecture = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lecture)


def need(*modules):
    """The extra `lecture`, which a learner may be without and CI may not."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"the extra “lecture” is not installed: no {', '.join(missing)}"
        )


def made(edition, folder):
    """{number: notebook} of an edition, made by the command."""
    lecture.make(edition, PATHS, folder)
    return {
        path.name[:2]: nbformat.read(path, as_version=4)
        for path in sorted((folder / "notebooks").glob("*.ipynb"))
    }


@pytest.fixture(scope="module")
def kept():
    return {path.name[:2]: nbformat.read(path, as_version=4) for path in PATHS}


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    return made("student", tmp_path_factory.mktemp("student"))


@pytest.fixture(scope="module")
def instructors(tmp_path_factory):
    return made("instructor", tmp_path_factory.mktemp("instructor"))


def begins(nb):
    """The cells with which a slide begins."""
    return [cell for cell in nb.cells if lecture.kind(cell) in ("slide", "subslide")]


def test_students_get_no_solution_and_everything_else(kept, students):
    assert set(students) == set(kept)
    for number, nb in students.items():
        nbformat.validate(nb)
        solutions = [cell for cell in kept[number].cells if lecture.tagged(cell, "solution")]
        assert solutions and [cell.id for cell in nb.cells] == [
            cell.id for cell in kept[number].cells if cell not in solutions
        ]
        sources = "\n\n".join(cell.source for cell in nb.cells)
        assert not [cell.id for cell in solutions if cell.source in sources]
        printed = "\n".join(str(cell.get("outputs", "")) for cell in nb.cells)
        assert not re.search(r"\w: right\.", printed) and printed.count("not answered yet.") >= len(
            solutions
        )
        counts = [cell.execution_count for cell in nb.cells if cell.cell_type == "code"]
        assert counts == list(range(1, len(counts) + 1))


def names(source, context):
    """Names that a cell's own lines set (ast.Store) or ask for (ast.Load); functions count as names that are set."""
    tree = ast.parse(source)
    found = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }
    return found | {
        node.name
        for node in tree.body
        if context is ast.Store and isinstance(node, ast.FunctionDef)
    }


def test_no_cell_needs_what_only_a_solution_made(kept):
    """So the students' notebooks run from top to bottom, with every exercise unanswered."""
    for number, nb in kept.items():
        without, only = set(), set()
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            if lecture.tagged(cell, "solution"):
                only |= names(cell.source, ast.Store) - without
            else:
                here = names(cell.source, ast.Store)
                assert not names(cell.source, ast.Load) & (only - here), f"{number}: {cell.id}"
                without, only = without | here, only - here


def test_the_students_notebook_runs_unanswered(students, tmp_path):
    from nbclient import NotebookClient

    nb = students["00"]
    before = [
        [output.get("text") for output in cell.get("outputs", [])]
        for cell in nb.cells
        if lecture.tagged(cell, "exercise")
    ]
    NotebookClient(
        nb,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(ROOT / "notebooks")}},
    ).execute()
    after = [
        [output.get("text") for output in cell.outputs]
        for cell in nb.cells
        if lecture.tagged(cell, "exercise")
    ]
    assert after == before and all("not answered yet" in texts[-1] for texts in after)


def test_every_slide_has_its_notes_and_every_note_its_slide(kept, instructors):
    for number, nb in kept.items():
        slides = [cell.id for cell in begins(nb)]
        assert list(lecture.speaker_notes(number)) == slides and 10 <= len(slides) <= 14, number
        edition = instructors[number].cells
        assert [
            cell.id for cell, note in pairwise(edition) if note.id == f"notes-{cell.id}"
        ] == slides
        assert all(
            len(cell.source.split()) >= 20 for cell in edition if lecture.kind(cell) == "notes"
        )


def test_the_minutes_of_the_notes_add_up(kept):
    for number, nb in kept.items():
        whole = int(re.search(r"\*\*(\d+) min\*\*", nb.cells[0].source)[1])
        assert sum(
            minutes for minutes, _ in lecture.speaker_notes(number).values()
        ) == pytest.approx(whole, abs=5), number


def test_the_instructor_sees_solutions(kept, instructors):
    for number, nb in instructors.items():
        nbformat.validate(nb)
        assert nb.metadata.rise.theme == "white"  # the other themes ask for fonts from the network
        solutions = [cell for cell in nb.cells if lecture.tagged(cell, "solution")]
        assert (
            len(solutions)
            == sum(lecture.tagged(cell, "solution") for cell in kept[number].cells)
            > 0
        )
        assert not any("jupyter" in cell.metadata for cell in solutions)


def test_slides_hold_every_slide_with_its_notes_and_no_solution(kept, tmp_path):
    need("sphinx_revealjs")
    lecture.make("slides", PATHS, tmp_path / "slides")
    for path in PATHS:
        page, nb = (
            (tmp_path / "slides" / f"{path.stem}.html").read_text(encoding="utf-8"),
            kept[path.name[:2]],
        )
        assert page.count("<section") == 2 * len(
            [c for c in begins(nb) if lecture.kind(c) == "slide"]
        ) + len([c for c in begins(nb) if lecture.kind(c) == "subslide"]) + page.count(
            '<section class=\\"gl-lab'
        )
        assert page.count('<aside class="notes">') == len(begins(nb))
        assert not re.search(r"""<(script|link|img|iframe)[^>]+(src|href)=["'](https?:)?//""", page)
        assert ": right." not in page and "../images/" not in page
        assert page.count('class="gl-recorded"') == (path.name[:2] == "04")


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SystemExit, match="did not make"):
        lecture.make("student", PATHS[:1], tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_an_unknown_notebook_is_named(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["make.py", "student", "99"])
    with pytest.raises(SystemExit, match="no notebook begins with 99"):
        lecture.main()


def test_the_extension_for_rise_is_whole(tmp_path, capsys):
    need("jupyterlab_rise")
    lecture.install_rise(tmp_path)
    (package,) = (tmp_path / "share/jupyter/labextensions").glob("*/package.json")
    about = json.loads(package.read_text())
    assert about["name"] == package.parent.name  # JupyterLab looks for it under its name
    assert (
        f'["{about["name"]}"]'
        in (package.parent / about["jupyterlab"]["_build"]["load"]).read_text()
    )


def test_the_configuration_of_the_hub(monkeypatch, tmp_path):
    """It sets what it says: limits, culling, and an address that only this machine reaches until another is given."""
    from traitlets.config import Config

    monkeypatch.setenv("COURSE_WORK", str(tmp_path))
    monkeypatch.delenv("COURSE_URL", raising=False)
    c, path = Config(), ROOT / "notebooks/lecture/hub/jupyterhub_config.py"
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), {"get_config": lambda: c})
    assert (
        c.Spawner.mem_limit == "1G"
        and c.Spawner.cpu_limit == 1.0
        and c.Spawner.environment == {"OMP_NUM_THREADS": "1"}
    )
    assert (
        "--MappingKernelManager.cull_idle_timeout=1800" in c.Spawner.args
        and "--timeout=3600" in c.JupyterHub.services[0]["command"]
    )
    assert c.JupyterHub.services[0]["name"] in c.JupyterHub.load_roles[0]["services"]
    assert c.JupyterHub.bind_url.startswith("http://127.0.0.1:")
    if importlib.util.find_spec("jupyterhub"):  # then its own words for all of it
        from jupyterhub.app import JupyterHub

        assert all(hasattr(JupyterHub, name) for name in c.JupyterHub)


def test_the_plans_name_slides_and_add_up(kept):
    """The lesson of 50 minutes has 50, and what the plans quote is a slide or an exercise of the course."""
    text = (ROOT / "notebooks/INSTRUCTOR.md").read_text(encoding="utf-8")
    plans = text[text.index("## A lesson of 50") : text.index("## A room full")]
    assert (
        sum(
            int(minutes)
            for minutes in re.findall(
                r"^\| (\d+) \|", plans[: plans.index("## A lesson of 90")], re.M
            )
        )
        == 50
    )
    checks = {
        name
        for nb in kept.values()
        for name in re.findall(r'check\("(\w+)"', "".join(cell.source for cell in nb.cells))
    }
    slides = {cell.id for nb in kept.values() for cell in begins(nb)}
    assert set(re.findall(r"`([\w-]+)`", plans)) <= slides | checks
