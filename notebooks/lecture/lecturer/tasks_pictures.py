"""Templates of exam questions on notebooks 06 to 09: pictures, turns, what came after."""

import math

from lecturer.templates import Task, template

# -- 06 DCGAN ------------------------------------------------------------------------------------


@template("06", 1, {"start": 4, "layers": 4, "kernel": 4, "stride": 2, "padding": 1})
def picture_side(rng):
    start, layers = rng.choice([2, 3, 4, 5]), rng.choice([2, 3, 4])
    kernel, stride, padding = rng.choice([(4, 2, 1), (6, 2, 2), (3, 2, 1), (5, 2, 2), (6, 3, 1)])
    side = start
    for _ in range(layers):
        side = (side - 1) * stride - 2 * padding + kernel
    return Task(
        {
            "start": start,
            "layers": layers,
            "kernel": kernel,
            "stride": stride,
            "padding": padding,
        },
        "A generator starts from {start}×{start} and applies {layers} transposed convolutions with "
        "kernel {kernel}, stride {stride} and padding {padding}. How wide are its pictures?",
        {"side": side},
        "n′ = (n − 1) · {stride} − 2 · {padding} + {kernel}, {layers} times.",
    )


@template("06", 1, *({"mean": m, "sd": s} for m, s in ((3, 2), (1, 3))))
def frechet_of_normals(rng):
    mean, sd = rng.choice([-4, -2, -1, 1, 2, 3, 5]), rng.choice([0.5, 2, 3, 4])
    return Task(
        {"mean": mean, "sd": sd},
        "What is the Fréchet distance of N(0, 1) and N({mean}, {sd}²), as it is reported for "
        "pictures (not its root)?",
        {"FD": mean**2 + (1 - sd) ** 2},
        "(0 − ({mean}))² + (1 − {sd})².",
    )


@template("06", 2, {"inputs": 64, "outputs": 32, "kernel": 4})
def layer_parameters(rng):
    inputs, outputs = rng.choice([16, 32, 64, 128]), rng.choice([8, 16, 32, 64])
    kernel = rng.choice([3, 4, 5, 6])
    return Task(
        {"inputs": inputs, "outputs": outputs, "kernel": kernel},
        "A transposed convolution goes from {inputs} to {outputs} channels with {kernel}×{kernel} "
        "kernels and no bias; a batch norm with a scale and a shift for each channel follows. How "
        "many parameters have the two together?",
        {"parameters": inputs * outputs * kernel**2 + 2 * outputs},
        "{inputs} · {outputs} · {kernel} · {kernel} weights, and 2 · {outputs} of the batch norm.",
    )


@template("06", 2, *({"kernel": k, "stride": 2} for k in (2, 3, 4, 5)))
def stamps(rng):
    stride = rng.choice([2, 3])
    kernel = rng.choice([4, 5, 6, 7, 8]) if stride == 3 else rng.choice([6, 7, 8, 9])
    fewest, most = kernel // stride, -(-kernel // stride)
    return Task(
        {"kernel": kernel, "stride": stride},
        "A transposed convolution has a {kernel}×{kernel} kernel and the stride {stride}. Away "
        "from the rim, how many stamps does a pixel get at least, and at most? Is a checkerboard "
        "built in?",
        {
            "fewest": fewest**2,
            "most": most**2,
            "checkerboard": "no" if fewest == most else "yes",
        },
        "Along one side a pixel is met by {kernel}/{stride} stamps, rounded down or up; square "
        "that. None is built in when the kernel is a multiple of the stride.",
    )


@template("06", 2, {"share": 0.55})
def copied(rng):
    share = rng.choice([0.52, 0.54, 0.56, 0.58, 0.6, 0.65, 0.7, 0.75])
    return Task(
        {"share": share},
        "{share} of a generator's samples are nearer to the training pictures than to as many "
        "held-out ones. If some samples are copies and the others honest, which share are copies? "
        "And what is said of a generator with 0.5?",
        {"copies": 2 * share - 1, "at 0.5": "no copies seen"},
        "A share c of copies gives c + (1 − c)/2 = ½ + c/2.",
    )


