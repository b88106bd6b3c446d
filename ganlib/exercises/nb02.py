"""The checks of notebook 02, The taxonomy, running."""

from math import log, log2

import numpy as np

from ganlib.exercises import _first, _numbers

EIGHT = "tttvmcdt"
WHY = (
    "A language model multiplies conditionals: the chain rule.",
    "A sum of normals is a formula for p(x).",
    "An invertible map gives p(x) by the change of variables.",
    "A VAE maximises a bound on log p(x).",
    "A Boltzmann machine has p(x) up to Z, and draws by a chain.",
    "A generative stochastic network learns to walk: no formula, and a chain.",
    "DCGAN draws in one pass and has no formula.",
    "PixelCNN multiplies conditionals, pixel by pixel.",
)


def elbo_by_hand(answer):
    elbo, gap = answer
    return _numbers(
        log(0.2),
        "Average log(p(x, z)/q(z)) over z with the weights q(z), where p(x, z) = ½ p(x|z).",
        {
            log2(0.2): "In bits that is right; nats are asked.",
            log(0.1): "You left out the entropy of q: add log 2.",
            log(0.25): "That is log p(x) itself; the ELBO averages logarithms.",
            2 * log(0.2): "You left q out of the average: weight each logarithm by ½.",
        },
    )(elbo) or _numbers(
        log(1.25), "The ELBO is right. The gap is log p(x) − ELBO, with p(x) = 0.25.", {}
    )(gap)


def acceptance(accept):
    p, q = np.array([[1], [2], [3]]), np.array([[0, 0.9, 0.1], [0.3, 0, 0.7], [0.5, 0.5, 0]])
    if accept(0, 1) is ...:
        return ...
    a = np.array([[float(accept(i, j)) if i != j else 0 for j in range(3)] for i in range(3)])
    balanced = lambda weight: np.allclose(weight * a, (weight * a).T, rtol=1e-9, atol=0)
    return _first(
        (
            not ((a >= 0) & (a <= 1)).all(),
            "A probability lies between 0 and 1: cut the ratio off at 1.",
        ),
        (not a.any(), "Nobody ever moves: balanced, and useless."),
        (balanced(p * q), None),
        (balanced(p), "Right for symmetric proposals; here q belongs in the ratio too."),
        (balanced(q / p), "The weights are upside down: weight[j] stands above."),
        (balanced(p * q.T), "The q's are upside down: the way back, q[j][i], stands above."),
        (
            True,
            "Detailed balance fails: weight[i] q[i][j] accept(i, j) must equal weight[j] q[j][i] accept(j, i).",
        ),
    )


def eight_models(answer):
    letters = "".join(answer).replace(" ", "").replace(",", "").lower()
    if len(letters) != 8 or set(letters) - set("tvmdc"):
        return f"Eight letters out of t, v, m, d, c are asked, got {len(letters)}."
    return _first(
        *(
            (given != right, f"Number {k}: {why}")
            for k, (given, right, why) in enumerate(zip(letters, EIGHT, WHY), 1)
        )
    )
