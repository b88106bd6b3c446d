"""Medicine for sick GANs: what is put on D, on the optimiser or on G, each with one knob.

The penalties are in `losses`, the rates and d_steps in `GAN`. `treat` joins them, so that two GANs
which differ in exactly one knob can be trained as twins.
"""

import torch
from torch import Tensor, nn
from torch.optim import swa_utils

from ganlib.gan import GAN


class _Unit(nn.Module):
    """W ↦ W / σ(W), σ exact. torch's own updates a running vector in place, which `vmap` cannot batch."""

    def forward(self, W: Tensor) -> Tensor:
        return W / torch.linalg.matrix_norm(W, 2)


def spectral(net: nn.Module) -> nn.Module:
    """Divide each linear layer of `net` by its largest singular value: with tanh, |D(x) − D(y)| ≤ ‖x − y‖.

    Source: Miyato et al. 2018, arXiv:1802.05957.
    """
    for layer in [m for m in net.modules() if isinstance(m, nn.Linear)]:
        nn.utils.parametrize.register_parametrization(layer, "weight", _Unit())
    return net


class Noise(nn.Module):
    """x + sd·ε, ε normal, in training, for D to see: two laws without overlap overlap again.

    Source: Sønderby et al. 2017, arXiv:1610.04490.
    """

    def __init__(self, sd: float, generator: torch.Generator | None = None):
        super().__init__()
        self.sd, self.generator = sd, generator

    def forward(self, x: Tensor) -> Tensor:
        return x + self.sd * torch.randn(x.shape, generator=self.generator) if self.training else x


class Spread(nn.Module):
    """(x, the spread of x over its batch), for D to see, so that a batch from one mode gives itself away.

    Source: Karras et al. 2018, section 3, arXiv:1710.10196; learned features: Salimans et al. 2016, arXiv:1606.03498.
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, x.std(0, keepdim=True).expand_as(x)], 1)


def optimism(optimiser: torch.optim.Optimizer) -> None:
    """Look ahead: move by 2uₜ − uₜ₋₁, not by the step uₜ. Source: Daskalakis et al. 2018, arXiv:1711.00141."""
    parameters = optimiser.param_groups[0]["params"]
    memory: dict[str, list[Tensor]] = {"move": []}

    def remember(*_):
        memory["place"] = [p.detach().clone() for p in parameters]

    @torch.no_grad()
    def look_ahead(*_):
        moves = [p - place for p, place in zip(parameters, memory["place"])]
        for p, move, last in zip(parameters, moves, memory["move"]):
            p.add_(move - last)
        memory["move"] = moves

    optimiser.register_step_pre_hook(remember)
    optimiser.register_step_post_hook(look_ahead)


class Extragradient(GAN):
    """Look ahead, then move from where you were as you would move there: θ½ = θ + u(θ), θ ← θ + u(θ½).

    u is a step of D, then of G, both times on the same batch and noise. Source: Gidel et al. 2019, arXiv:1802.10551.
    """

    def step(self, real: Tensor) -> dict[str, float]:
        weights, noise = [*self.G.parameters(), *self.D.parameters()], self.generator.get_state()
        start = [p.detach().clone() for p in weights]
        super().step(real)
        ahead = [p.detach().clone() for p in weights]
        self.generator.set_state(noise)
        self.steps -= 1
        del self.history[-1]
        record = super().step(real)
        with torch.no_grad():
            for p, began, looked in zip(weights, start, ahead):
                p += began - looked
        return record


def average(gan: GAN, decay: float) -> nn.Module:
    """The moving average of G, θ̄ ← decay·θ̄ + (1 − decay)·θ. Source: Yazıcı et al. 2019, arXiv:1806.04498."""
    mean = swa_utils.AveragedModel(gan.G, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay))
    mean.update_parameters(gan.G)
    gan.opt_G.register_step_post_hook(lambda *_: mean.update_parameters(gan.G))
    return mean


# One knob each. `times` multiplies lr_D, `wrap` goes around D, which then has `inputs` times as many inputs.
MEDICINE: dict[str, dict] = {
    "none": {},
    "R1, weight 1": {"penalty": "r1", "penalty_weight": 1.0},
    "gradient penalty, weight 1": {"penalty": "gradient penalty", "penalty_weight": 1.0},
    "spectral norm": {"wrap": spectral},
    "lr_D times 5": {"times": 5.0},
    "lr_D over 5": {"times": 0.2},
    "no momentum": {"betas": (0.0, 0.999)},
    "average of G, 0.99": {"ema": 0.99},
    "k = 5": {"d_steps": 5},
    "spread of the batch": {"wrap": lambda net: nn.Sequential(Spread(), net), "inputs": 2},
    "optimism": {"optimistic": True},
    "extragradient": {"kind": Extragradient},
    "instance noise 0.3": {"wrap": lambda net: nn.Sequential(Noise(0.3), net)},
}


def treat(G, D, prior, dose: dict, **knobs) -> tuple[GAN, nn.Module]:
    """A `GAN` with a dose of medicine, a value of `MEDICINE`; and the generator to look at: the average of G, or G.

    D(inputs, wrap) makes the discriminator; knobs are those of `GAN`.
    """
    own: dict = {
        "wrap": lambda net: net,
        "inputs": 1,
        "times": 1.0,
        "optimistic": False,
        "ema": 0.0,
        "kind": GAN,
    }
    knobs |= {key: value for key, value in dose.items() if key not in own}
    own |= {key: value for key, value in dose.items() if key in own}
    knobs["lr_D"] *= own["times"]
    gan = own["kind"](G, D(own["inputs"], own["wrap"]), prior, **knobs)
    if own["optimistic"]:
        optimism(gan.opt_D)
        optimism(gan.opt_G)
    return gan, average(gan, own["ema"]) if own["ema"] else G
