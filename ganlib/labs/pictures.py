"""The labs of pictures.

Train and watch, walk in z, stamp a transposed convolution, judge, and look for copies.
"""

import numpy as np
import torch

from ganlib import images, metrics, plots, training
from ganlib.networks import ask
from ganlib.stage.lab import Lab
from ganlib.stage.scene import (
    Axes,
    Button,
    Choice,
    Handles,
    Heat,
    Line,
    Number,
    Points,
    Slider,
    Text,
)

OFTEN = 100  # steps from one measure to the next
POINTS = 300  # of a curve, about: with more steps a point is the mean of several
CASES = 20  # pictures that are judged, half of them real
STRAIGHT = "straight (lerp)"
ARC = "arc (the path of slerp)"


class PictureLab(Lab):
    """Train a `training.Run` and watch it.

    Shown are 36 samples of the averaged G, both losses, D(x), D(G(z)), and FD to `real`. make:
    returns a new run, for the start and for every reset. All measures come every 100 steps.
    """

    def __init__(self, make, real, classifier):
        self.make = make
        self.real = real
        self.classifier = classifier
        self.run_ = make()
        self.ledger = {}  # the measures, by step
        gan = self.run_.gan
        super().__init__(
            title="A DCGAN while it trains",
            height=420,
            axes=[
                Axes(
                    "wall",
                    box=(0, 0, 0.51, 1),
                    title="36 samples, always from the same z",
                    frame=False,
                ),
                _curves("loss", top=0, height=0.32, auto="xy"),
                _curves("D", top=0.32, height=0.32, auto="x"),
                _curves("FD", top=0.64, height=0.36, auto="x", y=(1, 2000), log="y", xlabel="step"),
            ],
            marks=[
                _grey("wall"),
                Line("loss_G", "loss", "loss of G", style="G"),
                Line("loss_D", "loss", "loss of D", style="D"),
                Line("D_real", "D", "D(x)", style="data"),
                Line("D_fake", "D", "D(G(z))", style="G"),
                Line("FD", "FD", "Fréchet distance", style="JS"),
            ],
            controls=[
                Slider("lr_G", "learning rate of G", 1e-5, 1e-1, gan.lr_G, log=True),
                Slider("lr_D", "learning rate of D", 1e-5, 1e-1, gan.lr_D, log=True),
            ],
        )

    def reset(self):
        self.run_ = self.make()
        self.ledger = {}
        self.steps = 0
        for key, value in self.values.items():
            self.changed(key, value)

    def changed(self, key, value):
        setattr(self.run_.gan, key, value)

    def advance(self):
        run = self.run_
        run.step()
        if run.gan.steps % OFTEN == 0:
            made = run.sample(1000)
            self.ledger[run.gan.steps] = metrics.evaluate(made, self.real, self.classifier)

    def draw(self):
        names = training.NUMBERS
        rows = [
            [record[name] for name in names]
            for record in self.run_.gan.history
            if not isinstance(record["D_fake"], torch.Tensor)  # else nobody has read it yet
        ]
        noted = np.array(rows).reshape(-1, len(names))
        stride = max(1, len(noted) // POINTS)  # every point is the mean of so many steps
        whole = noted[: len(noted) // stride * stride]
        means = whole.reshape(-1, stride, len(names)).mean(1)
        steps = stride * np.arange(1, len(means) + 1)
        return {
            "wall": _wall(self.run_.sample(36), 6),
            "FD": [(step, measures["FD"]) for step, measures in self.ledger.items()],
            **{name: np.c_[steps, mean] for name, mean in zip(names, means.T)},
        }

    def text(self):
        if not self.ledger:
            return f"{self.claim()}."
        step, measures = list(self.ledger.items())[-1]
        said = ", ".join(f"{name} {value:.2f}" for name, value in measures.items())
        return f"{self.claim()}; at step {step}: {said}."

    def claim(self):
        return f"step {self.run_.gan.steps}"


class LatentWalk(Lab):
    """Drag in a plane through z, z = A + u (B − A) + v (C − A), and see G(z).

    A − B + C lies at u = −1, v = 1.
    """

    CORNERS = ((0, 0, "A"), (1, 0, "B"), (0, 1, "C"), (-1, 1, "A − B + C"))
    REACH = 1.5  # of u and v

    def __init__(self, G, z_dim, *, seed=0):
        self.G = G
        self.z_dim = z_dim
        super().__init__(
            title="A walk in z",
            height=340,
            axes=[
                Axes(
                    "plane",
                    box=(0.015, 0, 0.385, 1),
                    x=(-self.REACH, self.REACH),
                    y=(-self.REACH, self.REACH),
                    xlabel="u",
                    ylabel="v",
                    legend=False,
                ),
                Axes(
                    "picture",
                    box=(0.416, 0, 0.32, 0.72),
                    title="G(z) where the dot is",
                    frame=False,
                ),
                Axes(
                    "way",
                    box=(0.416, 0.72, 0.584, 0.28),
                    title="from A to B in nine pictures",
                    frame=False,
                ),
            ],
            marks=[
                Points("corners", "plane", color=plots.COLOURS["grey"], size=6),
                Text("names", "plane"),
                Handles("dot", "plane", color=plots.COLOURS["green"]),
                _grey("picture"),
                _grey("way"),
            ],
            controls=[
                Slider("u", "u, from A to B", -self.REACH, self.REACH, 0.5, step=0.01),
                Slider("v", "v, from A to C", -self.REACH, self.REACH, 0.0, step=0.01),
                Choice("walk", "walk", [STRAIGHT, ARC], STRAIGHT),
                Number("seed", "A, B, C number", 0, 10**6, seed),
                Button("sum", "go to A − B + C"),
            ],
        )

    def pressed(self, key):
        self.tell(u=-1.0, v=1.0)

    def dragged(self, mark, index, x, y):
        u = max(-self.REACH, min(self.REACH, x))
        v = max(-self.REACH, min(self.REACH, y))
        self.tell(u=u, v=v)

    def z(self, u, v):
        """The point of the plane, (z_dim,).

        On the arc, ways along u and v are those of `_slerp`, and A − B + C is brought to the mean
        length of A, B and C.
        """
        generator = torch.Generator().manual_seed(self.values["seed"])
        corners = torch.randn(3, self.z_dim, generator=generator)
        a, b, c = corners
        if self.values["walk"] == STRAIGHT:
            return a + u * (b - a) + v * (c - a)
        fourth = a - b + c
        fourth = fourth / fourth.norm() * corners.norm(dim=1).mean()
        return _slerp(_slerp(a, b, u), _slerp(fourth, c, 1 + u), v)

    def draw(self):
        here = self.values["u"], self.values["v"]
        way = [self.z(k / 8, 0.0) for k in range(9)]
        x = ask(self.G, torch.stack([self.z(*here), *way]))
        return {
            "dot": [here],
            "picture": _wall(x[:1]),
            "way": _wall(x[1:], 9),
            "corners": [(u, v) for u, v, _ in self.CORNERS],
            "names": [[u, v + 0.17, name] for u, v, name in self.CORNERS],
        }

    def text(self):
        u = self.values["u"]
        v = self.values["v"]
        return (
            f"u = {u:.2f}, v = {v:.2f}: the length of z is {float(self.z(u, v).norm()):.1f}; "
            f"most of N(0, I) in {self.z_dim} dimensions lies near {self.z_dim**0.5:.1f}."
        )


class TransposedConvolution(Lab):
    """Each number of a 3×3 map stamps the kernel onto a larger map, `stride` apart.

    Stamps that overlap add up.
    """

    def __init__(self):
        super().__init__(
            title="Transposed convolution, stamp by stamp",
            height=320,
            axes=[
                Axes("in", box=(0, 0.1, 0.32, 0.78), title="input, 3×3", frame=False),
                Axes(
                    "out",
                    box=(0.36, 0, 0.4, 1),
                    title="output: how often each pixel was stamped",
                    frame=False,
                ),
            ],
            marks=[
                Heat("in", "in", smooth=False),
                Heat("out", "out", smooth=False),
                Text("counts", "out", size=12),
            ],
            controls=[
                Slider("kernel", "kernel", 1, 5, 3, step=1),
                Slider("stride", "stride", 1, 3, 2, step=1),
                Slider("padding", "padding", 0, 2, 0, step=1),
            ],
        )

    def reset(self):
        self.steps = 0

    def changed(self, key, value):
        if 2 * self.values["padding"] >= self.values["kernel"]:
            raise ValueError(f"padding must be less than half the kernel {self.values['kernel']:g}")
        self.reset()

    def advance(self):
        if self.steps >= 9:
            self.pause("All nine stamps are down.")
            return False

    def counts(self):
        """The output of torch's own transposed convolution for ones, as many as stamps are down."""
        kernel = int(self.values["kernel"])
        x = (torch.arange(9) < self.steps).float().view(1, 1, 3, 3)
        out = torch.nn.functional.conv_transpose2d(
            x,
            torch.ones(1, 1, kernel, kernel),
            stride=int(self.values["stride"]),
            padding=int(self.values["padding"]),
        )
        return out[0, 0].numpy()

    def draw(self):
        out = self.counts()
        side = len(out)
        numbers = [
            [(j + 0.5) / side, 1 - (i + 0.5) / side, f"{times:.0f}"]
            for (i, j), times in np.ndenumerate(out)
        ]
        stamps = np.arange(1, 10)
        shades = np.where(stamps < self.steps, 0.35, 0.08)  # those that are down, those to come
        shades[stamps == self.steps] = 1
        # Nine stamps at two thirds of the scale: black figures stay readable.
        return {"in": shades.reshape(3, 3)[::-1], "out": out[::-1] / 13.5, "counts": numbers}

    def inner(self):
        """The pixels that would get no more stamps if the input went on to all sides: one slice.

        It holds for rows as for columns; it may be empty.
        """
        kernel, stride, padding = (int(self.values[key]) for key in ("kernel", "stride", "padding"))
        first = max(0, kernel - stride - padding)
        return slice(first, max(first, 3 * stride - padding))

    def text(self):
        out = self.counts()
        inside = out[self.inner(), self.inner()]
        kernel = self.values["kernel"]
        stride = self.values["stride"]
        padding = self.values["padding"]
        if self.steps < 9:
            stamped = ""
        elif inside.size:
            times = f"{inside.min():.0f} to {inside.max():.0f} times"
            stamped = f" Away from the rim, pixels are stamped {times}."
        else:
            stamped = " With so large a kernel, all of it is rim."
        return (
            f"{self.steps} of 9 stamps. "
            f"Side: (3 − 1)·{stride:g} − 2·{padding:g} + {kernel:g} = {len(out)}.{stamped}"
        )


class WhichIsReal(Lab):
    """One picture at a time: real or made by G? You answer.

    Then D's answer, the truth and both scores are shown.
    """

    def __init__(self, G, D, real, z, *, seed=0):
        half = CASES // 2
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(real), generator=generator)[:half]
        order = torch.randperm(CASES, generator=generator)
        self.x = torch.cat([real[chosen].cpu(), ask(G, z[:half])])[order]
        self.truth = (order < half).numpy()
        self.belief = ask(D, self.x).sigmoid().flatten().numpy()
        self.answers: list[bool] = []  # whether the learner said real
        super().__init__(
            title="Which is real?",
            height=300,
            axes=[
                Axes("picture", box=(0, 0, 0.39, 1), frame=False),
                Axes(
                    "score",
                    box=(0.42, 0, 0.5, 1),
                    x=(0, CASES),
                    y=(0, CASES),
                    xlabel="pictures judged",
                    ylabel="right",
                ),
            ],
            marks=[
                _grey("picture"),
                Line("you", "score", "you", style="G"),
                Line("D", "score", "D", style="D"),
                Line("coin", "score", "a coin", style="half"),
            ],
            controls=[
                Button("real", "real"),
                Button("fake", "made by G"),
                Button("again", "again"),
            ],
        )

    def pressed(self, key):
        if key == "again":
            self.answers = []
        elif len(self.answers) < CASES:
            self.answers.append(key == "real")

    def scores(self):
        """How many were right so far, you and D, each from 0 on."""
        done = len(self.answers)
        truth = self.truth[:done]
        you = np.array(self.answers, bool) == truth
        D = (self.belief[:done] > 0.5) == truth
        return [np.concatenate([[0], np.cumsum(right)]) for right in (you, D)]

    def draw(self):
        you, D = self.scores()
        now = min(len(self.answers), CASES - 1)
        return {
            "picture": _wall(self.x[[now]]),
            "you": list(enumerate(you)),
            "D": list(enumerate(D)),
            "coin": [[0, 0], [CASES, CASES / 2]],
        }

    def text(self):
        done = len(self.answers)
        if not done:
            return f"picture 1 of {CASES}: real, or made by G?"
        you, D = (right[-1] for right in self.scores())
        was = "real" if self.truth[done - 1] else "made by G"
        return (
            f"The last was {was}; D said real with {self.belief[done - 1]:.2f}. "
            f"{done} judged: you {you} right, D {D} right."
        )


class Neighbours(Lab):
    """A generated picture beside its nearest real ones.

    Above among those it was trained on, below among the others.
    """

    def __init__(self, fake, train, held_out, *, k=6):
        half = min(len(train), len(held_out))  # equal: of more pictures some are nearer by chance
        self.fake = fake.cpu()
        self.parts = train[:half].cpu(), held_out[:half].cpu()
        self.found = [metrics.nearest(self.fake, part, k) for part in self.parts]
        super().__init__(
            title="Was it memorised?",
            height=264,
            axes=[
                Axes(
                    "wall",
                    frame=False,
                    title="sample | its nearest in train (above), held-out (below)",
                )
            ],
            marks=[_grey("wall")],
            controls=[Number("sample", "sample", 0, len(fake) - 1, 0)],
        )

    def draw(self):
        i = self.values["sample"]
        rows = []
        for part, (_, index) in zip(self.parts, self.found):
            rows += [self.fake[i : i + 1], part[index[i]]]
        columns = len(rows[0]) + len(rows[1])
        return {"wall": _wall(torch.cat(rows), columns)}

    def text(self):
        i = self.values["sample"]
        train, held_out = (float(distance[i, 0]) for distance, _ in self.found)
        nearer = "train" if train < held_out else "held-out"
        return (
            f"sample {i}: the nearest training picture is {train:.1f} away, "
            f"the nearest held-out one {held_out:.1f}; {nearer} is nearer."
        )


def _slerp(a, b, t):
    """The point t on the arc from a to b: (sin((1 − t)Ω) a + sin(tΩ) b) / sin Ω.

    Ω is the angle between a and b. Source: Shoemake 1985.
    """
    angle = torch.arccos(torch.cosine_similarity(a, b, dim=0))
    of_a = torch.sin((1 - t) * angle) * a
    of_b = torch.sin(t * angle) * b
    return (of_a + of_b) / torch.sin(angle)


def _grey(key):
    """A picture in grey that fills the axes of the same key."""
    return Heat(key, key, palette="grey", smooth=False)


def _wall(x, columns=1):
    """A mosaic as a heat mark wants it, its first row at the bottom; colour becomes brightness."""
    return np.atleast_3d(images.mosaic(x, columns)).mean(2)[::-1]


def _curves(key, *, top, height, **more):
    """Axes for curves over the steps, on the right side."""
    box = (0.51, top, 0.49, height)
    return Axes(key, box=box, x=(0, 100), ylabel=key, **more)
