"""The labs of the taxonomy: the tree and its leaves, a bound and its gap, walkers, and what pairs are for."""

import numpy as np
import torch

from ganlib import chains, densities, divergences, families, gan, networks, plots, targets
from ganlib.labs.runner import Lab
from ganlib.labs.scene import area, axes, choice, line, points, rug, slider, text

# Where the branches of the tree stand, and what each hangs on; leaves hang on their `branch`, at these heights.
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
HEIGHTS = {"autoregressive": 5, "flow": 4, "VAE": 3, "energy": 2, "GAN": 1, "noise and clean": 0}
BLIND, SORTED, JUDGED = "drawn at random", "made by an encoder", "none: ask a detective"


class Taxonomy(Lab):
    """Click a leaf of the tree: what it has learned, and its line of the scoreboard. leaves: fitted, on any laws."""

    def __init__(self, leaves):
        self.leaves = {(leaf.law.name, leaf.name): (leaf, leaf.js()) for leaf in leaves}
        laws, names = (list(dict.fromkeys(names)) for names in zip(*self.leaves))
        super().__init__(
            title="A taxonomy of generative models",
            height=360,
            axes=[
                axes("tree", box=(0, 0, 0.6, 1), x=(-0.4, 4.1), y=(-0.5, 5.5), frame=False),
                axes("law", box=(0.6, 0, 0.4, 1), auto="xy", title="density"),
            ],
            marks=[
                line("branches", "tree", color="#b0b0b0"),
                points("leaves", "tree", color=plots.COLOURS["grey"], size=13),
                points("open", "tree", color=plots.COLOURS["green"], size=19),
                text("words", "tree", size=12),
                text("names", "tree", align="left"),
                line("data", "law", "p_data", style="data"),
                line("p", "law", "the leaf's law", style="G"),
                rug("drawn", "law", "100 samples", style="G"),
            ],
            controls=[
                choice("leaf", "leaf", names, names[0]),
                choice("data", "data", laws, laws[0]),
            ],
        )

    def pointed(self, where, x, y):
        if where == "tree":
            self.tell(
                leaf=min(
                    self.scene["controls"][0]["options"], key=lambda name: abs(HEIGHTS[name] - y)
                )
            )

    def draw(self):
        leaf, self.js = self.leaves[self.values["data"], self.values["leaf"]]
        law, self.leaf, (low, high) = leaf.law, leaf, leaf.law.range
        x = densities.line(low, high, 256)
        places = NODES | {
            one.name: (3, HEIGHTS[one.name], one.branch) for one, _ in self.leaves.values()
        }
        units = law.shift + law.scale * x  # those of the data
        return {
            "branches": [
                row
                for u, v, on in places.values()
                if on
                for a, b, _ in [NODES[on]]
                for row in ((a, b), (a + 0.5, b), (a + 0.5, v), (u, v), (np.nan, np.nan))
            ],
            "leaves": [(3, y) for y in HEIGHTS.values()],
            "open": [(3, HEIGHTS[leaf.name])],
            "words": [(u, v + 0.22, name.split(", ")[-1]) for name, (u, v, _) in NODES.items()],
            "names": [(3.13, y, name) for name, y in HEIGHTS.items()],
            "p": np.c_[units, leaf.law_on(x) / law.scale],
            "data": np.c_[units, law.log_prob(x[:, None]).exp() / law.scale],
            "drawn": law.shift + law.scale * leaf.sample(100, torch.Generator().manual_seed(0)),
        }

    def text(self, js=None):
        """A line of the scoreboard; `js`: what it says of JS, if not the number."""
        leaf, rounds = self.leaf, self.leaf.passes
        return (
            f"{leaf.name} ({leaf.branch}) on {leaf.law.name}: density {leaf.density}; a sample takes "
            f"{rounds} round{'s' * (rounds > 1)}; JS to the data {js or f'{self.js:.4f}'} nats."
        )

    def claim(self):
        return self.text("below 0.05" if self.js < 0.05 else "above 0.05")


