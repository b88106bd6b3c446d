"""The labs about the discriminator without a browser: what they say, against other ways of computing it."""

import math
import re

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch.nn.functional import binary_cross_entropy_with_logits

from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import Algorithm1, Detective, FiniteSamples, Knots, TwoTerms
from ganlib.networks import mlp

REAL, FAKE = norm(0, 1), norm(1.5, 0.7)


def numbers(lab):
    return [float(number) for number in re.findall(r"-?\d+\.\d+", lab.text())]


def mean(law, f):
    return quad(lambda x: law.pdf(x) * f(x), -12, 12, limit=200)[0]


def test_the_detective_is_paid_by_the_log_score():
    lab = Detective(seed=3)
    assert lab.text() == "0 of 20 cases judged; mean log score in nats: none yet."
    for k in range(20):
        assert len(lab.draw()["bars"]) == 3 * (k > 0) and len(lab.draw()["bayes"]) == 0
        lab.set("belief", 5 + 4 * k).pressed("judge")
    truth, x = lab.truth.numpy(), lab.xs.numpy()
    bayes = REAL.pdf(x) / (REAL.pdf(x) + FAKE.pdf(x))
    mine, best = (
        np.log(np.where(truth, b, 1 - b)).mean() for b in ((5 + 4 * np.arange(20)) / 100, bayes)
    )
    assert list(lab.scores().values()) == pytest.approx([-math.log(2), mine, best], abs=1e-6)
    frame = lab.draw()
    assert len(frame["was_real"]) == truth.sum() and len(frame["was_fake"]) == 20 - truth.sum()
    assert len(frame["bayes"]) and "all judged" in frame["ask"][0][2]
    with pytest.raises(ValueError, match="All cases are judged"):
        lab.pressed("judge")
    lab.reset()
    assert lab.text().startswith("0 of 20") and not np.array_equal(lab.xs, x)
    assert np.array_equal(lab.xs, Detective(seed=4).xs)


@pytest.mark.parametrize(
    "middle, slope, m", [(0.85, 3.0, 1.5), (2.5, 0.5, 1.5), (0, -2, -1), (0, 0, 0)]
)
def test_the_two_terms_against_quadrature(middle, slope, m):
    lab, fake = TwoTerms().set("middle", middle).set("slope", slope).set("mean", m), norm(m, 0.7)
    log_D = lambda x: -np.logaddexp(0, -slope * (middle - x))
    log_not = lambda x: -np.logaddexp(0, slope * (middle - x))
    star = lambda x: np.log(REAL.pdf(x) / (REAL.pdf(x) + fake.pdf(x)))
    star_not = lambda x: np.log(fake.pdf(x) / (REAL.pdf(x) + fake.pdf(x)))
    terms = mean(REAL, log_D), mean(fake, log_not)
    assert numbers(lab) == pytest.approx(
        [*terms, sum(terms), mean(REAL, star) + mean(fake, star_not)], abs=1e-3
    )
    assert numbers(lab)[2] <= numbers(lab)[3] + 1e-3


def test_no_knots_beat_the_best_discriminator():
    lab, rng = Knots(), np.random.default_rng(0)
    assert numbers(lab)[0] == pytest.approx(0, abs=1e-12)  # D = ½: V = −log 4
    for _ in range(20):
        for k in range(9):
            lab.dragged(
                "knots", k, 99.0, rng.uniform(-0.5, 1.5)
            )  # beyond 0 and 1 it stays below and above
        gain, top = lab.value()
        assert (
            gain < top
            and lab.values["height"] == lab.height[8]
            and 0.01 <= lab.height.min() <= lab.height.max() <= 0.99
        )
        x = np.linspace(-9, 9, 200_001)
        D = np.interp(x, lab.at, lab.height)
        finer = np.trapezoid(REAL.pdf(x) * np.log(D) + FAKE.pdf(x) * np.log(1 - D), x) + math.log(4)
        assert gain == pytest.approx(finer, abs=5e-3)  # the lab has 400 points
    lab.pressed("solve")
    assert (
        0 < lab.value()[1] - lab.value()[0] < 0.01
        and lab.values["height"] == lab.height[lab.values["knot"] - 1]
    )
    lab.set("knot", 3).set("height", 0.25)
    assert lab.height[2] == 0.25


