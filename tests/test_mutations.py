"""The catalogue of wrong answers: every usual mistake in every exercise is caught, and each with its own hint.

The catalogues of most notebooks stand beside their tests (`WRONG` in test_exercises_0N.py); those of 00 and 04
stand here. `pytest tests/test_mutations.py -s` prints the count.
"""

import importlib
import math
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from ganlib.exercises import check
from ganlib.gan import Ledger

FILES = sorted((Path(__file__).parent.parent / "ganlib/exercises").glob("nb*.py"))


def v_of_d(p, q, D, dx):
    return ((p * D.log()).sum() + (q * (1 - D).log()).sum()) * dx


def d_star(p, q):
    return p / (p + q)


def step_of_d(
    G,
    D,
    opt,
    real,
    z,
    *,
    detach=True,
    loss=softplus,
    clear=True,
    step=True,
    sign=1,
    swap=False,
    reduce=torch.mean,
):
    """D's step, and the mistakes that can be made in it."""
    fake = G(z).detach() if detach else G(z)
    real, fake = (fake, real) if swap else (real, fake)
    if clear:
        opt.zero_grad()
    (sign * (reduce(loss(-D(real))) + reduce(loss(D(fake))))).backward()
    if step:
        opt.step()


def step_of_g(
    G, D, opt, z, *, loss=lambda logit: softplus(-logit), detach=False, step=True, also_D=False
):
    """G's step, and the mistakes that can be made in it."""
    if detach:
        loss(D(G(z).detach())).mean().backward()
    else:
        opt.zero_grad()
        loss(D(G(z))).mean().backward()
    if step:
        opt.step()
    if also_D:
        torch.optim.SGD(D.parameters(), lr=0.3).step()


def wrong(function, **mistake):
    return lambda *given: function(*given, **mistake)


def moves_g_too(G, D, opt, real, z):
    step_of_d(G, D, opt, real, z)
    with torch.no_grad():
        G[0].weight.add_(0.1)


def entry(js, off_half):
    return Ledger(js, 0.0, 2 * js, off_half, 0.3, -0.7, -0.7)


RIGHT = {
    "log_score": [math.log(0.2), -1.609],
    "v_of_d": [v_of_d],
    "d_star": [d_star, lambda p, q: 1 / (1 + q / p)],
    "step_of_d": [step_of_d],
    "step_of_g": [step_of_g],
    "detach": [(False, True), [False, True]],
    "break_it": [(1e-2, 1e-4, "regret"), (1e-5, 1e-2, "off_half")],
    "false_peace": [entry(0.42, 0.01)],
}
WRONG = [
    ("log_score", math.log(0.8), "was a fake"),
    ("log_score", math.log2(0.2), "log₂"),
    ("log_score", math.log10(0.2), "log₁₀"),
    ("log_score", -math.log(0.2), "sign"),
    ("log_score", 0.2, "Take the logarithm"),
    ("log_score", 3.0, "Which probability"),
    ("v_of_d", lambda p, q, D, dx: -v_of_d(p, q, D, dx), "sign"),
    ("v_of_d", lambda p, q, D, dx: v_of_d(p, q, D, 1), "dx"),
    ("v_of_d", lambda p, q, D, dx: v_of_d(p, q, D, dx) / math.log(2), "log₂"),
    ("v_of_d", lambda p, q, D, dx: v_of_d(q, p, D, dx), "swapped"),
    ("v_of_d", lambda p, q, D, dx: (p * D.log()).sum() * dx, "One term"),
    ("v_of_d", lambda p, q, D, dx: ((p + q) * D.log()).sum() * dx, "log(1 − D)"),
    ("v_of_d", lambda p, q, D, dx: torch.tensor(0.5), "For one test"),
    ("d_star", lambda p, q: d_star(q, p), "belief in “fake”"),
    ("d_star", lambda p, q: p / q, "odds"),
    ("d_star", lambda p, q: (p / q).log(), "logit"),
    ("d_star", lambda p, q: (p + q) / 2, "mixture"),
    ("d_star", lambda p, q: (p > q).double(), "verdict"),
    ("d_star", lambda p, q: p, "once more"),
    ("step_of_d", wrong(step_of_d, step=False), "did not move"),
    ("step_of_d", wrong(step_of_d, detach=False), "detach()"),
    ("step_of_d", moves_g_too, "G moved"),
    ("step_of_d", wrong(step_of_d, sign=-1), "wrong way"),
    ("step_of_d", wrong(step_of_d, clear=False), "zero_grad"),
    ("step_of_d", wrong(step_of_d, reduce=torch.sum), "averaged"),
    ("step_of_g", wrong(step_of_g, also_D=True), "D moved"),
    ("step_of_g", wrong(step_of_g, step=False), "did not move"),
    ("step_of_g", wrong(step_of_g, loss=lambda t: -softplus(t)), "minimax"),
    ("step_of_g", wrong(step_of_g, loss=lambda t: softplus(t)), "the sign"),
    ("step_of_g", wrong(step_of_g, loss=lambda t: -t), "not by this loss"),
    ("detach", (True, True), "number by number"),
    ("detach", (False, False), "not None"),
    ("detach", (True, False), "both counts"),
    ("break_it", (1e-5, 1e-2, "V"), "one of"),
    ("break_it", (2e-3, 1e-2, "regret"), "not broken"),
    ("break_it", (1e-5, 1e-2, "regret"), "showed it first"),
    ("break_it", (0, 1e-2, "regret"), "failed with ValueError"),
    ("false_peace", None, "diverged"),
    ("false_peace", 0.42, "one entry"),
    ("false_peace", entry(0.01, 0.01), "must be false"),
    ("false_peace", entry(0.42, 0.3), "does object"),
]

