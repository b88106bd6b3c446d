"""The labs of the taxonomy.

The tree and its leaves, a bound and its gap, walkers, and what pairs are for.
"""

import math

import numpy as np
import torch

from ganlib import chains, densities, divergences, families, gan, networks, plots, targets
from ganlib.checks import finite
from ganlib.stage.lab import Lab
from ganlib.stage.scene import Area, Axes, Choice, Line, Points, Rug, Slider, Text

# Where the branches of the tree stand, (x, y), and what each hangs on.
NODES = {
    "models": (0, 2.6, None),
    "explicit": (1, 3.6, "models"),
    "implicit": (1, 0.5, "models"),
    "explicit, tractable": (2, 4.5, "explicit"),
    "explicit, variational": (2, 3, "explicit"),
    "explicit, Markov chain": (2, 2, "explicit"),
    "implicit, direct": (2, 1, "implicit"),
    "implicit, Markov chain": (2, 0, "implicit"),
}
# Leaves hang on their `branch`, all at this x, each at its height.
LEAF_X = 3
HEIGHTS = {"autoregressive": 5, "flow": 4, "VAE": 3, "energy": 2, "GAN": 1, "noise and clean": 0}

# What the pairs of `Pairs` are.
BLIND = "drawn at random"
SORTED = "made by an encoder"
JUDGED = "none: ask a detective"


class Taxonomy(Lab):
    """Click a leaf of the tree: what it has learned, and its line of the scoreboard.

    leaves: fitted, on any laws.
    """

    def __init__(self, leaves):
        self.leaves = {(leaf.law.name, leaf.name): (leaf, leaf.js()) for leaf in leaves}
        laws = list(dict.fromkeys(law for law, _ in self.leaves))  # each once, in their order
        self.names = list(dict.fromkeys(name for _, name in self.leaves))
        super().__init__(
            title="A taxonomy of generative models",
            height=360,
            axes=[
                Axes("tree", box=(0, 0, 0.6, 1), x=(-0.4, 4.1), y=(-0.5, 5.5), frame=False),
                Axes("law", box=(0.6, 0, 0.4, 1), auto="xy", title="density"),
            ],
            marks=[
                Line("branches", "tree", color="#b0b0b0"),
                Points("leaves", "tree", color=plots.COLOURS["grey"], size=13),
                Points("open", "tree", color=plots.COLOURS["green"], size=19),
                Text("words", "tree", size=12),
                Text("names", "tree", align="left"),
                Line("data", "law", "p_data", style="data"),
                Line("p", "law", "the leaf's law", style="G"),
                Rug("drawn", "law", "100 samples", style="G"),
            ],
            controls=[
                Choice("leaf", "leaf", self.names, self.names[0]),
                Choice("data", "data", laws, laws[0]),
            ],
        )

    def pointed(self, where, x, y):
        """Open the leaf whose height is nearest."""
        if where == "tree":
            y = finite("y", y)
            self.tell(leaf=min(self.names, key=lambda name: abs(HEIGHTS[name] - y)))

    def draw(self):
        leaf, self.js = self.leaves[self.values["data"], self.values["leaf"]]
        self.leaf = leaf
        law = leaf.law
        low, high = law.range
        x = densities.line(low, high, 256)
        units = law.shift + law.scale * x  # those of the data
        drawn = leaf.sample(100, torch.Generator().manual_seed(0))
        return {
            "branches": self._branches(),
            "leaves": [(LEAF_X, y) for y in HEIGHTS.values()],
            "open": [(LEAF_X, HEIGHTS[leaf.name])],
            "words": [(u, v + 0.22, name.split(", ")[-1]) for name, (u, v, _) in NODES.items()],
            "names": [(LEAF_X + 0.13, y, name) for name, y in HEIGHTS.items()],
            "p": np.c_[units, leaf.law_on(x) / law.scale],
            "data": np.c_[units, law.log_prob(x[:, None]).exp() / law.scale],
            "drawn": law.shift + law.scale * drawn,
        }

    def _branches(self):
        """A line from each thing on the tree to what it hangs on: along, up or down, along."""
        places = dict(NODES)
        for leaf, _ in self.leaves.values():
            places[leaf.name] = (LEAF_X, HEIGHTS[leaf.name], leaf.branch)

        rows = []
        for x, y, on in places.values():
            if on:
                start, height, _ = NODES[on]
                bend = start + 0.5
                rows += [(start, height), (bend, height), (bend, y), (x, y), (math.nan, math.nan)]
        return rows

    def text(self, js=None):
        """A line of the scoreboard; `js`: what it says of JS, if not the number."""
        leaf = self.leaf
        rounds = "1 round" if leaf.passes == 1 else f"{leaf.passes} rounds"
        return (
            f"{leaf.name} ({leaf.branch}) on {leaf.law.name}: density {leaf.density}; "
            f"a sample takes {rounds}; JS to the data {js or f'{self.js:.4f}'} nats."
        )

    def claim(self):
        return self.text("below 0.05" if self.js < 0.05 else "above 0.05")


