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
from ganlib.checks import count, finite, method, one_of, positive, row, seed_of, share, tensor
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
        return self.js <= finite("js", js) and self.off_star <= 0.05 and self.off_half <= 0.05

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

    G and D are torch modules with weights of one kind, on one device; what is frozen in them stays
    as it is. prior: a law with `sample(n, generator)`. loss: a key of `losses.LOSSES`, or a
    `losses.Loss`. lr_G, lr_D: positive learning rates, to be set at any time. betas: Adam's.
    optimiser: "adam" or "sgd". d_steps: D steps per G step; `real` is cut into that many
    minibatches. penalty: a key of `losses.PENALTIES`, or a function such as those there, times
    `penalty_weight`. seed: of the noise z. Wrong values raise ValueError, what is no network
    TypeError, divergence FloatingPointError, and then the player whose loss it was has not moved.

    The attribute `one_pass` says whether D takes real and fake in one pass, which is faster. It is
    False from the start where a layer might mix its examples, as batch norm does; set it to False
    to have D asked about each apart.

    The attribute `reads` says whether a step looks at its data and losses at once. A GPU is waited
    for whenever it is read; with False the losses in a record are tensors, what diverges goes on,
    and who trains reads them later, as a `training.Run` does.
    """

    # What may be changed while it trains; each rule says what it accepts.
    lr_G = _Knob(positive, home=lambda gan: gan.opt_G.param_groups[0], key="lr")
    lr_D = _Knob(positive, home=lambda gan: gan.opt_D.param_groups[0], key="lr")
    loss: _Knob[str | Loss] = _Knob(_as_given(loss_of))
    penalty: _Knob[str | Penalty | None] = _Knob(_as_given(penalty_of))
    penalty_weight = _Knob(positive)
    d_steps = _Knob(count)
    steps = _Knob(lambda name, n: count(name, n, 0))

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
        weights = [_weights("G", G), _weights("D", D)]
        _alike(*weights)
        self.prior = method("prior", prior, "sample")
        self.betas = _betas(betas)
        self.loss = loss
        self.penalty = penalty
        self.d_steps = d_steps
        self.penalty_weight = penalty_weight
        self.device = weights[0][0].device
        self.one_pass = all(type(layer) in ROWWISE for layer in D.modules())

        self.generator = torch.Generator()
        if seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(seed_of(seed))

        self.optimiser = optimiser
        self.opt_G = _optimiser(optimiser, weights[0], positive("lr_G", lr_G), self.betas)
        self.opt_D = _optimiser(optimiser, weights[1], positive("lr_D", lr_D), self.betas)
        self.steps = 0
        self.reads = True
        self.history: list[dict[str, Any]] = []

    @property
    def _like(self) -> Tensor:
        """A weight of G: noise and data are made like it, in their device and kind of numbers."""
        return self.opt_G.param_groups[0]["params"][0]

    def noise(self, n: int) -> Tensor:
        """n draws of z from the prior, on the device of G and in its kind of numbers."""
        z = tensor("z", self.prior.sample(count("n", n), self.generator))
        if z.ndim == 0 or len(z) != n:
            raise ValueError(f"prior must give {n} draws, (n, ...), got shape {tuple(z.shape)}")
        return z.to(self._like)

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """n generated examples, (n, ...)."""
        return _answer("G", self.G, self.noise(n))

    def step_D(self, real: Tensor) -> dict[str, Any]:
        """One step of D: ascend V(D, G) with G held fixed. real is (n, ...)."""
        real = self._finite_examples(real)
        with torch.no_grad():  # G is not learning here: no graph through it is needed
            fake = _answer("G", self.G, self.noise(len(real)))

        loss = loss_of(self.loss).D(*self._judged(real, fake))
        record = {"loss_D": self._finite("loss_D", loss)}
        penalty = penalty_of(self.penalty)
        if penalty is not None:
            loss = loss + self.penalty_weight * penalty(self.D, real, fake, self.generator)
            self._finite("loss_D with its penalty", loss)

        descend(loss, self.opt_D)
        return record

    def step_G(self, n: int, real: Tensor | None = None) -> dict[str, Any]:
        """One step of G on n fresh fakes, with D held fixed: the gradient passes through D only.

        real, (n, ...), is for a loss that is `paired`, which compares the fakes with it.
        """
        fake = _answer("G", self.G, self.noise(n))
        formula = loss_of(self.loss)
        if not formula.paired:
            loss = formula.G(_logits(self.D, fake))
        elif real is None:
            raise ValueError(f"{formula.name} compares the fakes with real data: step_G needs both")
        else:
            loss = formula.G(*self._judged(self._finite_examples(real), fake))

        record = {"loss_G": self._finite("loss_G", loss)}
        descend(loss, self.opt_G)
        return record

    def step(self, real: Tensor) -> dict[str, Any]:
        """d_steps steps of D, then one of G; returns both losses and appends them to `history`.

        real is (n, ...), n at least d_steps: a tensor, or what can be made one, such as an array or
        a list of examples.
        """
        real = self._examples(real)
        if len(real) < self.d_steps:
            raise ValueError(
                f"real must have an example for each of {self.d_steps} d_steps, got {len(real)}"
            )
        parts: tuple[Tensor, ...] = (real,)
        if self.d_steps > 1:  # all of it is looked at before D moves
            parts = self._finite_examples(real).tensor_split(self.d_steps)
        for part in parts:
            record = self.step_D(part)

        if loss_of(self.loss).paired:
            record.update(self.step_G(len(part), part))
        else:
            record.update(self.step_G(len(part)))
        self.steps += 1
        self.history.append(record)
        return record

    def _examples(self, real) -> Tensor:
        """real, (n, ...), on the device of G and in its kind of numbers; else a ValueError."""
        real = tensor("real", real).to(self._like)
        if real.ndim == 0 or len(real) == 0:
            raise ValueError(f"real must be examples, (n, ...), got shape {tuple(real.shape)}")
        return real

    def _finite_examples(self, real) -> Tensor:
        """The same, and a ValueError if a number is not finite."""
        real = self._examples(real)
        if self.reads and not bool(real.isfinite().all()):  # else it would make all weights nan
            wrong = int((~real.isfinite()).sum())
            raise ValueError(f"real must be finite, got {wrong} nan or infinite numbers")
        return real

    def _judged(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """D's logits of real and of fake; ValueError if G or D does not fit the data."""
        if fake.shape != real.shape:
            raise ValueError(
                f"G must give examples of the data's shape, {tuple(real.shape)}, "
                f"got {tuple(fake.shape)}: real and G do not fit"
            )
        if not self.one_pass:
            return _logits(self.D, real), _logits(self.D, fake)
        both = _answer("D", self.D, torch.cat([real, fake]))
        of_real, of_fake = both.tensor_split(2)
        return _one_each(of_real, len(real)), _one_each(of_fake, len(fake))

    def _finite(self, name: str, loss: Tensor) -> Any:
        """The loss as a number, asked for before any weight moves; as a tensor if nobody reads."""
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            raise ValueError(f"{name} must be a tensor with one number, got {loss!r}")
        if not self.reads:
            return loss.detach()
        number = loss.item()
        if not math.isfinite(number):
            raise FloatingPointError(f"diverged at step {self.steps + 1}: {name} is {number}")
        return number

    @torch.no_grad()
    def logits(self, x: Tensor) -> Tensor:
        """D on a one-dimensional grid x, (points,) float64 as x; ValueError if D does not fit."""
        x = row("x", x)
        logits = _answer("D", self.D, x.to(self._like)[:, None]).flatten().double().cpu()
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
        logits = self.logits(x) if logits is None else row("logits", logits, len(x))
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
        """Go back to a `state_dict`; the history after it is dropped.

        ValueError if it is of another GAN; then all is as it was.
        """
        before = self.state_dict()
        try:
            self._take(state)
        except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
            self._take(before)
            said = f"it has no {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"state must be that of such a GAN: {said}") from None
        del self.history[self.steps :]

    def _take(self, state: dict) -> None:
        for name in PARTS:
            getattr(self, name).load_state_dict(copy.deepcopy(state[name]))
        for optimiser in (self.opt_G, self.opt_D):
            for weight, memory in optimiser.state.items():
                for name, part in memory.items():
                    if part.ndim and part.shape != weight.shape:
                        raise ValueError(
                            f"{name} is {tuple(part.shape)}, not {tuple(weight.shape)}"
                        )
                    if part.ndim:  # in the order in memory that fused Adam reads
                        memory[name] = torch.empty_like(weight).copy_(part)
        self.generator.set_state(state["generator"])
        self.steps = count("steps", state["steps"], 0)

    def __repr__(self):
        name = loss_of(self.loss).name
        return f"GAN: {name} loss, lr_G {self.lr_G:g}, lr_D {self.lr_D:g}, {self.steps} steps"


