"""The engine's ledger and its session, against those of Python and against closed forms."""

import math
import re

import pytest
import torch
from closed_forms import DENSITIES, FLAT, NORMAL, js_from_normal
from torch import nn

from ganlib import densities, targets
from ganlib.engine import export
from ganlib.gan import GAN
from ganlib.gauges import LineGauge, PlaneGauge
from ganlib.labs.slow_motion import SlowMotion
from ganlib.networks import mlp
from ganlib.session import Session

LAWS = {
    "normal": targets.gaussian(),
    "two modes": targets.mixture(),
    "uniform": targets.uniform(-1.5, 1.5),
    "iris": targets.iris(),
}
PRIORS = {"normal": targets.gaussian(), "uniform": targets.uniform()}
LAB = {"lr_G": 2e-3, "lr_D": 1e-2, "betas": (0.0, 0.9), "penalty": "r1", "penalty_weight": 0.02}


def make(prior="normal", seed=0, **settings):
    G = mlp(1, 32, 32, 1, seed=2 * seed)
    D = mlp(1, 48, 48, 1, seed=2 * seed + 1, cover=(-3, 3))
    return GAN(G, D, PRIORS[prior], **{**LAB, **settings}, seed=seed)


def flat(net):
    return nn.utils.parameters_to_vector(net.parameters()).detach()


def off(ours, theirs):
    ours = torch.as_tensor(ours, dtype=torch.float64)
    return float((ours - torch.as_tensor(theirs, dtype=torch.float64)).abs().max())


def both(engine, gan, law, script, *, gauge=LineGauge, ops="wasm", **how):
    """The same script in both engines: the answer of the browser's, and Python's session."""
    plane = gauge is PlaneGauge
    found = engine(
        "session",
        ops=ops,
        gan=export.gan(gan),
        law=export.law(law),
        how=how,
        plane=plane,
        script=[
            [what, *(export.law(part) if what == "law" else part for part in args)]
            for what, *args in script
        ],
    )
    session = Session(gan, law, gauge=gauge, **how)
    does = {
        "tune": lambda settings: session.tune(**settings),
        "law": session.set_law,
        "reload": lambda: session.load(session.save()),
    }
    for what, *args in script:
        if what == "run":
            for _ in range(args[0]):
                who, done = args[1:] or (None, True)
                session.step(who, done=done)
        else:
            does.get(what, lambda *given, what=what: getattr(session, what)(*given))(*args)
    return found, session


# -- the ledger ------------------------------------------------------------------------------------
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("prior", PRIORS)
def test_the_ledger_at_steps_0_and_10(engine, law, prior):
    """All that the lab shows to 1e-6; the two terms of V, whose errors cancel in V, to 3e-6.

    The engine in double precision is as far from torch there: it is torch's own rounding.
    """
    for steps in (0, 10):
        script = [["run", steps], ["record"]]
        found, session = both(engine, make(prior), LAWS[law], script)
        assert found["past"][-1][0] == session.past[-1, 0] == steps
        assert off(found["past"][0], session.past[0]) <= 1e-6
        assert off(found["past"][-1][:6], session.past[-1][:6]) <= 1e-6
        assert off(found["past"][-1], session.past[-1]) <= 3e-6


def test_the_ledger_under_the_best_D(engine):
    found, session = both(engine, make(), LAWS["normal"], [["tune", {"oracle": True}], ["record"]])
    assert off(found["past"], session.past) <= 1e-6
    js, value, regret, _, off_star = found["past"][-1][1:6]
    assert value == pytest.approx(2 * js, abs=1e-12)
    assert regret == pytest.approx(0, abs=1e-12)
    assert off_star == pytest.approx(0, abs=1e-12)


def formula(engine, of_z, prior, target=None, *, reach=(-5, 5), points=400, cells=1024):
    """The ledger of a G that is a formula in z."""
    return engine(
        "formula",
        formula=of_z,
        prior=export.law(prior),
        range=reach,
        points=points,
        target=export.law(target or targets.gaussian()),
        logit=0.3,
        cells=cells,
    )


G_OF = {
    "moved": "z + 1",
    "narrow": "0.05 * z + 0.3",
    "box": "0.7 - 0.01 * z",
    "square": "z * z",
    "wave": "Math.sin(2.5 * Math.PI * z)",
    "heavy": "Math.exp(z)",
}


@pytest.mark.parametrize("name", DENSITIES)
def test_js_to_four_digits_where_the_density_is_known(engine, name):
    prior, *_ = DENSITIES[name]
    ours = formula(engine, G_OF[name], prior)["js"]
    assert ours == pytest.approx(js_from_normal(name), abs=1e-4)


