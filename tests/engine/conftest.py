"""`engine(task, **question)` asks the engine in one node process that all tests share."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ganlib.engine import export

HERE = Path(__file__).parent


class Engine:
    """A running node: what is asked is JSON, one line each way."""

    def __init__(self):
        command = ["node", str(HERE / "node.mjs")]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def __call__(self, task, **question):
        if question.get("ops") == "wasm" or task == "kind":
            question["wasm"] = export.wasm()
        self.process.stdin.write(json.dumps({"task": task, **question}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


@pytest.fixture(scope="session")
def engine():
    if shutil.which("node") is None:
        pytest.skip("needs node, which runs the engine's JavaScript outside a browser")
    running = Engine()
    yield running
    running.close()
