"""The four generators of notebook 07, over several seeds and numbers of steps.

    python tests/benchmarks/unet.py --seeds 0 1 2 3
    python tests/benchmarks/unet.py --steps 400 2000

The networks, the loops and the measures are the notebook's own: its cells are run. Prints a line
for each: the measures of section 4 and FD, on held-out digits.
"""

import argparse
from pathlib import Path

import nbformat
import torch

NOTEBOOK = Path(__file__).parents[2] / "notebooks/07_unet.ipynb"


def cells():
    """What the cells of the notebook define, up to its measures."""
    import matplotlib

    matplotlib.use("agg")
    sources = {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
    defined = {}
    for name in ("setup", "data", "fit", "step"):
        exec(sources[name], defined)
    measures, _, _ = sources["blur"].partition("\n\n\ntable")
    exec(measures, defined)
    return defined


def arms(nb, seed, steps):
    """(name, trained G) of the four."""

    def pair():
        return nb["unet"](seed=seed), nb["patch_discriminator"](2, layers=1, seed=seed + 1)

    for name in ("L2", "L1"):
        yield name, nb["fit"](nb["unet"](seed=seed), nb[name], steps=steps, seed=seed)
    for name, weight in (("GAN alone", 0.0), ("L1 + GAN", 10.0)):
        yield name, nb["play"](*pair(), weight=weight, steps=steps, seed=seed)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--seeds", type=int, nargs="+", default=[0], help="of weights and order (default: 0)")
    option("--steps", type=int, nargs="+", default=[400], help="of training (default: 400)")
    given = parser.parse_args()

    nb = cells()
    held, metrics = nb["held"], nb["metrics"]
    real = metrics.features(nb["classifier"], held.x)
    for steps in given.steps:
        for seed in given.seeds:
            for name, G in arms(nb, seed, steps):
                with torch.no_grad():
                    made = G(nb["hide"](held.x))
                found = nb["measure"](made)
                found["FD"] = metrics.frechet(real, metrics.features(nb["classifier"], made))
                said = ", ".join(f"{key} = {value:.3f}" for key, value in found.items())
                print(f"{steps} steps, seed {seed}, {name}: {said}", flush=True)


if __name__ == "__main__":
    main()
