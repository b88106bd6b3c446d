"""Templates of exam questions on notebooks 00 to 02: beliefs, likelihood, the taxonomy."""

import math

from lecturer.templates import Task, template

SHRUG = math.log(2)

# -- 00 Start here -------------------------------------------------------------------------------


@template("00", 1, {"said": 80}, {"said": 90}, {"said": 50})
def log_score(rng):
    said = rng.choice(range(55, 100, 5))
    return Task(
        {"said": said},
        "You said {said} % “real”, and it was a fake. What is your log score, in nats?",
        {"log score": math.log(1 - said / 100)},
        "log(1 − {said}/100), the logarithm of the probability that you gave to the truth.",
    )


@template("00", 1)
def best_verdict(rng):
    real, fake = (rng.randrange(5, 60) / 100 for _ in range(2))
    return Task(
        {"real": real, "fake": fake},
        "At some x the density of the real numbers is {real} and that of the fakes is {fake}. Real "
        "and fake come equally often. What does the best detective say at this x?",
        {"D*": real / (real + fake)},
        "{real} / ({real} + {fake}): Bayes' rule with even odds.",
    )


@template("00", 2)
def mean_score(rng):
    said = [rng.choice(range(55, 100, 5)) for _ in range(4)]
    true = [rng.choice(["real", "fake"]) for _ in range(4)]
    scores = [math.log(s / 100 if t == "real" else 1 - s / 100) for s, t in zip(said, true)]
    return Task(
        {"said": said, "true": true},
        "In four cases you said “real” with these percentages: {said}. In truth they were: {true}. "
        "What is your mean log score, in nats, and is it better than that of a shrug?",
        {
            "mean": sum(scores) / 4,
            "better than a shrug": "yes" if sum(scores) / 4 > -SHRUG else "no",
        },
        "The mean of log(percentage) where it was real and of log(1 − percentage) where it was a "
        "fake; a shrug has −log 2 = −0.693.",
    )


@template("00", 3)
def too_bold(rng):
    right = rng.choice(range(60, 95, 5))
    said = rng.choice([each for each in range(60, 100, 5) if each != right])
    at_said, at_right = said / 100, right / 100
    mean = at_right * math.log(at_said) + (1 - at_right) * math.log(1 - at_said)
    best = at_right * math.log(at_right) + (1 - at_right) * math.log(1 - at_right)
    return Task(
        {"said": said, "right": right},
        "A detective gives {said} % to one of the two answers in every case, and in {right} % of "
        "many cases that answer is the true one. What is the mean log score, in nats? With which "
        "percentage, always the same, would it have been highest, and what is lost by not saying "
        "it?",
        {"mean": mean, "best percentage": right, "lost": best - mean},
        "{right}/100 · log({said}/100) + (1 − {right}/100) · log(1 − {said}/100). The mean is "
        "highest at the true share; what is lost is the KL of two coins.",
    )


# -- 01 Maximum likelihood and KL ----------------------------------------------------------------


@template("01", 1, {"numbers": [12, 15, 11, 14, 13, 12, 16, 45]})
def normal_fit(rng):
    numbers = [rng.randrange(2, 20) for _ in range(5)]
    if len(set(numbers)) == 1:
        numbers[0] += 1
    mean = sum(numbers) / 5
    return Task(
        {"numbers": numbers},
        "Fit a normal law to the numbers {numbers} by maximum likelihood. Give its mean and its "
        "variance.",
        {"mean": mean, "variance": sum((each - mean) ** 2 for each in numbers) / 5},
        "The mean of the numbers, and their mean squared distance from it, divided by n = 5 and "
        "not by 4.",
    )


@template("01", 1, {"own": 2.25, "other": 2.75})
def bits_to_nats(rng):
    own = rng.randrange(100, 300, 5) / 100
    other = own + rng.randrange(10, 150, 5) / 100
    return Task(
        {"own": own, "other": round(other, 2)},
        "The ideal code for P costs {own} bits a symbol on messages from P. The ideal code for Q "
        "costs {other} bits on the same messages. What is KL(P‖Q) in nats?",
        {"KL": (other - own) * math.log(2)},
        "({other} − {own}) bits, times log 2.",
    )


