"""Every lab of the course, made small: for the tests of what all of them have in common."""

import json
from pathlib import Path

import numpy as np
import torch

from ganlib import images, labs, metrics, targets
from ganlib.families import LEAVES
from ganlib.gan import GAN
from ganlib.networks import dcgan_discriminator, dcgan_generator, mlp
from ganlib.sweep import survey
from ganlib.training import Run

ROOT = Path(__file__).parent.parent


def new_gan(seed=0, dim=1):
    """A small GAN for data of one or two dimensions."""
    G = mlp(dim, 16, 16, dim, seed=seed)
    D = mlp(dim, 16, 16, 1, seed=seed + 1)
    return GAN(G, D, targets.gaussian(dim=dim), lr_D=1e-2, betas=(0.0, 0.9), seed=seed)


def fitted_leaves():
    """Every leaf of the taxonomy, fitted a little to both laws of notebook 02."""
    leaves = []
    for law in (targets.mixture(), targets.iris()):
        leaves += [Leaf().fit(law, steps=5) for Leaf in LEAVES]
    return leaves


def ask_once(answer, target, near, rng):
    """The questions of somebody who knows: the target, and no other."""
    return np.array([target])


def make():
    """{name: lab} of all that `ganlib.labs` has, but for their base class."""
    x, labels = images.digits()
    G = dcgan_generator(seed=0).requires_grad_(False)
    D = dcgan_discriminator(seed=1).requires_grad_(False)
    prior = targets.gaussian(dim=32)
    z = prior.sample(40, torch.Generator().manual_seed(0))

    def new_run():
        gan = GAN(dcgan_generator(seed=0), dcgan_discriminator(seed=1), prior, seed=0)
        return Run(gan, x)

    failures = json.loads((ROOT / "images/failures.json").read_text(encoding="utf-8"))
    after = json.loads((ROOT / "images/after.json").read_text(encoding="utf-8"))
    classifier = metrics.classifier(x, labels, steps=5)
    pixels = survey(new_gan, targets.gaussian(), size=3, steps=5, progress=False)

    needs = {
        "GANLab": [new_gan()],
        "PlaneLab": [new_gan(dim=2)],
        "Clinic": [failures["clinic"]],
        "Landscape": pixels,
        "Questions": [ask_once],
        "Taxonomy": [fitted_leaves()],
        "FitNormal": [[3.0, 4.0, 5.0]],
        "LatentWalk": [G, 32],
        "Neighbours": [G(z), x[:100], x[100:200]],
        "PictureLab": [new_run, x[:100], classifier],
        "Ring": [new_gan()],
        "Scoreboard": [after],
        "WhichIsReal": [G, D, x[:100], z],
    }
    names = [name for name in labs.__all__ if name != "Lab"]
    return {name: getattr(labs, name)(*needs.get(name, [])) for name in names}
