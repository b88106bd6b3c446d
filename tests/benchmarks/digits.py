"""How good a DCGAN is after some 2,000 steps on 8×8 digits.

    python tests/benchmarks/digits.py --seeds 0 1 2

The recipe is that of notebook 06 and of the shipped weights. Measured as there: 2,000 samples of
the averaged G against the 1,198 training digits, in the features of one classifier trained on
these; precision and recall with k = 3. Prints a line a seed, then the medians, beside real held-out
digits and the untrained G. FD of G itself stands beside that of its average, a third of the way
and at the end.
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


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of weights, noise and order")
    option("--steps", type=int, default=2100, help="of training (default: 2100)")
    option("--z-dim", type=int, default=64, help="numbers in z (default: 64)")
    option("--width-D", type=int, default=24, help="width of D (default: 24; G has 32)")
    option("--batch", type=int, default=48, help="pictures a step (default: 48)")
    option("--lr", type=float, default=1e-3, help="of both; falls to 0 in the second half (1e-3)")
    option("--ema", type=float, default=0.99, help="of the averaged G (default: 0.99)")
    return parser.parse_args()


def new_run(given, x, seed):
    gan = GAN(
        dcgan_generator(z_dim=given.z_dim, seed=seed),
        dcgan_discriminator(width=given.width_D, seed=seed + 1),
        gaussian(dim=given.z_dim),
        lr_G=given.lr,
        lr_D=given.lr,
        seed=seed,
    )
    fall = (given.steps // 2, given.steps)
    return Run(gan, x, batch=given.batch, ema=given.ema, fall=fall, seed=seed)


@torch.no_grad()
def of_player(run):
    """2,000 pictures by G itself, from the z of `run.sample`."""
    z = run.prior.sample(2000, torch.Generator().manual_seed(0))
    made = run.gan.G.eval()(z)
    run.gan.G.train()
    return made


def show(name, found, more=""):
    numbers = ", ".join(f"{key} = {value:.3f}" for key, value in found.items())
    print(f"{name}: {numbers}{more}", flush=True)


def main():
    given = arguments()
    torch.set_num_threads(1)
    train, held = images.digits().split()
    net = metrics.classifier(train.x, train.labels)
    show("real held-out digits", metrics.evaluate(held.x, train.x, net))
    untrained = new_run(given, train.x, given.seeds[0])
    show("untrained G", metrics.evaluate(untrained.sample(2000), train.x, net))

    all_found = []
    real = metrics.features(net, train.x)
    for seed in given.seeds:
        run = new_run(given, train.x, seed)
        seconds = 0.0
        for steps in (given.steps // 3, given.steps):  # with rates still high, and fallen to 0
            begin = time.process_time()
            run.train(steps)
            seconds += time.process_time() - begin
            made, itself = (
                metrics.frechet(real, metrics.features(net, x))
                for x in (run.sample(2000), of_player(run))
            )
            print(
                f"seed {seed}, step {steps}: FD of the average {made:.1f}, of G itself {itself:.1f}"
            )
        found = metrics.evaluate(run.sample(2000), train.x, net)
        show(f"seed {seed}", found, f", {seconds:.1f} s of one CPU thread")
        all_found.append(found)
    show("median", {key: median(found[key] for found in all_found) for key in found})


if __name__ == "__main__":
    main()
