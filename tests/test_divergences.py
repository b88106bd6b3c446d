"""Every quantity of `divergences` against another way of computing it."""

import itertools
import math
import warnings
from functools import partial
from statistics import NormalDist

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm, wasserstein_distance
from torch.distributions import Categorical, Normal, Uniform, kl_divergence

from ganlib import divergences as d
from ganlib import targets
from ganlib.densities import line, optimal_discriminator
from ganlib.losses import LOSSES

TABLE = torch.distributions.Dirichlet(torch.full((6,), 0.7, dtype=torch.float64))
X = line(-20, 20, 8000)
WRONG = {
    "negative": [-0.5, 1.5],
    "sum": [0.5, 0.4],
    "nan": [math.nan, 1.0],
    "inf": [math.inf, 0.0],
    "length": [1.0],
    "empty": [],
    "table": [[0.5, 0.5]],
}


def laws(k):
    torch.manual_seed(k)
    return TABLE.sample(), TABLE.sample()


def density(law, x=X):
    return law.log_prob(x).exp()


@pytest.mark.parametrize("k", range(20))
def test_discrete_laws_against_torch(k):
    p, q = laws(k)
    P = Categorical(p)
    Q = Categorical(q)
    M = Categorical((p + q) / 2)
    close = partial(torch.testing.assert_close, atol=1e-9, rtol=0)
    close(d.entropy(p), P.entropy())
    close(d.kl(p, q), kl_divergence(P, Q))
    close(d.js(p, q), (kl_divergence(P, M) + kl_divergence(Q, M)) / 2)
    close(d.cross_entropy(p, q), d.entropy(p) + d.kl(p, q))

    carried = wasserstein_distance(range(6), range(6), p, q)
    assert d.wasserstein1(p, q).item() == pytest.approx(carried, abs=1e-12)

    events = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)), dtype=torch.float64)
    most = (events @ (p - q)).max()
    torch.testing.assert_close(d.total_variation(p, q), most, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    "p, q",
    [
        ((0, 1), (0, 1)),
        ((0, 1), (5, 1)),
        ((1, 0.5), (0, 2)),
        ((-2, 2), (1, 1.5)),
        ((0, 1), (-5, 0.4)),  # here q underflows where p does not
    ],
)
def test_normals_on_a_grid_against_closed_forms(p, q):
    P = Normal(*torch.tensor(p, dtype=torch.float64))
    Q = Normal(*torch.tensor(q, dtype=torch.float64))
    p = density(P)
    q = density(Q)
    assert d.entropy(p, X).item() == pytest.approx(P.entropy().item(), abs=1e-6)
    assert d.kl(p, q, X).item() == pytest.approx(kl_divergence(P, Q).item(), abs=1e-6)
    both = (d.entropy(p, X) + d.kl(p, q, X)).item()
    assert d.cross_entropy(p, q, X).item() == pytest.approx(both, abs=1e-9)

    # With equal widths one is the other moved: half the mass lies on each side of the middle.
    if P.stddev == Q.stddev:
        gap = (P.mean - Q.mean).abs()
        half = torch.erf(gap / 8**0.5).item()
        assert d.wasserstein1(p, q, X).item() == pytest.approx(gap.item(), abs=1e-6)
        assert d.total_variation(p, q, X).item() == pytest.approx(half, abs=1e-6)


def test_uniforms_on_a_grid_against_closed_forms():
    narrow = density(Uniform(-1.0, 1.0, validate_args=False))
    wide = density(Uniform(-4.0, 4.0, validate_args=False))
    assert d.entropy(wide, X).item() == pytest.approx(math.log(8), abs=1e-6)
    assert d.kl(narrow, wide, X).item() == pytest.approx(math.log(4), abs=1e-6)
    assert d.kl(wide, narrow, X).item() == math.inf


def test_an_uneven_grid_gives_the_same():
    x = torch.linspace(-2.2, 2.2, 6000, dtype=torch.float64).sinh() * 3
    p = Normal(0.0, 1.0)
    q = Normal(1.0, 2.0)
    found = d.kl(density(p, x), density(q, x), x).item()
    assert found == pytest.approx(kl_divergence(p, q).item(), abs=1e-6)


def test_zeros_and_infinities_are_right_and_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bit = pytest.approx(math.log(2), abs=1e-15)
        assert d.kl([0.5, 0.5, 0], [0.25, 0.25, 0.5]).item() == bit
        assert d.kl([0.25, 0.25, 0.5], [0.5, 0.5, 0]).item() == math.inf
        assert d.cross_entropy([0.5, 0.5], [1, 0]).item() == math.inf
        assert d.js([1, 0], [0, 1]).item() == bit
        tiny = 5e-324  # its half is 0
        assert d.js([1, tiny], [1, 0]).item() == pytest.approx(0, abs=1e-15)
        assert str(d.entropy([1.0, 0.0]).item()) == "0.0"
        slope = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
        assert d.kl(slope, [0.25, 0.25, 0.5]).requires_grad


