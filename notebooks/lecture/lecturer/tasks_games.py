"""Templates of exam questions on notebooks 03 to 05: games, a GAN, losses and failure."""

import math

from lecturer.templates import Task, template

LOG_4 = math.log(4)


def bits_of(p: float, q: float) -> float:
    """p log(p/q), where 0 log 0 is 0."""
    return p * math.log(p / q) if p > 0 else 0.0


def js(p: list[float], q: list[float]) -> float:
    """JS of two laws on a few outcomes, in nats."""
    middle = [(a + b) / 2 for a, b in zip(p, q)]
    both = [sum(bits_of(a, m) for a, m in zip(law, middle)) for law in (p, q)]
    return sum(both) / 2


# -- 03 Zero-sum games ---------------------------------------------------------------------------


@template("03", 1, {"rate": 0.2, "steps": 100}, {"rate": 0.1, "steps": 100})
def growth(rng):
    rate, steps = rng.choice([0.05, 0.1, 0.15, 0.25, 0.3]), rng.choice([20, 40, 50, 80, 100])
    return Task(
        {"rate": rate, "steps": steps},
        "Two players follow their slopes on V = xy at the same time, with the rate {rate}. By what "
        "factor has their distance to (0, 0) grown after {steps} steps?",
        {"factor": (1 + rate**2) ** (steps / 2)},
        "Each step multiplies the distance by √(1 + {rate}²), and there are {steps}.",
    )


@template("03", 1)
def in_the_open(rng):
    row = [[rng.randrange(-6, 7) for _ in range(3)] for _ in range(2)]
    return Task(
        {"first": row[0], "second": row[1]},
        "What the column player pays the row player: first row {first}, second row {second}. Both "
        "play in the open. How much can the row player be sure of when choosing first, and when "
        "choosing second?",
        {
            "first": max(min(each) for each in row),
            "second": min(max(column) for column in zip(*row)),
        },
        "max min, and min max; to choose second is never worse.",
    )


@template("03", 2, {"a": 4, "b": 1, "c": 2, "d": 3}, {"a": 2, "b": -5, "c": -2, "d": 5})
def two_by_two(rng):
    # No rest point in fixed choices: each row is best against one column, and each column too.
    low = [rng.randrange(-5, 4) for _ in range(2)]
    a, d = (max(low) + rng.randrange(1, 6) for _ in range(2))
    b, c = low
    n = a + d - b - c
    return Task(
        {"a": a, "b": b, "c": c, "d": d},
        "What the column player pays the row player: first row {a}, {b}; second row {c}, {d}. Give "
        "the value of the game, the probability of the first row in the row player's best mix, and "
        "of the first column in the column player's.",
        {"value": (a * d - b * c) / n, "p": (d - c) / n, "q": (d - b) / n},
        "Make the columns equally good for p, and the rows equally good for q; n = a + d − b − c.",
    )


@template("03", 2, {"x": 1, "y": 2, "rate": 0.5})
def extragradient(rng):
    x, y = rng.choice([-2, -1, 1, 2, 3]), rng.choice([-3, -1, 1, 2, 4])
    rate = rng.choice([0.1, 0.2, 0.25, 0.5])
    ahead = x - rate * y, y + rate * x
    return Task(
        {"x": x, "y": y, "rate": rate},
        "Take one extragradient step on V = xy (x goes down, y goes up) from (x, y) = ({x}, {y}) "
        "with the rate {rate}. Give the new x and the new y.",
        {"x": x - rate * ahead[1], "y": y + rate * ahead[0]},
        "Look ahead by one simultaneous step; then step from ({x}, {y}), with the slopes found "
        "there.",
    )


