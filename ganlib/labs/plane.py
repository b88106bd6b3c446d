"""`PlaneLab`: a GAN in two dimensions; and `View`, which counts the modes that a generator covers."""

import json
import math
from dataclasses import dataclass, fields

import torch
from torch.special import ndtr

from ganlib import densities, divergences, losses, targets
from ganlib.labs.gan_lab import GANLab
from ganlib.labs.gan_scene import FLOWING, controls
from ganlib.labs.scene import arrows, axes, button, heat, line, points

DRAWN, CELLS, BLUR = "points you draw", 32, 0.3
TARGETS = {law().name: law for law in (targets.ring, targets.grid, targets.moons, targets.spiral)}
PRESETS: dict[str, tuple[str, dict]] = {
    "all modes": (
        "Equal rates and little momentum: all eight modes, whatever is said about rings.",
        {},
    ),
    "D too slow": ("G runs to where D was, and D follows: modes come and go.", {"lr_D": 1e-4}),
    "D too fast": (
        "D is sure before G is there: good samples, but some modes are never found.",
        {"lr_D": 1e-2},
    ),
}
AXES = [
    axes(
        "plane", box=(0, 0, 0.62, 0.84), legend="top", xlabel="D: blue says real, orange says fake"
    ),
    axes("flow", box=(0, 0.84, 0.62, 0.16), frame=False, legend=False),
    axes("latent", box=(0.62, 0, 0.38, 0.5), title="the grid of z, bent by G"),
    axes("modes", box=(0.62, 0.5, 0.38, 0.25), auto="x", legend=False),
    axes("js", box=(0.62, 0.75, 0.38, 0.25), auto="x", y=(0, 1), xlabel="step", legend="top"),
]
MARKS = [
    heat("D", "plane", palette="belief"),
    points("real", "plane", "data", size=3, alpha=0.5),
    points("fake", "plane", "G(z)", color="#009E73"),
    arrows("pull", "plane", "pull on G", color="#D55E00"),
    line("grid", "latent", color="#009E73", width=0.8),
    line("modes", "modes", style="G"),
    line("good", "js", "share of good samples", style="G"),
    line("js", "js", "JS in nats", style="JS", dash="--"),
    *FLOWING,
]


@dataclass(frozen=True)
class Now:
    """Modes covered; the share of good samples; JS in nats on 32 × 32 cells."""

    modes: int
    good: float
    js: float


def modes(x, law) -> tuple[int, float]:
    """Modes that get 1/5 of their part of x (n, dim); and the share of good samples, within 3 sd of their mode."""
    distance, nearest = torch.cdist(x, law.means).min(1)
    good = distance <= 3 * law.stds[nearest]
    counts = torch.bincount(nearest[good], minlength=len(law.means))
    return int((counts >= 0.2 * law.weights * len(x)).sum()), float(good.float().mean())


class View:
    """How well 4,096 samples of a G fit a law in the plane: `look(G)` gives `Now`."""

    def __init__(self, law, prior):
        self.law, self.reach = law, 1.1 * max(map(abs, law.range))
        self.z = prior.sample(4096, torch.Generator().manual_seed(0))
        edges = torch.linspace(-self.reach, self.reach, CELLS + 1, dtype=torch.float64)
        inside = ndtr(
            (edges - law.means.double()[..., None]) / law.stds.double()[:, None, None]
        ).diff()
        mass = torch.einsum(
            "m,my,mx->yx", law.weights.double(), inside[:, 1], inside[:, 0]
        ).flatten()
        self.p = torch.cat([mass, 1 - mass.sum(0, keepdim=True)]).clamp(
            min=0
        )  # the last cell is all the rest

    @torch.no_grad()
    def look(self, G) -> Now:
        x = G(self.z)
        if not bool(x.isfinite().all()):
            raise FloatingPointError("diverged: G gives numbers that are not finite")
        column, row = ((x / self.reach + 1) * (CELLS / 2)).floor().T
        cell = torch.where((x.abs() < self.reach).all(1), row * CELLS + column, CELLS**2).long()
        return Now(
            *modes(x, self.law),
            float(divergences.js(self.p, cell.bincount(minlength=len(self.p)) / len(x))),
        )