class Bound(Lab):
    """A VAE learns two modes: choose the family of q, play, and look at the gap, at one x and at all."""

    def __init__(self, posterior="normal"):
        super().__init__(
            title="A bound and its gap",
            height=360,
            axes=[
                axes("x", box=(0, 0, 0.56, 1), x=(-3.5, 3.5), y=(-9, 4), xlabel="x", title="nats"),
                axes(
                    "z",
                    box=(0.56, 0, 0.44, 1),
                    x=(-4, 4),
                    auto="y",
                    xlabel="z",
                    title="which z made this x?",
                ),
            ],
            marks=[
                area("gap", "x", "gap", style="regret"),
                line("data", "x", "log p_data(x)", style="data"),
                line("log p", "x", "log p(x)", style="G"),
                line("elbo", "x", "ELBO(x)", style="D"),
                points("here", "x", size=9),
                line("prior", "z", "p(z)", style="half"),
                line("post", "z", "p(z|x)", style="G"),
                line("q", "z", "q(z|x)", style="D"),
            ],
            controls=[
                choice("posterior", "q(z|x)", families.POSTERIORS, posterior),
                slider("at", "x", -3, 3, 0, step=0.05),
                slider("pull", "pull of the prior", 0.1, 10, 1, log=True),
            ],
        )
        self.reset()

    def reset(self):
        self.vae, self.steps = families.VAE(self.values["posterior"], pull=self.values["pull"]), 0
        self.training = self.vae.training(targets.mixture(), steps=self.vae.steps)
        self.advance()

    def changed(self, key, value):
        if key != "at":
            self.reset()

    def pointed(self, where, x, y):
        if where == "x":
            self.tell(at=min(3, max(-3, round(x, 2))))

    def advance(self):
        if next(self.training, "end") == "end":
            self.pause("Trained.")

    @torch.no_grad()
    def draw(self):
        vae, at, z = (
            self.vae,
            torch.tensor([self.values["at"]], dtype=torch.float64),
            densities.line(-8, 8, 400),
        )
        x, dz = torch.cat([at, densities.line(-3.5, 3.5, 40)]), z[1] - z[0]
        joint = vae.joint(x, z)  # once, for log p(x) and p(z|x)
        data, log_p, elbo = (
            vae.law.log_prob(x[:, None]),
            joint.logsumexp(1) + dz.log(),
            vae.elbo(x, nodes=20),
        )
        z, post = (
            z[100:300],
            joint[0].softmax(0)[100:300] / dz,
        )  # those from −4 to 4, which are shown
        self.said = log_p[0], elbo[0], log_p[0] - elbo[0], (log_p - elbo)[1:] @ data[1:].softmax(0)
        return {
            "gap": np.c_[x, elbo, log_p][1:],
            "data": np.c_[x, data][1:],
            "log p": np.c_[x, log_p][1:],
            "elbo": np.c_[x, elbo][1:],
            "here": [(x[0], log_p[0]), (x[0], elbo[0])],
            "post": np.c_[z, post],
            "prior": np.c_[z, families.NORMAL.log_prob(z).exp()],
            "q": np.c_[z, post if vae.posterior == "exact" else vae.encode(at).log_prob(z).exp()],
        }

    def text(self):
        return (
            "At x = {:.2f}: log p(x) = {:.2f}, ELBO = {:.2f}, gap = {:.2f} nats; mean gap over the data {:.2f} "
            "nats.".format(self.values["at"], *(float(v) + 0.0 for v in self.said))
        )

    def claim(self):
        return f"The mean gap over the data is {'below' if self.said[-1] < 0.05 else 'above'} 0.05 nats."


