"""The live labs of the course. `Lab`, what each of them is made from, is in `ganlib.stage`."""

import importlib

_FILES = {
    "ganlib.stage.lab": "Lab",
    "ganlib.labs.gan_lab": "GANLab",
    "ganlib.labs.plane": "PlaneLab",
    "ganlib.labs.twins": "Clinic Twins",
    "ganlib.labs.landscape": "Landscape",
    "ganlib.labs.algorithm1": "Algorithm1",
    "ganlib.labs.discriminator": "Detective Knots TwoTerms",
    "ganlib.labs.finite_samples": "FiniteSamples",
    "ganlib.labs.local": "Dirac Ring",
    "ganlib.labs.games": "Payoffs Pizza Players Questions",
    "ganlib.labs.families": "Bound Pairs Taxonomy Walkers",
    "ganlib.labs.likelihood": "FitNormal SlideNormals TwoModes",
    "ganlib.labs.code_book": "CodeBook",
    "ganlib.labs.paths": "Scoreboard Ways",
    "ganlib.labs.pictures": "LatentWalk Neighbours PictureLab TransposedConvolution WhichIsReal",
}
_WHERE = {lab: file for file, labs in _FILES.items() for lab in labs.split()}

__all__ = list(_WHERE)


def __getattr__(name):
    """A lab, which is imported when it is first named."""
    if name not in _WHERE:
        raise AttributeError(f"ganlib.labs has no {name!r}; it has {', '.join(_WHERE)}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__():
    """The names that Tab offers."""
    return __all__
