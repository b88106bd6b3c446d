"""The checks of notebook 05, Losses and failure."""

import torch
from torch.nn.functional import softplus

from ganlib.exercises import _numbers

starved_share = _numbers(
    0.25,
    "The ratio of D ℓ′ to (1 − D) ℓ′ is asked.",
    {
        0.2: "That is D ℓ′ over ℓ′; divide it by (1 − D) ℓ′.",
        4: "Upside down: minimax is weaker.",
        0.8: "That is the other pull over ℓ′.",
    },
)

collapsed = _numbers(
    (0.5, 1.5),
    "Half the mass is 3 too far left.",
    {
        (1.5, 0.5): "Swapped: TV comes first.",
        (0.5, 3): "Only half of the mass is carried.",
        (1, 1.5): "TV is ½ Σ|p − q|: the half is missing.",
    },
)

smooth_d_star = _numbers(
    0.225,
    "Put α, β into (αp + βq)/(p + q).",
    {
        0.25: "That is D* without smoothing.",
        0.3: "Two-sided; here the fakes' target stays 0.",
        0.9: "D says that where there are only data.",
    },
)

interval = _numbers(
    (1.122, 2.878),
    "mean ± 2.776 · sd/√5.",
    {
        (1.38, 2.62): "1.96 is for many seeds.",
        (2.878, 1.122): "The lower end comes first.",
        (0.037, 3.963): "Divide the sd by √5.",
    },
)


def reverse_kl_cost(answer):
    logit = torch.linspace(-3, 3, 13, dtype=torch.float64)
    if (cost := answer(logit)) in (None, ...):
        return ...
    centred = lambda cost: cost - cost.mean()
    return _numbers(
        centred(-logit),
        "The slope of KL(q‖p) is log(q/p).",
        {
            centred(logit): "The sign: the higher the logit, the less a fake should pay.",
            centred(-logit.exp()): "That is maximum likelihood, KL(p‖q); the reverse is asked.",
            centred(softplus(-logit)): "That one is KL(q‖p) − 2 JS.",
        },
    )(centred(cost))


def count_modes(answer):
    centres = torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    x = centres.repeat_interleave(torch.tensor([60, 30, 8, 2]), 0)
    if (found := [answer(x, centres, 0.1), answer(centres + 0.4, centres, 0.1)])[0] in (None, ...):
        return ...
    return _numbers(
        (3, 0),
        f"Two sets of samples have 3 and 0 modes, not {found}.",
        {
            (
                4,
                0,
            ): "2 % of the samples do not cover a mode: ask for a fifth of its fair part, 25 %.",
            (3, 4): "Samples 4 sd away from every mode are not good.",
            (4, 4): "Neither distance nor number counts yet.",
            (2, 0): "A fifth of the fair part is enough.",
        },
    )(found)


def clinic(answer):
    right = [
        "circling",
        "few data",
        "healthy",
        "starved",
        "collapse",
        "G too small",
        "blind D",
        "frozen",
    ]
    wrong = [
        k
        for k, (a, b) in enumerate(zip([*answer, *8 * "?"], right), 1)
        if str(a).strip().lower() != b.lower()
    ]
    gauge = (
        "look at the pull on G"
        if wrong and wrong[0] in (4, 8)
        else "compare its regret with its JS"
    )
    return (
        f"{len(wrong)} of eight are wrong; the first is run {wrong[0]}: {gauge}." if wrong else None
    )
