"""Many small GANs at once: N runs with their own rates and seeds, trained as one batched program.

The members' weights are the rows of one matrix, and `torch.func.vmap` maps one network over the
rows. The step is written once: its cost is the sum of all members' costs, and since no member
appears in another's, one gradient of the sum holds the gradient of each. On a GPU, where it is not
yet tried, the step is replayed as a CUDA graph: what changes from step to step lies in tensors that
keep their place.
"""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import psutil
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from tqdm import tqdm

from ganlib import densities
from ganlib.checks import LARGEST_SEED, count, floats, method, one_of, positive, seed_of
from ganlib.gan import GAN, ROWWISE, Ledger
from ganlib.gpu import WARM_UP, capture, generator_on, has_graphs, placed, pushed, side_stream
from ganlib.interrupts import CtrlC
from ganlib.losses import LOSSES, Penalty, loss_of, penalty_of, r1
from ganlib.schedule import fall


@dataclass
class Sweep:
    """What a sweep has reached: rates and seeds, (N,) each, and all weights after `steps` steps."""

    new_gan: Callable[[int], GAN]
    lr_G: Tensor
    lr_D: Tensor
    seed: Tensor
    steps: int
    weights: dict[str, Tensor]  # "G" and "D": (N, weights)

    @property
    def alive(self) -> Tensor:
        """Which members still have finite weights, (N,).

        A member that diverges does not disturb the others.
        """
        return self.weights["G"].isfinite().all(1) & self.weights["D"].isfinite().all(1)

    def gan(self, i: int):
        """Member i as a `GAN` of its own, as it stands now (without its optimisers' memory)."""
        i = count("i", i, -len(self.seed), len(self.seed) - 1)
        gan = self.new_gan(int(self.seed[i]))
        gan.lr_G = float(self.lr_G[i])
        gan.lr_D = float(self.lr_D[i])
        gan.steps = self.steps
        for name, rows in self.weights.items():
            nn.utils.vector_to_parameters(rows[i].clone(), getattr(gan, name).parameters())
        return gan

    def ledgers(self, p_data: Tensor, x: Tensor) -> list[Ledger | None]:
        """The `Ledger` of every member on the grid x; None for one that has diverged."""
        return [
            self.gan(i).ledger(p_data, x) if alive else None for i, alive in enumerate(self.alive)
        ]

    def __repr__(self):
        diverged = int((~self.alive).sum())
        return f"sweep of {len(self.seed)} GANs after {self.steps} steps, {diverged} diverged"


def survey(
    new_gan,
    target,
    *,
    size=6,
    low=1e-4,
    high=1e-1,
    steps=300,
    batch=64,
    seeds=(0,),
    progress=True,
    device="cpu",
    draws="alone",
) -> tuple[np.ndarray, list[list[list[Ledger | None]]]]:
    """(rates, ledgers) of size × size GANs at once, one for each pair of rates and each seed.

    The rates, (size,), go from low to high; ledgers[row][column] belongs to lr_D = rates[row] and
    lr_G = rates[column], and holds one ledger for each of the seeds. A member that has diverged
    has no ledger: None.
    """
    size = count("size", size)
    if not positive("low", low) < positive("high", high):
        raise ValueError(f"low must be less than high, got {low} and {high}")
    rates = np.geomspace(low, high, size)
    seeds = [seed_of(seed, "each of seeds") for seed in np.ravel(seeds)]
    several = count("how many seeds", len(seeds))
    found = sweep(
        new_gan,
        target,
        lr_G=np.tile(np.repeat(rates, several), size),
        lr_D=np.repeat(rates, size * several),
        seed=np.tile(seeds, size * size),
        steps=steps,
        batch=batch,
        progress=progress,
        device=device,
        draws=draws,
    )

    # The grid of `LineGauge`.
    left, right = getattr(target, "range", (-5.0, 5.0))
    margin = 0.1 * (right - left)
    x = densities.line(left - margin, right + margin)
    ledgers = iter(found.ledgers(target.log_prob(x[:, None]).exp(), x))
    return rates, [[list(islice(ledgers, several)) for _ in rates] for _ in rates]