class Bound(Lab):
    """A VAE learns two modes: choose the family of q, play, and look at the gap.

    It is shown at one x and at all.
    """

    def __init__(self, posterior="normal"):
        super().__init__(
            title="A bound and its gap",
            height=360,
            axes=[
                Axes("x", box=(0, 0, 0.56, 1), x=(-3.5, 3.5), y=(-9, 4), xlabel="x", title="nats"),
                Axes(
                    "z",
                    box=(0.56, 0, 0.44, 1),
                    x=(-4, 4),
                    auto="y",
                    xlabel="z",
                    title="which z made this x?",
                ),
            ],
            marks=[
                Area("gap", "x", "gap", style="regret"),
                Line("data", "x", "log p_data(x)", style="data"),
                Line("log p", "x", "log p(x)", style="G"),
                Line("elbo", "x", "ELBO(x)", style="D"),
                Points("here", "x", size=9),
                Line("prior", "z", "p(z)", style="half"),
                Line("post", "z", "p(z|x)", style="G"),
                Line("q", "z", "q(z|x)", style="D"),
            ],
            controls=[
                Choice("posterior", "q(z|x)", list(families.POSTERIORS), posterior),
                Slider("at", "x", -3, 3, 0, step=0.05),
                Slider("pull", "pull of the prior", 0.1, 10, 1, log=True),
            ],
        )
        self.reset()

    def reset(self):
        self.vae = families.VAE(self.values["posterior"], pull=self.values["pull"])
        self.training = self.vae.training(targets.mixture(), steps=self.vae.steps)
        self.steps = 0
        self._why = ""  # another VAE is not yet trained
        self.advance()

    def changed(self, key, value):
        if key != "at":
            self.reset()

    def pointed(self, where, x, y):
        if where == "x":
            self.tell(at=min(3.0, max(-3.0, round(finite("x", x), 2))))

    def advance(self):
        if next(self.training, "end") == "end":
            self.pause("Trained.")

    @torch.no_grad()
    def draw(self):
        vae = self.vae
        at = torch.tensor([self.values["at"]], dtype=torch.float64)
        x = torch.cat([at, densities.line(-3.5, 3.5, 40)])  # the x that is looked at, then all
        z = densities.line(-8, 8, 400)
        dz = z[1] - z[0]

        joint = vae.joint(x, z)  # once, for log p(x) and p(z|x)
        data = vae.law.log_prob(x[:, None])
        log_p = joint.logsumexp(1) + dz.log()
        elbo = vae.elbo(x, nodes=20)
        gap = log_p - elbo
        self.here = log_p[0], elbo[0], gap[0]
        self.mean_gap = gap[1:] @ data[1:].softmax(0)

        shown = slice(100, 300)  # the z from −4 to 4
        post = joint[0].softmax(0)[shown] / dz
        z = z[shown]
        q = post
        if vae.posterior != "exact":
            q = vae.encode(at).log_prob(z).exp()
        return {
            "gap": np.c_[x, elbo, log_p][1:],
            "data": np.c_[x, data][1:],
            "log p": np.c_[x, log_p][1:],
            "elbo": np.c_[x, elbo][1:],
            "here": [(x[0], log_p[0]), (x[0], elbo[0])],
            "post": np.c_[z, post],
            "prior": np.c_[z, families.NORMAL.log_prob(z).exp()],
            "q": np.c_[z, q],
        }

    def text(self):
        log_p, elbo, gap = (float(value) + 0.0 for value in self.here)  # + 0.0: no −0
        mean_gap = float(self.mean_gap) + 0.0
        return (
            f"At x = {self.values['at']:.2f}: log p(x) = {log_p:.2f}, ELBO = {elbo:.2f}, "
            f"gap = {gap:.2f} nats; mean gap over the data {mean_gap:.2f} nats."
        )

    def claim(self):
        side = "below" if self.mean_gap < 0.05 else "above"
        return f"The mean gap over the data is {side} 0.05 nats."


