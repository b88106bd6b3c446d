"""What no answer may be, whatever the question was: nonsense in words, or None."""

import math
from numbers import Number

import numpy as np
import torch
from torch import Tensor

SLACK = 1e-9  # by which rounding may bring a divergence below 0
EDGE = 1e-5  # by which single precision may miss a probability


def nonsense(row, answer, positional, named):
    """What is wrong with this answer, if it is nonsense."""
    asked = [positional, named]
    if not row.nan and has_nan(answer) and all_finite(asked):
        return f"nan from finite arguments: {_short(answer)}"
    if row.post:
        return globals()[row.post](answer, named)
    return None


def numbers_in(thing, depth=0):
    """All arrays of numbers in it, a few levels deep."""
    if isinstance(thing, Tensor):
        if thing.device.type != "meta" and thing.layout == torch.strided:
            yield thing.detach().to(torch.complex128).flatten().abs().numpy()
    elif isinstance(thing, np.ndarray):
        if thing.dtype.kind in "fiub":
            yield thing.astype(float).ravel()
    elif isinstance(thing, Number):
        if not isinstance(thing, complex) and abs(thing) < 1e300:
            yield np.array([float(thing)])
        elif isinstance(thing, float):
            yield np.array([thing])
    elif isinstance(thing, dict) and depth < 3:
        yield from numbers_in([*thing.values()], depth)
    elif isinstance(thing, (list, tuple)) and depth < 3:
        for part in thing[:50]:
            yield from numbers_in(part, depth + 1)


def has_nan(thing) -> bool:
    return any(bool(np.isnan(part).any()) for part in numbers_in(thing))


def all_finite(thing) -> bool:
    return all(bool(np.isfinite(part).all()) for part in numbers_in(thing))


def _short(thing) -> str:
    return " ".join(repr(thing).split())[:120]


# -- of one number ---------------------------------------------------------------------------------


def at_least_0(answer, named):
    """A divergence, a distance or a cost: may be inf, never nan, never below 0 but by rounding."""
    number = float(answer)
    if math.isnan(number) or number < -SLACK:
        return f"{number} is below 0"


def number(answer, named):
    """Not nan."""
    if math.isnan(float(answer)):
        return "nan"


def positive(answer, named):
    if not 0 < float(answer) < math.inf:
        return f"{float(answer)} is not a positive number"


def unit(answer, named):
    """A probability or a share, or several."""
    row = torch.as_tensor(answer).double()
    if not bool(((row >= -EDGE) & (row <= 1 + EDGE)).all()):
        return f"{_short(row)} is no probability"


def some_units(answer, named):
    """Probabilities; nan where the arguments have it, or where both densities vanish."""
    row = torch.as_tensor(answer).double()
    return unit(row[~row.isnan()], named)


def js(answer, named):
    base = {"nats": math.log(2), "bits": 1.0}[named.get("base", "nats")]
    return at_least_0(answer, named) or (
        f"{float(answer)} is above log 2" if float(answer) > base + SLACK else None
    )


def estimate(answer, named):
    if math.isnan(answer.value) or not answer.error >= 0:
        return f"{answer}"


# -- of laws ---------------------------------------------------------------------------------------


def masses(answer, named):
    """They sum to 1."""
    return unit(answer, named) or _total(answer)


def _total(row):
    total = float(torch.as_tensor(row).double().sum())
    if not abs(total - 1) < 1e-4:
        return f"masses sum to {total}"


def pushed(answer, named):
    return masses(answer.masses, named) or masses(answer.pieces, named)


def cells(answer, named):
    return masses(answer.p_data, named) or masses(answer.p_g, named)


def density(answer, named):
    row = torch.as_tensor(answer)
    if not bool((row >= 0).all()):
        return f"{_short(row)} is no density"


def on_x(answer, named):
    """A density with as many points as x, whose sum is at most 1 on it."""
    x = named["x"]
    mass = float(answer.sum() * (x[-1] - x[0]) / (len(x) - 1))
    if len(answer) != len(x) or mass > 1.02:
        return f"{len(answer)} numbers with mass {mass} on {len(x)} points"
    return density(answer, named)


def equilibrium(answer, named):
    payoff = np.asarray(named["payoff"], float)
    inside = payoff.min() - SLACK <= answer.value <= payoff.max() + SLACK
    wrong = masses(answer.row, named) or masses(answer.column, named)
    return wrong or (None if inside else f"value {answer.value} outside the payoffs")


def rows_sum_to_1(answer, named):
    for each in answer:
        wrong = masses(each, named)
        if wrong:
            return wrong


def mixture(answer, named):
    parts = (answer.means, answer.stds, answer.weights)
    if not all(bool(part.isfinite().all()) for part in parts) or not bool((answer.stds > 0).all()):
        return f"a law with means {_short(answer.means)}, stds {_short(answer.stds)}"
    if not (math.isfinite(answer.shift) and 0 < answer.scale < math.inf):
        return f"a law with shift {answer.shift}, scale {answer.scale}"
    return masses(answer.weights, named)


def interval(answer, named):
    if not (math.isfinite(answer.low) and math.isfinite(answer.high) and answer.low < answer.high):
        return repr(answer)


def n_rows(answer, named):
    """As many draws as were asked for, all finite."""
    if len(answer) != named["n"] or not bool(answer.isfinite().all()):
        return f"{_short(answer)} for n={named['n']}"


