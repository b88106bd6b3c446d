"""Entropy, cross-entropy and the divergences between two laws p and q, in nats or bits.

Without x, p and q are probabilities, (n,), that sum to 1; with x, densities on that rising grid,
(n,), each value standing for one cell. 0 log 0 is 0, and a divergence is inf, without a warning,
where p has mass (on a grid, more than 1e-16 in a cell) and q has none. Answers are float64 scalars.
Source of the definitions: Cover & Thomas 2006, Elements of Information Theory, chapters 2, 5 and 8.
"""

import heapq
import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.special import xlogy

from ganlib.checks import count, method, one_of, rises, row

UNITS = {"nats": 1.0, "bits": math.log(2)}
MOST = 10**8  # draws of a law at once


def entropy(p, x=None, *, base="nats") -> Tensor:
    """H(p) = −Σ p log p, or −∫ p log p dx with a grid: what a draw of p costs in nats."""
    (mass,), (p,) = _read(x, p=p)
    H = 0 - xlogy(mass, p).sum()  # 0 − …: a sure outcome costs 0, not −0
    return H / _unit(base)


def cross_entropy(p, q, x=None, *, base="nats") -> Tensor:
    """H(p, q) = −Σ p log q = H(p) + KL(p‖q), what a draw of p costs in the code made for q.

    It is inf where q misses p.
    """
    (mass, _), (_, q) = _read(x, p=p, q=q)
    H = 0 - xlogy(mass, q).sum()
    return H / _unit(base)


def kl(p, q, x=None, *, base="nats") -> Tensor:
    """KL(p‖q) = Σ p log(p/q) ≥ 0, the relative entropy; 0 only if p = q, inf where q misses p."""
    (mass, _), (p, q) = _read(x, p=p, q=q)
    terms = xlogy(mass, p) - xlogy(mass, q)
    return terms.sum() / _unit(base)


def js(p, q, x=None, *, base="nats") -> Tensor:
    """JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m), m = (p + q)/2; from 0 to log 2 nats, which is one bit."""
    (mass_p, mass_q), (p, q) = _read(x, p=p, q=q)
    m2 = p + q  # 2m, not m: half of the smallest float would be 0
    of_p = xlogy(mass_p, 2 * p)
    of_q = xlogy(mass_q, 2 * q)
    of_m = xlogy(mass_p + mass_q, m2)
    twice = (of_p + of_q - of_m).sum()
    return twice / (2 * _unit(base))


def total_variation(p, q, x=None) -> Tensor:
    """TV(p, q) = ½ Σ |p − q|, from 0 to 1: the most that p and q can differ on an event."""
    (mass_p, mass_q), _ = _read(x, p=p, q=q)
    difference = mass_p - mass_q
    return difference.abs().sum() / 2


def wasserstein1(p, q, x=None) -> Tensor:
    """W₁(p, q) = ∫ |F_p − F_q| dx, the least mass times way from p to q, in units of x.

    Without x the unit is one step, from a symbol to the next.
    """
    (mass_p, mass_q), _ = _read(x, p=p, q=q)
    difference = (mass_p - mass_q).cumsum(0)[:-1]  # F_p − F_q
    difference = difference.abs()
    if x is None:
        return difference.sum()
    width = _row("x", x).diff()
    return (difference * width).sum()


class Estimate(NamedTuple):
    """An average of n draws, and the standard error of that average."""

    value: float
    error: float


def monte_carlo_kl(
    p, q, n: int, generator: torch.Generator | None = None, *, base="nats"
) -> Estimate:
    """KL(p‖q) = E_p[log p(x) − log q(x)] from n ≥ 2 draws of p, in any dimension.

    The error falls as 1/√n. p and q are laws as in `targets`, with `sample(n, generator)` and
    `log_prob(x)`. One draw where q has no mass makes the value inf, and the error with it.
    """
    count("n", n, 2, MOST)
    method("p", p, "sample", "log_prob")
    method("q", q, "log_prob")
    dim_p = getattr(p, "dim", None)
    dim_q = getattr(q, "dim", None)
    if None not in (dim_p, dim_q) and dim_p != dim_q:
        raise ValueError(f"p and q must have as many dimensions, got {dim_p} and {dim_q}")

    x = p.sample(n, generator).double()
    surplus = (p.log_prob(x) - q.log_prob(x)) / _unit(base)
    value = float(surplus.mean())
    error = math.inf
    if value < math.inf:
        error = float(surplus.std()) / math.sqrt(n)
    return Estimate(value, error)


