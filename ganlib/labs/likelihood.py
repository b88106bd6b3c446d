"""The labs of maximum likelihood and KL: fit by hand, one normal for two modes, two normals, the code book."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch.distributions import Normal

from ganlib import densities, plots, targets
from ganlib.divergences import code_lengths, code_words, cross_entropy, entropy, js, kl
from ganlib.labs.runner import Lab
from ganlib.labs.scene import (
    axes,
    bars,
    choice,
    handles,
    heat,
    line,
    points,
    rug,
    slider,
    text,
    toggle,
)

SKY, ORANGE, VERMILLION = (plots.COLOURS[c] for c in ("sky", "orange", "vermillion"))
DIVERGENCES = {"KL(p‖q)": kl, "KL(q‖p)": lambda p, q: kl(q, p), "JS(p, q)": js}
WEIGHTS = {
    "a race": [32, 16, 8, 4, 1, 1, 1, 1],
    "all alike": [1] * 8,
    "only a to d": [1, 1, 1, 1, 0, 0, 0, 0],
}


class _Fit(Lab):
    """One normal, the map of its cost over μ and σ, a dot to drag on it, and gradient descent when it plays."""

    goal = "the mean NLL"
    cost: Callable  # what to make small: cost(μ, σ), a scalar tensor, in nats

    def __init__(self, title, x, middle, reach, sigmas, top, marks, controls, xlabel="x"):
        left, right, (low, high), self.x, self.fine = (
            middle - reach,
            middle + reach,
            sigmas,
            x,
            reach / 300,
        )
        self.digits = max(
            0, 3 - math.floor(math.log10(reach))
        )  # of what is said of μ and σ, in units of any size
        self.mus, self.sigmas = (
            torch.linspace(left, right, 21).double(),
            torch.linspace(low, high, 15).double(),
        )
        super().__init__(
            title=title,
            name=title,
            height=340,
            axes=[
                axes(
                    "laws",
                    box=(0, 0, 0.56, 1),
                    x=(left, right),
                    y=(0, top),
                    xlabel=xlabel,
                    title="density",
                ),
                axes(
                    "map",
                    box=(0.56, 0, 0.44, 1),
                    x=(left, right),
                    y=sigmas,
                    xlabel="mean μ",
                    ylabel="sd σ",
                    title="all normals: the darker, the better",
                    legend=False,
                ),
            ],
            marks=[
                heat("heat", "map"),
                *marks,
                line("q", "laws", "your normal", style="G"),
                line("way", "map"),
                points("best", "map", color=VERMILLION, size=12),
                handles("you", "map"),
            ],
            controls=[
                slider("mu", "mean μ", left, right, float(self.mus[6])),
                toggle("show", "show the best"),
                slider("sigma", "sd σ", low, high, float(self.sigmas[8])),
                *controls,
            ],
        )
        self.survey()

    def survey(self):
        """The cost of every normal on the map, and the best, by descent from the best of each third."""
        costs = torch.stack([self.cost(m, s) for s in self.sigmas for m in self.mus]).reshape(
            -1, len(self.mus)
        )
        self.heat, self.way = (2 * (costs.min() - costs) / (costs.median() - costs.min())).exp(), []
        lowest = [divmod(int(part.argmin()), 7) for part in costs.chunk(3, 1)]
        places = [
            (self.mus[7 * i + column], self.sigmas[row]) for i, (row, column) in enumerate(lowest)
        ]
        mu, sigma = self.descend(
            min((self.descend(place, 0.5, 15) for place in places), key=self.nats), 0.5, 60
        )
        self.best = round(mu, self.digits + 2) + 0.0, sigma  # never −0

    def nats(self, place):
        """The cost at a place (μ, σ), as a number."""
        return float(self.cost(*torch.tensor(place, dtype=torch.float64)))

    def descend(self, place, rate, steps=1):
        """Down the cost, each slope per unit of Fisher information; σ moves by a factor, so it stays positive."""
        mu, sigma = torch.tensor(place, dtype=torch.float64)
        for _ in range(steps):
            slope_mu, slope_sigma = torch.func.grad(self.cost, (0, 1))(mu, sigma)
            mu, sigma = (
                mu - rate * sigma**2 * slope_mu,
                sigma * (-rate * sigma * slope_sigma / 2).exp(),
            )
        return float(mu), float(sigma)

    @property
    def you(self):
        """Where the learner's normal is: (μ, σ)."""
        return self.values["mu"], self.values["sigma"]

    def advance(self):
        (mu, sigma), (self.values["mu"], self.values["sigma"]) = (
            self.you,
            self.descend(self.you, 0.005),
        )
        if not self.way or math.dist(self.way[-1], (mu, sigma)) > self.fine:
            self.way.append((mu, sigma))
        if (
            self.playing
            and abs(self.values["mu"] - mu) + abs(self.values["sigma"] - sigma) < 1e-5 * sigma
        ):
            self.pause("Arrived: no normal near this one is better.")

    def changed(self, key, value):
        self.way = []

    def dragged(self, mark, index, x, y):
        self.way = []
        self.tell(mu=x, sigma=y)

    def draw(self):
        self.tell()  # here, once a frame, and not at every step
        return {
            "heat": self.heat,
            "q": np.c_[self.x, Normal(*self.you).log_prob(self.x).exp()],
            "you": [self.you],
            "way": self.way,
            "best": [self.best] if self.values["show"] else [],
        }

    def text(self):
        cost, least = self.nats(self.you), self.nats(self.best)
        here, there = (
            f"μ {mu:.{self.digits}f} and σ {sigma:.{self.digits}f}"
            for mu, sigma in (self.you, self.best)
        )
        where = f", which is at {there}" if self.values["show"] else ""
        return f"With {here}, {self.goal} is {cost:.4f} nats, {cost - least:.4f} above the least{where}."


