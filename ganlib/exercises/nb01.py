"""The checks of notebook 01, Maximum likelihood and KL."""

from math import e, inf, log, log2

import torch

from ganlib.divergences import cross_entropy, kl
from ganlib.exercises import _numbers

nll_split = _numbers(
    (0.481, 1.419),
    "Two numbers are asked: NLL = H(p) + KL(p‖q), with H(p) = ½ log(2πe) = 1.419.",
    {
        (1.419, 0.481): "The right numbers in the wrong order: KL first.",
        (0.481, 0): "Not 0: even the best model, q = p, pays the entropy of the data.",
        (1.9, 1.419): "1.90 is the whole NLL: take the entropy off.",
    },
)

bits_and_nats = _numbers(
    0.5 * log(2),
    "KL is what Q's code costs more than the ideal one, 2.75 − 2.25 bits; a bit is log 2 nats.",
    {
        0.5: "That is KL in bits: the answer is asked in nats.",
        0.5 / log(2): "You divided: a bit is the smaller unit, 0.693 nats.",
        2.75 * log(2): "That is the whole cost: KL is only what Q's code costs extra.",
    },
)


def kl_by_hand(answer):
    p, q, r = torch.tensor([[0.5, 0.5, 0], [0.8, 0.1, 0.1], [0.5, 0.2, 0.3]], dtype=torch.float64)
    right = float(kl(r, q))
    checks = _numbers(
        right,
        f"For p = {r.tolist()} and q = {q.tolist()} KL is {right:.4f} nats.",
        {
            kl(q, r): "You swapped p and q: the average is taken over the first.",
            -right: "The sign is wrong: it is log(p/q).",
            cross_entropy(r, q): "That is the cross-entropy: take H(p) off.",
            right * log2(e): "You used log₂: the answer is asked in nats.",
        },
    )
    return (
        checks(answer(r, q))
        or _numbers(kl(p, q), "Where p = 0 the term is 0, but 0 · log 0 gives nan.", {})(
            answer(p, q)
        )
        or _numbers(0, "Where both are 0, p/q is nan already: leave such terms out.", {})(
            answer(p, p)
        )
        or _numbers(inf, "Where q = 0 and p > 0, KL is inf: Q's code has no word for it.", {})(
            answer(q, p)
        )
    )


def reverse_kl_fit(answer):
    mean, std, cost = map(float, answer)
    if abs(mean - 3) < 0.2 and abs(std - 0.5) < 0.1:
        return _numbers(
            -log(0.7),
            "Where q lives, p = 0.7 q: the mean of log(q/p) is one logarithm.",
            {0: "Not free: where q lives, p is 0.7 q.", -log2(0.7): "In nats, not bits."},
        )(cost)
    hints = {
        1.2: "That is the mean of all of p, which KL(p‖q) chooses.",
        -3.0: "The lighter mode: it costs −log 0.3.",
    }
    return next(
        (hint for m, hint in hints.items() if abs(mean - m) < 0.5),
        "q sits on one mode, and has its sd.",
    )
