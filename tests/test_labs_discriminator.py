"""The labs in which you are D, without a browser: against other ways of computing what they say."""

import math
import re

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from ganlib.labs import Detective, Knots, TwoTerms

REAL = norm(0, 1)
FAKE = norm(1.5, 0.7)


def numbers(lab):
    return [float(number) for number in re.findall(r"-?\d+\.\d+", lab.text())]


def mean(law, f):
    value, _ = quad(lambda x: law.pdf(x) * f(x), -12, 12, limit=200)
    return value


def judge_all(lab):
    """Judge the 20 cases with beliefs of 5 %, 9 %, … that each is real; returns the beliefs."""
    beliefs = 5 + 4 * np.arange(lab.CASES)
    for belief in beliefs:
        lab.set("belief", int(belief)).pressed("judge")
    return beliefs / 100


def test_the_detective_is_paid_by_the_log_score():
    lab = Detective(seed=3)
    assert lab.text() == "0 of 20 cases judged; mean log score in nats: none yet."

    beliefs = judge_all(lab)
    truth = lab.truth.numpy()
    x = lab.xs.numpy()
    bayes = REAL.pdf(x) / (REAL.pdf(x) + FAKE.pdf(x))
    mine, best = (np.log(np.where(truth, b, 1 - b)).mean() for b in (beliefs, bayes))
    assert list(lab.scores().values()) == pytest.approx([-math.log(2), mine, best], abs=1e-6)


def test_the_detective_sees_the_truth_at_once_and_the_best_verdict_last():
    lab = Detective(seed=3)
    for judged in range(lab.CASES):
        frame = lab.draw()
        assert len(frame["bars"]) == 3 * (judged > 0)
        assert len(frame["was_real"]) + len(frame["was_fake"]) == judged
        assert len(frame["bayes"]) == 0
        lab.pressed("judge")

    frame = lab.draw()
    real = int(lab.truth.sum())
    assert len(frame["was_real"]) == real
    assert len(frame["was_fake"]) == lab.CASES - real
    assert len(frame["bayes"])
    assert "all judged" in frame["ask"][0][2]
    with pytest.raises(ValueError, match="All cases are judged"):
        lab.pressed("judge")


def test_a_reset_brings_the_detective_new_cases():
    lab = Detective(seed=3)
    judge_all(lab)
    first = lab.xs.numpy()
    lab.reset()
    assert lab.text().startswith("0 of 20")
    assert not np.array_equal(lab.xs, first)
    assert np.array_equal(lab.xs, Detective(seed=4).xs)


@pytest.mark.parametrize(
    "middle, slope, m", [(0.85, 3.0, 1.5), (2.5, 0.5, 1.5), (0, -2, -1), (0, 0, 0)]
)
def test_the_two_terms_against_quadrature(middle, slope, m):
    lab = TwoTerms().set("middle", middle).set("slope", slope).set("mean", m)
    fake = norm(m, 0.7)
    real_term = mean(REAL, lambda x: -np.logaddexp(0, -slope * (middle - x)))
    fake_term = mean(fake, lambda x: -np.logaddexp(0, slope * (middle - x)))
    best = mean(REAL, lambda x: np.log(REAL.pdf(x) / (REAL.pdf(x) + fake.pdf(x))))
    best += mean(fake, lambda x: np.log(fake.pdf(x) / (REAL.pdf(x) + fake.pdf(x))))

    found = numbers(lab)
    V = real_term + fake_term
    assert found == pytest.approx([real_term, fake_term, V, best], abs=1e-3)
    assert found[2] <= found[3] + 1e-3


def test_a_bar_that_is_cut_off_says_its_number():
    lab = TwoTerms().set("slope", -4)
    frame = lab.draw()
    low, high = lab.scene.axes[1].y
    V = -frame["bar 2"][0][3]
    assert V < low < 0 < high

    words = [words for _, _, words in frame["names"]]
    assert f"↓ {V:.2f}" in words
    assert sum("↓" in said for said in words) == 2
    assert not any("↓" in said for _, _, said in TwoTerms().draw()["names"])


def value_of(lab):
    """V + log 4 of the D that is drawn by hand, on a grid much finer than the lab's."""
    x = np.linspace(-9, 9, 200_001)
    D = np.interp(x, lab.at, lab.height)
    V = np.trapezoid(REAL.pdf(x) * np.log(D) + FAKE.pdf(x) * np.log(1 - D), x)
    return V + math.log(4)


def test_no_knots_beat_the_best_discriminator():
    lab = Knots()
    assert numbers(lab)[0] == pytest.approx(0, abs=1e-12)  # D = ½: V = −log 4

    rng = np.random.default_rng(0)
    for _ in range(20):
        for k in range(9):
            lab.dragged("knots", k, 99.0, rng.uniform(-0.5, 1.5))  # it stays below 1, above 0
        assert 0.01 <= lab.height.min() <= lab.height.max() <= 0.99
        assert lab.values["height"] == lab.height[8]

        gain, top = lab.value()
        assert gain < top
        assert gain == pytest.approx(value_of(lab), abs=5e-3)  # the lab has 400 points


def test_knots_on_the_best_discriminator_have_little_regret():
    lab = Knots().set("knot", 9)
    lab.pressed("solve")
    gain, top = lab.value()
    assert 0 < top - gain < 0.01
    assert lab.values["height"] == lab.height[8]

    lab.set("knot", 3).set("height", 0.25)
    assert lab.height[2] == 0.25


@pytest.mark.parametrize("make", [Detective, TwoTerms, Knots])
def test_every_lab_has_words_and_a_poster(make):
    bundle = make()._repr_mimebundle_()
    assert bundle["image/png"][:4] == b"\x89PNG"
    assert len(bundle["text/plain"]) > 40
    assert "nan" not in bundle["text/plain"]


def test_which_knots_may_stay_at_one_half():
    # What INSTRUCTOR.md says: the ends cost least, then the middle one, then 2 and 8.
    lab = Knots()
    nothing, _ = lab.value()
    lab.pressed("solve")
    best = lab.height.copy()
    gains = []
    for knot in range(9):
        lab.height = np.full(9, 0.5)
        lab.height[knot] = best[knot]
        gains.append(lab.value()[0] - nothing)
    order = np.argsort(gains)
    assert order[:5].tolist() == [8, 0, 4, 7, 1]
    assert gains[4] < 0.02 < 0.03 < gains[7] < gains[1] < 0.04
