"""Exercises that check themselves: `check(name, answer)` says whether an answer is right.

If it is not, `check` says why. The checks of notebook 04 are the functions in `nb04.py`, and so on:
each takes an answer and returns None when it is right, else a hint that names the likely mistake.
A check may also return `...`, which says that a function is still the stub of the notebook.
"""

import importlib
import inspect
import pkgutil

import numpy as np

from ganlib.checks import one_of


def _checks():
    """{notebook: {name: check}}, such as {"nb03": {"zero_sum": …, …}, …}."""
    checks = {}
    for file in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{file.name}")
        here = (module.__name__, __name__)  # written there, or made by `_numbers`
        checks[file.name] = {
            name: thing
            for name, thing in vars(module).items()
            if inspect.isfunction(thing) and thing.__module__ in here and not name.startswith("_")
        }
    return checks


def _find(name):
    """The check of this name, in whichever notebook it is."""
    every = {}
    for checks in _checks().values():
        every.update(checks)
    return every[one_of("exercise", name, sorted(every))]


def _numbers(right, otherwise, wrong, near=5e-3):
    """The check of an answer in numbers.

    `wrong` has a hint for each usual mistake, and `otherwise` is the hint for the rest.
    Numbers are the same when they differ by at most `near`, and `near` times their size.
    """
    hints = [(right, None), *wrong.items()]

    def judge(answer):
        given = [float(number) for number in np.ravel(answer)]
        for numbers, hint in hints:
            as_many = len(given) == len(np.ravel(numbers))
            if as_many and np.allclose(given, numbers, near, near):
                return hint
        return otherwise

    return judge


def _letters(answer):
    """The letters of an answer as one word: "t, v", "T V" and ["t", "v"] are all "tv"."""
    return "".join(answer).replace(",", "").replace(" ", "").lower()


def _verdict(test, answer):
    """What `test` says of `answer`, in words."""
    if answer is ...:
        return "not answered yet."

    try:
        hint = test(answer)
    except NotImplementedError:
        return "not answered yet."
    except Exception as error:  # a learner's code may fail in any way; the check must not
        return f"not yet. Checking your answer failed with {type(error).__name__}: {error}"

    if hint is ...:
        return "not answered yet."
    if hint is None:
        return "right."
    return f"not yet. {hint}"


def check(name: str, answer) -> None:
    """Print whether `answer` to the exercise `name` is right.

    The stub `...` counts as not answered yet.
    """
    print(f"{name}: {_verdict(_find(name), answer)}")


def show_source(thing) -> None:
    """Print the source of a function or class of ganlib: what notebooks use is there to be read."""
    print(inspect.getsource(thing).rstrip())
