"""The push-forward against changed variables, closed forms, counts; D* against its definition."""

import math

import numpy as np
import pytest
import torch
from closed_forms import DENSITIES, js_from_normal
from scipy import integrate, stats
from torch import nn

from ganlib import targets
from ganlib.densities import (
    best_D,
    between,
    common_cells,
    line,
    optimal_discriminator,
    push_masses,
    pushforward,
)
from ganlib.divergences import js
from ganlib.networks import mlp


class Map(nn.Module):
    """A G that is a formula."""

    def __init__(self, formula):
        super().__init__()
        self.formula = formula

    def forward(self, z):
        return self.formula(z)


X = line(-4, 4, 400)
FLAT = targets.uniform()
SHAPES = {
    "rising": lambda z: 2 * z + 0.3,
    "falling": lambda z: 1 - z,
    "folded": torch.abs,
    "wave": lambda z: (9 * z).sin(),
    "flat": lambda z: 0 * z + 0.7,
    "half flat": torch.relu,
    "jump": torch.sign,
    "far": lambda z: 100 * z,
    "beside": lambda z: z + 50,
    "tiny": lambda z: 1e-12 * z,
    "network": mlp(1, 32, 32, 1, seed=3, cover=(-1, 1)),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("cells", [64, 1024])
def test_masses_against_cutting_every_cell_into_pieces(name, cells):
    """The straight piece of G over each z cell, at 4,001 places, counted grid cell by grid cell."""
    masses, _, ends, _ = push_masses(Map(SHAPES[name]), FLAT, X, cells=cells)
    within = (torch.arange(4001, dtype=torch.float64) + 0.5) / 4001
    pieces = ends[:-1, None] + within * ends.diff()[:, None]
    edges = np.concatenate([[-np.inf], np.linspace(-4, 4, 401), [np.inf]])
    counts, _ = np.histogram(pieces, edges)
    np.testing.assert_allclose(masses, counts / pieces.numel(), atol=2e-4 if name != "flat" else 0)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("grid", [X, line(-0.2, 0.1, 30), line(-300, 300, 7), X.float()])
def test_mass_is_neither_lost_nor_made(name, grid):
    masses, _, ends, _ = push_masses(Map(SHAPES[name]), FLAT, grid)
    assert masses.shape == (len(grid) + 2,) and ends.shape == (1025,)
    assert float(masses.sum()) == pytest.approx(1, abs=1e-9)
    assert float(masses.min()) >= 0


def test_what_falls_beside_the_grid_is_kept():
    # uniform on [−10, 10]: 0.3 on each side of [−4, 4]
    masses = push_masses(Map(lambda z: 10 * z), FLAT, X).masses
    beside = torch.full((2,), 0.3).double()
    on_it = torch.full((400,), 0.4 / 400).double()
    torch.testing.assert_close(masses[[0, -1]], beside, atol=1e-6, rtol=0)
    torch.testing.assert_close(masses[1:-1], on_it, atol=1e-6, rtol=0)


@pytest.mark.parametrize("scale, shift", [(0.5, 0.3), (-0.5, 0.3), (1.5, -1)])
def test_an_affine_G_moves_a_normal(scale, shift):
    p_g = pushforward(Map(lambda z: scale * z + shift), targets.gaussian(), X)
    expected = torch.as_tensor(stats.norm(shift, abs(scale)).pdf(X))
    off = float((p_g - expected).abs().sum() * (X[1] - X[0]))
    assert off == pytest.approx(0, abs=5e-4)


@pytest.mark.parametrize("mean, std", [(0.0, 1.0), (1.0, 1.0), (0.5, 0.4), (-3.0, 2.0), (4.0, 0.3)])
def test_js_of_an_affine_G_and_a_normal_target_by_quadrature(mean, std):
    p = stats.norm()
    q = stats.norm(mean, std)

    def terms(x):
        m = (p.pdf(x) + q.pdf(x)) / 2
        return sum(law.pdf(x) * (law.logpdf(x) - np.log(m)) for law in (p, q)) / 2

    expected, _ = integrate.quad(terms, -20, 20, points=[0, mean], limit=400)
    x = line(-12, 12, 800)
    p_data = targets.gaussian().log_prob(x[:, None]).exp()
    p_g = pushforward(Map(lambda z: std * z + mean), targets.gaussian(), x)
    assert js(p_data, p_g, x).item() == pytest.approx(expected, abs=3e-4)


def exact_js(G, prior, x, *, cells=1024):
    """JS of N(0, 1) and G(z), over the common cells."""
    p_data = targets.gaussian().log_prob(x[:, None]).exp()
    _, p, q = common_cells(p_data, x, push_masses(Map(G), prior, x, cells=cells))
    return js(p, q).item()


G_OF = {
    "moved": lambda z: z + 1,
    "narrow": lambda z: 0.05 * z + 0.3,
    "box": lambda z: 0.01 * z + 0.7,
    "square": torch.square,
    "wave": lambda z: (2.5 * math.pi * z).sin(),
    "heavy": torch.exp,
}


@pytest.mark.parametrize("name", DENSITIES)
def test_js_to_four_digits_where_the_density_is_known(name):
    prior, *_ = DENSITIES[name]
    ours = exact_js(G_OF[name], prior, line(-5, 5, 400))
    assert ours == pytest.approx(js_from_normal(name), abs=1e-4)


def test_a_perfect_G_is_perfect():
    assert exact_js(lambda z: z, targets.gaussian(), line(-5, 5, 400)) == pytest.approx(0, abs=2e-6)


@pytest.mark.parametrize("seed", range(3))
def test_js_does_not_depend_on_the_cells(seed):
    G = mlp(1, 32, 32, 1, seed=seed)
    best = exact_js(G, targets.gaussian(), line(-5, 5, 6400), cells=2**14)
    for points, cells in ((400, 1024), (400, 256), (800, 1024)):
        ours = exact_js(G, targets.gaussian(), line(-5, 5, points), cells=cells)
        assert ours == pytest.approx(best, abs=1e-4)

    x = line(-5, 5, 400)
    p_data = targets.gaussian().log_prob(x[:, None]).exp()
    binned = js(p_data, pushforward(G, targets.gaussian(), x), x).item()
    assert binned < best - 0.005


def test_js_of_the_lab_before_it_has_learned():
    G = mlp(1, 32, 32, 1, seed=0)
    x = line(-4.8, 4.8, 400)
    p_data = targets.gaussian().log_prob(x[:, None]).exp()
    assert exact_js(G, targets.gaussian(), x) == pytest.approx(0.430, abs=6e-4)
    binned = js(p_data, pushforward(G, targets.gaussian(), x), x)
    assert float(binned) == pytest.approx(0.416, abs=6e-4)


@pytest.mark.parametrize("name", SHAPES)
def test_common_cells_hold_what_the_grid_cells_hold(name):
    pushed = push_masses(Map(SHAPES[name]), FLAT, X)
    p_data = targets.gaussian().log_prob(X[:, None]).exp()
    place, p, q = common_cells(p_data, X, pushed)
    assert float(p.sum()) == pytest.approx(1, abs=1e-12)
    assert float(q.sum()) == pytest.approx(1, abs=1e-6)
    assert float(torch.cat([p, q]).min()) >= 0

    # grid cells end half-way between points, where the common ones need not: up to a cell's mass
    half = len(X) // 2
    low = float(q[:-2][place[:-2] < half - 0.5].sum() + q[-2])
    assert low == pytest.approx(float(pushed.masses[: half + 1].sum()), abs=0.01)
    torch.testing.assert_close(q[-2:], pushed.masses[[0, -1]])


def test_z_cells_are_even_in_z_and_hold_the_mass_of_the_prior():
    identity = Map(lambda z: z)
    _, z, ends, pieces = push_masses(identity, targets.gaussian(), X, cells=64)
    torch.testing.assert_close(ends, z, atol=1e-6, rtol=0)
    torch.testing.assert_close(ends, torch.linspace(-5.5, 5.5, 65).double(), atol=1e-5, rtol=0)
    expected = torch.as_tensor(np.diff(stats.norm.cdf(np.linspace(-5.5, 5.5, 65))))
    torch.testing.assert_close(pieces, expected, atol=1e-7, rtol=0)

    even = push_masses(identity, FLAT, X, cells=64).pieces
    torch.testing.assert_close(even, torch.full((64,), 1 / 64).double(), atol=1e-7, rtol=0)


def test_between_is_a_straight_line_and_level_beside_the_grid():
    values = torch.tensor([1.0, 3.0, 2.0]).double()
    place = torch.tensor([-4.0, 0.0, 0.25, 1.5, 2.0, 9.0]).double()
    expected = torch.tensor([1.0, 1.0, 1.5, 2.5, 2.0, 2.0]).double()
    torch.testing.assert_close(between(values, place), expected)


def test_a_monotone_G_by_the_change_of_variables():
    def G(z):  # dG/dz = 1 + 0.8 cos 2z > 0, and p_g(G(z)) = p(z) / (dG/dz)
        return z + 0.4 * (2 * z).sin()

    z = torch.linspace(-0.99, 0.99, 4001, dtype=torch.float64)
    p_g = pushforward(Map(G), FLAT, line(-2, 2, 800))
    ours = np.interp(G(z), line(-2, 2, 800), p_g)
    np.testing.assert_allclose(ours[40:-40], (0.5 / (1 + 0.8 * (2 * z).cos()))[40:-40], rtol=2e-3)


def test_a_folded_G_adds_both_branches():
    x = line(0, 1, 200)
    p_g = pushforward(Map(torch.square), FLAT, x)
    edges = torch.linspace(0, 1, 201, dtype=torch.float64)
    expected = edges.sqrt().diff() * 200  # density of z²: 1 / (2 √x), mean over each cell
    torch.testing.assert_close(p_g, expected, rtol=2e-2, atol=0)
    assert js(p_g, expected, x).item() == pytest.approx(0, abs=1e-5)


def test_the_same_law_from_another_G():
    one = pushforward(Map(lambda z: (3 * z).sin()), FLAT, X)
    other = pushforward(Map(lambda z: (-3 * z).sin()), FLAT, X)
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_cells_are_enough_for_js(seed):
    G = mlp(1, 32, 32, 1, seed=seed, cover=(-1, 1))
    p_data = targets.iris().log_prob(X[:, None]).exp() * (X[1] - X[0])
    coarse = push_masses(G, FLAT, X, cells=1024).masses
    fine = push_masses(G, FLAT, X, cells=2**16).masses
    expected = js(p_data, fine[1:-1]).item()
    assert js(p_data, coarse[1:-1]).item() == pytest.approx(expected, abs=1e-5)


def test_the_density_follows_samples_of_the_network():
    G = mlp(1, 16, 1, seed=1, cover=(-1, 1))
    with torch.no_grad():
        draws = G(FLAT.sample(20_000, torch.Generator().manual_seed(0))).flatten()
    x = line(float(draws.min()) - 0.1, float(draws.max()) + 0.1, 2000)
    F = pushforward(G, FLAT, x).cumsum(0) * (x[1] - x[0])
    assert stats.kstest(draws.numpy(), lambda t: np.interp(t, x, F)).pvalue > 1e-3


def test_the_optimal_discriminator_is_bayes_odds():
    p = torch.tensor([0.2, 0.0, 0.3, 0.0])
    q = torch.tensor([0.2, 0.5, 0.1, 0.0])
    expected = torch.tensor([0.5, 0.0, 0.75, math.nan])
    torch.testing.assert_close(optimal_discriminator(p, q), expected, equal_nan=True)


def normals():
    """p_data of N(0, 1) on the grid, and the masses of G(z) with the law N(1, 1)."""
    p_data = targets.gaussian().log_prob(X[:, None]).exp()
    masses = push_masses(Map(lambda z: z + 1), targets.gaussian(), X).masses
    return p_data, masses


def test_the_best_D_at_the_grid_points_is_the_optimal_discriminator():
    p_data, masses = normals()
    logits = best_D(X, p_data, masses)(X[:, None])
    expected = optimal_discriminator(p_data, masses[1:-1] / (X[1] - X[0]))
    assert logits.shape == (400, 1)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits[:, 0].sigmoid(), expected.float(), atol=1e-5, rtol=0)