class FitNormal(_Fit):
    """Fit a normal to a column of at least two different numbers, by hand; then let gradient descent try."""

    def __init__(self, data, unit="x"):
        law = targets.from_samples(
            data
        )  # refuses what cannot be fitted; its shift and scale are mean and sd
        self.data, m, s = torch.as_tensor(data, dtype=torch.float64).flatten(), law.shift, law.scale
        marks = [
            rug("data", "laws", "data", alpha=0.8),
            line("heights", "laws", style="G", width=0.8),
        ]
        super().__init__(
            f"Fit a normal to {len(self.data)} numbers",
            densities.line(m - 4 * s, m + 4 * s),
            m,
            3.5 * s,
            (s / 3, 3 * s),
            0.8 / s,
            marks,
            [],
            unit,
        )

    def cost(self, mu, sigma):
        return -Normal(mu, sigma).log_prob(self.data).mean()

    def draw(self):
        tops = Normal(*self.you).log_prob(self.data).exp()
        stems = torch.stack(
            [0 * tops, tops, math.nan * tops], 1
        ).flatten()  # nan lifts the pen between two stems
        return {
            **super().draw(),
            "data": self.data,
            "heights": np.c_[self.data.repeat_interleave(3), stems],
        }


class TwoModes(_Fit):
    """Fit one normal q to two modes p under the divergence you choose; descent runs into the nearest dip."""

    goal = property(lambda self: self.values["goal"])

    def __init__(self):
        p = line("p", "laws", "p, two modes", style="data")
        super().__init__(
            "One normal for two modes",
            densities.line(-12, 12, 240),
            0,
            6,
            (0.4, 4),
            1.0,
            [p],
            [
                choice("goal", "minimise", DIVERGENCES, "KL(p‖q)"),
                slider("gap", "modes at ±", 0, 4, 1.5, step=0.1),
                slider("weight", "weight on the left", 0.05, 0.95, 0.5, step=0.05),
            ],
        )

    def survey(self):
        gap, weight = self.values["gap"], self.values["weight"]
        law = targets.mixture((-gap, gap), (0.5, 0.5), (weight, 1 - weight))
        self.p = law.log_prob(self.x[:, None]).exp()
        self.masses = self.p / self.p.sum()
        super().survey()

    def cost(self, mu, sigma):
        q = (
            (-(((self.x - mu) / sigma) ** 2) / 2).softmax(0).clamp(min=1e-300)
        )  # masses; log 0 has no slope
        return DIVERGENCES[self.goal](self.masses, q)

    def changed(self, key, value):
        self.way = []
        if key in ("goal", "gap", "weight"):
            self.survey()

    def draw(self):
        return {**super().draw(), "p": np.c_[self.x, self.p]}