def log_density(answer, named):
    """Of each x one; nan only where x is nan."""
    x = torch.as_tensor(named["x"])
    if answer.shape != x.shape[:1]:
        return f"{tuple(answer.shape)} for x {tuple(x.shape)}"
    if bool((answer.isnan() & ~x.flatten(1).isnan().any(1)).any()) or bool(
        (answer == math.inf).any()
    ):
        return _short(answer)


def inside_uniform(answer, named):
    if not bool(((answer >= -1) & (answer <= 1)).all()):
        return f"{_short(answer)} is outside [-1, 1]"


# -- of other things -------------------------------------------------------------------------------


def code_lengths(answer, named):
    """Kraft's inequality."""
    if bool((answer < -SLACK).any()) or float((2.0**-answer).sum()) > 1 + EDGE:
        return _short(answer)


def code_words(answer, named):
    used = [word for word in answer if word]
    for one in used:
        if any(other.startswith(one) for other in used if other is not one):
            return f"{one!r} begins another word"


def grid(answer, named):
    steps = answer.diff()
    if len(answer) != named.get("points", 400) or not bool((steps > 0).all()):
        return _short(answer)


def path(answer, named):
    if len(answer) != named["steps"] + 1 or has_nan(answer[0]):
        return _short(answer)


def eigenvalues(answer, named):
    size = answer.abs()
    if answer.shape != (4,) or not bool(size.isfinite().all()) or bool((size.diff() > 1e-9).any()):
        return _short(answer)


def walkers(answer, named):
    x, moved = answer
    if x.shape != named["x"].shape or moved.shape != x.shape[:1]:
        return f"{tuple(x.shape)}, {tuple(moved.shape)}"
    if has_nan(x) and not has_nan(named["x"]):
        return "a walker at nan"


def nearest(answer, named):
    distances, places = answer
    k = named.get("k", 1)
    shape = (len(named["x"]), k)
    if distances.shape != shape or places.shape != shape or not bool((distances >= 0).all()):
        return _short(answer)
    if bool((distances.diff(dim=1) < 0).any()):
        return "not the nearest first"


def two_shares(answer, named):
    return unit(torch.tensor([*answer]), named)


def share_and_count(answer, named):
    return unit(answer[0], named) or (None if answer[1] >= 0 else _short(answer))


def scores(answer, named):
    shares = [value for key, value in answer.items() if key != "FD"]
    return unit(torch.tensor(shares), named) or at_least_0(answer["FD"], named)


def modes(answer, named):
    covered, good = answer
    if not 0 <= covered <= len(named["law"].means):
        return _short(answer)
    return unit(good, named)


def now(answer, named):
    return unit(answer.good, named) or js(answer.js, {}) or (answer.modes < 0 and "modes below 0")


def ledger(answer, named):
    """JS in [0, log 2], V + log 4 at most 2 JS, D's gauges in [0, 1]."""
    wrong = js(answer.js, {}) or unit([answer.off_half, answer.off_star], {})
    if wrong or not answer.regret > -1e-3 or not answer.value <= 2 * answer.js + 1e-3:
        return wrong or repr(answer)
    if max(answer.real_term, answer.fake_term) > SLACK:
        return repr(answer)


def v(answer, named):
    """V(D, G) ≤ 0."""
    if not float(answer) <= 0:
        return f"V = {float(answer)}"


def losses(answer, named):
    if not answer or not all(math.isfinite(number) for number in answer.values()):
        return repr(answer)


def network(answer, named):
    """Its weights are finite."""
    if not all(bool(part.isfinite().all()) for part in answer.parameters()):
        return "weights that are not finite"


def gan(answer, named):
    return network(answer.G, named) or network(answer.D, named) or _rates(answer)


def _rates(gan):
    if not (0 < gan.lr_G < math.inf and 0 < gan.lr_D < math.inf and gan.d_steps >= 1):
        return repr(gan)


def treated(answer, named):
    return gan(answer[0], named)


def session(answer, named):
    return gan(answer.gan, named) or (None if len(answer.past) else "no record")


def pictures(answer, named):
    """Pictures in [−1, 1], one label for each."""
    x = answer.x
    if x.ndim != 4 or x.shape[2] != x.shape[3] or not bool((x.abs() <= 1).all()):
        return f"{tuple(x.shape)}, {_short(x)}"
    if answer.labels is not None and len(answer.labels) != len(x):
        return "labels that do not fit"


def parts(answer, named):
    """Two parts, none of them lost."""
    if len(answer) != 2 or min(len(part.x) for part in answer) < 1:
        return f"parts of {[len(part.x) for part in answer]}"


def survey(answer, named):
    rates, ledgers = answer
    if not bool((np.diff(rates) > 0).all()) or len(ledgers) != len(rates):
        return _short(rates)


def swept(answer, named):
    if answer.steps != named["steps"] or not bool((answer.lr_G > 0).all()):
        return repr(answer)


def run(answer, named):
    if not (0 <= answer.ema < 1 and answer.every >= 1):
        return f"ema {answer.ema}, every {answer.every}"
    return gan(answer.gan, named)


def told(answer, named):
    """Words."""
    if not isinstance(answer, str):
        return _short(answer)
