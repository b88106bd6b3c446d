"""A session without a lab: it trains as its GAN does, is tuned, goes there and back, is kept."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganlib import session as session_module
from ganlib import targets
from ganlib.gan import GAN, Ledger
from ganlib.gauges import PlaneGauge
from ganlib.losses import LOSSES, PENALTIES, Loss
from ganlib.metrics import Now
from ganlib.networks import mlp
from ganlib.session import EVERY, KEPT, Session

OLD = Path(__file__).with_name("saved_run.json")  # by the lab before there were sessions


def new_gan(seed=0, *, hidden=8, **settings):
    usual = {"lr_G": 2e-3, "lr_D": 1e-2, "betas": (0.0, 0.9), "seed": seed}
    G = mlp(1, hidden, 1, seed=2 * seed)
    D = mlp(1, hidden, 1, seed=2 * seed + 1)
    return GAN(G, D, targets.gaussian(), **{**usual, **settings})


def plane_gan(seed=0):
    G = mlp(2, 8, 2, seed=2 * seed)
    D = mlp(2, 8, 1, seed=2 * seed + 1)
    return GAN(G, D, targets.gaussian(dim=2), seed=seed)


def run(session, steps):
    for _ in range(steps):
        session.step()
    return session


def assert_same(found, expected):
    """To the last bit."""
    assert_close(found, expected, rtol=0, atol=0)


@pytest.fixture
def session():
    return Session(new_gan(), targets.gaussian(), batch=16)


# ---- training -----------------------------------------------------------------------------------


def test_it_is_the_loop_that_a_caller_writes(session):
    alone = new_gan()
    data = torch.Generator().manual_seed(1)
    for _ in range(30):
        alone.step(targets.gaussian().sample(16, data))
    run(session, 30)
    assert_same(session.gan.state_dict(), alone.state_dict())
    assert session.ledger == alone.ledger(session.gauge.p_data, session.gauge.x)
    assert isinstance(session.ledger, Ledger)


def test_in_the_plane_only_the_gauge_is_another():
    session = Session(plane_gan(), targets.ring(), gauge=PlaneGauge, batch=16)
    alone = plane_gan()
    data = torch.Generator().manual_seed(1)
    for _ in range(30):
        alone.step(targets.ring().sample(16, data))
    run(session, 30)
    assert_same(session.gan.state_dict(), alone.state_dict())
    assert isinstance(session.ledger, Now)
    assert session.curve("js").shape == (2, 2)


@pytest.mark.parametrize("train", ["both", "D only", "G only"])
@pytest.mark.parametrize("oracle", [False, True])
def test_a_step_counts_once_whoever_moves(session, train, oracle):
    session.tune(train=train, oracle=oracle, k=3)
    if oracle and train == "D only":
        with pytest.raises(ValueError, match="nothing to learn"):
            session.step()
        return
    D = copy.deepcopy(session.gan.D.state_dict())
    run(session, 7)
    assert session.gan.steps == 7
    rests = oracle or train == "G only"
    moved = (session.gan.D.state_dict()["0.weight"] != D["0.weight"]).any()
    assert bool(moved) != rests


def test_a_step_in_parts_is_the_same_step(session):
    whole = run(Session(new_gan(), targets.gaussian(), batch=16), 30)
    for _ in range(30):
        session.step("D only", done=False)
        session.step("G only")
    assert_same(session.gan.G.state_dict(), whole.gan.G.state_dict())
    np.testing.assert_array_equal(session.past, whole.past)


@pytest.mark.parametrize("law, usual", [(targets.gaussian(), 3000), (targets.mixture(), 5000)])
def test_the_rates_fall_over_the_second_half(law, usual):
    session = Session(new_gan(), law, batch=16)
    for share, factor in ((0.5, 1), (0.75, 0.5), (0.9, 0.2), (1.5, 0.01)):
        session.gan.steps = int(share * usual)
        session.step()
        assert session.gan.lr_D == pytest.approx(1e-2 * factor)
        assert session.lr_D == 1e-2
    session.tune(anneal=False)
    assert session.gan.lr_D == 1e-2


def test_a_long_run_keeps_a_bounded_history(session, monkeypatch):
    monkeypatch.setattr(session_module, "LINES", 10)
    session.gan.history = [{"loss_D": 0.0}] * 20_000
    run(session, 12 * EVERY)
    assert len(session.gan.history) <= 10_000
    assert session.every == 2 * EVERY
    assert session.past[:, 0].tolist() == [k * 2 * EVERY for k in range(7)]


# ---- settings -----------------------------------------------------------------------------------


def test_all_settings_can_be_read_and_turned(session):
    other = {
        "lr_G": 1e-4,
        "lr_D": 2e-4,
        "train": "G only",
        "anneal": False,
        "oracle": True,
        "k": 3,
        "batch": 7,
        "seed": 5,
        "loss": "hinge",
        "penalty": "gradient penalty",
        "weight": 0.5,
        "optimiser": "sgd",
        "beta1": 0.25,
        "beta2": 0.75,
    }
    assert session.settings.keys() == other.keys()
    assert all(session.settings[key] != value for key, value in other.items())
    session.tune(**other)
    assert session.settings == other
    gan = session.gan
    assert (gan.loss, gan.penalty, gan.penalty_weight, gan.d_steps) == (
        "hinge",
        "gradient penalty",
        0.5,
        3,
    )
    assert isinstance(gan.opt_G, torch.optim.SGD)
    assert gan.lr_G == 1e-4


def test_the_optimisers_keep_their_memory_unless_they_are_of_another_kind(session):
    run(session, 5)
    memory = copy.deepcopy(session.gan.opt_G.state_dict()["state"])
    session.tune(beta1=0.5, lr_G=1e-4)
    assert_same(session.gan.opt_G.state_dict()["state"], memory)
    assert session.gan.opt_G.param_groups[0]["betas"] == (0.5, 0.9)
    session.tune(optimiser="sgd")
    session.tune(optimiser="adam")
    assert not session.gan.opt_G.state


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"lr_G": 0.0}, "lr_G must be a positive number"),
        ({"lr_D": float("nan")}, "lr_D must be a positive number"),
        ({"train": "nobody"}, "train must be one of both, D only, G only"),
        ({"anneal": "yes"}, "anneal must be one of True, False"),
        ({"k": 0}, "d_steps must be a whole number"),
        ({"batch": 1.5}, "batch must be a whole number"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"loss": "joy"}, "loss must be one of minimax"),
        ({"penalty": None}, "penalty must be one of none, r1"),
        ({"weight": -1}, "penalty_weight must be a positive number"),
        ({"optimiser": "newton"}, "optimiser must be one of adam, sgd"),
        ({"beta2": 1.0}, "betas must be two numbers"),
        ({"momentum": 0.9}, "setting must be one of lr_G, lr_D, train"),
    ],
)
def test_what_is_not_allowed_turns_no_knob(session, wrong, words):
    before = session.settings
    with pytest.raises(ValueError, match=words):
        session.tune(**{"lr_G": 0.5, "loss": "hinge", "optimiser": "sgd", **wrong})
    assert session.settings == before
    run(session, 1)


def test_a_loss_and_a_penalty_of_the_learners_own_have_names_too():
    mine = Loss("hinge", D=LOSSES["hinge"].D, G=LOSSES["minimax"].G)  # not the course's hinge
    session = Session(new_gan(loss=mine, penalty=PENALTIES["r1"]), targets.gaussian(), batch=16)
    assert session.settings["loss"] == "hinge (yours)"
    assert session.settings["penalty"] == "r1"
    session.tune(loss="hinge")
    assert session.gan.loss == "hinge"
    session.tune(loss="hinge (yours)")
    assert session.gan.loss is mine

    session.gan.penalty = lambda D, real, fake, generator: 0 * fake.sum()
    assert session.settings["penalty"] == "<lambda>"
    session.tune(lr_G=1e-3)
    run(session, 2)


def test_what_cannot_be_trained_is_refused():
    law = targets.gaussian()
    for settings in ({"batch": 0}, {"horizon": 0}, {"seed": -1}, {"anneal": "x"}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            Session(new_gan(), law, **settings)
    with pytest.raises(ValueError, match="two dimensions"):
        Session(plane_gan(), law, gauge=PlaneGauge)


# ---- there and back -----------------------------------------------------------------------------


def test_of_old_states_ever_fewer_are_kept_and_the_first_always(session):
    for step in range(100, 20_000, 100):
        session.gan.steps = step
        session.remember()
    there = [state["steps"] for state in session.good]
    assert there[0] == 0
    assert there[-3:] == [19_700, 19_800, 19_900]
    assert len(there) <= KEPT
    assert there == sorted(there)


def test_a_state_that_is_not_finite_is_no_place_to_go_back_to(session):
    run(session, 1)
    session.gan.G[0].weight.data[0] = torch.nan
    session.remember()
    assert [state["steps"] for state in session.good] == [0, 0]  # made, and before its first step
    with pytest.raises(FloatingPointError, match="diverged at step 1"):
        session.look()
    session.back()
    assert session.ledger.js < 0.7
    assert session.gan.steps == 0


def test_back_drops_what_was_written_down_since(session):
    run(session, 130)
    session.back()
    assert session.gan.steps == 100
    assert session.past[-1, 0] == 100
    session.forget()
    session.back()
    assert session.gan.steps == 100


def test_a_state_of_another_optimiser_is_restored_without_its_memory(session):
    state = run(session, 5).state()
    run(session, 5)
    session.tune(optimiser="sgd", beta1=0.3)
    session.restore(state)
    assert session.gan.steps == 5
    assert session.gan.optimiser == "sgd"
    assert session.gan.betas == (0.3, 0.9)
    assert_same(session.gan.G.state_dict(), state["G"])
    run(session, 1)


def test_reset_repeats_the_run_and_another_seed_draws_its_own(session):
    first = run(session, 30).past
    session.reset()
    assert session.gan.steps == 0
    np.testing.assert_array_equal(run(session, 30).past, first)

    session.tune(seed=3)
    session.reset()
    own = run(session, 30).past
    twin = run(Session(new_gan(3), targets.gaussian(), batch=16, seed=3), 30).past
    np.testing.assert_array_equal(own, twin)
    session.tune(seed=0)
    session.reset()
    np.testing.assert_array_equal(run(session, 30).past, first)


def test_another_law_acts_at_the_next_step(session):
    run(session, 30)
    weights = session.gan.G.state_dict()
    session.set_law(targets.mixture())
    assert session.law.name == "two modes"
    assert_same(session.gan.G.state_dict(), weights)
    run(session, 5)
    assert session.ledger.js != session.past[-1, 1]
    assert session.gauge.x[0] < -3.6


# ---- keeping a run ------------------------------------------------------------------------------


def test_a_saved_session_goes_on_bit_for_bit(session):
    session.tune(k=2, penalty="gradient penalty", oracle=False, beta1=0.5)
    saved = run(session, 30).save()
    run(session, 30)
    other = Session(new_gan(4, optimiser="sgd"), targets.gaussian(), seed=9)
    other.load(saved)
    assert other.settings == session.settings
    assert len(other.past) == 2
    run(other, 30)
    assert_same(other.gan.state_dict(), session.gan.state_dict())
    np.testing.assert_array_equal(other.past, session.past)
    other.tune(seed=9)  # that of its own first weights
    other.reset()
    assert_same(other.gan.G.state_dict(), new_gan(4).G.state_dict())


def test_loading_is_all_or_nothing(session):
    saved = json.loads(run(session, 30).save(note="mine"))
    assert saved["values"]["note"] == "mine"
    before = session.save()
    wide = json.loads(Session(new_gan(hidden=9), targets.gaussian()).save())
    wild = {**saved["values"], "lr_G": 0}
    for wrong, why in (
        ("", "cut short"),
        ('["run"]', "format"),
        (json.dumps({**saved, "values": {}}), "it has no 'lr_G'"),
        (json.dumps({**saved, "values": wild}), "lr_G must be a positive number"),
        (json.dumps({**saved, "past": []}), "damaged"),
        (json.dumps({**saved, "past": [[1.0]]}), "cannot reshape"),
        (json.dumps({**saved, "state": wide["state"]}), "size mismatch"),
    ):
        with pytest.raises(ValueError, match=why) as error:
            session.load(wrong)
        assert "Nothing was changed" in str(error.value)
        assert session.save() == before


def test_a_run_that_was_saved_before_there_were_sessions_goes_on():
    gan = GAN(mlp(1, 3, 1, seed=8), mlp(1, 3, 1, seed=9), targets.gaussian())
    session = Session(gan, targets.mixture())
    session.load(OLD.read_text(encoding="utf-8"))
    assert (session.gan.steps, session.batch, session.gan.penalty) == (30, 16, "r1")
    assert session.past[:, 0].tolist() == [0, 25]
    run(session, 20)
    assert session.past[:, 0].tolist() == [0, 25, 50]
    # A histogram of two million samples gives 0.58657.
    assert session.ledger.js == pytest.approx(0.58664, rel=1e-4)