class SlideNormals(Lab):
    """Slide and stretch q = N(μ, σ²) over p = N(0, 1), and read what each quantity says."""

    def __init__(self):
        self.x = densities.line(-24, 24, 1200)
        super().__init__(
            title="One normal over another",
            height=340,
            axes=[
                axes("laws", box=(0, 0, 0.5, 1), x=(-8, 8), y=(0, 1), xlabel="x", ylabel="density"),
                axes(
                    "nats",
                    box=(0.5, 0, 0.5, 1),
                    x=(-4, 24),
                    y=(6, -1),
                    title="nats",
                    frame=False,
                    legend=False,
                ),
            ],
            marks=[
                line("p", "laws", "p", style="data"),
                line("q", "laws", "q", style="G"),
                text("names", "nats", align="left"),
                bars("rows", "nats", color=SKY),
                line("ceiling", "nats", color=VERMILLION, width=3),
            ],
            controls=[
                slider("mu", "mean μ of q", -6, 6, 1.5),
                slider("sigma", "sd σ of q", 0.4, 4, 1.0, log=True),
            ],
        )

    def measure(self):
        """Both densities on the grid, and every quantity in nats by its name."""
        laws = Normal(0.0, 1.0), Normal(self.values["mu"], self.values["sigma"])
        p, q = (law.log_prob(self.x).exp() for law in laws)
        named = {
            "H(p)": entropy(p, self.x),
            "H(q)": entropy(q, self.x),
            "H(p, q)": cross_entropy(p, q, self.x),
            "KL(p‖q)": kl(p, q, self.x),
            "KL(q‖p)": kl(q, p, self.x),
            "JS(p, q)": js(p, q, self.x),
        }
        return p, q, {name: float(value) for name, value in named.items()}

    def draw(self):
        p, q, named = self.measure()
        words = [(-4, i, name) for i, name in enumerate(named)]
        words += [(min(max(v, 0.8), 20) + 0.3, i, f"{v:.3f}") for i, v in enumerate(named.values())]
        return {
            "p": np.c_[self.x, p],
            "q": np.c_[self.x, q],
            "names": words,
            "rows": [(0, i - 0.3, min(v, 20), 0.6) for i, v in enumerate(named.values())],
            "ceiling": [(math.log(2), 4.5), (math.log(2), 5.5)],
        }

    def text(self):
        return (
            ", ".join(f"{name} {v:.3f}" for name, v in self.measure()[2].items())
            + " nats; JS is at most 0.693."
        )