class Walkers(Lab):
    """200 walkers start in the left mode.

    How wide a step, how far the modes, and when have they forgotten?
    """

    def __init__(self, size=0.5, apart=3.0):
        super().__init__(
            title="Walkers",
            height=360,
            axes=[
                Axes("x", box=(0, 0, 0.56, 1), x=(-6, 6), auto="y", xlabel="x", title="density"),
                Axes(
                    "far",
                    box=(0.56, 0, 0.44, 1),
                    auto="x",
                    y=(1e-3, 1),
                    log="y",
                    xlabel="step",
                    title="mass in the wrong place (TV)",
                ),
            ],
            marks=[
                Line("p", "x", "p", style="data"),
                Line("law", "x", "law of the walkers", style="G"),
                Rug("walkers", "x", "walkers", style="G"),
                Line("tv", "far", "TV", style="JS"),
                Line("slope", "far", "|λ₂|ᵗ", style="half", dash=":"),
            ],
            controls=[
                Choice("kind", "step", ["Metropolis", "Langevin"], "Metropolis"),
                Slider("size", "step size", 0.05, 8, size, log=True),
                Slider("apart", "distance of the modes", 0, 8, apart, step=0.1),
            ],
        )
        self.changed("apart", apart)

    def reset(self):
        start = targets.gaussian(-self.values["apart"] / 2, 0.5)
        self.generator = torch.Generator().manual_seed(0)
        self.walkers = start.sample(200, self.generator).double()
        self.law = start.log_prob(self.x[:, None]).softmax(0)
        self.tv = [self._misplaced()]
        self.moved = []
        self.steps = 0
        self._why = ""

    def changed(self, key, value):
        half = self.values["apart"] / 2
        langevin = self.values["kind"] == "Langevin"
        self.move = {"size": self.values["size"], "langevin": langevin}
        self.target = targets.mixture((-half, half))
        self.x = densities.line(-6, 6, 240)
        self.log_p = self.target.log_prob(self.x[:, None])
        self.K = chains.transition(self.log_p, x=self.x, **self.move)
        self.second = chains.second_eigenvalue(self.K, self.log_p.softmax(0))
        self.reset()

    def advance(self):
        self.law = self.law @ self.K
        self.walkers, moved = chains.hop(
            self.target.log_prob, self.walkers, generator=self.generator, **self.move
        )
        self.moved.append(float(moved.double().mean()))
        self.tv.append(self._misplaced())
        if self.playing and len(self.tv) % 5000 == 0:
            self.pause("5,000 steps.")

    def _misplaced(self) -> float:
        """The mass of the walkers' law that is in the wrong place."""
        return float(divergences.total_variation(self.law, self.log_p.softmax(0)))

    def draw(self):
        t = np.arange(len(self.tv))
        return {
            "p": np.c_[self.x, self.log_p.exp()],
            "law": np.c_[self.x, self.law / (self.x[1] - self.x[0])],
            "walkers": self.walkers,
            "tv": np.c_[t, np.maximum(self.tv, 1e-9)],
            "slope": np.c_[t, np.maximum(self.tv[0] * self.second**t, 1e-9)],
        }

    def text(self):
        accepted = ""
        if self.moved:
            accepted = f"{np.mean(self.moved):.0%} of the moves accepted; "
        half_life = chains.halving(self.second)
        forgets = f"half of that goes in {half_life} steps."
        if half_life == "∞":
            forgets = "1 to rounding, no number of steps can be told."
        return (
            f"{accepted}after {self.steps} steps {self.tv[-1]:.3f} of the mass is in the wrong "
            f"place. |λ₂| = {self.second:.5f}: {forgets}"
        )


