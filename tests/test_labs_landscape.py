"""The landscape: its pixels against runs of `GANLab`, what it opens, and the exercise about it."""

import math

import pytest

from ganlib import labs, targets
from ganlib.exercises import nb04
from ganlib.gan import GAN, Ledger
from ganlib.labs import Landscape
from ganlib.networks import mlp
from ganlib.sweep import survey, sweep

KNOBS = {"betas": (0.0, 0.9), "penalty": "r1", "penalty_weight": 0.02}


def new_gan(seed=0):
    G = mlp(1, 8, 8, 1, seed=2 * seed)
    D = mlp(1, 8, 8, 1, seed=2 * seed + 1, cover=(-3, 3))
    return GAN(G, D, targets.gaussian(), seed=seed, **KNOBS)


def notebooks_gan(seed=0):
    """The GAN of notebook 04."""
    G = mlp(1, 32, 32, 1, seed=2 * seed)
    D = mlp(1, 48, 48, 1, seed=2 * seed + 1, cover=(-3, 3))
    return GAN(G, D, targets.gaussian(), seed=seed, **KNOBS)


@pytest.fixture(scope="module")
def surveyed():
    how = {"size": 3, "low": 1e-3, "high": 1e-1, "steps": 40, "batch": 32, "progress": False}
    return survey(new_gan, targets.gaussian(), seeds=(0, 1, 2), **how)


def behind():
    return labs.GANLab(new_gan(), "normal", batch=32, horizon=40, name="behind")


def test_a_pixel_is_the_run_that_the_lab_plays(surveyed):
    rates, ledgers = surveyed
    assert rates == pytest.approx([1e-3, 1e-2, 1e-1])

    lab = behind()
    landscape = Landscape(rates, ledgers, lab)
    lab.run(7)
    landscape.pointed("map", -2.9, -2.1)  # lr_G 1e-3, lr_D 1e-2: the nearest pixel
    assert lab.gan.steps == 0
    assert (lab.values["lr_G"], lab.values["lr_D"]) == pytest.approx((1e-3, 1e-2))

    pixel = ledgers[1][0][0]
    mirrored = ledgers[0][1][0]  # the pair the other way round is another run
    assert lab.run(40).ledger.js == pytest.approx(pixel.js, rel=0.02)
    assert pixel.js != pytest.approx(mirrored.js, rel=0.1)


def apart(rate):
    """How far the JS of a pixel is from that of the same run in the lab, relative to it."""
    lab = labs.GANLab(notebooks_gan(), "normal", batch=64, horizon=300, name="wild")
    members = sweep(
        lambda seed: notebooks_gan(),
        targets.gaussian(),
        lr_G=rate,
        lr_D=rate,
        steps=300,
        batch=64,
        progress=False,
    )
    (pixel,) = members.ledgers(lab.p_data, lab.x)
    lab.set("lr_G", rate).set("lr_D", rate).run(300)
    return abs(pixel.js / lab.ledger.js - 1)


def test_at_wild_rates_rounding_makes_another_run_of_a_pixel():
    # What notebook 04 says of its right edge: at calm rates lab and pixel agree, at wild ones not.
    assert apart(2e-3) < 0.01
    assert apart(0.1) > 0.05


def test_the_picture_is_the_median_over_the_seeds_and_its_words_give_their_spread(surveyed):
    rates, ledgers = surveyed
    here = ledgers[1][2]
    one_diverged = [[[None, *ledgers[0][0][1:]], *ledgers[0][1:]], *ledgers[1:]]
    landscape = Landscape(rates, one_diverged, behind())

    heat = landscape.draw()["heat"]
    low, middle, high = sorted(entry.js for entry in here)
    assert heat.shape == (3, 3)
    assert heat[1, 2] == pytest.approx(middle / math.log(2))
    assert heat[0, 0] == pytest.approx(max(e.js for e in ledgers[0][0][1:]) / math.log(2))

    landscape.set("lr_G", 0.1).set("lr_D", 0.01)
    spread = f"JS {middle:.3f}, the median of 3 seeds ({low:.3f} to {high:.3f})"
    assert landscape.text() == f"lr_G 0.1, lr_D 0.01: {spread}"
    landscape.set("lr_G", 1e-3).set("lr_D", 1e-3)
    assert landscape.text().endswith("to 0.693), 1 diverged")

    heat = landscape.set("gauge", "E|D − D*|").draw()["heat"]
    assert heat[1, 2] == pytest.approx(2 * sorted(entry.off_star for entry in here)[1])
    assert landscape.widget.scene["axes"][0]["title"].endswith("dark is 0.5")
    landscape.set("lr_G", 0.1)
    assert landscape.draw()["here"] == [[pytest.approx(-1), pytest.approx(-3)]]
    assert landscape.figure().axes


def test_a_pixel_of_one_run_tells_its_whole_ledger(surveyed):
    rates, ledgers = surveyed
    first = [[entries[:1] for entries in row] for row in ledgers]
    landscape = Landscape(rates, first).set("lr_G", 1e-3).set("lr_D", 1e-3)
    assert landscape.text() == f"lr_G 0.001, lr_D 0.001: {ledgers[0][0][0]}"
    first[0][0] = [None]
    assert landscape.text() == "lr_G 0.001, lr_D 0.001: diverged"


def test_without_a_lab_it_says_so(surveyed):
    with pytest.raises(ValueError, match="no lab to open the run in"):
        Landscape(*surveyed).pressed("open")


@pytest.mark.parametrize(
    "js, half, hint",
    [(0.4, 0.01, None), (0.1, 0.01, "peace must be false"), (0.4, 0.2, "does object")],
)
def test_false_peace(js, half, hint):
    found = nb04.false_peace(Ledger(js, 0.0, 2 * js, half, 0.3, -0.7, -0.7))
    if hint is None:
        assert found is None
    else:
        assert hint in found


def test_false_peace_takes_an_entry_that_has_not_diverged():
    assert "diverged" in nb04.false_peace(None)
    assert "one entry of the table" in nb04.false_peace(0.3)
