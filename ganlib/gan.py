"""Class `GAN`: two networks, two optimisers, one step; and the ledger that says how far they are.

The caller writes the loop: `for real in batches: gan.step(real)`. One step is D then G, Algorithm 1 of
Goodfellow et al. 2014, arXiv:1406.2661. Learning rates may be set at any time; Adam's memory is kept.
"""

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, pad

from ganlib import densities, divergences
from ganlib.checks import count, one_of, positive
from ganlib.losses import LOSSES, PENALTIES

ROWWISE = {
    nn.Sequential,
    nn.Linear,
    nn.Tanh,
    nn.ReLU,
    nn.LeakyReLU,
    nn.Sigmoid,
    nn.SiLU,
    nn.GELU,
    nn.ELU,
    nn.Softplus,
}


@dataclass(frozen=True)
class Ledger:
    """Where a one-dimensional GAN stands, all from exact densities on a grid; m = (p_data + p_g)/2.

    js: JS(p_data, p_g) in nats, at most log 2.      value: V(D, G) + log 4, at most 2 js.
    regret: 2 js − value = 2 E_m KL(D*‖D), what D loses by not being D*.
    off_half: E_m|D − ½|.                            off_star: E_m|D − D*|.
    real_term, fake_term: E log D(x) and E log(1 − D(G(z))), which add up to V.
    """

    js: float
    value: float
    regret: float
    off_half: float
    off_star: float
    real_term: float
    fake_term: float

    def converged(self, js: float = 0.02) -> bool:
        """JS ≤ `js` nats and both gauges of D ≤ 0.05. D = ½ alone proves nothing."""
        return self.js <= js and self.off_star <= 0.05 and self.off_half <= 0.05

    def __str__(self):
        return (
            f"JS {self.js:.3f}, V + log 4 {self.value:.3f}, regret {self.regret:.3f}, "
            f"E|D − ½| {self.off_half:.3f}, E|D − D*| {self.off_star:.3f}"
        )