def sweep(
    new_gan,
    target,
    *,
    lr_G,
    lr_D,
    steps: int,
    batch: int = 128,
    seed=0,
    anneal: bool = True,
    device="cpu",
    draws: str = "alone",
    progress: bool = True,
) -> Sweep:
    """Train N GANs at once: `new_gan(seed)` gives a `GAN`, and each member has its rates and seed.

    lr_G, lr_D, seed: numbers or (N,). Member i takes the steps of `new_gan(seed[i])` trained alone
    with lr_G[i] and lr_D[i] on draws from `target` seeded seed[i] + 1, as in `GANLab` (a gradient
    penalty draws its own mixtures, and noise in a network its own too). anneal: the rates fall to 0
    over the second half. draws: "alone", as above, drawn on the CPU; or "device": drawn all at once
    where the GANs are, faster on a GPU and other numbers, the same for members of one seed. Ctrl-C
    ends it after a whole step and returns what it has.
    """
    lr_G, lr_D, seeds = _rates_and_seeds(lr_G, lr_D, seed)
    steps = count("steps", steps)
    batch = count("batch", batch)
    method("target", target, "sample")
    one_of("draws", draws, ("alone", "device"))

    # Freed at once: after 32 MB glibc keeps what is freed, and later steps need no new pages.
    torch.empty(8_000_000)

    # Members with the same seed share its draws: for each seed one GAN, `gans[member[i]]` is i's.
    own_seeds, member = seeds.unique(return_inverse=True)
    gans = [_made(new_gan, int(own)) for own in own_seeds]
    device = _device(device)
    _fits_memory(gans[0], len(seeds), batch, device)
    program = _Program(gans, member, lr_G, lr_D, device)
    if draws == "alone":
        inputs = _inputs(gans, own_seeds, target, batch, steps)
    else:
        inputs = _inputs_there(gans, own_seeds, target, batch, device)

    bar = tqdm(total=steps, desc=f"{len(seeds)} GANs", disable=not progress)
    done = _train(program, inputs, steps, anneal, bar)
    return Sweep(new_gan, lr_G, lr_D, seeds, done, program.weights())


def _train(program: "_Program", inputs, steps: int, anneal: bool, bar) -> int:
    """Take the steps, unless Ctrl-C is pressed; how many were taken."""
    done = 0
    with CtrlC() as ctrl_c, bar:
        while done < steps and not ctrl_c.pressed:
            program.step(next(inputs), fall(done, steps) if anneal else 1.0)
            done += 1
            bar.update()
    if done < steps:
        print(f"stopped after {done} of {steps} steps")
    return done


class _Members:
    """N networks of one form and their optimisers: row i of `weights` (N, weights) is member i.

    lr is (N,); what else their optimisers are told is that of `gan`.
    """

    def __init__(self, nets, lr: Tensor, gan: GAN, device):
        self.net = copy.deepcopy(nets[0]).to(device)
        self.lr = lr.to(device)[:, None]
        self.optimiser = gan.optimiser
        self.betas = gan.betas

        if list(self.net.buffers()):
            raise ValueError("a sweep takes networks without buffers (no batch norm)")
        if not all(weight.requires_grad for weight in self.net.parameters()):
            raise ValueError("a sweep takes networks in which no weight is frozen")
        for layer in self.net.modules():
            if isinstance(layer, nn.Tanh) and torch.device(device).type == "cpu":
                layer.forward = _tanh  # type: ignore[assignment,method-assign]

        rows = [nn.utils.parameters_to_vector(net.parameters()).detach() for net in nets]
        self.weights = torch.stack(rows).to(device).requires_grad_()
        self.mean = torch.zeros_like(self.weights)
        self.square = torch.zeros_like(self.weights)
        self.steps = torch.zeros((), dtype=torch.float64, device=device)

        self.shapes = {name: p.shape for name, p in self.net.named_parameters()}
        self.sizes = [math.prod(shape) for shape in self.shapes.values()]
        self.many = vmap(
            lambda weights, x: functional_call(self.net, weights, (x,)), randomness="different"
        )

    def __call__(self, x: Tensor) -> Tensor:
        """Each network on its own batch: x is (N, n, ...)."""
        parts = self.weights.split(self.sizes, 1)
        weights = {
            name: part.unflatten(1, shape)
            for part, (name, shape) in zip(parts, self.shapes.items())
        }
        return self.many(weights, x)

    def descend(self, cost: Tensor, share: Tensor) -> None:
        """One optimiser step of every member, each at its own rate times `share`."""
        (slope,) = torch.autograd.grad(cost, self.weights)
        self.steps += 1
        with torch.no_grad():
            if self.optimiser == "sgd":
                self.weights -= share * self.lr * slope
                return

            # Adam: Kingma & Ba 2015, algorithm 1, arXiv:1412.6980.
            beta1, beta2 = self.betas
            self.mean.lerp_(slope, 1 - beta1)
            self.square.mul_(beta2).addcmul_(slope, slope, value=1 - beta2)
            spread = (self.square / (1 - beta2**self.steps)).sqrt_().add_(1e-8)
            self.weights -= share * self.lr / (1 - beta1**self.steps) * self.mean / spread


