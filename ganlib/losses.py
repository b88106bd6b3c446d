"""The GAN losses as formulas on logits.

**D returns logits, everywhere**: the paper's D(x) is `D(x).sigmoid()`. Then log D =
−softplus(−logit) and log(1 − D) = −softplus(logit), which stay finite where `log(sigmoid(logit))`
would not. Order is always (real, fake). Both players *minimise* what stands here.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from ganlib.checks import tensor


class Loss(NamedTuple):
    """A pair of costs: D's from the logits of real and fake, G's from the logits of the fake.

    paired: G's cost, as D's, takes the logits of (real, fake), for losses that compare one with the
    other. An example is the relativistic loss, Jolicoeur-Martineau 2019, arXiv:1807.00734, with
    D = softplus(fake − real).mean() and G = softplus(real − fake).mean().
    """

    name: str
    D: Callable[[Tensor, Tensor], Tensor]
    G: Callable[..., Tensor]
    paired: bool = False


def _cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """−E log D(x) − E log(1 − D(G(z))), which is −V(D, G)."""
    return softplus(-real).mean() + softplus(fake).mean()


# fmt: off
LOSSES = {loss.name: loss for loss in (
    # V(D, G) itself: D minimises −V, G minimises V, so the game is zero-sum.
    # Goodfellow et al. 2014, eq. 1.
    Loss("minimax",
         D=_cross_entropy,
         G=lambda fake: -softplus(fake).mean()),  # log(1 − D(G(z)))

    # The same D; G maximises log D(G(z)), which still has a slope where D is sure.
    # Ibid., section 3.
    Loss("non-saturating",
         D=_cross_entropy,
         G=lambda fake: softplus(-fake).mean()),  # −log D(G(z))

    # Targets 1, −1 for D and 0 for G: Pearson χ²(p_data + p_g ‖ 2 p_g).
    # Mao et al. 2017, arXiv:1611.04076.
    Loss("least-squares",
         D=lambda real, fake: ((real - 1) ** 2).mean() / 2 + ((fake + 1) ** 2).mean() / 2,
         G=lambda fake: (fake ** 2).mean() / 2),

    # D is asked for a margin, not for certainty. Lim & Ye 2017, arXiv:1705.02894.
    Loss("hinge",
         D=lambda real, fake: relu(1 - real).mean() + relu(1 + fake).mean(),
         G=lambda fake: -fake.mean()),

    # W1 if D is 1-Lipschitz (use a penalty). Arjovsky et al. 2017, arXiv:1701.07875.
    Loss("wasserstein",
         D=lambda real, fake: fake.mean() - real.mean(),
         G=lambda fake: -fake.mean()),

    # E[D(x)] − E[D(G(z))] with D in [0, 1]: total variation at the optimal D, which is a step.
    Loss("linear",
         D=lambda real, fake: fake.sigmoid().mean() - real.sigmoid().mean(),
         G=lambda fake: -fake.sigmoid().mean()),
)}
# fmt: on


def value(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """V(D, G) = E log D(x) + E log(1 − D(G(z))) in nats, at most 0; −log 4 when D is ½ everywhere.

    Source: Goodfellow et al. 2014, eq. 1, arXiv:1406.2661.
    """
    real_logits = tensor("real_logits", real_logits)
    fake_logits = tensor("fake_logits", fake_logits)
    if min(real_logits.numel(), fake_logits.numel()) == 0:
        raise ValueError("real_logits and fake_logits must be at least one each")
    log_real = -softplus(-real_logits).mean()  # E log D(x)
    log_fake = -softplus(fake_logits).mean()  # E log(1 − D(G(z)))
    return log_real + log_fake


def _slopes(D, x: Tensor) -> Tensor:
    """‖∇ₓ D(x)‖² for each of the n examples, (n,), of the logit."""
    if not callable(D):
        raise TypeError(f"D must be a network, got {D!r}")
    x = x.detach().requires_grad_()
    try:
        (slope,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    except (AttributeError, RuntimeError) as error:
        raise ValueError(f"D has no slope at {tuple(x.shape)}: {error}") from error
    return slope.flatten(1).square().sum(1)


def _examples(name: str, x) -> Tensor:
    x = tensor(name, x)
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(f"{name} must be examples, (n, ...), got shape {tuple(x.shape)}")
    return x


def r1(
    D, real: Tensor, fake: Tensor | None = None, generator: torch.Generator | None = None
) -> Tensor:
    """R1 penalty ½ E‖∇D(x)‖² at the real data.

    Source: Mescheder et al. 2018, eq. 9, arXiv:1801.04406.
    """
    return _slopes(D, _examples("real", real)).mean() / 2


def gradient_penalty(
    D, real: Tensor, fake: Tensor, generator: torch.Generator | None = None
) -> Tensor:
    """E(‖∇D(x̂)‖ − 1)², x̂ uniform on the lines from real to fake.

    Source: Gulrajani et al. 2017, arXiv:1704.00028.
    """
    real = _examples("real", real)
    fake = _examples("fake", fake)
    if real.shape != fake.shape:
        raise ValueError(
            f"fake must have the shape of real, {tuple(real.shape)}, got {tuple(fake.shape)}"
        )
    one_each = (len(real), *[1] * (real.ndim - 1))
    where = "cpu" if generator is None else generator.device
    t = torch.rand(one_each, generator=generator, device=where).to(real)
    mixed = t * real + (1 - t) * fake.detach()
    slopes = (_slopes(D, mixed) + 1e-12).sqrt()  # 1e-12: the square root has no slope at 0
    return (slopes - 1).square().mean()


Penalty = Callable[..., Tensor]  # of (D, real, fake, generator): a mean over the examples
PENALTIES: dict[str, Penalty] = {"r1": r1, "gradient penalty": gradient_penalty}


def loss_of(loss: str | Loss) -> Loss:
    """The `Loss` of this name, or the one that is given; ValueError for anything else."""
    if isinstance(loss, Loss):
        if not (callable(loss.D) and callable(loss.G)):
            raise ValueError(f"loss {loss.name} must have two functions D and G, got {loss!r}")
        return loss
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]
    names = ", ".join(LOSSES)
    raise ValueError(f"loss must be one of {names}, or a losses.Loss, got {loss!r}")


def penalty_of(penalty: str | Penalty | None) -> Penalty | None:
    """The penalty of this name, or the function that is given; None stays None.

    A penalty is a function of (D, real, fake, generator), as those in `PENALTIES`: a mean over the
    examples. ValueError for anything else.
    """
    if penalty is None or callable(penalty):
        return penalty
    if isinstance(penalty, str) and penalty in PENALTIES:
        return PENALTIES[penalty]
    names = ", ".join(PENALTIES)
    raise ValueError(
        f"penalty must be one of {names}, or a function of (D, real, fake, generator), "
        f"or None, got {penalty!r}"
    )
