"""The checks of notebook 01, Maximum likelihood and KL."""

from math import e, inf, log, log2

import torch

from ganlib.divergences import cross_entropy, kl
from ganlib.exercises import OF_FUNCTION, _as_many, _function, _numbers

# fmt: off
nll_split = _numbers(
    (0.481, 1.419),
    "Two numbers are asked: NLL = H(p) + KL(p‖q), with H(p) = ½ log(2πe) = 1.419.",
    {
        (1.419, 0.481): "The right numbers in the wrong order: KL first.",
        (0.481, 0):     "Not 0: even the best model, q = p, pays the entropy of the data.",
        (1.9, 1.419):   "1.90 is the whole NLL: take the entropy off.",
    },
)

bits_and_nats = _numbers(
    0.5 * log(2),
    "KL is what Q's code costs more than the ideal one, 2.75 − 2.25 bits; a bit is log 2 nats.",
    {
        0.5:           "That is KL in bits: the answer is asked in nats.",
        0.5 / log(2):  "You divided: a bit is the smaller unit, 0.693 nats.",
        2.75 * log(2): "That is the whole cost: KL is only what Q's code costs extra.",
    },
)
# fmt: on


def kl_by_hand(answer):
    """A function (p, q) that gives KL(p‖q) in nats, of laws with finitely many outcomes."""
    answer = _function(answer)
    laws = torch.tensor([[0.5, 0.5, 0], [0.8, 0.1, 0.1], [0.5, 0.2, 0.3]], dtype=torch.float64)
    p, q, r = laws  # only p has an outcome that never comes
    right = float(kl(r, q))

    # fmt: off
    formula = _numbers(
        right,
        f"For p = {r.tolist()} and q = {q.tolist()} KL is {right:.4f} nats.",
        {
            kl(q, r):            "You swapped p and q: the average is taken over the first.",
            -right:              "The sign is wrong: it is log(p/q).",
            cross_entropy(r, q): "That is the cross-entropy: take H(p) off.",
            right * log2(e):     "You used log₂: the answer is asked in nats.",
        },
        of=OF_FUNCTION,
    )
    # fmt: on
    nothing = "Where p = 0 the term is 0, but 0 · log 0 gives nan."
    both = "Where both are 0, p/q is nan already: leave such terms out."
    no_word = "Where q = 0 and p > 0, KL is inf: Q's code has no word for it."

    for first, second, judge in [
        (r, q, formula),
        (p, q, _numbers(kl(p, q), nothing, {}, of=OF_FUNCTION)),
        (p, p, _numbers(0, both, {}, of=OF_FUNCTION)),
        (q, p, _numbers(inf, no_word, {}, of=OF_FUNCTION)),
    ]:
        hint = judge(answer(first, second))
        if hint:
            return hint
    return None


# fmt: off
_cost_of_a_mode = _numbers(
    -log(0.7),
    "Where q lives, p = 0.7 q: the mean of log(q/p) is one logarithm.",
    {
        0:          "Not free: where q lives, p is 0.7 q.",
        -log2(0.7): "In nats, not bits.",
    },
)
# fmt: on


def reverse_kl_fit(answer):
    """(mean, sd, KL(q‖p)) of the best normal q: it sits on the heavier mode of p."""
    mean, std, cost = _as_many(answer, 3)

    if abs(mean - 3) < 0.2 and abs(std - 0.5) < 0.1:
        return _cost_of_a_mode(cost)
    if abs(mean - 1.2) < 0.5:
        return "That is the mean of all of p, which KL(p‖q) chooses."
    if abs(mean + 3) < 0.5:
        return "The lighter mode: it costs −log 0.3."
    return "q sits on one mode, and has its sd."