def code_lengths(p, code="ideal") -> Tensor:
    """Bits for each symbol, (n,): "ideal", −log₂ p, or "huffman", the best prefix code's.

    Huffman's are whole numbers; their mean L has H(p) ≤ L < H(p) + 1 in bits. A symbol with p = 0
    has no word: its length is inf.
    Source: Huffman 1952, A method for the construction of minimum-redundancy codes.
    """
    _, (p,) = _read(None, p=p)
    code = one_of("code", code, ("ideal", "huffman"))
    if code == "ideal":
        return 0 - p.log2()

    lengths = torch.zeros_like(p).masked_fill(p == 0, math.inf)
    heap = []  # subtrees, the rarest on top: mass, first symbol, all symbols
    for i, mass in enumerate(p.tolist()):
        if mass > 0:
            heap.append((mass, i, [i]))
    heapq.heapify(heap)
    while len(heap) > 1:  # join the two rarest; all their symbols move one bit down the tree
        mass_a, first, rarest = heapq.heappop(heap)
        mass_b, _, second = heapq.heappop(heap)
        joined = rarest + second
        lengths[joined] += 1
        heapq.heappush(heap, (mass_a + mass_b, first, joined))
    return lengths


def code_words(lengths) -> list[str]:
    """Words of 0 and 1 with these lengths, rounded up, none the beginning of another.

    Possible when Σ 2^(−length) ≤ 1 (Kraft's inequality): the words are taken in order, shortest
    first. Where the length is inf, the word is "".
    """
    lengths = _row("lengths", lengths).tolist()
    bits = [math.ceil(n) if math.isfinite(n) else None for n in lengths]
    used = [n for n in bits if n is not None]
    allowed = all(n >= 0 for n in used) and sum(2.0**-n for n in used) <= 1
    if not allowed:
        raise ValueError(f"lengths must be ≥ 0 with Σ 2^(−length) ≤ 1, got {bits}")

    words = [""] * len(bits)
    word = 0  # the next word that is free, read as a binary number
    last = 0  # the length of the one before
    in_order = sorted((n, i) for i, n in enumerate(bits) if n)
    for n, i in in_order:
        word <<= n - last
        words[i] = format(word, f"0{n}b")
        word += 1
        last = n
    return words


def _unit(base) -> float:
    return UNITS[one_of("base", base, UNITS)]


def _row(name, values) -> Tensor:
    return row(name, values).double()


def _read(x, **laws) -> tuple[Tensor, Tensor]:
    """The laws as masses and as given, both (laws, n); few and cheap looks, as each step reads."""
    if x is None:
        return _read_probabilities(laws)
    return _read_densities(x, laws)


def _read_probabilities(laws) -> tuple[Tensor, Tensor]:
    """Probabilities are masses as they are."""
    masses = torch.stack(_rows(laws))
    _refuse_unless_total_1(masses, laws, "sum to 1", slack=1e-5)
    return masses, masses


def _read_densities(x, laws) -> tuple[Tensor, Tensor]:
    """A density has in each cell of the grid x the mass p(x) times the width of the cell."""
    *densities, grid = _rows(laws | {"x": x})
    if not rises(grid):
        raise ValueError(f"x must be a grid of rising numbers, at least two, got {len(grid)}")

    table = torch.stack(densities)
    (width,) = torch.gradient(grid)
    masses = width * table
    _refuse_unless_total_1(masses, laws, "integrate to 1 on the grid, within 0.01,", slack=0.01)

    # So far out in the tails q may be 0 only because it is too small for a float.
    return masses.masked_fill(masses < 1e-16, 0), table


def _rows(named) -> list[Tensor]:
    """Each of the named values as one row; all must be of one length."""
    rows = [_row(name, values) for name, values in named.items()]
    lengths = [len(row) for row in rows]
    if len(set(lengths)) > 1:
        names = ", ".join(named)
        raise ValueError(f"{names} must have the same length, got {lengths}")
    return rows


def _refuse_unless_total_1(masses, laws, what, *, slack) -> None:
    totals = masses.sum(1).tolist()
    least = masses.min().item()
    right = all(abs(total - 1) <= slack for total in totals)
    if not (least >= 0 and right):  # put so that nan fails too
        names = " and ".join(laws)
        got = " and ".join(f"{total:g}" for total in totals)
        raise ValueError(
            f"{names} must {what} with no negative number, got {got}, the least number {least:g}"
        )