def test_the_eight_lines_are_one_step_of_the_gan():
    lab = Algorithm1(seed=5)
    G, D = mlp(1, 16, 1, seed=5), mlp(1, 16, 1, seed=6, cover=(-3, 3))
    gan = GAN(G, D, targets.uniform(), lr_G=0.01, lr_D=0.03, betas=(0.0, 0.9), seed=5)
    data, weights = (
        torch.Generator().manual_seed(5),
        lambda net: torch.cat([p.flatten() for p in net.parameters()]).detach(),
    )
    assert lab.text() == "Line 0 of 8: not started; press step."
    for _ in range(3):
        gan.step(targets.gaussian().sample(64, data))
        for line in range(1, 9):
            before = weights(lab.G), weights(lab.D)
            lab.run(1)
            assert lab.text().startswith(f"Line {line} of 8: {Algorithm1.LINES[line - 1]}; ")
            moved = [
                not torch.equal(a, b) for a, b in zip(before, (weights(lab.G), weights(lab.D)))
            ]
            assert moved == [line == 8, line == 5]
        torch.testing.assert_close(weights(lab.G), weights(G))
        torch.testing.assert_close(weights(lab.D), weights(D))
    assert lab.fake.shape == (64, 1) and not lab.fake.requires_grad
    lab.reset()
    assert (
        torch.equal(weights(lab.G), weights(mlp(1, 16, 1, seed=5)))
        and lab.at == -1
        and lab.steps == 0
    )


def test_a_flexible_d_finds_what_is_not_there():
    lab = FiniteSamples(n=20).run(300)
    step, seen, true = lab.history[-1]
    logits = lab.D(torch.cat([lab.a, lab.b])).detach()
    cost = binary_cross_entropy_with_logits(logits, torch.tensor([1.0] * 20 + [0.0] * 20)[:, None])
    assert (step, seen) == (300, pytest.approx(math.log(4) - 2 * float(cost), abs=1e-5))
    x = torch.linspace(-6, 6, 4001).double()
    with torch.no_grad():
        logit = lab.D(x.float()[:, None]).flatten().double()
    value = torch.trapezoid(
        torch.tensor(REAL.pdf(x)) * (torch.sigmoid(logit) * torch.sigmoid(-logit)).log(), x
    )
    assert (
        true == pytest.approx(math.log(4) + float(value), abs=0.05 + 0.02 * abs(true))
        and seen > 0.05 > -0.05 > true
    )
    more = FiniteSamples(n=2000).run(300).history[-1]
    assert more[1] < seen and more[2] > true
    assert lab.set("n", 50).history == lab.history[:1] and lab.steps == 0


def test_a_long_run_keeps_two_thousand_points_and_goes_on_counting():
    lab = FiniteSamples(n=5)
    lab.history = [(float(k), 0.0, 0.0) for k in range(0, 20_000, 10)]
    lab.steps = 20_009
    lab.run(1)
    assert len(lab.history) == 2000 and lab.history[-1][0] == 20_010 > lab.history[-2][0]


@pytest.mark.parametrize("make", [Detective, TwoTerms, Knots, Algorithm1, FiniteSamples])
def test_every_lab_has_words_and_a_poster(make):
    bundle = make()._repr_mimebundle_()
    assert (
        bundle["image/png"][:4] == b"\x89PNG"
        and len(bundle["text/plain"]) > 40
        and "nan" not in bundle["text/plain"]
    )


def test_a_bar_that_is_cut_off_says_its_number():
    lab = TwoTerms().set("slope", -4)
    words = [words for *_, words in lab.draw()["names"]]
    (low, high), (V,) = lab.scene["axes"][1]["y"], [b[3] for b in lab.draw()["bar 2"]]
    assert (
        -V < low < 0 < high and f"↓ {-V:.2f}" in words and sum("↓" in said for said in words) == 2
    )
    assert not any("↓" in said for *_, said in TwoTerms().draw()["names"])
