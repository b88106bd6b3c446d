"""How often does each failure happen, and which medicine helps? Many seeds of every setting, at once.

    python tests/benchmarks/failures.py                     # all studies, about 15 minutes of one core
    python tests/benchmarks/failures.py --study dose        # one of them; the others stay as they are in the file
    python tests/benchmarks/failures.py --seeds 4 --steps 200 --out /tmp/try.json

Prints `name = value unit` lines and keeps the numbers, seed by seed, in images/failures.json, which
notebook 05 reads. The seeds of one setting train as one stack of networks. Settings that differ in one
knob are twins: the same first weights, data and noise, seed by seed (as far as the knob lets them).
"""

import argparse
import copy
import itertools
import json
import math
import statistics
from pathlib import Path

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from ganlib import targets
from ganlib.densities import line
from ganlib.gan import GAN
from ganlib.labs.plane import modes
from ganlib.labs.twins import PATIENTS
from ganlib.losses import LOSSES, Loss
from ganlib.medicine import MEDICINE, treat
from ganlib.networks import mlp

OUT = Path(__file__).parents[2] / "images" / "failures.json"
# The other coding of least squares: G wants the verdict 1, where D's targets are 1 and −1.
LOSSES["least-squares, target 1"] = Loss(
    "least-squares, target 1", LOSSES["least-squares"].D, lambda fake: ((fake - 1) ** 2).mean() / 2
)


class Stack(nn.Module):
    """n networks of one shape side by side: row i of a batch goes through network i mod n."""

    def __init__(self, nets):
        super().__init__()
        weights, _ = stack_module_state(nets)
        self.names, self.stacked = list(weights), nn.ParameterList(weights.values())
        self.net = [
            copy.deepcopy(nets[0])
        ]  # in a list: its own weights are no parameters of the stack

    def forward(self, x):
        rows = x.view(-1, len(self.stacked[0]), *x.shape[1:]).transpose(0, 1)
        one = vmap(lambda *given: functional_call(self.net[0], *given), randomness="different")
        out = one(dict(zip(self.names, self.stacked)), rows)
        return out.transpose(0, 1).flatten(0, 1)

    def member(self, i):
        """Network i on its own."""
        net = copy.deepcopy(self.net[0])
        net.load_state_dict({name: weights[i] for name, weights in zip(self.names, self.stacked)})
        return net


def ring(seeds, steps, *, target=None, batch=64, width=48, dose=MEDICINE["none"], **knobs):
    """Modes covered and share of good samples after training, one number for each seed."""
    target, prior = target or targets.ring(), targets.gaussian(dim=2)
    G = Stack([mlp(2, width, width, 2, seed=2 * s) for s in range(seeds)])
    D = lambda n, wrap: Stack(
        [wrap(mlp(2 * n, width, width, 1, seed=2 * s + 1)) for s in range(seeds)]
    )
    gan, shown = treat(G, D, prior, dose, seed=0, **{**PATIENTS["healthy"], **knobs})
    data = torch.Generator().manual_seed(1)
    torch.manual_seed(0)  # of the instance noise
    for _ in range(steps):
        gan.step(target.sample(seeds * batch * gan.d_steps, data))
    with torch.no_grad():
        x = shown(prior.sample(seeds * 4000, torch.Generator().manual_seed(2)))
    found = [modes(x[s::seeds], target) for s in range(seeds)]
    return {"modes": [m for m, _ in found], "good": [round(g, 3) for _, g in found]}


