"""Many small GANs at once: N runs with their own rates and seeds, trained as one batched program.

The members' weights are the rows of one matrix, and `torch.func.vmap` maps one network over the rows. The
step is written once: its cost is the sum of all members' costs, and since no member appears in another's,
one gradient of the sum holds the gradient of each. On a GPU, where it is not yet tried, the step is replayed
as a CUDA graph: what changes from step to step lies in tensors that keep their place.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from tqdm import tqdm

from ganlib.checks import count
from ganlib.gan import GAN, Ledger
from ganlib.losses import LOSSES, PENALTIES


@dataclass
class Sweep:
    """What a sweep has reached: the rates and seeds it was given, (N,) each, and all weights after `steps` steps."""

    new_gan: Callable[[int], GAN]
    lr_G: Tensor
    lr_D: Tensor
    seed: Tensor
    steps: int
    weights: dict[str, Tensor]  # "G" and "D": (N, weights)

    @property
    def alive(self) -> Tensor:
        """Which members still have finite weights, (N,); a member that diverges does not disturb the others."""
        return self.weights["G"].isfinite().all(1) & self.weights["D"].isfinite().all(1)

    def gan(self, i: int):
        """Member i as a `GAN` of its own, as it stands now (without the memory of its optimisers)."""
        gan = self.new_gan(int(self.seed[i]))
        gan.lr_G, gan.lr_D, gan.steps = float(self.lr_G[i]), float(self.lr_D[i]), self.steps
        for name, rows in self.weights.items():
            nn.utils.vector_to_parameters(rows[i].clone(), getattr(gan, name).parameters())
        return gan

    def ledgers(self, p_data: Tensor, x: Tensor) -> list[Ledger | None]:
        """The `Ledger` of every member on the grid x; None for one that has diverged."""
        return [
            self.gan(i).ledger(p_data, x) if alive else None for i, alive in enumerate(self.alive)
        ]

    def __repr__(self):
        return f"sweep of {len(self.seed)} GANs after {self.steps} steps, {int((~self.alive).sum())} diverged"


class _Members:
    """N networks of one form and their optimisers: row i of `weights` (N, weights) is member i."""

    def __init__(self, nets, lr, optimiser, betas, device):
        self.net, self.lr, self.optimiser, self.betas = (
            copy.deepcopy(nets[0]).to(device),
            lr[:, None],
            optimiser,
            betas,
        )
        if any(True for _ in self.net.buffers()):
            raise ValueError("a sweep takes networks without buffers (no batch norm)")
        for layer in self.net.modules():
            if isinstance(
                layer, nn.Tanh
            ):  # the same function; how much faster on a CPU, sweep.py of the benchmarks says
                layer.forward = lambda x: 2 * (2 * x).sigmoid() - 1  # type: ignore[assignment,method-assign]
        self.weights = torch.stack(
            [nn.utils.parameters_to_vector(net.parameters()).detach() for net in nets]
        ).to(device)
        self.weights.requires_grad_()
        self.mean, self.square = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        self.steps = torch.zeros((), dtype=torch.float64, device=device)
        self.forms = [(name, p.shape) for name, p in self.net.named_parameters()]
        self.many = vmap(lambda weights, x: functional_call(self.net, weights, (x,)))

    def __call__(self, x: Tensor) -> Tensor:
        """Each network on its own batch: x is (N, n, ...)."""
        parts = self.weights.split([math.prod(shape) for _, shape in self.forms], 1)
        return self.many(
            {name: part.unflatten(1, shape) for part, (name, shape) in zip(parts, self.forms)}, x
        )

    def descend(self, cost: Tensor, fall: Tensor) -> None:
        """One optimiser step of every member, each at its own rate times `fall`."""
        (slope,) = torch.autograd.grad(cost, self.weights)
        self.steps += 1
        with torch.no_grad():
            if self.optimiser == "sgd":
                self.weights -= fall * self.lr * slope
                return
            beta1, beta2 = self.betas  # Adam: Kingma & Ba 2015, algorithm 1, arXiv:1412.6980
            self.mean.lerp_(slope, 1 - beta1)
            self.square.mul_(beta2).addcmul_(slope, slope, value=1 - beta2)
            spread = (self.square / (1 - beta2**self.steps)).sqrt_().add_(1e-8)
            self.weights -= fall * self.lr / (1 - beta1**self.steps) * self.mean / spread


def _step(G, D, real, noise, gan, fall):
    """Algorithm 1 for all members: real is d_steps batches (N, n, ...), noise one batch more."""
    loss = LOSSES[gan.loss]
    for x, z in zip(real, noise):
        with torch.no_grad():
            fake = G(z)
        cost = vmap(loss.D)(D(x), D(fake)).sum()
        if (
            gan.penalty is not None
        ):  # the penalty is a mean over its examples, here those of all members
            judge = lambda flat, form=x.shape[:2]: D(flat.unflatten(0, form)).flatten(0, 1)
            mean = PENALTIES[gan.penalty](judge, x.flatten(0, 1), fake.flatten(0, 1), gan.generator)
            cost = cost + len(x) * gan.penalty_weight * mean
        D.descend(cost, fall)
    G.descend(vmap(loss.G)(D(G(noise[-1]))).sum(), fall)


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
    progress: bool = True,
) -> Sweep:
    """Train N GANs at once: `new_gan(seed)` gives a `GAN`, and member i gets its own lr_G[i], lr_D[i], seed[i].

    lr_G, lr_D, seed: numbers or (N,). Member i takes the steps of `new_gan(seed[i])` trained alone with these
    rates on draws from `target` seeded seed[i] + 1, as in `GANLab` (a gradient penalty draws its own mixtures).
    anneal: the rates fall to 0 over the second half. Ctrl-C ends it early and returns what it has.
    """
    lr_G, lr_D, seeds = _members(lr_G, lr_D, seed)
    count("steps", steps), count("batch", batch)
    torch.empty(
        8_000_000
    )  # freed at once: after 32 MB glibc keeps what is freed, and later steps need no new pages
    own, which = seeds.unique(return_inverse=True)
    gans = [new_gan(int(s)) for s in own]
    first, k = gans[0], gans[0].d_steps
    _fits_memory(first, len(seeds), batch, torch.device(device))
    G, D = (
        _Members(
            [getattr(gans[i], name) for i in which],
            lr.to(device),
            first.optimiser,
            first.betas,
            device,
        )
        for name, lr in (("G", lr_G), ("D", lr_D))
    )
    reals = _draws(
        target, batch * k, [torch.Generator().manual_seed(int(s) + 1) for s in own], steps
    )
    noises = _draws(first.prior, batch, [gan.generator for gan in gans], steps * (k + 1))
    inputs: list[Tensor] = []  # where a CUDA graph looks for them, as for `fall`
    fall, done = torch.ones((), device=device), 0
    step = lambda: _step(G, D, inputs[0].tensor_split(k, 1), inputs[1:], first, fall)
    try:
        for done in tqdm(range(steps), desc=f"{len(seeds)} GANs", disable=not progress):
            drawn = [
                next(reals)[which],
                *(next(noises)[which] for _ in range(k + 1)),
            ]  # one seed, one draw
            inputs = inputs or [part.to(device) for part in drawn]
            for place, part in zip(inputs, drawn):
                place.copy_(part)
            fall.fill_(min(1.0, max(0.01, 2 - 2 * done / steps)) if anneal else 1.0)
            if (
                done == 3 and fall.is_cuda and first.penalty != "gradient penalty"
            ):  # that one draws on the CPU
                with torch.cuda.graph(graph := torch.cuda.CUDAGraph()):
                    step()
                step = graph.replay
            step()
        done = steps
    except KeyboardInterrupt:
        print(f"stopped after {done} of {steps} steps")
    return Sweep(
        new_gan,
        lr_G,
        lr_D,
        seeds,
        done,
        {"G": G.weights.detach().cpu(), "D": D.weights.detach().cpu()},
    )


def _draws(law, n, generators, most):
    """Endless batches (members, n, ...), each member's from its own generator, as if drawn one by one.

    Many batches are drawn at a time, which is faster, if this law then gives the same numbers: most do, for n a
    multiple of 16; a mixture, which draws the modes first, does not.
    """
    once, twice = (torch.Generator().manual_seed(0) for _ in range(2))
    same = torch.equal(
        law.sample(2 * n, once), torch.cat([law.sample(n, twice), law.sample(n, twice)])
    )
    ahead = max(1, min(most, 2**21 // (n * len(generators)))) if same else 1
    while True:
        block = torch.stack([law.sample(n * ahead, generator) for generator in generators])
        yield from block.unflatten(1, (ahead, n)).transpose(0, 1)


def _members(lr_G, lr_D, seed):
    """Both rates and the seed of each member, (N,), checked."""
    parts = [torch.as_tensor(part).flatten() for part in (lr_G, lr_D, seed)]
    sizes = [len(part) for part in parts]
    if not set(sizes) <= {1, max(sizes)}:
        raise ValueError(f"lr_G, lr_D and seed must be single numbers or equally many, got {sizes}")
    for name, rate in zip(("lr_G", "lr_D"), parts):
        if bool((wrong := ~(rate.isfinite() & (rate > 0))).any()):
            raise ValueError(f"{name} must be positive numbers, got {rate[wrong][0]}")
    return [
        part.expand(max(sizes)).to(kind)
        for part, kind in zip(parts, (torch.float, torch.float, torch.long))
    ]


def _fits_memory(gan, members, batch, device) -> None:
    """Refuse before starting what cannot fit: weights, slopes and Adam's memory, and the values within the networks."""
    sizes = [p for net in (gan.G, gan.D) for p in net.parameters()]
    need = (
        4
        * members
        * (
            8 * sum(p.numel() for p in sizes)
            + 12 * batch * sum(len(p) for p in sizes if p.ndim == 1)
        )
    )
    free = (
        torch.cuda.mem_get_info(device)[0]
        if device.type == "cuda"
        else psutil.virtual_memory().available
    )
    if need > free:
        raise ValueError(
            f"{members} members need about {need / 1e9:.1f} GB, but {free / 1e9:.1f} GB are free"
        )
