"""Small labs about the discriminator: judge by hand, two terms by hand, D by hand, one line at a time, finite data."""

import math
import time

import numpy as np
import torch
from torch.nn.functional import logsigmoid

from ganlib import targets
from ganlib.densities import line, optimal_discriminator
from ganlib.gan import GAN
from ganlib.labs import scene
from ganlib.labs.runner import Lab
from ganlib.losses import LOSSES
from ganlib.networks import mlp, reinitialise

__all__ = ["Algorithm1", "Detective", "FiniteSamples", "Knots", "TwoTerms"]

REAL, FAKE = targets.gaussian(0.0, 1.0), targets.gaussian(1.5, 0.7)  # the pair of laws that most of these judge


def _densities(x, real=REAL, fake=FAKE):
    return real.log_prob(x[:, None]).exp(), fake.log_prob(x[:, None]).exp()


def _curve(x, y):
    return np.stack([np.asarray(x), np.asarray(y)], 1)


class Detective(Lab):
    """You are D: say how sure you are that each of 20 numbers is real, and collect the log of what you gave the truth."""

    def __init__(self, seed=0, cases=20):
        self.cases = cases
        super().__init__(
            title="You are the detective", height=340,
            axes=[scene.axes("x", box=(0, 0, 0.66, 1), x=(-3.5, 4.5), y=(0, 1.05), xlabel="x", ylabel="your belief “real”"),
                  scene.axes("score", box=(0.66, 0, 0.34, 1), x=(-0.6, 2.6), y=(-1.3, 0), ylabel="mean log score (nats)",
                             legend=False, ticks="y")],
            marks=[scene.rug("real", "x", "known real", color="#000000", alpha=0.7),
                   scene.rug("fake", "x", "known fake", color="#009E73", alpha=0.7, top=True),
                   scene.line("bayes", "x", "D*(x)", style="D_star"), scene.line("case", "x", color="#D55E00", width=2),
                   scene.points("was_real", "x", "was real", color="#000000", size=8),
                   scene.points("was_fake", "x", "was fake", color="#009E73", size=9, hollow=True),
                   scene.bars("bars", "score", color="#0072B2"), scene.text("who", "score"),
                   scene.text("ask", "x", size=15, color="#D55E00")],
            controls=[scene.slider("belief", "my belief that it is real, in %", 1, 99, 50, step=1),
                      scene.button("judge", "judge"), scene.number("seed", "seed", 0, 9999, seed)])
        self.reset()

    def reset(self):
        """New examples and 20 new cases."""
        g = torch.Generator().manual_seed(self.values["seed"])
        self.known = REAL.sample(40, g).flatten(), FAKE.sample(40, g).flatten()
        self.truth = torch.rand(self.cases, generator=g) < 0.5
        self.xs = torch.where(self.truth, REAL.sample(self.cases, g).flatten(), FAKE.sample(self.cases, g).flatten())
        self.beliefs: list[float] = []

    def changed(self, key, value):
        if key == "seed":
            self.reset()

    def pressed(self, key):
        """Commit to the belief shown, for the case at hand."""
        if len(self.beliefs) == self.cases:
            raise ValueError("All cases are judged. Press reset for the same cases or change the seed for new ones.")
        self.beliefs.append(self.values["belief"] / 100)

    def scores(self):
        """Mean log score in nats of ½, of the learner and of Bayes' odds on the cases judged so far."""
        n = len(self.beliefs)
        if not n:
            return 0.0, 0.0, 0.0
        best = optimal_discriminator(*_densities(self.xs[:n]))
        score = lambda b: float(torch.where(self.truth[:n], b, 1 - b).log().mean())
        return -math.log(2), score(torch.tensor(self.beliefs)), score(best)

    def draw(self):
        n, x = len(self.beliefs), line(-3.5, 4.5, 200)
        shown = np.stack([self.xs[:n].numpy(), np.array(self.beliefs)], 1)
        done, truth = n == self.cases, self.truth[:n].numpy()
        now = None if done else float(self.xs[n])
        return {"real": self.known[0].numpy(), "fake": self.known[1].numpy(), "was_real": shown[truth], "was_fake": shown[~truth],
                "bayes": _curve(x, optimal_discriminator(*_densities(x))) if done else [],
                "case": [] if done else [[now, 0], [now, 0.5]],
                "ask": [(0.5, 0.5, "all judged: the curve is the best verdict")] if done else [(now, 0.56, f"x = {now:.2f}: real?")],
                "bars": [[i - 0.3, s, 0.6, -s] for i, s in enumerate(self.scores())],
                "who": [(i, -1.24, f"{who} {s:.2f}") for i, (who, s) in enumerate(zip(("blind", "you", "Bayes"), self.scores()))]}

    def text(self):
        blind, you, best = self.scores()
        return (f"{len(self.beliefs)} of {self.cases} cases judged; mean log score: blind ½ {blind:.2f}, you {you:.2f}, "
                f"Bayes {best:.2f} nats.")