@template("06", 3, {"dims": 32, "part": 0.5})
def off_the_shell(rng):
    dims, part = rng.choice([16, 50, 64, 100, 128]), rng.choice([0.1, 0.2, 0.25, 0.3, 0.4, 0.5])
    squared = dims * ((1 - part) ** 2 + part**2)
    return Task(
        {"dims": dims, "part": part},
        "a and b are independent N(0, I) in {dims} dimensions. z = (1 − t) a + t b with t = "
        "{part}. Give the mean of |z|², and by which factor z should be multiplied so that this "
        "mean is that of a itself.",
        {"mean of |z|²": squared, "factor": math.sqrt(dims / squared)},
        "Each number of z has the variance (1 − t)² + t²; that of a has 1. The factor is the root "
        "of the ratio.",
    )


@template("06", 3)
def precision_and_recall(rng):
    # Points on a line; the ball of a point reaches to its nearest neighbour of the same kind.
    real = [0.0, 2.0, 5.0, 9.0]
    first = rng.choice([0.7, 1.2, 3.3, 5.6])
    further = [0, 0.3, rng.choice([1.1, 2.3]), rng.choice([6.2, 8.4])]
    made = [round(first + step, 1) for step in further]
    radius = lambda bank, at: min(abs(bank[at] - other) for k, other in enumerate(bank) if k != at)
    inside = lambda x, bank: any(abs(x - bank[k]) <= radius(bank, k) for k in range(len(bank)))
    return Task(
        {"real": real, "made": made},
        "Pictures have one feature. Real ones lie at {real}; samples at {made}. Draw a ball around "
        "each point, as large as the way to its nearest neighbour of its own kind. Give precision "
        "and recall.",
        {
            "precision": sum(inside(x, real) for x in made) / len(made),
            "recall": sum(inside(x, made) for x in real) / len(real),
        },
        "Precision: the share of samples inside the balls of the real ones. Recall: the share of "
        "real ones inside the balls of the samples.",
    )


# -- 07 From image to image with a U-Net ---------------------------------------------------------


@template("07", 1, {"white": 0.4})
def blur(rng):
    white = rng.choice([0.1, 0.2, 0.25, 0.3, 0.6, 0.7, 0.8])
    return Task(
        {"white": white},
        "A pixel is 1 with probability {white} and else −1. What do the perfect L2 network and the "
        "perfect L1 network paint there?",
        {"L2": 2 * white - 1, "L1": 1 if white > 0.5 else -1},
        "L2 paints the mean, {white} − (1 − {white}); L1 the median, the value that is likelier.",
    )


