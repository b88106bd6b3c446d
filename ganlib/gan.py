"""Class `GAN`: two networks, two optimisers, one step; and the ledger that says how far they are.

The caller writes the loop: `for real in batches: gan.step(real)`. One step is D then G, Algorithm 1
of Goodfellow et al. 2014, arXiv:1406.2661. Learning rates may be set at any time; Adam's memory is
kept.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from ganlib import densities, divergences
from ganlib.checks import count, one_of, positive
from ganlib.losses import Loss, Penalty, loss_of, penalty_of

# Layers that look at each example by itself.
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
PARTS = ("G", "D", "opt_G", "opt_D")  # of a GAN that have a state


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
            f"JS {self.js:.3f}, V + log 4 {_nats(self.value)}, regret {_nats(self.regret)}, "
            f"E|D − ½| {self.off_half:.3f}, E|D − D*| {self.off_star:.3f}"
        )


Value = TypeVar("Value")


class _Knob(Generic[Value]):
    """An attribute that may be set at any time: what is kept is `rule(name, value)`.

    The rule raises ValueError if it does not accept the value. home: the dict in which it is kept
    under `key`; without these, in the object's own under the attribute's name.
    """

    def __init__(
        self,
        rule: Callable[[str, Any], Value],
        *,
        home: Callable[[Any], dict[str, Any]] = vars,
        key: str = "",
    ):
        self.rule = rule
        self.home = home
        self.key = key

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.key = self.key or name

    @overload
    def __get__(self, gan: None, owner: type) -> "_Knob[Value]": ...

    @overload
    def __get__(self, gan: "GAN", owner: type) -> Value: ...

    def __get__(self, gan, owner):
        if gan is None:  # asked of the class
            return self
        return self.home(gan)[self.key]

    def __set__(self, gan: "GAN", value: Value) -> None:
        self.home(gan)[self.key] = self.rule(self.name, value)


def _as_given(find: Callable[[Any], Any]) -> Callable[[str, Any], Any]:
    """The rule that keeps what it was given, a name or a formula, if `find` accepts it."""

    def rule(name, value):
        find(value)
        return value

    return rule


class GAN:
    """A generator G(z) and a discriminator D(x) that returns logits, trained against each other.

    prior: a law with `sample(n, generator)`. loss: a key of `losses.LOSSES`, or a `losses.Loss`.
    lr_G, lr_D: positive learning rates, to be set at any time. betas: Adam's. optimiser: "adam" or
    "sgd". d_steps: D steps per G step; `real` is cut into that many minibatches. penalty: a key of
    `losses.PENALTIES`, or a function such as those there, times `penalty_weight`. seed: of the
    noise z. Wrong values raise ValueError, divergence FloatingPointError.

    The attribute `one_pass` says whether D takes real and fake in one pass, which is faster. It is
    False from the start where a layer might mix its examples, as batch norm does; set it to False
    to have D asked about each apart.
    """

    # What may be changed while it trains; each rule says what it accepts.
    lr_G = _Knob(positive, home=lambda gan: gan.opt_G.param_groups[0], key="lr")
    lr_D = _Knob(positive, home=lambda gan: gan.opt_D.param_groups[0], key="lr")
    loss: _Knob[str | Loss] = _Knob(_as_given(loss_of))
    penalty: _Knob[str | Penalty | None] = _Knob(_as_given(penalty_of))
    penalty_weight = _Knob(positive)
    d_steps = _Knob(count)

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
        self.G = G
        self.D = D
        self.prior = prior
        self.betas = _betas(betas)
        self.loss = loss
        self.penalty = penalty
        self.d_steps = d_steps
        self.penalty_weight = penalty_weight
        self.device = next(G.parameters()).device
        self.one_pass = all(type(layer) in ROWWISE for layer in D.modules())

        self.generator = torch.Generator()
        if seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(seed)

        self.optimiser = optimiser
        self.opt_G = _optimiser(optimiser, G.parameters(), positive("lr_G", lr_G), self.betas)
        self.opt_D = _optimiser(optimiser, D.parameters(), positive("lr_D", lr_D), self.betas)
        self.steps = 0
        self.history: list[dict[str, float]] = []

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

        real_logits, fake_logits = self._judged(real, fake)
        loss = loss_of(self.loss).D(real_logits, fake_logits)
        total = loss
        penalty = penalty_of(self.penalty)
        if penalty is not None:
            total = loss + self.penalty_weight * penalty(self.D, real, fake, self.generator)

        descend(total, self.opt_D)
        return {"loss_D": self._finite("loss_D", loss)}

    def step_G(self, n: int, real: Tensor | None = None) -> dict[str, float]:
        """One step of G on n fresh fakes, with D held fixed: the gradient passes through D only.

        real, (n, ...), is for a loss that is `paired`, which compares the fakes with it.
        """
        fake = self.G(self.noise(n))
        formula = loss_of(self.loss)
        if not formula.paired:
            loss = formula.G(self.D(fake))
        elif real is None:
            raise ValueError(f"{formula.name} compares the fakes with real data: step_G needs both")
        else:
            loss = formula.G(*self._judged(real, fake))

        descend(loss, self.opt_G)
        return {"loss_G": self._finite("loss_G", loss)}

    def step(self, real: Tensor) -> dict[str, float]:
        """d_steps steps of D, then one of G; returns both losses and appends them to `history`."""
        parts = real.tensor_split(self.d_steps) if self.d_steps > 1 else (real,)
        for part in parts:
            record = self.step_D(part)

        if loss_of(self.loss).paired:
            record.update(self.step_G(len(part), part))
        else:
            record.update(self.step_G(len(part)))
        self.steps += 1
        self.history.append(record)
        return record

    def _judged(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """D's logits of real and of fake; ValueError if G or D does not fit the data."""
        if fake.shape != real.shape:
            raise ValueError(
                f"G must give examples of the data's shape, {tuple(real.shape)}, "
                f"got {tuple(fake.shape)}"
            )
        if self.one_pass:
            real_logits, fake_logits = self.D(torch.cat([real, fake])).tensor_split(2)
        else:
            real_logits = self.D(real)
            fake_logits = self.D(fake)

        if real_logits.shape[0] != len(real) or real_logits.numel() != len(real):
            raise ValueError(
                f"D must give one logit for each of {len(real)} examples, "
                f"got {tuple(real_logits.shape)}"
            )
        return real_logits, fake_logits

    def _finite(self, name: str, loss: Tensor) -> float:
        number = loss.item()
        if not math.isfinite(number):
            raise FloatingPointError(f"diverged at step {self.steps + 1}: {name} is {number}")
        return number

    def logits(self, x: Tensor) -> Tensor:
        """D on a one-dimensional grid x, (points,) float64 as x; ValueError if D does not fit."""
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
        masses: densities.Pushed | None = None,
        logits: Tensor | None = None,
        oracle: bool = False,
        below: Tensor | None = None,
    ) -> Ledger:
        """The exact `Ledger` of a one-dimensional GAN; p_data, x are (points,), x equally spaced.

        It is summed over `densities.common_cells`, between whose grid points p_data and the logits
        of D are straight lines: JS is right to 1e-4 nats. What G throws outside the grid counts as
        one point on each side: there p_data is 0. `masses` from `push_masses` and `logits` from
        `logits(x)` save work if the caller has them. oracle: D* of every cell in place of D. below:
        from `densities.below`, for a p_data that is narrower than a cell of the grid.
        """
        if masses is None:
            masses = densities.push_masses(self.G, self.prior, x)
        place, p, q = densities.common_cells(p_data, x, masses, below=below)
        m = (p + q) / 2

        left = _mean(masses.ends[masses.ends < x[0]], x[0])
        right = _mean(masses.ends[masses.ends > x[-1]], x[-1])
        beyond = self.logits(torch.stack([left, right]))
        if logits is None:
            logits = self.logits(x)
        logits = torch.cat([densities.between(logits, place)[:-2], beyond])
        if oracle:
            logits = p.clamp(min=1e-300).log() - q.clamp(min=1e-300).log()
        D = logits.sigmoid()

        js = float(divergences.js(p, q))
        real_term = float(p @ logsigmoid(logits))
        fake_term = float(q @ logsigmoid(-logits))
        value = real_term + fake_term + math.log(4)
        off_half = float(m @ (D - 0.5).abs())
        off_star = float((p - (p + q) * D).abs().sum() / 2)  # m |D − D*| = |p − (p + q) D| / 2
        return Ledger(js, value, 2 * js - value, off_half, off_star, real_term, fake_term)

    def state_dict(self) -> dict:
        """All that the next step depends on, copied: weights, optimisers, noise, step count.

        Layers that draw for themselves, as dropout does, draw from torch's own generator, which is
        not part of it; a `Session` keeps one for them.
        """
        parts = {name: getattr(self, name).state_dict() for name in PARTS}
        return {
            **copy.deepcopy(parts),
            "generator": self.generator.get_state(),
            "steps": self.steps,
        }

    def load_state_dict(self, state: dict) -> None:
        """Go back to a `state_dict`; the history after it is dropped."""
        for name in PARTS:
            getattr(self, name).load_state_dict(copy.deepcopy(state[name]))
        self.generator.set_state(state["generator"])
        self.steps = state["steps"]
        del self.history[self.steps :]

    def __repr__(self):
        name = loss_of(self.loss).name
        return f"GAN: {name} loss, lr_G {self.lr_G:g}, lr_D {self.lr_D:g}, {self.steps} steps"


