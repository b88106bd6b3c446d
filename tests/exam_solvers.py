"""Each question of an exam solved again, from its numbers alone, in another way than its key.

By search, simulation of a chain or a game, linear programs, networks of torch, or ganlib. A solver
gets the numbers of the sheet and gives what the key has, in the same order.
"""

import math
from itertools import combinations, pairwise

import numpy as np
import torch
from scipy import integrate, optimize, stats
from scipy.linalg import expm
from torch import nn
from torch.distributions import Bernoulli, Categorical, kl_divergence
from torch.nn.functional import conv_transpose2d, logsigmoid, softplus

from ganlib import divergences, games, local, metrics


def lowest(cost, low, high):
    """Where a function of one number is least: by search, with no formula."""
    at = np.linspace(low, high, 2001)
    best = at[np.argmin([cost(each) for each in at])]
    step = at[1] - at[0]
    around = max(low, best - step), min(high, best + step)
    return optimize.minimize_scalar(
        cost, bounds=around, method="bounded", options={"xatol": 1e-10}
    ).x


# -- 00 ------------------------------------------------------------------------------------------


def log_score(said):
    return (float(Bernoulli(said / 100).log_prob(torch.tensor(0.0))),)


def best_verdict(real, fake):
    return (lowest(lambda y: -(real * np.log(y) + fake * np.log(1 - y)), 1e-6, 1 - 1e-6),)


def mean_score(said, true):
    beliefs = Bernoulli(torch.tensor(said, dtype=torch.float64) / 100)
    happened = torch.tensor([1.0 if each == "real" else 0.0 for each in true])
    mean = float(beliefs.log_prob(happened).mean())
    return mean, "yes" if mean > float(logsigmoid(torch.zeros(()))) else "no"


def too_bold(said, right):
    expected = lambda y: (np.log(y) * right + np.log(1 - y) * (100 - right)) / 100
    best = lowest(lambda y: -expected(y), 1e-4, 1 - 1e-4)
    return expected(said / 100), 100 * best, expected(best) - expected(said / 100)


# -- 01 ------------------------------------------------------------------------------------------


def normal_fit(numbers):
    cost = lambda at: -stats.norm(at[0], np.exp(at[1])).logpdf(numbers).sum()
    found = optimize.minimize(cost, [numbers[0], 1.0], method="Nelder-Mead", tol=1e-8).x
    return found[0], np.exp(2 * found[1])


def bits_to_nats(own, other):
    # Two coins whose ideal codes cost so much would do; only the unit has to be changed.
    return (math.log(2**other) - math.log(2**own),)


def nll_split(sd, nll):
    least = float(stats.norm(0, sd).entropy())
    return nll - least, least


def kl_both_ways(p, q):
    P, Q = Bernoulli(torch.tensor(p).double()), Bernoulli(torch.tensor(q).double())
    return float(kl_divergence(P, Q)), float(kl_divergence(Q, P))


def reverse_kl_fit(light, heavy, place, sd):
    x = np.linspace(-place - 8 * sd, place + 8 * sd, 4001)
    p = light * stats.norm.pdf(x, -place, sd) + heavy * stats.norm.pdf(x, place, sd)

    def cost(at):
        log_q = stats.norm.logpdf(x, at[0], np.exp(at[1]))
        return integrate.trapezoid(np.exp(log_q) * (log_q - np.log(p + 1e-300)), x)

    def descended(side):
        start = np.array([side * place + 0.3 * sd, np.log(sd) + 0.3])
        corners = start + np.array([[0, 0], [0.2, 0], [0, 0.2]])
        options = {"initial_simplex": corners, "xatol": 1e-8, "fatol": 1e-12}
        return optimize.minimize(cost, start, method="Nelder-Mead", options=options)

    best = min(map(descended, (-1, 1)), key=lambda each: each.fun)
    return best.x[0], np.exp(best.x[1]), best.fun


