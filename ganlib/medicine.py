"""Medicine for sick GANs: what is put on D, on the optimiser or on G, each with one knob.

The penalties are in `losses`, the rates and d_steps in `GAN`. `treat` joins them, so that two GANs
which differ in exactly one knob can be trained as twins. Three medicines must change more: k = 5
takes five times the batches, the spread of the batch a D with more inputs, and the gradient penalty
draws its mixtures from the generator of the noise.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import swa_utils

from ganlib.checks import count, finite, function, of_kind, positive, share
from ganlib.gan import GAN


class _Unit(nn.Module):
    """W ↦ W / σ(W), σ exact.

    torch's own updates a running vector in place, which `vmap` cannot batch.
    """

    def forward(self, W: Tensor) -> Tensor:
        return W / torch.linalg.matrix_norm(W, 2)


def spectral(net: nn.Module) -> nn.Module:
    """Divide each linear layer of `net` by its largest singular value.

    With tanh between the layers |D(x) − D(y)| ≤ ‖x − y‖.
    Source: Miyato et al. 2018, arXiv:1802.05957.
    """
    of_kind("net", net, nn.Module)
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    for layer in layers:
        nn.utils.parametrize.register_parametrization(layer, "weight", _Unit())
    return net


class Noise(nn.Module):
    """x + sd·ε, ε normal, in training, for D to see: two laws without overlap overlap again.

    Source: Sønderby et al. 2017, arXiv:1610.04490.
    """

    def __init__(self, sd: float, generator: torch.Generator | None = None):
        super().__init__()
        if not finite("sd", sd) >= 0:
            raise ValueError(f"sd must be at least 0, got {sd!r}")
        if generator is not None:
            of_kind("generator", generator, torch.Generator)
        self.sd = sd
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        of_kind("x", x, Tensor)
        if not self.training:
            return x
        where = x.device if self.generator is None else self.generator.device
        ε = torch.randn(x.shape, generator=self.generator, device=where)
        return x + self.sd * ε.to(x.device)


class Spread(nn.Module):
    """(x, the spread of x over its batch), for D to see: a batch from one mode gives itself away.

    Source: Karras et al. 2018, section 3, arXiv:1710.10196; learned features: Salimans et al. 2016,
    arXiv:1606.03498.
    """

    def forward(self, x: Tensor) -> Tensor:
        of_kind("x", x, Tensor)
        if x.ndim != 2 or len(x) < 2 or not x.is_floating_point():
            raise ValueError(f"x must be floats (n, d) with n ≥ 2, got {x.dtype} {tuple(x.shape)}")
        spread = x.std(0, keepdim=True)
        return torch.cat([x, spread.expand_as(x)], 1)


def optimism(optimiser: torch.optim.Optimizer) -> None:
    """Look ahead: move by 2uₜ − uₜ₋₁, not by the step uₜ.

    Source: Daskalakis et al. 2018, arXiv:1711.00141.
    """
    of_kind("optimiser", optimiser, torch.optim.Optimizer)
    parameters = optimiser.param_groups[0]["params"]
    places: list[Tensor] = []  # before the step
    last_moves: list[Tensor] = []  # empty before the second step, which alone is plain

    def remember(*_):
        places[:] = [p.detach().clone() for p in parameters]

    @torch.no_grad()
    def look_ahead(*_):
        moves = [p - place for p, place in zip(parameters, places)]
        for p, move, last in zip(parameters, moves, last_moves):
            p.add_(move - last)
        last_moves[:] = moves

    optimiser.register_step_pre_hook(remember)
    optimiser.register_step_post_hook(look_ahead)


class Extragradient(GAN):
    """Look ahead, then move from where you were as you would move there.

    θ½ = θ + u(θ), θ ← θ + u(θ½), where u is a step of D, then of G, both times on the same batch
    and noise. Source: Gidel et al. 2019, arXiv:1802.10551.
    """

    def step(self, real: Tensor) -> dict[str, float]:
        weights = [*self.G.parameters(), *self.D.parameters()]
        noise = self.generator.get_state()
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
    """The moving average of G, θ̄ ← decay·θ̄ + (1 − decay)·θ.

    Source: Yazıcı et al. 2019, arXiv:1806.04498.
    """
    of_kind("gan", gan, GAN)
    share("decay", decay)
    move = swa_utils.get_ema_multi_avg_fn(decay)
    mean = swa_utils.AveragedModel(gan.G, multi_avg_fn=move)
    mean.update_parameters(gan.G)
    gan.opt_G.register_step_post_hook(lambda *_: mean.update_parameters(gan.G))
    return mean


@dataclass(frozen=True)
class Dose:
    """A medicine as it is given: each field is one knob, and its default is to leave that alone.

    knobs: of `GAN`. times: multiplies lr_D. wrap: goes around D, which then has `inputs` times as
    many inputs. optimistic: both optimisers look ahead. ema: the share that an average of G keeps
    at each step; 0: no average. kind: the class of the GAN.
    """

    knobs: dict[str, Any] = field(default_factory=dict)
    times: float = 1.0
    wrap: Callable[[nn.Module], nn.Module] = lambda net: net
    inputs: int = 1
    optimistic: bool = False
    ema: float = 0.0
    kind: type[GAN] = GAN


MEDICINE = {
    "none": Dose(),
    "R1, weight 1": Dose(knobs={"penalty": "r1", "penalty_weight": 1.0}),
    "gradient penalty, weight 1": Dose(
        knobs={"penalty": "gradient penalty", "penalty_weight": 1.0}
    ),
    "spectral norm": Dose(wrap=spectral),
    "lr_D times 5": Dose(times=5.0),
    "lr_D over 5": Dose(times=0.2),
    "no momentum": Dose(knobs={"betas": (0.0, 0.999)}),
    "average of G, 0.99": Dose(ema=0.99),
    "k = 5": Dose(knobs={"d_steps": 5}),
    "spread of the batch": Dose(wrap=lambda net: nn.Sequential(Spread(), net), inputs=2),
    "optimism": Dose(optimistic=True),
    "extragradient": Dose(kind=Extragradient),
    "instance noise 0.3": Dose(wrap=lambda net: nn.Sequential(Noise(0.3), net)),
}


def treat(G, D, prior, dose: Dose, **knobs) -> tuple[GAN, nn.Module]:
    """A `GAN` with a dose of medicine, a value of `MEDICINE`; and the generator to look at.

    That is the average of G if the medicine takes one, else G. D(inputs, wrap) makes the
    discriminator; knobs are those of `GAN`, lr_D among them, and give way to those of the dose.
    """
    of_kind("dose", dose, Dose)
    settings = {**knobs, **dose.knobs}
    lr_D = positive("lr_D", settings.get("lr_D"))
    settings["lr_D"] = lr_D * positive("times", dose.times)
    function("D", D)
    count("inputs", dose.inputs)
    ema = share("ema", dose.ema)
    wrapped = D(dose.inputs, dose.wrap)
    gan = dose.kind(G, wrapped, prior, **settings)

    if dose.optimistic:
        optimism(gan.opt_D)
        optimism(gan.opt_G)
    if ema:
        return gan, average(gan, ema)
    return gan, G
