"""How often does each failure happen, which medicine helps? Many seeds of every setting at once.

    python tests/benchmarks/failures.py                 # all studies, half an hour of one core
    python tests/benchmarks/failures.py --study dose    # one; the others stay as they are
    python tests/benchmarks/failures.py --seeds 4 --steps 200 --out /tmp/try.json

Prints `name = value unit` lines and keeps the numbers, seed by seed, in images/failures.json, which
notebook 05 reads. The seeds of one setting train as one stack of networks. Settings that differ in
one knob are twins: the same first weights, data and noise, seed by seed (as far as the knob lets
them).
"""

import argparse
import copy
import itertools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.functional import softplus

from ganlib import targets
from ganlib.densities import line
from ganlib.gan import GAN
from ganlib.labs.twins import PATIENTS
from ganlib.losses import LOSSES, Loss
from ganlib.medicine import MEDICINE, treat
from ganlib.metrics import View, modes
from ganlib.networks import mlp
from ganlib.schedule import fall
from ganlib.sweep import sweep

OUT = Path(__file__).parents[2] / "images" / "failures.json"
NONE = MEDICINE["none"]


class Stack(nn.Module):
    """n networks of one shape side by side: row i of a batch goes through network i mod n."""

    def __init__(self, nets):
        super().__init__()
        weights, _ = stack_module_state(nets)
        self.names = list(weights)
        self.stacked = nn.ParameterList(weights.values())
        # In a list: its own weights are no parameters of the stack.
        self.net = [copy.deepcopy(nets[0])]

    def forward(self, x):
        def one(weights, rows):
            return functional_call(self.net[0], weights, rows)

        rows = x.view(-1, len(self.stacked[0]), *x.shape[1:]).transpose(0, 1)
        weights = dict(zip(self.names, self.stacked))
        answers = vmap(one, randomness="different")(weights, rows)
        return answers.transpose(0, 1).flatten(0, 1)

    def member(self, i):
        """Network i on its own."""
        net = copy.deepcopy(self.net[0])
        net.load_state_dict({name: weights[i] for name, weights in zip(self.names, self.stacked)})
        return net


def ring(seeds, steps, *, target=None, batch=64, width=48, dose=NONE, **knobs):
    """Modes covered, share of good samples and JS after training, one number for each seed."""
    target = target or targets.ring()
    prior = targets.gaussian(dim=2)
    G = Stack([mlp(2, width, width, 2, seed=2 * seed) for seed in range(seeds)])

    def D(inputs, wrap):
        nets = [mlp(2 * inputs, width, width, 1, seed=2 * seed + 1) for seed in range(seeds)]
        return Stack([wrap(net) for net in nets])

    gan, shown = treat(G, D, prior, dose, seed=0, **{**PATIENTS["healthy"], **knobs})
    data = torch.Generator().manual_seed(1)
    torch.manual_seed(0)  # of the instance noise
    for _ in range(steps):
        gan.step(target.sample(seeds * batch * gan.d_steps, data))

    with torch.no_grad():
        x = shown(prior.sample(seeds * 4000, torch.Generator().manual_seed(2)))
    found = [modes(x[seed::seeds], target) for seed in range(seeds)]

    trained = shown if shown is gan.G else shown.module
    view = View(target, prior)
    return {
        "modes": [covered for covered, _ in found],
        "good": [round(good, 3) for _, good in found],
        "js": [round(view.look(trained.member(seed)).js, 4) for seed in range(seeds)],
    }


