"""The checks of notebook 05, Losses and failure."""

import torch
from torch.nn.functional import softplus

from ganlib.exercises import OF_FUNCTION, _as_many, _function, _numbers, _shown, _Unasked

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
    numbers = _as_many(_function(answer)(logit), len(logit), OF_FUNCTION)

    likelihood = -logit.exp()
    non_saturating = softplus(-logit)

    # fmt: off
    judge = _numbers(
        _centred(-logit),
        "The slope of KL(q‖p) is log(q/p).",
        {
            _centred(logit):          "The sign: the higher the logit, the less a fake should pay.",
            _centred(likelihood):     "That is maximum likelihood, KL(p‖q); the reverse is asked.",
            _centred(non_saturating): "That is −log D: 2 KL(½(p + q)‖p).",
        },
    )
    # fmt: on
    return judge(_centred(torch.tensor(numbers)))


def _around(centres, counts, away):
    """As many samples at each centre as counts says, each moved by its row of `away`."""
    return (centres + torch.tensor(away)).repeat_interleave(torch.tensor(counts), 0)


def _sets_of_samples():
    """Four times (x, centres, sd), each close to one limit of the count."""
    still = [[0.0, 0.0]] * 4
    centres = torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    pair = centres[:2]
    far = centres[3:] + torch.tensor([0.0, -1.0])

    # The fair part is 100, a fifth of it 20: 21 are enough, 19 are not.
    number = _around(centres, [360, 21, 19, 0], still)
    # In units of the sd: 2.9 away, at the centre, 3.1 away along an axis, 3.1 across.
    distance = _around(centres, [100] * 4, [[0.29, 0.0], [0.0, 0.0], [0.31, 0.0], [0.22, 0.22]])
    # The same in another sd: 2.9 and 3.1 away.
    scale = _around(pair, [50, 50], [[0.58, 0.0], [0.62, 0.0]])
    # Of 400 samples 160 are far from every mode, and count in n.
    strays = torch.cat([_around(centres, [200, 19, 21, 0], still), far.repeat(160, 1)])
    return [
        (number, centres, 0.1),
        (distance, centres, 0.1),
        (scale, pair, 0.2),
        (strays, centres, 0.1),
    ]


def count_modes(answer):
    """A function (x, centres, sd) that counts the modes that the samples x cover."""
    count = _function(answer)
    found = [_as_many(count(*samples), 1, OF_FUNCTION)[0] for samples in _sets_of_samples()]

    # fmt: off
    judge = _numbers(
        (2, 2, 1, 2),
        f"Four sets of samples have 2, 2, 1 and 2 modes, not {_shown(found)}.",
        {
            (3, 2, 1, 3): "19 of 400 samples do not cover one of four modes: ask for a fifth of "
                          "its fair part, 20.",
            (1, 2, 1, 1): "A fifth of the fair part is enough: 21 of 400 samples for one of four "
                          "modes.",
            (2, 2, 1, 3): "The fair part is n / modes, and n counts the bad samples, too.",
            (2, 4, 2, 2): "Samples 3.1 sd away from their centre are not good.",
            (2, 1, 0, 2): "Samples 2.9 sd away from their centre are good.",
            (2, 3, 1, 2): "The distance is Euclidean: 2.2 sd along both axes is 3.1 sd.",
            (2, 2, 0, 2): "The sd is given: 3 sd is not always the same distance.",
            (4, 4, 4, 4): "Neither distance nor number counts yet.",
        },
    )
    # fmt: on
    return judge(found)


def clinic(answer):
    """The eight diagnoses, in the order of the runs."""
    if not isinstance(answer, (list, tuple)):
        raise _Unasked(f"A list of eight diagnoses is asked, got {_shown(answer)}.")
    given = [*answer, *8 * "?"]  # who gives too few is wrong in the rest

    wrong = []
    for run, (diagnosis, right) in enumerate(zip(given, CLINIC), 1):
        if str(diagnosis).strip().lower() != right.lower():
            wrong.append((run, CLINIC[right]))
    if not wrong:
        return None

    run, gauge = wrong[0]
    return f"{len(wrong)} of eight are wrong; the first is run {run}: {gauge}."
