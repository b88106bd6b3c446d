"""Make the pictures that README and notebooks show: `python images/make.py [value_function figure_1 live_lab ...]`.

Without names it makes all of them. Each function makes the picture of its name.
"""

import argparse
import base64
import json
from io import BytesIO
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
from PIL import Image

from ganlib import plots, targets
from ganlib.gan import GAN
from ganlib.labs import GANLab
from ganlib.networks import mlp

HERE = Path(__file__).parent


def value_function():
    """V(D, G) with what each term asks of whom."""
    green, blue, black = plots.COLOURS["green"], plots.COLOURS["blue"], plots.COLOURS["black"]
    fig = plt.figure(figsize=(9, 2.9))
    formula = [
        (0.02, r"$\min_G\ \max_D\ \ V(D, G)\ =$", black),
        (0.33, r"$\mathbb{E}_{x \sim p_{\mathrm{data}}}\,\log D(x)$", black),
        (0.565, r"$+$", black),
        (0.60, r"$\mathbb{E}_{z \sim p_z}\,\log(1 - D(G(z)))$", green),
    ]
    for left, words, colour in formula:
        fig.text(left, 0.5, words, fontsize=19, color=colour, va="baseline")
    notes = [
        (
            0.45,
            0.86,
            "real examples: D wants D(x) near 1.\nG has no part in this term.",
            black,
            (0.45, 0.62),
        ),
        (0.77, 0.86, "fakes: D wants D(G(z)) near 0,\nG wants it near 1.", green, (0.77, 0.62)),
        (0.09, 0.16, "G wants V small", green, (0.045, 0.42)),
        (0.25, 0.16, "D wants V large", blue, (0.13, 0.42)),
        (
            0.66,
            0.16,
            "D(x) is a belief between 0 and 1 that x is real.  V is at most 0;\nV = −log 4 when D says ½ everywhere.",
            blue,
            None,
        ),
    ]
    for x, y, words, colour, tip in notes:
        fig.text(x, y, words, ha="center", va="center", fontsize=11, color=colour)
        if tip:
            start = (x, y - 0.12 if y > 0.5 else y + 0.07)
            fig.add_artist(
                matplotlib.patches.FancyArrowPatch(
                    start,
                    tip,
                    transform=fig.transFigure,
                    arrowstyle="->",
                    mutation_scale=12,
                    color=colour,
                )
            )
    fig.savefig(HERE / "value_function.png", dpi=150)
    plt.close(fig)


def figure_1():
    """Figure 1 (a) to (d), as found by notebook 04; the picture is the notebook's own."""
    notebook = json.loads(
        (HERE.parent / "notebooks/04_gan_in_one_dimension.ipynb").read_text(encoding="utf8")
    )
    cell = next(c for c in notebook["cells"] if c["id"] == "figure-one-draw")
    picture = next(
        o["data"]["image/png"] for o in cell["outputs"] if "image/png" in o.get("data", {})
    )
    (HERE / "figure_1.png").write_bytes(base64.b64decode("".join(picture)))


def _lab():
    gan = GAN(
        mlp(1, 32, 32, 1, seed=0),
        mlp(1, 48, 48, 1, seed=1, cover=(-3, 3)),
        targets.gaussian(),
        lr_G=2e-3,
        lr_D=2e-2,
        betas=(0.0, 0.9),
        penalty="r1",
        penalty_weight=0.02,
        seed=0,
    )
    return GANLab(gan, "two modes")


def _picture(lab, width):
    memory = BytesIO()
    lab.figure().savefig(memory, format="png")
    image = Image.open(memory).convert("RGB")
    return image.resize((width, image.height * width // image.width), Image.Resampling.LANCZOS)


def live_lab():
    """The lab on two modes: a still after 5,000 steps, and an animation of the way there."""
    lab, frames = _lab(), []
    for steps in (
        [0] + [10] * 10 + [25] * 12 + [100] * 16 + [250] * 12
    ):  # slowly at first, where most happens
        frames.append(_picture(lab.run(steps) if steps else lab, 720).quantize(64))
    _picture(lab, 900).save(HERE / "live_lab.png", optimize=True)
    times = [120] * (len(frames) - 1) + [2500]
    frames[0].save(
        HERE / "live_lab.gif",
        save_all=True,
        append_images=frames[1:],
        duration=times,
        loop=0,
        optimize=True,
    )


PICTURES = {f.__name__: f for f in (value_function, figure_1, live_lab)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", choices=[[], *PICTURES][1:], help="which pictures (default: all)"
    )
    torch.set_num_threads(1)
    for name in parser.parse_args().names or PICTURES:
        PICTURES[name]()
        print("made", name)
