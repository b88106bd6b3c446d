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

from ganlib.checks import function, positive, row, tensor


@torch.no_grad()
def hop(log_p, x: Tensor, size: float, generator=None, *, langevin=False) -> tuple[Tensor, Tensor]:
    """One Metropolis step of walkers x (n, 1): propose x′ ~ q(·|x), and go there or stay.

    They go with probability min(1, p(x′)q(x|x′) / p(x)q(x′|x)). q is N(x, size²), with `langevin`
    N(x + ½ size² ∇log p, size²); log_p may miss a constant. Returns walkers and who moved, (n,).
    Source: Hastings 1970; Roberts & Tweedie 1996.
    """
    positive("size", size)
    function("log_p", log_p)
    x = tensor("x", x)
    if x.ndim != 2 or x.shape[1] != 1:
        raise ValueError(f"x must be (n, 1), got {tuple(x.shape)}")
    here = log_p(x)
    if here.shape != x[:, 0].shape:
        raise ValueError(f"log_p must map x (n, 1) to (n,), got {tuple(here.shape)}")
    slope = torch.func.grad(lambda x: log_p(x).sum())

    # The middle of q(·|x), a draw x′ from it, and the middle of q(·|x′), which proposes x again.
    ahead = x + size**2 / 2 * slope(x) if langevin else x
    new = ahead + size * torch.randn(x.shape, generator=generator, dtype=x.dtype)
    back = new + size**2 / 2 * slope(new) if langevin else new

    log_q = ((new - ahead) ** 2 - (x - back) ** 2)[:, 0] / (2 * size**2)
    luck = torch.rand(len(x), generator=generator).log()
    moved = luck < log_p(new) - here + log_q
    return new.where(moved[:, None], x), moved


def transition(log_p: Tensor, size: float, x: Tensor, *, langevin=False) -> Tensor:
    """`hop` on the grid x as a matrix (points, points): row i says where walkers at xᵢ go.

    log_p is (points,); x rises by equal steps, none wider than `size`, else ValueError. Beyond its
    ends p counts as 0: who is proposed a place there stays, as if refused.
    """
    positive("size", size)
    x = row("x", x)
    log_p = row("log_p", log_p, len(x))
    if not (len(x) > 1 and bool((x.diff() > 0).all()) and bool(log_p.isfinite().all())):
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
    K = (log_q + (flow.T - flow).clamp(max=0)).exp().fill_diagonal_(0)

    # Who may not move stays: the rest of 1, which may be −1e-16 where nobody stays.
    return K + (1 - K.sum(1)).clamp(min=0).diag()


def second_eigenvalue(K: Tensor, p: Tensor) -> float:
    """|λ₂| of a chain K (points, points) in detailed balance with p (points,).

    In the long run the distance to p shrinks by this factor a step. √p K / √p is symmetric by
    detailed balance, so that the eigenvalues are real.
    """
    root = p.sqrt()
    sizes = torch.linalg.eigvalsh(root[:, None] * K / root).abs().sort().values
    return float(sizes[-2])


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
    return f"{round(steps, min(0, 2 - math.floor(math.log10(steps)))):,.0f}"