def test_the_best_D_of_two_normals_is_their_log_ratio_and_has_its_slope():
    D = best_D(X, *normals())
    spacing = X[1] - X[0]
    grid = X[150:321, None]  # −1 to 2.4
    at = (grid[:-1] + spacing / 2).requires_grad_()
    logits = D(at)
    (slope,) = torch.autograd.grad(logits.sum(), at)
    torch.testing.assert_close(logits.double(), 0.5 - at, atol=0.02, rtol=0)
    torch.testing.assert_close(slope, D(grid).double().diff(dim=0) / spacing, atol=1e-3, rtol=0)
    assert float(slope.mean()) == pytest.approx(-1, abs=0.01)


def test_the_best_D_is_straight_between_the_grid_points():
    D = best_D(X, *normals())
    here = X[100:120, None]
    share = 0.3
    there = here + share * (X[1] - X[0])
    between = (1 - share) * D(here) + share * D(X[101:121, None])
    torch.testing.assert_close(D(there), between, atol=1e-4, rtol=0)


def test_the_best_D_is_level_beyond_the_grid_and_never_surer_than_15():
    p_data, masses = normals()
    D = best_D(X, p_data, masses)
    far = D(torch.tensor([[-100.0], [100.0]]))
    torch.testing.assert_close(far, D(X[[0, -1], None]), atol=1e-2, rtol=0)
    sure = best_D(X, p_data, torch.zeros(402, dtype=torch.float64))
    assert sure(torch.zeros(1, 1)).item() == 15


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: line(1, 1), "low < high"),
        (lambda: line(0, 1, 1), "points must be a whole number of at least 2, got 1"),
        (lambda: line(0, 1, 2.5), "points must be a whole number"),
        (lambda: line(0, math.inf), "high must be a finite number"),
        (lambda: line("a", 1), "low must be a finite number"),
        (lambda: push_masses(Map(lambda z: z), FLAT, X, cells=-1), "cells must be a whole number"),
        (lambda: push_masses(mlp(2, 1), FLAT, X), r"G must map \(n, 1\) to \(n, 1\): mat1"),
        (lambda: push_masses(lambda z: (z, z), FLAT, X), "G must map"),
        (lambda: common_cells(X * 0, X, push_masses(mlp(1, 1), FLAT, X)), "p_data must be a dens"),
        (lambda: common_cells(X * X, X, None), "pushed must come from push_masses"),
        (
            lambda: common_cells(X * X, X, push_masses(mlp(1, 1), FLAT, X), below=[0.0, 0.5]),
            "below must rise from 0 to 1",
        ),
        (lambda: between([1.0], [0.0]), "values must be a row of at least two"),
        (lambda: optimal_discriminator([-1.0], [2.0]), "p_data must not be negative, got -1"),
        (lambda: optimal_discriminator([1.0], [-2.0]), "p_g must not be negative, got -2"),
        (lambda: optimal_discriminator([1.0], [1.0, 2.0]), "p_g must have the shape of p_data"),
        (lambda: best_D(X, -X * X, X), "p_data must not be negative"),
        (lambda: best_D(X, X * X, X * X), r"masses must be \(402,\), got shape \(400,\)"),
        (
            lambda: pushforward(Map(lambda z: torch.cat([z, z], 1)), FLAT, X),
            r"G must map \(n, 1\) to \(n, 1\), got 2050",
        ),
        (lambda: pushforward(Map(lambda z: z), object(), X), "prior must have a quantile"),
        (lambda: pushforward(Map(lambda z: z), FLAT, X.sinh()), "equally spaced"),
        (lambda: pushforward(Map(lambda z: z), FLAT, X.flip(0)), "rising"),
        (lambda: pushforward(Map(lambda z: z), FLAT, X[:, None]), r"got shape \(400, 1\)"),
        (lambda: pushforward(Map(lambda z: z), FLAT, X * math.nan), "equally spaced"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_diverged_G_says_so(number):
    with pytest.raises(FloatingPointError, match="1025 of 1025 nan or infinite"):
        pushforward(Map(lambda z: z + number), FLAT, X)
