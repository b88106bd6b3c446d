"""A session without a lab: it trains as its GAN does, is tuned, goes there and back, is kept."""

import base64
import copy
import hashlib
import json
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganlib import files, targets
from ganlib import session as session_module
from ganlib.gan import GAN, Ledger
from ganlib.gauges import PlaneGauge
from ganlib.losses import LOSSES, PENALTIES, Loss
from ganlib.metrics import Now
from ganlib.networks import mlp
from ganlib.session import EARLY, EVERY, KEPT, Session


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
    gauge = session.gauge
    assert session.ledger == alone.ledger(gauge.p_data, gauge.x, below=gauge.below)
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
    assert session.curve("js")[:, 0].tolist() == [0, *EARLY, 25]


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
        ({"k": 0}, "k must be a whole number"),
        ({"batch": 1.5}, "batch must be a whole number"),
        ({"k": 5, "batch": 65536}, "k times batch must be at most 262,144, got 5 times 65,536"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"loss": "joy"}, "loss must be one of minimax"),
        ({"penalty": None}, "penalty must be one of none, r1"),
        ({"weight": -1}, "weight must be a positive number"),
        ({"optimiser": "newton"}, "optimiser must be one of adam, sgd"),
        ({"beta2": 1.0}, "beta2 must be a number of at least 0 and below 1"),
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


def test_from_another_law_on_what_is_shown_is_of_it(session):
    run(session, 30)
    session.turn_to(targets.mixture((-9.0, 9.0)))
    assert session.past[:, 0].tolist() == [30]
    assert session.past[0, 1] == session.ledger.js
    assert float(session.real.abs().min()) > 5
    session.gan.G[0].weight.data[0] = torch.nan
    session.turn_to(targets.gaussian())  # what has diverged can be turned, too
    assert session.past[:, 0].tolist() == [30]


# ---- networks that draw by themselves -----------------------------------------------------------


def restless(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        G = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))
        D = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Dropout(), nn.Linear(8, 1))
    return GAN(G, D, targets.gaussian(), lr_G=1e-2, lr_D=1e-2, seed=seed)


def drawn(session):
    return {name: session.state()[name] for name in ("G", "D", "chance")}


def test_what_dropout_draws_is_of_the_run_and_kept_with_it():
    session = Session(restless(), targets.gaussian(), batch=16)
    assert session.unlike == ["G", "D"]
    others = torch.get_rng_state()
    saved = run(session, 10).save()
    there = drawn(run(session, 10))
    assert torch.equal(torch.get_rng_state(), others)

    torch.manual_seed(99)
    other = Session(restless(3), targets.gaussian())
    other.load(saved)
    assert_same(drawn(run(other, 10)), there)
    session.reset()
    run(session, 10)
    torch.rand(5)  # a cell between that draws
    assert_same(drawn(run(session, 10)), there)


# ---- keeping a run ------------------------------------------------------------------------------


def test_a_run_that_has_diverged_keeps_its_beginning_and_loads():
    wild = new_gan(optimiser="sgd", loss="least-squares", lr_G=1.0, lr_D=1.0)
    session = Session(wild, targets.gaussian(), batch=16, anneal=False)
    with pytest.raises(FloatingPointError, match="diverged"):
        run(session, 200)
    assert len(session.past) > 1
    assert session.past[-1, 0] < session.gan.steps + 1
    broken = session.gan.steps

    saved = session.save()
    assert session.gan.steps == broken
    other = Session(new_gan(4), targets.gaussian())
    other.load(saved)
    assert np.isfinite(other.ledger.js)

    session.gan.G[0].weight.data[0] = torch.nan  # as after one step more
    other.load(session.save())
    assert other.gan.steps == session.good[-1]["steps"] == 0
    assert bool(session.gan.G[0].weight[0].isnan())


def test_a_saved_session_goes_on_bit_for_bit(session):
    session.tune(k=2, penalty="gradient penalty", oracle=False, beta1=0.5)
    saved = run(session, 30).save()
    run(session, 30)
    other = Session(new_gan(4, optimiser="sgd"), targets.gaussian(), seed=9)
    other.load(saved)
    assert other.settings == session.settings
    assert len(other.past) == len([0, *EARLY, 25])
    run(other, 30)
    assert_same(other.gan.state_dict(), session.gan.state_dict())
    np.testing.assert_array_equal(other.past, session.past)
    other.tune(seed=9)  # that of its own first weights
    other.reset()
    assert_same(other.gan.G.state_dict(), new_gan(4).G.state_dict())


