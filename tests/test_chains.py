"""A chain's matrix against its walkers, detailed balance, and chains whose law is known."""

import math

import pytest
import torch

from ganlib import targets
from ganlib.chains import hop, transition
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
    assert float(K.min()) > -1e-12
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
