"""Markov chains that come to rest at a law p known up to a constant.

One step is taken by walkers (`hop`), or is a matrix on a grid (`transition`). A chain comes to rest
at p when p is stationary, and it can reach everywhere and is not periodic. The step below makes p
stationary by detailed balance: as much mass goes from x to x′ as comes back,
p(x) K(x, x′) = p(x′) K(x′, x).
"""

import torch
from torch import Tensor

from ganlib.checks import positive


@torch.no_grad()
def hop(log_p, x: Tensor, size: float, generator=None, *, langevin=False) -> tuple[Tensor, Tensor]:
    """One Metropolis step of walkers x (n, 1): propose x′ ~ q(·|x), and go there or stay.

    They go with probability min(1, p(x′)q(x|x′) / p(x)q(x′|x)). q is N(x, size²), with `langevin`
    N(x + ½ size² ∇log p, size²); log_p may miss a constant. Returns walkers and who moved, (n,).
    Source: Hastings 1970; Roberts & Tweedie 1996.
    """
    positive("size", size)
    slope = torch.func.grad(lambda x: log_p(x).sum())

    # The middle of q(·|x), a draw x′ from it, and the middle of q(·|x′), which proposes x again.
    ahead = x + size**2 / 2 * slope(x) if langevin else x
    new = ahead + size * torch.randn(x.shape, generator=generator, dtype=x.dtype)
    back = new + size**2 / 2 * slope(new) if langevin else new

    log_q = ((new - ahead) ** 2 - (x - back) ** 2)[:, 0] / (2 * size**2)
    luck = torch.rand(len(x), generator=generator).log()
    moved = luck < log_p(new) - log_p(x) + log_q
    return new.where(moved[:, None], x), moved


def transition(log_p: Tensor, size: float, x: Tensor, *, langevin=False) -> Tensor:
    """`hop` on the grid x as a matrix (points, points): row i says where walkers at xᵢ go.

    log_p is (points,).
    """
    positive("size", size)
    ahead = x
    if langevin:
        ahead = x + size**2 / 2 * torch.gradient(log_p, spacing=(x,))[0]

    log_q = (-(((x - ahead[:, None]) / size) ** 2) / 2).log_softmax(1)
    flow = log_p[:, None] + log_q  # log p(xᵢ) q(xⱼ|xᵢ)
    K = (torch.minimum(flow, flow.T) - log_p[:, None]).exp().fill_diagonal_(0)
    return K + (1 - K.sum(1)).diag()  # who may not move stays
