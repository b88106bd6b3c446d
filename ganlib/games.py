"""Zero-sum games: any payoff matrix solved, and two players who follow the slopes of one V(x, y).

In a matrix game the row player gets payoff[i, j] and the column player pays it. In a continuous
game x goes down V(x, y) and y goes up, as G and D do. What one player wins, the other loses.
"""

import cmath
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import linprog
from torch import Tensor
from torch.nn.functional import logsigmoid

from ganlib.checks import all_finite, count, finite, floats, function, one_of, positive

# The directions of the two players: F = Y ∂V/∂y − X ∂V/∂x.
X, Y = torch.eye(2, dtype=torch.float64)

MOST = 10**6  # steps of a game
HUGE = 1e300  # beyond it a difference of two payoffs is no float any more

# What the solver of matrix games may miss by, where payoffs are of size one.
TIGHT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


class Equilibrium(NamedTuple):
    """The value of a matrix game and mixed strategies that guarantee it: (rows,) and (columns,)."""

    value: float
    row: Tensor
    column: Tensor


def solve(payoff) -> Equilibrium:
    """Solve a matrix game: value = max_p min_j (pᵀA)_j = min_q max_i (Aq)_i, p and q probabilities.

    payoff A is (rows, columns), finite, else ValueError. p comes from a linear program, q from its
    dual; what they guarantee must agree, else FloatingPointError. Of several best strategies one is
    given. (Dantzig 1951).
    """
    try:
        A = floats("payoff", payoff)
    except ValueError:
        A = np.zeros(0)
    if A.ndim != 2 or A.size == 0 or not np.isfinite(A).all():
        raise ValueError(f"payoff must be rows of equally many finite numbers, got {payoff!r}")
    largest = float(np.abs(A).max())
    if largest > HUGE:
        raise ValueError(f"payoff must be numbers of at most {HUGE:g}, got {largest:g}")

    # The solver's tolerances are absolute: give it numbers of size one.
    shift = A.mean()
    scale = float(np.ptp(A))
    if scale == 0:
        scale = 1.0
    A = (A - shift) / scale

    p, q = _strategies(A)
    low = (p @ A).min()
    high = (A @ q).max()
    if not high - low < 1e-9:
        raise FloatingPointError(
            f"the two guarantees differ by {high - low:.1e} of the range of the payoffs"
        )
    value = shift + scale * (low + high) / 2
    return Equilibrium(float(value), torch.from_numpy(p), torch.from_numpy(q))


