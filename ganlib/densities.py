"""Densities on a grid: the exact law of a one-dimensional generator, and the best discriminator.

p_g is never a histogram of samples. z is cut into a thousand cells of equal mass, G is taken as a
straight line within each, and the mass of every cell is laid down where G sends it: the push-forward
of a piecewise linear G is exact, and so is everything computed from it.
"""

import math

import torch
from torch import Tensor


def line(low: float, high: float, points: int = 400) -> Tensor:
    """The midpoints of `points` equal cells of [low, high], (points,), float64."""
    if not (low < high and points >= 2):
        raise ValueError(
            f"a grid needs low < high and points ≥ 2, got low={low}, high={high}, points={points}"
        )
    return low + (high - low) * (torch.arange(points, dtype=torch.float64) + 0.5) / points


@torch.no_grad()
def push_masses(G, prior, x: Tensor, *, cells: int = 1024) -> tuple[Tensor, Tensor]:
    """How much of G(z) falls into each grid cell, and the values G(z) at the ends of the z cells.

    x is (points,), equally spaced. The masses are (points + 2,): left of the grid, its cells, right of
    it; they sum to 1. A z cell spreads its 1/cells evenly over the interval that G maps it to, so every
    grid cell gets its share of that interval. 1,024 cells give JS to 1e-5 nats for networks such as ours.
    """
    step = _spacing(x)
    ends = _images(G, prior, cells)
    at = (
        ends - float(x[0])
    ) / step + 1.5  # in grid cells: number k reaches from k to k + 1; 0 is all that is left
    low, high = torch.minimum(at[:-1], at[1:]), torch.maximum(at[:-1], at[1:])
    first, last = (end.floor().clamp_(0, len(x) + 1) for end in (low, high))
    rate = torch.where(
        last > first, 1 / cells / (high - low), 0.0
    )  # mass for each grid cell that it covers
    begin, end, count = first.long(), last.long(), len(x) + 2
    masses = torch.bincount(
        begin, torch.where(last > first, (first + 1 - low) * rate, 1 / cells), count
    )
    masses += torch.bincount(end, (high - last) * rate, count)
    rate = torch.where(last > first + 1, rate, 0.0)  # and now the grid cells that lie wholly inside
    inside = torch.bincount(begin, rate, count).roll(1) - torch.bincount(end, rate, count)
    return masses + inside.cumsum(0).clamp(min=0), ends


def _images(G, prior, cells) -> Tensor:
    """G at the ends of `cells` z cells of equal mass, (cells + 1,), float64."""
    u = torch.linspace(0, 1, cells + 1, dtype=torch.float64).clamp(
        1e-9, 1 - 1e-9
    )  # a normal prior has no end
    ends = (
        G(prior.quantile(u).float()[:, None].to(next(G.parameters(), u).device))
        .cpu()
        .double()
        .flatten()
    )
    if len(ends) != cells + 1:
        raise ValueError(f"G must map (n, 1) to (n, 1), got {len(ends)} numbers from {cells + 1}")
    if not math.isfinite(ends.sum().item()):
        raise FloatingPointError(
            f"G must give finite numbers, got {int((~ends.isfinite()).sum())} of {cells + 1} "
            "nan or infinite: it has diverged"
        )
    return ends


def _spacing(x: Tensor) -> float:
    steps = x.diff() if x.ndim == 1 and len(x) > 1 else torch.zeros(1)
    low, high = steps.aminmax()
    if not 0 < high <= 1.001 * low:  # put so that nan fails too
        raise ValueError(
            f"x must be a rising, equally spaced grid (points,), got shape {tuple(x.shape)} "
            f"with steps from {float(low):g} to {float(high):g}"
        )
    return float(x[-1] - x[0]) / len(steps)


def pushforward(G, prior, x: Tensor, *, cells: int = 1024) -> Tensor:
    """p_g on the grid x, the density of G(z) with z from the prior, exact for the piecewise linear G.

    x is (points,), equally spaced; the answer is (points,), the mean density over each grid cell, so
    that sum(p_g) · spacing is the mass G puts on the grid. The prior must have a `quantile`.
    """
    return push_masses(G, prior, x, cells=cells)[0][1:-1] / _spacing(x)


def optimal_discriminator(p_data: Tensor, p_g: Tensor) -> Tensor:
    """D*(x) = p_data(x) / (p_data(x) + p_g(x)), (points,); nan where both vanish and any D will do.

    Source: Goodfellow et al. 2014, proposition 1, arXiv:1406.2661.
    """
    return p_data / (p_data + p_g)
