"""What makes the GAN of notebook 04 come to rest? One choice taken away at a time, over seeds.

    python tests/benchmarks/ablation.py                     # some minutes of one core
    python tests/benchmarks/ablation.py --seeds 2 --steps 300 --out /tmp/try.json

For each law, way and seed it keeps two gauges, JS and E|D − D*|, each a mean over the last 100
steps: one moment says where a run is and not whether it rests there. The numbers are kept in
images/ablation.json, which notebook 04 reads. The runs are those of the live lab in a page
(lab.html), in Chromium. Prints `name = value unit` lines.
"""

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median

from convergence import chromium, opened

OUT = Path(__file__).parents[2] / "images" / "ablation.json"
LAWS = ("normal", "two modes")
LAST = 100  # steps over which the gauges are averaged
GAUGES = ("js", "off_star")

# What is changed in the lab as it stands.
WAYS: dict[str, dict] = {
    "as it stands": {},
    "rates do not fall": {"anneal": False},
    "β₁ = ½": {"beta1": 0.5},
    "β₁ = 0.9": {"beta1": 0.9},
    "equal rates": {"lr_D": 2e-3},
    "no R1": {"penalty": "none"},
}

# One run in the page: the mean of each gauge over the last steps.
RUN = """([law, knobs, seed, steps, last, gauges]) => {
    lab.set("preset", "converges");
    lab.set("target", law);
    for (const [key, value] of Object.entries(knobs)) lab.set(key, value);
    lab.set("seed", seed);
    lab.reset();
    lab.session.horizon = steps;
    const sums = gauges.map(() => 0);
    for (let step = 1; step <= steps; step++) {
        lab.session.step();
        if (step > steps - last) {
            const ledger = lab.session.ledger;
            gauges.forEach((gauge, i) => { sums[i] += ledger[gauge] / last; });
        }
    }
    return sums; }"""


def study(page, law, way, seeds, steps):
    """{gauge: a number for each seed}."""
    runs = [
        page.evaluate(RUN, [law, WAYS[way], seed, steps, LAST, GAUGES]) for seed in range(seeds)
    ]
    return {gauge: [round(run[i], 5) for run in runs] for i, gauge in enumerate(GAUGES)}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=12, help="how many (default 12)")
    parser.add_argument("--steps", type=int, default=1500, help="of a run (default 1,500)")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()

    table: dict = {"seeds": args.seeds, "steps": args.steps, "last": LAST, "laws": {}}
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium() as browser,
        opened(browser, folder) as (page, _),
    ):
        for law in LAWS:
            table["laws"][law] = {}
            for way in WAYS:
                found = study(page, law, way, args.seeds, args.steps)
                table["laws"][law][way] = found
                for gauge, of_seeds in found.items():
                    low, high = min(of_seeds), max(of_seeds)
                    spread = f"{median(of_seeds):.3f} ({low:.3f} to {high:.3f})"
                    print(f"{law}, {way}, {gauge} = {spread}", flush=True)

    args.out.write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"table = {args.out.name}")


if __name__ == "__main__":
    main()
