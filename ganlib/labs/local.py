"""The labs of local convergence: the Dirac-GAN, and a trained GAN that is rung like a bell.

Eigenvalues say beforehand what a run does near its rest point; both labs draw the two side by side.
"""

import math

import numpy as np
import torch

from ganlib import local, plots
from ganlib.checks import finite
from ganlib.densities import line
from ganlib.losses import LOSSES
from ganlib.stage.lab import Lab
from ganlib.stage.scene import Axes, Button, Choice, Line, Number, Points, Slider

TURN = np.linspace(0, 2 * math.pi, 181)
CIRCLE = np.c_[np.cos(TURN), np.sin(TURN)]  # inside it a step comes closer to home
HOME = 0.01  # a path that is so near is at home
MORE = "start, order, momentum, length"

# Of `Ring`. A dot for each eigenvalue, as large as its part in the push.
SIZES = {"most": (0.3, 14), "much": (0.03, 9), "little": (0.003, 6), "hardly": (-1.0, 3)}
BATCH = 512
WHOLE = "the whole law"
PUSH = 0.05

DIRAC_AXES = [
    Axes(
        "circle",
        box=(0, 0, 0.36, 0.75),
        x=(-1.5, 1.5),
        y=(-1.5, 1.5),
        xlabel="real part of λ",
        title="one step",
        legend=False,
    ),
    Axes(
        "plane",
        box=(0.36, 0, 0.34, 0.75),
        x=(-1.5, 1.5),
        y=(-1.5, 1.5),
        xlabel="θ, the fake (up: w, D's slope)",
        title="the path",
        legend=False,
    ),
    Axes(
        "far",
        box=(0.7, 0, 0.3, 1),
        auto="x",
        y=(1e-4, 10),
        log="y",
        xlabel="step",
        title="distance from home",
    ),
]
DIRAC_MARKS = [
    Line("unit", "circle", color=plots.COLOURS["grey"]),
    Points("factors", "circle", color=plots.COLOURS["vermillion"], size=10),
    Line("path", "plane", color=plots.COLOURS["blue"]),
    Points("home", "plane", color=plots.COLOURS["grey"], size=9),
    Points("start", "plane", color=plots.COLOURS["blue"], size=7),
    Line("predicted", "far", "|λ|ⁿ", color=plots.COLOURS["vermillion"], dash="--"),
    Line("measured", "far", "the game", color=plots.COLOURS["blue"]),
]


class Dirac(Lab):
    """Data at 0, one fake at θ, D(x) = w x: eigenvalues on the left, the whole game on the right.

    Inside the unit circle a step comes closer to home; the angle is how far it turns.
    """

    def __init__(self, loss="non-saturating", lr=0.2, gamma=0.0):
        super().__init__(
            title="The Dirac-GAN: what one eigenvalue says",
            height=430,
            axes=DIRAC_AXES,
            marks=DIRAC_MARKS,
            controls=[
                Choice("loss", "loss", list(LOSSES), loss),
                Slider("lr", "rate η", 0.01, 4, lr, log=True),
                Slider("gamma", "R1 weight γ", 0, 4, gamma, step=0.01),
                Choice("order", "who moves", list(local.ORDERS), local.ORDERS[0], group=MORE),
                Slider("momentum", "momentum β", -0.9, 0.9, 0, step=0.01, group=MORE),
                Slider("θ", "start at θ", -1.5, 1.5, 1, group=MORE),
                Slider("w", "start at w", -1.5, 1.5, 0, group=MORE),
                Number("steps", "steps", 10, 2000, 300, group=MORE),
            ],
        )

    def pointed(self, where, x, y):
        """Start the path here."""
        if where == "plane":
            θ, w = np.clip([finite("x", x), finite("y", y)], -1.5, 1.5).tolist()
            self.tell(θ=θ, w=w)

    def draw(self):
        values = self.values
        how = {name: values[name] for name in ("order", "momentum")}
        near = local.dirac(values["loss"], values["gamma"])
        factors = near.factors(values["lr"], values["lr"], **how)
        path = local.dirac_path(
            values["loss"],
            start=(values["θ"], values["w"]),
            gamma=values["gamma"],
            lr=values["lr"],
            steps=values["steps"],
            **how,
        ).numpy()
        self.factor = float(factors.abs().max())
        self.far = np.hypot(*path.T)
        n = np.arange(len(path))
        with np.errstate(over="ignore"):
            predicted = self.far[0] * self.factor**n
        predicted[predicted > local.FAR] = np.nan
        return {
            "unit": CIRCLE,
            "factors": np.c_[factors.real, factors.imag],
            "path": path,
            "home": [[0, 0]],
            "start": path[:1],
            "predicted": np.c_[n, predicted],
            "measured": np.c_[n, self.far],
        }

    def text(self):
        home = np.flatnonzero(self.far < HOME)
        if len(home):
            end = f"At home (nearer than {HOME:g}) after {home[0]} steps."
        elif np.isnan(self.far[-1]):
            end = "It has left for infinity."
        else:
            end = f"After {len(self.far) - 1} steps it is {self.far[-1]:.3g} away."
        return (
            f"{self.values['order']}, η = {self.values['lr']:.3g}, γ = {self.values['gamma']:.2f}: "
            f"near home a step should multiply the distance by {self.factor:.4f}. {end}"
        )


