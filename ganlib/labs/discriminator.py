"""Small labs about the discriminator: judge by hand, two terms by hand, D by hand, one line at a time, finite data."""

import math
import time

import numpy as np
import torch
from torch.nn.functional import logsigmoid
from torch.special import xlogy

from ganlib import densities, divergences, losses, plots, targets
from ganlib.gan import GAN, descend
from ganlib.labs.runner import Lab
from ganlib.labs.scene import (
    axes,
    bars,
    button,
    handles,
    line,
    number,
    points,
    rug,
    slider,
    text,
    toggle,
)
from ganlib.networks import mlp

REAL, FAKE = (
    targets.gaussian(0.0, 1.0),
    targets.gaussian(1.5, 0.7),
)  # the pair of laws that most of these judge
BLACK, GREEN, BLUE, SKY, ORANGE, RED = (
    plots.COLOURS[c] for c in ("black", "green", "blue", "sky", "orange", "vermillion")
)


def _densities(x, fake=FAKE):
    return REAL.log_prob(x[:, None]).exp(), fake.log_prob(x[:, None]).exp()


def _numbered(names, values, low):
    """Over bars that hang from 0 down to `low` at most: their names and numbers; an arrow where one goes on below."""
    return [
        (i, low * up, words)
        for i, (name, v) in enumerate(zip(names, values))
        for up, words in ((-0.09, name), (-0.03, f"{'↓ ' * (v < low)}{v:.2f}"))
    ]


class Detective(Lab):
    """You are D: say how sure you are that each of 20 numbers is real, and collect the log of what you gave the truth."""

    CASES = 20

    def __init__(self, seed=0):
        self.seed = seed - 1
        super().__init__(
            title="You are the detective",
            height=340,
            axes=[
                axes(
                    "x",
                    box=(0, 0, 0.66, 1),
                    x=(-3.5, 4.5),
                    y=(0, 1.15),
                    xlabel="x",
                    ylabel="your belief “real”",
                    legend="top",
                ),
                axes(
                    "score",
                    box=(0.66, 0, 0.34, 1),
                    x=(-0.6, 2.6),
                    y=(-1.3, 0.16),
                    ylabel="mean log score (nats)",
                    legend=False,
                    ticks="y",
                ),
            ],
            marks=[
                rug("real", "x", "known real", color=BLACK, alpha=0.7),
                text("ask", "x", size=15, color="#A33B00"),
                rug("fake", "x", "known fake", color=GREEN, alpha=0.7, top=True),
                line("bayes", "x", "D*(x)", style="D_star"),
                line("case", "x", color=RED, width=2),
                points("was_real", "x", "was real", color=BLACK, size=8),
                points("was_fake", "x", "was fake", color=GREEN, size=9, hollow=True),
                bars("bars", "score", color=BLUE),
                text("who", "score"),
            ],
            controls=[
                slider("belief", "belief “real”, in %", 1, 99, 50, step=1),
                button("judge", "judge"),
            ],
        )
        self.reset()

    def reset(self):
        """New examples and new cases."""
        self.seed += 1
        g = torch.Generator().manual_seed(self.seed)
        self.known = REAL.sample(40, g), FAKE.sample(40, g)
        self.truth = torch.rand(self.CASES, generator=g) < 0.5
        self.xs = torch.where(
            self.truth, *(law.sample(self.CASES, g).flatten() for law in (REAL, FAKE))
        )
        self.beliefs: list[float] = []

    def pressed(self, key):
        """Commit to the belief shown, for the case at hand."""
        if len(self.beliefs) == self.CASES:
            raise ValueError("All cases are judged. Press reset for new ones.")
        self.beliefs.append(self.values["belief"] / 100)

    def scores(self):
        """Mean log score in nats of ½, of the learner and of Bayes' odds, on the cases judged so far, by name."""
        n = len(self.beliefs)
        best = densities.optimal_discriminator(*_densities(self.xs))[:n]
        beliefs = {
            "blind ½": torch.full((n,), 0.5),
            "you": torch.tensor(self.beliefs),
            "Bayes": best,
        }
        return {
            who: float(torch.where(self.truth[:n], b, 1 - b).log().mean())
            for who, b in beliefs.items()
            if n
        }

    def draw(self):
        n, x, scores = len(self.beliefs), densities.line(-3.5, 4.5, 200), self.scores()
        shown, truth, done = (
            np.c_[self.xs[:n], self.beliefs],
            self.truth[:n].numpy(),
            n == self.CASES,
        )
        now = math.nan if done else float(self.xs[n])
        return {
            "real": self.known[0],
            "fake": self.known[1],
            "was_real": shown[truth],
            "was_fake": shown[~truth],
            "bayes": np.c_[x, densities.optimal_discriminator(*_densities(x))] if done else [],
            "case": [] if done else [(now, 0), (now, 0.5)],
            "ask": [
                (0.5, 1.06, "all judged: the curve is the best verdict")
                if done
                else (now, 0.56, f"x = {now:.2f}: real?")
            ],
            "bars": [(i - 0.3, s, 0.6, -s) for i, s in enumerate(scores.values())],
            "who": _numbered(scores, scores.values(), -1.3),
        }

    def text(self):
        scores = ", ".join(f"{who} {s:.2f}" for who, s in self.scores().items()) or "none yet"
        return (
            f"{len(self.beliefs)} of {self.CASES} cases judged; mean log score in nats: {scores}."
        )