@template(
    "03", 3, *({"sd": s, "rate": r} for s, r in ((0.5, 0.4), (0.5, 0.5), (0.5, 0.6), (1, 1.9)))
)
def smallest_gan(rng):
    sd, rate = rng.choice([0.4, 0.5, 0.6, 0.8, 1]), rng.choice([0.1, 0.2, 0.3, 0.5, 0.8])
    size = math.sqrt(1 - rate * sd**2 / 2 + rate**2 / 4)
    if abs(size - 1) < 1e-9:
        words = "circle"
    else:
        words = "come home" if size < 1 else "leave"
    return Task(
        {"sd": sd, "rate": rate},
        "The smallest GAN: near its rest point the flow is dθ/dt = w/2, dw/dt = −θ/2 − (σ²/2) w, "
        "with σ = {sd}. Both players step at the same time with the rate {rate}. Give |λ| of a "
        "step, say whether the players come home, circle or leave, and below which rate they come "
        "home.",
        {"|λ|": size, "the players": words, "below": 2 * sd**2},
        "|λ|² = 1 − ησ²/2 + η²/4, which is below 1 exactly for η < 2σ².",
    )


# -- 04 A GAN in one dimension -------------------------------------------------------------------


@template("04", 1, {"times": 3}, {"times": 2})
def d_star(rng):
    times = rng.choice([0.25, 0.4, 0.5, 0.8, 1.5, 4, 5, 9])
    return Task(
        {"times": times},
        "At some x, p_data is {times} times p_g. What does the best discriminator say there, as a "
        "probability, and as a logit?",
        {"D*": times / (1 + times), "logit": math.log(times)},
        "p_data/(p_data + p_g) = {times}/({times} + 1); the logit is the logarithm of the odds, "
        "log {times}.",
    )


@template("04", 1)
def converged(rng):
    runs = {}
    for name in "ABC":
        runs[f"js_{name}"] = rng.choice([0.004, 0.012, 0.019, 0.03, 0.2])
        runs[f"half_{name}"] = rng.choice([0.01, 0.03, 0.045, 0.07, 0.2])
        runs[f"star_{name}"] = rng.choice([0.01, 0.02, 0.045, 0.06, 0.3])
    good = [
        name
        for name in "ABC"
        if runs[f"js_{name}"] <= 0.02 and max(runs[f"half_{name}"], runs[f"star_{name}"]) <= 0.05
    ]
    listed = "; ".join(
        f"{name}: JS {{js_{name}}}, E|D − ½| {{half_{name}}}, E|D − D*| {{star_{name}}}"
        for name in "ABC"
    )
    return Task(
        runs,
        f"Three runs end like this. {listed}. Which of them have converged, as this course says it "
        "(JS at most 0.02 nats, both gauges of D at most 0.05)?",
        {"converged": "".join(good) or "none"},
        "All three must hold: D at ½ alone may be a blind D, and a good G may stand before a D "
        "that is not at its best.",
    )


@template("04", 2, {"js": 0.288, "value": -1.386})
def ledger(rng):
    js_now = rng.randrange(50, 600, 10) / 1000
    shown_by_d = rng.randrange(-20, 95, 5) / 100 * 2 * js_now
    value = round(shown_by_d - LOG_4, 3)
    return Task(
        {"js": js_now, "value": value},
        "JS of p_data and p_g is {js} nats, and V(D, G) = {value}. What is D's regret? And what "
        "would V be with the best D?",
        {"regret": 2 * js_now - (value + LOG_4), "best V": 2 * js_now - LOG_4},
        "2 JS = (V + log 4) + regret, and V(D*, G) = 2 JS − log 4.",
    )


@template("04", 2)
def what_reaches_g(rng):
    offset, slope = rng.choice([-1, 0, 0.5, 1, 2]), rng.choice([-3, -2, -1, -0.5, 0.5, 1, 2])
    fake = rng.choice([-1, -0.5, 0.5, 1, 1.5])
    belief = 1 / (1 + math.exp(-(offset + slope * fake)))
    return Task(
        {"offset": offset, "slope": slope, "fake": fake},
        "D has the logit {offset} + ({slope}) x. G made the fake x = {fake} and pays the "
        "non-saturating cost −log D(x). What is D(x) at the fake, which slope of the cost reaches "
        "G there, and which way is the fake pushed, to larger or to smaller x?",
        {
            "D": belief,
            "slope": -(1 - belief) * slope,
            "pushed to": "larger x" if slope > 0 else "smaller x",
        },
        "The slope of −log D is −(1 − D) times the slope of the logit, {slope}; G goes down it.",
    )


