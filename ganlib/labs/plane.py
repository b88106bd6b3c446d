"""`PlaneLab`: a GAN in two dimensions, and the modes that it covers."""

import numpy as np
import torch
from torch import Tensor

from ganlib import densities, targets
from ganlib.checks import one_of
from ganlib.gauges import PlaneGauge, at_rest
from ganlib.labs import slow_motion
from ganlib.labs.session_lab import SessionLab, offered, shared
from ganlib.losses import loss_of
from ganlib.session import Session
from ganlib.stage.scene import Arrows, Axes, Button, Heat, Line, Points

DRAWN = "points you draw"
ENOUGH = 10  # of them, to learn from
MOST = 1000  # of them in a saved run
FAR = 100  # from 0, of one of them
PIXELS = 48  # of D, along each side
BENT = (13, 40)  # lines of z each way, points on each
ARROWS = 64
SEEN = 0.01  # of G's samples outside the picture: where there are more, it is said

TARGETS = {law().name: law for law in (targets.ring, targets.grid, targets.moons, targets.spiral)}

# As in gan_scene.py: a sentence, and the knobs that it is about.
PRESETS: dict[str, tuple[str, dict]] = {
    "all modes": (
        "Equal rates and little momentum: all eight modes, whatever is said about rings.",
        {},
    ),
    "D too slow": (
        "G runs to where D was, and D follows: modes come and go.",
        {"lr_D": 1e-4},
    ),
    "D too fast": (
        "D is sure before G is there: good samples, but some modes are never found.",
        {"lr_D": 1e-2},
    ),
}
# fmt: off
AXES = [
    Axes("plane",  box=(0.00, 0.00, 0.62, 0.84),
         xlabel="D: blue says real, orange says fake"),
    Axes("flow",   box=(0.00, 0.84, 0.62, 0.16), frame=False, legend=False),
    Axes("latent", box=(0.62, 0.00, 0.38, 0.50), title="the grid of z, bent by G"),
    Axes("modes",  box=(0.62, 0.50, 0.38, 0.25), auto="x", legend=False),
    Axes("js",     box=(0.62, 0.75, 0.38, 0.25), auto="x", y=(0, 1), xlabel="step"),
]
MARKS = [
    Heat("D",       "plane",  palette="belief"),
    Points("real",  "plane",  "data", size=3, alpha=0.5),
    Points("drawn", "plane",  "your points", size=8, hollow=True),
    Points("fake",  "plane",  "G(z)", color="#009E73"),
    Arrows("pull",  "plane",  "pull on G", color="#D55E00"),
    Line("grid",    "latent", color="#009E73", width=0.8),
    Line("modes",   "modes",  style="G"),
    Line("good",    "js",     "share of good samples", style="G"),
    Line("js",      "js",     "JS in nats", style="JS", dash="--"),
    *slow_motion.MARKS,
]
# fmt: on


