"""The labs of notebook 01 against other ways of computing what they say."""

import math
import re

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.stats import norm

from ganlib.divergences import entropy, js
from ganlib.labs import FitNormal, SlideNormals, TwoModes

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


def test_the_way_down_does_not_depend_on_the_unit():
    in_cm = FitNormal(DATA).descend((3.0, 1.2), 0.05, steps=20)
    in_mm = FitNormal([10 * x for x in DATA]).descend((30.0, 12.0), 0.05, steps=20)
    assert in_mm == pytest.approx([10 * value for value in in_cm])


@pytest.mark.parametrize("data", [DATA, [2.3, 2.9, 3.0, 3.1, 4.4], [-1e-3, 1e-3, 1.1e-3]])
def test_what_the_sliders_offer_is_accepted(data):
    lab = FitNormal(data)
    for key in ("mu", "sigma"):
        slider = lab.scene.control(key)
        for end in (slider.low, slider.high):
            lab.set(key, float(f"{end:.6g}"))  # six digits, as the browser writes it
            assert lab.values[key] == pytest.approx(end, rel=1e-5)
        for beyond in (1.01 * slider.low - 0.01 * slider.high, 1.01 * slider.high):
            with pytest.raises(ValueError, match="must be a number from"):
                lab.set(key, beyond)


def test_the_picture_holds_the_narrowest_bell_and_every_number():
    data = [0.0] * 40 + [1.0] * 40 + [60.0]
    lab = FitNormal(data)
    lab.set("sigma", lab.scene.control("sigma").low)
    laws = lab.scene.axes[0]
    frame = lab.draw()
    assert frame["q"][:, 1].max() == pytest.approx(1 / (lab.values["sigma"] * 2.5066), rel=1e-2)
    assert frame["q"][:, 1].max() < laws.y[1]
    assert laws.x[0] < 0
    assert laws.x[1] > 60


@pytest.mark.parametrize("make", [lambda: FitNormal(DATA), TwoModes])
@pytest.mark.parametrize("x, y", [(math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0), (1.0, -5.0)])
def test_a_drag_that_is_no_place_changes_nothing(make, x, y):
    lab = make()
    before = lab.text()
    with pytest.raises(ValueError, match="must be a number from"):
        lab.dragged("you", 0, x, y)
    assert lab.text() == before
    lab.run(1)


def test_a_note_ends_when_the_dot_moves():
    for move in (
        lambda lab: lab.dragged("you", 0, 1.0, 2.0),
        lambda lab: lab.set("sigma", 2),
        lambda lab: lab.set("gap", 2),
    ):
        lab = TwoModes()
        lab.dragged("you", 0, *lab.best)
        lab.playing = True
        lab.run(1)
        assert not lab.playing
        assert "Arrived" in lab.widget.status["note"]
        move(lab)
        lab.show()
        assert lab.widget.status["note"] == ""


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


X = np.linspace(-80, 80, 32_001)


def by_hand(goal, gap, mu, sigma):
    """The cost of `TwoModes` by other formulas, on a wide and fine grid."""
    p = (norm.pdf(X, -gap, 0.5) + norm.pdf(X, gap, 0.5)) / 2
    q = norm.pdf(X, mu, sigma)
    if goal == "JS(p, q)":
        return float(js(p, q, X))
    if goal == "KL(p‖q)":
        mean_nll = norm.logpdf(0, 0, sigma) - (0.25 + gap**2 + mu**2) / (2 * sigma**2)
        return -mean_nll - float(entropy(p, X))
    log_p = np.logaddexp(norm.logpdf(X, -gap, 0.5), norm.logpdf(X, gap, 0.5)) - math.log(2)
    return -norm.entropy(mu, sigma) - np.trapezoid(q * log_p, X)


@pytest.mark.parametrize("mu, sigma", [(0, 4), (6, 4.5), (-6, 0.7), (2.4, 2.457)])
@pytest.mark.parametrize("goal", ["KL(p‖q)", "KL(q‖p)", "JS(p, q)"])
def test_no_tail_of_a_normal_is_cut_off(goal, mu, sigma):
    lab = TwoModes()
    lab.values["goal"] = goal
    assert lab.nats((mu, sigma)) == pytest.approx(by_hand(goal, 1.5, mu, sigma), rel=1e-6)


def test_reverse_kl_of_a_wide_normal_and_of_the_farthest():
    lab = TwoModes()
    lab.values["goal"] = "KL(q‖p)"
    assert lab.nats((0, 4)) == pytest.approx(15.451, abs=1e-3)
    assert lab.nats((6, 4)) == pytest.approx(69.203, abs=1e-3)


@pytest.mark.parametrize("goal", ["KL(p‖q)", "KL(q‖p)", "JS(p, q)"])
@pytest.mark.parametrize("gap, weight", [(4, 0.5), (4, 0.05), (0, 0.5)])
def test_the_best_is_on_the_map(goal, gap, weight):
    lab = TwoModes()
    lab.values |= {"weight": weight, "gap": gap}
    mu, sigma = lab.set("goal", goal).best
    for key, value in {"mu": mu, "sigma": sigma}.items():
        assert lab.scene.control(key).low <= value <= lab.scene.control(key).high


@pytest.mark.parametrize(
    "goal, gap, over_both",
    [
        ("KL(q‖p)", 1.2, True),
        ("KL(q‖p)", 1.35, True),
        ("KL(q‖p)", 1.45, False),
        ("JS(p, q)", 2.1, True),
        ("JS(p, q)", 2.15, False),
        ("KL(p‖q)", 4, True),
    ],
)
def test_where_each_lets_go_of_a_mode(goal, gap, over_both):
    lab = TwoModes()
    lab.values["gap"] = gap
    mu, sigma = lab.set("goal", goal).best
    assert (abs(mu) < 0.01) == over_both
    if (goal, gap) == ("KL(q‖p)", 1.2):
        assert sigma == pytest.approx(1.1605, abs=1e-3)


def test_the_dip_between_the_modes_is_a_real_one():
    # Of KL(q‖p), modes at ±1.5: who stands at (0.1, 1.372) comes back to the middle.
    lab = TwoModes().set("goal", "KL(q‖p)")
    assert lab.descend((0.1, 1.372), 0.05, steps=400) == pytest.approx((0, 1.372), abs=2e-3)


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
    assert (forward, reverse) == pytest.approx((closed_forward, closed_reverse), abs=6e-4)
    assert (H_p, H_q) == pytest.approx((1.4189, 1.4189 + math.log(sigma)), abs=1e-3)
    assert cross == pytest.approx(H_p + forward, abs=2e-3)
    assert 0 <= js <= 0.6932