def _nats(number: float) -> str:
    """To three places; a number that has run away, by its first three digits."""
    return f"{number:.3f}" if abs(number) < 1e4 else f"{number:.3g}"


def _mean(values: Tensor, otherwise: Tensor) -> Tensor:
    return values.mean() if len(values) else otherwise


def _optimiser(name, parameters, lr, betas):
    """fused: one call for all layers."""
    one_of("optimiser", name, ("adam", "sgd"))
    if name == "adam":
        return _Adam(list(parameters), lr=lr, betas=betas, fused=True)
    return torch.optim.SGD(list(parameters), lr=lr, fused=True)


class _Adam(torch.optim.Adam):
    """torch's Adam. `update` is its `step` without hooks, checks and records.

    How much faster that is, step.py of the benchmarks says.
    """

    @torch.no_grad()
    def update(self) -> None:
        """One step; torch's own if a hook listens, and at first, when there is no memory yet."""
        hooked = self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks
        if hooked or not self.state:
            self.step()
            return

        group = self.param_groups[0]
        parameters = group["params"]
        memory = [self.state[parameter] for parameter in parameters]
        steps = [own["step"] for own in memory]
        beta1, beta2 = group["betas"]
        torch._foreach_add_(steps, 1)
        torch._fused_adam_(
            parameters,
            [parameter.grad for parameter in parameters],
            [own["exp_avg"] for own in memory],
            [own["exp_avg_sq"] for own in memory],
            [],
            steps,
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
        if slope.stride() != parameter.stride():
            # Fused Adam reads memory in order and ignores strides.
            slope = torch.empty_like(parameter).copy_(slope)
        parameter.grad = slope

    if isinstance(optimiser, _Adam):
        optimiser.update()
    else:
        optimiser.step()


def _betas(betas) -> tuple[float, ...]:
    if len(betas) != 2 or not all(isinstance(b, (int, float)) and 0 <= b < 1 for b in betas):
        raise ValueError(f"betas must be two numbers in [0, 1), got {betas!r}")
    return tuple(map(float, betas))