class TwoTerms(Lab):
    """Move a logistic D by hand and watch the two terms of V; their sum is what D climbs."""

    def __init__(self):
        self.x = densities.line(-5, 6, 400)
        super().__init__(
            title="The two terms of V",
            height=320,
            axes=[
                axes(
                    "x",
                    box=(0, 0, 0.62, 1),
                    x=(-5, 6),
                    y=(0, 1.05),
                    xlabel="x",
                    ylabel="density, D(x)",
                    legend="top",
                ),
                axes(
                    "V",
                    box=(0.62, 0, 0.38, 1),
                    x=(-0.6, 3.6),
                    y=(-3, 0.38),
                    ylabel="nats",
                    legend=False,
                    ticks="y",
                    title="E log D(x) + E log(1 − D(G(z))) = V",
                ),
            ],
            marks=[
                line("data", "x", "p_data", style="data"),
                line("p_g", "x", "p_g", style="G"),
                line("D", "x", "D", style="D"),
                text("names", "V", size=12),
                *(bars(f"bar {i}", "V", color=c) for i, c in enumerate((BLACK, GREEN, BLUE, SKY))),
            ],
            controls=[
                slider(key, label, low, 4, at, step=0.05)
                for key, label, low, at in (
                    ("middle", "where D is ½", -3, 2.5),
                    ("slope", "how steeply D falls", -4, 0.5),
                    ("mean", "mean of p_g", -3, 1.5),
                )
            ],
        )

    def terms(self):
        """The curves p_data, p_g and D; and E log D(x), E log(1 − D(G(z))), V and the best V, in nats, on the grid."""
        p, q = _densities(self.x, targets.gaussian(self.values["mean"], 0.7))
        logit, dx = self.values["slope"] * (self.values["middle"] - self.x), self.x[1] - self.x[0]
        real, fake = float(p @ logsigmoid(logit) * dx), float(q @ logsigmoid(-logit) * dx)
        return (p, q, logit.sigmoid()), (
            real,
            fake,
            real + fake,
            2 * float(divergences.js(p, q, self.x)) - math.log(4),
        )

    def draw(self):
        curves, terms = self.terms()
        return {
            **{key: np.c_[self.x, y] for key, y in zip(("data", "p_g", "D"), curves)},
            **{f"bar {i}": [(i - 0.35, v, 0.7, -v)] for i, v in enumerate(terms)},
            "names": _numbered(("real term", "fake term", "V", "best V"), terms, -3),
        }

    def text(self):
        return (
            "E log D(x) = {:.3f}, E log(1 − D(G(z))) = {:.3f}, V = {:.3f} nats; "
            "the best any D can do here is {:.3f}.".format(*self.terms()[1])
        )


