"""A chain's matrix against its walkers, detailed balance, and chains whose law is known."""

import math

import pytest
import torch

from ganlib import targets
from ganlib.chains import halving, hop, second_eigenvalue, transition
from ganlib.densities import line

X = line(-8, 8, 400)


def seeded():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("langevin", [False, True])
@pytest.mark.parametrize("size", [0.1, 0.5, 3.0])
@pytest.mark.parametrize("law", [targets.mixture(), targets.gaussian(1, 2), targets.iris()])
def test_detailed_balance(law, size, langevin):
    log_p = law.log_prob(X[:, None]) + 7  # an unknown constant
    K = transition(log_p, size, X, langevin=langevin)
    p = log_p.softmax(0)
    flow = p[:, None] * K
    assert float((flow - flow.T).abs().max()) < 1e-12
    assert float(K.min()) >= 0  # a probability, also where it is what is left of 1
    torch.testing.assert_close(K.sum(1), torch.ones(400).double())
    torch.testing.assert_close(p @ K, p, atol=1e-12, rtol=0)


@pytest.mark.parametrize("langevin", [False, True])
def test_walkers_do_what_the_matrix_says(langevin):
    law = targets.mixture()
    row = transition(law.log_prob(X[:, None]), 0.7, X, langevin=langevin)[150]

    n = 200_000
    start = X[150].expand(n, 1)
    after, moved = hop(law.log_prob, start, 0.7, seeded(), langevin=langevin)

    for power in (1, 2):
        expected = float(row @ X**power)
        error = float((after**power).std()) / math.sqrt(n)
        assert float((after**power).mean()) == pytest.approx(expected, abs=5 * error)

    # Moves within a cell are none.
    assert float(moved.double().mean()) == pytest.approx(1 - float(row[150]), abs=0.03)
    torch.testing.assert_close(after[~moved], start[~moved])


def two_modes_on(x, apart, size, langevin=False):
    log_p = targets.mixture((-apart / 2, apart / 2)).log_prob(x[:, None])
    K = transition(log_p, size, x, langevin=langevin)
    return K, log_p.softmax(0)


@pytest.mark.parametrize(
    "apart, size, langevin, second, steps",
    [
        (3, 0.5, False, 0.99391, "113"),
        (3, 2.0, False, 0.81164, "3.3"),
        (3, 4.0, False, 0.79487, "3.0"),
        (3, 8.0, False, 0.87996, "5.4"),
        (5, 2.0, False, 0.96333, "19"),
        (6, 2.0, False, 0.98811, "58"),
        (3, 0.5, True, 0.99787, "325"),
    ],
)
def test_there_are_no_walls(apart, size, langevin, second, steps):
    # On a grid of ±9 with a third of the spacing and, for Langevin, the slope by autograd.
    K, p = two_modes_on(line(-6, 6, 240), apart, size, langevin)
    assert second_eigenvalue(K, p) == pytest.approx(second, abs=6e-5)
    assert halving(second_eigenvalue(K, p)) == steps


def test_long_steps_of_langevin_leave_the_tails_no_more():
    x = line(-6, 6, 240)
    K, p = two_modes_on(x, 3, 2.0, langevin=True)
    assert 1 - second_eigenvalue(K, p) < 1e-12
    assert float(K.diag()[x.abs() > 4].min()) > 0.99


@pytest.mark.parametrize("size", [2.0, 8.0])
def test_long_steps_leave_as_walkers_do(size):
    x = line(-6, 6, 240)
    K, _ = two_modes_on(x, 3, size)
    start = x[200].expand(100_000, 1)  # at 4.03: most proposals to the right lie beyond the grid
    after, moved = hop(targets.mixture().log_prob, start, size, seeded())
    # Moves within a cell are none.
    assert float(moved.double().mean()) == pytest.approx(1 - float(K[200, 200]), abs=0.015)
    assert float((after < 0).double().mean()) == pytest.approx(float(K[200, :120].sum()), abs=0.005)


@pytest.mark.parametrize("langevin", [False, True])
@pytest.mark.parametrize("apart", [0.0, 3.0, 8.0])
@pytest.mark.parametrize("size", [0.05, 0.5, 2.0, 8.0])
def test_what_is_left_of_1_is_a_probability(apart, size, langevin):
    K, p = two_modes_on(line(-6, 6, 240), apart, size, langevin)
    assert float(K.min()) >= 0
    torch.testing.assert_close(K.sum(1), torch.ones(240).double(), atol=1e-8, rtol=0)
    assert not halving(second_eigenvalue(K, p)).startswith("-")


@pytest.mark.parametrize(
    "second, steps",
    [(0.0, "0"), (0.5, "1.0"), (0.25, "0.5"), (0.9999998679664, "5,250,000"), (1 + 2e-15, "∞")],
)
def test_halving_is_told_in_three_digits(second, steps):
    assert halving(second) == steps


def test_a_grid_too_coarse_or_a_law_that_is_no_number_is_refused():
    log_p = torch.zeros(400).double()
    with pytest.raises(
        ValueError, match=r"size must be at least the spacing of x, 0\.04, got 0.02"
    ):
        transition(log_p, 0.02, X)
    with pytest.raises(ValueError, match="log_p must be one row of 400 numbers"):
        transition(log_p[:5], 0.5, X)
    log_p[3] = -math.inf
    with pytest.raises(ValueError, match="log_p finite on it"):
        transition(log_p, 0.5, X)


def test_every_move_on_a_flat_law_is_taken():
    _, moved = hop(lambda x: torch.zeros(len(x)), torch.zeros(100, 1), 1.0, seeded())
    assert bool(moved.all())


def test_a_hop_needs_no_gradient_and_keeps_the_type():
    x = torch.zeros(5, 1, dtype=torch.float64, requires_grad=True)
    after, _ = hop(targets.gaussian().log_prob, x, 1.0, seeded(), langevin=True)
    assert after.dtype == torch.float64
    assert not after.requires_grad


@pytest.mark.parametrize("size", [0.0, -1.0, math.nan, math.inf])
def test_the_width_of_a_step_must_be_positive(size):
    with pytest.raises(ValueError, match="size"):
        hop(targets.gaussian().log_prob, torch.zeros(3, 1), size)
    with pytest.raises(ValueError, match="size"):
        transition(torch.zeros(400).double(), size, X)
