"""Make the pictures that README and notebooks show: `python images/make.py [figure_1 ...]`.

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
from matplotlib.patches import FancyArrowPatch
from PIL import Image

from ganlib import labs, plots, targets
from ganlib.files import read
from ganlib.gan import GAN
from ganlib.labs import GANLab
from ganlib.networks import mlp

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"

GREEN = plots.COLOURS["green"]
BLUE = plots.COLOURS["blue"]
BLACK = plots.COLOURS["black"]

# V(D, G) in pieces: where each begins, as a share of the width, and its colour.
FORMULA = [
    (0.02, r"$\min_G\ \max_D\ \ V(D, G)\ =$", BLACK),
    (0.33, r"$\mathbb{E}_{x \sim p_{\mathrm{data}}}\,\log D(x)$", BLACK),
    (0.565, r"$+$", BLACK),
    (0.60, r"$\mathbb{E}_{z \sim p_z}\,\log(1 - D(G(z)))$", GREEN),
]

# What is said about the pieces: its middle, the words, their colour, and what the arrow points at.
NOTES = [
    (
        (0.45, 0.86),
        "real examples: D wants D(x) near 1.\nG has no part in this term.",
        BLACK,
        (0.45, 0.62),
    ),
    (
        (0.77, 0.86),
        "fakes: D wants D(G(z)) near 0,\nG wants it near 1.",
        GREEN,
        (0.77, 0.62),
    ),
    ((0.09, 0.16), "G wants V small", GREEN, (0.045, 0.42)),
    ((0.25, 0.16), "D wants V large", BLUE, (0.13, 0.42)),
    (
        (0.66, 0.16),
        "D(x) is a belief between 0 and 1 that x is real.  V is at most 0;\n"
        "V = −log 4 when D says ½ everywhere.",
        BLUE,
        None,
    ),
]

# Steps from one frame of the animation to the next: slowly at first, where most happens.
STRIDES = [10] * 10 + [25] * 12 + [100] * 16 + [250] * 12


def value_function():
    """V(D, G) with what each term asks of whom."""
    fig = plt.figure(figsize=(9, 2.9))
    for left, formula, colour in FORMULA:
        fig.text(left, 0.5, formula, fontsize=19, color=colour, va="baseline")

    for (x, y), words, colour, tip in NOTES:
        fig.text(x, y, words, ha="center", va="center", fontsize=11, color=colour)
        if tip:
            start = y - 0.12 if y > 0.5 else y + 0.07  # the formula is in the middle
            arrow = FancyArrowPatch(
                (x, start),
                tip,
                transform=fig.transFigure,
                arrowstyle="->",
                mutation_scale=12,
                color=colour,
            )
            fig.add_artist(arrow)

    fig.savefig(HERE / "value_function.png", dpi=150)
    plt.close(fig)


def figure_1():
    """Figure 1 (a) to (d): the picture that notebook 04 stores, as it found and drew it."""
    notebook = json.loads((NOTEBOOKS / "04_gan_in_one_dimension.ipynb").read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "figure-one-draw")
    outputs = [output.get("data", {}) for output in cell["outputs"]]
    picture = next(data["image/png"] for data in outputs if "image/png" in data)
    (HERE / "figure_1.png").write_bytes(base64.b64decode("".join(picture)))


def live_lab():
    """The lab on two modes: a still after 5,000 steps, and an animation of the way there."""
    lab = _lab()
    frames = [_frame(lab)]
    for steps in STRIDES:
        lab.run(steps)
        frames.append(_frame(lab))

    _picture(lab, 900).save(HERE / "live_lab.png", optimize=True)
    milliseconds = [120] * len(STRIDES) + [2500]
    frames[0].save(
        HERE / "live_lab.gif",
        save_all=True,
        append_images=frames[1:],
        duration=milliseconds,
        loop=0,
        optimize=True,
    )


def answers():
    """What labs show when they have run: the pictures in the folded answers of the notebooks."""
    cycle = labs.Players(game="false cycle: xy + (cos 4y − cos 4x)/16", rule="extragradient")
    ring = labs.Ring(_resting()).set("loss", "wasserstein").set("gamma", 0.1)
    finished = {
        "bound": labs.Bound("one width").run(400),
        "walkers": labs.Walkers(size=0.5, apart=3.0).run(300),
        "pairs": labs.Pairs("drawn at random").run(600),
        "players": cycle.run(400),
        "live_lab": GANLab(_gan(), "normal").run(3000),
        "ring": ring.run(200),
    }
    for name, lab in finished.items():
        picture = _picture(lab, 900).quantize(96, dither=Image.Dither.NONE)
        picture.save(HERE / f"answer_{name}.png", optimize=True)


def _resting():
    """The GAN of notebook 04 that notebook 08 rings: its weights are kept beside this file."""
    weights, _ = read(HERE / "resting.safetensors")
    gan = GAN(mlp(1, 32, 32, 1), mlp(1, 48, 48, 1), targets.gaussian())
    for name in ("G", "D"):
        place = f"normal/0/{name}/"
        own = {key.removeprefix(place): w for key, w in weights.items() if key.startswith(place)}
        getattr(gan, name).load_state_dict(own)
    return gan


def _lab():
    """The live lab with the GAN of notebook 04, on two modes."""
    return GANLab(_gan(), "two modes")


def _gan():
    """The networks and rates of notebook 04."""
    return GAN(
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


def _picture(lab, width):
    """What the lab shows, as a picture of this width."""
    memory = BytesIO()
    lab.figure().savefig(memory, format="png")
    image = Image.open(memory).convert("RGB")
    height = image.height * width // image.width
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _frame(lab):
    """The same for the animation, in few colours."""
    return _picture(lab, 720).quantize(64)


PICTURES = {picture.__name__: picture for picture in (value_function, figure_1, live_lab, answers)}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PICTURES)} (default: all)")
    names = parser.parse_args().names or list(PICTURES)
    unknown = [name for name in names if name not in PICTURES]
    if unknown:  # `choices` refuses to be given none, before Python 3.12
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(PICTURES)}")

    torch.set_num_threads(1)
    for name in names:
        PICTURES[name]()
        print("made", name)


if __name__ == "__main__":
    main()
