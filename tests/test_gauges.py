"""What the two gauges see, against other ways to compute it; and what they refuse."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.testing import assert_close

from ganlib import densities, targets
from ganlib.densities import optimal_discriminator, pushforward
from ganlib.gan import GAN
from ganlib.gauges import LineGauge, PlaneGauge, judged_by, unlike_in_training
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
    ends = torch.cat([gauge.x - gauge.dx / 2, gauge.x[-1:] + gauge.dx / 2])
    expected = torch.special.ndtr(ends).diff() / gauge.dx  # the mean over each cell
    np.testing.assert_allclose(gauge.p_data, expected, rtol=1e-5, atol=1e-8)


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


# ---- laws that are narrower than a cell ---------------------------------------------------------


class Perfect(nn.Module):
    """The G whose law is the target's: z from a standard normal to its quantile."""

    def __init__(self, law):
        super().__init__()
        low, high = law.range
        self.x = torch.linspace(low, high, 200_001, dtype=torch.float64)
        self.u = law.cdf(self.x).numpy()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, z):
        u = torch.special.ndtr(z[:, 0].double()).detach().numpy()
        return torch.tensor(np.interp(u, self.u, self.x.numpy()))[:, None]


TYPO = np.append(np.random.default_rng(0).normal(size=200), 1000.0)


@pytest.mark.parametrize(
    "law",
    [
        targets.from_samples([-1.2, 0.1, 1.3], bandwidth=0.002),
        targets.from_samples(np.random.default_rng(1).standard_cauchy(size=1000)),
        targets.from_samples(TYPO),
    ],
    ids=["narrow", "heavy tails", "a typo"],
)
def test_a_perfect_g_has_a_js_of_0_whatever_the_law(law):
    gan = GAN(Perfect(law), mlp(1, 8, 1, seed=1), NORMAL)
    gauge = LineGauge(law, NORMAL)
    assert gauge.look(gan).ledger.js < 0.006  # G takes a straight way from value to value
    middles = law.log_prob(gauge.x[:, None]).exp()  # judged by the middle of each cell
    assert gan.ledger(middles, gauge.x).js > 0.015


def test_very_many_values_are_one_convolution_and_the_same_law(monkeypatch):
    law = targets.from_samples(np.random.default_rng(0).normal(size=900))
    x = densities.line(-6, 6)
    one_by_one = densities.below(law, x)
    monkeypatch.setattr(densities, "MANY", 100)
    assert_close(densities.below(law, x), one_by_one, rtol=0, atol=1e-6)


def test_a_crowd_is_where_nearly_all_of_a_law_is():
    assert LineGauge(NORMAL, NORMAL).crowd() is None
    law = targets.from_samples(TYPO)
    left, right, cells = LineGauge(law, NORMAL).crowd()
    assert cells <= 3
    low, high = np.quantile(TYPO[:-1], [0.1, 0.9])
    assert law.shift + law.scale * left < low < high < law.shift + law.scale * right < 10


# ---- networks that are not what they should be --------------------------------------------------


class After(nn.Module):
    """A network with a function behind its last layer."""

    def __init__(self, function):
        super().__init__()
        self.net = mlp(1, 8, 1, seed=0)
        self.function = function

    def forward(self, x):
        return self.function(self.net(x))


@pytest.mark.parametrize(
    "last",
    [
        torch.sigmoid,
        torch.tanh,
        F.hardsigmoid,
        F.hardtanh,
        F.softsign,
        F.relu,
        F.softplus,
        F.logsigmoid,
        torch.sin,
        lambda y: 3 * y.sigmoid() - 1,
    ],
)
def test_a_d_that_is_bounded_is_named_at_once(last, gan):
    gan.D = After(last)
    with pytest.raises(ValueError, match="D returns logits"):
        LineGauge(NORMAL, NORMAL).fits(gan)


@pytest.mark.parametrize(
    "D",
    [
        nn.Linear(1, 1),
        nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1, bias=False)),
        nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 1)),
        nn.Sequential(spectral_norm(nn.Linear(1, 8)), nn.Tanh(), spectral_norm(nn.Linear(8, 1))),
        After(lambda y: F.leaky_relu(y, 0.2)),
    ],
    ids=["linear", "relu", "batch norm and dropout", "spectral norm", "leaky"],
)
def test_a_d_with_logits_is_taken_as_it_is(D, gan):
    before = {name: part.clone() for name, part in D.state_dict().items()}
    chance = torch.get_rng_state()
    gan.D = D
    gauge = LineGauge(NORMAL, NORMAL)
    gauge.fits(gan)
    gauge.look(gan)
    assert_close(dict(D.state_dict()), before, rtol=0, atol=0)
    assert torch.equal(torch.get_rng_state(), chance)
    assert all(layer.training for layer in D.modules())


def test_a_d_that_only_keeps_its_sign_in_the_plane_is_named(plane_gan):
    plane_gan.D = nn.Sequential(mlp(2, 8, 1, seed=1), nn.Sigmoid())
    with pytest.raises(ValueError, match="D returns logits"):
        PlaneGauge(targets.ring(), plane_gan.prior).fits(plane_gan)


def test_the_ledger_asks_networks_at_rest(gan):
    gan.D = nn.Sequential(nn.Linear(1, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 1))
    gauge = LineGauge(NORMAL, NORMAL)
    ledger = gauge.look(gan).ledger
    gan.D.eval()
    assert ledger == gan.ledger(gauge.p_data, gauge.x, below=gauge.below)
    gan.D.train()
    assert ledger != gan.ledger(gauge.p_data, gauge.x, below=gauge.below)
    assert unlike_in_training(gan, NORMAL.sample(64)) == ["D"]
    gan.G = nn.Sequential(nn.Linear(1, 16), nn.Dropout(), nn.Linear(16, 1))
    assert unlike_in_training(gan, NORMAL.sample(64)) == ["G", "D"]
    gan.G = gan.D = mlp(1, 8, 1)
    assert unlike_in_training(gan, NORMAL.sample(64)) == []
