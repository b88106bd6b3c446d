"""The labs of pictures: train and watch, walk in z, stamp a transposed convolution, judge, look for copies."""

import numpy as np
import torch

from ganlib.images import mosaic
from ganlib.labs.runner import Lab
from ganlib.labs.scene import axes, button, choice, handles, heat, line, number, points, slider, text
from ganlib.metrics import evaluate, nearest
from ganlib.plots import COLOURS

__all__ = ["LatentWalk", "Neighbours", "PictureLab", "TransposedConvolution", "WhichIsReal"]


def _wall(x, columns):
    """A mosaic as a heat mark wants it, its first row at the bottom; colour becomes brightness."""
    wall = mosaic(x, columns)
    return (wall if wall.ndim == 2 else wall.mean(2))[::-1]


class PictureLab(Lab):
    """Train a `training.Run` and watch 36 samples of the averaged G, both losses, D(x), D(G(z)), measures."""

    def __init__(self, run, real=None, classifier=None):
        self.run_, self.real, self.classifier, self.ledger = run, real, classifier, []
        super().__init__(
            title="A DCGAN while it trains", height=340,
            axes=[axes("wall", box=(0, 0, 0.416, 1), title="36 samples, always from the same z", frame=False),
                  axes("loss", box=(0.416, 0, 0.584, 0.5), x=(0, 100), auto="xy", ylabel="loss"),
                  axes("belief", box=(0.416, 0.5, 0.584, 0.5), x=(0, 100), y=(0, 1), auto="x", xlabel="step",
                       ylabel="D")],
            marks=[heat("wall", "wall", palette="grey", smooth=False),
                   line("loss_G", "loss", "loss of G", style="G"), line("loss_D", "loss", "loss of D", style="D"),
                   line("D_real", "belief", "D(x)", style="data"), line("D_fake", "belief", "D(G(z))", style="G")],
            controls=[slider("lr_G", "learning rate of G", 1e-5, 1e-1, run.gan.lr_G, log=True),
                      slider("lr_D", "learning rate of D", 1e-5, 1e-1, run.gan.lr_D, log=True)])

    def advance(self):
        self.run_.step()
        if self.classifier is not None and self.run_.gan.steps % 100 == 0:
            fake = self.run_.sample(len(self.real))
            self.ledger.append((self.run_.gan.steps, evaluate(fake, self.real, self.classifier)))

    def changed(self, key, value):
        setattr(self.run_.gan, key, value)

    def draw(self):
        history = self.run_.gan.history
        stride = max(1, len(history) // 300)  # every point is the mean of `stride` steps
        steps = np.arange(stride, len(history) + 1, stride)
        curves = {name: np.array([h[name] for h in history[:len(steps) * stride]]).reshape(-1, stride).mean(1)
                  for name in ("loss_G", "loss_D", "D_real", "D_fake")}
        return {"wall": _wall(self.run_.sample(36), 6)} | {k: np.stack([steps, v], 1) for k, v in curves.items()}

    def text(self):
        if not self.ledger:
            return f"step {self.run_.gan.steps}; the measures come every 100 steps."
        step, now = self.ledger[-1]
        return f"step {self.run_.gan.steps}; at step {step}: " + ", ".join(f"{k} {v:.2f}" for k, v in now.items()) + "."


class LatentWalk(Lab):
    """Drag in a plane through z, z = A + u (B − A) + v (C − A), and see G(z); A − B + C lies at u = −1, v = 1."""

    def __init__(self, G, z_dim, *, seed=0):
        self.G, self.z_dim = G, z_dim
        self.corners = {"A": (0, 0), "B": (1, 0), "C": (0, 1), "A − B + C": (-1, 1)}
        super().__init__(
            title="A walk in z", height=340,
            axes=[axes("plane", box=(0, 0, 0.4, 1), x=(-1.5, 1.5), y=(-1.5, 1.5), xlabel="u", ylabel="v", legend=False),
                  axes("picture", box=(0.416, 0, 0.3, 0.72), title="G(z) where the dot is", frame=False),
                  axes("way", box=(0.416, 0.72, 0.584, 0.28), title="from A to B in nine pictures", frame=False)],
            marks=[points("corners", "plane", color=COLOURS["grey"], size=6), text("names", "plane"),
                   handles("dot", "plane", color=COLOURS["green"]),
                   heat("picture", "picture", palette="grey", smooth=False),
                   heat("way", "way", palette="grey", smooth=False)],
            controls=[slider("u", "u, from A to B", -1.5, 1.5, 0.5, step=0.01),
                      slider("v", "v, from A to C", -1.5, 1.5, 0.0, step=0.01),
                      choice("walk", "walk", ["straight (lerp)", "arc (the path of slerp)"], "straight (lerp)"),
                      number("seed", "A, B, C number", 0, 10**6, seed), button("sum", "go to A − B + C")])

    def z(self, u, v):
        """The point of the plane, (z_dim,); on the arc its length is the mean length of A, B and C."""
        anchors = torch.randn(3, self.z_dim, generator=torch.Generator().manual_seed(self.values["seed"]))
        a, b, c = anchors
        z = a + u * (b - a) + v * (c - a)
        return z if self.values["walk"].startswith("straight") else z / z.norm() * anchors.norm(dim=1).mean()

    def pressed(self, key):
        self.tell(u=-1.0, v=1.0)

    def dragged(self, mark, index, x, y):
        self.tell(u=max(-1.5, min(1.5, x)), v=max(-1.5, min(1.5, y)))

    def draw(self):
        here = self.values["u"], self.values["v"]
        z = torch.stack([self.z(*here), *(self.z(k / 8, 0.0) for k in range(9))])
        x = self.G(z)
        return {"dot": [here], "corners": list(self.corners.values()),
                "picture": _wall(x[:1], 1), "way": _wall(x[1:], 9),
                "names": [[u, v + 0.17, name] for name, (u, v) in self.corners.items()]}

    def text(self):
        u, v = self.values["u"], self.values["v"]
        return (f"u = {u:.2f}, v = {v:.2f}: the length of z is {float(self.z(u, v).norm()):.1f}; "
                f"most of N(0, I) in {self.z_dim} dimensions lies near {self.z_dim ** 0.5:.1f}.")


class TransposedConvolution(Lab):
    """Each number of a 3×3 map stamps the kernel onto a larger map, `stride` apart; overlapping stamps add up."""

    def __init__(self):
        super().__init__(
            title="Transposed convolution, stamp by stamp", height=300,
            axes=[axes("in", box=(0, 0, 0.3, 0.9), title="input, 3×3", frame=False),
                  axes("out", box=(0.33, 0, 0.36, 1), title="output: how often each pixel was stamped", frame=False)],
            marks=[heat("in", "in", smooth=False), heat("out", "out", smooth=False), text("counts", "out", size=12)],
            controls=[slider("kernel", "kernel", 1, 5, 3, step=1), slider("stride", "stride", 1, 3, 2, step=1),
                      slider("padding", "padding", 0, 2, 0, step=1)])

    def changed(self, key, value):
        if 2 * self.values["padding"] >= self.values["kernel"]:
            raise ValueError(f"padding must be less than half the kernel {self.values['kernel']:g}")
        self.steps = 0

    def reset(self):
        self.steps = 0

    def advance(self):
        if self.steps >= 9:
            self.pause("All nine stamps are down.")
            return False

    def counts(self):
        """The output of torch's own transposed convolution for ones, as many as stamps are down."""
        kernel, stride, padding = (int(self.values[k]) for k in ("kernel", "stride", "padding"))
        x = (torch.arange(9) < self.steps).float().view(1, 1, 3, 3)
        ones = torch.ones(1, 1, kernel, kernel)
        return torch.nn.functional.conv_transpose2d(x, ones, stride=stride, padding=padding)[0, 0].numpy()

    def draw(self):
        out, side = self.counts(), self.counts().shape[0]
        done = np.where(np.arange(9) < self.steps - 1, 0.35, 0.0)
        done[max(self.steps - 1, 0)] = 1.0 if self.steps else 0.0
        names = [[(j + 0.5) / side, 1 - (i + 0.5) / side, f"{out[i, j]:.0f}"] for i in range(side) for j in range(side)]
        return {"in": done.reshape(3, 3)[::-1], "out": out[::-1] / 9, "counts": names}

    def text(self):
        out, (k, s, p) = self.counts(), (int(self.values[key]) for key in ("kernel", "stride", "padding"))
        return (f"{self.steps} of 9 stamps. Side: (3 − 1)·{s} − 2·{p} + {k} = {len(out)}. Inside, pixels are stamped "
                f"{out[1:-1, 1:-1].min() if len(out) > 2 else out.min():.0f} to {out.max():.0f} times.")


class WhichIsReal(Lab):
    """One picture at a time: real or made by G? You answer, then D's answer, the truth and both scores are shown."""

    def __init__(self, G, D, real, z, *, seed=0):
        generator = torch.Generator().manual_seed(seed)
        x = torch.cat([real[torch.randperm(len(real), generator=generator)[:10]], G(z[:10])])
        order = torch.randperm(20, generator=generator)
        self.x, self.truth = x[order], (order < 10).numpy()
        self.belief = D(self.x).sigmoid().flatten().numpy()
        self.answers: list[bool] = []
        super().__init__(
            title="Which is real?", height=300,
            axes=[axes("picture", box=(0, 0, 0.36, 1), frame=False),
                  axes("score", box=(0.42, 0, 0.5, 1), x=(0, 20), y=(0, 20), xlabel="pictures judged", ylabel="right")],
            marks=[heat("picture", "picture", palette="grey", smooth=False),
                   line("you", "score", "you", style="G"), line("D", "score", "D", style="D"),
                   line("coin", "score", "a coin", style="half")],
            controls=[button("real", "real"), button("fake", "made by G"), button("again", "again")])

    def pressed(self, key):
        self.answers = [] if key == "again" else [*self.answers, key == "real"][:20]

    def scores(self):
        """How many were right so far, you and D, each from 0 on."""
        done = len(self.answers)
        right = [np.array(self.answers, bool) == self.truth[:done], (self.belief[:done] > 0.5) == self.truth[:done]]
        return [np.concatenate([[0], np.cumsum(r)]) for r in right]

    def draw(self):
        you, D = self.scores()
        steps = np.arange(len(you))
        return {"picture": _wall(self.x[min(len(self.answers), 19)][None], 1), "you": np.stack([steps, you], 1),
                "D": np.stack([steps, D], 1), "coin": [[0, 0], [20, 10]]}

    def text(self):
        done = len(self.answers)
        if not done:
            return "picture 1 of 20: real, or made by G?"
        last = (f"The last was {'real' if self.truth[done - 1] else 'made by G'}; D said real with "
                f"{self.belief[done - 1]:.2f}. ")
        you, D = (int(score[-1]) for score in self.scores())
        return last + f"{done} judged: you {you} right, D {D} right."


class Neighbours(Lab):
    """A generated picture beside its nearest real ones: above among those it was trained on, below among the others."""

    def __init__(self, fake, train, held_out, *, k=6):
        half = min(len(train), len(held_out))  # equal halves: more pictures are nearer by chance alone
        self.fake, self.parts = fake, (train[:half], held_out[:half])
        self.found = [nearest(fake, part, k) for part in self.parts]
        super().__init__(
            title="Was it memorised?", height=300,
            axes=[axes("wall", box=(0, 0, 0.98, 1), frame=False,
                       title="sample | its nearest in train (above), held-out (below)")],
            marks=[heat("wall", "wall", palette="grey", smooth=False)],
            controls=[number("sample", "sample", 0, len(fake) - 1, 0)])

    def draw(self):
        i = self.values["sample"]
        rows = [torch.cat([self.fake[i:i + 1], part[index[i]]]) for part, (_, index) in zip(self.parts, self.found)]
        return {"wall": _wall(torch.cat(rows), len(rows[0]))}

    def text(self):
        i = self.values["sample"]
        near = [float(distance[i, 0]) for distance, _ in self.found]
        return (f"sample {i}: the nearest training picture is {near[0]:.1f} away, the nearest held-out one "
                f"{near[1]:.1f}; {'train' if near[0] < near[1] else 'held-out'} is nearer.")
