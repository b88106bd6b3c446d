"""Answers to the exercise of notebook 00, Start here."""

from math import log, log2, log10

RIGHT = {
    "log_score": [log(0.2), -1.609],
}

# fmt: off
WRONG = {
    "log_score": [
        (log(0.8),   "was a fake"),
        (log2(0.2),  "log₂"),
        (log10(0.2), "log₁₀"),
        (-log(0.2),  "sign"),
        (0.2,        "Take the logarithm"),
        (3.0,        "Which probability"),
    ],
}
# fmt: on
