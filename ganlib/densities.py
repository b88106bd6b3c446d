"""Densities on a grid: the exact law of a one-dimensional generator, and the best discriminator.

p_g is never a histogram of samples. z is cut into a thousand cells of equal mass, G is taken as a
straight line within each, and the mass of every cell is laid down where G sends it: the
push-forward of a piecewise linear G is exact, and so is everything computed from it.
"""

import math
from collections.abc import Callable

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

    x is (points,), equally spaced. The masses are (points + 2,): left of the grid, its cells, right
    of it; they sum to 1. A z cell spreads its 1/cells evenly over the interval that G maps it to,
    so every grid cell gets its share of that interval. 1,024 cells give JS to 1e-5 nats for
    networks such as ours.
    """
    spacing = _spacing(x)
    ends = _images(G, prior, cells)

    # In grid cells: number k reaches from k to k + 1; 0 is all that is left of the grid.
    places = (ends - float(x[0])) / spacing + 1.5
    return _laid_down(places, 1 / cells, len(x) + 2), ends


def _images(G, prior, cells: int) -> Tensor:
    """G at the ends of `cells` z cells of equal mass, (cells + 1,), float64."""
    u = torch.linspace(0, 1, cells + 1, dtype=torch.float64)
    z = prior.quantile(u.clamp(1e-9, 1 - 1e-9)).float()  # a normal prior has no end
    device = next(G.parameters(), u).device
    ends = G(z[:, None].to(device)).cpu().double().flatten()

    if len(ends) != cells + 1:
        raise ValueError(f"G must map (n, 1) to (n, 1), got {len(ends)} numbers from {cells + 1}")
    if not math.isfinite(ends.sum().item()):
        raise FloatingPointError(
            f"G must give finite numbers, got {int((~ends.isfinite()).sum())} of {cells + 1} "
            "nan or infinite: it has diverged"
        )
    return ends


def _laid_down(places: Tensor, mass: float, size: int) -> Tensor:
    """The masses (size,) of the grid cells, if every stretch of `places` spreads `mass` evenly.

    Grid cell k reaches from k to k + 1; what lies outside counts in the first and the last.
    """
    low = torch.minimum(places[:-1], places[1:])
    high = torch.maximum(places[:-1], places[1:])
    first = low.floor().clamp_(0, size - 1)  # the grid cells in which a stretch begins and ends
    last = high.floor().clamp_(0, size - 1)
    begin = first.long()
    end = last.long()

    # In these two it covers a part; a stretch within one grid cell leaves its whole mass there.
    several = last > first
    rate = torch.where(several, mass / (high - low), 0.0)  # for each grid cell that it covers
    in_first = torch.where(several, (first + 1 - low) * rate, mass)
    in_last = (high - last) * rate
    masses = torch.bincount(begin, in_first, size)
    masses += torch.bincount(end, in_last, size)

    # Those between are covered whole: the rate comes in after the first and goes out at the last.
    rate = torch.where(last > first + 1, rate, 0.0)
    comes_in = torch.bincount(begin, rate, size).roll(1)
    goes_out = torch.bincount(end, rate, size)
    inside = (comes_in - goes_out).cumsum(0)
    return masses + inside.clamp(min=0)


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
    """p_g on the grid x: the density of G(z), z from the prior, exact for the piecewise linear G.

    x is (points,), equally spaced; the answer is (points,), the mean density over each grid cell,
    so that sum(p_g) · spacing is the mass G puts on the grid. The prior must have a `quantile`.
    """
    masses, _ = push_masses(G, prior, x, cells=cells)
    return masses[1:-1] / _spacing(x)


def optimal_discriminator(p_data: Tensor, p_g: Tensor) -> Tensor:
    """D*(x) = p_data(x) / (p_data(x) + p_g(x)), (points,); nan where both vanish and any D will do.

    Source: Goodfellow et al. 2014, proposition 1, arXiv:1406.2661.
    """
    return p_data / (p_data + p_g)


def best_D(x: Tensor, p_data: Tensor, masses: Tensor) -> Callable[[Tensor], Tensor]:
    """D* as a discriminator that is computed, not learned: takes examples, returns logits.

    logit D*(x) = log p_data(x) − log p_g(x), float32, cut off at ±15; straight between the points
    of the grid, so that G finds a slope, and level beyond its ends. x and p_data are (points,), the
    masses (points + 2,) come from `push_masses`.

    Source: Goodfellow et al. 2014, proposition 1, arXiv:1406.2661.
    """
    low = x[0]
    spacing = x[1] - x[0]
    p_g = masses[1:-1] / spacing
    log_ratio = p_data.clamp_min(1e-12).log() - p_g.clamp_min(1e-12).log()
    logits = log_ratio.clamp(-15, 15).float()

    def D(at: Tensor) -> Tensor:
        place = ((at - low) / spacing).float().clamp(0, len(x) - 1.001)
        left = place.detach().long()  # the grid point to the left
        return logits[left] + (place - left) * (logits[left + 1] - logits[left])

    return D
