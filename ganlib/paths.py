"""From noise to data in many small steps: diffusion, flow matching, and what is made of them.

A path leads from noise ε of N(0, 1), at time 1, to data x₀, at time 0: x = c(t) x₀ + s(t) ε. What a
network learns is the mean velocity v(x, t) = E[ċ x₀ + ṡ ε | x]; a walk along it turns noise into
data. For a mixture of normals the mean has a closed form, so that a walk can also be exact.

Sources: Ho et al. 2020, arXiv:2006.11239; Song et al. 2021 (DDIM), arXiv:2010.02502; Salimans and
Ho 2022 (v), arXiv:2202.00512; Lipman et al. 2023 (flow matching), arXiv:2210.02747; Liu et al. 2023
(straight paths, reflow), arXiv:2209.03003.
"""

import copy
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ganlib import divergences, files
from ganlib.checks import count, function, method, of_kind, one_of, positive, seed_of, tensor
from ganlib.densities import below, between, common_cells, line, push_masses
from ganlib.networks import mlp
from ganlib.schedule import fall
from ganlib.targets import Mixture, gaussian

Field = Callable[[Tensor, float], Tensor]  # v(x, t); x is (n, 1), the answer too


class Place(NamedTuple):
    """Where a path is at one time: x = c x₀ + s ε, moving with dc x₀ + ds ε."""

    c: Tensor
    s: Tensor
    dc: Tensor
    ds: Tensor


def _time(t) -> Tensor:
    """A number as float64; a tensor as it is."""
    return t if isinstance(t, Tensor) else torch.tensor(t, dtype=torch.float64)


def _cosine(t) -> Place:
    angle = _time(t) * math.pi / 2
    c = angle.cos()
    s = angle.sin()
    return Place(c, s, -s, c)


def _straight(t) -> Place:
    t = _time(t)
    one = torch.ones_like(t)
    return Place(1 - t, t, -one, one)


PATHS: dict[str, Callable[..., Place]] = {
    # On a quarter of a circle, as in diffusion: the variances of a normal law of sd 1 add up to 1.
    # Its velocity is for each unit of the angle, πt/2.
    "cosine": _cosine,
    # On a line at constant speed, as in flow matching.
    "straight": _straight,
}


def _on_a_line(law) -> Mixture:
    """The law if it is a mixture of normals in one dimension, else ValueError."""
    if not isinstance(law, Mixture) or law.dim != 1:
        raise ValueError(f"law must be a mixture of normals in one dimension, got {law!r}")
    return law


def exact(law: Mixture, path: str = "cosine") -> Field:
    """The mean velocity for a mixture of normals, in closed form.

    Given x, mode k has the probability rₖ ∝ wₖ N(x; c μₖ, c²σₖ² + s²), and x₀ in it the mean
    μₖ + c σₖ² (x − c μₖ) / (c²σₖ² + s²). Then E ε = (x − c E x₀) / s.
    """
    at = PATHS[one_of("path", path, PATHS)]
    _on_a_line(law)
    means = law.means[:, 0].double()
    variances = law.stds.double() ** 2
    log_weights = law.weights.double().log()

    def velocity(x: Tensor, t: float) -> Tensor:
        c, s, dc, ds = at(t)
        spread = c**2 * variances + s**2
        off = x - c * means
        r = (log_weights - spread.log() / 2 - off**2 / (2 * spread)).softmax(1)
        x0 = (r * (means + c * variances * off / spread)).sum(1, keepdim=True)
        # Where there is no noise left, ε is not seen: its mean is 0.
        ε = (x - c * x0) / s if s > 0 else torch.zeros_like(x)
        return dc * x0 + ds * ε

    return velocity


def _asked(field: Field, x: Tensor, t: float) -> Tensor:
    """v(x, t), (n, 1) as x; ValueError if the field gives anything else."""
    try:
        v = field(x, t)
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"field must map x (n, 1) and t to (n, 1): {error}") from error
    if not isinstance(v, Tensor) or v.shape != x.shape:
        raise ValueError(f"field must map x (n, 1) and t to (n, 1), got {v!r}")
    return v