def js_by_hand(p, rest):
    P, Q = [p, rest], [0.0, 1.0]
    infinite = "KL(P‖Q)" if divergences.kl(P, Q).isinf() else "KL(Q‖P)"
    return infinite, float(divergences.kl(Q, P)), float(divergences.js(P, Q))


# -- 02 ------------------------------------------------------------------------------------------


def halving_time(factor):
    return (optimize.brentq(lambda n: factor**n - 0.5, 0, 10_000),)


def mean_of_pairs(values, share):
    cost = lambda c: np.dot(share, (np.array(values) - c) ** 2)
    best = lowest(cost, -7, 11)
    return best, cost(best)


def elbo_by_hand(at_0, at_1, q):
    joint = torch.tensor([at_0, at_1], dtype=torch.float64) / 2
    guess = Categorical(torch.tensor([q, 1 - q], dtype=torch.float64))
    gap = float(kl_divergence(guess, Categorical(joint / joint.sum())))
    return float(joint.sum().log()) - gap, gap


def acceptance(weights, there, back):
    # The largest pair of probabilities with detailed balance, as a linear program.
    balance = [weights[0] * there, -weights[1] * back]
    found = optimize.linprog([-1, -1], A_eq=[balance], b_eq=[0], bounds=[(0, 1), (0, 1)])
    return tuple(found.x)


def flow_density(a, b, x):
    law = stats.norm(-b / a, 1 / a)
    z = np.random.default_rng(0).standard_normal(200_000)
    assert abs(((z - b) / a).mean() - law.mean()) < 0.02 * law.std()
    return float(law.logpdf(x)), float(law.mean()), float(law.std())


def chain_law(to_b, to_a):
    K = np.array([[1 - to_b, to_b], [to_a, 1 - to_a]])
    settled = np.linalg.matrix_power(K, 10_000)[0]
    second = sorted(np.linalg.eigvals(K).real)[0]
    away = lambda n: abs(second) ** n - 0.5
    return settled[0], second, optimize.brentq(away, 0, 1000)


# -- 03 ------------------------------------------------------------------------------------------


def growth(rate, steps):
    path = games.play(lambda x, y: x * y, [1.0, 0.0], "simultaneous", lr=rate, steps=steps)
    return (float(path[-1].norm()),)


def in_the_open(first, second):
    payoff = torch.tensor([first, second])
    return float(payoff.min(1).values.max()), float(payoff.max(0).values.min())


def two_by_two(a, b, c, d):
    found = games.solve([[a, b], [c, d]])
    return found.value, float(found.row[0]), float(found.column[0])


def extragradient(x, y, rate):
    path = games.play(lambda x, y: x * y, [x, y], "extragradient", lr=rate, steps=1)
    return tuple(path[-1].tolist())


def smallest_gan(sd, rate):
    size = lambda eta: float(
        games.eigenvalues(games.smallest_gan(sd), [0, 0], "simultaneous", lr=eta).abs().max()
    )
    found = size(rate)
    words = "circle" if abs(found - 1) < 1e-9 else "come home" if found < 1 else "leave"
    return found, words, optimize.brentq(lambda eta: size(eta) - 1, 1e-3, 5)


# -- 04 ------------------------------------------------------------------------------------------


def d_star(times):
    best = lowest(lambda y: -(times * np.log(y) + np.log(1 - y)), 1e-6, 1 - 1e-6)
    return best, float(torch.tensor(best).logit())


def converged(**runs):
    good = ""
    for name in "ABC":
        js, half, star = (runs[f"{gauge}_{name}"] for gauge in ("js", "half", "star"))
        good += name * (not (js > 0.02 or half > 0.05 or star > 0.05))
    return (good or "none",)


def ledger(js, value):
    # D's regret is what the best V has beyond V; the best V is 0 for js = log 2, −log 4 for 0.
    best = np.interp(js, [0, math.log(2)], [-2 * math.log(2), 0])
    return best - value, best


