"""What all tests share.

They run in one thread: the networks are small, and the numbers must not depend on how many cores
there are.
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import torch

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the kernels that the tests start
torch.set_num_threads(1)


@pytest.fixture
def said(capsys):
    """A function (exercise, answer) that gives the verdict which `check` prints.

    It is always one line that begins with the name of the exercise.
    """
    from ganlib.exercises import check

    def verdict(exercise, answer):
        capsys.readouterr()
        assert check(exercise, answer) is None
        out, err = capsys.readouterr()
        assert out.startswith(f"{exercise}: ")
        assert out.endswith("\n") and out.count("\n") == 1
        assert not err
        return out.removeprefix(f"{exercise}: ").rstrip("\n")

    return verdict


@pytest.fixture(scope="session")
def node_program():
    """Where node is; without it what runs our JavaScript outside a browser is skipped."""
    found = shutil.which("node")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no node found, and CI has it")
        pytest.skip("no node found: the JavaScript is tested in the browser only")
    return found


@pytest.fixture
def node(node_program, tmp_path):
    """`node(file, script)`: what the script, with a module of the stage as `js`, `say`s."""
    from ganlib.stage.widget import JS

    modules = tmp_path / "js"
    shutil.copytree(JS, modules)
    (tmp_path / "package.json").write_text('{"type": "module"}')

    def run(file, script):
        head = (
            f"import * as js from './js/{Path(file).name}';"
            "const say = value => console.log(JSON.stringify(value));"
        )
        command = [node_program, "--input-type=module", "-e", head + script]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def pytest_addoption(parser):
    parser.addoption("--cases", type=int, help="how many cases the fuzzers try, each of them")


@pytest.fixture
def cases(request):
    """How many cases a fuzzer shall try; None: few enough for every day."""
    return request.config.getoption("--cases")


@pytest.fixture
def counts(record_property):
    """A counter of a fuzzer's cases by what came of them, which is printed after all tests."""
    counts = Counter()
    yield counts
    record_property("fuzzed", ", ".join(f"{number} {kind}" for kind, number in counts.items()))


def pytest_terminal_summary(terminalreporter):
    for reports in terminalreporter.stats.values():
        for report in reports:
            for key, said in getattr(report, "user_properties", []):
                if key == "fuzzed" and report.when == "teardown":
                    terminalreporter.write_line(f"{report.nodeid}: {said}")