class GAN:
    """A generator G(z) and a discriminator D(x) that returns logits, trained against each other.

    prior: a law with `sample(n, generator)`. loss: a key of `losses.LOSSES`. lr_G, lr_D: positive
    learning rates, to be set at any time. betas: Adam's. optimiser: "adam" or "sgd". d_steps: D steps
    per G step; `real` is cut into that many minibatches. penalty: a key of `losses.PENALTIES`, times
    `penalty_weight`. seed: of the noise z. Wrong values raise ValueError, divergence FloatingPointError.
    """

    def __init__(
        self,
        G,
        D,
        prior,
        *,
        loss="non-saturating",
        lr_G=1e-3,
        lr_D=1e-3,
        betas=(0.5, 0.999),
        optimiser="adam",
        d_steps=1,
        penalty=None,
        penalty_weight=1.0,
        seed=None,
    ):
        self.G, self.D, self.prior, self.betas = G, D, prior, _betas(betas)
        self.loss, self.penalty, self.d_steps, self.penalty_weight = (
            loss,
            penalty,
            d_steps,
            penalty_weight,
        )
        self.device = next(G.parameters()).device
        self._rowwise = all(
            type(part) in ROWWISE for part in D.modules()
        )  # D looks at each example by itself
        self.generator = torch.Generator()
        self.generator.seed() if seed is None else self.generator.manual_seed(seed)
        self.opt_G = _optimiser(optimiser, G.parameters(), positive("lr_G", lr_G), self.betas)
        self.opt_D = _optimiser(optimiser, D.parameters(), positive("lr_D", lr_D), self.betas)
        self.optimiser, self.steps = optimiser, 0
        self.history: list[dict[str, float]] = []

    # What may be changed while it trains; each setter says what it accepts.
    lr_G = property(
        lambda self: self.opt_G.param_groups[0]["lr"],
        lambda self, lr: self.opt_G.param_groups[0].update(lr=positive("lr_G", lr)),
    )
    lr_D = property(
        lambda self: self.opt_D.param_groups[0]["lr"],
        lambda self, lr: self.opt_D.param_groups[0].update(lr=positive("lr_D", lr)),
    )
    loss = property(
        lambda self: self._loss,
        lambda self, name: setattr(self, "_loss", one_of("loss", name, LOSSES)),
    )
    penalty = property(
        lambda self: self._penalty,
        lambda self, name: setattr(
            self, "_penalty", name if name is None else one_of("penalty", name, PENALTIES)
        ),
    )
    penalty_weight = property(
        lambda self: self._penalty_weight,
        lambda self, w: setattr(self, "_penalty_weight", positive("penalty_weight", w)),
    )
    d_steps = property(
        lambda self: self._d_steps, lambda self, k: setattr(self, "_d_steps", count("d_steps", k))
    )

    def noise(self, n: int) -> Tensor:
        """n draws of z from the prior, on the device of G."""
        return self.prior.sample(count("n", n), self.generator).to(self.device)

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """n generated examples, (n, ...)."""
        return self.G(self.noise(n))

    def step_D(self, real: Tensor) -> dict[str, float]:
        """One step of D: ascend V(D, G) with G held fixed. real is (n, ...)."""
        with torch.no_grad():  # G is not learning here: no graph through it is needed
            fake = self.G(self.noise(len(real)))
        if fake.shape != real.shape:
            raise ValueError(
                f"G must give examples of the data's shape, {tuple(real.shape)}, got {tuple(fake.shape)}"
            )
        # One pass for both is faster; batch norm, say, would mix them, and there D is asked twice.
        both = (
            self.D(torch.cat([real, fake])).tensor_split(2)
            if self._rowwise
            else (self.D(real), self.D(fake))
        )
        real_logits, fake_logits = both
        if real_logits.shape[0] != len(real) or real_logits.numel() != len(real):
            raise ValueError(
                f"D must give one logit for each of {len(real)} examples, got {tuple(real_logits.shape)}"
            )
        loss = LOSSES[self.loss].D(real_logits, fake_logits)
        total = loss
        if self.penalty is not None:
            total = loss + self.penalty_weight * PENALTIES[self.penalty](
                self.D, real, fake, self.generator
            )
        descend(total, self.opt_D)
        return {"loss_D": self._finite("loss_D", loss)}

    def step_G(self, n: int) -> dict[str, float]:
        """One step of G on n fresh fakes, with D held fixed: the gradient passes through D, D does not move."""
        fake_logits = self.D(self.G(self.noise(n)))
        loss = LOSSES[self.loss].G(fake_logits)
        descend(loss, self.opt_G)
        return {"loss_G": self._finite("loss_G", loss)}

    def step(self, real: Tensor) -> dict[str, float]:
        """d_steps steps of D, then one of G; returns both losses and appends them to `history`."""
        for part in real.tensor_split(self.d_steps) if self.d_steps > 1 else (real,):
            record = self.step_D(part)
        record.update(self.step_G(len(part)))
        self.steps += 1
        self.history.append(record)
        return record

    def _finite(self, name: str, loss: Tensor) -> float:
        number = loss.item()
        if not math.isfinite(number):
            raise FloatingPointError(f"diverged at step {self.steps + 1}: {name} is {number}")
        return number

    def logits(self, x: Tensor) -> Tensor:
        """D on a grid x (points,) of one dimension, (points,) float64; ValueError if D does not fit it."""
        dtype = next(self.G.parameters()).dtype  # D may be one that is computed, without weights
        logits = self.D(x.to(self.device, dtype)[:, None]).flatten().double().cpu()
        if len(logits) != len(x):
            raise ValueError(
                f"D must map (n, 1) to (n, 1), got {len(logits)} numbers from {len(x)}"
            )
        if not math.isfinite(logits.sum()):
            raise FloatingPointError("D gives numbers that are not finite")
        return logits

    @torch.no_grad()
    def ledger(
        self,
        p_data: Tensor,
        x: Tensor,
        *,
        masses: tuple | None = None,
        logits: Tensor | None = None,
    ) -> Ledger:
        """The exact `Ledger` of a one-dimensional GAN; p_data and x are (points,), x equally spaced.

        `masses` from `push_masses` and `logits` from `logits(x)` save work when the caller has them.
        What G throws outside the grid counts as one point on each side: there p_data is 0.
        """
        q, ends = densities.push_masses(self.G, self.prior, x) if masses is None else masses
        outer = [ends[ends < x[0]], ends[ends > x[-1]]]
        at = torch.stack(
            [side.mean() if len(side) else edge for side, edge in zip(outer, (x[0], x[-1]))]
        )
        beyond = self.logits(at)
        logit = torch.cat([beyond[:1], self.logits(x) if logits is None else logits, beyond[1:]])
        p = pad(p_data.double() / p_data.double().sum(), (1, 1))
        m, D = (p + q) / 2, logit.sigmoid()
        divergence = float(divergences.js(p, q))
        real_term, fake_term = float(p @ logsigmoid(logit)), float(q @ logsigmoid(-logit))
        value = real_term + fake_term + math.log(4)
        off_star = float((p - (p + q) * D).abs().sum() / 2)  # m |D − D*| = |p − (p + q) D| / 2
        return Ledger(
            divergence,
            value,
            2 * divergence - value,
            float(m @ (D - 0.5).abs()),
            off_star,
            real_term,
            fake_term,
        )

    def state_dict(self) -> dict:
        """Everything that the next step depends on, copied: weights, optimisers, noise, step count."""
        parts = {name: getattr(self, name).state_dict() for name in ("G", "D", "opt_G", "opt_D")}
        return {
            **copy.deepcopy(parts),
            "generator": self.generator.get_state(),
            "steps": self.steps,
        }

    def load_state_dict(self, state: dict) -> None:
        """Go back to a `state_dict`; the history after it is dropped."""
        for name in ("G", "D", "opt_G", "opt_D"):
            getattr(self, name).load_state_dict(copy.deepcopy(state[name]))
        self.generator.set_state(state["generator"])
        self.steps = state["steps"]
        del self.history[self.steps :]

    def __repr__(self):
        return f"GAN: {self.loss} loss, lr_G {self.lr_G:g}, lr_D {self.lr_D:g}, {self.steps} steps"


