"""Share of seeds that converge, with the very settings of notebook 04 and of the lab.

    python tests/benchmarks/convergence.py --target gaussian --seeds 0:100

With `--engine browser` the runs are those of the lab in a page, in Chromium. Beside ours the usual
tutorial's. Converged: JS ≤ 0.02 nats (0.05 for iris), E|D − D*| ≤ 0.05 and
E|D − ½| ≤ 0.05, after the run. `new_gan` is read from notebook 04. "plain" is Adam 1e-3 / 1e-3,
β₁ = ½, 16-16 / 32-32, batch 256, as most tutorials have it.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from ganlib import targets
from ganlib.densities import line
from ganlib.gan import GAN, Ledger
from ganlib.labs.gan_scene import TARGETS as TARGETS_OF_LAB
from ganlib.networks import mlp
from ganlib.schedule import fall
from ganlib.sweep import sweep

sys.path.insert(0, str(Path(__file__).parent.parent))
from browsers import chromium
from page import opened

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


def ledgers_in_page(target, seeds, steps):
    """The last ledger of a run for each seed, trained in the page of lab.html."""
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium() as browser,
        opened(browser, folder) as (page, _),
    ):
        page.evaluate("(name) => { lab.set('target', name); }", target)
        for seed in seeds:
            last = page.evaluate(
                """([seed, steps]) => {
                    lab.set('seed', seed);
                    lab.reset();
                    for (let i = 0; i < steps; i++) lab.session.step();
                    return lab.session.ledger; }""",
                [seed, steps],
            )
            yield Ledger(**last)


def ledgers_of_sweep(new_gan, target, seeds, steps, how):
    """The last ledger of a run for each seed, trained together by torch; diverged ones left out."""
    gan = new_gan(seeds[0])
    rates = {"lr_G": gan.lr_G, "lr_D": gan.lr_D}
    found = sweep(new_gan, target, **rates, seed=torch.tensor(seeds), steps=steps, **how)
    return [entry for entry in found.ledgers(*grid(target)) if entry]


def report(way, ledgers, js, what):
    """How many have converged, and how far the others are."""
    good = sum(entry.converged(js) for entry in ledgers)
    each_js = torch.tensor([entry.js for entry in ledgers])
    print(f"{way}_converged = {good} of {what}")
    print(f"{way}_js_median = {float(each_js.quantile(0.5)):.4f} nats")
    print(f"{way}_js_worst = {float(each_js.max()):.4f} nats")
    print(f"{way}_off_half_worst = {max(entry.off_half for entry in ledgers):.4f}")
    print(f"{way}_off_star_worst = {max(entry.off_star for entry in ledgers):.4f}", flush=True)


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
    parser.add_argument("--engine", choices=["torch", "browser"], default="torch")
    args = parser.parse_args()

    torch.set_num_threads(1)
    first, last = map(int, args.seeds.split(":"))
    name, steps, js = TARGETS[args.target]
    seeds = list(range(first, last))
    what = f"{len(seeds)} seeds, {args.target}, {steps} steps"
    if args.engine == "browser":
        report("ours", list(ledgers_in_page(name, seeds, steps)), js, what)
        return

    target = TARGETS_OF_LAB[name]()
    for way, (new_gan, how) in WAYS.items():
        report(way, ledgers_of_sweep(new_gan, target, seeds, steps, how), js, what)
        times = [
            seconds(new_gan, target, js, steps, seed, **how)
            for seed in range(first, min(last, first + args.timed))
        ]
        if times:
            median = f"{statistics.median(times):.1f} s of CPU, median of {len(times)} alone"
            print(f"{way}_seconds_to_convergence = {median}", flush=True)


if __name__ == "__main__":
    main()
