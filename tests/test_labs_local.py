"""labs.local: both labs draw what local computes and what `GAN` plays; every control is heard."""

import math
import re

import numpy as np
import pytest
import torch

from ganlib import local, targets
from ganlib.gan import GAN
from ganlib.labs import Dirac, Ring
from ganlib.losses import LOSSES
from ganlib.networks import mlp

torch.set_num_threads(1)


def new_gan():
    return GAN(mlp(1, 8, 8, 1, seed=0), mlp(1, 8, 8, 1, seed=1), targets.gaussian())


@pytest.fixture(scope="module")
def ring():
    return Ring(new_gan())


# -- Dirac -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_the_path_is_that_of_a_gan_of_two_numbers(loss):
    """The same game played by `GAN` on networks of one weight, D first."""
    G = torch.nn.Linear(1, 1).double()
    D = torch.nn.Linear(1, 1, bias=False).double()
    for weight, start in ((G.weight, 0.0), (G.bias, 1.0), (D.weight, 0.3)):
        weight.data.fill_(start)
    zero = torch.zeros(1, 1, dtype=torch.float64)
    prior = local.Listed(zero)
    gan = GAN(G, D, prior, loss=loss, lr_G=0.1, lr_D=0.1, optimiser="sgd", penalty="r1", seed=0)
    gan.penalty_weight = 0.3
    seen = [(1.0, 0.3)]
    for _ in range(30):
        gan.step(zero)
        seen.append((float(G.bias.detach()), float(D.weight.detach())))

    lab = Dirac(loss, lr=0.1, gamma=0.3).set("w", 0.3).set("steps", 30)
    np.testing.assert_allclose(lab.draw()["path"], seen, atol=1e-9)


def test_the_line_that_is_predicted_is_the_eigenvalue():
    lab = Dirac("minimax", lr=0.2, gamma=0.3)
    frame = lab.draw()
    size = math.sqrt(1 - 0.2 * 0.3)
    assert np.hypot(*frame["factors"].T) == pytest.approx([size, size])
    assert frame["predicted"][10, 1] == pytest.approx(size**10)
    assert "At home (nearer than 0.01) after 152 steps." in lab.text()

    lab.set("order", "simultaneous")
    assert "after 182 steps" in lab.text()
    lab.set("gamma", 0.05)
    assert "away." in lab.text()
    lab.set("loss", "wasserstein").set("lr", 2.0)
    assert "It has left for infinity." in lab.text()


def test_a_click_starts_the_path_there_and_momentum_is_heard():
    lab = Dirac()
    lab.pointed("plane", -0.5, 9.0)
    assert lab.draw()["start"].tolist() == [[-0.5, 1.5]]
    lab.pointed("circle", 0.1, 0.1)
    assert lab.draw()["start"].tolist() == [[-0.5, 1.5]]
    with pytest.raises(ValueError, match="y must be a finite number"):
        lab.pointed("plane", 0.2, math.nan)
    assert lab.draw()["start"].tolist() == [[-0.5, 1.5]]

    lab.set("momentum", -0.5)
    assert len(lab.draw()["factors"]) == 4


# -- Ring ------------------------------------------------------------------------------------------


def test_ring_draws_prediction_and_game(ring):
    ring.set("loss", "wasserstein").set("gamma", 0.1).set("length", 60)
    ring.pressed("go")
    frame = ring.draw()
    said = ring.rest.ring("wasserstein", 0.1, lr_G=0.02, lr_D=0.02, steps=60).off
    np.testing.assert_allclose(frame["predicted"][:, 1], said, atol=1e-12)

    gan = ring.rest.game("wasserstein", 0.1, lr_G=0.02, lr_D=0.02)
    for _ in range(60):
        gan.step(ring.rest.x)
    with torch.no_grad():
        end = float((gan.G(ring.rest.z) - ring.rest.x).mean())
    assert frame["measured"][-1].tolist() == pytest.approx([60, end])
    assert ring.advance() is False

    missed = float(re.search(r"missed by ([\d.]+)%", ring.text())[1])
    gap = frame["measured"][:, 1] - frame["predicted"][:, 1]
    assert missed / 100 == pytest.approx(np.sqrt(np.mean(gap**2)) / 0.05, abs=1e-3)


def test_all_eigenvalues_are_drawn_once_and_one_may_be_chosen(ring):
    frame = ring.draw()
    dots = [frame[f"part, {part}"] for part in ("most", "much", "little", "hardly")]
    assert sum(map(len, dots)) == len(ring.said.factors)

    wanted = complex(ring.said.factors[1])
    ring.pointed("circle", wanted.real, wanted.imag)
    assert ring.chosen == 1
    with pytest.raises(ValueError, match="x must be a finite number"):
        ring.pointed("circle", math.nan, 0)
    assert ring.chosen == 1
    mode = ring.draw()["mode"][:, 1]
    assert abs(mode).max() == pytest.approx(1)


def test_every_knob_starts_anew(ring):
    ring.set("length", 20)
    for key, value in {
        "gamma": 0.5,
        "lr": 0.05,
        "faster": 4.0,
        "push": "width",
        "data": "512 draws",
        "momentum": -0.3,
        "seed": 3,
    }.items():
        before = ring.said.off[-1], ring.how, ring.values["seed"], ring.values["data"]
        ring.run(2)
        ring.set(key, value)
        assert ring.steps == 0
        assert len(ring.measured) == 1
        assert (ring.said.off[-1], ring.how, ring.values["seed"], ring.values["data"]) != before
    ring.run(20)
    assert np.isfinite(ring.measured).all()
