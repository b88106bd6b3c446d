"""A Jupyter server with all three front ends, a real browser, and a way to put a lab on a page."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import pytest

FRONT_ENDS = {"lab": "lab/tree/{}?reset", "notebook": "notebooks/{}", "voila": "voila/render/{}"}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_chromium() -> str:
    """Where Chromium is; without it a test is skipped, but in CI it fails."""
    for name in (os.environ.get("CHROMIUM", ""), *CHROMIUM):
        if name and shutil.which(name):
            return shutil.which(name)
    if os.environ.get("CI"):
        pytest.fail("CI must have Chromium: the browser tests may not be left out there")
    pytest.skip(
        "no Chromium found; install it or set CHROMIUM to its path to run the browser tests"
    )


@contextmanager
def chromium():
    """A headless Chromium, driven by Playwright.

    While it is open this thread has a running loop, which other tests must not find.
    """
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def wait_for(page, condition, seconds=20):
    """Until the condition holds; else what the page says is the error."""
    for _ in range(seconds * 20):
        if condition():
            return
        page.wait_for_timeout(50)
    words = page.locator("body").inner_text()
    raise AssertionError(f"it did not happen within {seconds} s; the page says: {words}")


def steps(lab):
    """The training step that a lab on a page shows."""
    return int(lab.locator(".gl-count").inner_text().split()[-1])


@contextmanager
def serve(folder):
    """(address, folder) of a Jupyter server that serves JupyterLab, Notebook 7 and Voilà."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    config = [
        "--ServerApp.token=",
        "--ServerApp.password=",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.disable_check_xsrf=True",
        "--no-browser",
        "--allow-root",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "JUPYTER_CONFIG_DIR": str(folder / ".config"),
    }
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *config], stdout=log, stderr=log, env=environment
    )
    address = f"http://127.0.0.1:{port}/"
    for _ in range(600):
        try:
            urllib.request.urlopen(address + "api", timeout=1)
            break
        except OSError:
            if process.poll() is not None:
                pytest.fail("the Jupyter server ended:\n" + Path(log.name).read_text())
            time.sleep(0.1)
    try:
        yield address, folder
    finally:  # also when a script that uses it fails
        process.terminate()
        process.wait(20)


@contextmanager
def shower(server, browser, base):
    """`show` for as long as it is needed; then its pages are closed and their kernels stopped.

    seconds: how long a page may take for any one thing.
    """
    (address, folder), pages = server, {}

    def show(*cells, front_end="lab", wait=".gl-lab canvas", seconds=60):
        name = f"{base.replace('[', '-').replace(']', '')}-{len(pages)}.ipynb"
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        nb.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
        }
        nbformat.write(nb, folder / name)
        page = pages[name] = browser.new_page(viewport={"width": 1400, "height": 1150})
        page.set_default_timeout(seconds * 1000)
        page.goto(address + FRONT_ENDS[front_end].format(name))
        if front_end != "voila":
            page.wait_for_selector(".jp-Notebook .jp-CodeCell")
            page.wait_for_function("""() => {
                const panel = window.jupyterapp?.shell.currentWidget;
                return panel?.sessionContext?.session?.kernel?.connectionStatus === "connected";
            }""")
            page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        page.wait_for_selector(wait)
        return page

    yield show
    for page in pages.values():
        page.close()
    with suppress(OSError):  # a server that is gone has no kernels either
        for session in json.load(urllib.request.urlopen(address + "api/sessions")):
            if session["path"] in pages:
                url = address + "api/sessions/" + session["id"]
                urllib.request.urlopen(urllib.request.Request(url, method="DELETE"))
