"""How good a DCGAN is after some 2,000 steps on 8×8 digits: `python tests/benchmarks/digits.py --seeds 0 1 2`.

The recipe is that of notebook 06 and of the shipped weights. Measured as there: 2,000 samples of the averaged G against
the 1,198 training digits, in the features of one classifier trained on these; precision and recall with k = 3.
Prints a line a seed, then the medians, beside real held-out digits and the untrained G.
"""

import argparse
import time
from statistics import median

import torch

from ganlib import images, metrics
from ganlib.gan import GAN
from ganlib.networks import dcgan_discriminator, dcgan_generator
from ganlib.targets import gaussian
from ganlib.training import Run


def show(name, found, unit=""):
    print(
        f"{name}: " + ", ".join(f"{key} = {value:.3f}" for key, value in found.items()) + unit,
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        default=[0, 1, 2],
        help="of weights, noise and order (0 1 2)",
    )
    parser.add_argument("--steps", type=int, default=2100, help="of training (default: 2100)")
    parser.add_argument("--z-dim", type=int, default=64, help="numbers in z (default: 64)")
    parser.add_argument(
        "--width-D", type=int, default=24, help="width of D (default: 24; G has 32)"
    )
    parser.add_argument("--batch", type=int, default=48, help="pictures a step (default: 48)")
    parser.add_argument(
        "--lr",
        type=float,
        default=1e-3,
        help="of both; falls to 0 in the second half (default: 1e-3)",
    )
    parser.add_argument("--ema", type=float, default=0.99, help="of the averaged G (default: 0.99)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    train, held = images.digits().split()
    net, all_found = metrics.classifier(train.x, train.labels), []
    show("real held-out digits", metrics.evaluate(held.x, train.x, net))
    for seed in args.seeds:
        gan = GAN(
            dcgan_generator(z_dim=args.z_dim, seed=seed),
            dcgan_discriminator(width=args.width_D, seed=seed + 1),
            gaussian(dim=args.z_dim),
            lr_G=args.lr,
            lr_D=args.lr,
            seed=seed,
        )
        run = Run(
            gan,
            train.x,
            batch=args.batch,
            ema=args.ema,
            fall=(args.steps // 2, args.steps),
            seed=seed,
        )
        if seed == args.seeds[0]:
            show("untrained G", metrics.evaluate(run.sample(2000), train.x, net))
        begin = time.process_time()
        run.train(args.steps)
        seconds = time.process_time() - begin
        all_found.append(metrics.evaluate(run.sample(2000), train.x, net))
        show(f"seed {seed}", all_found[-1], f", {seconds:.1f} s of one CPU thread")
    show("median", {key: median(found[key] for found in all_found) for key in all_found[0]})


if __name__ == "__main__":
    main()
