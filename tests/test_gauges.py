"""What the two gauges see, against other ways to compute it; and what they refuse."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganlib import targets
from ganlib.densities import optimal_discriminator, pushforward
from ganlib.gan import GAN
from ganlib.gauges import LineGauge, PlaneGauge, judged_by
from ganlib.metrics import View
from ganlib.networks import mlp

NORMAL = targets.gaussian()


@pytest.fixture
def gan():
    return GAN(mlp(1, 8, 1, seed=0), mlp(1, 8, 1, seed=1), NORMAL, seed=0)


@pytest.fixture
def plane_gan():
    prior = targets.gaussian(dim=2)
    return GAN(mlp(2, 8, 2, seed=0), mlp(2, 8, 1, seed=1), prior, seed=0)


def test_the_grid_is_a_tenth_wider_than_the_law_and_holds_its_mass():
    law = targets.mixture()
    gauge = LineGauge(law, NORMAL)
    low, high = law.range
    margin = 0.1 * (high - low)
    assert len(gauge.x) == len(gauge.p_data) == 400
    assert float(gauge.x[0]) == pytest.approx(low - margin + gauge.dx / 2)
    assert float(gauge.x[-1]) == pytest.approx(high + margin - gauge.dx / 2)
    assert float(gauge.p_data.sum() * gauge.dx) == pytest.approx(1)


def test_on_the_line_all_is_exact(gan):
    gauge = LineGauge(NORMAL, NORMAL)
    sight = gauge.look(gan)
    assert_close(sight.p_g, pushforward(gan.G, NORMAL, gauge.x))
    assert sight.ledger == gan.ledger(gauge.p_data, gauge.x, below=gauge.below)
    with torch.no_grad():
        assert_close(sight.logits, gan.D(gauge.x.float()[:, None])[:, 0].double())
        middle = gan.G(torch.zeros(1, 1))
    assert float(sight.ends[len(sight.ends) // 2]) == pytest.approx(float(middle), abs=1e-6)


def test_with_the_oracle_d_star_is_looked_at_and_d_stays(gan):
    own = gan.D
    sight = LineGauge(NORMAL, NORMAL).look(gan, oracle=True)
    gauge = LineGauge(NORMAL, NORMAL)
    where = sight.p_g > 1e-6
    D_star = optimal_discriminator(gauge.p_data, sight.p_g)
    assert_close(sight.logits.sigmoid()[where], D_star[where], atol=1e-5, rtol=0)
    assert sight.ledger.off_star < 1e-5
    assert gan.D is own


def test_the_best_d_has_a_slope_for_g(gan):
    D = LineGauge(NORMAL, NORMAL).best_D(gan)
    loss = D(gan.G(gan.noise(32))).mean()
    slopes = torch.autograd.grad(loss, list(gan.G.parameters()))
    assert all(bool(slope.isfinite().all()) for slope in slopes)
    assert float(slopes[0].abs().max()) > 0


def test_in_the_plane_the_view_counts(plane_gan):
    ring = targets.ring()
    gauge = PlaneGauge(ring, plane_gan.prior)
    expected = View(ring, plane_gan.prior).look(plane_gan.G)
    assert gauge.look(plane_gan).ledger == expected == gauge.look(plane_gan, oracle=True).ledger


def test_divergence_is_named_with_its_step(gan, plane_gan):
    gan.steps = 41
    gan.D[0].weight.data.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="diverged at step 41: D gives numbers"):
        LineGauge(NORMAL, NORMAL).look(gan)
    plane_gan.G[0].weight.data.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="diverged"):
        PlaneGauge(targets.ring(), plane_gan.prior).look(plane_gan)


def test_another_d_judges_only_for_a_while(gan):
    own = gan.D
    with pytest.raises(KeyError), judged_by(gan, abs):
        assert gan.D is abs
        raise KeyError
    assert gan.D is own


class Without:
    """A law with only some of what a law has."""

    def __init__(self, **parts):
        vars(self).update(parts)


def normal_draws(n, generator):
    return torch.randn(n, 1, generator=generator)


@pytest.mark.parametrize(
    "law, words",
    [
        (Without(sample=normal_draws), "has no attribute|log_prob"),
        (Without(sample=normal_draws, log_prob=lambda x: x), r"log_prob \(3,\), got \(3, 1\)"),
        (targets.ring(), r"must be \(3, 1\)"),
    ],
)
def test_laws_that_do_not_fit_the_line_are_refused(law, words):
    with pytest.raises(ValueError, match=words):
        LineGauge(law, NORMAL)


def test_a_law_needs_no_more_than_draws_and_density():
    def log_prob(x):
        return -(x[:, 0] ** 2) / 2

    gauge = LineGauge(Without(sample=normal_draws, log_prob=log_prob), NORMAL)
    x = gauge.x.numpy()
    expected = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(gauge.p_data, expected, rtol=1e-6, atol=1e-8)


def test_networks_that_do_not_fit_are_refused(gan, plane_gan):
    line = LineGauge(NORMAL, NORMAL)
    line.fits(gan)
    with pytest.raises(ValueError, match="must map"):
        line.fits(GAN(mlp(2, 8, 1), gan.D, NORMAL))
    with pytest.raises(ValueError, match="one normal in one dimension"):
        line.fits(plane_gan)
    with pytest.raises(ValueError, match="prior must have a quantile"):
        line.fits(GAN(gan.G, gan.D, Without(sample=normal_draws)))

    plane = PlaneGauge(targets.ring(), plane_gan.prior)
    plane.fits(plane_gan)
    with pytest.raises(ValueError, match=r"G must give \(3, 2\)"):
        plane.fits(GAN(mlp(2, 1), plane_gan.D, plane_gan.prior))
    with pytest.raises(ValueError, match="two dimensions"):
        PlaneGauge(NORMAL, NORMAL)
