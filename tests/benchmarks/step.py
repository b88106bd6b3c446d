"""Steps per second of `GAN.step` against the plain loop of the tutorials, on one thread.

    python tests/benchmarks/step.py

They take turns, in windows. Same networks (1-16-16-1 / 1-32-32-1), batch 256. "networks alone" is
the forward and backward passes of one step and nothing else: no optimiser, no noise, no
bookkeeping. No loop that leaves these passes to autograd, two of D, can be faster. "torch's Adam"
is ours with the `step` of torch's optimiser in place of `GAN`'s short one.
"""

import argparse
import statistics
import time

import torch
from torch import nn

from ganlib import targets
from ganlib.gan import GAN
from ganlib.losses import LOSSES
from ganlib.networks import mlp


def networks():
    G = mlp(1, 16, 16, 1, seed=0)
    D = mlp(1, 32, 32, 1, seed=1)
    return G, D


def plain():
    """The usual loop: BCE, zero_grad, backward, step."""
    G, D = networks()
    opt_G = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
    opt_D = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
    cost = nn.BCEWithLogitsLoss()

    def step(real):
        ones = torch.ones(len(real), 1)
        zeros = torch.zeros(len(real), 1)
        fake = G(2 * torch.rand(len(real), 1) - 1)

        opt_D.zero_grad()
        loss_D = cost(D(real), ones) + cost(D(fake.detach()), zeros)
        loss_D.backward()
        opt_D.step()

        opt_G.zero_grad()
        loss_G = cost(D(G(2 * torch.rand(len(real), 1) - 1)), ones)
        loss_G.backward()
        opt_G.step()
        return loss_D.item(), loss_G.item()

    return step


def networks_alone():
    G, D = networks()
    of_G = list(G.parameters())
    of_D = list(D.parameters())
    loss = LOSSES["non-saturating"]

    def step(real):
        with torch.no_grad():
            fake = G(real)
        torch.autograd.grad(loss.D(D(real), D(fake)), of_D)
        torch.autograd.grad(loss.G(D(G(real))), of_G)

    return step


def seconds(step, real, steps):
    """CPU seconds of one step: what else the machine does is not counted."""
    start = time.thread_time()
    for _ in range(steps):
        step(real)
    return (time.thread_time() - start) / steps


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=60)
    parser.add_argument("--steps", type=int, default=25, help="in one window (default 25)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    real = torch.randn(256, 1, generator=torch.Generator().manual_seed(0))
    ours = GAN(*networks(), targets.uniform(), betas=(0.5, 0.999), seed=0)
    usual = GAN(*networks(), targets.uniform(), betas=(0.5, 0.999), seed=0)
    for optimiser in (usual.opt_G, usual.opt_D):
        # with a hook it is torch's own `step` that runs
        optimiser.register_step_post_hook(lambda *_: None)
    ways = {
        "plain": plain(),
        "ours": ours.step,
        "torchs_adam": usual.step,
        "networks_alone": networks_alone(),
    }
    for step in ways.values():  # the first window warms up
        seconds(step, real, args.steps)
    found: dict = {name: [] for name in ways}
    for _ in range(args.windows):
        for name, step in ways.items():
            found[name].append(seconds(step, real, args.steps))

    for name, times in found.items():
        print(f"{name} = {1 / statistics.median(times):.0f} steps per CPU second")
    limits = {"ours": "ours", "torchs_adam": "torchs_adam", "limit": "networks_alone"}
    for name, way in limits.items():
        # of neighbouring windows
        ratios = [usually / so for usually, so in zip(found["plain"], found[way])]
        print(f"{name}_over_plain = {statistics.median(ratios):.2f} times")


if __name__ == "__main__":
    main()
