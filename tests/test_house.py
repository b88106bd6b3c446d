"""The house keeps its form: doors, bounds, names, and nothing heavy or hidden."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import house
import pytest

ROOT = Path(__file__).parent.parent
LIB = ROOT / "ganlib"
FILES = sorted(LIB.rglob("*.py"))
CORE = [path for path in FILES if path.parent == LIB and path.stem != "__init__"]
TREES = {path: ast.parse(house.read(path)) for path in FILES}

# -- the house from the ground up ------------------------------------------------------------------

# Rooms that know of no GAN; a room is a file of ganlib, or a folder.
LEAVES = [
    "checks",
    "schedule",
    "files",
    "interrupts",
    "states",
    "words",
    "targets",
    "densities",
    "divergences",
    "games",
    "chains",
    "losses",
    "gpu",
    "networks",
    "images",
    "plots",
]

# Rooms that join leaves.
GAME = [
    "gan",
    "sweep",
    "families",
    "settings",
    "training",
    "metrics",
    "medicine",
    "local",
    "paths",
]

# fmt: off
DOORS = {
    # a room         may use, beside itself
    "__init__":      [],
    **{leaf:         LEAVES[:place] for place, leaf in enumerate(LEAVES)},  # those left of it
    **{room:         [*LEAVES, "gan"] for room in GAME},
    "training":      [*LEAVES, "gan", "settings"],
    "gauges":        [*LEAVES, *GAME],
    "session":       [*LEAVES, *GAME, "gauges"],
    "stage":         ["checks", "plots"],
    "engine":        [*LEAVES, "stage"],
    "exercises":     [*LEAVES, *GAME, "gauges", "session"],
    "labs":          [*LEAVES, *GAME, "gauges", "session", "stage", "engine"],
}

# A package               is for
ONLY = {
    "anywidget":          "stage",
    "ipywidgets":         "stage",
    "http":               "images",
    "requests":           "images",
    "socket":             "images",
    "urllib.request":     "images",
    "matplotlib.pyplot":  "the notebooks",
    "pylab":              "the notebooks",
}
# fmt: on

# -- its bounds ------------------------------------------------------------------------------------

# The lines of a file are lines of code (house.lines says which); a function has all of its lines.
# No line is longer than 100 columns, but in a table under `# fmt: off`. ruff bounds complexity.
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 50
TOKENS = 99_000

TOP = {
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "LICENSE-CC-BY-4.0",
    "README.md",
    "ganlib",
    "images",
    "notebooks",
    "paper",
    "pylock.toml",
    "pyproject.toml",
    "requirements.txt",
    "start.py",
    "tests",
}


def short(path):
    return path.relative_to(ROOT).as_posix()


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=short)


def sources(*endings):
    """All files of ours with such an ending, in the whole repository."""
    found = []
    for folder in ("ganlib", "images", "notebooks", "tests"):
        for ending in endings:
            found += (ROOT / folder).rglob(f"*{ending}")
    return sorted(path for path in found if "node_modules" not in path.parts)


def room(path):
    """The room that a file of ganlib is in: a folder, or the file alone."""
    inside = path.relative_to(LIB)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imports(path):
    """(module, line) of all that this file imports, anywhere in it."""
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:  # as in `from .scene import Axes`
                folders = path.relative_to(ROOT).parts[: -node.level]
                module = ".".join([*folders, module]).strip(".")
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def public(tree):
    """The functions and classes that a file offers: those with no underscore in front."""
    return [
        node
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    ]


# -- doors -----------------------------------------------------------------------------------------


@each(FILES)
def test_doors(path):
    here = room(path)
    assert here in DOORS, f"the room {here} has no doors: say in DOORS what it may use"

    wrong = []
    for name, line in imports(path):
        if name.startswith("ganlib."):
            there = name.split(".")[1]
            if there not in [here, *DOORS[here]]:
                wrong.append(f"line {line}: {here} may not use {there}")
    assert wrong == []


@each(FILES)
def test_who_may_import_what(path):
    wrong = []
    for name, line in imports(path):
        for package, owner in ONLY.items():
            if f"{name}.".startswith(f"{package}.") and room(path) != owner:
                wrong.append(f"line {line}: {package} is for {owner}")
    assert wrong == []


@each([path for path in FILES if room(path) != "exercises"])
def test_nobody_takes_what_another_file_keeps_to_itself(path):
    """Only in exercises an underscore means something else: not a check."""
    names = [name.rsplit(".", 1)[1] for name, _ in imports(path) if name.startswith("ganlib.")]
    assert [name for name in names if name.startswith("_")] == []


def test_importing_ganlib_costs_nothing():
    code = "import sys, ganlib; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "IPython",
        "anywidget",
        "ipywidgets",
        "matplotlib",
        "numpy",
        "scipy",
        "sklearn",
        "torch",
    }
    assert heavy.isdisjoint(loaded)
    assert [name for name in loaded if name.startswith("ganlib.")] == []


# -- bounds ----------------------------------------------------------------------------------------


@each(FILES + sorted(LIB.rglob("*.js")))
def test_a_file_is_no_longer_than_a_reader_can_hold(path):
    assert house.lines(path) <= LINES_OF_A_FILE


@each(FILES)
def test_a_function_fits_on_a_screen(path):
    spans = house.spans(path)
    assert {name: span for name, span in spans.items() if span > LINES_OF_A_FUNCTION} == {}


def test_no_line_is_longer_than_100_columns():
    long = {}
    for path in sources(".py", ".js", ".mjs"):
        if house.long_lines(path):
            long[short(path)] = house.long_lines(path)
    assert long == {}


def test_tokens():
    tokens = sum(map(house.tokens, FILES))
    print(f"tokens of ganlib = {tokens}")
    assert tokens <= TOKENS, (
        f"ganlib has {tokens} tokens and room for {TOKENS}: say something shorter elsewhere, "
        "or raise TOKENS and say why"
    )


# -- names -----------------------------------------------------------------------------------------


@each(FILES)
def test_every_public_name_has_its_sentence(path):
    tree = TREES[path]
    assert ast.get_docstring(tree), "a file begins by saying what it is"
    if room(path) == "exercises" and path.stem.startswith("nb"):
        return  # a check is named as the notebook asks it; the notebook states the exercise
    silent = [node for node in public(tree) if not ast.get_docstring(node)]
    assert [f"{node.name}, line {node.lineno}" for node in silent] == []


@each(CORE)
def test_every_file_of_the_core_offers_something_and_has_its_tests(path):
    assert public(TREES[path])
    assert (ROOT / f"tests/test_{path.stem}.py").exists()


def tracked():
    """What git keeps of this repository."""
    command = ["git", "ls-files"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def test_nothing_else_at_the_top():
    at_the_top = {name.split("/")[0] for name in tracked()}
    assert {name for name in at_the_top if not name.startswith(".")} <= TOP


def test_every_folder_of_ganlib_is_installed():
    text = house.read(ROOT / "pyproject.toml")
    listed = re.search(r"^packages = \[([^\]]*)\]", text, re.M)[1]
    folders = {path.parent.relative_to(ROOT) for path in LIB.rglob("__init__.py")}
    assert set(re.findall(r'"([\w.]+)"', listed)) == {".".join(path.parts) for path in folders}


# -- tools -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check .", "mypy"])
def test_tools_find_nothing(command):
    found = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_prettier_finds_nothing():
    node = shutil.which("node")
    prettier = ROOT / "tests/node_modules/prettier/bin/prettier.cjs"
    if node is None or not prettier.exists():
        missing = "no prettier here: install Node, then `npm ci --prefix tests`"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)

    scripts = "{ganlib,notebooks,tests}/**/*.{js,mjs}"
    command = [node, prettier, "--check", scripts]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_lock_of_the_tools_names_no_address():
    """What npm fetches is known by its checksum, so any registry will do."""
    lock = house.read(ROOT / "tests/package-lock.json")
    assert '"integrity"' in lock
    assert '"resolved"' not in lock
