"""The checks of notebook 05, Losses and failure."""

import torch
from torch.nn.functional import softplus

from ganlib.exercises import _numbers

# fmt: off
starved_share = _numbers(
    0.25,
    "The ratio of D ℓ′ to (1 − D) ℓ′ is asked.",
    {
        0.2: "That is D ℓ′ over ℓ′; divide it by (1 − D) ℓ′.",
        4:   "Upside down: minimax is weaker.",
        0.8: "That is the other pull over ℓ′.",
    },
)

collapsed = _numbers(
    (0.5, 1.5),
    "Half the mass is 3 too far left.",
    {
        (1.5, 0.5): "Swapped: TV comes first.",
        (0.5, 3):   "Only half of the mass is carried.",
        (1, 1.5):   "TV is ½ Σ|p − q|: the half is missing.",
    },
)

smooth_d_star = _numbers(
    0.225,
    "Put α, β into (αp + βq)/(p + q).",
    {
        0.25: "That is D* without smoothing.",
        0.3:  "Two-sided; here the fakes' target stays 0.",
        0.9:  "D says that where there are only data.",
    },
)

interval = _numbers(
    (1.122, 2.878),
    "mean ± 2.776 · sd/√5.",
    {
        (1.38, 2.62):   "1.96 is for many seeds.",
        (2.878, 1.122): "The lower end comes first.",
        (0.037, 3.963): "Divide the sd by √5.",
    },
)

PULL = "look at the pull on G"
REGRET = "compare its regret with its JS"

# The eight runs of the clinic in their order, and what to look at.
CLINIC = {
    "circling":    REGRET,
    "few data":    REGRET,
    "healthy":     REGRET,
    "starved":     PULL,
    "collapse":    REGRET,
    "G too small": REGRET,
    "blind D":     REGRET,
    "frozen":      PULL,
}
# fmt: on


def _centred(cost):
    """A cost without its constant, which pulls at nobody."""
    return cost - cost.mean()


def reverse_kl_cost(answer):
    """A function of the logit of the best D: a cost of G whose slope is that of KL(q‖p)."""
    logit = torch.linspace(-3, 3, 13, dtype=torch.float64)
    cost = answer(logit)
    if cost in (None, ...):
        return ...

    likelihood = -logit.exp()
    non_saturating = softplus(-logit)

    # fmt: off
    judge = _numbers(
        _centred(-logit),
        "The slope of KL(q‖p) is log(q/p).",
        {
            _centred(logit):          "The sign: the higher the logit, the less a fake should pay.",
            _centred(likelihood):     "That is maximum likelihood, KL(p‖q); the reverse is asked.",
            _centred(non_saturating): "That one is KL(q‖p) − 2 JS.",
        },
    )
    # fmt: on
    return judge(_centred(cost))


def count_modes(answer):
    """A function (x, centres, sd) that counts the modes that the samples x cover."""
    centres = torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    uneven = centres.repeat_interleave(torch.tensor([60, 30, 8, 2]), 0)
    beside = centres + 0.4
    found = [answer(uneven, centres, 0.1), answer(beside, centres, 0.1)]
    if found[0] in (None, ...):
        return ...

    # fmt: off
    judge = _numbers(
        (3, 0),
        f"Two sets of samples have 3 and 0 modes, not {found}.",
        {
            (4, 0): "2 % of the samples do not cover a mode: ask for a fifth of its fair part, "
                    "25 %.",
            (3, 4): "Samples 4 sd away from every mode are not good.",
            (4, 4): "Neither distance nor number counts yet.",
            (2, 0): "A fifth of the fair part is enough.",
        },
    )
    # fmt: on
    return judge(found)


def clinic(answer):
    """The eight diagnoses, in the order of the runs."""
    given = [*answer, *8 * "?"]  # who gives too few is wrong in the rest

    wrong = []
    for run, (diagnosis, right) in enumerate(zip(given, CLINIC), 1):
        if str(diagnosis).strip().lower() != right.lower():
            wrong.append((run, CLINIC[right]))
    if not wrong:
        return None

    run, gauge = wrong[0]
    return f"{len(wrong)} of eight are wrong; the first is run {run}: {gauge}."
