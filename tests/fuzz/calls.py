"""Calls of the public API, as text: which there are, how they are spoiled, how each is judged.

A call is text such as `divergences.kl(p=[0.5, 0.5], q=P)`, so that whatever is found can be pasted
into a cell; `work` evaluates it in the child, among the names of `props`.
"""

import ast
import importlib
import inspect
import math
import re
import traceback
from typing import NamedTuple

from hypothesis import strategies as st

# -- how calls are made ----------------------------------------------------------------------------


class Row(NamedTuple):
    """A public name: calls that must work, each as the text of its arguments; and what is checked.

    on: what a method belongs to, as text. post: a function of `posts` that says what is nonsense in
    the answer, given the arguments. nan: whether nan may come of finite arguments, with the reason.
    keep: arguments that are not spoiled. also: what else the argument is called, where the refusal
    comes from another's check.
    """

    goods: list[str]
    on: str = ""
    post: str = ""
    nan: bool = False
    keep: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def row(*goods: str, **how) -> Row:
    return Row(list(goods), **how)


class Call(NamedTuple):
    """What the child gets: a public name and text for each argument; which were spoiled."""

    name: str
    positional: list[str]
    named: dict[str, str]
    spoiled: list[str]  # by the names of their parameters

    def __str__(self):
        said = [*self.positional, *(f"{key}={value}" for key, value in self.named.items())]
        return f"{self.name}({', '.join(said)})"


def parsed(text: str) -> tuple[list[str], dict[str, str]]:
    """The arguments of a call, as text each."""
    call = ast.parse(f"f({text})", mode="eval").body
    named = {word.arg: ast.unparse(word.value) for word in call.keywords}
    return [ast.unparse(value) for value in call.args], named


# fmt: off
# ruff: disable[E501]
STRANGE = [
    "None", "...", "True", "False", "-1", "0", "1", "2", "3.5", "-0.0", "10**12", "2**70", "-10**12",
    "1e308", "1e-320", "math.nan", "math.inf", "-math.inf", "1j",
    "''", "'abc'", "'0.5'", "b'x'", "'\\x00'", "object()", "int", "Exception()",
    "[]", "()", "{}", "set()", "[1, 'a']", "[None]", "[[1], [1, 2]]", "[math.nan]", "[0.5, 0.5]",
    "{'a': 1}", "range(3)", "(1, 2)", "(2, 1)", "iter([1, 2])",
    "lambda *a, **k: None", "lambda *a, **k: math.nan", "lambda *a, **k: a[0]",
    "np.int64(3)", "np.int32(-1)", "np.float32(0.5)", "np.float64('nan')", "np.bool_(True)",
    "np.array([])", "np.array(3)", "np.array(['a'])", "np.zeros((2, 2, 2))",
    "np.array([0.5, 0.5], dtype=object)", "np.array([1, 2, 3])", "np.ones(4) / 4",
    "torch.tensor([])", "torch.tensor(3)", "torch.tensor(0.5)", "torch.tensor([math.nan, 1.0])",
    "torch.ones(3, dtype=torch.bool)", "torch.arange(3)", "torch.ones(3) * 1j", "torch.zeros(2, 3)",
    "torch.ones(5, 1).half()", "torch.full((4,), -0.5)", "torch.ones(0, 1)", "torch.ones(2, 0)",
    "torch.zeros(3, 1)", "torch.ones(3).to_sparse()", "torch.empty(3, device='meta')",
    "torch.Generator()", "torch.nn.Linear(3, 2)", "torch.nn.Identity()", "targets.ring()",
    "targets.mixture()", "targets.uniform()", "P", "X",
]
NEAR = [
    "{}.double()", "{}.float()", "{}.half()", "{}.long()", "{}.bool()", "{}[:-1]", "{}[:1]", "{}[:0]", "{}[None]",
    "{}[..., None]", "{}.T", "{}.flip(0)", "{} * math.nan", "{} * 0", "-({})", "{} + math.inf", "{} * 1e30",
    "{} * 2", "{} + 1", "{}.tolist()", "np.asarray({})", "[{}]", "({},)", "str({})", "float({})", "int({})",
    "bool({})", "np.int64({})", "np.float64({})", "np.float32({})", "torch.as_tensor({})",
    "with_first({}, math.nan)", "with_first({}, -1.0)", "with_first({}, math.inf)",
    "{}.clone().requires_grad_()", "{} * 1j", "list({})", "tuple({})", "{}.copy()", "type({})",
    "(lambda: {})", "{}.numpy()", "{}[::-1]", "{}.to('meta')",
]
# ruff: enable[E501]
# fmt: on

