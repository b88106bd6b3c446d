"""A flexible D on finite samples, without a browser: it finds what is not there."""

import math

import pytest
import torch
from scipy.stats import norm
from torch.nn.functional import binary_cross_entropy_with_logits

from ganlib.labs import FiniteSamples

LAW = norm(0, 1)


def test_a_flexible_d_finds_what_is_not_there():
    lab = FiniteSamples(n=20).run(300)
    step, seen, true = lab.history[-1]
    assert step == 300
    assert seen > 0.05
    assert true < -0.05

    logits = lab.D(torch.cat([lab.a, lab.b])).detach()
    labels = torch.tensor([1.0] * 20 + [0.0] * 20)[:, None]
    cost = float(binary_cross_entropy_with_logits(logits, labels))
    assert seen == pytest.approx(math.log(4) - 2 * cost, abs=1e-5)

    x = torch.linspace(-6, 6, 4001).double()
    with torch.no_grad():
        logit = lab.D(x.float()[:, None]).flatten().double()
    terms = (logit.sigmoid() * (-logit).sigmoid()).log()
    V = float(torch.trapezoid(torch.tensor(LAW.pdf(x)) * terms, x))
    assert true == pytest.approx(math.log(4) + V, abs=0.05 + 0.02 * abs(true))


def test_with_more_examples_it_finds_less():
    _, seen, true = FiniteSamples(n=20).run(300).history[-1]
    _, seen_of_more, true_of_more = FiniteSamples(n=2000).run(300).history[-1]
    assert seen_of_more < seen
    assert true_of_more > true


def test_a_control_starts_it_anew():
    lab = FiniteSamples(n=20).run(30).set("n", 50)
    assert len(lab.history) == 1
    assert lab.steps == 0
    assert len(lab.a) == len(lab.b) == 50


def test_a_long_run_keeps_two_thousand_points_and_goes_on_counting():
    lab = FiniteSamples(n=5)
    lab.history = [(float(k), 0.0, 0.0) for k in range(0, 20_000, 10)]
    lab.steps = 20_009
    lab.run(1)
    steps = [step for step, _, _ in lab.history]
    assert len(steps) == 2000
    assert steps[-2:] == [19_990, 20_010]


def test_it_has_words_and_a_poster():
    bundle = FiniteSamples()._repr_mimebundle_()
    assert bundle["image/png"][:4] == b"\x89PNG"
    assert len(bundle["text/plain"]) > 40
    assert "nan" not in bundle["text/plain"]