class PlaneLab(GANLab):
    """Watch where D sends the fakes, and count the modes; click to draw data. target: a 2-D mixture, or a name."""

    presets, kind = PRESETS, Now  # type: ignore[assignment]

    def __init__(
        self, gan, target="ring of 8", *, batch=128, anneal=False, horizon=3000, seed=0, name=None
    ):
        if not isinstance(target, str) and getattr(target, "dim", None) != 2:
            raise ValueError(f"target must be a mixture in two dimensions, got {target!r}")
        shapes = [
            tuple(y.shape)
            for y in (gan.G(gan.prior.sample(3, torch.Generator())), gan.D(torch.zeros(3, 2)))
        ]
        if shapes != [(3, 2), (3, 1)]:
            raise ValueError(
                f"for 3 points G must give (3, 2) and D (3, 1), got {shapes[0]} and {shapes[1]}"
            )
        self.clicked: list[tuple] = []
        called = getattr(target, "name", target)
        drawing = {DRAWN: lambda: targets.Mixture(self.clicked or [(0.0, 0.0)], [0.1])}
        self._targets = {
            **TARGETS,
            **drawing,
            **({} if called == target else {called: lambda: target}),
        }
        knobs = [
            *controls(gan, list(self._targets), called, batch, anneal, seed, PRESETS),
            button("ten", "draw ten"),
        ]
        self._begin(
            gan,
            horizon,
            title="A GAN in the plane",
            axes=AXES,
            marks=MARKS,
            name=name,
            controls=knobs,
        )

    def _set_target(self, name):
        self.target = law = self._targets[name]()
        self.view = View(law, self.gan.prior)
        reach = 2.5 if name == DRAWN else self.view.reach
        for key in ("plane", "latent"):
            self.relabel(key, x=(-reach, reach), y=(-reach, reach))
        self.relabel(
            "modes", title=f"modes covered, of {len(law.means)}", y=(0, 1.05 * len(law.means))
        )
        t = densities.line(-reach, reach, 48).float()
        self._pixels = torch.cartesian_prod(t, t).flip(1)  # row by row from the bottom
        self._look()

    def _real(self, n):
        if self.values["target"] == DRAWN and len(self.clicked) < 10:
            raise ValueError(
                f"draw at least 10 points first: click into the picture; so far {len(self.clicked)}"
            )
        return super()._real(n)

    def pointed(self, axes, *point):
        if axes == "plane":
            self.clicked = [*self.clicked, point]
            self.tell(target=DRAWN, preset="your own")
            self._set_target(DRAWN)
            self._last_real = self.target.means

    def pressed(self, key, text=""):
        if key != "ten":
            return super().pressed(key, text)
        g = torch.Generator().manual_seed(
            len(self.clicked)
        )  # the same without a mouse: a heap at a random place
        for x, y in (
            3 * torch.rand(1, 2, generator=g) - 1.5 + 0.2 * torch.randn(10, 2, generator=g)
        ).tolist():
            self.pointed("plane", x, y)

    def save(self):
        return json.dumps({**json.loads(super().save()), "clicked": self.clicked})

    def _adopt(self, text):
        super()._adopt(text)
        self.clicked = json.loads(text).get("clicked", [])
        self._set_target(self.values["target"])

    def _look(self):
        self._now = self.view.look(self.gan.G)  # type: ignore[assignment]

    def _best_D(self):
        """D* between both laws seen through noise of sd `BLUR`: so blurred, 128 fakes have a density."""
        law, fakes = self.target, self.gan.G(self.view.z[:128]).detach()
        p_data = targets.Mixture(law.means, (law.stds**2 + BLUR**2).sqrt(), law.weights)
        mass = math.log(len(fakes) * 2 * math.pi * BLUR**2)
        p_g = lambda x: (
            (-(torch.cdist(x, fakes) ** 2) / (2 * BLUR**2)).logsumexp(1) - mass
        )  # so many small normals
        return lambda x: (p_data.log_prob(x) - p_g(x))[:, None]

    def draw(self):
        gan, fake = self.gan, self.gan.G(self.view.z[:256]).detach().requires_grad_()
        judge = self._best_D() if self.values["oracle"] else gan.D
        pull = torch.autograd.grad(losses.LOSSES[gan.loss].G(judge(fake)) * len(fake), fake)[0]
        tips = fake - 0.5 * pull / (
            1 + pull.norm(dim=1, keepdim=True)
        )  # a long pull is drawn half a unit long
        lines = torch.cartesian_prod(torch.linspace(-2, 2, 13), torch.linspace(-2, 2, 40)).view(
            13, 40, 2
        )
        bent = torch.full((26, 41, 2), torch.nan)  # a line of z each, ended by nan
        with torch.no_grad():
            D = judge(self._pixels).sigmoid().view(48, 48)
            bent[:, :40] = gan.G(torch.cat([lines, lines.flip(2)]).flatten(0, 1)).view(26, 40, 2)
        return {
            "D": D,
            "real": self._last_real[:256],
            "fake": fake.detach(),
            "grid": bent.view(-1, 2),
            "pull": torch.cat([fake, tips], 1)[:64].detach(),
            **self._flow(),
            **{f.name: self.past[:, [0, i]] for i, f in enumerate(fields(Now), 1)},
        }

    def text(self):
        self._look()
        now: Now = self._now  # type: ignore[assignment]
        said = f"{now.modes} of {len(self.target.means)} modes, {100 * now.good:.0f} % good samples, JS {now.js:.3f}"
        return f"After {self.gan.steps} steps on {self.values['target']}: {said}."

    def claim(self):
        return f"after {self.gan.steps} steps on {self.values['target']}, JS below 0.5: {self._now.js < 0.5}."
