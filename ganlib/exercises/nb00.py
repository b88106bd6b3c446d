"""The check of notebook 00, Start here."""

from math import log, log2, log10

from ganlib.exercises import _numbers

# fmt: off
log_score = _numbers(
    log(0.2),
    "Which probability did you give to the truth, a fake?",
    {
        log(0.8):   "That is the score if the sample was real; it was a fake, so the truth "
                    "got 20 %.",
        log2(0.2):  "You used log₂: that is in bits. The score is asked in nats (natural "
                    "logarithm).",
        log10(0.2): "You used log₁₀; use the natural logarithm.",
        0.2:        "Take the logarithm of it.",
        -log(0.2):  "The sign: a logarithm of a number below 1 is negative.",
    },
)
# fmt: on
