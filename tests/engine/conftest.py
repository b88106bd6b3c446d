"""`engine(task, **question)` asks the engine itself, in node and in a real browser."""

import json
import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from browsers import chromium

from ganlib.engine import export
from ganlib.stage.bundle import join

HERE = Path(__file__).parent


class Engine:
    """What is asked goes there as JSON, and so does what comes back."""

    def __call__(self, task, **question):
        if question.get("ops") == "wasm" or task == "kind":
            question["wasm"] = export.wasm()
        answer = json.loads(self.ask(json.dumps({"task": task, **question})))
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]


class InNode(Engine):
    """A running node: a line each way."""

    def __init__(self):
        command = ["node", str(HERE / "node.mjs")]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, question):
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


class InPage(Engine):
    """An empty page with all modules joined into one script."""

    def __init__(self, browser):
        self.page = browser.new_page()
        self.page.add_script_tag(content=join(HERE / "driver.js") + "window.answer = answer;")

    def ask(self, question):
        ask = "async (question) => JSON.stringify(await answer(JSON.parse(question)))"
        return self.page.evaluate(ask, question)


@pytest.fixture(scope="module", params=["node", "chromium"])
def engine(request):
    if request.param == "chromium":
        with chromium() as browser:
            yield InPage(browser)
        return

    if shutil.which("node") is None:
        if os.environ.get("CI"):
            pytest.fail("no node found, and CI has it")
        pytest.skip("needs node, which runs the engine's JavaScript outside a browser")
    with closing(InNode()) as engine:
        yield engine