def _nats(number: float) -> str:
    """To three places; a number that has run away, by its first three digits."""
    return f"{number:.3f}" if abs(number) < 1e4 else f"{number:.3g}"


def _mean(values: Tensor, otherwise: Tensor) -> Tensor:
    return values.mean() if len(values) else otherwise


def _weights(name: str, net) -> list[Tensor]:
    """Those of its weights that may learn."""
    if not isinstance(net, nn.Module):
        raise TypeError(f"{name} must be a torch module, got {net!r}")
    weights: list[Tensor] = [weight for weight in net.parameters() if weight.requires_grad]
    if not weights:
        raise ValueError(f"{name} must have weights that may learn, got {net!r}")
    return weights


def _alike(of_G: list[Tensor], of_D: list[Tensor]) -> None:
    """ValueError unless all weights have one kind of numbers and one device."""
    kinds = {(weight.dtype, weight.device) for weight in (*of_G, *of_D)}
    if len(kinds) > 1 or not of_G[0].is_floating_point():
        found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
        raise ValueError(f"G and D must have weights of one kind, got {found}")


def _answer(name: str, net, x: Tensor) -> Tensor:
    """What a network answers; ValueError names it if it cannot, or returns no tensor."""
    try:
        answer = net(x)
    except (RuntimeError, ValueError, IndexError) as error:
        if type(error) not in (RuntimeError, ValueError, IndexError):
            raise  # of another kind, such as a memory that is full
        raise ValueError(f"{name} does not take {tuple(x.shape)}, {x.dtype}: {error}") from error
    if not isinstance(answer, Tensor):
        raise ValueError(f"{name} must return one tensor, got {type(answer).__name__}")
    return answer