class Knots(Lab):
    """Drag the knots of D until nothing can be gained: you have found D*."""

    def __init__(self, knots=9):
        self.at, self.height, self.x = (
            np.linspace(-3, 4, knots),
            np.full(knots, 0.5),
            densities.line(-4.5, 5.5, 400),
        )
        super().__init__(
            title="Be the discriminator",
            height=340,
            axes=[
                axes(
                    "x",
                    box=(0, 0, 0.7, 1),
                    x=(-4.5, 5.5),
                    y=(0, 1.05),
                    xlabel="x",
                    ylabel="density, D(x)",
                ),
                axes(
                    "V",
                    box=(0.7, 0, 0.3, 1),
                    x=(-0.6, 1.6),
                    y=(0, 0.8),
                    ylabel="nats",
                    ticks="y",
                    title="2 JS = gained + regret",
                ),
            ],
            marks=[
                line("data", "x", "p_data", style="data"),
                line("p_g", "x", "p_g", style="G"),
                line("D_star", "x", "D*", style="D_star"),
                line("D", "x", "D", style="D"),
                handles("knots", "x", color=BLUE),
                bars("gain", "V", "V + log 4", color=BLUE),
                bars("regret", "V", "regret of D", color=ORANGE),
            ],
            controls=[
                number("knot", "knot", 1, knots, 1),
                slider("height", "its height", 0.01, 0.99, 0.5, step=0.01),
                toggle("star", "show D*"),
                button("solve", "put all knots on D*"),
            ],
        )

    def changed(self, key, value):
        if key == "height":
            self.height[self.values["knot"] - 1] = value
        elif key == "knot":
            self.tell(height=float(self.height[value - 1]))

    def dragged(self, mark, index, x, y):
        """A knot moves up and down only."""
        self.height[index] = min(0.99, max(0.01, y))
        self.tell(knot=index + 1, height=float(self.height[index]))

    def pressed(self, key):
        """Put all knots where D* is."""
        self.height = (
            densities.optimal_discriminator(*_densities(torch.tensor(self.at)))
            .clamp(0.01, 0.99)
            .numpy()
        )
        self.tell(height=float(self.height[self.values["knot"] - 1]))

    def value(self):
        """V + log 4 of the learner's D and 2 JS, in nats, on the grid."""
        P, Q = (p / p.sum() for p in _densities(self.x))
        D = torch.tensor(np.interp(self.x, self.at, self.height))
        return float((xlogy(P, D) + xlogy(Q, 1 - D)).sum()) + math.log(4), 2 * float(
            divergences.js(P, Q)
        )

    def draw(self):
        p, q = _densities(self.x)
        gain, top = self.value()
        return {
            "data": np.c_[self.x, p],
            "p_g": np.c_[self.x, q],
            "knots": np.c_[self.at, self.height],
            "D": np.c_[self.x, np.interp(self.x, self.at, self.height)],
            "D_star": np.c_[self.x, densities.optimal_discriminator(p, q)]
            if self.values["star"]
            else [],
            "gain": [(-0.35, min(gain, 0), 0.7, abs(gain))],
            "regret": [(0.65, gain, 0.7, top - gain)],
        }

    def text(self):
        gain, top = self.value()
        return f"V + log 4 = {gain:.3f}, 2 JS = {top:.3f}, so your regret is {top - gain:.3f} nats."


class Algorithm1(Lab):
    """Algorithm 1 one line at a time, with the shapes of the tensors and what each line changed."""

    LINES = (
        "real = target.sample(64)",
        "z = prior.sample(64)",
        "fake = G(z).detach()",
        "loss_D = −log D(real) − log(1 − D(fake))",
        "D steps down loss_D",
        "z = prior.sample(64)",
        "loss_G = −log D(G(z))",
        "G steps down loss_G",
    )

    def __init__(self, seed=0):
        self.x, self.seed = densities.line(-4.5, 4.5, 300), seed
        super().__init__(
            title="Algorithm 1, one line at a time",
            height=340,
            axes=[
                axes(
                    "x",
                    box=(0, 0, 0.5, 1),
                    x=(-4.5, 4.5),
                    y=(0, 1.05),
                    xlabel="x",
                    ylabel="density, D(x)",
                ),
                axes(
                    "code",
                    box=(0.5, 0, 0.5, 1),
                    y=(len(self.LINES) + 1.5, -0.5),
                    frame=False,
                    legend=False,
                ),
            ],
            marks=[
                bars("here", "code", color=ORANGE, alpha=0.35),
                line("data", "x", "p_data", style="data"),
                line("D", "x", "D", style="D"),
                rug("real", "x", "real", color=BLACK),
                rug("fake", "x", "fake", color=GREEN, top=True, alpha=0.7),
                text("lines", "code", align="left", size=14),
                text("said", "code", align="left", color=BLUE),
            ],
        )
        self.reset()

    def reset(self):
        """First weights, first line."""
        self.G, self.D = (
            mlp(1, 16, 1, seed=self.seed),
            mlp(1, 16, 1, seed=self.seed + 1, cover=(-3, 3)),
        )
        self.gan = GAN(
            self.G,
            self.D,
            targets.uniform(),
            lr_G=0.01,
            lr_D=0.03,
            betas=(0.0, 0.9),
            seed=self.seed,
        )
        self.real = self.fake = torch.zeros(0, 1)
        self.at, self.said, self.due, self.script, self.steps = (
            -1,
            "press step",
            0.0,
            self.follow(),
            0,
        )

    def follow(self):
        """Carry out the lines one after the other, and say what each one did."""
        gan, loss, data = (
            self.gan,
            losses.LOSSES["non-saturating"],
            torch.Generator().manual_seed(self.seed),
        )
        while True:
            self.real = REAL.sample(64, data)
            yield f"real is {tuple(self.real.shape)}"
            z = gan.noise(64)
            yield f"z is {tuple(z.shape)}, new noise"
            self.fake = self.G(z).detach()
            yield f"fake is {tuple(self.fake.shape)}: numbers only, no graph back to G"
            loss_D = loss.D(self.D(self.real), self.D(self.fake))
            yield f"loss_D = {loss_D:.3f}"
            descend(loss_D, gan.opt_D)
            yield "only D's weights moved"
            z = gan.noise(64)
            yield f"z is {tuple(z.shape)}, new noise"
            loss_G = loss.G(self.D(self.G(z)))
            yield f"loss_G = {loss_G:.3f}, reached through D"
            descend(loss_G, gan.opt_G)
            yield "only G's weights moved; D stood still"

    def advance(self):
        """Carry out the next line; when playing, one line a second."""
        if self.playing and time.perf_counter() < self.due:
            return False
        self.due, self.at, self.said = (
            time.perf_counter() + 1,
            (self.at + 1) % len(self.LINES),
            next(self.script),
        )

    @torch.no_grad()
    def draw(self):
        return {
            "data": np.c_[self.x, REAL.log_prob(self.x[:, None]).exp()],
            "real": self.real,
            "fake": self.fake,
            "D": np.c_[self.x, self.D(self.x.float()[:, None]).sigmoid()],
            "here": [(0, self.at - 0.45, 1, 0.9)] if self.at >= 0 else [],
            "lines": [(0.02, i, words) for i, words in enumerate(self.LINES)],
            "said": [(0.02, len(self.LINES) + 0.6, self.said)],
        }

    def text(self):
        return f"Line {self.at + 1} of 8: {self.LINES[self.at] if self.at >= 0 else 'not started'}; {self.said}."