def what_reaches_g(offset, slope, fake):
    at = torch.tensor(float(fake), dtype=torch.float64, requires_grad=True)
    logit = offset + slope * at
    (reaches,) = torch.autograd.grad(softplus(-logit), at)
    return (
        float(logit.detach().sigmoid()),
        float(reaches),
        "larger x" if reaches < 0 else "smaller x",
    )


def best_v(p, q):
    """The best D of two laws on a few outcomes, and its V: each outcome alone, by search."""
    bests, total = [], 0.0
    for a, b in zip(p, q):
        cost = lambda y, a=a, b=b: -(a * np.log(y) + b * np.log(1 - y))
        best = lowest(cost, 1e-9, 1 - 1e-9)
        bests.append(best)
        total -= cost(best)
    return bests, total


def c_of_g(p, q):
    bests, value = best_v(p, q)
    return bests, value, float(divergences.js(p, q))


def constant_d(belief, share, rest):
    p, q = [share, rest], [rest, share]
    _, best = best_v(p, q)
    value = lambda y: sum(a * math.log(y) + b * math.log(1 - y) for a, b in zip(p, q))
    return value(belief), best - value(belief), best - value(0.5)


# -- 05 ------------------------------------------------------------------------------------------


def starved_share(belief):
    logit = torch.tensor(belief, dtype=torch.float64).logit().requires_grad_()
    (minimax,) = torch.autograd.grad(-softplus(logit), logit)
    (other,) = torch.autograd.grad(softplus(-logit), logit)
    return (float(minimax / other),)


def smoothed(alpha, beta, before):
    p, q = before, 1 - before

    def cost(y):
        real = alpha * np.log(y) + (1 - alpha) * np.log(1 - y)
        fake = beta * np.log(y) + (1 - beta) * np.log(1 - y)
        return -(p * real + q * fake)

    return (lowest(cost, 1e-6, 1 - 1e-6),)


def collapsed(left, rest, apart):
    apart_by = stats.wasserstein_distance([0, apart], [0], [left, rest], [1])
    return 0.5 * (abs(1 - left) + abs(0 - rest)), apart_by


def twin_interval(gains):
    found = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    return found.low, found.high, "yes" if found.low > 0 or found.high < 0 else "no effect seen"


def modes_covered(samples, good):
    enough = [each for each in good if 5 * len(good) * each >= samples]
    return len(enough), sum(good) / samples


def holm_by_hand(p_values):
    # The closed test: one falls if every set that holds it has some p below its own share of 0.05.
    everyone = range(len(p_values))
    sets = [chosen for size in everyone for chosen in combinations(everyone, size + 1)]
    falls = lambda chosen: min(p_values[k] for k in chosen) <= 0.05 / len(chosen)
    fallen = [k for k in everyone if all(falls(chosen) for chosen in sets if k in chosen)]
    return sum(p <= 0.05 for p in p_values), len(fallen)


def price_of_a_mode(modes):
    p = torch.full((modes,), 1 / modes, dtype=torch.float64)
    q = torch.full((modes,), 1 / (modes - 1), dtype=torch.float64)
    q[0] = 0
    return float(2 * divergences.js(p, q)), float(2 * divergences.kl((p + q) / 2, p))


# -- 06 ------------------------------------------------------------------------------------------


def picture_side(start, layers, kernel, stride, padding):
    layer = nn.ConvTranspose2d(1, 1, kernel, stride, padding)
    picture = torch.zeros(1, 1, start, start)
    with torch.no_grad():
        for _ in range(layers):
            picture = layer(picture)
    return (picture.shape[-1],)


def frechet_of_normals(mean, sd):
    # The squared Wasserstein-2 distance: the mean squared way between equal quantiles.
    z = stats.norm.ppf((np.arange(400_000) + 0.5) / 400_000)
    return (float(np.mean((z - (mean + sd * z)) ** 2)),)


