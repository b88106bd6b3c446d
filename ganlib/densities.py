"""Densities on a grid: the exact law of a one-dimensional generator, and the best discriminator.

p_g is never a histogram of samples. z is cut into a thousand cells of equal width, G is taken as a
straight line within each, and the prior's mass in every cell is laid down where G sends it: the
push-forward of a piecewise linear G is exact, and so is everything computed from it.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganlib.checks import count, finite, method, tensor

REACH = 5.5  # standard deviations of a normal prior that are cut into cells: all but 4e-8 of it
FLAT = 1e-6  # of a grid cell: a piece of G that is no wider lies at one point
FINE = 32  # parts of a grid cell, at whose ends it is known how much of p_data lies below
MANY = 1000  # modes of equal width: beyond so many they are moved to the ends of those parts


class Pushed(NamedTuple):
    """Where a G sends the prior.

    masses: how much falls into each grid cell, (points + 2,): left of the grid, its cells, right of
    it; they sum to 1. z, ends: the ends of the z cells, and G there, (cells + 1,) each. pieces: the
    prior's mass in each z cell, (cells,), which lies evenly between two neighbouring ends.
    """

    masses: Tensor
    z: Tensor
    ends: Tensor
    pieces: Tensor


class Cells(NamedTuple):
    """Both laws on common cells of x: where they are, in grid points from 0, and the masses."""

    place: Tensor
    p_data: Tensor
    p_g: Tensor


def line(low: float, high: float, points: int = 400) -> Tensor:
    """The midpoints of `points` equal cells of [low, high], (points,), float64."""
    points = count("points", points, 2)
    finite("low", low)
    finite("high", high)
    if not low < high:
        raise ValueError(f"a grid needs low < high, got low={low}, high={high}")

    numbers = torch.arange(points, dtype=torch.float64, device="cpu")
    middles = (numbers + 0.5) / points
    return low + (high - low) * middles


@torch.no_grad()
def push_masses(G, prior, x: Tensor, *, cells: int = 1024) -> Pushed:
    """How much of G(z) falls into each cell of the grid x, (points,), equally spaced: `Pushed`.

    The prior must have `quantile` and `cdf`. A z cell spreads its mass evenly over the interval
    that G maps it to, so every grid cell gets its share of that interval.
    """
    x = tensor("x", x)
    spacing = _spacing(x)
    method("prior", prior, "quantile", "cdf")
    cells = count("cells", cells)
    z, pieces = _z_cells(prior, cells)
    ends = _images(G, z)

    # In grid cells: number k reaches from k to k + 1; 0 is all that is left of the grid.
    places = (ends - float(x[0])) / spacing + 1.5
    masses = _laid_down(places, pieces, len(x) + 2)
    return Pushed(masses, z, ends, pieces)


def _z_cells(prior, cells: int) -> tuple[Tensor, Tensor]:
    """The ends of z cells, even over the prior's support, (cells + 1,), and its mass in each.

    Even in z, not in mass: else the outermost cell of a normal prior would reach from −6 to −3.1.
    """
    support = torch.tensor([-REACH, REACH], dtype=torch.float64, device="cpu")
    shares = torch.special.ndtr(support)
    low, high = prior.quantile(shares).tolist()
    z = torch.linspace(low, high, cells + 1, dtype=torch.float64, device="cpu")
    below = prior.cdf(z)
    below[0] = 0
    below[-1] = 1
    return z, below.diff()


def _images(G, z: Tensor) -> Tensor:
    """G at each z, (n,), float64."""
    if not callable(G):
        raise TypeError(f"G must be a network, got {G!r}")
    like = z.float()
    if hasattr(G, "parameters"):
        like = next(G.parameters(), like)  # a weight, if G has any
    try:
        answer = G(z[:, None].to(like))
        ends = answer.cpu().double().flatten()
    except (AttributeError, RuntimeError, IndexError) as error:
        raise ValueError(f"G must map (n, 1) to (n, 1): {error}") from error

    if len(ends) != len(z):
        raise ValueError(f"G must map (n, 1) to (n, 1), got {len(ends)} numbers from {len(z)}")
    if not math.isfinite(ends.sum().item()):
        bad = int((~ends.isfinite()).sum())
        raise FloatingPointError(
            f"G must give finite numbers, got {bad} of {len(z)} nan or infinite: it has diverged"
        )
    return ends


def _laid_down(places: Tensor, mass: Tensor, size: int) -> Tensor:
    """The masses (size,) of the grid cells, if each stretch of `places` spreads its `mass` evenly.

    Grid cell k reaches from k to k + 1; what lies outside counts in the first and the last.
    """
    one_end = places[:-1]
    other_end = places[1:]
    low = torch.minimum(one_end, other_end)
    high = torch.maximum(one_end, other_end)
    first = low.floor().clamp_(0, size - 1)  # the grid cells in which a stretch begins and ends
    last = high.floor().clamp_(0, size - 1)
    begin = first.long()
    end = last.long()

    # In these two it covers a part; a stretch within one grid cell leaves its whole mass there.
    several = last > first
    length = high - low
    rate = torch.where(several, mass / length, 0.0)  # for each grid cell that it covers
    covered = first + 1 - low
    in_first = torch.where(several, covered * rate, mass)
    in_last = (high - last) * rate
    masses = torch.bincount(begin, in_first, size)
    masses += torch.bincount(end, in_last, size)

    # Those between are covered whole: the rate comes in after the first and goes out at the last.
    rate = torch.where(last > first + 1, rate, 0.0)
    comes_in = torch.bincount(begin, rate, size).roll(1)
    goes_out = torch.bincount(end, rate, size)
    inside = (comes_in - goes_out).cumsum(0)
    return masses + inside.clamp(min=0)


def _not_negative(name: str, values) -> Tensor:
    """values as floating numbers; nan may be among them."""
    values = tensor(name, values)
    if bool((values < 0).any()):
        raise ValueError(f"{name} must not be negative, got {float(values.min()):g}")
    return values


def _density(name: str, values, x: Tensor) -> Tensor:
    """A density at each point of the grid x."""
    values = _not_negative(name, values)
    total = float(values.sum())
    if values.shape != x.shape or not 0 < total < math.inf:
        raise ValueError(
            f"{name} must be a density at each point of x, {tuple(x.shape)}, "
            f"got shape {tuple(values.shape)} and the sum {total:g}"
        )
    return values


def _rising(below) -> Tensor:
    """What `below` gives: from 0 to 1."""
    below = tensor("below", below)
    good = below.ndim == 1 and len(below) > 1
    if good:
        rises = bool((below.diff() >= 0).all())
        from_0 = abs(float(below[0])) <= 1e-6
        to_1 = abs(float(below[-1]) - 1) <= 1e-6
        good = rises and from_0 and to_1
    if not good:
        raise ValueError("below must rise from 0 to 1, as densities.below gives it")
    return below


def _spacing(x: Tensor) -> float:
    steps = torch.zeros(1)
    if x.ndim == 1 and len(x) > 1:
        steps = x.diff()
    low, high = steps.aminmax()
    if not 0 < high <= 1.001 * low:  # put so that nan fails too
        raise ValueError(
            f"x must be a rising, equally spaced grid (points,), got shape {tuple(x.shape)} "
            f"with steps from {float(low):g} to {float(high):g}"
        )

    length = float(x[-1] - x[0])
    return length / len(steps)


def pushforward(G, prior, x: Tensor, *, cells: int = 1024) -> Tensor:
    """p_g on the grid x: the density of G(z), z from the prior, exact for the piecewise linear G.

    x is (points,), equally spaced; the answer is (points,), the mean density over each grid cell,
    so that sum(p_g) · spacing is the mass G puts on the grid. The prior is as for `push_masses`.
    """
    x = tensor("x", x)
    pushed = push_masses(G, prior, x, cells=cells)
    on_grid = pushed.masses[1:-1]
    return on_grid / _spacing(x)


def below(law, x: Tensor) -> Tensor:
    """How much of a law lies left of each place on the grid x, (points,): (FINE · points + 1,).

    The places cut each grid cell into `FINE` parts. It rises from 0 to 1: what lies outside the
    grid is left out. So no cell is judged by its middle alone, however narrow the law is. From the
    law's `cdf`, if it has one, else from `log_prob` in the middle of each part.
    """
    x = tensor("x", x)
    spacing = _spacing(x)
    method("law", law, "log_prob")
    width = spacing / FINE
    parts = FINE * len(x)
    low = x[0] - spacing / 2
    ends = low + width * torch.arange(parts + 1, dtype=torch.float64)

    modes = len(getattr(law, "means", ()))
    if modes > MANY and bool((law.stds == law.stds[0]).all()):
        mass = _blurred(law, ends)
    elif hasattr(law, "cdf"):
        mass = law.cdf(ends).diff()
    else:
        middles = ends[:-1, None] + width / 2
        mass = law.log_prob(middles).exp() * width

    p = mass / mass.sum()
    return pad(p.cumsum(0), (1, 0))


def _blurred(law, ends: Tensor) -> Tensor:
    """The mass of very many equal normals between `ends`, all means moved to the nearest two."""
    width = float(ends[1] - ends[0])
    parts = len(ends) - 1
    means = law.means[:, 0].double()
    place = ((means - ends[0]) / width).clamp(0, parts)
    left = place.long().clamp(max=parts - 1)
    right = left + 1
    weights = law.weights.double()
    at = torch.bincount(left, weights * (right - place), parts + 1)
    at += torch.bincount(right, weights * (place - left), parts + 1)

    # Part j gets from a mean at end k what a normal puts between j − k and j − k + 1.
    away = width * torch.arange(-parts, parts + 1, dtype=torch.float64)
    std = float(law.stds[0])
    kernel = torch.special.ndtr(away / std).diff()

    # The sum over k is a convolution, and so a product of Fourier transforms.
    size = len(at) + len(kernel)
    product = torch.fft.rfft(at, size) * torch.fft.rfft(kernel, size)
    mixed = torch.fft.irfft(product, size)
    return mixed[parts : 2 * parts].clamp(min=0)


def common_cells(
    p_data: Tensor, x: Tensor, pushed: Pushed, *, below: Tensor | None = None
) -> Cells:
    """Cells of x on which p_g is constant: a sum over them is an integral, also where p_g is steep.

    They are cut at the points of the grid, between which p_data is a straight line, and wherever a
    piece of G begins or ends; then come the flat pieces of G, each at one point; the last two cells
    are all that is left of the grid and all that is right of it, where p_data is 0. JS of the two
    rows of masses is right to 1e-4 nats. On the grid's own cells it would be JS of binned laws,
    which is smaller: 0.416 instead of 0.430 for a G that has not learned yet. With `below` (see the
    function) the masses of p_data come from there, right also where it is narrower than a cell.
    """
    x = tensor("x", x).double()
    spacing = _spacing(x)
    p_data = _density("p_data", p_data, x).double()
    if not isinstance(pushed, Pushed) or len(pushed.masses) != len(x) + 2:
        raise ValueError("pushed must come from push_masses on the same x")
    left = x[:1] - spacing / 2
    right = x[-1:] + spacing / 2

    # A piece has the density mass / |difference|. It comes in at its lower end and goes out at its
    # upper one, so that at each end the change is a difference of two mass / difference.
    difference = pushed.ends.diff()
    flat = difference.abs() <= FLAT * spacing
    density = torch.where(flat, 0.0, pushed.pieces / difference)
    change = pad(density, (1, 1)).diff()

    ends = pushed.ends.clamp(left, right)
    at, order = torch.cat([ends, left, x, right]).sort()
    width = at.diff()
    change = pad(change, (0, len(x) + 2))  # none at left, x and right
    density = change[order].cumsum(0)[:-1].clamp(min=0)

    start = pushed.ends[:-1]
    atoms = flat & (start > left) & (start < right)
    middles = at[:-1] + width / 2
    place = torch.cat([middles, start[atoms], left, right])
    place = (place - x[0]) / spacing

    if below is None:
        total = p_data.sum() * spacing
        p = between(p_data, place[: len(width)]) * width / total
    else:
        below = _rising(below)
        part = (at - left) / (right - left) * (len(below) - 1)
        p = between(below, part).diff()

    outside = pushed.masses[[0, -1]]
    q = torch.cat([density * width, pushed.pieces[atoms], outside])
    return Cells(place, pad(p, (0, len(q) - len(p))), q)


def between(values: Tensor, place: Tensor) -> Tensor:
    """What is given at the points of a grid, (points,), at places between: on a straight line.

    place is in grid points from 0; beside the grid it is the value at its end.
    """
    values = tensor("values", values)
    place = tensor("place", place).to(values.dtype)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"values must be a row of at least two, got shape {tuple(values.shape)}")

    last = len(values) - 1
    place = place.clamp(0, last)
    k = place.long().clamp(max=last - 1)
    return torch.lerp(values[k], values[k + 1], place - k)


def optimal_discriminator(p_data: Tensor, p_g: Tensor) -> Tensor:
    """D*(x) = p_data(x) / (p_data(x) + p_g(x)), (points,); nan where both vanish and any D will do.

    ValueError if one is negative. Source: Goodfellow et al. 2014, proposition 1, arXiv:1406.2661.
    """
    p_data = _not_negative("p_data", p_data)
    p_g = _not_negative("p_g", p_g)
    if p_data.shape != p_g.shape:
        raise ValueError(
            f"p_g must have the shape of p_data, {tuple(p_data.shape)}, got {tuple(p_g.shape)}"
        )
    return p_data / (p_data + p_g)


def best_D(x: Tensor, p_data: Tensor, masses: Tensor) -> Callable[[Tensor], Tensor]:
    """D* as a discriminator that is computed, not learned: takes examples, returns logits.

    logit D*(x) = log p_data(x) − log p_g(x), float32, cut off at ±15; straight between the points
    of the grid, so that G finds a slope, and level beyond its ends. x and p_data are (points,), the
    masses (points + 2,) come from `push_masses`.

    Source: Goodfellow et al. 2014, proposition 1, arXiv:1406.2661.
    """
    x = tensor("x", x)
    spacing = _spacing(x)
    low = x[0]
    p_data = _density("p_data", p_data, x)
    masses = _not_negative("masses", masses)
    if masses.shape != (len(x) + 2,):
        raise ValueError(f"masses must be ({len(x) + 2},), got shape {tuple(masses.shape)}")

    p_g = masses[1:-1] / spacing
    log_p_data = p_data.clamp_min(1e-12).log()
    log_p_g = p_g.clamp_min(1e-12).log()
    logits = (log_p_data - log_p_g).clamp(-15, 15).float()
    rises = logits.diff()  # from each point to the next

    def D(at: Tensor) -> Tensor:
        place = ((at - low) / spacing).float().clamp(0, len(x) - 1.001)
        left = place.detach().long()  # the grid point to the left
        return logits[left] + (place - left) * rises[left]

    return D
