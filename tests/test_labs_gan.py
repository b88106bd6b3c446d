"""GANLab: it trains the GAN it was given, hears its knobs, keeps runs, and its presets do what they say."""

import asyncio
import gc
import json

import numpy as np
import psutil
import pytest
import torch
from stage_labs import say
from test_stage_lab import until

from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import GANLab, Lab
from ganlib.labs.gan_scene import PRESETS
from ganlib.networks import mlp


def make_gan(G=None, D=None, seed=0, **settings):
    """The GAN of notebook 04."""
    G, D = (
        G or mlp(1, 32, 32, 1, seed=2 * seed),
        D or mlp(1, 48, 48, 1, seed=2 * seed + 1, cover=(-3, 3)),
    )
    usual = {
        "lr_G": 2e-3,
        "lr_D": 2e-2,
        "betas": (0.0, 0.9),
        "penalty": "r1",
        "penalty_weight": 0.02,
        "seed": seed,
    }
    return GAN(G, D, targets.gaussian(), **{**usual, **settings})


@pytest.fixture
def lab():
    torch.set_num_threads(1)
    return GANLab(make_gan())


def test_the_lab_trains_the_very_gan_it_was_given(lab):
    twin, data = make_gan(), torch.Generator().manual_seed(1)
    for _ in range(40):
        twin.step(targets.gaussian().sample(128, data))
    lab.run(40)
    torch.testing.assert_close(lab.gan.G.state_dict(), twin.G.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(lab.gan.D.state_dict(), twin.D.state_dict(), rtol=0, atol=0)
    assert lab.gan.history == twin.history and lab.steps == lab.gan.steps == 40
    assert lab.ledger.js == pytest.approx(twin.ledger(lab.p_data, lab.x).js, abs=1e-12)


def test_rates_act_at_the_next_step_and_keep_the_memory_of_adam(lab):
    lab.run(10)
    memory = {k: v.clone() for k, v in next(iter(lab.gan.opt_G.state.values())).items()}
    lab.set("lr_G", "0.0003").set("lr_D", 0.02).set("beta1", 0.5)
    torch.testing.assert_close(dict(next(iter(lab.gan.opt_G.state.values()))), memory)
    assert (lab.gan.lr_G, lab.gan.lr_D) == (0.0003, 0.02) and lab.gan.opt_D.param_groups[0][
        "betas"
    ] == (0.5, 0.9)
    assert "lr_G 0.0003, lr_D 0.02" in lab.widget.status["text"]
    before = [p.clone() for p in lab.gan.G.parameters()]
    lab.set("beta1", 0.0).run(1)
    moved = max(float((p - q).detach().abs().max()) for p, q in zip(before, lab.gan.G.parameters()))
    assert 0 < moved < 10 * 0.0003


def test_annealing_brings_both_rates_to_a_hundredth():
    lab = GANLab(make_gan(), horizon=100)
    lab.run(50)
    assert lab.gan.lr_G == 2e-3
    lab.run(26)
    assert lab.gan.lr_D == pytest.approx(2e-2 * 0.5)
    lab.run(60)
    assert lab.gan.lr_G == pytest.approx(2e-5)
    assert lab.set("anneal", False).gan.lr_G == 2e-3


def test_one_player_alone(lab):
    def weights(net):
        return [p.detach().clone() for p in net.parameters()]

    for train, moves, rests in (("D only", lab.gan.D, lab.gan.G), ("G only", lab.gan.G, lab.gan.D)):
        lab.set("train", train)
        before, still = weights(moves), weights(rests)
        lab.run(3)
        torch.testing.assert_close(weights(rests), still, rtol=0, atol=0)
        assert all((p != q).any() for p, q in zip(before, weights(moves)))
    before = weights(lab.gan.D)
    say(lab, kind="press", key="step_G")
    torch.testing.assert_close(weights(lab.gan.D), before, rtol=0, atol=0)
    say(lab, kind="press", key="step_D")
    assert (
        any((p != q).any() for p, q in zip(before, weights(lab.gan.D)))
        and lab.steps == lab.gan.steps == 8
    )


def test_slow_motion_is_the_same_step_in_six_phases(lab):
    twin = GANLab(make_gan(), name="twin").run(2)
    lab.set("slow", True).run(12)
    torch.testing.assert_close(lab.gan.G.state_dict(), twin.gan.G.state_dict(), rtol=0, atol=0)
    assert lab.steps == lab.gan.steps == 2 and len(lab.draw()["lit"]) == 3


def test_a_saved_run_goes_on_bit_for_bit(lab):
    lab.set("k", 2).set("penalty", "gradient penalty").set("target", "two modes").run(60)
    saved = lab.save()
    lab.run(60)
    there, past = lab.gan.state_dict(), lab.past
    other = GANLab(make_gan(seed=5, optimiser="sgd"), "normal", seed=5, name="other")
    say(other, kind="press", key="load", text=saved)
    assert (
        other.widget.status["error"] == "" and other.values == {**lab.values} and other.steps == 60
    )
    other.run(60)
    torch.testing.assert_close(other.gan.state_dict(), there, rtol=0, atol=0)
    np.testing.assert_array_equal(other.past, past)


def test_a_run_that_does_not_fit_changes_nothing(lab):
    saved, data = lab.run(30).save(), json.loads(lab.save())
    narrow = GANLab(make_gan(G=mlp(1, 8, 1, seed=0)), name="narrow").save()
    law = GANLab(make_gan(), targets.from_samples([1.0, 2.0, 4.0]), name="law").save()
    text, weights = lab.text(), lab.gan.state_dict()
    for wrong, why in (
        (saved[: len(saved) // 2], "cut short"),
        ("", "cut short"),
        ("[]", "format"),
        (json.dumps({**data, "format": "ganlib run 0"}), "format 'ganlib run 1'"),
        (json.dumps({**data, "state": data["state"][:400]}), "damaged"),
        (narrow, "size mismatch"),
        (json.dumps({k: v for k, v in data.items() if k != "past"}), "it has no 'past'"),
        (json.dumps({**data, "past": []}), "damaged"),
        (law, "target"),
        (json.dumps({**data, "values": {**data["values"], "lr_G": 0}}), "lr_G must be a number"),
    ):
        say(lab, kind="press", key="load", text=wrong)
        assert (
            why in lab.widget.status["error"]
            and "Nothing was changed" in lab.widget.status["error"]
        )
        assert lab.text() == text
        torch.testing.assert_close(lab.gan.state_dict(), weights, rtol=0, atol=0)
    assert lab.save() == saved
    lab.run(5)


def test_divergence_pauses_says_the_step_and_can_be_undone():
    async def body():
        lab = GANLab(
            make_gan(optimiser="sgd", lr_D=1.0, lr_G=1.0, loss="least-squares"), anneal=False
        )
        lab.play()
        await until(lambda: not lab.playing)
        status, step = lab.widget.status, lab.gan.steps
        assert (
            f"diverged at step {step + 1}" in status["error"]
            and "last good state" in status["error"]
        )
        say(lab, kind="press", key="back")
        await until(lambda: "Back at step" in lab.widget.status["note"])
        assert lab.steps == lab.gan.steps <= step and lab.widget.status["error"] == ""
        assert all(p.isfinite().all() for p in (*lab.gan.G.parameters(), *lab.gan.D.parameters()))
        for key, value in (
            ("lr_D", 0.01),
            ("lr_G", 0.002),
            ("optimiser", "adam"),
            ("loss", "non-saturating"),
        ):
            say(lab, kind="set", key=key, value=value)
        await until(lambda: lab.values["loss"] == "non-saturating")
        lab.run(20)
        say(lab, kind="press", key="back")
        await until(lambda: lab.steps == 0)
        assert np.isfinite(lab.ledger.js)

    on_a_loop(body)


def test_going_back_again_goes_further_back(lab):
    lab.set("batch", 4).run(250)
    there = []
    for _ in range(3):
        say(lab, kind="press", key="back")
        there.append(lab.steps)
    assert there == [200, 100, 0] and lab.past[-1, 0] == 0


def test_d_alone_runs_to_the_best_d_unless_r1_holds_it_back():
    # What notebook 04 says of "train: D only", with its GAN.
    G, D = mlp(1, 32, 32, 1, seed=0), mlp(1, 48, 48, 1, seed=1, cover=(-3, 3))
    gan = GAN(
        G,
        D,
        targets.gaussian(),
        lr_G=2e-3,
        lr_D=2e-2,
        betas=(0.0, 0.9),
        penalty="r1",
        penalty_weight=0.02,
        seed=0,
    )
    lab = GANLab(gan).set("train", "D only")
    held_back = lab.run(1500).ledger.off_star
    lab.reset()
    assert lab.set("penalty", "none").run(1500).ledger.off_star < 0.06 < 0.09 < held_back


def test_a_preset_takes_its_target_with_it_and_leaves_the_learners_alone(lab):
    assert lab.set("preset", "one mode lost").values["target"] == "big and small mode"
    assert lab.set("preset", "circles").values["target"] == "normal" == lab.target.name
    lab.set("target", "iris petal length").set("seed", 3).set("slow", True).set(
        "preset", "D too weak"
    )
    assert (lab.values["target"], lab.values["seed"], lab.values["slow"]) == (
        "iris petal length",
        3,
        True,
    )
    assert lab.set("preset", "converges").values["lr_D"] == lab._defaults["lr_D"]


def test_of_old_states_ever_fewer_are_kept_and_the_first_always(lab):
    for step in range(100, 20_000, 100):
        lab.gan.steps = step
        lab._remember()
    there = [state["steps"] for state in lab._good]
    assert there[0] == 0 and there[-3:] == [19_700, 19_800, 19_900] and len(there) <= 12
    assert there == sorted(there)


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"gan": lambda: make_gan(G=mlp(1, 8, 2))}, "G must map"),
        ({"gan": lambda: make_gan(D=mlp(1, 8, 2))}, "D must map"),
        ({"gan": lambda: make_gan(D=mlp(2, 8, 1))}, "must map"),
        (
            {"gan": lambda: GAN(mlp(2, 8, 1), mlp(1, 8, 1), targets.ring())},
            "one normal in one dimension",
        ),
        ({"target": torch.distributions.Normal(0.0, 1.0)}, "sample\\(n, generator\\)"),
        ({"target": object()}, "log_prob"),
        ({"target": targets.ring()}, "must be \\(3, 1\\)"),
        ({"target": "gauss"}, "normal, two modes"),
        ({"target": lambda x: x}, "log_prob"),
        ({"batch": 0}, "batch"),
        ({"batch": -5}, "batch"),
        ({"seed": 0.5}, "seed"),
        ({"horizon": 0}, "horizon"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anything_is_touched(lab, wrong, words):
    wrong = dict(wrong)
    gan = wrong.pop("gan", make_gan)()
    with pytest.raises(ValueError, match=words):
        GANLab(gan, **wrong)
    assert Lab._open["GANLab"] is lab and lab.widget.status == {}


def test_the_oracle_brings_G_home():
    for seed in range(2):
        lab = GANLab(make_gan(seed=seed)).set("oracle", True).run(1000)
        assert (
            lab.ledger.js < 0.04
            and lab.ledger.off_star < 1e-6
            and lab.ledger.regret == pytest.approx(0, abs=1e-5)
        )
    say(lab, kind="press", key="step_D")
    assert "nothing to learn" in lab.widget.status["error"]


# What each preset's sentence says, at the beginning and after 400 steps (`past` without its column of steps).
SAYS = {
    "converges": lambda first, now: now.js < 0.02,
    "D too strong": lambda first, now: now.off_half > 0.2 and now.js > 0.6 * first.js,
    "D too weak": lambda first, now: now.js > 0.2 and now.regret > 1.5 * now.js,
    "circles": lambda first, now: now.js > 0.1 and now.off_star > 0.05,
    "one mode lost": lambda first, now: 0.03 < now.js < 0.1,
    "blind detective": lambda first, now: now.js > 0.2 and now.off_half < 0.1,
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_shows_what_its_sentence_says_in_9_of_10_seeds(name):
    shown = []
    for seed in range(10):
        lab = GANLab(make_gan(seed=seed)).set("preset", name)
        assert lab.widget.status["note"] == PRESETS[name][0]
        first = lab.ledger
        lab.run(400)
        shown.append(SAYS[name](first, lab.ledger))
        if name == "one mode lost":
            small = torch.tensor(lab._xs < -1.2)
            shown[-1] &= bool(lab._look()[0][small].sum() < 0.1 * lab.p_data[small].sum())
    assert sum(shown) >= 9, shown


def test_data_of_any_scale_are_shown_in_their_own_units():
    law = targets.from_samples([1000.0, 1010.0, 1020.0, 1040.0], name="rents", unit="euro")
    lab = GANLab(make_gan(), law)
    frame = lab.draw()
    axes = {a["key"]: a for a in lab.widget.scene["axes"]}
    assert axes["game"]["xlabel"] == "euro" and axes["game"]["ylabel"] == "density per sd, D(x)"
    assert axes["game"]["x"] == axes["map"]["x"]
    assert 900 < axes["game"]["x"][0] < 1000 and axes["game"]["x"][1] > 1040
    assert frame["real"].min() > 900 and frame["data"][
        frame["data"][:, 1].argmax(), 0
    ] == pytest.approx(1012, abs=10)
    assert lab.set("target", "normal").widget.scene["axes"][0]["xlabel"] == "x"


def test_a_seed_draws_new_weights_and_the_first_one_brings_back_yours(lab):
    mine = lab.gan.G.state_dict()["0.weight"].clone()
    lab.run(20).set("seed", 3)
    assert lab.steps == 0 and (lab.gan.G.state_dict()["0.weight"] != mine).any()
    first = lab.run(20).text()
    lab.reset()
    assert lab.run(20).text() == first
    lab.set("seed", 0)
    torch.testing.assert_close(lab.gan.G.state_dict()["0.weight"], mine, rtol=0, atol=0)


def test_reset_and_frames_keep_no_memory(lab):
    process = psutil.Process()
    lab.set("batch", 4)

    def some():
        for _ in range(20):
            lab.reset()
            lab.run(5)
        for _ in range(100):
            lab.run(1)
        gc.collect()

    some()
    before = process.memory_info().rss
    for _ in range(3):
        some()
    assert process.memory_info().rss - before < 5e6


def test_a_long_run_keeps_a_bounded_history(lab):
    lab.gan.history = [{"loss_D": 0.0}] * 20_000
    lab.past = np.vstack([lab.past] * 400)
    lab.run(25)
    assert len(lab.gan.history) <= 10_000 and len(lab.past) <= 201 and lab._every == 50