def _optimiser(name, parameters, lr, betas):
    kinds = {
        "adam": lambda p: _Adam(
            p, lr=lr, betas=betas, fused=True
        ),  # fused: one call for all layers
        "sgd": lambda p: torch.optim.SGD(p, lr=lr, fused=True),
    }
    return kinds[one_of("optimiser", name, kinds)](list(parameters))


class _Adam(torch.optim.Adam):
    """torch's Adam. `update` is its `step` without hooks, checks and records; step.py of the benchmarks says why."""

    @torch.no_grad()
    def update(self) -> None:
        group, memory = self.param_groups[0], self.state
        if not memory or self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks:
            return self.step()
        parameters, (beta1, beta2) = group["params"], group["betas"]
        m, v, t = (
            [memory[p][key] for p in parameters] for key in ("exp_avg", "exp_avg_sq", "step")
        )
        torch._foreach_add_(t, 1)
        torch._fused_adam_(
            parameters,
            [p.grad for p in parameters],
            m,
            v,
            [],
            t,
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            weight_decay=0.0,
            amsgrad=False,
            maximize=False,
        )


def descend(loss: Tensor, optimiser) -> None:
    """One optimiser step on its own parameters only; the other player's are never touched."""
    parameters = optimiser.param_groups[0]["params"]
    for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters)):
        same = (
            slope.stride() == parameter.stride()
        )  # fused Adam reads memory in order and ignores strides
        parameter.grad = slope if same else torch.empty_like(parameter).copy_(slope)
    optimiser.update() if isinstance(optimiser, _Adam) else optimiser.step()


def _betas(betas):
    if len(betas) != 2 or not all(isinstance(b, (int, float)) and 0 <= b < 1 for b in betas):
        raise ValueError(f"betas must be two numbers in [0, 1), got {betas!r}")
    return tuple(map(float, betas))