def _ring_axes(low, high):
    """Eigenvalues, what is left of the push, and a shape of D from `low` to `high`."""
    return [
        Axes(
            "circle",
            box=(0, 0, 0.34, 0.7),
            x=(-1.3, 1.3),
            y=(-1.3, 1.3),
            xlabel="real part of λ (click one)",
            title="one step: all eigenvalues",
        ),
        Axes(
            "ring",
            box=(0.34, 0, 0.36, 1),
            auto="xy",
            xlabel="step",
            title="how far the fakes are off",
        ),
        Axes(
            "shape",
            box=(0.7, 0, 0.3, 1),
            x=(low, high),
            y=(-1.1, 1.1),
            xlabel="x",
            title="D of the chosen mode",
            legend=False,
        ),
    ]


RING_MARKS = [
    Line("unit", "circle", color=plots.COLOURS["grey"]),
    *(
        Points(f"part, {part}", "circle", color=plots.COLOURS["vermillion"], size=size)
        for part, (_, size) in SIZES.items()
    ),
    Points("chosen", "circle", color="#000000", size=18, hollow=True),
    Line("zero", "ring", color=plots.COLOURS["grey"]),
    Line("predicted", "ring", "predicted", color=plots.COLOURS["vermillion"]),
    Points("measured", "ring", "measured", color=plots.COLOURS["blue"], size=4),
    Line("level", "shape", color=plots.COLOURS["grey"]),
    Line("mode", "shape", color=plots.COLOURS["vermillion"], width=2),
]


