"""The labs of notebook 01 against other ways of computing what they say."""

import math
import re

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from ganlib.labs import CodeBook, FitNormal, SlideNormals, TwoModes

DATA = [12.0, 15, 11, 14, 13, 12, 16, 45]


def numbers(lab):
    return [float(n) for n in re.findall(r"-?\d+\.\d+|inf", lab.text())]


def test_the_best_normal_is_the_mean_and_the_spread():
    lab = FitNormal(DATA)
    assert lab.best == pytest.approx((np.mean(DATA), np.std(DATA)), rel=1e-4)
    lab.dragged("you", 0, np.mean(DATA), np.std(DATA))
    nll = math.log(np.std(DATA)) + math.log(2 * math.pi) / 2 + 0.5
    assert numbers(lab)[2:] == pytest.approx([nll, 0], abs=1e-4)
    start = lab.set("mu", 30).set("sigma", 30).values["mu"]
    assert abs(lab.run(800).values["mu"] - np.mean(DATA)) < 0.05 * abs(start - np.mean(DATA))


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
def test_data_of_any_scale_are_fitted_in_their_own_units(scale):
    lab = FitNormal([scale * x for x in DATA]).set("show", True)
    assert lab.best == pytest.approx((scale * np.mean(DATA), scale * np.std(DATA)), rel=1e-4)
    said = [float(n) for n in re.findall(r"[μσ] (-?\d+\.?\d*)", lab.text())]
    assert said[2:] == pytest.approx(lab.best, rel=1e-3)
    assert float(re.search(r"(\S+) above the least", lab.text())[1]) > 0


@pytest.mark.parametrize("data", [[3.0], [2.0, 2.0], [1.0, math.nan], [[1.0, 2.0]], []])
def test_data_without_a_best_normal_are_refused(data):
    with pytest.raises(ValueError, match="values must"):
        FitNormal(data)


@pytest.mark.parametrize(
    "goal, gap", [("KL(p‖q)", 2), ("KL(q‖p)", 2), ("KL(q‖p)", 1.2), ("JS(p, q)", 2.3)]
)
def test_the_best_of_two_modes_against_scipy(goal, gap):
    lab = TwoModes().set("goal", goal).set("weight", 0.35).set("gap", gap)
    cost = lambda at: float(lab.cost(*torch.tensor([at[0], math.exp(at[1])], dtype=torch.float64)))
    found = min(
        (minimize(cost, (m, s), method="Nelder-Mead") for m in (-gap, 0, gap) for s in (-0.7, 0.5)),
        key=lambda result: result.fun,
    )
    assert lab.best == pytest.approx((found.x[0], math.exp(found.x[1])), abs=2e-3)
    if goal == "KL(p‖q)":
        assert lab.best == pytest.approx(
            (0.6, math.sqrt(0.25 + 4 - 0.36)), abs=1e-3
        )  # mean and sd of p


def test_js_lets_go_of_a_mode_between_2_1_and_2_2():
    lab = TwoModes().set("goal", "JS(p, q)")
    assert lab.set("gap", 2.1).best == pytest.approx(
        (0, 2.140), abs=2e-3
    )  # JS 0.2131, against 0.2157 on a mode
    mu, sigma = lab.set("gap", 2.2).best  # JS 0.2158, against 0.2246 over both
    assert (abs(mu), sigma) == pytest.approx((2.2, 0.5), abs=2e-3)


def test_where_reverse_kl_ends_depends_on_the_start():
    lab = TwoModes().set("goal", "KL(q‖p)")
    for mu, sigma, end in (
        (-2.0, 0.6, (-1.49, 0.51)),
        (2.0, 0.6, (1.49, 0.51)),
        (1.0, 2.5, (0.0, 1.37)),
    ):
        at = (mu, sigma)
        for _ in range(400):
            at = lab.descend(at, 0.05)
        assert at == pytest.approx(end, abs=0.01)


@pytest.mark.parametrize("mu, sigma", [(5, 1), (-6, 0.4), (6, 4), (0, 1), (1.5, 2)])
def test_one_normal_over_another_against_closed_forms(mu, sigma):
    H_p, H_q, cross, forward, reverse, js, _ = numbers(
        SlideNormals().set("mu", mu).set("sigma", sigma)
    )
    want = (
        math.log(sigma) + (1 + mu**2) / (2 * sigma**2) - 0.5,
        -math.log(sigma) + (sigma**2 + mu**2) / 2 - 0.5,
    )
    assert (forward, reverse) == pytest.approx(want, abs=1e-3)
    assert (H_p, H_q) == pytest.approx((1.4189, 1.4189 + math.log(sigma)), abs=1e-3)
    assert cross == pytest.approx(H_p + forward, abs=2e-3) and 0 <= js <= 0.6932


def test_the_code_book_counts_bits():
    lab = CodeBook()
    assert numbers(lab) == [2.0, 2.0, 3.0, 1.0, 1.0]
    frame = lab.draw()
    bits = lambda name: sum(round(width + 0.15) for *_, width, _ in frame[name])
    assert (bits("sent P"), bits("sent Q")) == (39, 60)  # 20 symbols, as typical as 20 can be
    assert numbers(lab.set("made", "the same as P"))[3:] == [0.0, 0.0]
    lab.dragged("tops", 0, 0, 0.2)
    assert lab.measure()[0][0] == pytest.approx(0.2)
    assert numbers(lab.set("made", "only a to d"))[2:] == [math.inf] * 3
    assert any("no word" in words for *_, words in lab.draw()["costs"])
    for s in "abcdefgh":
        lab.set(s, 0)
    assert numbers(lab.set("made", "all alike")) == [
        3.0,
        3.0,
        3.0,
        0.0,
        0.0,
    ]  # no weights at all: all alike
