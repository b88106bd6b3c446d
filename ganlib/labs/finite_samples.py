"""The lab of a discriminator that has finite data."""

import math

import numpy as np
import torch
from torch.nn.functional import logsigmoid

from ganlib import densities, losses, plots, targets
from ganlib.gan import descend
from ganlib.networks import mlp
from ganlib.stage.lab import Lab
from ganlib.stage.scene import Axes, Line, Number, Rug, Slider

LAW = targets.gaussian()  # of both samples


class FiniteSamples(Lab):
    """A flexible D against two samples of the same law: it finds a difference that is not there."""

    def __init__(self, n=20, seed=0):
        self.x = densities.line(-4, 4, 400)
        self.p = LAW.log_prob(self.x[:, None]).softmax(0)
        super().__init__(
            title="Two samples of one law",
            height=340,
            axes=[
                Axes(
                    "x",
                    box=(0, 0, 0.6, 1),
                    x=(-4, 4),
                    y=(0, 1.05),
                    xlabel="x",
                    ylabel="D(x)",
                ),
                Axes(
                    "V", box=(0.6, 0, 0.4, 1), auto="xy", xlabel="step", ylabel="V + log 4 (nats)"
                ),
            ],
            marks=[
                Line("D", "x", "D", style="D"),
                Line("half", "x", "D* = ½", style="D_star"),
                Rug("a", "x", "sample called real", color=plots.COLOURS["black"], alpha=0.8),
                Rug(
                    "b",
                    "x",
                    "sample called fake",
                    color=plots.COLOURS["green"],
                    alpha=0.8,
                    top=True,
                ),
                Line("seen", "V", "on the samples", style="extra"),
                Line("true", "V", "on the law", style="D"),
                Line("zero", "V", color="#8a8a8a", width=1),
            ],
            controls=[
                Slider("n", "examples in each sample", 5, 5000, n, log=True),
                Number("seed", "seed", 0, 9999, seed),
            ],
        )
        self.reset()

    def reset(self):
        """Two new samples of N(0, 1) and a new D."""
        seed = self.values["seed"]
        generator = torch.Generator().manual_seed(seed)
        self.n = round(self.values["n"])
        self.a = LAW.sample(self.n, generator)
        self.b = LAW.sample(self.n, generator)
        self.D = mlp(1, 64, 64, 1, seed=seed, cover=(-3, 3), slope=12.0)
        self.optimiser = torch.optim.Adam(self.D.parameters(), lr=5e-3, fused=True)
        self.history: list[tuple[float, float, float]] = []
        self.steps = 0
        self._record(0)

    def changed(self, key, value):
        self.reset()

    def advance(self):
        """One step of D on all of both samples."""
        loss = losses.LOSSES["minimax"].D(self.D(self.a), self.D(self.b))
        descend(loss, self.optimiser)
        step = self.steps + 1  # `steps` does not yet count this one
        if step % 10 == 0:
            self._record(step)

    @torch.no_grad()
    def _record(self, step):
        """Note V + log 4 on the samples and on the law; the last 2,000 notes are kept."""
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
            f"{self.n} examples each, both from N(0, 1): V + log 4 is {seen:.2f} nats on the "
            f"samples and {true:.2f} on the law, where 0 is the best possible."
        )

    def claim(self):
        _, seen, true = self.history[-1]
        return (
            f"{self.n} examples each, both from N(0, 1): D seems to find something: "
            f"{seen > 0.05}; on the law it loses: {true < -0.05}."
        )