def signed(run):
    """The text of a run that somebody has changed, digest and all."""
    whole = {key: value for key, value in run.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
    return json.dumps({**whole, "sha256": digest})


def with_tensors(run, change):
    """The same run, with its tensors changed."""
    tensors, about = files.unpack(base64.b64decode(run["tensors"]))
    change(tensors)
    return {**run, "tensors": base64.b64encode(files.pack(tensors, about)).decode()}


def put(name, value):
    return lambda tensors: tensors.update({name: value})


def drop(name):
    return lambda tensors: tensors.pop(name)


WEIGHT = torch.zeros(8, 1)  # the shape of G's first layer


@pytest.mark.parametrize(
    "change, why",
    [
        ({"format": "ganlib run 1"}, "format 'ganlib run 2'"),
        ({"values": {}}, "it has no 'lr_G'"),
        ({"values": {"lr_G": 0}}, "lr_G must be a positive number"),
        ({"values": {"loss": "cheap"}}, "loss must be one of"),
        ({"past": []}, "must have 1 to 800 lines"),
        ({"past": [[1.0]]}, "must be 8 finite numbers"),
        ({"past": [[float("nan")] * 8]}, "must be 8 finite numbers"),
        ({"past": [[0.0] * 8] * 5000}, "must have 1 to 800 lines"),
        ({"past": "long"}, "must have 1 to 800 lines"),
        ({"every": 0}, "every must be a whole number"),
        ({"every": "often"}, "every must be a whole number"),
        ({"steps": "abc"}, "steps must be a whole number"),
        ({"steps": -1}, "steps must be a whole number"),
        ({"steps": 3.5}, "steps must be a whole number"),
        ({"steps": 10**12}, "steps must be a whole number of at most 1,000,000,000"),
        ({"tensors": "AAAA"}, "truncated"),
        ({"tensors": 7}, "damaged"),
        (drop("G.0.weight"), "there is no G.0.weight"),
        (drop("opt_D.1.exp_avg_sq"), "there is no opt_D.1.exp_avg_sq"),
        (drop("data"), "there is no data"),
        (put("G.0.weight", torch.zeros(9, 1)), r"G.0.weight is (9, 1), not (8, 1)"),
        (put("G.0.weight", WEIGHT.double()), "has numbers of torch.float64"),
        (put("G.0.weight", WEIGHT * torch.nan), "not finite"),
        (put("opt_G.0.exp_avg", torch.zeros(1)), r"opt_G.0.exp_avg is (1,), not (8, 1)"),
        (put("opt_G.0.exp_avg_sq", WEIGHT - 1), "must not be negative"),
        (put("opt_G.0.step", torch.tensor(-1.0)), "must not be negative"),
        (put("opt_G.0.step", torch.ones(2)), r"opt_G.0.step is (2,), not ()"),
        (put("noise", torch.zeros(3, dtype=torch.uint8)), "noise is (3,)"),
        (put("data", torch.zeros(5056, dtype=torch.uint8)), "data is no state of a generator"),
    ],
)
def test_loading_is_all_or_nothing(session, change, why):
    saved = json.loads(run(session, 30).save())
    before = session.save()
    if isinstance(change, dict) and isinstance(change.get("values"), dict) and change["values"]:
        change = {"values": {**saved["values"], **change["values"]}}
    wrong = {**saved, **change} if isinstance(change, dict) else with_tensors(saved, change)

    with pytest.raises(ValueError, match=re.escape(why)) as error:
        session.load(signed(wrong))
    assert "Nothing was changed" in str(error.value)
    assert session.save() == before
    run(session, 1)


def test_texts_that_are_no_runs(session):
    saved = run(session, 3).save({"note": "mine"}, clicked=[])
    told = json.loads(saved)
    assert told["values"]["note"] == "mine"
    for wrong, why in (
        ("", "cut short"),
        (saved[:-40], "cut short"),
        ('["run"]', "format"),
        (json.dumps({**told, "every": 26}), "was changed after it was written"),
        (" " * 60_000_000, "more than 50,000,000 letters"),
        ("[" * 100_000, "Nothing was changed"),
    ):
        with pytest.raises(ValueError, match=why):
            session.load(wrong)
    session.load(saved)


def test_a_diverged_session_comes_back_from_a_text_that_does_not_fit(session):
    with torch.no_grad():
        session.gan.G[0].weight.fill_(torch.nan)
    with pytest.raises(ValueError, match="Nothing was changed"):
        session.load("{}")
    assert bool(session.gan.G[0].weight.isnan().all())
    session.reset()
    run(session, 3)


def test_nothing_of_a_file_sets_options_of_an_optimiser_or_stays_shared(session):
    saved = json.loads(run(session, 3).save())
    options = [dict(group) for group in session.gan.opt_G.param_groups]
    session.load(signed(with_tensors(saved, put("opt_G.maximize", torch.tensor(True)))))
    for old, new in zip(options, session.gan.opt_G.param_groups):
        assert {**old, "params": 0} == {**new, "params": 0}
    first, second = (memory["exp_avg"] for memory in list(session.gan.opt_G.state.values())[:2])
    assert first.data_ptr() != second.data_ptr()
    assert first.is_contiguous()


def test_what_is_no_state_and_what_no_text_can_hold_is_named(session):
    before = session.save()
    with pytest.raises(ValueError, match="state must be one that `state` gave"):
        session.restore({"steps": 3})
    with pytest.raises(ValueError, match="values must be a dict, got 3"):
        session.save(3)
    with pytest.raises(ValueError, match="values and more must be what JSON can hold"):
        session.save({"note": object()})
    with pytest.raises(ValueError, match="keeper must have a snapshot, as a Session has"):
        session_module.all_or_nothing(before, None)
    with pytest.raises(ValueError, match="seed must be a whole number of at most 1,000,000,000"):
        Session(new_gan(), targets.gaussian(), seed=2**40)
    assert session.save() == before