def test_a_perfect_G_and_one_that_knows_one_point(engine):
    assert formula(engine, "z", NORMAL)["js"] == pytest.approx(0, abs=2e-6)
    entry = formula(engine, "0.7", NORMAL)
    assert entry["js"] == pytest.approx(math.log(2), abs=1e-9)
    D = 1 / (1 + math.exp(-0.3))
    assert entry["real_term"] == pytest.approx(math.log(D), abs=1e-9)
    assert entry["fake_term"] == pytest.approx(math.log(1 - D), abs=1e-6)
    assert entry["off_half"] == pytest.approx(D - 0.5, abs=1e-6)
    assert entry["off_star"] == pytest.approx(0.5, abs=1e-6)  # ½ |1 − D| + ½ |0 − D|


def test_what_falls_beside_the_grid_is_kept(engine):
    masses = formula(engine, "10 * z", FLAT, reach=(-4, 4))["masses"]
    assert sum(masses) == pytest.approx(1, abs=1e-9)
    assert masses[0] == masses[-1] == pytest.approx(0.3, abs=1e-6)
    assert masses[1:-1] == pytest.approx([0.4 / 400] * 400, abs=1e-6)


def test_z_cells(engine):
    for prior in (NORMAL, FLAT, targets.gaussian(1, 3)):
        found = engine("z_cells", prior=export.law(prior), cells=64)
        pushed = densities.push_masses(nn.Identity(), prior, densities.line(-4, 4), cells=64)
        assert off(found["z"], pushed.ends) <= 1e-5
        assert off(found["mass"], pushed.pieces) <= 1e-9


def test_a_G_that_has_diverged_says_so(engine):
    with pytest.raises(RuntimeError, match="it has diverged"):
        formula(engine, "z / 0", NORMAL)


# -- the plane -------------------------------------------------------------------------------------
def in_the_plane(seed=0):
    G = mlp(2, 64, 64, 2, seed=2 * seed)
    D = mlp(2, 64, 64, 1, seed=2 * seed + 1)
    return GAN(G, D, targets.gaussian(dim=2), lr_G=2e-3, lr_D=2e-3, betas=(0.0, 0.9), seed=seed)


@pytest.mark.parametrize("law", [targets.ring(), targets.grid(), targets.moons()], ids=repr)
def test_modes_good_samples_and_js(engine, law):
    script = [["run", 10], ["record"]]
    found, session = both(engine, in_the_plane(), law, script, gauge=PlaneGauge, anneal=False)
    assert [row[:2] for row in found["past"]] == session.past[:, :2].tolist()
    # a sample or two may lie on the border of a cell
    assert off(found["past"], session.past) <= 3e-3
    assert off(found["real"], session.real.flatten()) <= 1e-5


def test_the_best_D_in_the_plane(engine):
    gan = in_the_plane()
    gauge = PlaneGauge(targets.ring(), gan.prior)
    fakes = gan.G(gauge.view.z[:128]).detach()
    law = targets.ring()
    blurred = targets.Mixture(law.means, (law.stds**2 + 0.3**2).sqrt(), law.weights)
    x = torch.tensor([[0.1, 0.2], [2.0, -0.3], [-1.5, 1.0], [0.0, 3.0]], requires_grad=True)
    logits = gauge.best_D(gan)(x)
    (slopes,) = torch.autograd.grad(logits.sum(), x)
    found = engine(
        "blurred",
        p_data=export.law(blurred),
        p_g=export.law(targets.Mixture(fakes, [0.3])),
        x=x.flatten().tolist(),
    )
    assert off(found["logits"], logits.detach().flatten()) <= 2e-5
    assert off(found["again"], found["logits"]) <= 1e-10
    assert off(found["slopes"], slopes.T.flatten()) <= 2e-4


