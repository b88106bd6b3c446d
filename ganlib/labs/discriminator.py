"""Labs in which you are the discriminator: judge by hand, two terms by hand, D by hand."""

import math

import numpy as np
import torch
from torch.nn.functional import logsigmoid
from torch.special import xlogy

from ganlib import densities, divergences, plots, targets
from ganlib.stage.lab import Lab
from ganlib.stage.scene import (
    Axes,
    Bars,
    Button,
    Handles,
    Line,
    Number,
    Points,
    Rug,
    Slider,
    Text,
    Toggle,
)

REAL = targets.gaussian(0.0, 1.0)
FAKE = targets.gaussian(1.5, 0.7)

BLACK = plots.COLOURS["black"]
GREEN = plots.COLOURS["green"]
BLUE = plots.COLOURS["blue"]
SKY = plots.COLOURS["sky"]
ORANGE = plots.COLOURS["orange"]
RED = plots.COLOURS["vermillion"]


class Detective(Lab):
    """You are D: say how sure you are that each of 20 numbers is real.

    You collect the log of what you gave the truth.
    """

    CASES = 20

    def __init__(self, seed=0):
        self.seed = seed - 1
        super().__init__(
            title="You are the detective",
            height=340,
            axes=[
                Axes(
                    "x",
                    box=(0, 0, 0.66, 1),
                    x=(-3.5, 4.5),
                    y=(0, 1.15),
                    xlabel="x",
                    ylabel="your belief “real”",
                ),
                Axes(
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
                Rug("real", "x", "known real", color=BLACK, alpha=0.7),
                Text("ask", "x", size=15, color="#A33B00"),
                Rug("fake", "x", "known fake", color=GREEN, alpha=0.7, top=True),
                Line("bayes", "x", "D*(x)", style="D_star"),
                Line("case", "x", color=RED, width=2),
                Points("was_real", "x", "was real", color=BLACK, size=8),
                Points("was_fake", "x", "was fake", color=GREEN, size=9, hollow=True),
                Bars("bars", "score", color=BLUE),
                Text("who", "score"),
            ],
            controls=[
                Slider("belief", "belief “real”, in %", 1, 99, 50, step=1),
                Button("judge", "judge"),
            ],
        )
        self.reset()

    def reset(self):
        """New examples and new cases."""
        self.seed += 1
        generator = torch.Generator().manual_seed(self.seed)
        self.known_real = REAL.sample(40, generator)
        self.known_fake = FAKE.sample(40, generator)
        self.truth = torch.rand(self.CASES, generator=generator) < 0.5
        real = REAL.sample(self.CASES, generator).flatten()
        fake = FAKE.sample(self.CASES, generator).flatten()
        self.xs = torch.where(self.truth, real, fake)
        self.beliefs: list[float] = []

    def pressed(self, key):
        """Commit to the belief shown, for the case at hand."""
        if len(self.beliefs) == self.CASES:
            raise ValueError("All cases are judged. Press reset for new ones.")
        self.beliefs.append(self.values["belief"] / 100)

    def scores(self):
        """Mean log score in nats on the cases judged so far, by name.

        Of ½, of the learner and of Bayes' odds.
        """
        judged = len(self.beliefs)
        if not judged:
            return {}
        beliefs = {
            "blind ½": torch.full((judged,), 0.5),
            "you": torch.tensor(self.beliefs),
            "Bayes": densities.optimal_discriminator(*_densities(self.xs))[:judged],
        }
        truth = self.truth[:judged]
        return {
            who: float(torch.where(truth, belief, 1 - belief).log().mean())
            for who, belief in beliefs.items()
        }

    def draw(self):
        judged = len(self.beliefs)
        truth = self.truth[:judged].numpy()
        shown = np.c_[self.xs[:judged], self.beliefs]
        scores = self.scores()
        return {
            "real": self.known_real,
            "fake": self.known_fake,
            "was_real": shown[truth],
            "was_fake": shown[~truth],
            "bars": [(i - 0.3, score, 0.6, -score) for i, score in enumerate(scores.values())],
            "who": _numbered(scores, scores.values(), -1.3),
            **self._case(),
        }

    def _case(self):
        """The case at hand; after the last one, the best verdict on all."""
        judged = len(self.beliefs)
        if judged == self.CASES:
            x = densities.line(-3.5, 4.5, 200)
            return {
                "case": [],
                "ask": [(0.5, 1.06, "all judged: the curve is the best verdict")],
                "bayes": np.c_[x, densities.optimal_discriminator(*_densities(x))],
            }
        now = float(self.xs[judged])
        return {
            "case": [(now, 0), (now, 0.5)],
            "ask": [(now, 0.56, f"x = {now:.2f}: real?")],
            "bayes": [],
        }

    def text(self):
        scores = [f"{who} {score:.2f}" for who, score in self.scores().items()]
        return (
            f"{len(self.beliefs)} of {self.CASES} cases judged; "
            f"mean log score in nats: {', '.join(scores) or 'none yet'}."
        )


class TwoTerms(Lab):
    """Move a logistic D by hand and watch the two terms of V; their sum is what D climbs."""

    def __init__(self):
        self.x = densities.line(-5, 6, 400)
        super().__init__(
            title="The two terms of V",
            height=320,
            axes=[
                Axes(
                    "x",
                    box=(0, 0, 0.62, 1),
                    x=(-5, 6),
                    y=(0, 1.05),
                    xlabel="x",
                    ylabel="density, D(x)",
                ),
                Axes(
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
                Line("data", "x", "p_data", style="data"),
                Line("p_g", "x", "p_g", style="G"),
                Line("D", "x", "D", style="D"),
                Text("names", "V", size=12),
                Bars("bar 0", "V", color=BLACK),
                Bars("bar 1", "V", color=GREEN),
                Bars("bar 2", "V", color=BLUE),
                Bars("bar 3", "V", color=SKY),
            ],
            controls=[
                Slider("middle", "where D is ½", -3, 4, 2.5, step=0.05),
                Slider("slope", "how steeply D falls", -4, 4, 0.5, step=0.05),
                Slider("mean", "mean of p_g", -3, 4, 1.5, step=0.05),
            ],
        )

    def terms(self):
        """The curves p_data, p_g and D; and four numbers in nats, on the grid.

        They are E log D(x), E log(1 − D(G(z))), their sum V, and the best V.
        """
        p, q = _densities(self.x, targets.gaussian(self.values["mean"], 0.7))
        logit = self.values["slope"] * (self.values["middle"] - self.x)
        dx = self.x[1] - self.x[0]
        real = float(p @ logsigmoid(logit) * dx)
        fake = float(q @ logsigmoid(-logit) * dx)
        best = 2 * float(divergences.js(p, q, self.x)) - math.log(4)
        return (p, q, logit.sigmoid()), (real, fake, real + fake, best)

    def draw(self):
        (p, q, D), terms = self.terms()
        return {
            "data": np.c_[self.x, p],
            "p_g": np.c_[self.x, q],
            "D": np.c_[self.x, D],
            **{f"bar {i}": [(i - 0.35, term, 0.7, -term)] for i, term in enumerate(terms)},
            "names": _numbered(("real term", "fake term", "V", "best V"), terms, -3),
        }

    def text(self):
        _, (real, fake, V, best) = self.terms()
        return (
            f"E log D(x) = {real:.3f}, E log(1 − D(G(z))) = {fake:.3f}, V = {V:.3f} nats; "
            f"the best any D can do here is {best:.3f}."
        )


class Knots(Lab):
    """Drag the knots of D until nothing can be gained: you have found D*."""

    def __init__(self, knots=9):
        self.at = np.linspace(-3, 4, knots)
        self.height = np.full(knots, 0.5)
        self.x = densities.line(-4.5, 5.5, 400)
        super().__init__(
            title="Be the discriminator",
            height=340,
            axes=[
                Axes(
                    "x",
                    box=(0, 0, 0.7, 1),
                    x=(-4.5, 5.5),
                    y=(0, 1.05),
                    xlabel="x",
                    ylabel="density, D(x)",
                ),
                Axes(
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
                Line("data", "x", "p_data", style="data"),
                Line("p_g", "x", "p_g", style="G"),
                Line("D_star", "x", "D*", style="D_star"),
                Line("D", "x", "D", style="D"),
                Handles("knots", "x", color=BLUE),
                Bars("gain", "V", "V + log 4", color=BLUE),
                Bars("regret", "V", "regret of D", color=ORANGE),
            ],
            controls=[
                Number("knot", "knot", 1, knots, 1),
                Slider("height", "its height", 0.01, 0.99, 0.5, step=0.01),
                Toggle("star", "show D*"),
                Button("solve", "put all knots on D*"),
            ],
        )

    def changed(self, key, value):
        if key == "height":
            self.height[self.values["knot"] - 1] = value
        elif key == "knot":
            self.tell(height=float(self.height[value - 1]))

    def pressed(self, key):
        """Put all knots where D* is."""
        best = densities.optimal_discriminator(*_densities(torch.tensor(self.at)))
        self.height = best.clamp(0.01, 0.99).numpy()
        self.tell(height=float(self.height[self.values["knot"] - 1]))

    def dragged(self, mark, index, x, y):
        """A knot moves up and down only."""
        self.height[index] = min(0.99, max(0.01, y))
        self.tell(knot=index + 1, height=float(self.height[index]))

    def value(self):
        """V + log 4 of the learner's D and 2 JS, in nats, on the grid."""
        P, Q = (density / density.sum() for density in _densities(self.x))
        D = torch.tensor(np.interp(self.x, self.at, self.height))
        V = float((xlogy(P, D) + xlogy(Q, 1 - D)).sum())
        return V + math.log(4), 2 * float(divergences.js(P, Q))

    def draw(self):
        p, q = _densities(self.x)
        star = []
        if self.values["star"]:
            star = np.c_[self.x, densities.optimal_discriminator(p, q)]
        gain, top = self.value()
        return {
            "data": np.c_[self.x, p],
            "p_g": np.c_[self.x, q],
            "knots": np.c_[self.at, self.height],
            "D": np.c_[self.x, np.interp(self.x, self.at, self.height)],
            "D_star": star,
            "gain": [(-0.35, min(gain, 0), 0.7, abs(gain))],
            "regret": [(0.65, gain, 0.7, top - gain)],
        }

    def text(self):
        gain, top = self.value()
        regret = top - gain
        gain = round(gain, 3) + 0  # no −0
        return f"V + log 4 = {gain:.3f}, 2 JS = {top:.3f}, so your regret is {regret:.3f} nats."


def _densities(x, fake=FAKE):
    """Those of the real and of the fake law at x, (points,) each."""
    return REAL.log_prob(x[:, None]).exp(), fake.log_prob(x[:, None]).exp()


def _numbered(names, values, low):
    """The names and numbers of bars that hang from 0 down to `low` at most.

    An arrow says that a bar goes on below.
    """
    words = []
    for i, (name, value) in enumerate(zip(names, values)):
        arrow = "↓ " if value < low else ""
        words.append((i, -0.09 * low, name))
        words.append((i, -0.03 * low, f"{arrow}{value:.2f}"))
    return words
