"""The live labs. `Lab` (runner.py) is the base; scene.py names what a lab draws; canvas.js draws it."""

import importlib

_WHERE = {  # class: file; a lab is imported when it is first named
    "Lab": "runner",
    "GANLab": "gan_lab",
    "PlaneLab": "plane", "Clinic": "twins", "Twins": "twins",
    "Algorithm1": "discriminator", "Detective": "discriminator", "FiniteSamples": "discriminator",
    "Knots": "discriminator", "TwoTerms": "discriminator",
    "Landscape": "landscape",
    "Payoffs": "games", "Pizza": "games", "Players": "games", "Questions": "games",
    "Bound": "families", "Pairs": "families", "Taxonomy": "families", "Walkers": "families",
    "CodeBook": "likelihood", "FitNormal": "likelihood", "SlideNormals": "likelihood", "TwoModes": "likelihood",
    "LatentWalk": "pictures", "Neighbours": "pictures", "PictureLab": "pictures", "TransposedConvolution": "pictures",
    "WhichIsReal": "pictures",
}

__all__ = list(_WHERE)


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"ganlib.labs has no {name!r}; it has {', '.join(_WHERE)}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
