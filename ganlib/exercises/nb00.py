"""Checks of notebook 00."""

import math


def log_score(answer):
    """The log score, in nats, of the belief 80 % “real” when the sample was a fake."""
    usual = {math.log(0.8): "That is the score if the sample was real; it was a fake, so the truth got 20 %.",
             math.log2(0.2): "You used log₂: that is in bits. The score is asked in nats (natural logarithm).",
             math.log10(0.2): "You used log₁₀; use the natural logarithm.",
             -math.log(0.2): "The sign: a logarithm of a number below 1 is negative.", 0.2: "Take the logarithm of it."}
    for wrong, hint in usual.items():
        if math.isclose(answer, wrong, abs_tol=5e-3):
            return hint
    return None if math.isclose(answer, math.log(0.2), abs_tol=5e-3) else "Which probability did you give to the truth, a fake?"
