"""Every lab of the course, made small: for the tests of what all of them have in common."""

import json
from pathlib import Path

import numpy as np
import torch

from ganlib import images, labs, metrics, targets
from ganlib.families import LEAVES
from ganlib.gan import GAN
from ganlib.labs.landscape import survey
from ganlib.networks import dcgan_discriminator, dcgan_generator, mlp
from ganlib.training import Run

ROOT = Path(__file__).parent.parent


def new_gan(seed=0, dim=1):
    """A small GAN for data of one or two dimensions."""
    G, D = mlp(dim, 16, 16, dim, seed=seed), mlp(dim, 16, 16, 1, seed=seed + 1)
    return GAN(G, D, targets.gaussian(dim=dim), lr_D=1e-2, betas=(0.0, 0.9), seed=seed)


def make():
    """{name: lab} of all that `ganlib.labs` has, but for their base class."""
    x, labels = images.digits()
    new_run = lambda: Run(
        GAN(dcgan_generator(seed=0), dcgan_discriminator(seed=1), targets.gaussian(dim=32), seed=0),
        x,
    )
    G, D = (
        net.requires_grad_(False) for net in (dcgan_generator(seed=0), dcgan_discriminator(seed=1))
    )
    z = targets.gaussian(dim=32).sample(40, torch.Generator().manual_seed(0))
    leaves = [
        Leaf().fit(law, steps=5) for law in (targets.mixture(), targets.iris()) for Leaf in LEAVES
    ]
    clinic = json.loads((ROOT / "images/failures.json").read_text(encoding="utf-8"))["clinic"]
    pixels = survey(new_gan, targets.gaussian(), size=3, steps=5, progress=False)
    needs = {
        "GANLab": [new_gan()],
        "PlaneLab": [new_gan(dim=2)],
        "Clinic": [clinic],
        "Landscape": pixels,
        "Questions": [lambda answer, target, near, rng: np.array([target])],
        "Taxonomy": [leaves],
        "FitNormal": [[3.0, 4.0, 5.0]],
        "LatentWalk": [G, 32],
        "Neighbours": [G(z), x[:100], x[100:200]],
        "PictureLab": [new_run, x[:100], metrics.classifier(x, labels, steps=5)],
        "WhichIsReal": [G, D, x[:100], z],
    }
    return {
        name: getattr(labs, name)(*needs.get(name, [])) for name in labs.__all__ if name != "Lab"
    }