class CodeBook(Lab):
    """Say how often eight symbols come; a message is sent in the code made for P and in the code made for Q."""

    def __init__(self):
        self.draws = (
            np.random.default_rng(0).permutation(20) + 0.5
        ) / 20  # even cuts: a typical message, shuffled
        meant = {
            "P": ("P, how often they come", SKY),
            "Q": ("Q, what the other code is made for", ORANGE),
        }
        super().__init__(
            title="The code book",
            height=400,
            axes=[
                axes("laws", box=(0, 0, 1, 0.58), x=(-0.5, 7.5), y=(-0.09, 1.1), frame=False),
                axes(
                    "sent",
                    box=(0, 0.58, 1, 0.42),
                    x=(0, 60),
                    y=(0, 2.4),
                    auto="x",
                    frame=False,
                    legend=False,
                ),
            ],
            marks=[
                *(bars(key, "laws", label, color=colour) for key, (label, colour) in meant.items()),
                handles("tops", "laws"),
                text("book", "laws", size=12),
                *(bars(f"sent {key}", "sent", color=colour) for key, (_, colour) in meant.items()),
                text("bits", "sent", size=12),
                text("costs", "sent", align="left"),
            ],
            controls=[
                choice("made", "Q", [*WEIGHTS, "the same as P"], "all alike"),
                *(
                    slider(s, f"weight of {s}", 0, 64, w, step=1, group="the weights of P")
                    for s, w in zip("abcdefgh", WEIGHTS["a race"])
                ),
            ],
        )

    def dragged(self, mark, index, x, y):
        key, y = "abcdefgh"[index], min(max(y, 0.0), 0.9)
        rest = sum(self.values[s] for s in "abcdefgh") - self.values[key]
        self.tell(**{key: min(64.0, y / (1 - y) * rest)})

    def measure(self):
        """P, Q; the length of each word in their Huffman codes, (2, 8); and the mean of each over P, in bits."""
        p, made = np.array([self.values[s] for s in "abcdefgh"]), self.values["made"]
        p = p / p.sum() if p.sum() > 0 else np.full(8, 0.125)
        q = np.array(WEIGHTS[made]) / sum(WEIGHTS[made]) if made in WEIGHTS else p
        lengths, comes = np.stack([code_lengths(law, "huffman") for law in (p, q)]), p > 0
        return p, q, lengths, lengths[:, comes] @ p[comes]

    def draw(self):
        p, q, lengths, costs = self.measure()
        words, message = (
            [code_words(n) for n in lengths],
            np.searchsorted(p.cumsum(), self.draws).clip(max=7),
        )
        places, width = np.arange(8), np.full(8, 0.4)
        entries = [
            *zip(places, [-0.06] * 8, "abcdefgh"),
            *zip(places - 0.22, p + 0.08, words[0]),
            *zip(places + 0.22, q + 0.08, words[1]),
        ]
        frame: dict = {
            "P": np.c_[places - 0.42, 0 * width, width, p],
            "Q": np.c_[places + 0.02, 0 * width, width, q],
            "tops": np.c_[places - 0.22, p],
            "book": entries,
            "costs": [],
            "bits": [],
        }
        for name, low, n, book, cost in zip("PQ", (1.25, 0.05), lengths, words, costs):
            ends = np.concatenate([[0], n[message].cumsum()])
            sent = [(a, b, k) for (a, b), k in zip(pairwise(ends), message) if b < math.inf]
            frame[f"sent {name}"] = [(a, low, b - a - 0.15, 0.36) for a, b, _ in sent]
            frame["bits"] += [((a + b) / 2, low + 0.52, "abcdefgh"[k]) for a, b, k in sent]
            frame["bits"] += [((a + b) / 2, low + 0.18, book[k]) for a, b, k in sent]
            says = (
                f"{cost:.3f} bits a symbol"
                if cost < math.inf
                else "it has no word for the next symbol"
            )
            frame["costs"].append((0, low + 0.88, f"code for {name}: {says}"))
        return frame

    def text(self):
        p, q, _, (for_p, for_q) = self.measure()
        H, extra = entropy(p, base="bits"), kl(p, q, base="bits")
        return (
            f"H(P) is {H:.3f} bits. A symbol costs {for_p:.3f} bits in the Huffman code for P and {for_q:.3f} in "
            f"the one for Q, {for_q - for_p:.3f} more; KL(P‖Q) is {extra:.3f} bits."
        )
