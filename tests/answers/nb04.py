"""Answers to the exercises of notebook 04, A GAN in one dimension."""

from functools import partial
from math import log

import torch
from torch.nn.functional import softplus

from ganlib.gan import Ledger


def v_of_d(p, q, D, dx):
    return ((p * D.log()).sum() + (q * (1 - D).log()).sum()) * dx


def d_star(p, q):
    return p / (p + q)


def step_of_d(G, D, opt, real, z, *, detach=True, sign=1, reduce=torch.mean, clear=True, step=True):
    """D's step, and the mistakes that can be made in it."""
    fake = G(z)
    if detach:
        fake = fake.detach()
    if clear:
        opt.zero_grad()
    loss = reduce(softplus(-D(real))) + reduce(softplus(D(fake)))
    (sign * loss).backward()
    if step:
        opt.step()


def moves_g_too(G, D, opt, real, z):
    step_of_d(G, D, opt, real, z)
    with torch.no_grad():
        G[0].weight.add_(0.1)


def non_saturating(logit):
    return softplus(-logit)


def step_of_g(G, D, opt, z, *, loss=non_saturating, step=True, also_D=False):
    """G's step, and the mistakes that can be made in it."""
    opt.zero_grad()
    loss(D(G(z))).mean().backward()
    if step:
        opt.step()
    if also_D:
        torch.optim.SGD(D.parameters(), lr=0.3).step()


def entry(js, off_half):
    """An entry of the table of runs, with the two numbers that count."""
    return Ledger(
        js,
        value=0.0,
        regret=2 * js,
        off_half=off_half,
        off_star=0.3,
        real_term=-0.7,
        fake_term=-0.7,
    )


RIGHT = {
    "v_of_d": [v_of_d],
    "d_star": [d_star, lambda p, q: 1 / (1 + q / p)],
    "step_of_d": [step_of_d],
    "step_of_g": [step_of_g],
    "detach": [(False, True), [False, True]],
    "break_it": [(1e-2, 1e-4, "regret"), (1e-5, 1e-2, "off_half")],
    "false_peace": [entry(0.42, 0.01)],
}

# fmt: off
WRONG = {
    "v_of_d": [
        (lambda p, q, D, dx: -v_of_d(p, q, D, dx),           "sign"),
        (lambda p, q, D, dx: v_of_d(p, q, D, 1),             "dx"),
        (lambda p, q, D, dx: v_of_d(p, q, D, dx) / log(2),   "log₂"),
        (lambda p, q, D, dx: v_of_d(q, p, D, dx),            "swapped"),
        (lambda p, q, D, dx: (p * D.log()).sum() * dx,       "One term"),
        (lambda p, q, D, dx: ((p + q) * D.log()).sum() * dx, "log(1 − D)"),
        (lambda p, q, D, dx: torch.tensor(0.5),              "For one test"),
    ],
    "d_star": [
        (lambda p, q: d_star(q, p),     "belief in “fake”"),
        (lambda p, q: p / q,            "odds"),
        (lambda p, q: (p / q).log(),    "logit"),
        (lambda p, q: (p + q) / 2,      "mixture"),
        (lambda p, q: (p > q).double(), "verdict"),
        (lambda p, q: p,                "once more"),
    ],
    "step_of_d": [
        (partial(step_of_d, step=False),       "did not move"),
        (partial(step_of_d, detach=False),     "detach()"),
        (moves_g_too,                          "G moved"),
        (partial(step_of_d, sign=-1),          "wrong way"),
        (partial(step_of_d, clear=False),      "zero_grad"),
        (partial(step_of_d, reduce=torch.sum), "averaged"),
    ],
    "step_of_g": [
        (partial(step_of_g, also_D=True),                 "D moved"),
        (partial(step_of_g, step=False),                  "did not move"),
        (partial(step_of_g, loss=lambda t: -softplus(t)), "minimax"),
        (partial(step_of_g, loss=softplus),               "the sign"),
        (partial(step_of_g, loss=lambda t: -t),           "not by this loss"),
    ],
    "detach": [
        ((True, True),   "number by number"),
        ((False, False), "not None"),
        ((True, False),  "both counts"),
    ],
    "break_it": [
        ((1e-5, 1e-2, "V"),      "one of"),
        ((2e-3, 1e-2, "regret"), "make G the faster one"),
        ((2e-3, 2e-3, "regret"), "make D much slower"),
        ((1e-5, 1e-2, "regret"), "showed it first"),
        ((0, 1e-2, "regret"),    "positive number"),
        ((1e-5, 1e-2),           "(lr_G, lr_D, gauge)"),
    ],
    "false_peace": [
        (None,              "diverged"),
        (0.42,              "one entry"),
        (entry(0.01, 0.01), "must be false"),
        (entry(0.42, 0.3),  "does object"),
    ],
}
# fmt: on