@template("01", 2, {"sd": 1, "nll": 1.9})
def nll_split(rng):
    sd = rng.choice([0.5, 1, 2, 3, 4])
    entropy = 0.5 * math.log(2 * math.pi * math.e * sd**2)
    nll = round(entropy + rng.randrange(10, 90) / 100, 2)
    return Task(
        {"sd": sd, "nll": nll},
        "The data come from N(0, {sd}²); the entropy of a normal law is ½ log(2πe σ²). On endless "
        "data a model has a mean NLL of {nll} nats. What is KL from the data to the model, and "
        "what is the least mean NLL that any model can reach?",
        {"KL": nll - entropy, "least": entropy},
        "The least is the entropy of the data, at σ = {sd}; KL is {nll} less that.",
    )


@template("01", 2, {"p": 0.5, "q": 0.9}, {"p": 0.9, "q": 0.5})
def kl_both_ways(rng):
    p, q = rng.sample([k / 10 for k in range(1, 10)], 2)
    kl = lambda a, b: a * math.log(a / b) + (1 - a) * math.log((1 - a) / (1 - b))
    return Task(
        {"p": p, "q": q},
        "Two coins: P shows heads with probability {p}, Q with probability {q}. Give KL(P‖Q) and "
        "KL(Q‖P) in nats.",
        {"KL(P‖Q)": kl(p, q), "KL(Q‖P)": kl(q, p)},
        "KL(P‖Q) = {p} log({p}/{q}) + (1 − {p}) log((1 − {p})/(1 − {q})), and the other the other "
        "way round.",
    )


@template("01", 3, {"light": 0.3, "heavy": 0.7, "place": 3, "sd": 0.5})
def reverse_kl_fit(rng):
    light = rng.randrange(10, 46, 5) / 100
    place, sd = rng.choice([4, 5, 6, 7, 8]), rng.choice([0.25, 0.5, 0.75])
    return Task(
        {"light": light, "heavy": round(1 - light, 2), "place": place, "sd": sd},
        "p = {light} N(−{place}, {sd}²) + {heavy} N({place}, {sd}²). Among all normal laws q, "
        "which has the least KL(q‖p)? Give its mean, its standard deviation, and KL(q‖p) in nats "
        "(to two digits).",
        {"mean": place, "sd": sd, "KL": -math.log(1 - light)},
        "q is the heavier mode. Where q lives p is {heavy} q, so log(q/p) = log(1/{heavy}) there.",
    )


@template("01", 3)
def js_by_hand(rng):
    p = rng.randrange(10, 90, 5) / 100
    middle = [(p + 0) / 2, (1 - p + 1) / 2]
    of_p = p * math.log(p / middle[0]) + (1 - p) * math.log((1 - p) / middle[1])
    of_q = math.log(1 / middle[1])
    return Task(
        {"p": p, "rest": round(1 - p, 2)},
        "P = ({p}, {rest}) and Q = (0, 1), on two outcomes. Which of KL(P‖Q) and KL(Q‖P) is "
        "infinite? Give the other one, and JS(P, Q), in nats.",
        {
            "infinite": "KL(P‖Q)",
            "the other": math.log(1 / (1 - p)),
            "JS": (of_p + of_q) / 2,
        },
        "The first outcome comes under P and never under Q, so KL(P‖Q) is infinite; KL(Q‖P) = "
        "log(1/{rest}). With M the mean of both, JS = ½ KL(P‖M) + ½ KL(Q‖M).",
    )


# -- 02 The taxonomy, running --------------------------------------------------------------------


@template("02", 1, {"factor": 0.9939})
def halving_time(rng):
    factor = rng.randrange(9000, 9995, 5) / 10_000
    return Task(
        {"factor": factor},
        "The second largest eigenvalue of a Markov chain has the size {factor}. In how many steps "
        "does the distance to its stationary law halve, in the long run?",
        {"steps": math.log(0.5) / math.log(factor)},
        "log ½ / log {factor}.",
    )


