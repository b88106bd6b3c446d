"""The labs of maximum likelihood and KL.

Fit a normal by hand, one normal for two modes, one normal over another.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.distributions import Normal

from ganlib import densities, plots, targets
from ganlib.divergences import cross_entropy, entropy, js, kl
from ganlib.stage.lab import Lab
from ganlib.stage.scene import (
    Axes,
    Bars,
    Choice,
    Handles,
    Heat,
    Line,
    Points,
    Rug,
    Slider,
    Text,
    Toggle,
)

SKY = plots.COLOURS["sky"]
VERMILLION = plots.COLOURS["vermillion"]


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p‖q) from log densities on a grid of one unit: also where a density is 0 as a float."""
    return (log_p.exp() * (log_p - log_q)).sum()


def _js(log_p: Tensor, log_q: Tensor) -> Tensor:
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    return (_kl(log_p, log_m) + _kl(log_q, log_m)) / 2


DIVERGENCES = {
    "KL(p‖q)": _kl,
    "KL(q‖p)": lambda log_p, log_q: _kl(log_q, log_p),
    "JS(p, q)": _js,
}

# Of `TwoModes`. The grid of x for its costs holds every normal on the map, far into its tails.
FARTHEST = 6.0  # the mean of a normal
WIDEST = 4.5  # its sd: a little more than the best has when the modes are farthest apart
GRID = densities.line(-FARTHEST - 9 * WIDEST, FARTHEST + 9 * WIDEST, 930)  # cells of 0.1

# The map of all normals has a cell for each pair of a mean and a standard deviation. It is cut into
# upright strips, for a cost may have several dips: the search sets out from the best cell of each.
MEANS = 21
SIGMAS = 15
STRIPS = 3
STRIP = MEANS // STRIPS  # the means in one strip
FIRST_MEAN = 6  # the cell where the learner's normal stands at first
FIRST_SIGMA = 8