def layer_parameters(inputs, outputs, kernel):
    pair = nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, kernel, bias=False), nn.BatchNorm2d(outputs)
    )
    return (sum(weight.numel() for weight in pair.parameters()),)


def stamps(kernel, stride):
    floor = conv_transpose2d(
        torch.ones(1, 1, 12, 12), torch.ones(1, 1, kernel, kernel), stride=stride
    )
    inner = floor[0, 0, kernel:-kernel, kernel:-kernel]
    return float(inner.min()), float(inner.max()), "yes" if inner.min() < inner.max() else "no"


def copied(share):
    return optimize.brentq(lambda c: c + (1 - c) / 2 - share, 0, 1), "no copies seen"


def off_the_shell(dims, part):
    a, b = torch.randn(2, 40_000, dims, generator=torch.Generator().manual_seed(0))
    squared = float(((1 - part) * a + part * b).square().sum(1).mean())
    return squared, math.sqrt(float(a.square().sum(1).mean()) / squared)


def precision_and_recall(real, made):
    sets = (torch.tensor(each, dtype=torch.float64)[:, None] for each in (real, made))
    return metrics.precision_recall(*sets, k=1)


# -- 07 ------------------------------------------------------------------------------------------


def blur(white):
    law = np.array([white, 1 - white])
    y = np.array([1, -1])
    c = np.linspace(-1, 1, 2001)[:, None]
    best = [c[np.argmin((law * cost(y - c)).sum(1)), 0] for cost in (np.square, np.abs)]
    return tuple(best)


def bottleneck(side, halvings, channels):
    picture = torch.zeros(1, 1, side, side)
    for _ in range(halvings):
        picture = nn.functional.avg_pool2d(picture, 2)
    return (channels * picture.numel(),)


def receptive_field(kernel, twos, ones):
    # By asking: which pixels have a slope at one logit?
    x = torch.zeros(1, 1, 400, 4, requires_grad=True)
    h = x[:, :, :, :1]
    for stride in [2] * twos + [1] * ones:
        weight = torch.ones(1, 1, kernel, 1)
        h = nn.functional.conv2d(h, weight, stride=(stride, 1))
    (slope,) = torch.autograd.grad(h[0, 0, 0, 0], x)
    return (int((slope != 0).sum()),)


def paired_cost(belief, error, weight):
    logit = torch.tensor(belief, dtype=torch.float64).logit()
    judged = float(softplus(-logit))
    return judged + weight * error, judged / (judged + weight * error)


def what_remains(low, high, share):
    law = np.array([share, 1 - share])
    y = np.array([low, high])
    found = []
    for cost in (np.square, np.abs):
        paid = lambda c, cost=cost: float(law @ cost(y - c))
        best = min([*np.linspace(low, high, 2001), low, high], key=paid)
        found += [best, paid(best)]
    return tuple(found)


# -- 08 ------------------------------------------------------------------------------------------


def largest_rate(gamma):
    near = local.dirac("minimax", gamma=gamma)
    size = lambda eta: float(near.factors(eta, eta, "simultaneous").abs().max())
    return (optimize.brentq(lambda eta: size(eta) - 1, 1e-3, 10),)


def fewer_turns(faster):
    near = local.dirac("minimax", gamma=1e-4)
    now, then = (near.rates(speed)[0] for speed in (1.0, float(faster)))
    beat, brake = abs(then.imag / now.imag), then.real / now.real
    return float(beat), float(brake), float(beat / brake)


def steps_home(gamma, rate, nearer):
    factor = local.dirac("minimax", gamma=gamma).factors(rate, rate, "alternating")[0].abs()
    return float(factor), optimize.brentq(lambda n: float(factor) ** n - 1 / nearer, 0, 10_000)


