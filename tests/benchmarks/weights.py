"""Take a finished run into notebooks/weights, with its measures.

    python tests/benchmarks/weights.py runs/a digits

The run itself is made by `python -m ganlib.training …`; its own JSON holds that command. Measured
here on 2,000 samples of the averaged G, against the part it was trained on; the same pictures must
be at hand (--images).
"""

import argparse
from pathlib import Path

import torch

from ganlib import images, metrics
from ganlib.files import read, write
from ganlib.targets import gaussian
from ganlib.training import load_pair

WEIGHTS = Path(__file__).parents[2] / "notebooks" / "weights"


def measure(path, source, held_out=1 / 3):
    """The measures of stored weights, and those of real held-out pictures."""
    G, _, about = load_pair(path)
    train, held = images.load(source, size=about["size"]).split(held_out)
    net = metrics.classifier(train.x, train.labels)
    z = gaussian(dim=about["z_dim"]).sample(2000, torch.Generator().manual_seed(0))
    with torch.no_grad():
        made = torch.cat([G(part) for part in z.split(250)])
    few = train.x[:2000]
    return metrics.evaluate(made, few, net), metrics.evaluate(held.x[:2000], few, net)


def rounded(found):
    return {name: round(value, 3) for name, value in found.items()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("run", type=Path, help="folder of the run")
    option("name", help="of the file in notebooks/weights")
    option("--images", default="digits", help="what it was trained on (default: digits)")
    given = parser.parse_args()
    torch.set_num_threads(1)

    path = given.run / "run.safetensors"
    made, real = measure(path, given.images)
    tensors, about = read(path)
    about["metrics"] = rounded(made)
    about["real held-out pictures"] = rounded(real)
    kept = {name: tensors[name] for name in tensors if name.split(".")[0] in ("mean", "D")}
    write(WEIGHTS / f"{given.name}.safetensors", kept, about)
    for name in made:
        print(f"{name} = {made[name]:.3f} (real held-out pictures: {real[name]:.3f})")


if __name__ == "__main__":
    main()
