"""The public API, fuzzed: each call works, or is refused by name; no answer is nonsense."""

import importlib
import inspect
import pkgutil

import ganlib
from fuzz import props
from fuzz.calls import calls
from fuzz.child import Child, findings
from fuzz.table import HOLDS, TABLE

# So many calls, shared by all names, if nobody asks for more: some seconds.
USUAL = 400


def public_names():
    """Functions, classes, and those of their methods that have a docstring."""
    for found in pkgutil.iter_modules(ganlib.__path__):
        if found.ispkg:
            continue
        module = importlib.import_module(f"ganlib.{found.name}")
        for name, thing in vars(module).items():
            ours = getattr(thing, "__module__", "") == module.__name__ and name[0] != "_"
            if ours and (inspect.isfunction(thing) or inspect.isclass(thing)):
                yield f"{found.name}.{name}"
                if inspect.isclass(thing):
                    yield from methods(f"{found.name}.{name}", thing)


def methods(name, kind):
    for own, thing in vars(kind).items():
        if inspect.isfunction(thing) and thing.__doc__ and own[0] != "_":
            yield f"{name}.{own}"


def test_every_public_name_has_its_row():
    there = set(public_names())
    assert sorted(there - TABLE.keys() - HOLDS) == []
    extra = [name for name in TABLE.keys() - there if not name.startswith("exercises.")]
    for name in extra:  # an inherited method, or one that has no docstring of its own
        assert callable(props.find(name)), name
    assert sorted(HOLDS - there) == []


def test_fuzzed_calls(cases, counts):
    each = max(2, (cases or USUAL) // len(TABLE))
    found = []
    with Child("calls") as child:
        for name, row in TABLE.items():
            if row.goods:
                jobs = calls(name, row, parameters(name, row))
                found += findings(child, jobs, each, {"fine", "refused", "void"}, counts)
    assert not found, "\n".join(["", *found])


def parameters(name, row):
    """The names of what may be given, but for stars."""
    try:
        known = inspect.signature(props.find(name)).parameters.values()
    except ValueError:
        return []
    stars = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [own.name for own in known if own.kind not in stars and own.name != "self"]
