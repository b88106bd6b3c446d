"""The trained GANs that notebook 08 puts to rest: images/resting.safetensors.

    python tests/benchmarks/resting.py     # two minutes

Five seeds each of the GAN of notebook 04 on a normal law and on two modes, after 1,500 steps at the
notebook's rates. `new_gan` is read from notebook 04.
"""

import time
from pathlib import Path

import torch
from convergence import notebooks_gan

from ganlib import targets
from ganlib.files import write

OUT = Path(__file__).parents[2] / "images" / "resting.safetensors"
LAWS = {"normal": targets.gaussian(), "two modes": targets.mixture()}
SEEDS = range(5)
STEPS = 1500
BATCH = 256


def trained(law, seed):
    """The GAN of this seed after `STEPS` steps on draws of a law."""
    gan = notebooks_gan(seed)
    draws = torch.Generator().manual_seed(seed)
    for _ in range(STEPS):
        gan.step(law.sample(BATCH, draws))
    return gan


def main():
    torch.set_num_threads(1)
    began = time.perf_counter()
    weights = {}
    for name, law in LAWS.items():
        for seed in SEEDS:
            gan = trained(law, seed)
            for player in ("G", "D"):
                for key, weight in getattr(gan, player).state_dict().items():
                    weights[f"{name}/{seed}/{player}/{key}"] = weight

    write(OUT, weights, {"steps": STEPS, "batch": BATCH, "laws": list(LAWS), "seeds": len(SEEDS)})
    print(f"seconds = {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