class _Fit(Lab):
    """One normal, the map of its cost over μ and σ, and a dot to drag on it.

    When it plays, natural gradient descent goes down the cost.
    """

    cost: Callable  # what to make small: cost(μ, σ), a scalar tensor, in nats

    def __init__(
        self, title, x, *, middle, reach, sigmas, top, marks, view=None, controls=(), xlabel="x"
    ):
        left, right = middle - reach, middle + reach
        low, high = sigmas
        self.x = x
        self.fine = reach / 300  # the way is drawn from dots so far apart
        self.digits = max(0, 3 - math.floor(math.log10(reach)))  # said of μ and σ, in any unit
        self.mus = torch.linspace(left, right, MEANS).double()
        self.sigmas = torch.linspace(low, high, SIGMAS).double()
        super().__init__(
            title=title,
            name=title,
            height=340,
            axes=[
                Axes(
                    "laws",
                    box=(0, 0, 0.56, 1),
                    x=view or (left, right),
                    y=(0, top),
                    xlabel=xlabel,
                    title="density",
                ),
                Axes(
                    "map",
                    box=(0.56, 0, 0.44, 1),
                    x=(left, right),
                    y=sigmas,
                    xlabel="mean μ",
                    ylabel="sd σ",
                    title="all normals: the darker, the better",
                    legend=False,
                ),
            ],
            marks=[
                Heat("heat", "map"),
                *marks,
                Line("q", "laws", "your normal", style="G"),
                Line("way", "map"),
                Points("best", "map", color=VERMILLION, size=12),
                Handles("you", "map"),
            ],
            controls=[
                Slider("mu", "mean μ", left, right, float(self.mus[FIRST_MEAN])),
                Toggle("show", "show the best"),
                Slider("sigma", "sd σ", low, high, float(self.sigmas[FIRST_SIGMA])),
                *controls,
            ],
        )
        self.survey()

    @property
    def goal(self) -> str:
        """What is made small, in words."""
        return "the mean NLL"

    @property
    def you(self):
        """Where the learner's normal is: (μ, σ)."""
        return self.values["mu"], self.values["sigma"]

    def survey(self):
        """The cost of every normal on the map; and the best of all."""
        cells = [self.cost(mu, sigma) for sigma in self.sigmas for mu in self.mus]
        costs = torch.stack(cells).reshape(SIGMAS, MEANS)
        least = costs.min()
        self.heat = (2 * (least - costs) / (costs.median() - least)).exp()
        self.way = []

        ends = []
        for i, strip in enumerate(costs.split(STRIP, dim=1)):
            row, column = divmod(int(strip.argmin()), STRIP)
            ends.append(self._bottom(self.mus[i * STRIP + column], self.sigmas[row]))
        # Of two that are alike but for rounding, the left one.
        mu, sigma = min(ends, key=lambda place: round(self.nats(place), 9))
        self.best = round(mu, self.digits + 2) + 0.0, sigma  # + 0.0: never −0

    def _bottom(self, mu, sigma):
        """The bottom of the dip in which a normal stands: (μ, σ)."""

        def cost(at, log_factor):
            return self.cost(mu + sigma * at, sigma * log_factor.exp())

        def cost_and_slopes(steps):
            slopes, value = torch.func.grad_and_value(cost, (0, 1))(*torch.from_numpy(steps))
            return float(value), np.array([float(slope) for slope in slopes])

        # In units of the normal it stands on, so that data of any scale are alike.
        found = minimize(cost_and_slopes, np.zeros(2), jac=True, options={"gtol": 1e-8})
        shift, log_scale = found.x
        return float(mu + sigma * shift), float(sigma * math.exp(log_scale))

    def nats(self, place):
        """The cost at a place (μ, σ), as a number."""
        mu, sigma = torch.tensor(place, dtype=torch.float64)
        return float(self.cost(mu, sigma))

    def descend(self, place, rate, steps=1):
        """Down the cost by the natural gradient: each slope over its Fisher information.

        σ moves by a factor and stays positive. Source: Amari 1998.
        """
        mu, sigma = torch.tensor(place, dtype=torch.float64)
        slopes = torch.func.grad(self.cost, (0, 1))
        for _ in range(steps):
            slope_mu, slope_sigma = slopes(mu, sigma)
            mu = mu - rate * sigma**2 * slope_mu
            sigma = sigma * (-rate * sigma * slope_sigma / 2).exp()
        return float(mu), float(sigma)

    def changed(self, key, value):
        self._elsewhere()

    def dragged(self, mark, index, x, y):
        mu = self.scene.control("mu").checked(x)
        sigma = self.scene.control("sigma").checked(y)
        self._elsewhere()
        self.tell(mu=mu, sigma=sigma)

    def _elsewhere(self):
        """The normal or its cost is another one: the way here, and what was said of it, are old."""
        self.way = []
        self._why = ""

    def advance(self):
        mu, sigma = self.you
        new_mu, new_sigma = self.descend(self.you, 0.005)
        self.values["mu"] = new_mu  # the controls hear of it in `draw`
        self.values["sigma"] = new_sigma

        if not self.way or math.dist(self.way[-1], (mu, sigma)) > self.fine:
            self.way.append((mu, sigma))
        if self.playing and abs(new_mu - mu) + abs(new_sigma - sigma) < 1e-5 * sigma:
            self.pause("Arrived: no normal near this one is better.")

    def draw(self):
        self.tell()  # here, once a frame, and not at every step
        return {
            "heat": self.heat,
            "q": np.c_[self.x, Normal(*self.you).log_prob(self.x).exp()],
            "you": [self.you],
            "way": self.way,
            "best": [self.best] if self.values["show"] else [],
        }

    def text(self):
        cost = self.nats(self.you)
        above = cost - self.nats(self.best)
        where = f", which is at {self._named(self.best)}" if self.values["show"] else ""
        return (
            f"With {self._named(self.you)}, {self.goal} is {cost:.4f} nats, "
            f"{above:.4f} above the least{where}."
        )

    def _named(self, place) -> str:
        mu, sigma = place
        return f"μ {mu:.{self.digits}f} and σ {sigma:.{self.digits}f}"


class FitNormal(_Fit):
    """Fit a normal to a column of at least two different numbers, by hand.

    Then let gradient descent try.
    """

    def __init__(self, data, unit="x"):
        law = targets.from_samples(data)  # refuses what cannot be fitted
        mean = law.shift
        sd = law.scale
        self.data = torch.as_tensor(data, dtype=torch.float64).flatten()
        reach = 3.5 * sd
        farthest = max(reach, 1.05 * float((self.data - mean).abs().max()))  # no datum is left out
        view = (mean - farthest, mean + farthest)
        super().__init__(
            f"Fit a normal to {len(self.data)} numbers",
            densities.line(*view, max(400, round(400 * farthest / reach))),
            middle=mean,
            reach=reach,
            view=view,
            sigmas=(sd / 3, 3 * sd),
            top=1.25 / sd,  # the narrowest bell is 1.2 / sd high
            marks=[
                Rug("data", "laws", "data", alpha=0.8),
                Line("heights", "laws", style="G", width=0.8),
            ],
            xlabel=unit,
        )

    def cost(self, mu, sigma):
        return -Normal(mu, sigma).log_prob(self.data).mean()

    def draw(self):
        tops = Normal(*self.you).log_prob(self.data).exp()
        stems = torch.stack([0 * tops, tops, math.nan * tops], 1)  # nan lifts the pen after a stem
        return {
            **super().draw(),
            "data": self.data,
            "heights": np.c_[self.data.repeat_interleave(3), stems.flatten()],
        }


