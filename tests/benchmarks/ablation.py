"""What makes the GAN of notebook 04 come to rest? One choice taken away at a time, over seeds.

    python tests/benchmarks/ablation.py                     # about 15 minutes of one core
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
from convergence import notebooks_gan

from ganlib.labs.gan_scene import TARGETS
from ganlib.session import Session

OUT = Path(__file__).parents[2] / "images" / "ablation.json"
LAWS = ("normal", "two modes")
LAST = 100  # steps whose gauges are averaged
GAUGES = ("js", "off_star")

# What is changed in the run of the notebook, as `Session.tune` takes it.
WAYS: dict[str, dict] = {
    "as it stands": {},
    "rates do not fall": {"anneal": False},
    "β₁ = ½": {"beta1": 0.5},
    "β₁ = 0.9": {"beta1": 0.9},
    "equal rates": {"lr_D": 2e-3},
    "no R1": {"penalty": "none"},
}


def gauges(law, changed, seed, steps):
    """JS and E|D − D*|, each the mean over the last steps of one run."""
    session = Session(notebooks_gan(seed), TARGETS[law](), horizon=steps, seed=seed)
    session.tune(**changed)
    seen = []
    while session.gan.steps < steps:
        session.step()
        if session.gan.steps > steps - LAST:
            seen.append(session.ledger)
    return {gauge: round(fmean(getattr(ledger, gauge) for ledger in seen), 5) for gauge in GAUGES}


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
        for way, changed in WAYS.items():
            runs = [gauges(law, changed, seed, args.steps) for seed in range(args.seeds)]
            table[law][way] = {gauge: [run[gauge] for run in runs] for gauge in GAUGES}
            for gauge, found in table[law][way].items():
                spread = f"{median(found):.3f} ({min(found):.3f} to {max(found):.3f})"
                print(f"{law}, {way}, {gauge} = {spread}", flush=True)

    args.out.write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"table = {args.out.name}")


if __name__ == "__main__":
    main()
