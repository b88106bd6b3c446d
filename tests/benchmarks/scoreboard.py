"""Train every leaf of the taxonomy for ten seeds on both laws, and print its scoreboard line.

    python tests/benchmarks/scoreboard.py                       # about four minutes of one core
    python tests/benchmarks/scoreboard.py --seeds 2 --leaf Flow

Prints `name = value unit` lines: the median and the worst JS to the data, how many seeds end within
0.05 nats (the goal is 9 of 10), the seconds of one training, and what 10,000 samples cost compared
with draws from the data's own law in the same run. Last, the seconds in which all leaves together
learn both laws (the goal is 40). Seconds are of CPU time of one thread, so that they mean the same
on a busy machine.
"""

import argparse
import time
from statistics import median

import torch

from ganlib import families, targets

LEAVES = {Leaf.__name__: Leaf for Leaf in families.LEAVES}


def seconds(call, *arguments, **settings):
    start = time.process_time()
    call(*arguments, **settings)
    return time.process_time() - start


def score(leaf, law, seeds, plain):
    """Print the lines of one leaf on one law; returns the seconds of one training.

    plain: seconds of 10,000 draws from the law itself.
    """
    nats = []
    trained = []
    for seed in range(seeds):
        trained.append(seconds(leaf.fit, law, seed=seed))
        nats.append(leaf.js())
    near = sum(js <= 0.05 for js in nats)
    cost = seconds(leaf.sample, 10_000) / plain

    label = f"{law.name}, {leaf.name}"
    print(f"{label}, JS median = {median(nats):.4f} nats")
    print(f"{label}, JS worst = {max(nats):.4f} nats")
    print(f"{label}, within 0.05 nats = {near} of {len(nats)} seeds")
    print(f"{label}, training = {median(trained):.2f} s")
    print(f"{label}, 10,000 samples = {cost:.1f} times the law's own", flush=True)
    return median(trained)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--leaf", choices=LEAVES, nargs="*", default=list(LEAVES))
    given = parser.parse_args()
    torch.set_num_threads(1)

    together = 0.0
    for law in (targets.mixture(), targets.iris()):
        plain = seconds(law.sample, 10_000)
        for name in given.leaf:
            together += score(LEAVES[name](), law, given.seeds, plain)
    print(f"all leaves on both laws, training = {together:.1f} s")


if __name__ == "__main__":
    main()
