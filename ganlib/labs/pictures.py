"""The labs of pictures: train and watch, walk in z, stamp a transposed convolution, judge, look for copies."""

import numpy as np
import torch

from ganlib import images, metrics, plots, training
from ganlib.labs.runner import Lab
from ganlib.labs.scene import (
    axes,
    button,
    choice,
    handles,
    heat,
    line,
    number,
    points,
    slider,
    text,
)


def _grey(key):
    return heat(key, key, palette="grey", smooth=False)


def _wall(x, columns=1):
    """A mosaic as a heat mark wants it, its first row at the bottom; colour becomes brightness."""
    return np.atleast_3d(images.mosaic(x, columns)).mean(2)[::-1]


class PictureLab(Lab):
    """Train a `training.Run` and watch 36 samples of the averaged G, both losses, D(x), D(G(z)), and FD to `real`.

    make: returns a new run, for the start and for every reset. All measures come every 100 steps.
    """

    def __init__(self, make, real, classifier):
        self.make, self.real, self.classifier, self.run_, self.ledger = (
            make,
            real,
            classifier,
            make(),
            {},
        )
        right = {"x": (0, 100), "legend": "top"}
        super().__init__(
            title="A DCGAN while it trains",
            height=420,
            axes=[
                axes(
                    "wall",
                    box=(0, 0, 0.51, 1),
                    title="36 samples, always from the same z",
                    frame=False,
                ),
                axes("loss", box=(0.51, 0, 0.49, 0.32), auto="xy", ylabel="loss", **right),
                axes("D", box=(0.51, 0.32, 0.49, 0.32), auto="x", ylabel="D", **right),
                axes(
                    "FD",
                    box=(0.51, 0.64, 0.49, 0.36),
                    y=(1, 2000),
                    auto="x",
                    log="y",
                    xlabel="step",
                    ylabel="FD",
                    **right,
                ),
            ],
            marks=[
                _grey("wall"),
                line("loss_G", "loss", "loss of G", style="G"),
                line("loss_D", "loss", "loss of D", style="D"),
                line("D_real", "D", "D(x)", style="data"),
                line("D_fake", "D", "D(G(z))", style="G"),
                line("FD", "FD", "Fréchet distance", style="JS"),
            ],
            controls=[
                slider(
                    k, f"learning rate of {k[-1]}", 1e-5, 1e-1, getattr(self.run_.gan, k), log=True
                )
                for k in ("lr_G", "lr_D")
            ],
        )

    def reset(self):
        self.run_, self.ledger, self.steps = self.make(), {}, 0
        for key, value in self.values.items():
            self.changed(key, value)

    def advance(self):
        self.run_.step()
        if self.run_.gan.steps % 100 == 0:
            self.ledger[self.run_.gan.steps] = metrics.evaluate(
                self.run_.sample(1000), self.real, self.classifier
            )

    def changed(self, key, value):
        setattr(self.run_.gan, key, value)

    def draw(self):
        noted = np.array(
            [[record[name] for name in training.NUMBERS] for record in self.run_.gan.history]
        ).reshape(-1, 4)
        stride = max(1, len(noted) // 300)  # every point is the mean of `stride` steps
        means = noted[: len(noted) // stride * stride].reshape(-1, stride, 4).mean(1)
        return {
            "wall": _wall(self.run_.sample(36), 6),
            "FD": [(step, now["FD"]) for step, now in self.ledger.items()],
            **{
                name: np.c_[stride * np.arange(1, len(mean) + 1), mean]
                for name, mean in zip(training.NUMBERS, means.T)
            },
        }

    def text(self):
        said = [
            f"at step {step}: " + ", ".join(f"{k} {v:.2f}" for k, v in now.items())
            for step, now in self.ledger.items()
        ]
        return "; ".join([self.claim(), *said[-1:]]) + "."

    def claim(self):
        return f"step {self.run_.gan.steps}"


class LatentWalk(Lab):
    """Drag in a plane through z, z = A + u (B − A) + v (C − A), and see G(z); A − B + C lies at u = −1, v = 1."""

    def __init__(self, G, z_dim, *, seed=0):
        self.G, self.z_dim, self.corners = (
            G,
            z_dim,
            {"A": (0, 0), "B": (1, 0), "C": (0, 1), "A − B + C": (-1, 1)},
        )
        super().__init__(
            title="A walk in z",
            height=340,
            axes=[
                axes(
                    "plane",
                    box=(0.015, 0, 0.385, 1),
                    x=(-1.5, 1.5),
                    y=(-1.5, 1.5),
                    xlabel="u",
                    ylabel="v",
                    legend=False,
                ),
                axes(
                    "picture",
                    box=(0.416, 0, 0.32, 0.72),
                    title="G(z) where the dot is",
                    frame=False,
                ),
                axes(
                    "way",
                    box=(0.416, 0.72, 0.584, 0.28),
                    title="from A to B in nine pictures",
                    frame=False,
                ),
            ],
            marks=[
                points("corners", "plane", color=plots.COLOURS["grey"], size=6),
                text("names", "plane"),
                handles("dot", "plane", color=plots.COLOURS["green"]),
                _grey("picture"),
                _grey("way"),
            ],
            controls=[
                slider("u", "u, from A to B", -1.5, 1.5, 0.5, step=0.01),
                slider("v", "v, from A to C", -1.5, 1.5, 0.0, step=0.01),
                choice(
                    "walk",
                    "walk",
                    ["straight (lerp)", "arc (the path of slerp)"],
                    "straight (lerp)",
                ),
                number("seed", "A, B, C number", 0, 10**6, seed),
                button("sum", "go to A − B + C"),
            ],
        )

    def z(self, u, v):
        """The point of the plane, (z_dim,); on the arc its length is the mean length of A, B and C."""
        a, b, c = anchors = torch.randn(
            3, self.z_dim, generator=torch.Generator().manual_seed(self.values["seed"])
        )
        z = a + u * (b - a) + v * (c - a)
        return (
            z
            if self.values["walk"].startswith("straight")
            else z / z.norm() * anchors.norm(dim=1).mean()
        )

    def pressed(self, key):
        self.tell(u=-1.0, v=1.0)

    def dragged(self, mark, index, x, y):
        self.tell(u=max(-1.5, min(1.5, x)), v=max(-1.5, min(1.5, y)))

    def draw(self):
        here = self.values["u"], self.values["v"]
        x = self.G(torch.stack([self.z(*here), *(self.z(k / 8, 0.0) for k in range(9))]))
        return {
            "dot": [here],
            "picture": _wall(x[:1]),
            "way": _wall(x[1:], 9),
            "corners": list(self.corners.values()),
            "names": [[u, v + 0.17, name] for name, (u, v) in self.corners.items()],
        }

    def text(self):
        u, v = self.values["u"], self.values["v"]
        return (
            f"u = {u:.2f}, v = {v:.2f}: the length of z is {float(self.z(u, v).norm()):.1f}; "
            f"most of N(0, I) in {self.z_dim} dimensions lies near {self.z_dim**0.5:.1f}."
        )


class TransposedConvolution(Lab):
    """Each number of a 3×3 map stamps the kernel onto a larger map, `stride` apart; overlapping stamps add up."""

    def __init__(self):
        super().__init__(
            title="Transposed convolution, stamp by stamp",
            height=320,
            axes=[
                axes("in", box=(0, 0.1, 0.32, 0.78), title="input, 3×3", frame=False),
                axes(
                    "out",
                    box=(0.36, 0, 0.4, 1),
                    title="output: how often each pixel was stamped",
                    frame=False,
                ),
            ],
            marks=[
                heat("in", "in", smooth=False),
                heat("out", "out", smooth=False),
                text("counts", "out", size=12),
            ],
            controls=[
                slider("kernel", "kernel", 1, 5, 3, step=1),
                slider("stride", "stride", 1, 3, 2, step=1),
                slider("padding", "padding", 0, 2, 0, step=1),
            ],
        )

    def changed(self, key, value):
        if 2 * self.values["padding"] >= self.values["kernel"]:
            raise ValueError(f"padding must be less than half the kernel {self.values['kernel']:g}")
        self.reset()

    def reset(self):
        self.steps = 0

    def advance(self):
        if self.steps >= 9:
            self.pause("All nine stamps are down.")
            return False

    def counts(self):
        """The output of torch's own transposed convolution for ones, as many as stamps are down."""
        k, s, p = (int(self.values[key]) for key in ("kernel", "stride", "padding"))
        x = (torch.arange(9) < self.steps).float().view(1, 1, 3, 3)
        return torch.nn.functional.conv_transpose2d(x, torch.ones(1, 1, k, k), stride=s, padding=p)[
            0, 0
        ].numpy()

    def draw(self):
        out, stamps = self.counts(), np.arange(1, 10)
        shades = np.where(stamps == self.steps, 1, np.where(stamps < self.steps, 0.35, 0.08))
        names = [
            [(j + 0.5) / len(out), 1 - (i + 0.5) / len(out), f"{n:.0f}"]
            for (i, j), n in np.ndenumerate(out)
        ]
        return {"in": shades.reshape(3, 3)[::-1], "out": out[::-1] / 9, "counts": names}

    def text(self):
        out, (k, s, p) = (
            self.counts(),
            (self.values[key] for key in ("kernel", "stride", "padding")),
        )
        return (
            f"{self.steps} of 9 stamps. Side: (3 − 1)·{s:g} − 2·{p:g} + {k:g} = {len(out)}. "
            f"Inside, pixels are stamped {out[1:-1, 1:-1].min():.0f} to {out.max():.0f} times."
        )


class WhichIsReal(Lab):
    """One picture at a time: real or made by G? You answer, then D's answer, the truth and both scores are shown."""

    def __init__(self, G, D, real, z, *, seed=0):
        generator = torch.Generator().manual_seed(seed)
        ten, order = (
            torch.randperm(len(real), generator=generator)[:10],
            torch.randperm(20, generator=generator),
        )
        self.x, self.truth = torch.cat([real[ten], G(z[:10])])[order], (order < 10).numpy()
        self.belief = D(self.x).sigmoid().flatten().numpy()
        self.answers: list[bool] = []
        super().__init__(
            title="Which is real?",
            height=300,
            axes=[
                axes("picture", box=(0, 0, 0.39, 1), frame=False),
                axes(
                    "score",
                    box=(0.42, 0, 0.5, 1),
                    x=(0, 20),
                    y=(0, 20),
                    xlabel="pictures judged",
                    ylabel="right",
                ),
            ],
            marks=[
                _grey("picture"),
                line("you", "score", "you", style="G"),
                line("D", "score", "D", style="D"),
                line("coin", "score", "a coin", style="half"),
            ],
            controls=[
                button("real", "real"),
                button("fake", "made by G"),
                button("again", "again"),
            ],
        )

    def pressed(self, key):
        self.answers = [] if key == "again" else [*self.answers, key == "real"][:20]

    def scores(self):
        """How many were right so far, you and D, each from 0 on."""
        done = len(self.answers)
        right = [
            np.array(self.answers, bool) == self.truth[:done],
            (self.belief[:done] > 0.5) == self.truth[:done],
        ]
        return [np.concatenate([[0], np.cumsum(r)]) for r in right]

    def draw(self):
        you, D = (list(enumerate(score)) for score in self.scores())
        return {
            "picture": _wall(self.x[[min(len(you) - 1, 19)]]),
            "you": you,
            "D": D,
            "coin": [[0, 0], [20, 10]],
        }

    def text(self):
        done, (you, D) = len(self.answers), (score[-1] for score in self.scores())
        if not done:
            return "picture 1 of 20: real, or made by G?"
        return (
            f"The last was {'real' if self.truth[done - 1] else 'made by G'}; D said real with "
            f"{self.belief[done - 1]:.2f}. {done} judged: you {you} right, D {D} right."
        )


class Neighbours(Lab):
    """A generated picture beside its nearest real ones: above among those it was trained on, below among the others."""

    def __init__(self, fake, train, held_out, *, k=6):
        half = min(
            len(train), len(held_out)
        )  # equal halves: more pictures are nearer by chance alone
        self.fake, self.found = (
            fake,
            [(part, *metrics.nearest(fake, part, k)) for part in (train[:half], held_out[:half])],
        )
        super().__init__(
            title="Was it memorised?",
            height=264,
            marks=[_grey("wall")],
            axes=[
                axes(
                    "wall",
                    frame=False,
                    title="sample | its nearest in train (above), held-out (below)",
                )
            ],
            controls=[number("sample", "sample", 0, len(fake) - 1, 0)],
        )

    def draw(self):
        i = self.values["sample"]
        rows = [torch.cat([self.fake[i : i + 1], part[index[i]]]) for part, _, index in self.found]
        return {"wall": _wall(torch.cat(rows), len(rows[0]))}

    def text(self):
        i = self.values["sample"]
        train, held_out = (float(distance[i, 0]) for _, distance, _ in self.found)
        return (
            f"sample {i}: the nearest training picture is {train:.1f} away, the nearest held-out one "
            f"{held_out:.1f}; {'train' if train < held_out else 'held-out'} is nearer."
        )