NUMBERS = st.one_of(
    # What lies between would be long work, which is allowed.
    st.integers(-1000, 1000).map(repr),
    st.integers(10**12, 10**25).map(repr),
    st.integers(-(10**25), -1000).map(repr),
    st.floats().map(lambda number: repr(number) if math.isfinite(number) else f"float('{number}')"),
    st.lists(st.floats(-2, 2), max_size=4).map(repr),
    st.lists(st.floats(0, 1), min_size=1, max_size=4).map(lambda row: f"torch.tensor({row})"),
)


def spoilt(value: str):
    """Strategies for what may stand in the place of `value`."""
    near = st.sampled_from(NEAR).map(lambda form: form.format(value))
    return st.one_of(st.sampled_from(STRANGE), near, near, NUMBERS)


@st.composite
def calls(draw, name: str, row: Row, parameters: list[str]):
    """A call of `name`: a good one with up to two of its arguments spoiled."""
    positional, named = parsed(draw(st.sampled_from(row.goods)))
    places = [key for key in [*range(len(positional)), *named] if key not in row.keep]
    # An argument that this good call leaves out may be spoiled as well.
    places += [key for key in parameters if key not in named and key not in row.keep]
    chosen = draw(st.lists(st.sampled_from(places), max_size=2, unique=True)) if places else []

    spoiled = []
    for key in chosen:
        if isinstance(key, int):
            positional[key] = draw(spoilt(positional[key]))
            spoiled.append("*")
        else:
            named[key] = draw(spoilt(named.get(key, "1")))
            spoiled.append(key)
    return Call(name, positional, named, spoiled)


# -- how they are judged, in the child -------------------------------------------------------------


def ready() -> None:
    """Import what the calls need."""
    for name in ("props", "posts", "table"):
        importlib.import_module(f"fuzz.{name}")


def work(call: Call) -> tuple[str, str]:
    """("fine", "void", "refused", "obscure" or "nonsense", and why).

    Void: the arguments themselves could not be made.
    """
    from fuzz import posts, props, table

    row = table.TABLE[call.name]
    names = dict(vars(props))
    try:
        positional = [eval(text, names) for text in call.positional]
        named = {key: eval(text, names) for key, text in call.named.items()}
    except Exception:
        return "void", ""

    try:
        function = props.find(call.name, row.on)
        answer = function(*positional, **named)
    except FloatingPointError as error:  # a GAN has diverged, which its docstring allows
        return "refused", str(error)
    except Exception as error:
        return _judged_error(row, call, function, error)

    try:
        wrong = posts.nonsense(row, answer, positional, named)
    except Exception as error:
        wrong = f"the answer {_short(answer)} cannot be read: {error!r}"
    return ("nonsense", wrong) if wrong else ("fine", "")


def _judged_error(row: Row, call: Call, function, error: Exception) -> tuple[str, str]:
    last = traceback.extract_tb(error.__traceback__)[-1]
    words = " ".join(str(error).split())[:200]
    said = f"{type(error).__name__}: {words} ({last.filename.rsplit('/', 1)[-1]}:{last.lineno})"
    if isinstance(error, OSError) and error.filename:  # it names the file, as all programs do
        return "refused", said
    if not call.spoiled:
        return "obscure", f"a good call fails: {said}"

    # It names what was given: one of two that do not fit each other may be called the wrong one.
    known = inspect.signature(function).parameters
    stars = [key for key, own in known.items() if own.kind is own.VAR_POSITIONAL]
    placed = [*known][: len(call.positional)]
    given = [*row.also, *call.named, *placed, *(stars if call.positional else [])]
    named = any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(error)) for name in given)
    # What torch says of a generator is clear enough; of all else ganlib itself must say it.
    ours = "/ganlib/" in last.filename and (last.line or "").startswith("raise")
    if (
        isinstance(error, (ValueError, TypeError))
        and named
        and (ours or "generator" in call.spoiled)
    ):
        return "refused", said
    return "obscure", said


def _short(thing) -> str:
    return " ".join(repr(thing).split())[:120]