class FiniteSamples(Lab):
    """A flexible D against two samples of the same law: it finds a difference that is not there."""

    def __init__(self, n=20, seed=0):
        self.x = densities.line(-4, 4, 400)
        self.p = REAL.log_prob(self.x[:, None]).softmax(0)
        super().__init__(
            title="Two samples of one law",
            height=340,
            axes=[
                axes(
                    "x",
                    box=(0, 0, 0.6, 1),
                    x=(-4, 4),
                    y=(0, 1.05),
                    xlabel="x",
                    ylabel="D(x)",
                    legend="top",
                ),
                axes(
                    "V", box=(0.6, 0, 0.4, 1), auto="xy", xlabel="step", ylabel="V + log 4 (nats)"
                ),
            ],
            marks=[
                line("D", "x", "D", style="D"),
                line("half", "x", "D* = ½", style="D_star"),
                rug("a", "x", "sample called real", color=BLACK, alpha=0.8),
                rug("b", "x", "sample called fake", color=GREEN, alpha=0.8, top=True),
                line("seen", "V", "on the samples", style="extra"),
                line("true", "V", "on the law", style="D"),
                line("zero", "V", color="#8a8a8a", width=1),
            ],
            controls=[
                slider("n", "examples in each sample", 5, 5000, n, log=True),
                number("seed", "seed", 0, 9999, seed),
            ],
        )
        self.reset()

    def reset(self):
        """Two new samples of N(0, 1) and a new D."""
        g, self.n = torch.Generator().manual_seed(self.values["seed"]), round(self.values["n"])
        self.a, self.b = REAL.sample(self.n, g), REAL.sample(self.n, g)
        self.D = mlp(1, 64, 64, 1, seed=self.values["seed"], cover=(-3, 3), slope=12.0)
        self.optimiser = torch.optim.Adam(self.D.parameters(), lr=5e-3, fused=True)
        self.history, self.steps = [], 0
        self._record(0)

    changed = lambda self, key, value: self.reset()

    def advance(self):
        """One step of D on all of both samples."""
        descend(losses.LOSSES["minimax"].D(self.D(self.a), self.D(self.b)), self.optimiser)
        if (self.steps + 1) % 10 == 0:
            self._record(self.steps + 1)

    @torch.no_grad()
    def _record(self, step):
        self.logit = self.D(self.x.float()[:, None]).flatten().double()
        seen = math.log(4) + float(losses.value(self.D(self.a), self.D(self.b)))
        true = math.log(4) + float(self.p @ (logsigmoid(self.logit) + logsigmoid(-self.logit)))
        self.history = [*self.history[-1999:], (step, seen, true)]

    def draw(self):
        steps, seen, true = np.array(self.history).T
        return {
            "D": np.c_[self.x, self.logit.sigmoid()],
            "half": [(-4, 0.5), (4, 0.5)],
            "a": self.a,
            "b": self.b,
            "seen": np.c_[steps, seen],
            "true": np.c_[steps, true],
            "zero": [(0, 0), (max(steps[-1], 1), 0)],
        }

    def text(self):
        _, seen, true = self.history[-1]
        return (
            f"{self.n} examples each, both from N(0, 1): V + log 4 is {seen:.2f} nats on the samples and "
            f"{true:.2f} on the law, where 0 is the best possible."
        )

    def claim(self):
        _, seen, true = self.history[-1]
        return (
            f"{self.n} examples each, both from N(0, 1): D seems to find something: {seen > 0.05}; "
            f"on the law it loses: {true < -0.05}."
        )