class Line:
    """A stack of 1-D GANs, one for each seed from `first` on, looked at through the exact ledger."""

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
        dose=MEDICINE["none"],
        **knobs,
    ):
        self.law = {"normal": targets.gaussian, "two modes": targets.mixture}[target]()
        G = [
            mlp(1, 1) if small else mlp(1, 32, 32, 1, seed=2 * s, cover=(-1, 1))
            for s in range(first, first + seeds)
        ]
        for net in G:
            net[-1].bias.data += far
        knobs = {"lr_G": 2e-3, "lr_D": 1e-2, "betas": (0.0, 0.9), **knobs}
        D = lambda n, wrap: Stack([wrap(self.D(n, s)) for s in range(first, first + seeds)])
        self.gan, self.shown = treat(Stack(G), D, targets.uniform(), dose, seed=0, **knobs)
        if sgd:
            self.gan.opt_G = torch.optim.SGD(self.gan.G.parameters(), lr=knobs["lr_G"] * seeds)
        self.seeds, self.anneal, self.data = seeds, anneal, torch.Generator().manual_seed(1)
        self.pool = self.law.sample(points, self.data) if points else None
        self.x = line(-8, 12, 400)
        density = self.law.log_prob(self.x[:, None]).exp()
        self.p = density / (density.sum() * (self.x[1] - self.x[0]))

    @staticmethod
    def D(inputs, s):
        """The discriminator of seed s; with one input its kinks are spread over the range of the data."""
        return mlp(inputs, 48, 48, 1, seed=2 * s + 1, cover=(-3, 3) if inputs == 1 else None)

    def train(self, steps, *, batch=64, looks=1):
        """Train, and stop so many times on the way to be looked at: gives the step."""
        lr_G, lr_D = self.gan.lr_G, self.gan.lr_D
        torch.manual_seed(0)
        for step in range(1, steps + 1):
            if self.anneal:
                fall = min(1.0, max(0.01, 2 - 2 * step / steps))
                self.gan.lr_G, self.gan.lr_D = lr_G * fall, lr_D * fall
            n = self.seeds * batch * self.gan.d_steps
            real = (
                self.law.sample(n, self.data)
                if self.pool is None
                else self.pool[torch.randint(len(self.pool), (n,), generator=self.data)]
            )
            self.gan.step(real)
            if step % max(1, steps // looks) == 0:
                yield step

    def ledger(self, s):
        """The exact `Ledger` of seed s; G is the one to look at."""
        G = self.gan.G if self.shown is self.gan.G else self.shown.module
        return GAN(G.member(s), self.gan.D.member(s), targets.uniform()).ledger(self.p, self.x)

    def pull(self, s):
        """‖∇G‖ of seed s at the last step: how loudly D speaks to G."""
        return self.seeds * math.sqrt(
            sum(float(w.grad[s].square().sum()) for w in self.gan.G.parameters())
        )


# -- the studies: each gives what goes under its name into the file ------------------------------------------
def collapse(seeds, steps):
    """One knob, lr_D, on two modes in one dimension: modes covered, one number for each seed."""
    found = {}
    for name, lr_D in {"lr_D 1e-2": 1e-2, "lr_D 1e-4": 1e-4}.items():
        run = Line(seeds, target="two modes", lr_G=1e-2, lr_D=lr_D)
        list(run.train(steps * 2 // 3))
        with torch.no_grad():
            x = run.gan.G(
                run.gan.prior.quantile(line(0, 1, 4000).float())[:, None].repeat_interleave(
                    seeds, 0
                )
            )
        found[name] = {"modes": [modes(x[s::seeds], run.law)[0] for s in range(seeds)]}
    return found


def dose(seeds, steps):
    """The ring of eight against the rate of D."""
    rates = (3e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 3e-2)
    return {f"{lr_D:g}": ring(seeds, steps, lr_D=lr_D) for lr_D in rates}


FOLKLORE = {
    "healthy": {},
    "minimax loss": {"loss": "minimax"},
    "hinge loss": {"loss": "hinge"},
    "least squares, target 0": {"loss": "least-squares"},
    "least squares, target 1": {"loss": "least-squares, target 1"},
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


def medicine(seeds, steps):
    """Twins: a sick setting with and without each medicine; modes covered on the ring, or JS over the last third."""
    found = {"D too slow": {}, "D too fast": {}, "circling": {}}
    for (patient, numbers), name in itertools.product(found.items(), MEDICINE):
        if patient == "circling":
            run = Line(seeds, dose=MEDICINE[name], **CIRCLING)
            late = (step for step in run.train(steps, looks=20) if step > steps / 1.5)
            js = [[run.ledger(s).js for s in range(seeds)] for _ in late]
            numbers[name] = [round(statistics.mean(row), 4) for row in zip(*js)]
        else:
            numbers[name] = ring(seeds, steps, dose=MEDICINE[name], **PATIENTS[patient])["modes"]
        _say(
            f"{patient} | {name}", numbers[name], "nats of JS" if patient == "circling" else "modes"
        )
    return found


CLINIC = {  # diagnosis: its knobs; the test of a run by JS over the last third, last ledger, last pull; what tells it
    "circling": (
        CIRCLING,
        lambda js, end, pull: max(js) > 0.15 and max(js) - min(js) > 0.1,
        "JS swings and does not settle, and the pull on G comes and goes: both move, nobody arrives.",
    ),
    "few data": (
        {"points": 12, "anneal": True},
        lambda js, end, pull: end.js > 0.15 and end.regret > 0.3,
        "The loss of D falls while its regret rises: D learns the twelve examples, not the law.",
    ),
    "healthy": (
        {"anneal": True},
        lambda js, end, pull: end.js <= 0.03 and end.off_half <= 0.05,
        "JS and both gauges of D go to 0, and stay there.",
    ),
    "starved": (
        {"far": 6.0, "loss": "minimax", "sgd": True},
        lambda js, end, pull: end.js > 0.6 and pull < 1e-4,
        "The pull on G is nearly 0 from the start, with JS at its ceiling log 2: D is D*, and sure.",
    ),
    "collapse": (
        {"target": "two modes", "lr_G": 1e-2, "lr_D": 1e-4},
        lambda js, end, pull: min(js) > 0.15,
        "JS stays high though D says ½: D lags behind a G that keeps all its samples together.",
    ),
    "G too small": (
        {"target": "two modes", "small": True},
        lambda js, end, pull: min(js) > 0.03 and end.regret < 0.05,
        "The regret is near 0 and JS stands still above 0: D is right, and G can do no better.",
    ),
    "blind D": (
        {"lr_D": 1e-7, "lr_G": 1e-4},
        lambda js, end, pull: end.off_half < 0.1 and end.off_star > 0.25,
        "E|D − ½| is small and E|D − D*| grows; the losses hardly move. D does not learn at all.",
    ),
    "frozen": (
        {"lr_G": 5e-2, "lr_D": 5e-2},
        lambda js, end, pull: end.js > 0.15 and pull < 1e-3,
        "The pull on G falls to nothing after wild swings: large steps have saturated the networks.",
    ),
}


def clinic(seeds, steps, looks=60):
    """Eight presets: in how many seeds the failure shows; and the gauges of the first run on its own that shows it."""
    found = {}
    for name, (knobs, test, tell) in CLINIC.items():
        run = Line(seeds, **knobs)
        js = [
            [run.ledger(s).js for s in range(seeds)]
            for step in run.train(steps, looks=30)
            if step > steps / 1.5
        ]
        shows = [test(js_s, run.ledger(s), run.pull(s)) for s, js_s in enumerate(zip(*js))]
        for first in range(seeds):
            alone, gauges = Line(1, first=first, **knobs), []
            for step in alone.train(steps, looks=looks):
                now, last = alone.ledger(0), alone.gan.history[-1]
                pull = math.log10(alone.pull(0) + 1e-12)
                row = [
                    now.js,
                    now.off_half,
                    now.off_star,
                    now.regret,
                    pull,
                    last["loss_D"],
                    last["loss_G"],
                ]
                gauges.append([step, *(float(f"{v:.4g}") for v in row)])
            if test([js for step, js, *_ in gauges if step > steps / 1.5], now, alone.pull(0)):
                break
        found[name] = {"shows": sum(shows), "of": seeds, "tell": tell, "gauges": gauges}
        print(f"clinic | {name} = {sum(shows)} of {seeds} seeds", flush=True)
    return found


STUDIES = {study.__name__: study for study in (collapse, dose, folklore, medicine, clinic)}


def _say(name, numbers, unit):
    span = f"mean of {len(numbers)} seeds, from {min(numbers)} to {max(numbers)}"
    print(f"{name} = {statistics.mean(numbers):.3g} {unit} ({span})", flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--study",
        choices=STUDIES,
        action="append",
        help="only this one; may be given several times",
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found = json.loads(given.out.read_text()) if given.out.exists() else {}
    for name in given.study or STUDIES:
        found[name] = STUDIES[name](given.seeds, given.steps)
        if name in ("collapse", "dose", "folklore"):
            for setting, result in found[name].items():
                _say(f"{name} | {setting}", result["modes"], "modes")
        found["steps"] = {**found.get("steps", {}), name: given.steps}
        given.out.write_text(json.dumps(found, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
