"""The house keeps its form: doors, budgets, names, and nothing heavy or hidden behind `import ganlib`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIB = ROOT / "ganlib"
FILES = sorted(LIB.rglob("*.py"))
CORE = [path for path in FILES if path.parent == LIB]
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
TOP = {
    "README.md",
    "requirements.txt",
    "pyproject.toml",
    "LICENSE",
    "notebooks",
    "ganlib",
    "tests",
    "images",
}

# The doors: a leaf may use the leaves left of it; what joins leaves may use leaves and `gan`; labs may use all of it.
LEAVES = [
    "checks",
    "targets",
    "densities",
    "divergences",
    "games",
    "chains",
    "losses",
    "networks",
    "images",
    "plots",
]
DOORS = {leaf: set(LEAVES[:k]) for k, leaf in enumerate(LEAVES)}
DOORS |= {
    name: {*LEAVES, "gan"} - {name}
    for name in ("gan", "sweep", "families", "training", "metrics", "medicine")
}
DOORS["__init__"] = set()
EXERCISES = set(DOORS) - {"__init__"} | {"exercises"}
LABS = set(DOORS) - {"__init__"} | {"labs"}


def lines(path):
    """Lines of code: neither blank, nor a comment, nor part of a docstring (explaining is not rationed)."""
    text = path.read_text(encoding="utf-8").splitlines()
    if path.suffix != ".py":
        return sum(bool(line.strip()) and not line.strip().startswith("//") for line in text)
    holders = (
        node
        for node in ast.walk(TREES[path])
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
    )
    said = {
        i
        for node in holders
        if ast.get_docstring(node)
        for i in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and i not in said
        for i, line in enumerate(text, 1)
    )


def short(path):
    return path.relative_to(ROOT).as_posix()


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=short)


def imports(path):
    """Every module that this file imports, anywhere in it, with its line."""
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(
                path.relative_to(ROOT).parts[:-1][: len(path.relative_to(ROOT).parts) - node.level]
            )
            module = f"{package}.{node.module or ''}".strip(".") if node.level else node.module
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


@each(FILES)
def test_doors(path):
    allowed = {"labs": LABS, "exercises": EXERCISES}.get(path.parent.name, DOORS.get(path.stem))
    assert allowed is not None, f"{path.name} has no doors: name them here"
    rooms = [
        (name.split(".")[1], line) for name, line in imports(path) if name.startswith("ganlib.")
    ]
    assert not [f"line {line}: {room}" for room, line in rooms if room not in allowed]


@each(FILES)
def test_who_may_import_what(path):
    names = {name for name, _ in imports(path)}
    assert not [name for name in names if name.startswith(("matplotlib.pyplot", "pylab"))], (
        "notebooks own pyplot"
    )
    packages = {name.split(".")[0] for name in names}
    assert path.parent.name == "labs" or not packages & {"ipywidgets", "anywidget"}, (
        "only labs has widgets"
    )
    assert path.stem == "images" or not packages & {"urllib", "requests", "socket", "http"}, (
        "only images has a network"
    )


@each(FILES)
def test_a_file_has_300_lines_and_a_function_40(path):
    assert lines(path) <= 300
    spans = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(TREES[path])
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert not {name: span for name, span in spans.items() if span > 40}


def test_budgets():
    core, scripts = sum(map(lines, CORE)), sum(map(lines, LIB.rglob("*.js")))
    assert core <= 1800 and sum(map(lines, FILES)) <= 3500 and scripts <= 1200


def test_importing_ganlib_costs_nothing():
    heavy = (
        "{'torch', 'numpy', 'matplotlib', 'scipy', 'sklearn', 'ipywidgets', 'anywidget', 'IPython'}"
    )
    code = f"import sys, ganlib; print(*({heavy} & set(sys.modules)), *[m for m in sys.modules if 'ganlib.' in m])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "\n"
    )


@each(FILES)
def test_every_public_name_has_its_sentence(path):
    tree = TREES[path]
    assert ast.get_docstring(tree), "a file begins by saying what it is"
    if path.parent.name == "exercises" and path.stem.startswith("nb"):
        return  # a check is named as the notebook asks it; the notebook states the exercise
    assert not [
        f"{node.name}, line {node.lineno}" for node in public(tree) if not ast.get_docstring(node)
    ]


def public(tree):
    """The functions and classes that a file offers: those whose name has no underscore in front."""
    return [
        node
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    ]


@each([path for path in CORE if path.stem != "__init__"])
def test_every_file_of_the_core_offers_something_and_has_its_tests(path):
    assert public(TREES[path])
    assert (ROOT / f"tests/test_{path.stem}.py").exists()


@each(
    [path for path in FILES if path.parent.name != "exercises"]
)  # there the underscore means: not a check
def test_nobody_takes_what_another_file_keeps_to_itself(path):
    names = [name.rsplit(".", 1)[1] for name, _ in imports(path) if name.startswith("ganlib.")]
    assert not [name for name in names if name.startswith("_")]


def test_nothing_else_at_the_top():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert {name.split("/")[0] for name in tracked if not name.startswith(".")} <= TOP


@pytest.mark.parametrize("command", [["ruff", "check", "."], ["mypy"]], ids=["ruff", "mypy"])
def test_tools_find_nothing(command):
    result = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