class TwoTerms(Lab):
    """Move a logistic D by hand and watch the two terms of V; their sum is what D climbs."""

    def __init__(self):
        self.x = line(-5, 6, 400)
        super().__init__(
            title="The two terms of V", height=320,
            axes=[scene.axes("x", box=(0, 0, 0.62, 1), x=(-5, 6), y=(0, 1.05), xlabel="x", ylabel="density, D(x)"),
                  scene.axes("V", box=(0.62, 0, 0.38, 1), x=(-0.6, 3.6), y=(-3, 0), ylabel="nats", legend=False,
                             title="E log D(x) + E log(1 − D(G(z))) = V", ticks="y")],
            marks=[scene.line("data", "x", "p_data", style="data"), scene.line("p_g", "x", "p_g", style="G"),
                   scene.line("D", "x", "D", style="D"), scene.bars("real", "V", color="#000000"),
                   scene.bars("fake", "V", color="#009E73"), scene.bars("V", "V", color="#0072B2"),
                   scene.bars("best", "V", color="#56B4E9"), scene.text("names", "V", size=12)],
            controls=[scene.slider("middle", "where D is ½", -3, 4, 2.5, step=0.05),
                      scene.slider("slope", "how steeply D falls", -4, 4, 0.5, step=0.05),
                      scene.slider("mean", "mean of p_g", -3, 4, 1.5, step=0.05)])

    def terms(self):
        """E log D(x), E log(1 − D(G(z))) and the best V, in nats, on the grid."""
        p, q = _densities(self.x, fake=targets.gaussian(self.values["mean"], 0.7))
        dx = float(self.x[1] - self.x[0])
        logit = self.values["slope"] * (self.values["middle"] - self.x)
        best = torch.special.xlogy(p, p / (p + q)) + torch.special.xlogy(q, q / (p + q))
        return p, q, logit.sigmoid(), float(p @ logsigmoid(logit)) * dx, float(q @ logsigmoid(-logit)) * dx, float(best.sum()) * dx

    def draw(self):
        p, q, D, real, fake, best = self.terms()
        bar = lambda i, v: [[i - 0.35, v, 0.7, -v]]
        return {"data": _curve(self.x, p), "p_g": _curve(self.x, q), "D": _curve(self.x, D), "real": bar(0, real),
                "fake": bar(1, fake), "V": bar(2, real + fake), "best": bar(3, best),
                "names": [(0, -2.85, "real term"), (1, -2.85, "fake term"), (2, -2.85, "V"), (3, -2.85, "best V")]}

    def text(self):
        *_, real, fake, best = self.terms()
        return (f"E log D(x) = {real:.3f}, E log(1 − D(G(z))) = {fake:.3f}, V = {real + fake:.3f} nats; "
                f"the best any D can do here is {best:.3f}.")


class Knots(Lab):
    """Drag the knots of D until nothing can be gained: you have found D*."""

    def __init__(self, knots=9):
        self.at, self.height, self.x = np.linspace(-3, 4, knots), np.full(knots, 0.5), line(-4.5, 5.5, 400)
        super().__init__(
            title="Be the discriminator", height=340,
            axes=[scene.axes("x", box=(0, 0, 0.7, 1), x=(-4.5, 5.5), y=(0, 1.05), xlabel="x", ylabel="density, D(x)"),
                  scene.axes("V", box=(0.7, 0, 0.3, 1), x=(-0.6, 1.6), y=(0, 0.8), ylabel="nats", title="2 JS = gained + regret",
                             ticks="y")],
            marks=[scene.line("data", "x", "p_data", style="data"), scene.line("p_g", "x", "p_g", style="G"),
                   scene.line("D_star", "x", "D*", style="D_star"), scene.line("D", "x", "D", style="D"),
                   scene.handles("knots", "x", color="#0072B2"), scene.bars("gain", "V", "V + log 4", color="#0072B2"),
                   scene.bars("regret", "V", "regret of D", color="#E69F00")],
            controls=[scene.number("knot", "knot", 1, knots, 1), scene.slider("height", "its height", 0.01, 0.99, 0.5, step=0.01),
                      scene.toggle("star", "show D*"), scene.button("solve", "put all knots on D*")])

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
        self.height = optimal_discriminator(*_densities(torch.tensor(self.at))).clamp(0.01, 0.99).numpy()

    def value(self):
        """V + log 4 of the learner's D and 2 JS, in nats, on the grid."""
        p, q = _densities(self.x)
        P, Q = p / p.sum(), q / q.sum()
        D, star = torch.tensor(np.interp(self.x, self.at, self.height)), optimal_discriminator(P, Q)
        V = lambda D: float(torch.special.xlogy(P, D).sum() + torch.special.xlogy(Q, 1 - D).sum()) + math.log(4)
        return V(D), V(star)

    def draw(self):
        p, q = _densities(self.x)
        gain, top = self.value()
        return {"data": _curve(self.x, p), "p_g": _curve(self.x, q), "knots": _curve(self.at, self.height),
                "D": _curve(self.x, np.interp(self.x, self.at, self.height)),
                "D_star": _curve(self.x, optimal_discriminator(p, q)) if self.values["star"] else [],
                "gain": [[-0.35, min(gain, 0), 0.7, abs(gain)]], "regret": [[0.65, gain, 0.7, top - gain]]}

    def text(self):
        gain, top = self.value()
        return f"V + log 4 = {gain:.3f}, 2 JS = {top:.3f}, so your regret is {top - gain:.3f} nats."