class PlaneLab(SessionLab):
    """Watch where D sends the fakes, and count the modes; click to draw data.

    gan: a `GAN` in two dimensions; target: a mixture, or a name in the lab's list. The rest is as
    in `GANLab`.
    """

    by_hand = DRAWN
    pages_targets = TARGETS

    def __init__(
        self,
        gan,
        target="ring of 8",
        *,
        batch=128,
        anneal=False,
        horizon=3000,
        seed=0,
        engine="kernel",
        name=None,
    ):
        self.clicked: list[tuple] = []
        laws, called = offered({**TARGETS, DRAWN: self._drawn}, target)
        session = Session(
            gan,
            laws[one_of("target", called, laws)](),
            gauge=PlaneGauge,
            batch=batch,
            anneal=anneal,
            horizon=horizon,
            seed=seed,
        )
        super().__init__(
            session,
            laws,
            called,
            PRESETS,
            more=[Button("ten", "draw ten"), Button("clear", "clear points")],
            engine=engine,
            title="A GAN in the plane",
            axes=AXES,
            marks=MARKS,
            name=name,
        )

    @property
    def view(self):
        """The `metrics.View` that counts the modes."""
        return self.session.gauge.view

    # -- points you draw -------------------------------------------------------------------------

    def _drawn(self) -> targets.Mixture:
        """A narrow normal at each point that was clicked."""
        return targets.Mixture(self.clicked or [(0.0, 0.0)], [0.1])

    def _allow(self, who):
        needs_data = who != "G only" and not self.values["oracle"]
        if needs_data and self.values["target"] == DRAWN and len(self.clicked) < ENOUGH:
            raise ValueError(
                f"draw at least {ENOUGH} points first: click into the picture; "
                f"so far {len(self.clicked)}"
            )

    @shared
    def pointed(self, axes, *point):
        """A point was clicked: the data are what is drawn from now on."""
        if axes == "plane":
            self.clicked = [*self.clicked, point]
            self.note = ""
            self.tell(target=DRAWN, preset="your own")
            self._set_law(DRAWN)

    @shared
    def pressed(self, key, text=""):
        """As in every lab with a session; and "draw ten"."""
        if key == "ten":
            self._draw_ten()
        elif key == "clear":
            self._clear()
        else:
            super().pressed(key, text)

    def _clear(self) -> None:
        """Forget all points that were drawn."""
        self.clicked = []
        if self.values["target"] == DRAWN:
            self._set_law(DRAWN)

    def _draw_ten(self) -> None:
        """Without a mouse: a heap at a random place."""
        generator = torch.Generator().manual_seed(len(self.clicked))
        middle = 3 * torch.rand(1, 2, generator=generator) - 1.5
        heap = middle + 0.2 * torch.randn(10, 2, generator=generator)
        for x, y in heap.tolist():
            self.pointed("plane", x, y)

    def kept(self):
        return {"clicked": self.clicked}

    def take_kept(self, run):
        self.clicked = _points(run)

    def snapshot(self):
        return {**super().snapshot(), "clicked": self.clicked}

    def put_back(self, snapshot):
        self.clicked = snapshot["clicked"]
        super().put_back(snapshot)

    # -- the picture -----------------------------------------------------------------------------

    def show_law(self):
        modes = len(self.target.means)
        reach = self.view.reach
        if self.values["target"] == DRAWN:
            reach = 2.5
        self._reach = reach
        for key in ("plane", "latent"):
            self.relabel(key, x=(-reach, reach), y=(-reach, reach))
        self.relabel("modes", title=f"modes covered, of {modes}", y=(0, 1.05 * modes))

        side = densities.line(-reach, reach, PIXELS).float()
        self._pixels = torch.cartesian_prod(side, side).flip(1)  # row by row from the bottom

    def draw(self):
        D = self.gan.D
        if self.values["oracle"]:
            D = self.session.best_D()
        with at_rest(self.gan):
            fake = self.gan.G(self.view.z[:256]).detach()
            pull = self._pull(D, fake)
            grid = self._bent()
            with torch.no_grad():
                belief = D(self._pixels).sigmoid().view(PIXELS, PIXELS)
        self._beside = self._said_beside(fake)
        return {
            "D": belief,
            "real": self.session.real[:256],
            "drawn": self.clicked if self.values["target"] == DRAWN else [],
            "fake": fake,
            "pull": pull[:ARROWS],
            "grid": grid,
            **{name: self.session.curve(name) for name in ("modes", "good", "js")},
            **self.slow.draw(self.values["slow"]),
        }

    def _pull(self, D, fake: Tensor) -> Tensor:
        """An arrow from each fake to where G's cost falls, (n, 4); a long pull is half a unit."""
        fake = fake.detach().requires_grad_()
        loss = loss_of(self.gan.loss)
        if loss.paired:
            real = self.target.sample(len(fake), torch.Generator().manual_seed(0))
            cost = loss.G(D(real), D(fake))
        else:
            cost = loss.G(D(fake))
        (slope,) = torch.autograd.grad(cost * len(fake), fake)
        tips = fake - 0.5 * slope / (1 + slope.norm(dim=1, keepdim=True))
        return torch.cat([fake, tips], 1).detach()

    @torch.no_grad()
    def _bent(self) -> Tensor:
        """A grid of lines of z as G bends it, one line after the other, each ended by nan."""
        lines, points = BENT
        upright = torch.cartesian_prod(
            torch.linspace(-2, 2, lines), torch.linspace(-2, 2, points)
        ).view(lines, points, 2)
        both_ways = torch.cat([upright, upright.flip(2)])
        bent = torch.full((2 * lines, points + 1, 2), torch.nan)
        bent[:, :points] = self.gan.G(both_ways.flatten(0, 1)).view(2 * lines, points, 2)
        return bent.view(-1, 2)

    # -- in words --------------------------------------------------------------------------------

    def text(self):
        now = self.ledger
        said = (
            f"{now.modes} of {len(self.target.means)} modes, "
            f"{100 * now.good:.0f} % good samples, JS {now.js:.3f}"
        )
        begin = f"After {self.gan.steps} steps on {self.values['target']} ({self.rates()})"
        return f"{begin}: {said}.{self._beside}"

    def _said_beside(self, fake: Tensor) -> str:
        """Where G is, if it can be seen only in part."""
        out = (fake.abs() > self._reach).any(1)
        share = float(out.float().mean())
        if share <= SEEN:
            return ""
        x, y = fake[out].mean(0).tolist()
        return (
            f" Outside the picture are {100 * share:.0f} % of G's samples, around "
            f"({x:.2f}, {y:.2f})."
        )

    def claim(self):
        near = self.session.now.js < 0.5
        return f"after {self.gan.steps} steps on {self.values['target']}, JS below 0.5: {near}."


def _points(run: dict) -> list[tuple[float, float]]:
    """The points that were drawn in a saved run; ValueError if they cannot have been."""
    points = np.array(run.get("clicked") or np.zeros((0, 2)), float)
    fits = points.ndim == 2 and points.shape[1] == 2 and len(points) <= MOST
    if not fits or not (abs(points) <= FAR).all():
        raise ValueError(f"what was drawn must be at most {MOST} points (x, y) within ±{FAR}")
    return [(float(x), float(y)) for x, y in points]