def test_bits_are_nats_over_log_2():
    p, q = laws(3)
    for f, args in ((d.entropy, (p,)), (d.cross_entropy, (p, q)), (d.kl, (p, q)), (d.js, (p, q))):
        torch.testing.assert_close(f(*args, base="bits") * math.log(2), f(*args))
    assert d.entropy([0.5, 0.25, 0.125, 0.125], base="bits").item() == 1.75
    assert d.js([1, 0], [0, 1], base="bits").item() == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_monte_carlo_kl_within_its_own_error(seed):
    p = targets.gaussian(0.5, 0.5, dim=3)
    q = targets.gaussian(0, 1, dim=3)
    exact = 3 * kl_divergence(Normal(0.5, 0.5), Normal(0.0, 1.0)).item()

    found = d.monte_carlo_kl(p, q, 4000, torch.Generator().manual_seed(seed))
    assert found.value == pytest.approx(exact, abs=4 * found.error)

    # 16 times the draws, a quarter of the error.
    more = d.monte_carlo_kl(p, q, 64000, torch.Generator().manual_seed(seed), base="bits")
    assert more.value * math.log(2) == pytest.approx(exact, abs=4 * more.error)
    assert found.error / (more.error * math.log(2)) == pytest.approx(4, rel=0.1)


def test_monte_carlo_kl_where_q_has_no_mass():
    assert d.monte_carlo_kl(targets.gaussian(), targets.uniform(), 1000) == (math.inf, math.inf)


def test_huffman_against_every_possible_code():
    choices = torch.tensor(list(itertools.product(range(1, 5), repeat=5)), dtype=torch.float64)
    # Kraft: these lengths, and no others, make a prefix code.
    choices = choices[(2.0**-choices).sum(1) <= 1]
    for k in range(30):
        torch.manual_seed(k)
        p = torch.distributions.Dirichlet(torch.full((5,), 0.6, dtype=torch.float64)).sample()
        torch.testing.assert_close(d.code_lengths(p, "huffman") @ p, (choices @ p).min())


@pytest.mark.parametrize("k", range(20))
def test_code_lengths_keep_the_bounds(k):
    p, q = laws(k)
    H = d.entropy(p, base="bits").item()
    huffman = d.code_lengths(p, "huffman")
    assert H - 1e-12 <= (huffman @ p).item() < H + 1
    torch.testing.assert_close(d.code_lengths(q) @ p - H, d.kl(p, q, base="bits"))
    for lengths in (huffman, d.code_lengths(p)):
        words = d.code_words(lengths)
        assert [len(w) for w in words] == [math.ceil(n) for n in lengths.tolist()]
        assert len(set(words)) == len(words)
        assert not any(b.startswith(a) for a, b in itertools.permutations(words, 2))


def test_codes_of_known_laws():
    assert d.code_lengths([0.5, 0.25, 0.125, 0.125], "huffman").tolist() == [1, 2, 3, 3]
    assert d.code_lengths([0.5, 0.25, 0.125, 0.125]).tolist() == [1, 2, 3, 3]
    p = torch.tensor([0.4, 0.2, 0.2, 0.1, 0.1], dtype=torch.float64)
    assert (d.code_lengths(p, "huffman") @ p).item() == pytest.approx(2.2)
    of_shannon = (-p.log2()).ceil()
    assert (of_shannon @ p).item() == pytest.approx(2.8)
    assert d.code_lengths([0.5, 0.5, 0], "huffman").tolist() == [1, 1, math.inf]
    assert d.code_lengths([0, 1], "huffman").tolist() == [math.inf, 0]
    assert d.code_words([1, 2, math.inf, 2]) == ["0", "10", "", "11"]


@pytest.mark.parametrize("what", WRONG)
def test_wrong_laws_are_refused(what):
    for p, q in ((WRONG[what], [0.5, 0.5]), ([0.5, 0.5], WRONG[what])):
        for f in (d.cross_entropy, d.kl, d.js, d.total_variation, d.wasserstein1):
            with pytest.raises(ValueError, match=r"\b[pq]\b.* must .*got"):
                f(p, q)


