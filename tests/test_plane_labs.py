"""PlaneLab, Twins and Clinic: what they count is right, what they draw fits, and they say no in words."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import Clinic, PlaneLab, Twins
from ganlib.labs.plane import DRAWN, PRESETS, View, modes
from ganlib.medicine import MEDICINE
from ganlib.networks import mlp

NORMAL = targets.gaussian(dim=2)
RUNS = json.loads((Path(__file__).parents[1] / "images/failures.json").read_text())["clinic"]


def gan(**knobs):
    return GAN(mlp(2, 8, 2, seed=0), mlp(2, 8, 1, seed=1), NORMAL, **{"lr_G": 1e-3, "lr_D": 1e-3, "seed": 0, **knobs})


def test_modes_are_those_that_get_a_fifth_of_their_part():
    ring = targets.ring(4, std=0.1)
    x = ring.means.repeat_interleave(torch.tensor([60, 30, 6, 4]), 0)
    assert modes(x, ring) == (3, 1.0)
    assert modes(torch.cat([x, x + 0.5]), ring) == (2, 0.5)
    x = ring.sample(50_000, torch.Generator().manual_seed(0))
    assert modes(x, ring) == (4, pytest.approx(1 - np.exp(-4.5), abs=2e-3))  # in 2-D, P(within 3 sd) = 1 − e^(−9/2)


@pytest.mark.parametrize("law", [targets.ring(), targets.grid(), targets.moons(), targets.spiral()], ids=str)
def test_the_view_has_all_the_mass_and_no_divergence_to_its_own_samples(law):
    class Perfect(nn.Module):
        def forward(self, z):
            return law.sample(len(z), torch.Generator().manual_seed(3))

    view = View(law, NORMAL)
    assert view.p.sum().item() == pytest.approx(1) and view.p[-1] < 1e-3
    now = view.look(Perfect())
    assert now.js < 0.02 and now.good > 0.95
    cells = law.sample(200_000, torch.Generator().manual_seed(4))
    inside = ((cells / view.reach + 1) * 16).floor().long()  # the same cells counted another way
    assert view.p[16 * 32 + 16 + 3].item() == pytest.approx(float(((inside == torch.tensor([19, 16])).all(1)).float().mean()),
                                                          abs=2e-3)


def test_js_of_one_mode_of_two():
    law = targets.Mixture([[-1.0, 0.0], [1.0, 0.0]], [0.05])
    one = targets.Mixture([[-1.0, 0.0]], [0.05])

    class Collapsed(nn.Module):
        def forward(self, z):
            return one.sample(len(z), torch.Generator().manual_seed(0))

    now = View(law, NORMAL).look(Collapsed())
    assert now.modes == 1 and now.js == pytest.approx(0.2158, abs=0.01)  # ¾ log(4/3), the half of the data missed


def test_the_lab_trains_as_its_gan_does_alone():
    lab, alone, data = PlaneLab(gan(), batch=32).run(30), gan(), torch.Generator().manual_seed(1)
    for _ in range(30):
        alone.step(targets.ring().sample(32, data))
    for a, b in zip(lab.gan.G.parameters(), alone.G.parameters()):
        assert torch.equal(a, b)
    assert re.match(r"After 30 steps on ring of 8: \d of 8 modes, \d+ % good samples, JS 0\.\d{3}\.", lab.text())


@pytest.mark.parametrize("name", PRESETS)
def test_presets_turn_their_knobs_and_only_those(name):
    lab = PlaneLab(gan()).set("preset", name).run(3)
    changed = {key for key, value in lab.values.items() if value != lab._defaults[key]}
    assert changed - {"preset"} == set(PRESETS[name][1])
    assert lab.gan.lr_D == lab.values["lr_D"] and lab.note == PRESETS[name][0]


@pytest.mark.parametrize("name", ["grid of 25", "two moons", "spiral", DRAWN])
def test_every_target_is_drawn(name):
    lab = PlaneLab(gan())
    lab.pressed("ten")
    lab.set("target", name).run(2)
    frame = lab.draw()
    assert np.isfinite(np.asarray(frame["D"])).all() and frame["pull"].shape == (64, 4)
    assert lab.figure().axes


def test_points_you_draw():
    lab = PlaneLab(gan())
    for k in range(9):
        lab.pointed("plane", 0.1 * k, 0.0)
    lab.pointed("latent", 5.0, 5.0)
    with pytest.raises(ValueError, match="at least 10 points first: click into the picture; so far 9"):
        lab.run(1)
    lab.pointed("plane", 1.0, 1.0)
    lab.run(1)
    np.testing.assert_allclose(lab.target.means, [[0.1 * k, 0] for k in range(9)] + [[1, 1]], atol=1e-6)


def test_the_pull_points_where_the_cost_falls():
    lab = PlaneLab(gan())
    start, tip = np.split(np.asarray(lab.draw()["pull"]), 2, axis=1)
    with torch.no_grad():
        before, after = (lab.gan.D(torch.tensor(at)) for at in (start, start + 1e-2 * (tip - start)))
    assert (after >= before).all() and (np.linalg.norm(tip - start, axis=1) <= 0.5).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="two dimensions, got normal: 1 normal in 1-D"):
        PlaneLab(gan(), targets.gaussian())
    with pytest.raises(ValueError, match=r"G must give \(3, 2\) and D \(3, 1\), got \(3, 1\)"):
        PlaneLab(GAN(mlp(2, 1), mlp(2, 1), NORMAL))
    with pytest.raises(FloatingPointError, match="diverged"):
        lab = PlaneLab(gan())
        lab.gan.G[0].weight.data.fill_(torch.nan)
        lab.draw()


def test_a_saved_run_goes_on_exactly():
    lab = PlaneLab(gan(), batch=16).run(10)
    kept = lab.save()
    after = lab.run(5).text()
    lab.load(kept)
    assert lab.run(5).text() == after


@pytest.mark.parametrize("medicine", MEDICINE)
def test_twins_differ_in_the_medicine_only(medicine):
    lab = Twins("D too fast", medicine).run(2)
    (a, shown_a), (b, shown_b) = lab.twins
    same = all(torch.equal(p, q) for p, q in zip(a.G.parameters(), b.G.parameters()))
    assert same == (medicine == "none" or medicine.startswith("average"))
    z = lab.view.z[:5]
    assert torch.equal(shown_a(z), shown_b(z)) == (medicine == "none")
    assert "difference +0 modes, JS +0.000" in Twins("healthy", "none").run(25).text()


def test_the_clinic_tells_only_when_asked():
    lab = Clinic(RUNS)
    assert len(RUNS) == 8
    for k, what in enumerate(RUNS, 1):
        lab.set("run", k)
        assert what not in lab.text()
        assert f"It is: {what}" in lab.set("tell", True).text()
        assert "No, it is" in lab.set("guess", next(d for d in RUNS if d != what)).text()
        assert "Right, it is" in lab.set("guess", what).text()
        assert np.isfinite(np.concatenate([rows[:, 1] for rows in lab.draw().values()])).all()
    with pytest.raises(ValueError, match="from 1 to 8, got 9"):
        lab.set("run", 9)
