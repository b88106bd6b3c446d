"""Densities on a grid: the exact law of a one-dimensional generator, and the best discriminator.

p_g is never a histogram of samples. z is cut into thousands of cells of equal mass, G is taken as a
straight line within each, and the mass of every cell is laid down where G sends it: the push-forward
of a piecewise linear G is exact, and so is everything computed from it.
"""

import torch
from torch import Tensor

__all__ = ["line", "optimal_discriminator", "push_masses", "pushforward"]


def line(low: float, high: float, points: int = 400) -> Tensor:
    """The midpoints of `points` equal cells of [low, high], (points,), float64."""
    if not (low < high and points >= 2):
        raise ValueError(f"a grid needs low < high and points ≥ 2, got low={low}, high={high}, points={points}")
    return low + (high - low) * (torch.arange(points, dtype=torch.float64) + 0.5) / points


@torch.no_grad()
def push_masses(G, prior, x: Tensor, *, cells: int = 2048) -> tuple[Tensor, Tensor]:
    """How much of G(z) falls into each grid cell, and the values G(z) at the ends of the z cells.

    x is (points,), equally spaced. The masses are (points + 2,): left of the grid, its cells, right of
    it; they sum to 1. F, the distribution function of G(z), is a straight line between the images of
    z cells: each adds mass/length to its slope where it begins and takes it off where it ends.
    """
    u = torch.linspace(0, 1, cells + 1, dtype=torch.float64).clamp(1e-9, 1 - 1e-9)
    device = next(G.parameters()).device if any(True for _ in G.parameters()) else "cpu"
    ends = G(prior.quantile(u).float()[:, None].to(device)).double().cpu().flatten()
    if len(ends) != cells + 1:
        raise ValueError(f"G must map (n, 1) to (n, 1), got {len(ends)} numbers from {cells + 1}")
    low, high = torch.minimum(ends[:-1], ends[1:]), torch.maximum(ends[:-1], ends[1:])
    high = torch.maximum(high, low + 1e-9 * (1 + low.abs()))  # a flat piece of G: nearly a jump of F, not 0/0
    slope = 1 / (cells * (high - low))
    at, order = torch.cat([low, high]).sort()
    slopes = torch.cat([slope, -slope])[order].cumsum(0)
    F = torch.cat([torch.zeros(1), (slopes[:-1] * at.diff()).cumsum(0)])
    step = float(x[1] - x[0])
    edges = torch.cat([x - step / 2, x[-1:] + step / 2])
    k = torch.searchsorted(at, edges).clamp(1, len(at) - 1)
    inside = F[k - 1] + slopes[k - 1] * (edges - at[k - 1])
    F_edges = torch.where(edges <= at[0], 0.0, torch.where(edges >= at[-1], F[-1], inside)) / F[-1]
    return torch.cat([F_edges[:1], F_edges.diff().clamp(min=0), 1 - F_edges[-1:]]), ends


def pushforward(G, prior, x: Tensor, *, cells: int = 2048) -> Tensor:
    """p_g on the grid x, the density of G(z) with z from the prior, exact for the piecewise linear G.

    x is (points,), equally spaced; the answer is (points,), the mean density over each grid cell, so
    that sum(p_g) · spacing is the mass G puts on the grid. The prior must have a `quantile`.
    """
    return push_masses(G, prior, x, cells=cells)[0][1:-1] / (x[1] - x[0])


def optimal_discriminator(p_data: Tensor, p_g: Tensor) -> Tensor:
    """D*(x) = p_data(x) / (p_data(x) + p_g(x)), (points,); nan where both vanish and any D will do.

    Source: Goodfellow et al. 2014, proposition 1, arXiv:1406.2661.
    """
    return p_data / (p_data + p_g)
