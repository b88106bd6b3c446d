"""A Jupyter server with all three front ends, a real browser, and a way to put a lab on a page."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from browsers import chromium, serve, shower


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("course")) as served:
        yield served


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """The folder of the book, made by its own command."""
    if importlib.util.find_spec("sphinx_book_theme") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "the book needs what the tests have: python3 start.py install test"
        )
    folder = tmp_path_factory.mktemp("book")
    command = [
        sys.executable,
        Path(__file__).parents[2] / "notebooks/book/build.py",
        "--out",
        folder,
    ]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0 and "WARNING" not in made.stderr, made.stdout + made.stderr
    return folder / "html"


@pytest.fixture(
    scope="module"
)  # while it is open this thread has a running loop, which other tests must not find
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def axe():
    """The findings of axe on a page, or below a selector, that are serious or critical.

    Each is (rule, what is wrong, where).
    """
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "axe comes with the tests: python3 start.py install test"
        )
    source = Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")

    def findings(page, where="html", only=None):
        page.evaluate("source => window.axe || (0, eval)(source)", source)
        found = page.evaluate(
            "([where, only]) => axe.run(where, only ? { runOnly: only } : {})", [where, only]
        )
        assert only or len(found["passes"]) >= 5, "axe has looked at next to nothing"
        return [
            (rule["id"], node["failureSummary"][-150:], node["html"][:150])
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    return findings


@pytest.fixture
def show(server, browser, request):
    """`page = show(code, front_end="lab")`: a notebook with these cells, opened and run.

    Its lab is visible.
    """
    with shower(server, browser, request.node.name) as show:
        yield show


@pytest.fixture(scope="module")
def show_for_all(server, browser, request):
    """The same for a page that the tests of a file share."""
    with shower(server, browser, request.module.__name__) as show:
        yield show
