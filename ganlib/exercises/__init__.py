"""Exercises that check themselves: `check(name, answer)` says whether an answer is right, and if not, why.

The checks of notebook 04 are the functions in `nb04.py`, and so on: each takes an answer and returns
None when it is right, else a hint that names the likely mistake.
"""

import importlib
import inspect
import pkgutil

import numpy as np

from ganlib.checks import one_of


def _find(name):
    modules = [
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    ]
    checks = {
        key: f
        for m in modules
        for key, f in vars(m).items()
        if inspect.isfunction(f)
        and f.__module__ in (m.__name__, __name__)
        and not key.startswith("_")
    }
    return checks[one_of("exercise", name, sorted(checks))]


def _first(*mistakes):
    """The hint of the first (seen, hint) that was seen, None if none was."""
    return next((hint for seen, hint in mistakes if seen), None)


def _numbers(right, otherwise, wrong, near=5e-3):
    """The check of an answer in numbers: `wrong` has a hint for each usual mistake, `otherwise` is the hint for the rest.

    Numbers are the same when they differ by at most `near`, and `near` times their size.
    """

    def judge(answer):
        given = [float(number) for number in np.ravel(answer)]
        return next(
            (
                hint
                for numbers, hint in [(right, None), *wrong.items()]
                if len(given) == len(np.ravel(numbers)) and np.allclose(given, numbers, near, near)
            ),
            otherwise,
        )

    return judge


def check(name: str, answer) -> None:
    """Print whether `answer` to the exercise `name` is right; the stub `...` counts as not answered yet."""
    test = _find(name)
    try:
        hint = ... if answer is ... else test(answer)
    except NotImplementedError:
        hint = ...
    except Exception as error:  # a learner's code may fail in any way; the check must not
        hint = f"Checking your answer failed with {type(error).__name__}: {error}"
    print(
        f"{name}: not answered yet."
        if hint is ...
        else f"{name}: right."
        if hint is None
        else f"{name}: not yet. {hint}"
    )


def show_source(thing) -> None:
    """Print the source of a function or class of ganlib: what the notebooks use is there to be read."""
    print(inspect.getsource(thing).rstrip())