def root_of_time(now, nearer):
    # The averaged flow, d log r²/dt = −r²/8, from far away until it is there.
    far = 1e7

    def time_at(r):
        there = lambda t, at: at[0] - math.log(r**2)
        there.terminal = True
        flow = lambda t, at: -np.exp(at) / 8
        run = integrate.solve_ivp(
            flow, (0, 1e6), [math.log(far)], "LSODA", events=there, rtol=1e-9, atol=1e-9
        )
        return 8 / far + run.t_events[0][0]

    return time_at(now), time_at(now / nearer)


def too_much_r1(pull, gamma):
    def slowest(g):
        return np.linalg.eigvals([[0, pull], [-pull, -g]]).real.max()

    flow = np.array([[0, pull], [-pull, -gamma]])
    turning = abs(np.linalg.eigvals(flow).imag).max() > 1e-12
    shrunk = np.linalg.norm(expm(400 * flow)) / np.linalg.norm(expm(401 * flow))
    if not turning:
        assert abs(math.log(shrunk) + slowest(gamma)) < 1e-6
    weights = np.linspace(0.01, 6, 60_000)
    best = weights[np.argmin([slowest(g) for g in weights[::20]]) * 20]
    return "yes" if turning else "no", -1 / slowest(gamma), best


def orbit_of_steps(rate):
    def balance(eta):
        gain = lambda r: r**2 * eta**2 / 4 - eta * r**4 / 8
        return optimize.brentq(gain, 1e-3, 10)

    return balance(rate), balance(rate / 4)


# -- 09 ------------------------------------------------------------------------------------------


def on_the_path(x0, noise, t):
    # A quarter turn of a complex number, and its slope by a difference quotient.
    place = lambda angle: (complex(x0, -noise) * np.exp(1j * angle)).real
    angle, h = math.pi * t / 2, 1e-5
    return place(angle), (place(angle + h) - place(angle - h)) / (2 * h)


def too_short(steps):
    x = torch.linspace(-3, 3, 101, dtype=torch.float64)
    angles = torch.linspace(math.pi / 2, 0, steps + 1, dtype=torch.float64)
    walked = x.clone()
    for a, b in pairwise(angles):
        x0, noise = torch.cos(a) * walked, torch.sin(a) * walked  # where v is 0
        walked = torch.cos(b) * x0 + torch.sin(b) * noise
    sd = float((walked[-1] / x[-1]).abs())
    return sd, sd**2


def torn_apart(place, sd):
    below = lambda x: sum(stats.norm.cdf(x, side * place, sd) for side in (-1, 1)) / 2
    at = lambda z: optimize.brentq(lambda x: below(x) - stats.norm.cdf(z), -20, 20, xtol=1e-14)
    h = 1e-4 * sd / math.exp(place**2 / (2 * sd**2))
    slope = (at(h) - at(-h)) / (2 * h)
    density = (below(1e-5) - below(-1e-5)) / 2e-5
    return density, slope, "yes" if slope < 10 else "no"


SOLVERS = {
    name: solve
    for name, solve in list(vars().items())
    if callable(solve)
    and getattr(solve, "__module__", "") == __name__
    and name not in ("lowest", "best_v")
}

# What a law of large numbers, or a grid, leaves: a part of a number.
NEAR = {
    "off_the_shell": 1e-2,
    "frechet_of_normals": 1e-3,
    "too_much_r1": 2e-3,
    "torn_apart": 1e-4,
    "twin_interval": 1e-3,  # the sheet gives t to three decimals
}
USUAL = 1e-5


def _same(key, found, near):
    if isinstance(key, str):
        return key == found
    return np.allclose(key, found, rtol=near, atol=near)


def wrong(name, task):
    """What a solver finds otherwise than the key: [(what, in the key, found)]."""
    found = SOLVERS[name](**task.given)
    assert len(found) == len(task.answer), name
    near = NEAR.get(name, USUAL)
    return [
        (what, key, other)
        for (what, key), other in zip(task.answer.items(), found)
        if not _same(key, other, near)
    ]
