"""Exercises that check themselves: `check(name, answer)` says whether an answer is right.

If it is not, `check` says why. The checks of notebook 04 are the functions in `nb04.py`, and so on:
each takes an answer and returns None when it is right, else a hint that names the likely mistake.
It may raise `_Unasked` with a sentence, about an answer that is not of the kind that is asked, and
NotImplementedError when a function is still the stub of the notebook.
"""

import ctypes
import importlib
import inspect
import pkgutil
import reprlib
import threading
from contextlib import contextmanager

import numpy as np
import torch

from ganlib.checks import one_of

LIMIT = 20.0  # seconds that checking an answer may take
AMOUNTS = {1: "One", 2: "Two", 3: "Three"}
OF_FUNCTION = " of your function"


class _Unasked(Exception):
    """The answer is not of the kind that is asked; the words say what is."""


class _TooLong(BaseException):
    """An answer is not done in time. No `except Exception` of a learner catches it."""


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


def _shown(thing):
    """What was given, in a few words on one line."""
    if isinstance(thing, (torch.Tensor, np.ndarray)) and thing.ndim > 0:
        return f"an array of shape {tuple(thing.shape)}"
    if callable(thing):
        return "a function"
    return " ".join(reprlib.repr(thing).split())


def _flat(answer):
    """The numbers of an answer, one after the other: its own, those of an array, or of a list."""
    if isinstance(answer, (list, tuple)):
        return [number for part in answer for number in _flat(part)]
    if isinstance(answer, torch.Tensor):
        answer = answer.detach().cpu().resolve_conj().numpy()
    try:
        if answer is None or isinstance(answer, (str, bytes)) or np.iscomplexobj(answer):
            raise TypeError
        return np.asarray(answer, float).ravel().tolist()
    except (TypeError, ValueError, OverflowError):
        raise _Unasked(f"{_shown(answer)} is no number") from None


def _as_many(answer, amount, of=""):
    """The numbers of an answer if there are so many, else `_Unasked`."""
    asked = "number is asked" if amount == 1 else "numbers are asked"
    wanted = f"{AMOUNTS.get(amount, amount)} {asked}{of}"
    try:
        numbers = _flat(answer)
    except _Unasked as why:
        raise _Unasked(f"{wanted}, and {why}.") from None
    if len(numbers) != amount:
        raise _Unasked(f"{wanted}, got {_shown(answer)}.")
    return numbers


def _function(answer):
    """The answer, which must be a function, as one that raises if it is still a stub.

    A stub gives nothing, or `...`, when it is called for the first time; so does a step, which is
    therefore called as it came.
    """
    if not callable(answer):
        raise _Unasked(f"A function is asked, got {_shown(answer)}.")
    stub = True

    def answered(*given):
        nonlocal stub
        got = answer(*given)
        if stub and (got is None or got is ...):
            raise NotImplementedError
        stub = False
        return got

    return answered


def _numbers(right, otherwise, wrong, near=5e-3, of=""):
    """The check of an answer in numbers.

    `wrong` has a hint for each usual mistake, and `otherwise` is the hint for the rest.
    Numbers are the same when they differ by at most `near`, and `near` times their size.
    of: what else is asked of them, `OF_FUNCTION` for what a learner's function gives.
    """
    amount = len(np.ravel(right))
    hints = [(right, None), *wrong.items()]

    def judge(answer):
        given = _as_many(answer, amount, of)
        for numbers, hint in hints:
            if np.allclose(given, np.ravel(numbers), near, near):
                return hint
        return otherwise

    return judge


def _letters(answer):
    """The letters of an answer as one word: "t, v", "T V" and ["t", "v"] are all "tv"."""
    listed = isinstance(answer, (str, list, tuple, set))
    if not listed or not all(isinstance(letter, str) for letter in answer):
        raise _Unasked(f'Letters are asked, such as "a, b", got {_shown(answer)}.')
    return "".join(answer).replace(",", "").replace(" ", "").lower()


@contextmanager
def _at_most(seconds):
    """Raise `_TooLong` in this thread if the block takes longer.

    It comes between two steps of Python, on every system: a loop inside C, as of `time.sleep`, is
    let run to its end.
    """
    here = ctypes.c_ulong(threading.get_ident())
    throw = ctypes.pythonapi.PyThreadState_SetAsyncExc
    timer = threading.Timer(seconds, throw, (here, ctypes.py_object(_TooLong)))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        throw(here, None)  # takes back what was thrown too late


def _judged(test, answer):
    """What `test` returns of `answer`; a sentence if checking fails."""
    try:
        with _at_most(LIMIT):
            return test(answer)
    except NotImplementedError:
        return ...
    except _Unasked as why:
        return str(why)
    except _TooLong:
        return f"Checking your answer took more than {LIMIT:g} s and was stopped: does it ever end?"
    except SystemExit:
        return "Your answer ends the program, by exit() or SystemExit: leave that out."
    except Exception as error:  # a learner's code may fail in any way; the check must not
        return f"Checking your answer failed with {type(error).__name__}: {error}"


def _verdict(test, answer):
    """What `test` says of `answer`, in words."""
    hint = ... if answer is ... else _judged(test, answer)
    if hint is ...:
        return "not answered yet."
    if hint is None:
        return "right."
    return f"not yet. {hint}"


def check(name: str, answer) -> None:
    """Print whether `answer` to the exercise `name` is right.

    The stub `...` counts as not answered yet. Code that does not end is stopped after 20 s, but
    for a loop inside C, which Python cannot stop, and one that catches all by a bare `except`.
    Ctrl-C works as always.
    """
    print(f"{name}: {_verdict(_find(name), answer)}")


def show_source(thing) -> None:
    """Print the source of a function or class of ganlib: what notebooks use is there to be read."""
    try:
        source = inspect.getsource(thing)
    except (TypeError, OSError) as error:
        raise TypeError(f"thing must be a function or class of ganlib: {error}") from None
    print(source.rstrip())