def test_other_wrong_input_is_refused():
    half = [0.5, 0.5]
    with pytest.raises(ValueError, match="same length"):
        d.kl(half, half, [0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="rising"):
        d.kl(half, half, [1.0, 0.0])
    beyond = density(Normal(19.0, 1.0))  # a seventh of it lies beyond the grid
    with pytest.raises(ValueError, match="integrate to 1"):
        d.kl(beyond, density(Normal(0.0, 1.0)), X)
    with pytest.raises(ValueError, match="base"):
        d.kl(half, half, base="bans")
    with pytest.raises(ValueError, match="code must be"):
        d.code_lengths(half, "morse")
    with pytest.raises(ValueError, match="lengths"):
        d.code_words([1, 1, 1])
    for n in (1, 0, 2.5, True):
        with pytest.raises(ValueError, match="from 2 to"):
            d.monte_carlo_kl(targets.gaussian(), targets.gaussian(), n)
    with pytest.raises(ValueError, match="p and q must have as many dimensions, got 1 and 2"):
        d.monte_carlo_kl(targets.gaussian(), targets.ring(), 9)


# -- what G walks down -----------------------------------------------------------------------------

# The best D of a loss as a function of ℓ = log(p/q), in the terms of that loss.
BEST = {
    "minimax": lambda logit: logit,
    "non-saturating": lambda logit: logit,
    "hinge": torch.sign,
    "least-squares": lambda logit: torch.tanh(logit / 2),
}
# f of ∫ p f(q/p), which G then walks down, by hand; f(1) = 0.
DESCENDED = {
    "minimax": lambda u: u * math.log(u) - (1 + u) * math.log((1 + u) / 2),
    "non-saturating": lambda u: (1 + u) * math.log((1 + u) / 2),
    "hinge": lambda u: abs(u - 1),
    "least-squares": lambda u: (u - 4 * math.log((1 + u) / 2) - 4 / (1 + u) + 1) / 2,
}
EDGES = torch.linspace(-9, 9, 20_001, dtype=torch.float64)


def p_of(x):
    """Two modes, the law of the data."""
    return (NormalDist(-1.5, 0.5).pdf(x) + NormalDist(1.5, 0.5).pdf(x)) / 2


def descended(name, mean, sd):
    """∫ p f(q/p) for q = N(mean, sd²), by adaptive quadrature from one crossing to the next."""
    q_of = NormalDist(mean, sd).pdf
    places = np.linspace(-9, 9, 721)
    apart = [p_of(x) - q_of(x) for x in places]
    crossings = [
        brentq(lambda x: p_of(x) - q_of(x), places[k], places[k + 1])
        for k in range(len(places) - 1)
        if apart[k] * apart[k + 1] < 0
    ]
    ends = [-9, *crossings, 9]
    pieces = [
        quad(lambda x: p_of(x) * DESCENDED[name](q_of(x) / p_of(x)), a, b, epsabs=1e-10)[0]
        for a, b in itertools.pairwise(ends)
    ]
    return sum(pieces)


@pytest.mark.parametrize("name", DESCENDED)
@pytest.mark.parametrize("mean, sd", [(1.5, 0.7), (0.3, 1.2)])
def test_a_cost_of_g_has_the_slope_of_its_divergence(name, mean, sd):
    """∫ q̇ c(ℓ), the best D held still, is a difference quotient of ∫ p f(q/p)."""
    at = (EDGES[1:] + EDGES[:-1]) / 2
    p = torch.tensor([p_of(x) for x in at.tolist()], dtype=torch.float64)
    logit = p.log() - Normal(mean, sd).log_prob(at)
    paid = torch.vmap(LOSSES[name].G)(BEST[name](logit)[:, None])

    h = 1e-3
    for d_mean, d_sd in ((h, 0), (0, h)):
        more = Normal(mean + d_mean, sd + d_sd).cdf(EDGES)
        less = Normal(mean - d_mean, sd - d_sd).cdf(EDGES)
        felt = ((more - less).diff() * paid).sum().item() / (2 * h)

        rise = descended(name, mean + d_mean, sd + d_sd) - descended(name, mean - d_mean, sd - d_sd)
        assert felt == pytest.approx(rise / (2 * h), abs=2e-4)


def test_minus_log_d_goes_half_way():
    """2 KL(½(p + q)‖p) = KL(q‖p) − 2 JS(p, q), which is not negative."""
    for k in range(20):
        p, q = laws(k)
        half_way = 2 * d.kl((p + q) / 2, p)
        torch.testing.assert_close(half_way, d.kl(q, p) - 2 * d.js(p, q))
        assert half_way > 0


def test_least_squares_with_target_0_likes_a_missing_mode():
    """∫ p f(q/p) is below its value at q = p, 0, when q lacks an eighth of p: no divergence."""
    f = DESCENDED["least-squares"]
    assert f(1) == pytest.approx(0, abs=1e-15)
    assert f(0) / 8 + 7 / 8 * f(8 / 7) == pytest.approx(-0.0141, abs=1e-4)


def test_the_best_verdict_scores_js_minus_log_2():
    """Of notebook 00: real N(0, 1), fakes N(1.5, 0.7²), half of the cases each."""

    def score(factor):
        def per_case(x):
            odds = factor * (norm.logpdf(x) - norm.logpdf(x, 1.5, 0.7))
            real = norm.pdf(x) * -np.logaddexp(0, -odds)
            fake = norm.pdf(x, 1.5, 0.7) * -np.logaddexp(0, odds)
            return (real + fake) / 2

        return quad(per_case, -12, 12, points=[0, 1.5], epsabs=1e-10)[0]

    real = density(Normal(0.0, 1.0))
    fake = density(Normal(1.5, 0.7))
    assert score(1) == pytest.approx(float(d.js(real, fake, X)) - math.log(2), abs=1e-6)
    assert [score(1), score(2), score(0.5)] == pytest.approx([-0.405, -0.484, -0.449], abs=5e-4)

    at_0 = optimal_discriminator(
        *(torch.tensor(norm.pdf(0, m, s)) for m, s in ((0, 1), (1.5, 0.7)))
    )
    assert float(at_0) == pytest.approx(0.874, abs=5e-4)
