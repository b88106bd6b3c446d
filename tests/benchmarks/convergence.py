"""Share of seeds that converge, with the very settings of notebook 04 and of the lab, beside the usual tutorial's.

    python tests/benchmarks/convergence.py --target gaussian --seeds 0:100

Converged: JS ≤ 0.02 nats (0.05 for iris), E|D − D*| ≤ 0.05 and E|D − ½| ≤ 0.05, after the run. `new_gan` is read
from notebook 04. "plain" is Adam 1e-3 / 1e-3, β₁ = ½, 16-16 / 32-32, batch 256, as most tutorials have it.
"""

import argparse
import json
import multiprocessing
import time
from pathlib import Path

import torch

from ganlib import labs, targets
from ganlib.densities import line
from ganlib.gan import GAN
from ganlib.labs.gan_scene import TARGETS as TARGETS_OF_LAB
from ganlib.networks import mlp

TARGETS = {"gaussian": ("normal", 3000), "bimodal": ("two modes", 5000), "iris": ("iris petal length", 5000)}
NOTEBOOK = Path(__file__).parents[2] / "notebooks/04_gan_in_one_dimension.ipynb"


def notebooks_gan(seed):
    """`new_gan(seed)` as notebook 04 defines it."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf8"))["cells"]
    room = {"mlp": mlp, "GAN": GAN, "targets": targets}
    exec("".join(next(c["source"] for c in cells if c["id"] == "build-the-gan")), room)
    return room["new_gan"](seed)


def ours(job):
    """A run of the lab, as a learner gets it by pressing play."""
    name, steps, seed = job
    torch.set_num_threads(1)
    lab = labs.GANLab(notebooks_gan(seed), name, seed=seed)
    start, first = time.process_time(), float("inf")
    for _ in range(steps // 100):
        lab.run(100)
        if lab.ledger.converged(_js(name)):
            first = min(first, time.process_time() - start)
    return lab.ledger, first


def plain(job):
    """The loop of the usual tutorials, in as many steps."""
    name, steps, seed = job
    torch.set_num_threads(1)
    target, data = TARGETS_OF_LAB[name](), torch.Generator().manual_seed(seed + 1)
    low, high = target.range
    x = line(low - 0.1 * (high - low), high + 0.1 * (high - low))
    p_data = target.log_prob(x[:, None]).exp()
    gan = GAN(mlp(1, 16, 16, 1, seed=2 * seed), mlp(1, 32, 32, 1, seed=2 * seed + 1), targets.uniform(-1, 1), seed=seed)
    start, first = time.process_time(), float("inf")
    for step in range(steps):
        gan.step(target.sample(256, data))
        if step % 100 == 99 and gan.ledger(p_data, x).converged(_js(name)):
            first = min(first, time.process_time() - start)
    return gan.ledger(p_data, x), first


def _js(name):
    return 0.05 if name.startswith("iris") else 0.02


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", choices=TARGETS, default="gaussian")
    parser.add_argument("--seeds", default="0:10", help="first:last+1 (default 0:10)")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    first, last = map(int, args.seeds.split(":"))
    name, steps = TARGETS[args.target]
    jobs = [(name, steps, seed) for seed in range(first, last)]
    for run in (ours, plain):
        with multiprocessing.get_context("spawn").Pool(args.processes) as pool:
            found = pool.map(run, jobs, chunksize=1)
        js = torch.tensor([entry.js for entry, _ in found])
        good = sum(entry.converged(_js(name)) for entry, _ in found)
        print(f"{run.__name__}_converged = {good} of {len(jobs)} seeds, {args.target}, {steps} steps")
        print(f"{run.__name__}_js_median = {float(js.quantile(0.5)):.4f} nats")
        print(f"{run.__name__}_js_worst = {float(js.max()):.4f} nats")
        print(f"{run.__name__}_off_star_worst = {max(entry.off_star for entry, _ in found):.4f}")
        print(f"{run.__name__}_seconds_to_convergence = {sorted(s for _, s in found)[len(found) // 2]:.1f} s of CPU, median", flush=True)


if __name__ == "__main__":
    main()