@template("02", 1)
def mean_of_pairs(rng):
    values = sorted(rng.sample(range(-6, 10), 3))
    share = rng.choice([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6], [0.1, 0.6, 0.3], [0.4, 0.4, 0.2]])
    mean = sum(s * v for s, v in zip(share, values))
    return Task(
        {"values": values, "share": share},
        "x takes the values {values} with probabilities {share}. G is trained by least squares on "
        "pairs (z, x) that are drawn at random. What does G(z) become, for every z, and which mean "
        "squared error remains?",
        {
            "G(z)": mean,
            "error": sum(s * (v - mean) ** 2 for s, v in zip(share, values)),
        },
        "z says nothing about x, so the best answer is one number, the mean; the variance of x "
        "remains.",
    )


@template("02", 2, {"at_0": 0.1, "at_1": 0.4, "q": 0.5})
def elbo_by_hand(rng):
    at_0, at_1 = rng.sample([0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8], 2)
    q = rng.choice([0.25, 0.4, 0.5, 0.6, 0.75])
    elbo = q * math.log(0.5 * at_0 / q) + (1 - q) * math.log(0.5 * at_1 / (1 - q))
    return Task(
        {"at_0": at_0, "at_1": at_1, "q": q},
        "A hidden coin z is fair. You saw x, with p(x | z = 0) = {at_0} and p(x | z = 1) = {at_1}. "
        "Your encoder says q(z = 0) = {q}. Give the ELBO and the gap to log p(x), in nats.",
        {"ELBO": elbo, "gap": math.log(0.5 * (at_0 + at_1)) - elbo},
        "ELBO = {q} log(½ · {at_0} / {q}) + (1 − {q}) log(½ · {at_1} / (1 − {q})); "
        "p(x) = ½ ({at_0} + {at_1}).",
    )


@template(
    "02",
    2,
    {"weights": [1, 2], "there": 0.9, "back": 0.3},
    {"weights": [1, 3], "there": 0.1, "back": 0.5},
    {"weights": [3, 1], "there": 0.5, "back": 0.1},
)
def acceptance(rng):
    weights = rng.sample(range(1, 9), 2)
    there, back = rng.sample([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8], 2)
    ratio = weights[1] * back / (weights[0] * there)
    return Task(
        {"weights": weights, "there": there, "back": back},
        "A chain shall have the law p, of which the weights of the places A and B are known up to "
        "a constant: {weights}. From A it proposes B with probability {there}; from B it proposes "
        "A with probability {back}. With which probability is a move from A to B accepted, and one "
        "from B to A (Metropolis–Hastings)?",
        {"A to B": min(1, ratio), "B to A": min(1, 1 / ratio)},
        "min(1, p(B) q(A|B) / (p(A) q(B|A))), and the other way round; the constant cancels.",
    )


@template("02", 3)
def flow_density(rng):
    a, b = rng.choice([0.5, 1.5, 2, 2.5, 3]), rng.choice([-2, -1, 0, 1, 2])
    x = rng.choice([k / 2 for k in range(-4, 5)])
    z = a * x + b
    return Task(
        {"a": a, "b": b, "x": x},
        "A flow maps x to z = {a} x + ({b}), and z is declared standard normal. Give log p(x) at "
        "x = {x}, and mean and standard deviation of the law of x.",
        {
            "log p": -0.5 * math.log(2 * math.pi) - z**2 / 2 + math.log(a),
            "mean": -b / a,
            "sd": 1 / a,
        },
        "log p(x) = log N(f(x); 0, 1) + log f′(x), with f′ = {a}. Solve f(x) = 0 for the mean; a "
        "length on x is stretched {a} times on z.",
    )


@template("02", 3)
def chain_law(rng):
    to_b, to_a = rng.sample([0.1, 0.2, 0.3, 0.4], 2)
    second = 1 - to_a - to_b
    return Task(
        {"to_b": to_b, "to_a": to_a},
        "A walker at A goes to B with probability {to_b} and else stays; a walker at B goes to A "
        "with probability {to_a} and else stays. Give the stationary probability of A, the second "
        "eigenvalue, and the number of steps in which the distance to the stationary law halves.",
        {
            "A": to_a / (to_a + to_b),
            "eigenvalue": second,
            "steps": math.log(0.5) / math.log(second),
        },
        "p(A) · {to_b} = p(B) · {to_a}. The eigenvalues of the step are 1 and 1 − {to_a} − {to_b}.",
    )
