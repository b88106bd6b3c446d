"""The learning-rate landscape of notebook 04 in high resolution: images/landscape.png.

    python tests/benchmarks/landscape.py                      # 20 × 20 pairs of rates; minutes
    python tests/benchmarks/landscape.py --device cuda --size 128    # not yet tried on one

It is made twice, with R1 and without. Prints `name = value unit` lines. `new_gan` is read from
notebook 04.
"""

import argparse
import math
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from convergence import notebooks_gan
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ganlib import targets
from ganlib.stage.scene import PALETTES
from ganlib.sweep import survey

OUT = Path(__file__).parents[2] / "images" / "landscape.png"
WORST = math.log(2)  # the JS of a member that has diverged


def without_penalty(seed):
    gan = notebooks_gan(seed)
    gan.penalty = None
    return gan


def draw(ax, rates, js, good):
    """One map: JS by its shade, a dot where all seeds converged. js, good: (rates, rates)."""
    half = math.log10(rates[1] / rates[0]) / 2  # of a pixel
    low = math.log10(rates[0]) - half
    high = math.log10(rates[-1]) + half
    picture = ax.imshow(
        js,
        origin="lower",
        extent=(low, high, low, high),
        vmin=0,
        vmax=WORST,
        aspect="equal",
        cmap=LinearSegmentedColormap.from_list("", PALETTES["heat"]),
    )

    rows, columns = good.nonzero()
    x = np.log10(rates)[columns]
    y = np.log10(rates)[rows]
    ax.plot(x, y, ".", color="#D55E00", ms=4, label="converged")
    ax.plot((low, high), (low, high), color="#767676", lw=1)
    ax.set(xlabel="log₁₀ lr_G", xlim=(low, high), ylim=(low, high))
    return picture


def js_of(entry):
    """JS at the end of a run."""
    return WORST if entry is None else entry.js


def converged(entry):
    """Whether a run has converged."""
    return entry is not None and entry.converged()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=20)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument(
        "--seeds", type=int, default=1, help="runs of a pixel, which shows their median (default 1)"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()

    torch.set_num_threads(1)
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, name, new_gan in zip(axes, ("with_R1", "without"), (notebooks_gan, without_penalty)):
        start = time.process_time()
        rates, ledgers = survey(
            new_gan,
            targets.gaussian(),
            size=args.size,
            steps=args.steps,
            batch=args.batch,
            seeds=range(args.seeds),
            device=args.device,
        )
        js = np.array([[median(map(js_of, pixel)) for pixel in row] for row in ledgers])
        good = np.array([[all(map(converged, pixel)) for pixel in row] for row in ledgers])
        picture = draw(ax, rates, js, good)
        ax.set_title(name.replace("_", " "), fontsize=11, loc="left")
        print(f"{name}_converged = {100 * good.mean():.0f} % of {good.size} pairs of rates")
        print(f"{name}_js_median = {np.median(js):.4f} nats")
        print(f"{name}_seconds = {time.process_time() - start:.0f} s of CPU", flush=True)

    axes[0].set_ylabel("log₁₀ lr_D")
    axes[0].legend(loc="lower right", fontsize=8)
    figure.colorbar(picture, ax=axes, label="JS at the end, nats")
    figure.savefig(args.out, dpi=100)
    print(f"picture = {args.out.name}")


if __name__ == "__main__":
    main()
