"""How a package is written, in numbers: `python tests/benchmarks/style.py [PATH ...]`.

A path is the folder of a package, ours or any other; without one it is ganlib. Lines are lines of
code: no blank line, comment or docstring (`tests/house.py` counts them, and tokens). Nodes are
those of Python's syntax tree, a tuple assignment is `a, b = x, y`, and growth is how many lines
of code there are after `ruff format` at 100 columns, over those there are now.
"""

import argparse
import ast
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import house

GANLIB = Path(__file__).resolve().parents[2] / "ganlib"
RUFF = [sys.executable, "-m", "ruff"]


def python_files(path):
    """The Python files of a folder, or the file itself."""
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def nodes(tree):
    return sum(1 for _ in ast.walk(tree))


def tuple_assignments(tree):
    """Statements that give a tuple to a tuple, such as `a, b = x, y`."""
    return sum(
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Tuple)
        and any(isinstance(target, ast.Tuple) for target in node.targets)
        for node in ast.walk(tree)
    )


def complexities(files):
    """{function, with its place: cyclomatic complexity}, by ruff."""
    options = ["--isolated", "--select=C901", "--config=lint.mccabe.max-complexity=0"]
    command = [*RUFF, "check", *options, "--output-format=json", "--exit-zero", *files]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    found = {}
    for finding in json.loads(report):
        told = re.fullmatch(r"`(.+)` is too complex \((\d+) > 0\)", finding["message"])
        if told:  # a file that ruff cannot read is a finding of another kind
            place = f"{Path(finding['filename']).name}:{finding['location']['row']}"
            found[f"{told[1]}, {place}"] = int(told[2])
    return found


def formatted_lines(files):
    """Lines of code of these files after the formatter, which works on copies."""
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder, f"{number}.py") for number in range(len(files))]
        for file, copy in zip(files, copies):
            shutil.copyfile(file, copy)
        command = [*RUFF, "format", "--isolated", f"--line-length={house.WIDTH}", folder]
        subprocess.run(command, capture_output=True, check=True)
        return sum(map(house.lines, copies))


def largest(sizes):
    """The largest value with its name in brackets."""
    name = max(sizes, key=sizes.get, default="no function")
    return f"{sizes.get(name, 0)} ({name})"


def measure(files):
    """{name: value with its unit} of what these files are like."""
    trees = [ast.parse(house.read(file)) for file in files]
    lines = sum(map(house.lines, files))
    assignments = sum(map(tuple_assignments, trees))
    spans = {
        f"{name} of {file.name}": span for file in files for name, span in house.spans(file).items()
    }
    return {
        "files": f"{len(files)}",
        "lines of code": f"{lines}",
        "longest file": largest({file.name: house.lines(file) for file in files}),
        "tokens": f"{sum(map(house.tokens, files))}",
        "AST nodes": f"{sum(map(nodes, trees)) / lines:.1f} a line",
        "lines over 100 columns": f"{sum(len(house.long_lines(file)) for file in files)}",
        "tuple assignments": f"{1000 * assignments / lines:.1f} a thousand lines",
        "longest function": largest(spans).replace(" (", " lines ("),
        "highest complexity": largest(complexities(files)),
        "growth under the formatter": f"{formatted_lines(files) / lines:.2f} times",
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path, default=[GANLIB], help="folders or files")
    paths = parser.parse_args().paths
    for path in paths:
        if not path.exists():
            sys.exit(f"there is no {path}")
        before = f"{path.name}: " if len(paths) > 1 else ""
        for name, value in measure(python_files(path)).items():
            print(f"{before}{name} = {value}")


if __name__ == "__main__":
    main()
