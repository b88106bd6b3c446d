"""`GANLab`: a GAN in one dimension that trains while you move its knobs."""

import math

import numpy as np
import torch

from ganlib import densities
from ganlib.checks import one_of
from ganlib.gauges import LineSight
from ganlib.labs.gan_scene import AXES, MARKS, PRESETS, TARGETS
from ganlib.labs.session_lab import SessionLab, offered
from ganlib.session import Session

ARROWS = 31  # of the map from z to G(z)
RARE = 0.01  # of an even density over the picture: where both are less, nobody is asked
SEEN = 0.01  # of p_g outside the picture: where there is more, it is said
# The z whose arrows are drawn, as shares of the prior.
SHARES = torch.linspace(0.5 / ARROWS, 1 - 0.5 / ARROWS, ARROWS, dtype=torch.float64)


class GANLab(SessionLab):
    """Watch p_g (green) move towards p_data (black) while D (blue) judges, and turn every knob.

    gan: a `GAN` in one dimension; target: a law with `log_prob` and `sample`, or a name in the
    lab's list. batch: examples a step. anneal: let both rates fall to 0 over the second half of
    `horizon` steps, by default 3,000 for a normal and 5,000 for all else. engine: "kernel", or
    "browser" to train where it is shown (see `pull`). The networks are yours: change them in the
    notebook, make the lab again, and it shows yours.
    """

    pages_targets = TARGETS

    def __init__(
        self,
        gan,
        target="normal",
        *,
        batch=128,
        anneal=True,
        horizon=None,
        seed=0,
        engine="kernel",
        name=None,
    ):
        laws, called = offered(TARGETS, target)
        law = laws[one_of("target", called, laws)]()
        session = Session(gan, law, batch=batch, anneal=anneal, horizon=horizon, seed=seed)
        super().__init__(
            session,
            laws,
            called,
            PRESETS,
            engine=engine,
            title="A GAN in one dimension",
            axes=AXES,
            marks=MARKS,
            name=name,
        )

    @property
    def x(self) -> torch.Tensor:
        """The grid of x, (points,), in standardised units."""
        return self.session.gauge.x

    @property
    def p_data(self) -> torch.Tensor:
        """The density of the target on the grid, (points,)."""
        return self.session.gauge.p_data

    # -- the picture -----------------------------------------------------------------------------

    def show_law(self):
        law = self.target
        self._shift = getattr(law, "shift", 0.0)
        self._scale = getattr(law, "scale", 1.0)
        self._xs = self._in_units(self.x)
        left, right = self._xs[[0, -1]].tolist()

        z = self.gan.prior.quantile(SHARES).numpy()
        share = 0.1 + 0.8 * (z - z[0]) / (z[-1] - z[0])
        self._feet = left + share * (right - left)

        per_sd = " per sd" if self._scale != 1 else ""
        self.relabel("map", x=(left, right))
        self.relabel(
            "game",
            x=(left, right),
            y=(0, max(1.05, 1.5 * float(self.p_data.max()))),
            xlabel=getattr(law, "unit", "x"),
            ylabel=f"density{per_sd}, D(x)",
        )
        self.asides["crowd"] = self._crowded()

    def _crowded(self) -> str:
        """Of data that are a spike in the picture: where they are, and what may be the reason."""
        found = self.session.gauge.crowd()
        if found is None:
            return ""
        ends = torch.tensor([*found[:2], *getattr(self.target, "range", found[:2])])
        low, high, least, most = self._in_units(ends)
        return (
            f"90 % of p_data lie between {low:.6g} and {high:.6g}, in {found[2]} of the picture's "
            f"{len(self.x)} cells; the rest reaches from {least:.6g} to {most:.6g}: is a value "
            "mistaken?"
        )

    def _in_units(self, x: torch.Tensor) -> np.ndarray:
        """In the units of the data, which the law has standardised."""
        return self._shift + self._scale * x.double().numpy()

    def draw(self):
        sight = self.session.look()
        self._beside = self._said_beside(sight)
        return {
            **self._game(sight),
            **self._map(sight),
            **self._histories(),
            **self.slow.draw(self.values["slow"]),
        }

    def _game(self, sight: LineSight) -> dict:
        """Both densities, D, and D* where there is anything to judge; real examples; ½."""
        both = self.p_data + sight.p_g
        even = 1 / (len(self.x) * self.session.gauge.dx)
        D_star = densities.optimal_discriminator(self.p_data, sight.p_g)
        curves = {
            "data": self.p_data,
            "p_g": sight.p_g,
            "D": sight.logits.sigmoid(),
            "D_star": D_star.where(both > RARE * even, torch.nan),
        }
        left, right = self._xs[[0, -1]]
        return {
            **{key: np.array((self._xs, y.numpy())).T for key, y in curves.items()},
            "real": self._in_units(self.session.real[:64]),
            "half": [[left, 0.5], [right, 0.5]],
        }

    def _map(self, sight: LineSight) -> dict:
        """Arrows from z to G(z); where they end are also the fakes of the picture above."""
        z = self.gan.prior.quantile(SHARES)
        place = (z - sight.z[0]) / (sight.z[1] - sight.z[0])
        heads = self._in_units(densities.between(sight.ends, place))
        bottom = np.zeros(ARROWS)
        left, right = self._xs[[0, -1]]
        return {
            "map": np.array((self._feet, bottom, heads, bottom + 1)).T,
            "fake": heads,
            "floor": [[left, 0.0], [right, 0.0]],
            "names": [(left, 0.1, "z"), (left, 0.9, "x = G(z)")],
        }

    def _histories(self) -> dict:
        """The ledger over time, with the level that each curve is compared with."""
        curve = self.session.curve
        value = curve("value")
        step, js = curve("js").T
        first = step[0]
        last = max(step[-1], first + 1)
        return {
            "real_term": curve("real_term"),
            "fake_term": curve("fake_term"),
            "log_half": [[first, -math.log(2)], [last, -math.log(2)]],
            "value": value,
            "two_js": np.array((step, 2 * js)).T,
            "regret": np.array((step, value[:, 1], 2 * js)).T,
            "zero": [[first, 0.0], [last, 0.0]],
            "off_half": curve("off_half"),
            "off_star": curve("off_star"),
            "goal": [[first, 0.05], [last, 0.05]],
        }

    # -- in words --------------------------------------------------------------------------------

    def _said_beside(self, sight: LineSight) -> str:
        """Where G is, if it can be seen only in part."""
        said = []
        for side, share, out in (
            ("left", sight.beside[0], sight.ends < self.x[0]),
            ("right", sight.beside[1], sight.ends > self.x[-1]),
        ):
            if share > SEEN:
                (middle,) = self._in_units(sight.ends[out].mean()[None])
                said.append(f"{100 * share:.0f} % on the {side}, near {middle:.3g}")
        if not said:
            return ""
        return f" Outside the picture p_g has {' and '.join(said)}."

    def text(self):
        now = self.session.now
        said = f"After {self.gan.steps} steps on {self.values['target']} ({self.rates()}): {now}."
        if now.converged():
            said = f"{said} Converged."
        return said + self._beside

    def claim(self):
        now = self.ledger
        if self.gan.steps:
            state = f"converged: {now.converged()}"
        else:
            state = f"JS {now.js:.2f}, E|D − ½| {now.off_half:.2f}"
        return f"after {self.gan.steps} steps on {self.values['target']}, {state}."