def _logits(D, x: Tensor) -> Tensor:
    """D of each example; ValueError if it does not fit."""
    return _one_each(_answer("D", D, x), len(x))


def _one_each(logits: Tensor, n: int) -> Tensor:
    if logits.shape[:1] != (n,) or logits.numel() != n:
        raise ValueError(
            f"D must give one logit for each of {n} examples, got {tuple(logits.shape)}"
        )
    return logits


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
    """One optimiser step on its own parameters only; the other player's are never touched.

    A weight that the loss does not depend on has the slope 0. ValueError if that is so for all.
    """
    parameters = optimiser.param_groups[0]["params"]
    slopes = [None]
    if loss.requires_grad:
        slopes = torch.autograd.grad(loss, parameters, allow_unused=True)
    if all(slope is None for slope in slopes):
        raise ValueError("loss does not depend on the weights: a detach, or a no_grad, is in a net")

    for parameter, slope in zip(parameters, slopes):
        if slope is None:
            slope = torch.zeros_like(parameter)
        elif slope.stride() != parameter.stride():
            # Fused Adam reads memory in order and ignores strides.
            slope = torch.empty_like(parameter).copy_(slope)
        parameter.grad = slope

    if isinstance(optimiser, _Adam):
        optimiser.update()
    else:
        optimiser.step()


def _betas(betas) -> tuple[float, ...]:
    try:
        first, second = betas
        return share("betas", first), share("betas", second)
    except (TypeError, ValueError):
        raise ValueError(f"betas must be two numbers in [0, 1), got {betas!r}") from None
