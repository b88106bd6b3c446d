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
    mean = np.mean(DATA)
    sd = np.std(DATA)
    lab = FitNormal(DATA)
    assert lab.best == pytest.approx((mean, sd), rel=1e-4)

    lab.dragged("you", 0, mean, sd)
    nll = math.log(sd) + math.log(2 * math.pi) / 2 + 0.5
    assert numbers(lab)[2:] == pytest.approx([nll, 0], abs=1e-4)

    lab.set("mu", 30).set("sigma", 30)
    assert abs(lab.run(800).values["mu"] - mean) < 0.05 * abs(30 - mean)


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

    def cost(place):
        mu, log_sigma = place
        return float(lab.cost(*torch.tensor([mu, math.exp(log_sigma)], dtype=torch.float64)))

    starts = [(mu, log_sigma) for mu in (-gap, 0, gap) for log_sigma in (-0.7, 0.5)]
    ends = [minimize(cost, start, method="Nelder-Mead") for start in starts]
    mu, log_sigma = min(ends, key=lambda end: end.fun).x
    assert lab.best == pytest.approx((mu, math.exp(log_sigma)), abs=2e-3)

    if goal == "KL(p‖q)":
        mean_and_sd_of_p = (0.6, math.sqrt(0.25 + 4 - 0.36))
        assert lab.best == pytest.approx(mean_and_sd_of_p, abs=1e-3)


def test_js_lets_go_of_a_mode_between_2_1_and_2_2():
    lab = TwoModes().set("goal", "JS(p, q)")
    over_both = (0, 2.140)  # JS 0.2131, against 0.2157 on a mode
    assert lab.set("gap", 2.1).best == pytest.approx(over_both, abs=2e-3)

    mu, sigma = lab.set("gap", 2.2).best  # JS 0.2158, against 0.2246 over both
    assert (abs(mu), sigma) == pytest.approx((2.2, 0.5), abs=2e-3)


@pytest.mark.parametrize(
    "start, end",
    [
        ((-2.0, 0.6), (-1.49, 0.51)),
        ((2.0, 0.6), (1.49, 0.51)),
        ((1.0, 2.5), (0.0, 1.37)),
    ],
)
def test_where_reverse_kl_ends_depends_on_the_start(start, end):
    lab = TwoModes().set("goal", "KL(q‖p)")
    assert lab.descend(start, 0.05, steps=400) == pytest.approx(end, abs=0.01)


@pytest.mark.parametrize("mu, sigma", [(5, 1), (-6, 0.4), (6, 4), (0, 1), (1.5, 2)])
def test_one_normal_over_another_against_closed_forms(mu, sigma):
    lab = SlideNormals().set("mu", mu).set("sigma", sigma)
    H_p, H_q, cross, forward, reverse, js, _ = numbers(lab)

    closed_forward = math.log(sigma) + (1 + mu**2) / (2 * sigma**2) - 0.5
    closed_reverse = -math.log(sigma) + (sigma**2 + mu**2) / 2 - 0.5
    assert (forward, reverse) == pytest.approx((closed_forward, closed_reverse), abs=1e-3)
    assert (H_p, H_q) == pytest.approx((1.4189, 1.4189 + math.log(sigma)), abs=1e-3)
    assert cross == pytest.approx(H_p + forward, abs=2e-3)
    assert 0 <= js <= 0.6932


def test_the_code_book_counts_bits():
    lab = CodeBook()
    assert numbers(lab) == [2.0, 2.0, 3.0, 1.0, 1.0]

    frame = lab.draw()
    bits = {
        code: sum(round(width + 0.15) for _, _, width, _ in frame[f"sent {code}"]) for code in "PQ"
    }
    assert bits == {"P": 39, "Q": 60}  # 20 symbols, as typical as 20 can be

    lab.set("made", "the same as P")
    assert numbers(lab)[3:] == [0.0, 0.0]


def test_a_bar_of_the_code_book_is_dragged_to_its_probability():
    lab = CodeBook()
    lab.dragged("tops", 0, 0, 0.2)
    p, _, _, _ = lab.measure()
    assert p[0] == pytest.approx(0.2)


def test_a_code_without_a_word_for_a_symbol_stops_there():
    lab = CodeBook().set("made", "only a to d")
    assert numbers(lab)[2:] == [math.inf] * 3
    assert any("no word" in words for _, _, words in lab.draw()["costs"])


def test_without_any_weight_all_symbols_come_alike():
    lab = CodeBook().set("made", "all alike")
    for symbol in "abcdefgh":
        lab.set(symbol, 0)
    assert numbers(lab) == [3.0, 3.0, 3.0, 0.0, 0.0]