class Walkers(Lab):
    """200 walkers start in the left mode: how wide a step, how far the modes, and when have they forgotten?"""

    def __init__(self, size=0.5, apart=3.0):
        super().__init__(
            title="Walkers",
            height=360,
            axes=[
                axes("x", box=(0, 0, 0.56, 1), x=(-6, 6), auto="y", xlabel="x", title="density"),
                axes(
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
                line("p", "x", "p", style="data"),
                line("law", "x", "law of the walkers", style="G"),
                rug("walkers", "x", "walkers", style="G"),
                line("tv", "far", "TV", style="JS"),
                line("slope", "far", "|λ₂|ᵗ", style="half", dash=":"),
            ],
            controls=[
                choice("kind", "step", ["Metropolis", "Langevin"], "Metropolis"),
                slider("size", "step size", 0.05, 8, size, log=True),
                slider("apart", "distance of the modes", 0, 8, apart, step=0.1),
            ],
        )
        self.changed("apart", apart)

    def changed(self, key, value):
        half, self.move = (
            self.values["apart"] / 2,
            {"size": self.values["size"], "langevin": self.values["kind"] == "Langevin"},
        )
        self.target, self.x = targets.mixture((-half, half)), densities.line(-6, 6, 240)
        self.log_p = self.target.log_prob(self.x[:, None])
        self.K = chains.transition(self.log_p, x=self.x, **self.move)
        root = self.log_p.softmax(
            0
        ).sqrt()  # √p K / √p is symmetric, by detailed balance: its eigenvalues are real
        self.second = float(
            torch.linalg.eigvalsh(root[:, None] * self.K / root).abs().sort().values[-2]
        )
        self.reset()

    def reset(self):
        start, self.generator = (
            targets.gaussian(-self.values["apart"] / 2, 0.5),
            torch.Generator().manual_seed(0),
        )
        self.walkers, self.law = (
            start.sample(200, self.generator).double(),
            start.log_prob(self.x[:, None]).softmax(0),
        )
        self.tv, self.moved, self.steps = (
            [float(divergences.total_variation(self.law, self.log_p.softmax(0)))],
            [],
            0,
        )

    def advance(self):
        self.law = self.law @ self.K
        self.walkers, moved = chains.hop(
            self.target.log_prob, self.walkers, generator=self.generator, **self.move
        )
        self.moved.append(float(moved.double().mean()))
        self.tv.append(float(divergences.total_variation(self.law, self.log_p.softmax(0))))
        if self.playing and len(self.tv) % 5000 == 0:
            self.pause("5,000 steps.")

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
        accepted = f"{np.mean(self.moved):.0%} of the moves accepted; " if self.moved else ""
        return (
            f"{accepted}after {self.steps} steps {self.tv[-1]:.3f} of the mass is in the wrong place. "
            f"|λ₂| = {self.second:.5f}: half of that goes in {np.log(0.5) / np.log(self.second):,.0f} steps."
        )


class Pairs(Lab):
    """G is to make two modes: from pairs (z, x) by least squares, or with no pairs, from a detective."""

    def __init__(self, pairs=BLIND):
        self.law, self.x = targets.mixture(), densities.line(-3.5, 3.5, 200)
        super().__init__(
            title="What pairs are for",
            height=340,
            axes=[
                axes(
                    "map",
                    box=(0, 0, 0.5, 1),
                    x=(-1, 1),
                    y=(-3.5, 3.5),
                    xlabel="z",
                    title="x = G(z)",
                ),
                axes(
                    "law",
                    box=(0.5, 0, 0.5, 1),
                    x=(-3.5, 3.5),
                    y=(0, 1),
                    xlabel="x",
                    title="density",
                ),
            ],
            marks=[
                points("pairs", "map", "pairs (z, x)", alpha=0.5, color=plots.COLOURS["grey"]),
                line("G", "map", "G", style="G"),
                line("data", "law", "p_data", style="data"),
                line("p_g", "law", "p_g", style="G"),
            ],
            controls=[choice("pairs", "pairs (z, x)", [BLIND, SORTED, JUDGED], pairs)],
        )
        self.reset()

    changed = lambda self, key, value: self.reset()

    def reset(self):
        leaf, self.generator, self.steps = (
            families.Adversarial(),
            torch.Generator().manual_seed(0),
            0,
        )
        self.game = leaf.training(self.law, steps=leaf.steps)
        next(self.game)
        self.G = (
            leaf.gan.G
            if self.values["pairs"] == JUDGED
            else networks.mlp(1, 32, 32, 1, seed=0, cover=(-1, 1))
        )
        self.optimiser, self.pairs = (
            torch.optim.Adam(self.G.parameters(), lr=3e-3),
            torch.zeros(0, 2),
        )

    def advance(self):
        if self.values["pairs"] == JUDGED:
            return next(self.game, False)
        z, x = (
            2 * torch.rand(256, 1, generator=self.generator) - 1,
            self.law.sample(256, self.generator),
        )
        if (
            self.values["pairs"] == SORTED
        ):  # such an encoder keeps the order: the smallest x gets the smallest z
            z, x = z.sort(0).values, x.sort(0).values
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
        mean, sd = self.made.mean().round(decimals=1) + 0, self.made.std()  # + 0: no −0
        return (
            f"Pairs {self.values['pairs']}. After {self.steps} steps G(z) has mean {mean:.1f} and sd {sd:.1f}; "
            "the data have mean 0.0 and sd 1.6."
        )
