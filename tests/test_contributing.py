"""The examples of CONTRIBUTING.md run as they stand there, and do what is said of them."""

import re
from pathlib import Path

import pytest
import torch

from ganlib.labs import GANLab

PAGE = Path(__file__).parent.parent / "CONTRIBUTING.md"


def example(name):
    """What the example below the mark `<!-- example: name -->` defines."""
    page = PAGE.read_text(encoding="utf-8")
    code = re.search(rf"<!-- example: {name} -->\n```python\n(.*?)```", page, re.S)[1]
    defined = {"__name__": "example"}
    exec(compile(code, f"CONTRIBUTING.md ({name})", "exec"), defined)
    return defined


def test_the_loss_trains_and_its_slope_is_that_of_the_formula():
    gan = example("loss")["gan"]
    assert gan.steps == 1
    real = torch.tensor([[1.0], [-2.0]])
    fake = torch.tensor([[0.5], [3.0]], requires_grad=True)
    gan.loss.G(real, fake).backward()
    by_hand = -(real - fake.detach()).sigmoid() / 2  # d softplus(r − f) / df = −σ(r − f), in a mean
    torch.testing.assert_close(fake.grad, by_hand)


def test_the_target_integrates_to_1_and_a_lab_shows_it():
    law = example("target")["comb"]()
    x = torch.linspace(*law.range, 10_001, dtype=torch.float64)
    assert float(torch.trapezoid(law.log_prob(x[:, None]).exp(), x)) == pytest.approx(1, abs=1e-4)
    gan = example("loss")["gan"]
    assert GANLab(gan, law).run(2).values["target"] == "comb of 5"


def test_the_lab_plays_and_settles_at_the_chance():
    lab = example("lab")["Coin"]().set("chance", 0.3).run(4000)
    share = lab.draw()["seen"][-1, 1]
    assert share == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / 4000) ** 0.5)
    assert lab.text() == f"{round(4000 * share)} heads in 4000 flips."
    assert lab.figure().axes

    lab._heard(None, {"kind": "reset"}, [])
    assert lab.steps == 0
    assert lab.text() == "0 heads in 0 flips."


def test_its_form_is_that_of_the_house():
    """No line of the examples is over 100 columns, and the lab has about thirty lines of code."""
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) == 3
    assert max(len(line) for block in blocks for line in block.splitlines()) <= 100
