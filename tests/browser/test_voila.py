"""The README's command for a page without code.

Texts, figures with words, nothing that axe finds serious, a lab that moves.
"""

import json
import re
import shlex
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
REPLAY = """import json
from IPython.display import display
for output in json.loads({!r}):
    display(output["data"], raw=True) if "data" in output else print(output["text"], end="")"""
LAB = "import torch\nfrom ganlib.labs import Players\ntorch.set_num_threads(1)\nPlayers()"


def replayed(cell):
    """A cell that shows what this one has stored, without its minute of training."""
    if cell.cell_type == "code":
        cell.source = REPLAY.format(json.dumps(cell.outputs))
    return cell


def test_a_notebook_as_a_page(tmp_path, browser, axe):
    command = shlex.split(
        re.search(r"`\.venv/bin/(voila [^`]*)`", (ROOT / "README.md").read_text(encoding="utf-8"))[
            1
        ]
    )
    settings = [part for part in command if part.startswith("--")]
    assert (
        settings == ["--Voila.config_file_paths=notebooks/voila"] and (ROOT / command[-1]).exists()
    )
    nb = nbformat.read(ROOT / command[-1], as_version=4)
    beside = sum(
        cell.source.count("](../images/") for cell in nb.cells if cell.cell_type == "markdown"
    )
    figures = sum(
        "image/png" in output.get("data", {})
        for cell in nb.cells
        for output in cell.get("outputs", [])
    )
    assert beside and figures > 3, (
        "this notebook has too few pictures: the test has lost its reason"
    )
    nb.cells = [*map(replayed, nb.cells), nbformat.v4.new_code_cell(LAB)]
    nbformat.write(nb, tmp_path / "page.ipynb")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with (tmp_path / "log").open("w") as log:
        voila = subprocess.Popen(
            [
                sys.executable,
                "-m",
                command[0],
                *settings,
                str(tmp_path / "page.ipynb"),
                "--no-browser",
                f"--port={port}",
            ],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    page = browser.new_page()
    page.set_default_timeout(60_000)
    try:
        address = f"http://127.0.0.1:{port}/"
        page.wait_for_timeout(1000)
        for _ in range(60):
            try:
                urllib.request.urlopen(address + "voila/static/main.js", timeout=1)
            except urllib.error.HTTPError:
                break
            except OSError:
                page.wait_for_timeout(500)
        page.goto(address)
        page.locator(".gl-lab canvas[data-drawn]").wait_for()
        pictures = page.locator("img").evaluate_all(
            "all => all.map(i => [i.naturalWidth > 100, i.alt.length >= 20])"
        )
        assert len(pictures) == beside + figures and all(map(all, pictures))
        assert axe(page) == []
        lab = page.locator(".gl-lab")
        before = lab.locator(".gl-text").inner_text()
        lab.get_by_role("button", name="step", exact=True).click()
        page.wait_for_function(
            "before => document.querySelector('.gl-text').textContent !== before", arg=before
        )
        assert page.locator("pre").filter(has_text="import torch").count() == 0  # no code is shown
    finally:
        page.close()
        voila.terminate()
        voila.wait(20)