@template("07", 1, {"side": 64, "halvings": 5, "channels": 128})
def bottleneck(rng):
    side, halvings = rng.choice([32, 64, 128, 256]), rng.choice([3, 4, 5])
    channels = rng.choice([64, 96, 128, 256])
    return Task(
        {"side": side, "halvings": halvings, "channels": channels},
        "A U-Net for {side}×{side} pictures halves the side {halvings} times; its last map on the "
        "way down has {channels} channels. How many numbers does this narrowest map hold?",
        {"numbers": channels * (side // 2**halvings) ** 2},
        "The side becomes {side}/2 to the power {halvings}; square it, times {channels}.",
    )


@template(
    "07",
    2,
    *({"kernel": 4, "twos": twos, "ones": 1} for twos in (1, 2, 3)),
    {"kernel": 4, "twos": 3, "ones": 2},
)
def receptive_field(rng):
    kernel, twos, ones = rng.choice([3, 4, 5]), rng.choice([1, 2, 3, 4]), rng.choice([1, 2, 3])
    field = 1
    for stride in [1] * ones + [2] * twos:
        field = (field - 1) * stride + kernel
    return Task(
        {"kernel": kernel, "twos": twos, "ones": ones},
        "A patch discriminator has layers with kernel {kernel}: first {twos} with stride 2, then "
        "{ones} with stride 1. How wide is the field of pixels that one logit sees?",
        {"field": field},
        "Backwards from 1 through the layers, r → (r − 1) · s + {kernel}.",
    )


@template("07", 2)
def paired_cost(rng):
    belief, error = rng.choice([0.1, 0.2, 0.25, 0.4, 0.5]), rng.choice([0.05, 0.1, 0.15, 0.2, 0.3])
    weight = rng.choice([5, 20, 50, 100])
    judged, off = -math.log(belief), weight * error
    return Task(
        {"belief": belief, "error": error, "weight": weight},
        "G completes a picture; D believes the pair with {belief}, and the L1 error is {error}. G "
        "pays the non-saturating cost plus λ times L1, with λ = {weight}. What does it pay, and "
        "which share of that is D's?",
        {"cost": judged + off, "share of D": judged / (judged + off)},
        "−log {belief} + {weight} · {error}; the first term over both.",
    )


@template("07", 3, *({"low": -1, "high": 1, "share": share} for share in (0.6, 0.67)))
def what_remains(rng):
    low, high = sorted(rng.sample([-1, -0.5, 0, 0.5, 1], 2))
    often = rng.choice([0.6, 0.7, 0.75, 0.8])
    of_low = rng.choice([often, 1 - often])
    mean = of_low * low + (1 - of_low) * high
    likelier = low if of_low > 0.5 else high
    gap = high - low
    return Task(
        {"low": low, "high": high, "share": round(of_low, 2)},
        "Given what G sees, a pixel is {low} with probability {share} and else {high}. Give the "
        "answer of the perfect L2 network and the mean squared error that remains; and the answer "
        "of the perfect L1 network and the mean absolute error that remains.",
        {
            "L2": mean,
            "squared error": of_low * (1 - of_low) * gap**2,
            "L1": likelier,
            "absolute error": min(of_low, 1 - of_low) * gap,
        },
        "The mean leaves the variance, p(1 − p) times the squared gap; the median leaves the rarer "
        "value's probability times the gap. No training takes these away.",
    )


# -- 08 Why it turns instead of arriving ---------------------------------------------------------


@template("08", 1, {"gamma": 0.3})
def largest_rate(rng):
    gamma = rng.choice([0.05, 0.1, 0.15, 0.2, 0.25, 0.4, 0.5, 0.6, 0.8])
    return Task(
        {"gamma": gamma},
        "The Dirac-GAN with the minimax loss (f = ½) and R1 of weight {gamma}. A simultaneous step "
        "of rate η has |λ|² = 1 − ηγ + η²f². Below which η does it come home?",
        {"η": 4 * gamma},
        "1 − {gamma} η + η²/4 < 1.",
    )


@template("08", 1, {"faster": 10})
def fewer_turns(rng):
    faster = rng.choice([2, 3, 4, 5, 9, 16, 20, 25])
    return Task(
        {"faster": faster},
        "Near rest and with a weak brake, D is made {faster} times faster and G is left as it is. "
        "By which factors do the beat, the brake, and the number of turns until 1/e change?",
        {
            "beat": math.sqrt(faster),
            "brake": faster,
            "turns": 1 / math.sqrt(faster),
        },
        "Both players are in the turn, so it goes with √{faster}; only D brakes, so the brake goes "
        "with {faster}; turns are beat over brake.",
    )


@template("08", 2)
def steps_home(rng):
    gamma, rate = rng.choice([0.1, 0.2, 0.4, 0.5]), rng.choice([0.05, 0.1, 0.2])
    nearer = rng.choice([10, 50, 100])
    alternating = math.sqrt(1 - rate * gamma)
    return Task(
        {"gamma": gamma, "rate": rate, "nearer": nearer},
        "The Dirac-GAN with f = ½ and R1 of weight γ = {gamma}, so that the pair still turns. D "
        "moves first and G answers, both with the rate {rate}: |λ|² = 1 − ηγ. Give |λ|, and the "
        "number of steps until the pair is {nearer} times nearer to home.",
        {"|λ|": alternating, "steps": math.log(nearer) / -math.log(alternating)},
        "√(1 − {rate} · {gamma}); log {nearer} / −log |λ|.",
    )


@template("08", 2, {"now": 0.45, "nearer": 100})
def root_of_time(rng):
    now, nearer = rng.choice([0.1, 0.2, 0.25, 0.4, 0.5]), rng.choice([2, 4, 5, 10])
    return Task(
        {"now": now, "nearer": nearer},
        "The non-saturating Dirac-GAN without R1 comes home, in the flow, as r² ≈ 8/t. At what t "
        "is it at the distance r = {now}? And at what t is it {nearer} times nearer?",
        {"t": 8 / now**2, "later t": 8 * (nearer / now) ** 2},
        "t = 8/{now}²; {nearer} times nearer takes {nearer}² times as long.",
    )


@template("08", 3, {"gamma": 4, "pull": 0.5}, {"gamma": 1, "pull": 0.5})
def too_much_r1(rng):
    pull, gamma = rng.choice([0.5, 1]), rng.choice([0.4, 0.6, 1.2, 1.6, 2.5, 3, 5, 6])
    root = gamma**2 / 4 - pull**2
    slowest = gamma / 2 - math.sqrt(root) if root > 0 else gamma / 2
    return Task(
        {"pull": pull, "gamma": gamma},
        "In the flow the Dirac-GAN has μ = −γ/2 ± √(γ²/4 − f²), with f = {pull} and γ = {gamma}. "
        "Does it turn? After what time has its slowest part shrunk to 1/e? Which γ makes that time "
        "shortest?",
        {
            "turns": "no" if root > 0 else "yes",
            "time": 1 / slowest,
            "best γ": 2 * pull,
        },
        "It turns where γ < 2f. The slowest part has the real part of μ that is nearest to 0; it "
        "is farthest from 0 at γ = 2f, critical.",
    )


@template("08", 3, {"rate": 0.1})
def orbit_of_steps(rng):
    rate = rng.choice([0.02, 0.05, 0.08, 0.2, 0.32])
    return Task(
        {"rate": rate},
        "Non-saturating Dirac-GAN, no R1, f = ½. In the flow r² falls by r⁴/8 per unit of time, on "
        "average. A simultaneous step of rate η = {rate} takes the time η and multiplies r² by "
        "1 + η²/4. At which distance r do the two balance? And which distance would be reached "
        "with a rate four times smaller?",
        {"r": math.sqrt(2 * rate), "with a quarter": math.sqrt(rate / 2)},
        "η · r⁴/8 = r² · η²/4, so r² = 2η.",
    )


# -- 09 What came after --------------------------------------------------------------------------


@template("09", 1)
def on_the_path(rng):
    x0, noise = rng.choice([-2, -1, 0.5, 1, 2]), rng.choice([-1.5, -0.5, 0.4, 1, 2])
    t = rng.choice([0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8])
    c, s = math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)
    return Task(
        {"x0": x0, "noise": noise, "t": t},
        "An example x₀ = {x0} and the noise ε = {noise} are mixed on the cosine path, x = "
        "cos(πt/2) x₀ + sin(πt/2) ε, at t = {t}. Where is x, and what is a network told to say "
        "there, as velocity for each unit of the angle πt/2?",
        {"x": c * x0 + s * noise, "velocity": c * noise - s * x0},
        "Put t = {t} in; the velocity is the slope of x in the angle, cos(πt/2) ε − sin(πt/2) x₀.",
    )


@template("09", 2, {"steps": 4})
def too_short(rng):
    steps = rng.choice([2, 3, 5, 6, 7, 8, 10, 12])
    sd = math.cos(math.pi / (2 * steps)) ** steps
    return Task(
        {"steps": steps},
        "The data are N(0, 1), so the velocity on the cosine path is 0 everywhere, and a step from "
        "angle a to angle b multiplies x by cos(a − b). The way from noise to data, π/2, is walked "
        "in {steps} equal steps. What are the standard deviation and the variance of what comes "
        "out?",
        {"sd": sd, "variance": sd**2},
        "Each step multiplies by cos(π/(2 · {steps})), and there are {steps}.",
    )


@template("09", 3, {"place": 1.5, "sd": 0.5})
def torn_apart(rng):
    place, sd = rng.choice([1, 1.2, 1.5, 2]), rng.choice([0.4, 0.5, 0.6, 0.8])
    slope = sd * math.exp(place**2 / (2 * sd**2))
    return Task(
        {"place": place, "sd": sd},
        "The data are ½ N(−{place}, {sd}²) + ½ N({place}, {sd}²). The rising map T carries N(0, 1) "
        "onto them. Give the density of the data at 0, and the slope T′(0). Is one step of a "
        "network with slopes up to 10 enough for it?",
        {
            "density": 1 / (math.sqrt(2 * math.pi) * slope),
            "slope": slope,
            "enough": "yes" if slope <= 10 else "no",
        },
        "Mass is kept: T′(0) = φ(0)/p(0), and at 0 both modes have the same density.",
    )