def _tanh(x: Tensor) -> Tensor:
    """The same function; how much faster on a CPU, sweep.py of the benchmarks says."""
    return 2 * (2 * x).sigmoid() - 1


class _Program:
    """The step of all members, on inputs that keep their place: so a CUDA graph can replay it.

    Member i begins as a copy of gans[member[i]] and has the rates lr_G[i] and lr_D[i].
    """

    def __init__(self, gans: list[GAN], member: Tensor, lr_G: Tensor, lr_D: Tensor, device):
        self.gan = gans[0]  # what they are told besides is the same for all
        self.G = _Members([gans[i].G for i in member], lr_G, self.gan, device)
        self.D = _Members([gans[i].D for i in member], lr_D, self.gan, device)
        self.device = device
        self.member = member.to(device)
        self.inputs: list[Tensor] = []
        self.share = torch.ones((), device=device)
        self.steps = 0
        self.play = self._play

    def weights(self) -> dict[str, Tensor]:
        """As they stand now, "G" and "D": (N, weights)."""
        return {"G": self.G.weights.detach().cpu(), "D": self.D.weights.detach().cpu()}

    def step(self, drawn: list[Tensor], share: float) -> None:
        """One step at the rates times `share`, on what `_inputs` gives: a row for each GAN."""
        like = self.G.weights
        # Each row goes to the device once, and there to all members that share it.
        rows = [pushed(part.to(like.dtype), like.device)[self.member] for part in drawn]
        if not self.inputs:
            self.inputs = rows
        for place, part in zip(self.inputs, rows):
            place.copy_(part)
        self.share.fill_(share)

        if self.steps == WARM_UP and self._may_be_replayed():
            self.play = capture(self._play, like.device)
        if self.steps < WARM_UP:
            with side_stream(like.device):
                self.play()
        else:
            self.play()
        self.steps += 1

    def _may_be_replayed(self) -> bool:
        """Only what is known to leave the CPU out of it.

        That is no formula of one's own, no penalty that draws, no layer that computes its weights
        (to find a largest singular value, torch looks at numbers) or draws itself.
        """
        gan = self.gan
        known = {nn.Sequential, nn.Flatten, nn.Unflatten, *ROWWISE}
        return (
            has_graphs(self.share.device)
            and penalty_of(gan.penalty) in (None, r1)
            and loss_of(gan.loss) in LOSSES.values()
            and all(type(layer) in known for net in (self.G, self.D) for layer in net.net.modules())
        )

    def _play(self) -> None:
        """Algorithm 1 for all members, on `inputs`."""
        reals = self.inputs[0].tensor_split(self.gan.d_steps, 1)
        noises = self.inputs[1:]
        loss = loss_of(self.gan.loss)
        penalty = penalty_of(self.gan.penalty)

        for real, z in zip(reals, noises):
            with torch.no_grad():
                fake = self.G(z)
            cost = vmap(loss.D)(self.D(real), self.D(fake)).sum()
            if penalty is not None:
                cost = cost + self._cost_of(penalty, real, fake)
            self.D.descend(cost, self.share)

        fake_logits = self.D(self.G(noises[-1]))
        if loss.paired:
            costs = vmap(loss.G)(self.D(reals[-1]), fake_logits)
        else:
            costs = vmap(loss.G)(fake_logits)
        self.G.descend(costs.sum(), self.share)

    def _cost_of(self, penalty: Penalty, real: Tensor, fake: Tensor) -> Tensor:
        """The sum of the members' penalties: N times the mean over the examples of all members."""
        members, n = real.shape[:2]

        def D(flat):
            return self.D(flat.unflatten(0, (members, n))).flatten(0, 1)

        mean = penalty(D, real.flatten(0, 1), fake.flatten(0, 1), self.gan.generator)
        return members * self.gan.penalty_weight * mean