PARTS = [
    importlib.import_module(path.stem)
    for path in sorted(Path(__file__).parent.glob("test_exercises_[0-9]*.py"))
]
ALL_RIGHT = {name: answers for part in PARTS for name, answers in part.RIGHT.items()} | RIGHT
CATALOGUE = [line for part in PARTS for line in part.WRONG] + WRONG
# Two answers, one mistake: what earns the same hint twice.
SAME = {
    "zero_sum": "a is left out, or there is a letter too many",
    "two_by_two": "numbers that no usual mistake gives",
    "blur_of_averages": "one number is given, or two that no usual mistake gives",
}
KINDS = [
    None,
    7,
    -1.5,
    True,
    "much",
    b"x",
    [],
    {},
    (),
    {"a"},
    ("a", "b"),
    [[1, 2], [3]],
    [None] * 3,
    object(),
    len,
    int,
    lambda *given: None,
    lambda *given: "?",
    lambda *given: 1 / 0,
    lambda: 3,
    math.nan,
    (math.nan,) * 3,
    math.inf,
    np.array([]),
    np.array(["a"]),
    torch.tensor([]),
    torch.tensor(math.nan),
    torch.nn.Linear(1, 1),
    10**400,
]


def said(name, answer, capsys):
    """What the check prints: always one line that begins with its name."""
    capsys.readouterr()
    assert check(name, answer) is None
    out, err = capsys.readouterr()
    assert out.startswith(f"{name}: ") and out.count("\n") == 1 and not err
    return out.removeprefix(f"{name}: ").rstrip("\n")


def test_every_exercise_is_in_the_catalogue():
    names = {
        name
        for path in FILES
        for name in re.findall(
            r"^(?:def )?([a-z]\w*)(?:\(| = _numbers)", path.read_text("utf-8"), re.M
        )
    }
    assert names == set(ALL_RIGHT) == {name for name, _, _ in CATALOGUE}


@pytest.mark.parametrize(
    "name, answer", [(name, answer) for name, answers in RIGHT.items() for answer in answers]
)
def test_right(name, answer, capsys):
    assert said(name, answer, capsys) == "right."


@pytest.mark.parametrize("name, answer, word", WRONG)
def test_wrong_answers_get_their_own_hint(name, answer, word, capsys):
    hint = said(name, answer, capsys)
    assert hint.startswith("not yet. ") and word in hint


def test_at_least_60_mistakes_are_told_apart(capsys):
    hints = defaultdict(lambda: defaultdict(list))
    for name, answer, word in CATALOGUE:
        hint = said(name, answer, capsys)
        assert hint.startswith("not yet. ") and word in hint, (name, hint)
        hints[name][hint].append(word)
    assert {name for name in hints if any(len(words) > 1 for words in hints[name].values())} <= set(
        SAME
    )
    assert min(map(len, hints.values())) >= 2
    count = sum(map(len, hints.values()))
    with capsys.disabled():
        print(
            f"\n{len(CATALOGUE)} wrong answers to {len(hints)} exercises are caught, with {count} different hints"
        )
    assert count >= 60


@pytest.mark.parametrize("name", ALL_RIGHT)
def test_a_wrong_kind_of_thing_is_not_yet_right(name, capsys):
    for thing in KINDS:
        verdict = said(name, thing, capsys)
        assert verdict == "not answered yet." or re.match(r"not yet\. \S", verdict), (
            thing,
            verdict,
        )


def test_twice_and_in_any_order_the_verdict_is_the_same(capsys):
    """A check keeps nothing, draws nothing from the global random numbers and does not spoil the answer."""
    once = [(name, answers[0]) for name, answers in ALL_RIGHT.items()]
    once += [(name, answer) for name, answer, _ in CATALOGUE if name != "break_it"]
    before = torch.get_rng_state(), torch.is_grad_enabled(), torch.get_default_dtype()
    forwards = [said(*pair, capsys) for pair in once]
    assert [said(*pair, capsys) for pair in once[::-1]][::-1] == forwards
    assert (
        torch.equal(torch.get_rng_state(), before[0])
        and (torch.is_grad_enabled(), torch.get_default_dtype()) == before[1:]
    )