class Line:
    """A stack of 1-D GANs, one for each seed from `first` on, looked at through the exact ledger.

    far: how far G begins from the data. sgd: G descends without Adam. points: so many examples are
    all the data. anneal: the rates fall. small: G is a straight line.
    """

    def __init__(
        self,
        seeds,
        *,
        first=0,
        target="normal",
        far=0.0,
        sgd=False,
        points=None,
        anneal=False,
        small=False,
        dose=NONE,
        **knobs,
    ):
        laws = {"normal": targets.gaussian, "two modes": targets.mixture}
        self.law = laws[target]()
        self.seeds = seeds
        self.anneal = anneal
        self.data = torch.Generator().manual_seed(1)
        self.pool = self.law.sample(points, self.data) if points else None
        self.x = line(-8, 12, 400)
        density = self.law.log_prob(self.x[:, None]).exp()
        self.p = density / (density.sum() * (self.x[1] - self.x[0]))

        which = range(first, first + seeds)
        G = [self.G(seed, small, far) for seed in which]

        def D(inputs, wrap):
            return Stack([wrap(self.D(inputs, seed)) for seed in which])

        knobs = {"lr_G": 2e-3, "lr_D": 1e-2, "betas": (0.0, 0.9), **knobs}
        self.gan, self.shown = treat(Stack(G), D, targets.uniform(), dose, seed=0, **knobs)
        if sgd:
            self.gan.opt_G = torch.optim.SGD(self.gan.G.parameters(), lr=knobs["lr_G"] * seeds)

    @staticmethod
    def G(seed, small, far):
        """The generator of this seed, moved by `far`."""
        net = mlp(1, 1) if small else mlp(1, 32, 32, 1, seed=2 * seed, cover=(-1, 1))
        net[-1].bias.data += far
        return net

    @staticmethod
    def D(inputs, seed):
        """The discriminator of this seed; with one input its kinks are spread over the data."""
        cover = (-3, 3) if inputs == 1 else None
        return mlp(inputs, 48, 48, 1, seed=2 * seed + 1, cover=cover)

    def real(self, n):
        if self.pool is None:
            return self.law.sample(n, self.data)
        return self.pool[torch.randint(len(self.pool), (n,), generator=self.data)]

    def train(self, steps, *, batch=64, looks=1):
        """Train, and stop so many times on the way to be looked at: gives the step."""
        lr_G = self.gan.lr_G
        lr_D = self.gan.lr_D
        torch.manual_seed(0)
        for step in range(1, steps + 1):
            if self.anneal:
                self.gan.lr_G = lr_G * fall(step, steps)
                self.gan.lr_D = lr_D * fall(step, steps)
            self.gan.step(self.real(self.seeds * batch * self.gan.d_steps))
            if step % max(1, steps // looks) == 0:
                yield step

    def ledger(self, seed):
        """The exact `Ledger` of this seed; G is the one to look at."""
        G = self.gan.G if self.shown is self.gan.G else self.shown.module
        alone = GAN(G.member(seed), self.gan.D.member(seed), targets.uniform())
        return alone.ledger(self.p, self.x)

    def js(self):
        """JS of every seed."""
        return [self.ledger(seed).js for seed in range(self.seeds)]

    def pull(self, seed):
        """‖∇G‖ of this seed at the last step: how loudly D speaks to G."""
        squares = (float(w.grad[seed].square().sum()) for w in self.gan.G.parameters())
        return self.seeds * math.sqrt(sum(squares))


def late(step, steps):
    """Whether a step lies in the last third of a run."""
    return step > steps / 1.5


UNITS = {"modes": "modes", "good": "of the samples good", "js": "nats of JS"}


def say(name, numbers, unit):
    span = f"mean of {len(numbers)} seeds, from {min(numbers)} to {max(numbers)}"
    print(f"{name} = {mean(numbers):.3g} {unit} ({span})", flush=True)


# -- the studies: each gives what goes under its name into the file ------------------------------


def collapse(seeds, steps):
    """One knob, lr_D, on two modes in one dimension: modes covered, one number for each seed."""
    found = {}
    for name, lr_D in {"lr_D 1e-2": 1e-2, "lr_D 1e-4": 1e-4}.items():
        run = Line(seeds, target="two modes", lr_G=1e-2, lr_D=lr_D)
        for _ in run.train(steps * 2 // 3):
            pass
        z = run.gan.prior.quantile(line(0, 1, 4000).float())[:, None]
        with torch.no_grad():
            x = run.gan.G(z.repeat_interleave(seeds, 0))
        found[name] = {"modes": [modes(x[seed::seeds], run.law)[0] for seed in range(seeds)]}
    return found


def dose(seeds, steps):
    """The ring of eight against the rate of D."""
    rates = (3e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 3e-2)
    return {f"{lr_D:g}": ring(seeds, steps, lr_D=lr_D) for lr_D in rates}


# The other coding of least squares: G wants the verdict 1, where D's targets are 1 and −1.
TARGET_1 = Loss(
    "least-squares, target 1",
    D=LOSSES["least-squares"].D,
    G=lambda fake: ((fake - 1) ** 2).mean() / 2,
)
FOLKLORE = {
    "healthy": {},
    "minimax loss": {"loss": "minimax"},
    "hinge loss": {"loss": "hinge"},
    "least squares, target 0": {"loss": "least-squares"},
    "least squares, target 1": {"loss": TARGET_1},
    "momentum 0.9": {"betas": (0.9, 0.999)},
    "batch of 8": {"batch": 8},
    "width 12": {"width": 12},
    "k = 5": {"d_steps": 5},
    "sd 0.02": {"target": targets.ring(std=0.02)},
    "grid of 25": {"target": targets.grid()},
}


def folklore(seeds, steps):
    """One knob off the healthy setting: what is said to lose modes, and whether it does."""
    return {name: ring(seeds, steps, **knobs) for name, knobs in FOLKLORE.items()}


CIRCLING = {"lr_G": 3e-3, "lr_D": 3e-3, "betas": (0.9, 0.999)}  # in one dimension


def circling(seeds, steps, dose):
    """JS over the last third of a run that circles, a mean for each seed."""
    run = Line(seeds, dose=dose, **CIRCLING)
    js = [run.js() for step in run.train(steps, looks=20) if late(step, steps)]
    return [round(mean(of_seed), 4) for of_seed in zip(*js)]


def medicine(seeds, steps):
    """Twins: a sick setting with and without each medicine, one number for each seed.

    On the ring modes, share of good samples and JS in the end; else JS over the last third.
    """
    found = {"D too slow": {}, "D too fast": {}, "circling": {}}
    for patient, name in itertools.product(found, MEDICINE):
        if patient == "circling":
            measured = {"js": circling(seeds, steps, MEDICINE[name])}
        else:
            measured = ring(seeds, steps, dose=MEDICINE[name], **PATIENTS[patient])
        found[patient][name] = measured
        for measure, numbers in measured.items():
            say(f"{patient} | {name}", numbers, UNITS[measure])
    return found


def narrow(seeds, steps):
    """The ring of eight with modes of sd 0.02, trained for once and twice the steps, in 8 seeds."""
    few = min(seeds, 8)
    return {
        str(times * steps): ring(few, times * steps, target=targets.ring(std=0.02))
        for times in (1, 2)
    }


def _one_sided(real, fake):
    """The cost of a D that is asked for 0.9 on data, and for 0 on fakes."""
    return 0.9 * softplus(-real).mean() + 0.1 * softplus(real).mean() + softplus(fake).mean()


def strength(seeds, steps):
    """The 1-D GAN against the rate of D, with and without label smoothing: JS and D's regret."""
    rates = torch.logspace(-4.5, -0.5, 9)
    law = targets.gaussian()
    x = line(-6, 6, 400)
    p = law.log_prob(x[:, None]).exp()
    plain = LOSSES["non-saturating"]
    found = {}
    for name, loss in {"plain": plain, "one-sided 0.9": plain._replace(D=_one_sided)}.items():

        def new_gan(seed, loss=loss):
            G = mlp(1, 32, 32, 1, seed=2 * seed)
            D = mlp(1, 48, 48, 1, seed=2 * seed + 1, cover=(-3, 3))
            return GAN(G, D, law, loss=loss, betas=(0.0, 0.9), seed=seed)

        runs = sweep(
            new_gan,
            law,
            lr_G=2e-3,
            lr_D=rates.repeat_interleave(seeds),
            seed=torch.arange(seeds).repeat(len(rates)),
            steps=steps // 3,
            batch=64,
            anneal=False,
            progress=False,
        )
        ledgers = runs.ledgers(p, x)
        found[name] = {
            f"{rate:.2g}": {
                "js": [round(end.js, 4) for end in ledgers[k * seeds : (k + 1) * seeds]],
                "regret": [round(end.regret, 4) for end in ledgers[k * seeds : (k + 1) * seeds]],
            }
            for k, rate in enumerate(rates.tolist())
        }
    return found


@dataclass(frozen=True)
class Case:
    """A failure of the clinic: the knobs of `Line` that make it, and what tells it.

    shows: whether it is there, by JS over the last third, the last ledger and the last pull on G.
    """

    knobs: dict
    shows: Callable
    tell: str


CLINIC = {
    "circling": Case(
        CIRCLING,
        lambda js, end, pull: max(js) > 0.15 and max(js) - min(js) > 0.1,
        "JS swings and does not settle, and the pull on G comes and goes: "
        "both move, nobody arrives.",
    ),
    "few data": Case(
        {"points": 12, "anneal": True},
        lambda js, end, pull: end.js > 0.15 and end.regret > 0.3,
        "The loss of D falls while its regret rises: D learns the twelve examples, not the law.",
    ),
    "healthy": Case(
        {"anneal": True},
        lambda js, end, pull: end.js <= 0.03 and end.off_half <= 0.05,
        "JS and both gauges of D go to 0, and stay there.",
    ),
    "starved": Case(
        {"far": 6.0, "loss": "minimax", "sgd": True},
        lambda js, end, pull: end.js > 0.6 and pull < 1e-4,
        "The pull on G is nearly 0 from the start, with JS at its ceiling log 2: "
        "D is D*, and sure.",
    ),
    "collapse": Case(
        {"target": "two modes", "lr_G": 1e-2, "lr_D": 1e-4},
        lambda js, end, pull: min(js) > 0.15,
        "JS stays high though D says ½: D lags behind a G that keeps all its samples together.",
    ),
    "G too small": Case(
        {"target": "two modes", "small": True},
        lambda js, end, pull: min(js) > 0.03 and end.regret < 0.05,
        "The regret is near 0 and JS stands still above 0: D is right, and G can do no better.",
    ),
    "blind D": Case(
        {"lr_D": 1e-7, "lr_G": 1e-4},
        lambda js, end, pull: end.off_half < 0.1 and end.off_star > 0.25,
        "E|D − ½| is small and E|D − D*| grows: D does not learn at all. "
        "Both losses move, but only because G does.",
    ),
    "frozen": Case(
        {"lr_G": 5e-2, "lr_D": 5e-2},
        lambda js, end, pull: end.js > 0.15 and pull < 1e-3,
        "The pull on G falls to nothing after wild swings: "
        "large steps have saturated the networks.",
    ),
}


def count_cases(case, seeds, steps):
    """In how many seeds the failure shows."""
    run = Line(seeds, **case.knobs)
    js = [run.js() for step in run.train(steps, looks=30) if late(step, steps)]
    return sum(
        case.shows(of_seed, run.ledger(seed), run.pull(seed))
        for seed, of_seed in enumerate(zip(*js))
    )


def watch(case, seed, steps, looks):
    """The gauges of one run on its own at each look, and whether the failure shows."""
    run = Line(1, first=seed, **case.knobs)
    gauges = []
    js = []
    for step in run.train(steps, looks=looks):
        now = run.ledger(0)
        losses = run.gan.history[-1]
        row = [
            now.js,
            now.off_half,
            now.off_star,
            now.regret,
            math.log10(run.pull(0) + 1e-12),
            losses["loss_D"],
            losses["loss_G"],
        ]
        row = [float(f"{number:.4g}") for number in row]
        gauges.append([step, *row])
        if late(step, steps):
            js.append(row[0])
    return gauges, case.shows(js, now, run.pull(0))


def clinic(seeds, steps, looks=60):
    """Eight presets: in how many seeds the failure shows, and the first run alone that shows it.

    If none does, it is the last.
    """
    found = {}
    for name, case in CLINIC.items():
        count = count_cases(case, seeds, steps)
        for seed in range(seeds):
            gauges, shows = watch(case, seed, steps, looks)
            if shows:
                break
        found[name] = {"shows": count, "of": seeds, "tell": case.tell, "gauges": gauges}
        print(f"clinic | {name} = {count} of {seeds} seeds", flush=True)
    return found


STUDIES = {
    study.__name__: study
    for study in (collapse, strength, dose, folklore, narrow, medicine, clinic)
}


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option(
        "--study",
        choices=STUDIES,
        action="append",
        help="only this one; may be given several times",
    )
    option("--seeds", type=int, default=20)
    option("--steps", type=int, default=1500)
    option("--out", type=Path, default=OUT)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)

    found = json.loads(given.out.read_text()) if given.out.exists() else {}
    for name in given.study or STUDIES:
        found[name] = STUDIES[name](given.seeds, given.steps)
        if name in ("collapse", "dose", "folklore", "narrow"):
            for setting, result in found[name].items():
                say(f"{name} | {setting}", result["modes"], "modes")
        found["steps"] = {**found.get("steps", {}), name: given.steps}
        given.out.write_text(json.dumps(found, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
