"""The lab that carries out Algorithm 1 one line at a time."""

import time

import numpy as np
import torch

from ganlib import densities, losses, plots, targets
from ganlib.gan import GAN, descend
from ganlib.networks import mlp
from ganlib.stage.lab import Lab
from ganlib.stage.scene import Axes, Bars, Line, Rug, Text

DATA = targets.gaussian()


class Algorithm1(Lab):
    """Algorithm 1 line by line, with the shapes of the tensors and what each line changed."""

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
    TOP = len(LINES) + 1  # where the first line stands, each other one below

    def __init__(self, seed=0):
        self.seed = seed
        self.x = densities.line(-4.5, 4.5, 300)
        super().__init__(
            title="Algorithm 1, one line at a time",
            height=340,
            axes=[
                Axes(
                    "x",
                    box=(0, 0, 0.5, 1),
                    x=(-4.5, 4.5),
                    y=(0, 1.05),
                    xlabel="x",
                    ylabel="density, D(x)",
                ),
                Axes(
                    "code",
                    box=(0.5, 0, 0.5, 1),
                    y=(-0.5, self.TOP + 0.5),
                    frame=False,
                    legend=False,
                ),
            ],
            marks=[
                Bars("here", "code", color=plots.COLOURS["orange"], alpha=0.35),
                Line("data", "x", "p_data", style="data"),
                Line("D", "x", "D", style="D"),
                Rug("real", "x", "real", color=plots.COLOURS["black"]),
                Rug("fake", "x", "fake", color=plots.COLOURS["green"], top=True, alpha=0.7),
                Text("lines", "code", align="left", size=14),
                Text("said", "code", align="left", color=plots.COLOURS["blue"]),
            ],
        )
        self.reset()

    def reset(self):
        """First weights, first line."""
        self.G = mlp(1, 16, 1, seed=self.seed)
        self.D = mlp(1, 16, 1, seed=self.seed + 1, cover=(-3, 3))
        self.gan = GAN(
            self.G,
            self.D,
            targets.uniform(),
            lr_G=0.01,
            lr_D=0.03,
            betas=(0.0, 0.9),
            seed=self.seed,
        )
        self.real = torch.zeros(0, 1)
        self.fake = torch.zeros(0, 1)
        self.script = self.follow()
        self.at = -1  # the line that was carried out last
        self.said = "press step"
        self.due = 0.0  # when the next line is, while it plays
        self.steps = 0

    def advance(self):
        """Carry out the next line; when playing, one line a second."""
        if self.playing and time.perf_counter() < self.due:
            return False
        self.due = time.perf_counter() + 1
        self.at = (self.at + 1) % len(self.LINES)
        self.said = next(self.script)

    def follow(self):
        """Carry out the lines one after the other, and say what each one did."""
        gan = self.gan
        loss = losses.LOSSES["non-saturating"]
        data = torch.Generator().manual_seed(self.seed)
        while True:
            self.real = DATA.sample(64, data)
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

    @torch.no_grad()
    def draw(self):
        return {
            "data": np.c_[self.x, DATA.log_prob(self.x[:, None]).exp()],
            "real": self.real,
            "fake": self.fake,
            "D": np.c_[self.x, self.D(self.x.float()[:, None]).sigmoid()],
            "here": [(0, self.TOP - self.at - 0.45, 1, 0.9)] if self.at >= 0 else [],
            "lines": [(0.02, self.TOP - i, words) for i, words in enumerate(self.LINES)],
            "said": [(0.02, 0.4, self.said)],
        }

    def text(self):
        line = self.LINES[self.at] if self.at >= 0 else "not started"
        return f"Line {self.at + 1} of 8: {line}; {self.said}."
