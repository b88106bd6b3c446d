"""The labs that train in a page, in Firefox, opened from disk."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ganlib.labs import in_page

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("firefox.mjs")
FIREFOX = (os.environ.get("FIREFOX", ""), "firefox-esr", "firefox")


@pytest.fixture(scope="module")
def firefox():
    """Where Firefox is; it is driven by puppeteer-core, which `npm ci --prefix tests` fetches."""
    found = next((shutil.which(name) for name in FIREFOX if name and shutil.which(name)), None)
    ready = (ROOT / "tests/node_modules/puppeteer-core").is_dir() and shutil.which("node")
    if found and ready:
        return found
    if os.environ.get("CI"):
        pytest.fail("CI must have Firefox, node and puppeteer-core")
    pytest.skip("needs Firefox, node, and `npm ci --prefix tests`")


@pytest.fixture(scope="module")
def lab_file(tmp_path_factory):
    made = tmp_path_factory.mktemp("firefox") / "lab.html"
    command = [sys.executable, ROOT / "notebooks/lecture/lab.py", "--out", made]
    subprocess.run(command, check=True, capture_output=True)
    return made


def seen(firefox, path, place):
    """What Firefox saw at each size."""
    command = ["node", SCRIPT, firefox, path.as_uri(), place]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(sights, name):
    """It shows what the kernel shows, trains, is driven by keys, asks for nothing, and fits."""
    assert len(sights) == 2
    for sight in sights:
        assert sight["first"] == in_page.made(name).text()
        assert sight["label"].endswith("play")
        assert sight["error"] == ""
        assert sight["errors"] == []
        assert [url for url in sight["asked"] if not url.startswith(("file:", "data:"))] == []
        assert sight["wide"] <= sight["width"]


@pytest.mark.parametrize("place, name", [("#line", "GANLab"), ("#plane", "PlaneLab")])
def test_the_file_to_hand_out(firefox, lab_file, place, name):
    check(seen(firefox, lab_file, place), name)


def test_the_book(firefox, book):
    page = book / "notebooks/04_gan_in_one_dimension.html"
    check(seen(firefox, page, ".gl-page[data-lab=GANLab]"), "GANLab")