class Algorithm1(Lab):
    """Algorithm 1 one line at a time, with the shapes of the tensors and what each line changed."""

    LINES = ("real = target.sample(64)", "z = prior.sample(64)", "fake = G(z).detach()", "loss_D = −log D(real) − log(1 − D(fake))",
             "D steps down loss_D", "z = prior.sample(64)", "loss_G = −log D(G(z))", "G steps down loss_G")

    def __init__(self, seed=0):
        self.x, self.target = line(-4.5, 4.5, 300), REAL
        self.G, self.D = mlp(1, 16, 1, seed=seed), mlp(1, 16, 1, seed=seed + 1, cover=(-3, 3))
        self.seed = seed
        rows = len(self.LINES)
        super().__init__(
            title="Algorithm 1, one line at a time", height=340,
            axes=[scene.axes("x", box=(0, 0, 0.5, 1), x=(-4.5, 4.5), y=(0, 1.05), xlabel="x", ylabel="density, D(x)"),
                  scene.axes("code", box=(0.5, 0, 0.5, 1), y=(rows + 1.5, -0.5), frame=False, legend=False)],
            marks=[scene.bars("here", "code", color="#E69F00", alpha=0.35), scene.line("data", "x", "p_data", style="data"),
                   scene.line("D", "x", "D", style="D"), scene.rug("real", "x", "real", color="#000000"),
                   scene.rug("fake", "x", "fake", color="#009E73", top=True, alpha=0.7),
                   scene.text("lines", "code", align="left", size=14), scene.text("said", "code", align="left", size=13, color="#0072B2")])
        self.reset()

    def reset(self):
        """First weights, first line."""
        reinitialise(self.G, self.seed), reinitialise(self.D, self.seed + 1)
        self.gan = GAN(self.G, self.D, targets.uniform(), lr_G=0.01, lr_D=0.03, betas=(0.0, 0.9), seed=self.seed)
        self.data = torch.Generator().manual_seed(self.seed)
        self.at, self.said, self.real, self.fake, self._then = -1, "press step", torch.zeros(0, 1), torch.zeros(0, 1), 0.0

    def advance(self):
        """Carry out the next line; when playing, one line a second."""
        if self.playing and time.monotonic() - self._then < 1:
            return False
        self._then, gan = time.monotonic(), self.gan
        self.at = (self.at + 1) % len(self.LINES)
        loss = LOSSES["non-saturating"]
        if self.at == 0:
            self.real = self.target.sample(64, self.data)
        elif self.at in (1, 5):
            self.z = gan.noise(64)
        elif self.at == 2:
            with torch.no_grad():
                self.fake = self.G(self.z)
        elif self.at == 3:
            self.loss = loss.D(self.D(self.real), self.D(self.fake))
        elif self.at == 6:
            self.loss = loss.G(self.D(self.G(self.z)))
        elif self.at in (4, 7):
            optimiser = gan.opt_D if self.at == 4 else gan.opt_G
            optimiser.zero_grad()
            self.loss.backward()
            optimiser.step()
            self.D.zero_grad()
            self.G.zero_grad()
        shape, loss_now = (lambda t: str(tuple(t.shape))), self.loss.item() if self.at > 2 else 0.0
        self.said = {0: f"real is {shape(self.real)}", 3: f"loss_D = {loss_now:.3f}",
                     4: "only D's weights moved", 7: "only G's weights moved; D stood still"}.get(self.at) or (
            f"z is {shape(self.z)}, new noise" if self.at in (1, 5) else f"fake is {shape(self.fake)}: numbers only, no graph back to G"
            if self.at == 2 else f"loss_G = {loss_now:.3f}, reached through D")

    @torch.no_grad()
    def draw(self):
        p = REAL.log_prob(self.x[:, None]).exp()
        return {"data": _curve(self.x, p), "D": _curve(self.x, self.D(self.x.float()[:, None]).flatten().sigmoid()),
                "real": self.real.numpy(), "fake": self.fake.numpy(),
                "here": [[0, self.at - 0.45, 1, 0.9]] if self.at >= 0 else [],
                "lines": [(0.02, i, words) for i, words in enumerate(self.LINES)], "said": [(0.02, len(self.LINES) + 0.6, self.said)]}

    def text(self):
        return f"Line {self.at + 1} of 8: {self.LINES[self.at] if self.at >= 0 else 'not started'}; {self.said}."