@template("04", 3)
def c_of_g(rng):
    p = rng.choice([[0.5, 0.3, 0.2], [0.6, 0.4, 0], [0.25, 0.25, 0.5], [0.1, 0.2, 0.7]])
    q = rng.choice([[0.2, 0.3, 0.5], [0, 0.5, 0.5], [0.7, 0.2, 0.1], [0.4, 0.4, 0.2]])
    best = [a / (a + b) for a, b in zip(p, q)]
    return Task(
        {"p": p, "q": q},
        "On three outcomes p_data has the probabilities {p} and p_g has {q}. Give D* at each "
        "outcome, V(D*, G), and JS(p_data, p_g) in nats.",
        {"D*": best, "V": 2 * js(p, q) - LOG_4, "JS": js(p, q)},
        "V is the sum of p log D* + q log(1 − D*), with 0 log 0 = 0; and V(D*, G) = −log 4 + 2 JS.",
    )


@template("04", 3)
def constant_d(rng):
    belief = rng.choice([0.2, 0.3, 0.4, 0.6, 0.7, 0.8])
    share = rng.choice([0.1, 0.2, 0.25, 0.3])
    p, q = [share, 1 - share], [1 - share, share]
    value = math.log(belief) + math.log(1 - belief)
    return Task(
        {"belief": belief, "share": share, "rest": round(1 - share, 2)},
        "p_data = ({share}, {rest}) and p_g = ({rest}, {share}) on two outcomes. A D says {belief} "
        "whatever it sees. Give V(D, G), D's regret, and the regret of a D that says ½.",
        {
            "V": value,
            "regret": 2 * js(p, q) - LOG_4 - value,
            "regret of ½": 2 * js(p, q),
        },
        "V = log {belief} + log(1 − {belief}) against every G. The best V is 2 JS − log 4; the "
        "regret is the best V less D's own. A D at ½ has V = −log 4.",
    )


# -- 05 Losses and failure -----------------------------------------------------------------------


@template("05", 1, {"belief": 0.2})
def starved_share(rng):
    belief = rng.choice([0.01, 0.02, 0.05, 0.1, 0.15, 0.3, 0.4])
    return Task(
        {"belief": belief},
        "D(G(z)) = {belief} for some fake. How large is the pull on G under the minimax cost, as a "
        "share of the pull under the non-saturating cost?",
        {"share": belief / (1 - belief)},
        "D ℓ′ over (1 − D) ℓ′: {belief}/(1 − {belief}).",
    )


@template("05", 1, {"alpha": 0.9, "beta": 0, "before": 0.25})
def smoothed(rng):
    alpha, beta = rng.choice([0.7, 0.8, 0.9]), rng.choice([0, 0.1, 0.2])
    before = rng.choice([0.1, 0.2, 0.25, 0.4, 0.5, 0.75, 0.9])
    return Task(
        {"alpha": alpha, "beta": beta, "before": before},
        "D is trained with smoothed labels: {alpha} for data, {beta} for fakes. At a place where "
        "the best D said {before} without smoothing, what does the best D say now?",
        {"D*": alpha * before + beta * (1 - before)},
        "(α p + β q)/(p + q) = {alpha} · {before} + {beta} · (1 − {before}).",
    )