@torch.no_grad()
def walk(
    field: Field, start: Tensor, steps: int, *, path: str = "cosine", heun: bool = False
) -> Tensor:
    """All positions of a walk from noise to data, (steps + 1, n, 1); `start` is (n, 1).

    Each step reads x₀ and ε off x and v̂ and mixes them anew: x̂₀ and ε̂ are what solves
    x = c x₀ + s ε and v̂ = ċ x₀ + ṡ ε, and the next x is c′ x̂₀ + s′ ε̂. On the cosine path this is
    DDIM, on the straight one Euler's step. heun: the mean of the velocities at both ends, which
    asks the field twice a step (once in the last).
    """
    at = PATHS[one_of("path", path, PATHS)]
    function("field", field)
    heun = of_kind("heun", heun, bool)
    start = tensor("start", start)
    if start.ndim != 2 or start.shape[1] != 1:
        raise ValueError(f"start must be (n, 1), got {tuple(start.shape)}")
    times = torch.linspace(1, 0, count("steps", steps) + 1, dtype=torch.float64).tolist()

    def moved(x, v, t, then):
        c, s, dc, ds = at(t)
        scale = c * ds - s * dc
        x0 = (ds * x - s * v) / scale
        ε = (c * v - dc * x) / scale
        place = at(then)
        return place.c * x0 + place.s * ε

    x = start
    seen = [x]
    for t, then in pairwise(times):
        v = _asked(field, x, t)
        following = moved(x, v, t, then)
        if heun and then > 0:
            back = moved(following, _asked(field, following, then), then, t) - following
            following = x + (following - x - back) / 2
        x = following
        seen.append(x)
    return torch.stack(seen)


# -- learned fields --------------------------------------------------------------------------------


