"""Answers to every exercise of the course: right ones, and the usual mistakes.

`nb04.py` has those of notebook 04, and so on, in tables of the same form:

RIGHT   {exercise: [answer, …]}
WRONG   {exercise: [(answer, words that stand in the hint for this mistake and in no other), …]}
STUBS   {exercise: [answer, …]}: functions that are as the notebook gives them, if it gives one
"""

import importlib
import pkgutil

RIGHT: dict = {}
WRONG: dict = {}
STUBS: dict = {}

for module in pkgutil.iter_modules(__path__):
    notebook = importlib.import_module(f"{__name__}.{module.name}")
    RIGHT |= notebook.RIGHT
    WRONG |= notebook.WRONG
    STUBS |= getattr(notebook, "STUBS", {})


def cases(table):
    """[(exercise, case), …] of one of the tables."""
    return [(exercise, case) for exercise, listed in table.items() for case in listed]
