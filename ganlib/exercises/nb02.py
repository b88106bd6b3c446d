"""The checks of notebook 02, The taxonomy, running."""

from math import isclose, log, log2

from ganlib.exercises.nb03 import _judge

EIGHT = "tttvmcdt"
WHY = ("A language model multiplies conditionals: the chain rule.", "A sum of normals is a formula for p(x).",
       "An invertible map gives p(x) by the change of variables.", "A VAE maximises a bound on log p(x).",
       "A Boltzmann machine has p(x) up to Z, and draws by a chain.",
       "A generative stochastic network learns to walk: no formula, and a chain.",
       "DCGAN draws in one pass and has no formula.", "PixelCNN multiplies conditionals, pixel by pixel.")


def elbo_by_hand(answer):
    elbo, gap = answer
    return _judge(elbo, log(0.2), {
        log2(0.2): "In bits that is right; nats are asked.",
        log(0.25): "That is log p(x) itself; the ELBO averages logarithms.",
        log(0.1): "You left out the entropy of q: add log 2.",
        2 * log(0.2): "You left q out of the average: weight each logarithm by ½.",
    }, "Average log(p(x, z)/q(z)) over z with the weights q(z), where p(x, z) = ½ p(x|z).") or _judge(
        gap, log(1.25), {}, "The ELBO is right. The gap is log p(x) − ELBO, with p(x) = 0.25.")


def acceptance(accept):
    p, q = (1, 2, 3), ((0, 0.9, 0.1), (0.3, 0, 0.7), (0.5, 0.5, 0))
    if accept(0, 1) is ...:
        raise NotImplementedError
    a = {(i, j): float(accept(i, j)) for i in range(3) for j in range(3) if i != j}
    if not all(0 <= v <= 1 for v in a.values()):
        return "A probability lies between 0 and 1: cut the ratio off at 1."
    if all(v == 0 for v in a.values()):
        return "Nobody ever moves: balanced, and useless."
    for weight, way, hint in (
            (lambda i: p[i], lambda i, j: q[i][j], None),
            (lambda i: p[i], lambda i, j: 1, "Right for symmetric proposals; here q belongs in the ratio too."),
            (lambda i: 1 / p[i], lambda i, j: q[i][j], "The weights are upside down: weight[j] stands above."),
            (lambda i: p[i], lambda i, j: q[j][i], "The q's are upside down: the way back, q[j][i], stands above.")):
        if all(isclose(weight(i) * way(i, j) * a[i, j], weight(j) * way(j, i) * a[j, i]) for i, j in a):
            return hint
    return "Detailed balance fails: weight[i] q[i][j] accept(i, j) must equal weight[j] q[j][i] accept(j, i)."


def eight_models(answer):
    letters = "".join(answer).replace(" ", "").replace(",", "").lower()
    if len(letters) != 8 or set(letters) - set("tvmdc"):
        return f"Eight letters out of t, v, m, d, c are asked, got {len(letters)}."
    return next((f"Number {k + 1}: {WHY[k]}" for k in range(8) if letters[k] != EIGHT[k]), None)
