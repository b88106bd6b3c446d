"""The live labs. `Lab` (runner.py) is the base; scene.py names what a lab draws; canvas.js draws it."""

import importlib

_FILES = {
    "runner": "Lab",
    "gan_lab": "GANLab",
    "plane": "PlaneLab",
    "twins": "Clinic Twins",
    "landscape": "Landscape",
    "discriminator": "Algorithm1 Detective FiniteSamples Knots TwoTerms",
    "games": "Payoffs Pizza Players Questions",
    "families": "Bound Pairs Taxonomy Walkers",
    "likelihood": "CodeBook FitNormal SlideNormals TwoModes",
    "pictures": "LatentWalk Neighbours PictureLab TransposedConvolution WhichIsReal",
}
_WHERE = {
    lab: file for file, labs in _FILES.items() for lab in labs.split()
}  # a lab is imported when it is first named

__all__ = list(_WHERE)


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"ganlib.labs has no {name!r}; it has {', '.join(_WHERE)}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