def _inputs(gans: list[GAN], seeds, target, batch: int, steps: int) -> Iterator[list[Tensor]]:
    """What each step takes, without end, a row for each of the GANs: data, then noise.

    The real data for all d_steps lie in one batch, (GANs, d_steps · n, ...), drawn from a generator
    each, by the seeds; then come d_steps + 1 batches of noise, (GANs, n, ...), from the GANs' own.
    """
    d_steps = gans[0].d_steps
    data = [torch.Generator().manual_seed(int(seed) + 1) for seed in seeds]
    reals = _draws(target, batch * d_steps, data, steps)
    own = [gan.generator for gan in gans]
    noises = _draws(gans[0].prior, batch, own, steps * (d_steps + 1))
    while True:
        yield [next(reals), *(next(noises) for _ in range(d_steps + 1))]


def _inputs_there(gans, seeds, target, batch: int, device) -> Iterator[list[Tensor]]:
    """The same kind of numbers as `_inputs` gives, drawn for all GANs at once on the device."""
    d_steps = gans[0].d_steps
    generator = generator_on(device, int(seeds[0]))
    target = placed(target, device)
    prior = placed(gans[0].prior, device)

    def draw(law, n):
        return law.sample(n * len(gans), generator).unflatten(0, (len(gans), n))

    while True:
        yield [
            draw(target, batch * d_steps),
            *(draw(prior, batch) for _ in range(d_steps + 1)),
        ]


def _draws(law, n, generators, most) -> Iterator[Tensor]:
    """Endless batches (members, n, ...), each from its own generator, as if drawn one by one.

    Many batches are drawn at a time, which is faster, if this law then gives the same numbers: most
    do, for n a multiple of 16; a mixture, which draws the modes first, does not.
    """
    once = torch.Generator().manual_seed(0)
    twice = torch.Generator().manual_seed(0)
    two_in_one = law.sample(2 * n, once)
    one_by_one = torch.cat([law.sample(n, twice), law.sample(n, twice)])
    ahead = 1
    if torch.equal(two_in_one, one_by_one):
        ahead = max(1, min(most, 2**21 // (n * len(generators))))

    while True:
        block = torch.stack([law.sample(n * ahead, generator) for generator in generators])
        yield from block.unflatten(1, (ahead, n)).transpose(0, 1)


def _rates_and_seeds(lr_G, lr_D, seed) -> list[Tensor]:
    """Both rates and the seed of each member, (N,), checked."""
    given = {"lr_G": lr_G, "lr_D": lr_D, "seed": seed}
    parts = [torch.from_numpy(floats(name, part)).flatten() for name, part in given.items()]
    sizes = [len(part) for part in parts]
    if not set(sizes) <= {1, max(sizes)}:
        raise ValueError(f"lr_G, lr_D and seed must be single numbers or equally many, got {sizes}")

    for name, rate in zip(("lr_G", "lr_D"), parts):
        wrong = rate[~(rate.isfinite() & (rate.float() > 0))]
        if len(wrong):
            raise ValueError(f"{name} must be positive numbers, got {wrong[0]}")
    seeds = parts[2]
    wrong = seeds[~((seeds == seeds.round()) & (seeds >= 0) & (seeds < LARGEST_SEED))]
    if len(wrong):
        raise ValueError(
            f"seed must be whole numbers of at least 0 and below {LARGEST_SEED:,}, got {wrong[0]}"
        )

    kinds = (torch.float, torch.float, torch.long)
    return [part.expand(max(sizes)).to(kind) for part, kind in zip(parts, kinds)]


def _made(new_gan, seed: int) -> GAN:
    """The `GAN` of this seed."""
    if not callable(new_gan):
        raise TypeError(f"new_gan must be a function of a seed, got {new_gan!r}")
    gan = new_gan(seed)
    if not isinstance(gan, GAN):
        raise TypeError(f"new_gan must give a GAN, got {gan!r}")
    return gan


def _device(device) -> torch.device:
    try:
        return torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device must be one of torch, got {device!r}: {error}") from None


def _fits_memory(gan: GAN, members: int, batch: int, device: torch.device) -> None:
    """Refuse before starting what cannot fit.

    That is weights, slopes and Adam's memory, and the values within the networks.
    """
    parameters = [*gan.G.parameters(), *gan.D.parameters()]
    weights = sum(p.numel() for p in parameters)
    units = sum(len(p) for p in parameters if p.ndim == 1)  # a bias for each
    need = 4 * members * (8 * weights + 12 * batch * units)

    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
    else:
        free = psutil.virtual_memory().available
    if need > free:
        raise ValueError(
            f"{members} members need about {need / 1e9:.1f} GB, but {free / 1e9:.1f} GB are free"
        )