class TwoModes(_Fit):
    """Fit one normal q to two modes p under the divergence you choose.

    Descent runs into the nearest dip.
    """

    def __init__(self):
        super().__init__(
            "One normal for two modes",
            densities.line(-FARTHEST, FARTHEST, 240),
            middle=0,
            reach=FARTHEST,
            sigmas=(0.4, WIDEST),
            top=1.0,
            marks=[Line("p", "laws", "p, two modes", style="data")],
            controls=[
                Choice("goal", "minimise", list(DIVERGENCES), "KL(p‖q)"),
                Slider("gap", "modes at ±", 0, 4, 1.5, step=0.1),
                Slider("weight", "weight on the left", 0.05, 0.95, 0.5, step=0.05),
            ],
        )

    @property
    def goal(self) -> str:
        return self.values["goal"]

    def survey(self):
        gap = self.values["gap"]
        weight = self.values["weight"]
        law = targets.mixture((-gap, gap), (0.5, 0.5), (weight, 1 - weight))
        self.p = law.log_prob(self.x[:, None]).exp()
        self.log_p = law.log_prob(GRID[:, None])
        super().survey()

    def cost(self, mu, sigma):
        log_q = Normal(mu, sigma, validate_args=False).log_prob(GRID)
        return (GRID[1] - GRID[0]) * DIVERGENCES[self.goal](self.log_p, log_q)

    def changed(self, key, value):
        self._elsewhere()
        if key in ("goal", "gap", "weight"):
            self.survey()

    def draw(self):
        return {**super().draw(), "p": np.c_[self.x, self.p]}


class SlideNormals(Lab):
    """Slide and stretch q = N(μ, σ²) over p = N(0, 1), and read what each quantity says."""

    def __init__(self):
        self.x = densities.line(-40, 40, 2000)  # 8.5 sd of the widest and farthest q
        super().__init__(
            title="One normal over another",
            height=340,
            axes=[
                Axes("laws", box=(0, 0, 0.5, 1), x=(-8, 8), y=(0, 1), xlabel="x", ylabel="density"),
                Axes(
                    "nats",
                    box=(0.5, 0, 0.5, 1),
                    x=(-4, 24),
                    y=(-1, 6),
                    title="nats",
                    frame=False,
                    legend=False,
                ),
            ],
            marks=[
                Line("p", "laws", "p", style="data"),
                Line("q", "laws", "q", style="G"),
                Text("names", "nats", align="left"),
                Bars("rows", "nats", color=SKY),
                Line("ceiling", "nats", color=VERMILLION, width=3),
            ],
            controls=[
                Slider("mu", "mean μ of q", -6, 6, 1.5),
                Slider("sigma", "sd σ of q", 0.4, 4, 1.0, log=True),
            ],
        )

    def measure(self):
        """Both densities on the grid, and every quantity in nats by its name."""
        p = Normal(0.0, 1.0).log_prob(self.x).exp()
        q = Normal(self.values["mu"], self.values["sigma"]).log_prob(self.x).exp()
        named = {
            "H(p)": entropy(p, self.x),
            "H(q)": entropy(q, self.x),
            "H(p, q)": cross_entropy(p, q, self.x),
            "KL(p‖q)": kl(p, q, self.x),
            "KL(q‖p)": kl(q, p, self.x),
            "JS(p, q)": js(p, q, self.x),
        }
        return p, q, {name: float(value) for name, value in named.items()}

    def draw(self):
        p, q, named = self.measure()
        names = []
        numbers = []
        bars = []
        for y, (name, value) in zip((5, 4, 3, 2, 1, 0), named.items()):
            names.append((-4, y, name))
            numbers.append((min(max(value, 0.8), 20) + 0.3, y, f"{value:.3f}"))
            bars.append((0, y - 0.3, min(value, 20), 0.6))
        return {
            "p": np.c_[self.x, p],
            "q": np.c_[self.x, q],
            "names": names + numbers,
            "rows": bars,
            "ceiling": [(math.log(2), 0.5), (math.log(2), -0.5)],  # of JS, in the last row
        }

    def text(self):
        _, _, named = self.measure()
        said = ", ".join(f"{name} {value:.3f}" for name, value in named.items())
        return f"{said} nats; JS is at most 0.693."