# -- the session -----------------------------------------------------------------------------------
SCRIPTS = {
    "as it begins": [["run", 30]],
    "the rates fall": [["run", 60]],
    "D only": [["tune", {"train": "D only", "k": 2}], ["run", 5]],
    "G only": [["tune", {"train": "G only"}], ["run", 5]],
    "the oracle": [["tune", {"oracle": True}], ["run", 5]],
    "another law": [["run", 5], ["law", LAWS["iris"]], ["run", 5], ["reset"], ["run", 3]],
    "knobs": [["run", 5], ["tune", {"loss": "hinge", "penalty": "none", "k": 3}], ["run", 5]],
    "another optimiser": [["run", 5], ["tune", {"optimiser": "sgd", "lr_D": 0.1}], ["run", 5]],
    "another seed": [["run", 5], ["tune", {"seed": 7}], ["reset"], ["run", 5]],
    "back": [["run", 30], ["back"], ["run", 3]],
    "kept": [["run", 5], ["reload"], ["run", 5]],
    "one player after the other": [["run", 1, "D only", False], ["run", 1, "G only", True]],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_session_goes_the_same_way(engine, name):
    how = {"batch": 32, "horizon": 40, "seed": 0}
    found, session = both(engine, make("uniform"), targets.gaussian(), SCRIPTS[name], **how)
    assert all(said in ("done", None) for said in found["said"])
    assert found["steps"] == session.gan.steps
    assert found["settings"] == session.settings
    assert off(found["rates"], [session.gan.lr_G, session.gan.lr_D]) <= 1e-15
    assert found["good"] == [state["steps"] for state in session.good]
    assert [row[0] for row in found["past"]] == session.past[:, 0].tolist()
    assert off(found["real"], session.real.flatten()) <= 2e-5
    # in single precision the two drift apart step by step
    assert off(found["G"], flat(session.gan.G)) <= 2e-3
    assert off(found["past"], session.past) <= 2e-3
    assert off(found["js"], session.curve("js")) <= 2e-3


def test_the_record_is_thinned_out_and_old_states_too(engine):
    """One engine is enough: 1-5-1 networks, and what Python's session does by its constants."""
    gan = GAN(mlp(1, 4, 1, seed=0), mlp(1, 4, 1, seed=1), NORMAL, lr_G=1e-3, lr_D=1e-3, seed=0)
    found = engine(
        "session",
        ops="wasm",
        gan=export.gan(gan),
        law=export.law(NORMAL),
        how={"batch": 1},
        script=[["run", 10_050]],
    )
    steps = [row[0] for row in found["past"]]
    assert steps == [*range(0, 10_001, 50), 10_050]
    assert len(found["good"]) <= 12
    assert found["good"][0] == 0
    assert found["good"][-1] == 10_000


@pytest.mark.parametrize(
    "script, words",
    [
        ([["tune", {"lr_G": -1}]], "lr_G must be a positive number, got -1"),
        ([["tune", {"speed": 1}]], "setting must be one of lr_G, lr_D, .*, got speed"),
        ([["tune", {"batch": 0.5}]], "batch must be a whole number of at least 1, got 0.5"),
        ([["tune", {"train": "nobody"}]], "train must be one of both, D only, G only"),
        ([["tune", {"oracle": True, "train": "D only"}], ["run", 1]], r"D\* is computed and has"),
        ([["spoil"]], "not a saved run that fits this lab: G has 1153 weights, not 1"),
    ],
)
def test_what_is_refused_leaves_all_as_it_was(engine, script, words):
    found = engine(
        "session",
        ops="wasm",
        gan=export.gan(make()),
        law=export.law(NORMAL),
        how={"batch": 16},
        script=[*script, ["tune", {"train": "both", "oracle": False}], ["run", 2]],
    )
    assert re.search(words, found["said"][len(script) - 1])
    assert found["said"][-2:] == [None, None]
    assert found["steps"] == 2
    assert found["settings"]["lr_G"] == LAB["lr_G"]


def test_a_session_that_diverges_goes_back(engine):
    found = engine(
        "session",
        ops="wasm",
        gan=export.gan(make(optimiser="sgd", loss="least-squares")),
        law=export.law(NORMAL),
        how={"batch": 16, "anneal": False},
        script=[
            ["run", 120],
            ["tune", {"lr_D": 1e12, "lr_G": 1e12}],
            ["run", 50],
            ["tune", {"lr_D": 1e-3, "lr_G": 1e-3}],
            ["back"],
            ["run", 5],
        ],
    )
    assert found["said"][2].startswith("diverged at step 12")
    assert found["said"][3:] == [None, None, None]
    assert found["steps"] == 105


def test_slow_motion(engine):
    script = [["next", "both", False] for _ in range(7)]
    script += [["next", "G only", True], ["next", "G only", True], ["wait", 1]]
    script += [["next", "G only", True], ["wait", 1], ["next", "D only", True]]
    found = engine("slow_motion", script=script)
    slow = SlowMotion()
    theirs = [slow.next("both", False) for _ in range(7)]
    ours = [(step["who"], step["done"]) for step in found[:7]]
    assert ours == theirs
    assert found[7] == found[8] == {"who": None, "done": False}  # its time has not yet come
    assert found[10]["who"] is None and not found[10]["done"]
    assert found[12] == {"who": None, "done": False}
