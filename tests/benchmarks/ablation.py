"""What makes the GAN of notebook 04 come to rest? One choice taken away at a time, over seeds.

    python tests/benchmarks/ablation.py                     # about 3 minutes of one core
    python tests/benchmarks/ablation.py --seeds 2 --steps 300 --out /tmp/try.json

For each law, way and seed it keeps two gauges, JS and E|D − D*|, each a mean over the last 100
steps: one number says where the run is and not whether it rests there. The numbers are kept in
images/ablation.json, which notebook 04 reads. `new_gan` is read from notebook 04. Prints
`name = value unit` lines.
"""

import argparse
import json
from pathlib import Path
from statistics import fmean, median

import torch
from convergence import grid, notebooks_gan

from ganlib.labs.gan_scene import TARGETS
from ganlib.sweep import sweep

OUT = Path(__file__).parents[2] / "images" / "ablation.json"
LAWS = ("normal", "two modes")
LAST = 100  # steps over which the gauges are averaged,
EVERY = 5  # looking every so many
GAUGES = ("js", "off_star")

# What is changed in the GAN of the notebook, and in how it is trained.
WAYS: dict[str, tuple[dict, dict]] = {
    "as it stands": ({}, {}),
    "rates do not fall": ({}, {"anneal": False}),
    "β₁ = ½": ({"betas": (0.5, 0.9)}, {}),
    "β₁ = 0.9": ({"betas": (0.9, 0.9)}, {}),
    "equal rates": ({"lr_D": 2e-3}, {}),
    "no R1": ({"penalty": None}, {}),
}


def gauges(law, way, seeds, steps):
    """{gauge: a number for each seed}, each the mean over the last steps of a run."""
    of_the_gan, of_training = WAYS[way]
    target = TARGETS[law]()
    p_data, x = grid(target)
    seen = []

    def look(now):
        if now.steps > steps - LAST and now.steps % EVERY == 0:
            seen.append(now.ledgers(p_data, x))

    def new_gan(seed):
        gan = notebooks_gan(seed)
        for name, value in of_the_gan.items():
            setattr(gan, name, value)
        return gan

    first = new_gan(0)
    how = {"lr_G": first.lr_G, "lr_D": first.lr_D, "watch": look, "progress": False, **of_training}
    sweep(new_gan, target, seed=range(seeds), steps=steps, **how)
    return {
        gauge: [round(fmean(getattr(ledger, gauge) for ledger in run), 5) for run in zip(*seen)]
        for gauge in GAUGES
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=12, help="how many (default 12)")
    parser.add_argument("--steps", type=int, default=1500, help="of a run (default 1,500)")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()

    torch.set_num_threads(1)
    table: dict = {"seeds": args.seeds, "steps": args.steps, "last": LAST}
    for law in LAWS:
        table[law] = {}
        for way in WAYS:
            table[law][way] = gauges(law, way, args.seeds, args.steps)
            for gauge, found in table[law][way].items():
                spread = f"{median(found):.3f} ({min(found):.3f} to {max(found):.3f})"
                print(f"{law}, {way}, {gauge} = {spread}", flush=True)

    args.out.write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"table = {args.out.name}")


if __name__ == "__main__":
    main()
