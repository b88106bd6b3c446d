"""Train every leaf of the taxonomy for ten seeds on both laws, and print its line of the scoreboard.

    python tests/benchmarks/scoreboard.py                       # about four minutes of one core
    python tests/benchmarks/scoreboard.py --seeds 2 --leaf Flow

Prints `name = value unit` lines: the median and the worst JS to the data, the seconds of one training, and
what 10,000 samples cost compared with draws from the data's own law in the same run.
"""

import argparse
import statistics
import time

import torch

from ganlib import families, targets


def seconds(call, *arguments, **settings):
    start = time.perf_counter()
    call(*arguments, **settings)
    return time.perf_counter() - start


def main():
    names = [Leaf.__name__ for Leaf in families.LEAVES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--leaf", choices=names, nargs="*", default=names)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for law in (targets.mixture(), targets.iris()):
        plain = seconds(law.sample, 10_000)
        for name in arguments.leaf:
            leaf, nats, trained = getattr(families, name)(), [], []
            for seed in range(arguments.seeds):
                trained.append(seconds(leaf.fit, law, seed=seed))
                nats.append(leaf.js())
            label = f"{law.name}, {leaf.name}"
            print(f"{label}, JS median = {statistics.median(nats):.4f} nats")
            print(f"{label}, JS worst = {max(nats):.4f} nats")
            print(f"{label}, training = {statistics.median(trained):.2f} s")
            print(f"{label}, 10,000 samples = {seconds(leaf.sample, 10_000) / plain:.1f} times the law's own",
                  flush=True)


if __name__ == "__main__":
    main()