class Learned(nn.Module):
    """A velocity that was learned: a small network of (x, 2t − 1)."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = of_kind("net", net, nn.Module)

    def forward(self, x: Tensor, t: float) -> Tensor:
        """v(x, t); x is (n, 1), the answer too."""
        time = torch.full_like(x, 2 * t - 1)
        dtype = next(self.net.parameters()).dtype
        return self.net(torch.cat([x, time], 1).to(dtype)).to(x.dtype)


def fit(
    law,
    *,
    path: str = "cosine",
    seeds: Sequence[int] = (0,),
    pairs: tuple[Tensor, Tensor] | None = None,
    steps: int = 4000,
    batch: int = 256,
    rate: float = 1e-2,
    progress: bool = True,
) -> list[Learned]:
    """Learn the mean velocity of a path by least squares, E(net(x, t) − (ċ x₀ + ṡ ε))².

    One network 2-48-48-1 a seed, all in one batched program. x₀ is drawn from `law`, ε is normal; t
    is drawn evenly, one from each of `batch` slices. pairs: (ε, x₀), (n, 1) each, are drawn
    together instead: those of a walk make its path straight (reflow).
    """
    at = PATHS[one_of("path", path, PATHS)]
    method("law", law, "sample")
    if getattr(law, "dim", 1) != 1:
        raise ValueError(f"law must be in one dimension, got {law!r}")
    batch = count("batch", batch)
    if pairs is not None:
        pairs = _two_columns(pairs)

    def draw(_, generator):
        places = torch.randperm(batch, generator=generator)
        t = ((places + torch.rand(batch, generator=generator)) / batch)[:, None]
        if pairs is None:
            x0 = law.sample(batch, generator)
            ε = torch.randn(batch, 1, generator=generator)
        else:
            which = torch.randint(len(pairs[0]), (batch,), generator=generator)
            ε, x0 = (part[which].float() for part in pairs)
        c, s, dc, ds = at(t)
        return torch.cat([c * x0 + s * ε, 2 * t - 1], 1), dc * x0 + ds * ε

    seeds = _seeds(seeds)
    nets = [mlp(2, 48, 48, 1, seed=seed) for seed in seeds]
    _least_squares(nets, draw, seeds, steps, rate, progress)
    return [Learned(net) for net in nets]


def velocities(file) -> dict[str, dict[str, Learned]]:
    """{law: {path: velocity}} as they were learned and stored by tests/benchmarks/after.py.

    ValueError if the file is anything else.
    """
    tensors, _ = files.read(file)
    if not all(name.count("/") == 2 for name in tensors):
        raise ValueError(f"{file} holds no velocities: names must be law/path/weight")
    found: dict[str, dict[str, Learned]] = {}
    for law, path in sorted({tuple(name.split("/", 2)[:2]) for name in tensors}):
        net = mlp(2, 48, 48, 1)
        start = f"{law}/{path}/"
        state = {
            name.removeprefix(start): rows
            for name, rows in tensors.items()
            if name.startswith(start)
        }
        try:
            net.load_state_dict(state)
        except RuntimeError as error:
            raise ValueError(f"{file} holds no velocities: {error}") from error
        found.setdefault(law, {})[path] = Learned(net.requires_grad_(False))
    return found


def _seeds(seeds) -> list[int]:
    """A list of seeds, at least one."""
    if not isinstance(seeds, Sequence) or isinstance(seeds, (str, bytes)) or not len(seeds):
        raise ValueError(f"seeds must be a list of whole numbers, at least one, got {seeds!r}")
    return [seed_of(seed, "seeds") for seed in seeds]


def _two_columns(pairs) -> tuple[Tensor, Tensor]:
    """Two (n, 1) of as many finite numbers."""
    if not isinstance(pairs, Sequence) or len(pairs) != 2:
        raise ValueError(f"pairs must be two (n, 1), got {pairs!r}")
    a, b = (tensor("pairs", part) for part in pairs)
    if not a.shape == b.shape == (a.numel(), 1) or not a.numel():
        raise ValueError(f"pairs must be two (n, 1), got {tuple(a.shape)} and {tuple(b.shape)}")
    if not bool((a + b).isfinite().all()):
        raise ValueError("pairs must be finite")
    return a, b


class Walker(nn.Module):
    """A walk as a generator: z (n, 1) → where it ends."""

    def __init__(self, field: Field, steps: int, *, path: str = "cosine", heun: bool = False):
        super().__init__()
        self.field = function("field", field)
        self.steps = count("steps", steps)
        self.path = one_of("path", path, PATHS)
        self.heun = of_kind("heun", heun, bool)

    def forward(self, z: Tensor) -> Tensor:
        """Where the walk that starts at z ends; both (n, 1)."""
        return walk(self.field, z, self.steps, path=self.path, heun=self.heun)[-1]

    @property
    def evaluations(self) -> int:
        """How often the field is asked."""
        return 2 * self.steps - 1 if self.heun else self.steps


def distil(
    teachers: Sequence[Callable[[Tensor], Tensor]],
    *,
    seeds: Sequence[int] = (0,),
    steps: int = 4000,
    batch: int = 256,
    rate: float = 1e-2,
    progress: bool = True,
) -> list[nn.Module]:
    """Students that say in one evaluation what their teachers, z → x, say in many.

    One network 1-32-32-1 for each teacher and its seed, in one batched program. It learns
    E(student(z) − teacher(z))² for normal z. A teacher is asked once, for 4,001 z from −5.5 to 5.5;
    between them it is a straight line.
    """
    seeds = _seeds(seeds)
    if not isinstance(teachers, Sequence) or not all(callable(one) for one in teachers):
        raise ValueError(f"teachers must be a list of functions, got {teachers!r}")
    if len(teachers) != len(seeds):
        raise ValueError(f"seeds must be as many as teachers, {len(teachers)}, got {len(seeds)}")
    batch = count("batch", batch)
    z = torch.linspace(-5.5, 5.5, 4001)
    with torch.no_grad():
        answers = [_map_of("teachers", teacher, z) for teacher in teachers]

    def draw(k, generator):
        drawn = torch.randn(batch, 1, generator=generator).clamp(-5.5, 5.5)
        return drawn, between(answers[k], (drawn[:, 0] + 5.5) / 11 * 4000)[:, None]

    nets: list[nn.Module] = [mlp(1, 32, 32, 1, seed=seed) for seed in seeds]
    _least_squares(nets, draw, seeds, steps, rate, progress)
    return nets


def _map_of(name: str, G, z: Tensor) -> Tensor:
    """G at each z, (n,), float32; ValueError if it is no such map."""
    try:
        x = G(z[:, None])
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"{name} must map (n, 1) to (n, 1): {error}") from error
    if not isinstance(x, Tensor) or x.shape != (len(z), 1) or not bool(x.isfinite().all()):
        raise ValueError(f"{name} must map (n, 1) to (n, 1), finite, got {x!r}")
    return x[:, 0].float()


def _least_squares(nets, draw, seeds, steps: int, rate: float, progress: bool) -> None:
    """Train all nets at once by Adam, at a rate that falls; then their weights are frozen.

    draw(k, generator): a batch for net k, its inputs and the right answers.
    """
    steps = count("steps", steps)
    rate = positive("rate", rate)
    skeleton = copy.deepcopy(nets[0]).to("meta")
    weights, _ = torch.func.stack_module_state(nets)

    def one(weights, inputs):
        return torch.func.functional_call(skeleton, weights, (inputs,))

    all_of_them = torch.func.vmap(one)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    optimiser = torch.optim.Adam(weights.values(), lr=rate, fused=True)
    for step in tqdm(range(steps), "least squares", disable=not progress):
        optimiser.param_groups[0]["lr"] = rate * fall(step, steps)
        drawn = [draw(k, generator) for k, generator in enumerate(generators)]
        inputs, right = (torch.stack(part) for part in zip(*drawn))
        cost = (all_of_them(weights, inputs) - right).square().mean((1, 2)).sum()
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()

    for k, net in enumerate(nets):
        net.load_state_dict({name: rows[k].detach() for name, rows in weights.items()})
        net.requires_grad_(False)


# -- how good a map is -----------------------------------------------------------------------------


class Score(NamedTuple):
    """How good a map of N(0, 1) is: JS in nats, W₁ in units of x, the steepest slope dx/dz."""

    js: float
    w1: float
    slope: float


def score(G, law: Mixture) -> Score:
    """The exact `Score` of a piecewise linear G, z (n, 1) → x, for normal z; no samples.

    JS is that of the ledger, W₁ = ∫ |F_p − F_q| dx, both on 2,000 cells of x and 4,096 of z.
    """
    low, high = _on_a_line(law).range
    reach = high - low
    x = line(low - reach / 2, high + reach / 2, 2000)
    pushed = push_masses(G, gaussian(), x, cells=4096)
    _, p, q = common_cells(law.log_prob(x[:, None]).exp(), x, pushed, below=below(law, x))

    spacing = float(x[1] - x[0])
    ends = torch.cat([x - spacing / 2, x[-1:] + spacing / 2])
    apart = law.cdf(ends) - pushed.masses[:-1].cumsum(0)
    return Score(
        float(divergences.js(p, q)), float(apart.abs().sum() * spacing), _steepest(G, pushed)
    )


@torch.no_grad()
def _steepest(G, pushed) -> float:
    """The largest |dG/dz|, from a closer look at where the pieces are steepest."""
    width = float(pushed.z[1] - pushed.z[0])
    steepest = int((pushed.ends.diff().abs() / pushed.z.diff()).argmax())
    z = torch.linspace(-width, 2 * width, 97) + float(pushed.z[steepest])
    x = G(z[:, None])[:, 0]
    return float((x.diff() / z.diff()).abs().max())


def monotone(law: Mixture) -> Callable[[Tensor], Tensor]:
    """T = F⁻¹ ∘ Φ, the one rising map that makes the law of normal noise; z is (n, 1)."""
    low, high = _on_a_line(law).range
    margin = high - low
    x = torch.linspace(low - margin, high + margin, 200_001, dtype=torch.float64)
    share = law.cdf(x)

    def T(z: Tensor) -> Tensor:
        u = torch.special.ndtr(z.double()).flatten().contiguous()
        k = torch.searchsorted(share, u).clamp(1, len(x) - 1)
        rest = (u - share[k - 1]) / (share[k] - share[k - 1]).clamp_min(1e-300)
        return torch.lerp(x[k - 1], x[k], rest.clamp(0, 1))[:, None].to(z.dtype)

    return T
