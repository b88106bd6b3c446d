"""The checks of notebook 08, Why it turns instead of arriving."""

from ganlib.exercises import _numbers

# fmt: off
largest_rate = _numbers(
    1.2,
    "|λ|² = 1 − ηγ + η²/4 must stay below 1.",
    {
        0.6:   "That takes γ for σ²: in notebook 03 η < 2σ².",
        2.976: "That is for alternating play.",
        0.3:   "That is for f = 1, as Wasserstein has it; minimax has f = ½.",
        4:     "That holds at γ = 1 only.",
    },
)

fewer_turns = _numbers(
    0.1**0.5,
    "The turn speeds up as √(lr_G · lr_D), the brake as lr_D.",
    {
        0.1:      "The brake is ten times as strong, but the turn is faster too.",
        10**0.5:  "The other way: a faster D brakes more than it turns.",
        1:        "That is for halving or doubling both; here their ratio changes.",
    },
)
# fmt: on