class FiniteSamples(Lab):
    """A flexible D against two samples of the same law: it finds a difference that is not there."""

    def __init__(self, n=20, seed=0):
        self.x = line(-4, 4, 400)
        self.D = mlp(1, 64, 64, 1, seed=seed, cover=(-3, 3), slope=12.0)
        super().__init__(
            title="Two samples of one law", height=340,
            axes=[scene.axes("x", box=(0, 0, 0.6, 1), x=(-4, 4), y=(0, 1.05), xlabel="x", ylabel="D(x)"),
                  scene.axes("V", box=(0.6, 0, 0.4, 1), auto="xy", xlabel="step", ylabel="V + log 4 (nats)")],
            marks=[scene.line("D", "x", "D", style="D"), scene.line("half", "x", "D* = ½", style="D_star"),
                   scene.rug("a", "x", "sample called real", color="#000000", alpha=0.8),
                   scene.rug("b", "x", "sample called fake", color="#009E73", alpha=0.8, top=True),
                   scene.line("seen", "V", "on the samples", style="extra"), scene.line("true", "V", "on the law", style="D"),
                   scene.line("zero", "V", color="#8a8a8a", width=1)],
            controls=[scene.slider("n", "examples in each sample", 5, 5000, n, log=True), scene.number("seed", "seed", 0, 9999, seed)])
        self.reset()

    def reset(self):
        """Two new samples of N(0, 1) and a new D."""
        g = torch.Generator().manual_seed(self.values["seed"])
        self.n = round(self.values["n"])
        self.a, self.b = REAL.sample(self.n, g), REAL.sample(self.n, g)
        reinitialise(self.D, self.values["seed"])
        self.optimiser = torch.optim.Adam(self.D.parameters(), lr=5e-3, fused=True)
        self.history: list[tuple[float, float, float]] = []
        self.steps = 0
        self._record()

    def changed(self, key, value):
        self.reset()

    def advance(self):
        """One step of D on all of both samples."""
        loss = LOSSES["minimax"].D(self.D(self.a), self.D(self.b))
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        if (self.steps + 1) % 10 == 0:
            self._record()

    @torch.no_grad()
    def _record(self):
        p = REAL.log_prob(self.x[:, None]).exp()
        self.logit = self.D(self.x.float()[:, None]).flatten().double()
        seen = math.log(4) - float(LOSSES["minimax"].D(self.D(self.a), self.D(self.b)))
        true = math.log(4) + float((p / p.sum()) @ (logsigmoid(self.logit) + logsigmoid(-self.logit)))
        self.history = [*self.history[-1999:], (len(self.history) * 10.0 if self.history else 0.0, seen, true)]

    def draw(self):
        h = np.array(self.history)
        return {"D": _curve(self.x, self.logit.sigmoid()), "half": [[-4, 0.5], [4, 0.5]], "a": self.a.numpy(), "b": self.b.numpy(),
                "seen": h[:, [0, 1]], "true": h[:, [0, 2]], "zero": [[0, 0], [max(h[-1, 0], 1), 0]]}

    def text(self):
        _, seen, true = self.history[-1]
        return (f"{self.n} examples each, both from N(0, 1): V + log 4 is {seen:.2f} nats on the samples and {true:.2f} on the law, "
                f"where 0 is the best possible.")

    def claim(self):
        _, seen, true = self.history[-1]
        return f"{self.n} examples each, both from N(0, 1): D seems to find something: {seen > 0.05}; on the law it loses: {true < -0.05}."
