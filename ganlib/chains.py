"""Markov chains that come to rest at a law p known up to a constant.

One step is taken by walkers (`hop`), or is a matrix on a grid (`transition`). A chain comes to rest
at p when p is stationary, and it can reach everywhere and is not periodic. The step below makes p
stationary by detailed balance: as much mass goes from x to x′ as comes back,
p(x) K(x, x′) = p(x′) K(x′, x).
"""

import math

import torch
from scipy.interpolate import CubicSpline
from torch import Tensor
from torch.distributions import Normal

from ganlib.checks import all_finite, function, positive, rises, row, rows


@torch.no_grad()
def hop(log_p, x: Tensor, size: float, generator=None, *, langevin=False) -> tuple[Tensor, Tensor]:
    """One Metropolis step of walkers x (n, 1): propose x′ ~ q(·|x), and go there or stay.

    They go with probability min(1, p(x′)q(x|x′) / p(x)q(x′|x)). q is N(x, size²), with `langevin`
    N(x + ½ size² ∇log p, size²); log_p may miss a constant. Returns walkers and who moved, (n,).
    Source: Hastings 1970; Roberts & Tweedie 1996.
    """
    positive("size", size)
    function("log_p", log_p)
    x = rows("x", x, 1)
    here = log_p(x)
    if here.shape != x[:, 0].shape:
        raise ValueError(f"log_p must map x (n, 1) to (n,), got {tuple(here.shape)}")

    variance = size**2
    slope = torch.func.grad(lambda x: log_p(x).sum())

    def middle(x):
        """Of q(·|x)."""
        if not langevin:
            return x
        return x + variance / 2 * slope(x)

    ahead = middle(x)
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    new = ahead + size * noise
    back = middle(new)

    # The log of p(x′)q(x|x′) / p(x)q(x′|x), from the squared ways there and back.
    there = (new - ahead) ** 2
    home = (x - back) ** 2
    log_q = (there - home)[:, 0] / (2 * variance)
    luck = torch.rand(len(x), generator=generator).log()
    log_ratio = log_p(new) - here + log_q
    moved = luck < log_ratio
    return new.where(moved[:, None], x), moved


def transition(log_p: Tensor, size: float, x: Tensor, *, langevin=False) -> Tensor:
    """`hop` on the grid x as a matrix (points, points): row i says where walkers at xᵢ go.

    log_p is (points,); x rises by equal steps, none wider than `size`, else ValueError. Beyond its
    ends p counts as 0: who is proposed a place there stays, as if refused.
    """
    positive("size", size)
    x = row("x", x)
    log_p = row("log_p", log_p, len(x))
    if not (rises(x) and all_finite(log_p)):
        raise ValueError("x must be a rising grid, at least two points, and log_p finite on it")
    spacing = float(x[1] - x[0])
    if spacing > 1.001 * size:
        raise ValueError(f"size must be at least the spacing of x, {spacing:g}, got {size!r}")

    ahead = x
    if langevin:
        slope = CubicSpline(x, log_p).derivative()  # to the fourth power of the spacing
        ahead = x + size**2 / 2 * torch.from_numpy(slope(x))

    # No row is scaled to sum to 1 on the grid: that would turn walkers round at its ends.
    log_q = Normal(ahead[:, None], size).log_prob(x) + math.log(spacing)
    flow = log_p[:, None] + log_q  # log p(xᵢ) q(xⱼ|xᵢ)
    log_taken = (flow.T - flow).clamp(max=0)  # how likely a proposal is taken
    K = (log_q + log_taken).exp().fill_diagonal_(0)

    # Who may not move stays: the rest of 1, which may be −1e-16 where nobody stays.
    stays = (1 - K.sum(1)).clamp(min=0)
    return K + stays.diag()


def second_eigenvalue(K: Tensor, p: Tensor) -> float:
    """|λ₂| of a chain K (points, points) in detailed balance with p (points,).

    In the long run the distance to p shrinks by this factor a step. √p K / √p is symmetric by
    detailed balance, so that the eigenvalues are real.
    """
    root = p.sqrt()
    symmetric = root[:, None] * K / root
    sizes = torch.linalg.eigvalsh(symmetric).abs()
    return float(sizes.sort().values[-2])


def halving(second: float) -> str:
    """In how many steps the distance to p halves, log ½ / log |λ₂|, in at most three digits.

    "∞" where |λ₂| is 1 to rounding: such a number of steps cannot be told.
    """
    if second <= 0:
        return "0"
    if 1 - second < 1e-12:
        return "∞"
    steps = math.log(0.5) / math.log(second)
    if steps < 9.95:
        return f"{steps:.1f}"
    digits = math.floor(math.log10(steps)) + 1  # before the point
    rounded = round(steps, min(0, 3 - digits))
    return f"{rounded:,.0f}"
