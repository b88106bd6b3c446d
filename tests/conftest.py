"""What all tests share.

They run in one thread: the networks are small, and the numbers must not depend on how many cores
there are.
"""

import json
import os
import shutil
import subprocess
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
