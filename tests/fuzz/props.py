"""What a fuzzed call may name: modules, and small laws, grids, networks and runs to call with."""

import copy
import importlib
import json  # noqa: F401 - calls name it
import math
import pkgutil
from functools import cache
from pathlib import Path

import numpy as np  # noqa: F401 - calls name it
import torch
from matplotlib.figure import Figure
from torch import nn  # noqa: F401 - calls name it

import ganlib
from ganlib import (
    densities,
    exercises,
    families,
    gan,
    gauges,
    local,
    metrics,
    networks,
    session,
    sweep,
    targets,
    training,
)

# All files of the core, and the exercises, by name: calls are written as in a notebook.
MODULES = {
    found.name: importlib.import_module(f"ganlib.{found.name}")
    for found in pkgutil.iter_modules(ganlib.__path__)
    if not found.ispkg
}
MODULES["exercises"] = exercises
globals().update(MODULES)

P = torch.tensor([0.2, 0.3, 0.5])
Q = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
X = densities.line(-6, 6, 60)
NORMAL = targets.gaussian().log_prob(X[:, None]).exp()
WIDE = targets.gaussian(0.3, 1.2).log_prob(X[:, None]).exp()
PUSHED = densities.push_masses(networks.mlp(1, 4, 1, seed=0), targets.gaussian(), X)
POINTS = torch.linspace(-1, 1, 40).reshape(20, 2)
PICTURES = torch.linspace(-1, 1, 12 * 64).reshape(12, 1, 8, 8)
LABELS = torch.arange(12) % 3
ABOUT = {"size": 8, "channels": 1, "z_dim": 4, "width": 2, "norm": "batch"}  # of `picture_gan`


def V(x, y):
    """A game."""
    return x * y


def bowl(x):
    """log p of a normal, up to a constant, of x (n, 1)."""
    return -(x[:, 0] ** 2) / 2


def G(dim=1, seed=0):
    return networks.mlp(dim, 4, dim, seed=seed)


def D(dim=1, seed=1):
    return networks.mlp(dim, 4, 1, seed=seed)


def any_gan(dim=1, seed=0, **how):
    return gan.GAN(G(dim, seed), D(dim, seed), targets.gaussian(dim=dim), seed=seed, **how)


def picture_gan(seed=0):
    G = networks.dcgan_generator(z_dim=4, width=2, seed=seed)
    D = networks.dcgan_discriminator(width=2, seed=seed + 1)
    return gan.GAN(G, D, targets.gaussian(dim=4), seed=seed)


def ledgers():
    return [any_gan().ledger(NORMAL, X)] * 2


def any_session(**how):
    return session.Session(any_gan(), targets.gaussian(), batch=4, **how)


@cache
def leaf(kind, *args):
    """A leaf of the taxonomy after a few steps."""
    return getattr(families, kind)(*args).fit(targets.mixture(), steps=2)


@cache
def _classifier():
    return metrics.classifier(PICTURES, LABELS, steps=1)


def a_classifier():
    """One of its own for each call, as a call may spoil it."""
    return copy.deepcopy(_classifier())


@cache
def rest():
    return local.Rest(any_gan(), points=5)


def any_sweep():
    how = {"lr_G": 1e-3, "lr_D": 1e-3, "steps": 1, "batch": 4, "progress": False}
    return sweep.sweep(any_gan_of, targets.gaussian(), **how)


def any_gan_of(seed):
    return any_gan(seed=seed)


def any_run(**how):
    return training.Run(picture_gan(), PICTURES, batch=4, **how)


def ax():
    return Figure().add_subplot()


def optimiser():
    return torch.optim.SGD(G().parameters(), lr=0.1)


def with_first(values, number):
    """A copy with another first number."""
    changed = torch.as_tensor(values).clone() * 1.0
    changed.flatten()[0] = number
    return changed


def idx_file(labels=False):
    """A file in MNIST's format; its path."""
    import struct

    shape = (2,) if labels else (2, 8, 8)
    path = Path("labels-idx1" if labels else "images-idx3")
    head = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
    path.write_bytes(head + bytes(math.prod(shape)))
    return str(path)


def picture_folder():
    """A folder with one picture; its path."""
    from PIL import Image

    folder = Path("pictures")
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (20, 16)).save(folder / "a.png")
    return str(folder)


def run_file():
    """A checkpoint of a run as `load_pair` wants it; its path."""
    path = Path("checkpoint/run.safetensors")
    if not path.exists():
        any_run(out="checkpoint", about=ABOUT).save()
    return str(path)


def find(name: str, on: str = ""):
    """What a public name means; a method is bound to what `on`, as text, makes."""
    if on:
        return getattr(eval(on, dict(globals())), name.rsplit(".", 1)[1])
    room, *path = name.split(".")
    thing = MODULES[room]
    for part in path:
        thing = getattr(thing, part)
    return thing


g = G()


def line_gauge():
    return gauges.LineGauge(targets.gaussian(), targets.uniform())


def plane_gauge():
    return gauges.PlaneGauge(targets.ring(), targets.gaussian(dim=2))


def wrapped_D(inputs, wrap):
    """What `treat` makes D by."""
    return wrap(D(inputs))
