"""The shipped pairs load, are small, say where they come from, and are as good as they say.

tests/test_paths.py has the velocities.
"""

import sys
from pathlib import Path

import pytest
import torch

from ganlib.training import load_pair

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))
from weights import measure  # noqa: E402

WEIGHTS = ROOT / "notebooks" / "weights"
PAIRS = sorted(set(WEIGHTS.glob("*.safetensors")) - {WEIGHTS / "velocities.safetensors"})
torch.set_num_threads(1)


def test_there_are_weights():
    assert "digits" in [file.stem for file in PAIRS]


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_weights_are_small_and_say_where_they_come_from(path):
    assert path.stat().st_size <= 3_000_000
    G, D, about = load_pair(path)
    assert about["command"].startswith("python -m ganlib.training --images ")
    assert about["settings"]["seed"] == 0
    assert about["steps"] > 0
    assert about["metrics"]["FD"] < 40

    x = G(torch.randn(4, about["z_dim"]))
    assert x.shape == (4, about["channels"], about["size"], about["size"])
    assert D(x).shape == (4, 1)


def test_the_digits_are_as_good_as_they_say():
    path = WEIGHTS / "digits.safetensors"
    made, real = measure(path, "digits")
    assert made["FD"] < 25
    assert made["TV"] < 0.12
    assert made["smallest class"] > 0.03
    assert made["precision"] > 0.4
    assert made["recall"] > 0.75

    _, _, about = load_pair(path)
    assert made["FD"] == pytest.approx(about["metrics"]["FD"], abs=3)
    assert made["recall"] == pytest.approx(about["metrics"]["recall"], abs=0.05)
    assert real["FD"] == pytest.approx(about["real held-out pictures"]["FD"], abs=3)