class Ring(Lab):
    """Push a trained GAN off its rest point and watch it ring, beside what was predicted.

    gan: a `GAN` in one dimension, trained; a copy of it is put to rest exactly (`local.Rest`).
    """

    def __init__(self, gan, *, name=None):
        self.rest = local.Rest(gan)
        low, high = float(self.rest.x.min()), float(self.rest.x.max())
        self.grid = line(low, high, 200)[:, None]
        self.chosen = 0  # of the eigenvalues, by their part in the push
        super().__init__(
            title="Ring a GAN: the spiral that was predicted, and the one that comes",
            height=440,
            name=name,
            axes=_ring_axes(low, high),
            marks=RING_MARKS,
            controls=[
                Choice("loss", "loss", list(LOSSES), "non-saturating"),
                Slider("gamma", "R1 weight γ", 0, 4, 0, step=0.01),
                Slider("lr", "rate η", 0.002, 0.5, 0.02, log=True),
                Slider("faster", "lr_D / lr_G", 0.1, 10, 1, log=True),
                Choice("push", "push", list(local.READ), "shift"),
                Choice("data", "each step sees", [WHOLE, f"{BATCH} draws"], WHOLE),
                Slider("momentum", "momentum β", -0.9, 0.9, 0, step=0.01),
                Number("length", "steps", 20, 1000, 200),
                Number("seed", "seed of the draws", 0, 10**6, 0),
                Button("go", "run to the end"),
            ],
        )
        self.reset()

    def reset(self):
        values = self.values
        self.how = {
            "lr_G": values["lr"],
            "lr_D": values["lr"] * values["faster"],
            "by": PUSH,
            "push": values["push"],
            "momentum": values["momentum"],
        }
        self.said = self.rest.ring(
            values["loss"], values["gamma"], steps=values["length"], **self.how
        )
        whole = values["data"] == WHOLE
        self.gan = self.rest.game(
            values["loss"], values["gamma"], whole=whole, seed=values["seed"], **self.how
        )
        # What D sees as real in a step: all of the law, or draws from it.
        if whole:
            self.data = local.Listed(self.rest.x)
            self.batch = len(self.rest.x)
        else:
            self.data = local.Drawn(self.rest.x)
            self.batch = BATCH
        self.generator = torch.Generator().manual_seed(values["seed"] + 1)
        self.chosen = 0
        self.steps = 0
        self.measured = [PUSH]

    def changed(self, key, value):
        self.reset()

    def pressed(self, key):
        while self.advance() is not False:
            self.steps += 1

    def advance(self):
        if len(self.measured) > self.values["length"]:
            return False
        self.gan.step(self.data.sample(self.batch, self.generator))
        self.measured.append(self._off(self.gan.G))

    @torch.no_grad()
    def _off(self, G):
        """How far the fakes are off, in what is pushed."""
        read = local.READ[self.values["push"]]
        return float(read(G(self.rest.z)) - read(self.rest.x))

    def pointed(self, where, x, y):
        """Choose the eigenvalue that is nearest to the pointer, of those with a part in it."""
        if where == "circle":
            has_part = self.said.parts > SIZES["little"][0]
            distance = (self.said.factors - complex(finite("x", x), finite("y", y))).abs()
            self.chosen = int(torch.where(has_part, distance, math.inf).argmin())

    def _shape(self, u):
        """What a mode does to D on the grid, about its mean: the offset of D moves no fake."""
        shape = self.rest.features_of(self.grid).to(u) @ u
        shape = shape - self.rest.features.to(u).mean(0) @ u
        return (shape / shape[shape.abs().argmax()]).real

    def draw(self):
        factors = torch.view_as_real(self.said.factors).numpy()
        parts = self.said.parts.numpy()
        frame: dict = {}
        most = math.inf
        for part, (least, _) in SIZES.items():
            frame[f"part, {part}"] = factors[(parts > least) & (parts <= most)]
            most = least

        n = np.arange(len(self.said.off))
        steps = np.arange(len(self.measured))
        shape = self._shape(self.said.shapes[:, self.chosen]).numpy()
        low, high = self.grid[0].item(), self.grid[-1].item()
        return frame | {
            "unit": CIRCLE,
            "chosen": factors[[self.chosen]],
            "zero": [[0, 0], [n[-1], 0]],
            "predicted": np.c_[n, self.said.off],
            "measured": np.c_[steps, self.measured],
            "level": [[low, 0], [high, 0]],
            "mode": np.c_[self.grid, shape],
        }

    def text(self):
        λ = complex(self.said.factors[self.chosen])
        words = f"The chosen mode shrinks by {abs(λ):.4f} a step"
        if abs(λ.imag) > 1e-9:
            words += f" and turns once in {2 * math.pi / abs(math.atan2(λ.imag, λ.real)):.0f} steps"
        gap = np.array(self.measured) - self.said.off[: len(self.measured)].numpy()
        rms = float(np.sqrt(np.mean(gap**2))) / PUSH
        return (
            f"{words}. After {len(self.measured) - 1} steps the fakes are off by "
            f"{self.measured[-1]:.4f}; so far the prediction missed by {rms:.1%} of the push."
        )