def _strategies(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best mix of each player: p maximises v with pᵀA ≥ v, Σp = 1, p ≥ 0; q is its dual."""
    rows, columns = A.shape
    found = linprog(
        np.r_[np.zeros(rows), -1],  # the unknowns are p and v; the least −v is asked for
        A_ub=np.c_[-A.T, np.ones(columns)],
        b_ub=np.zeros(columns),
        A_eq=[np.r_[np.ones(rows), 0]],
        b_eq=[1],
        bounds=[(0, None)] * rows + [(None, None)],
        options=TIGHT,
    )
    p = found.x[:-1].clip(0)
    q = (-found.ineqlin.marginals).clip(0)
    return p / p.sum(), q / q.sum()


class Rule(NamedTuple):
    """One way to move both players, (x, y) = w, and what it does on V = xy.

    step(F, w, before, lr) is the next w; on_xy(lr) is the step's leading eigenvalue on V = xy.
    """

    step: Callable[[Callable, Tensor, Tensor, float], Tensor]
    on_xy: Callable[[float], complex]


def _simultaneous(F, w, before, lr) -> Tensor:
    """Both answer what they see."""
    return w + lr * F(w)


def _alternating(F, w, before, lr) -> Tensor:
    """x moves, then y answers the new x: one after the other, as D and G do."""
    seen_by_y = w + lr * X * F(w)
    force = X * F(w) + Y * F(seen_by_y)
    return w + lr * force


def _extragradient(F, w, before, lr) -> Tensor:
    """Look one step ahead; step from here with the force from there. Korpelevich 1976."""
    ahead = w + lr * F(w)
    return w + lr * F(ahead)


def _optimistic(F, w, before, lr) -> Tensor:
    """Expect the last change of the force once more.

    Source: Popov 1980; Daskalakis et al. 2018, arXiv:1711.00141.
    """
    expected = 2 * F(w) - F(before)
    return w + lr * expected


def _consensus(F, w, before, lr) -> Tensor:
    """Go also where the forces are smaller, down ½‖F‖².

    Source: Mescheder et al. 2017, arXiv:1705.10461.
    """
    uphill = _slope(lambda u: F(u).square() / 2, w)
    return w + lr * (F(w) - uphill)


RULES = {
    "simultaneous": Rule(_simultaneous, on_xy=lambda lr: 1 + 1j * lr),
    "alternating": Rule(
        _alternating,
        on_xy=lambda lr: 1 - lr**2 / 2 + 1j * lr * cmath.sqrt(1 - lr**2 / 4),
    ),
    "extragradient": Rule(_extragradient, on_xy=lambda lr: 1 - lr**2 + 1j * lr),
    "optimistic": Rule(
        _optimistic,
        on_xy=lambda lr: (1 + 2j * lr + cmath.sqrt(1 - 4 * lr**2)) / 2,
    ),
    "consensus": Rule(_consensus, on_xy=lambda lr: 1 - lr + 1j * lr),
}


def _slope(f: Callable, w: Tensor) -> Tensor:
    """∂f/∂w at w, to be differentiated again; zero where f does not depend on w."""
    if not w.requires_grad:
        w = w.detach().requires_grad_()
    total = f(w).sum() + 0 * w.sum()
    (slope,) = torch.autograd.grad(total, w, create_graph=True)
    return slope


def field(value: Callable) -> Callable[[Tensor], Tensor]:
    """Where the players want to go: F(w) = (−∂V/∂x, +∂V/∂y) at w = (x, y), (..., 2) in float64."""
    function("value", value)

    def V(w):
        return value(w[..., 0], w[..., 1])

    def F(w):
        return (Y - X) * _slope(V, w)

    return F


def play(value: Callable, start, rule: str, *, lr: float, steps: int, limit: float = 1e6) -> Tensor:
    """The path of two players on V(x, y) from `start` = (x, y), as (steps + 1, ..., 2) in float64.

    value: smooth, of tensors x and y of any one shape; its entries are added up, so a shape holds
    many games at once. lr > 0. A game with |x| or |y| above `limit` has left for infinity: it is
    nan from there on.
    """
    w = _places("start", start)
    one_of("rule", rule, RULES)
    lr = positive("lr", lr)
    count("steps", steps, 0, MOST)
    limit = positive("limit", limit)
    _check_value(value, w)

    F = field(value)
    step = RULES[rule].step
    path = [w]
    for t in range(steps):
        before = path[max(t - 1, 0)]
        w = step(F, path[t], before, lr).detach()
        here = (w.abs() <= limit).all(-1, keepdim=True)
        path.append(torch.where(here, w, math.nan))
    return torch.stack(path)


def eigenvalues(value: Callable, point, rule: str, *, lr: float) -> Tensor:
    """The four eigenvalues of one step at a rest point (2,), largest first; all below 1: home.

    The step is (w, before) → (next, w), as the optimistic rule needs both.
    """
    w = _places("point", point)
    if w.shape != (2,):
        raise ValueError(f"point must be two numbers, got shape {tuple(w.shape)}")
    one_of("rule", rule, RULES)
    lr = positive("lr", lr)
    _check_value(value, w)

    F = field(value)

    def step(both):
        w, before = both.split(2)
        following = RULES[rule].step(F, w, before, lr)
        return torch.cat([following, w])

    at_rest = torch.cat([w, w])
    jacobian = torch.autograd.functional.jacobian(step, at_rest)
    if not all_finite(jacobian):
        raise ValueError("value must have finite slopes at the point, twice over")
    found = torch.linalg.eigvals(jacobian)
    order = found.abs().argsort(descending=True, stable=True)
    return found[order]


def _places(name: str, numbers) -> Tensor:
    """Places (x, y) of games, (..., 2) in float64."""
    w = torch.from_numpy(floats(name, numbers))
    if w.shape[-1:] != (2,) or w.numel() == 0 or not all_finite(w):
        raise ValueError(f"{name} must be finite numbers of shape (..., 2), got {numbers!r}")
    return w


def _check_value(value: Callable, w: Tensor) -> None:
    """ValueError unless V gives a number for each of the games at w."""
    V = function("value", value)(w[..., 0], w[..., 1])
    if not isinstance(V, Tensor) or not V.is_floating_point():
        raise ValueError(f"value must be a function of tensors that gives a tensor, got {V!r}")


def quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Nodes z and weights p, (40,) each: E f(z) = Σ p f(z) for z of N(0, 1), by Gauss–Hermite."""
    nodes, weights = hermegauss(40)
    return nodes, weights * (2 * math.pi) ** -0.5


def smallest_gan(spread: float = 1.0) -> Callable[[Tensor, Tensor], Tensor]:
    """V(θ, w) = E log σ(w x) + E log σ(−w (z + θ)): G(z) = z + θ, logit D(x) = w x.

    x and z are N(0, spread²), by Gauss–Hermite quadrature. At spread 0 it is the Dirac-GAN of
    Mescheder et al. 2018, arXiv:1801.04406.
    """
    if not finite("spread", spread) >= 0:
        raise ValueError(f"spread must be at least 0, got {spread!r}")
    nodes, weights = quadrature()
    z = torch.from_numpy(nodes * spread)
    p = torch.from_numpy(weights)

    def V(θ, w):
        real = w[..., None] * z
        minus_fake = -w[..., None] * (z + θ[..., None])
        terms = logsigmoid(real) + logsigmoid(minus_fake)
        return terms @ p

    return V
