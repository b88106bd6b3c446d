"""Whoever adds something is told here, in sentences and all at once, what it still lacks.

CONTRIBUTING.md has a recipe for each: a loss, a target, a lab, an exercise, a notebook. The lists
are those of the code and of the folder of notebooks, so nothing has to be entered here.
"""

import ast
import importlib
import inspect
import pkgutil
import re
from functools import cache
from pathlib import Path

import nbformat
from answers import RIGHT, WRONG

from ganlib import exercises, labs, targets
from ganlib.losses import LOSSES, PENALTIES
from ganlib.stage.lab import Lab

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# How many slides a notebook has, so that its lecture fits its minutes.
FEWEST, MOST = 10, 14

NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


@cache
def text(pattern):
    """All files of the repository whose path matches, in one piece."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob(pattern)))


@cache
def cells(path):
    return nbformat.read(path, as_version=4).cells


def source(path):
    """All that a notebook says and runs."""
    return "\n".join(cell.source for cell in cells(path))


def numbered(number):
    """The notebook of this number."""
    return next(path for path in NOTEBOOKS if path.name.startswith(number))


# -- what each of them needs -----------------------------------------------------------------------


def lacks_of_a_loss(name):
    if f'"{name}"' not in text("tests/test_losses.py"):
        yield "tests/test_losses.py has no row for it, with its value from another source"

    def plain(words):
        return words.lower().replace("-", " ")

    if plain(name) not in plain(source(numbered("05"))):
        yield "notebook 05 does not say what it minimises"
    if not re.search(rf'^  "?{re.escape(name)}"?: ', text("ganlib/engine/losses.js"), re.M):
        yield "ganlib/engine/losses.js has no formula and slope of it: pages cannot train with it"
    named = re.search(r"^    # (.+)\n    loss: str", text("ganlib/settings.py"), re.M)
    if name not in re.split(r", | or ", named[1] if named else ""):
        yield "the comment above `loss` in ganlib/settings.py, which is its help, does not name it"


def lacks_of_a_penalty(function):
    if not re.search(rf"\b{function.__name__}\b", text("tests/test_losses.py")):
        yield "tests/test_losses.py does not compare it with a slope that is known"


def lacks_of_a_target(name):
    tables = [
        node.value
        for node in ast.parse(text("tests/test_targets.py")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    ]
    if not any(f"targets.{name}(" in ast.unparse(table) for table in tables):
        yield "tests/test_targets.py has it in no table, so nobody tests that it integrates to 1"
    if f'"targets.{name}": ' not in text("tests/fuzz/table.py"):
        yield f"tests/fuzz/table.py has no row “targets.{name}” with calls that must work"

    users = text("ganlib/labs/*.py") + "".join(map(source, NOTEBOOKS))
    if not re.search(rf"\btargets\.{name}\b", users):
        yield "no lab offers it and no notebook uses it"


def lacks_of_a_lab(kind):
    name = kind.__name__
    if name not in labs.__all__:
        yield "ganlib/labs/__init__.py does not list it"
    if not re.search(rf"\b{name}\b", text("tests/test_labs*.py")):
        yield "no file tests/test_labs_….py tests it"

    _, *parameters = inspect.signature(kind.__init__).parameters.values()  # the first is self
    needed = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]
    if needed and f'"{name}"' not in text("tests/all_labs.py"):
        yield f"tests/all_labs.py does not say with which {', '.join(needed)} it is made"
    if not any(re.search(rf"\b{name}\b", source(path)) for path in NOTEBOOKS):
        yield "no notebook shows it"


def lacks_of_an_exercise(name):
    if name not in RIGHT:
        yield "tests/answers has no right answer"
    if name not in WRONG:
        yield "tests/answers has no usual mistake with its hint"


def lacks_of_a_notebook(path):
    number = path.name[:2]
    yield from lacks_of_a_head(path)
    yield from lacks_of_a_lecture(path, number)

    for folder in ("ganlib/exercises", "tests/answers"):
        if not (ROOT / folder / f"nb{number}.py").exists():
            yield f"there is no {folder}/nb{number}.py"
    if f'"{path.stem}"' not in text("tests/test_notebooks.py"):
        yield "tests/test_notebooks.py does not have it in COURSE"


def lacks_of_a_head(path):
    """What the first cell says, and the places that repeat it."""
    head = cells(path)[0].source
    said = re.search(r"^\*\*(\d+) min\*\* · runs on .+ · previous: .+ · next: .+$", head, re.M)
    if not said:
        yield "its first cell has no line “**45 min** · runs on … · previous: … · next: …”"
    minutes = said[1] if said else r"\d+"

    row = rf"^\| {path.name[:2]} \| \[[^\]]+\]\(notebooks/{path.name}\) \| {minutes} \| \S"
    if not re.search(row, text("README.md"), re.M):
        yield "README.md has no row for it, with its minutes, under “The notebooks”"

    title = rf"(\*\*{path.name[:2]} [^*|]+\*\*|\[{path.name[:2]} [^\]]+\]\({path.name}\))"
    if not re.search(rf"^\| {title} \| [^|]+ \| {minutes} \|$", source(numbered("00")), re.M):
        yield "the map in notebook 00 has no row for it, with its minutes"


def lacks_of_a_lecture(path, number):
    """Its slides, and what INSTRUCTOR.md says on each."""
    slides = [
        cell.id
        for cell in cells(path)
        if cell.metadata.get("slideshow", {}).get("slide_type") in ("slide", "subslide")
    ]
    if not FEWEST <= len(slides) <= MOST:
        yield f"its slides are {len(slides)}, and a lecture takes {FEWEST} to {MOST}"

    notes = re.search(rf"^## {number} .*?(?=^## |\Z)", text("notebooks/INSTRUCTOR.md"), re.M | re.S)
    if not notes:
        yield f"notebooks/INSTRUCTOR.md has no part “## {number} …”"
        return
    noted = re.findall(r"^- `([\w-]+)` \(\d+ min\) ", notes[0], re.M)
    for cell in slides:
        if cell not in noted:
            yield f"notebooks/INSTRUCTOR.md has no note for its slide {cell}"


def lacks_of_the_course():
    count = NUMBERS[len(NOTEBOOKS)]
    if f"In {count} notebooks" not in text("notebooks/book/index.md"):
        yield f"notebooks/book/index.md does not say “In {count} notebooks”"


# -- what there is ---------------------------------------------------------------------------------


def all_targets():
    """The functions of targets.py that give a law; `even` only changes how one is drawn."""
    return [
        name
        for name, thing in vars(targets).items()
        if inspect.isfunction(thing)
        and thing.__module__ == targets.__name__
        and not name.startswith("_")
        and name != "even"
    ]


def all_labs():
    """Every lab that is written in a file of ganlib/labs, but for those that others build on."""
    found = []
    for file in pkgutil.iter_modules(labs.__path__):
        module = importlib.import_module(f"{labs.__name__}.{file.name}")
        for name, thing in vars(module).items():
            is_lab = inspect.isclass(thing) and issubclass(thing, Lab)
            if is_lab and thing.__module__ == module.__name__ and not name.startswith("_"):
                found.append(thing)
    return [thing for thing in found if not any(thing in other.__bases__ for other in found)]


def all_exercises():
    return [name for checks in exercises._checks().values() for name in checks]


def everything():
    """(what it is, what it lacks) of all that somebody may have added."""
    for name in LOSSES:
        yield f"loss “{name}”", lacks_of_a_loss(name)
    for name, penalty in PENALTIES.items():
        yield f"penalty “{name}”", lacks_of_a_penalty(penalty)
    for name in all_targets():
        yield f"target {name}", lacks_of_a_target(name)
    for lab in all_labs():
        yield f"lab {lab.__name__}", lacks_of_a_lab(lab)
    for name in all_exercises():
        yield f"exercise {name}", lacks_of_an_exercise(name)
    for path in NOTEBOOKS:
        yield f"notebook {path.stem}", lacks_of_a_notebook(path)
    yield "the course", lacks_of_the_course()


def test_nothing_is_missing():
    missing = [f"{what}: {lack}." for what, lacks in everything() for lack in lacks]
    assert missing == [], "\n".join(["", *missing])


# -- whether it would be told ----------------------------------------------------------------------


def test_a_newcomer_is_told_everything_at_once(tmp_path):
    class Unheard(Lab):
        def __init__(self, gan, other, rate=1.0):
            """A lab that nobody lists, tests, makes or shows."""

    cell = nbformat.v4.new_markdown_cell("# New", id="title")
    cell.metadata["slideshow"] = {"slide_type": "slide"}
    path = tmp_path / "98_new.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)

    assert list(lacks_of_a_loss("unheard")) == [
        "tests/test_losses.py has no row for it, with its value from another source",
        "notebook 05 does not say what it minimises",
        "ganlib/engine/losses.js has no formula and slope of it: pages cannot train with it",
        "the comment above `loss` in ganlib/settings.py, which is its help, does not name it",
    ]
    assert len(list(lacks_of_a_penalty(lambda D, real, fake: 0))) == 1
    assert len(list(lacks_of_a_target("unheard"))) == 3
    assert len(list(lacks_of_an_exercise("unheard"))) == 2
    assert list(lacks_of_a_lab(Unheard)) == [
        "ganlib/labs/__init__.py does not list it",
        "no file tests/test_labs_….py tests it",
        "tests/all_labs.py does not say with which gan, other it is made",
        "no notebook shows it",
    ]
    assert list(lacks_of_a_notebook(path)) == [
        "its first cell has no line “**45 min** · runs on … · previous: … · next: …”",
        "README.md has no row for it, with its minutes, under “The notebooks”",
        "the map in notebook 00 has no row for it, with its minutes",
        "its slides are 1, and a lecture takes 10 to 14",
        "notebooks/INSTRUCTOR.md has no part “## 98 …”",
        "there is no ganlib/exercises/nb98.py",
        "there is no tests/answers/nb98.py",
        "tests/test_notebooks.py does not have it in COURSE",
    ]