class Pairs(Lab):
    """G is to make two modes: from pairs (z, x) by least squares.

    Or with no pairs, from a detective.
    """

    def __init__(self, pairs=BLIND):
        self.law = targets.mixture()
        self.x = densities.line(-3.5, 3.5, 200)
        super().__init__(
            title="What pairs are for",
            height=340,
            axes=[
                Axes(
                    "map",
                    box=(0, 0, 0.5, 1),
                    x=(-1, 1),
                    y=(-3.5, 3.5),
                    xlabel="z",
                    title="x = G(z)",
                ),
                Axes(
                    "law",
                    box=(0.5, 0, 0.5, 1),
                    x=(-3.5, 3.5),
                    y=(0, 1),
                    xlabel="x",
                    title="density",
                ),
            ],
            marks=[
                Points("pairs", "map", "pairs (z, x)", alpha=0.5, color=plots.COLOURS["grey"]),
                Line("G", "map", "G", style="G"),
                Line("data", "law", "p_data", style="data"),
                Line("p_g", "law", "p_g", style="G"),
            ],
            controls=[Choice("pairs", "pairs (z, x)", [BLIND, SORTED, JUDGED], pairs)],
        )
        self.reset()

    def reset(self):
        leaf = families.Adversarial()
        self.game = leaf.training(self.law, steps=leaf.steps)
        next(self.game)
        self.G = leaf.gan.G
        if self.values["pairs"] != JUDGED:
            self.G = networks.mlp(1, 32, 32, 1, seed=0, cover=(-1, 1))
        self.optimiser = torch.optim.Adam(self.G.parameters(), lr=3e-3)
        self.generator = torch.Generator().manual_seed(0)
        self.pairs = torch.zeros(0, 2)
        self.steps = 0

    def changed(self, key, value):
        self.reset()

    def advance(self):
        if self.values["pairs"] == JUDGED:
            return next(self.game, False)
        z = 2 * torch.rand(256, 1, generator=self.generator) - 1
        x = self.law.sample(256, self.generator)
        if self.values["pairs"] == SORTED:
            # Such an encoder keeps the order: the smallest x gets the smallest z.
            z = z.sort(0).values
            x = x.sort(0).values
        gan.descend((self.G(z) - x).square().mean(), self.optimiser)
        self.pairs = torch.cat([z, x], 1)

    def draw(self):
        z = torch.linspace(-1, 1, 201)[:, None]
        self.made = self.G(z).detach()
        return {
            "pairs": self.pairs,
            "G": torch.cat([z, self.made], 1),
            "p_g": np.c_[self.x, densities.pushforward(self.G, targets.uniform(), self.x)],
            "data": np.c_[self.x, self.law.log_prob(self.x[:, None]).exp()],
        }

    def text(self):
        mean = self.made.mean().round(decimals=1) + 0  # + 0: no −0
        sd = self.made.std()
        return (
            f"Pairs {self.values['pairs']}. After {self.steps} steps G(z) has mean {mean:.1f} and "
            f"sd {sd:.1f}; the data have mean 0.0 and sd 1.6."
        )
