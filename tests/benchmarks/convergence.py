"""Share of seeds that converge, with the very settings of notebook 04 and of the lab.

    python tests/benchmarks/convergence.py --target gaussian --seeds 0:100

Beside it the usual tutorial's. Converged: JS ≤ 0.02 nats (0.05 for iris), E|D − D*| ≤ 0.05 and
E|D − ½| ≤ 0.05, after the run. `new_gan` is read from notebook 04. "plain" is Adam 1e-3 / 1e-3,
β₁ = ½, 16-16 / 32-32, batch 256, as most tutorials have it.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

from ganlib import targets
from ganlib.densities import line
from ganlib.gan import GAN
from ganlib.labs.gan_scene import TARGETS as TARGETS_OF_LAB
from ganlib.networks import mlp
from ganlib.schedule import fall
from ganlib.sweep import sweep

TARGETS = {
    "gaussian": ("normal", 3000, 0.02),
    "bimodal": ("two modes", 5000, 0.02),
    "iris": ("iris petal length", 5000, 0.05),
}
NOTEBOOK = Path(__file__).parents[2] / "notebooks/04_gan_in_one_dimension.ipynb"


def notebooks_gan(seed):
    """`new_gan(seed)` as notebook 04 defines it."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf8"))["cells"]
    (source,) = (cell["source"] for cell in cells if cell["id"] == "build-the-gan")
    room = {"mlp": mlp, "GAN": GAN, "targets": targets}
    exec("".join(source), room)
    return room["new_gan"](seed)


def plain_gan(seed):
    """The networks and rates of the usual tutorials."""
    return GAN(
        mlp(1, 16, 16, 1, seed=2 * seed),
        mlp(1, 32, 32, 1, seed=2 * seed + 1),
        targets.uniform(-1, 1),
        seed=seed,
    )


# How each is trained: the lab lets its rates fall over the second half, as `sweep` does.
WAYS: dict = {
    "ours": (notebooks_gan, {"batch": 128, "anneal": True}),
    "plain": (plain_gan, {"batch": 256, "anneal": False}),
}


def grid(target):
    """x and p_data of the lab."""
    low, high = target.range
    x = line(low - 0.1 * (high - low), high + 0.1 * (high - low))
    return target.log_prob(x[:, None]).exp(), x


def seconds(new_gan, target, js, steps, seed, *, batch, anneal):
    """CPU seconds of one run until it first has converged, or inf; looks every 100 steps."""
    gan = new_gan(seed)
    data = torch.Generator().manual_seed(seed + 1)
    p_data, x = grid(target)
    lr_G = gan.lr_G
    lr_D = gan.lr_D
    start = time.process_time()
    while gan.steps < steps:
        share = fall(gan.steps, steps) if anneal else 1.0
        gan.lr_G = lr_G * share
        gan.lr_D = lr_D * share
        gan.step(target.sample(batch, data))
        if gan.steps % 100 == 0 and gan.ledger(p_data, x).converged(js):
            return time.process_time() - start
    return float("inf")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", choices=TARGETS, default="gaussian")
    parser.add_argument(
        "--seeds", default="0:10", help="first:last+1 (default 0:10), trained together by `sweep`"
    )
    parser.add_argument(
        "--timed",
        type=int,
        default=3,
        help="how many of them to train once more alone, by the clock (default 3)",
    )
    args = parser.parse_args()

    torch.set_num_threads(1)
    first, last = map(int, args.seeds.split(":"))
    name, steps, js = TARGETS[args.target]
    target = TARGETS_OF_LAB[name]()
    for way, (new_gan, how) in WAYS.items():
        gan = new_gan(first)
        seeds = torch.arange(first, last)
        rates = {"lr_G": gan.lr_G, "lr_D": gan.lr_D}
        found = sweep(new_gan, target, **rates, seed=seeds, steps=steps, **how)
        ledgers = [entry for entry in found.ledgers(*grid(target)) if entry]
        good = sum(entry.converged(js) for entry in ledgers)
        each_js = torch.tensor([entry.js for entry in ledgers])
        print(f"{way}_converged = {good} of {last - first} seeds, {args.target}, {steps} steps")
        print(f"{way}_js_median = {float(each_js.quantile(0.5)):.4f} nats")
        print(f"{way}_js_worst = {float(each_js.max()):.4f} nats")
        print(f"{way}_off_half_worst = {max(entry.off_half for entry in ledgers):.4f}")
        print(f"{way}_off_star_worst = {max(entry.off_star for entry in ledgers):.4f}", flush=True)

        times = [
            seconds(new_gan, target, js, steps, seed, **how)
            for seed in range(first, min(last, first + args.timed))
        ]
        if times:
            median = f"{statistics.median(times):.1f} s of CPU, median of {len(times)} alone"
            print(f"{way}_seconds_to_convergence = {median}", flush=True)


if __name__ == "__main__":
    main()