@template("05", 2, {"left": 0.5, "rest": 0.5, "apart": 3})
def collapsed(rng):
    left, apart = rng.choice([0.2, 0.25, 0.4, 0.6, 0.7, 0.75]), rng.choice([2, 2.5, 4, 5, 6])
    return Task(
        {"left": left, "rest": round(1 - left, 2), "apart": apart},
        "The data have two narrow modes, {apart} apart: {left} of the mass in the left one, {rest} "
        "in the right one. G has collapsed onto the left one. Give the total variation and W₁ "
        "between data and fakes.",
        {"TV": 1 - left, "W₁": (1 - left) * apart},
        "{rest} of the mass is in the wrong place, and would have to be carried {apart} far.",
    )


@template("05", 2, {"gains": [1, 2, 2, 2, 3]})
def twin_interval(rng):
    gains = [rng.randrange(-2, 6) for _ in range(5)]
    if len(set(gains)) == 1:
        gains[0] += 1
    mean = sum(gains) / 5
    sd = math.sqrt(sum((each - mean) ** 2 for each in gains) / 4)
    half = 2.776 * sd / math.sqrt(5)
    return Task(
        {"gains": gains},
        "Five pairs of twins gained {gains} modes by a medicine. Give the 95 % interval of the "
        "mean gain (t is 2.776 for five pairs), and say whether it shows an effect.",
        {
            "low": mean - half,
            "high": mean + half,
            "effect": "yes" if abs(mean) > half else "no effect seen",
        },
        "Mean ± 2.776 · sd/√5, with the sd of a sample, divided by n − 1. An interval that holds 0 "
        "shows none.",
    )


@template("05", 2)
def modes_covered(rng):
    samples, modes = rng.choice([400, 800, 1600]), 8
    least = 0.2 * samples / modes
    good = [round(least * rng.choice([0, 0.5, 0.9, 1.1, 2, 3, 4])) for _ in range(modes)]
    return Task(
        {"samples": samples, "good": good},
        "{samples} samples; so many of them lie within 3 sd of each of eight modes: {good}. A mode "
        "counts as covered when it gets a fifth of its fair part. How many modes are covered, and "
        "what is the share of good samples?",
        {
            "covered": sum(each >= least for each in good),
            "good": sum(good) / samples,
        },
        "The fair part is {samples}/8, a fifth of it is asked. The two numbers belong together: a "
        "count of modes says little where few samples are good.",
    )


@template("05", 3)
def holm_by_hand(rng):
    p_values = [rng.choice([0.001, 0.004, 0.008, 0.011, 0.014, 0.02, 0.03, 0.2]) for _ in range(5)]
    fallen = 0
    for place, p in enumerate(sorted(p_values)):
        if p > 0.05 / (5 - place):
            break
        fallen += 1
    return Task(
        {"p_values": p_values},
        "Five medicines were tried on the same patient; their p-values are {p_values}. How many "
        "show an effect at the level 0.05, each taken alone? How many after Holm's adjustment?",
        {"alone": sum(p <= 0.05 for p in p_values), "after Holm": fallen},
        "Sort them; compare the smallest with 0.05/5, the next with 0.05/4, and so on, and stop at "
        "the first that is larger: it and all after it stand.",
    )


@template("05", 3)
def price_of_a_mode(rng):
    modes = rng.choice([3, 4, 5, 6, 10])
    missing = 1 / modes
    u = 1 / (1 - missing)
    half_way = (1 - missing) * (1 + u) * math.log((1 + u) / 2) + missing * math.log(0.5)
    return Task(
        {"modes": modes},
        "The data have {modes} equal modes. G fills all but one of them evenly, and misses that "
        "one altogether. Against the best D the minimax G walks down 2 JS(p, q), the "
        "non-saturating G 2 KL(½(p + q)‖p). What does the missing mode cost each of them, in nats?",
        {
            "minimax": 2 * js([missing, 1 - missing], [0, 1]),
            "non-saturating": half_way,
        },
        "Two places: the missing mode, with p = 1/{modes} and q = 0, and all the others, with "
        "p = 1 − 1/{modes} and q = 1.",
    )
