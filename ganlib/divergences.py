"""Entropy, cross-entropy and the divergences between two laws p and q, in nats or bits.

Without x, p and q are probabilities that sum to 1; with x, densities on that grid. 0 log 0 is 0, and
a divergence is inf, without a warning, where p has mass and q has none.
"""

import torch
from torch import Tensor

__all__ = ["js", "kl"]


def kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p‖q) = Σ p log(p/q)."""
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum()


def js(p: Tensor, q: Tensor) -> Tensor:
    """JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m), m = (p + q)/2; between 0 and log 2 nats."""
    m = (p + q) / 2
    return (kl(p, m) + kl(q, m)) / 2
