"""Exercises that check themselves: `check(name, answer)` says whether an answer is right, and if not, why.

The checks of notebook 04 are the functions in `nb04.py`, and so on: each takes an answer and returns
None when it is right, else a hint that names the likely mistake.
"""

import importlib
import inspect
import pkgutil

__all__ = ["check", "show_source"]


def _find(name):
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    checks = {key: f for m in modules for key, f in vars(m).items()
              if inspect.isfunction(f) and f.__module__ == m.__name__ and not key.startswith("_")}
    if name not in checks:
        raise ValueError(f"there is no exercise {name!r}; the exercises are {', '.join(sorted(checks))}")
    return checks[name]


def check(name: str, answer) -> None:
    """Print whether `answer` to the exercise `name` is right; the stub `...` counts as not answered yet."""
    test = _find(name)
    if answer is ...:
        print(f"{name}: not answered yet.")
        return
    try:
        hint = test(answer)
    except NotImplementedError:
        print(f"{name}: not answered yet.")
        return
    except Exception as error:  # a learner's code may fail in any way; the check must not
        hint = f"Checking your answer failed with {type(error).__name__}: {error}"
    print(f"{name}: right." if hint is None else f"{name}: not yet. {hint}")


def show_source(thing) -> None:
    """Print the source of a function or class of ganlib: what the notebooks use is there to be read."""
    print(inspect.getsource(thing).rstrip())
