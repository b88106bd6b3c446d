"""The labs of notebook 09: ways from noise to data, and one scoreboard for all methods."""

import math
from statistics import median

import numpy as np
import torch

from ganlib import densities, paths, plots, targets
from ganlib.stage.lab import Lab
from ganlib.stage.scene import Axes, Choice, Line, Points, Slider, Toggle

LAWS = {
    "two modes": targets.mixture,
    "iris petal length": targets.iris,
    "normal": targets.gaussian,
}
REFLOW = "reflow"  # the straight path of pairs that a walk has made
FLAT = 0.3  # how wide the two densities are drawn, in units of the whole way
CUT = 2.0  # what is made is drawn up to so many heights of the data
LOWEST = 3e-5  # JS below is drawn here: it is that of the cells

# How the methods of the scoreboard are drawn: those whose name begins so.
FAMILIES: dict[str, dict] = {
    "diffusion": {"style": "D", "size": 8},
    "flow": {"style": "D_star", "size": 8, "hollow": True},
    "": {"style": "G", "size": 10},
}

MAP = Axes(
    "map", box=(0.58, 0, 0.42, 1), x=(-3, 3), y=(-4, 4), xlabel="z", title="where each z ends"
)
WAY = Axes(
    "way",
    box=(0, 0, 0.58, 1),
    x=(-0.35, 1.65),
    y=(-4, 4),
    xlabel="1 − t, from noise at 0 to data at 1",
    ylabel="x",
)
BOARD = Axes(
    "board",
    box=(0.02, 0, 0.56, 0.98),
    x=(0.5, 130),
    y=(2e-5, 1),
    log="xy",
    xlabel="evaluations for one sample",
    ylabel="JS to the data (nats)",
)


def _asked(evaluations: int) -> str:
    """How often a network is asked, in words."""
    return "1 evaluation" if evaluations == 1 else f"{evaluations} evaluations"


class Ways(Lab):
    """Twenty-five ways from noise to data, and the map from where they start to where they end.

    fields: {law: {path: velocity}}, learned, as `paths.velocities` reads them.
    """

    def __init__(self, fields=None, *, steps=4):
        self.fields = {} if fields is None else fields
        needed = {*paths.PATHS, REFLOW}
        if not isinstance(self.fields, dict) or any(
            needed - set(of) for of in self.fields.values()
        ):
            raise ValueError(f"fields must be {{law: {{path: velocity}}}}, got {fields!r}")
        learned = ["learned"] if self.fields else []
        super().__init__(
            title="Ways from noise to data",
            height=400,
            axes=[WAY, MAP],
            marks=[
                Line("paths", "way", color=plots.COLOURS["grey"], width=1),
                Points("stops", "way", color=plots.COLOURS["grey"], size=3),
                Line("noise", "way", "noise", style="D"),
                Line("made", "way", "made", style="G"),
                Line("data", "way", "p_data", style="data"),
                Line("cursor", "way", color="#b0b0b0", width=1),
                Points("now", "way", color=plots.COLOURS["vermillion"], size=5),
                Line("G", "map", "this walk", style="G"),
                Line("T", "map", "T, the exact map", style="data"),
            ],
            controls=[
                Choice("law", "data", list(LAWS), "two modes"),
                Choice("field", "velocity", ["exact", *learned], "exact"),
                Choice("path", "path", [*paths.PATHS, REFLOW], "cosine"),
                Slider("steps", "steps", 1, 64, steps, log=True),
                Toggle("heun", "Heun: two evaluations a step", False),
                Slider("t", "time t", 0, 1, 0.5),
            ],
        )
        self._walk()

    def changed(self, key, value):
        if key != "t":
            self._walk()

    def _walk(self):
        """What the controls ask for, walked once: it is drawn many times."""
        self.law = LAWS[self.values["law"]]()
        self.T = paths.monotone(self.law)
        z = densities.line(-8, 8, 40_000)
        self.ends = (z.numpy(), self.T(z[:, None])[:, 0].numpy())
        self.many = round(self.values["steps"])
        path = self.values["path"]
        self.along = "straight" if path == REFLOW else path

        if self.values["field"] == "learned" and self.law.name not in self.fields:
            self.values["field"] = "exact"
            self.note = f"Nothing was learned of {self.law.name}: this is the exact velocity."
        if self.values["field"] == "learned":
            self.velocity = self.fields[self.law.name][path]
        elif path == REFLOW:
            self.velocity = self._to_its_own_end
        else:
            self.velocity = paths.exact(self.law, path)
        self.G = paths.Walker(self.velocity, self.many, path=self.along, heun=self.values["heun"])
        self.score = paths.score(self.G, self.law)
        self.needed = paths.score(self.T, self.law).slope

    def _to_its_own_end(self, x, t):
        """The velocity of an exact reflow: each z goes straight to T(z), so that no two paths meet.

        At time t the place of z is (1 − t) T(z) + t z, which rises with z: read backwards here.
        """
        z, end = self.ends
        place = (1 - t) * end + t * z
        return torch.from_numpy(np.interp(x, place, z - end)).to(x.dtype)

    def draw(self):
        u = (torch.arange(25, dtype=torch.float64) + 0.5) / 25
        start = torch.special.ndtri(u)[:, None]
        seen = paths.walk(
            self.velocity, start, self.many, path=self.along, heun=self.values["heun"]
        )[..., 0].T.numpy()
        times = np.linspace(0, 1, self.many + 1)
        rows = [np.r_[np.c_[times, row], [[math.nan, math.nan]]] for row in seen]
        now = 1 - self.values["t"]

        x = densities.line(-4, 4, 200)
        p_g = densities.pushforward(self.G, targets.gaussian(), x)
        p_data = self.law.log_prob(x[:, None]).exp()
        noise = targets.gaussian().log_prob(x[:, None]).exp()
        z = torch.linspace(-3, 3, 241, dtype=torch.float64)[:, None]
        return {
            "paths": np.concatenate(rows),
            "stops": np.concatenate([row[:-1] for row in rows]),
            "noise": np.c_[-FLAT * noise / noise.max(), x],
            "made": np.c_[1 + FLAT * (p_g / p_data.max()).clamp(max=CUT), x],
            "data": np.c_[1 + FLAT * p_data / p_data.max(), x],
            "cursor": [(now, -4), (now, 4)],
            "now": [(now, np.interp(now, times, row)) for row in seen],
            "G": torch.cat([z, self.G(z)], 1),
            "T": torch.cat([z, self.T(z)], 1),
        }

    def text(self):
        field = self.values["field"]
        js, w1, slope = self.score
        return (
            f"{self.law.name}, {field} velocity, {self.values['path']} path: "
            f"{_asked(self.G.evaluations)}, JS {js:.4f} nats, W₁ {w1:.3f}; "
            f"steepest slope {slope:.1f}, where the exact map has {self.needed:.1f}."
        )

    def claim(self):
        if self.values["field"] == "exact":
            return self.text()
        return f"{self.law.name}, learned velocity: {_asked(self.G.evaluations)}."


class Scoreboard(Lab):
    """JS against evaluations, a range a method; click on one to see its map from z to x.

    results: {law: {method: numbers}}, as tests/benchmarks/after.py keeps them.
    """

    def __init__(self, results):
        known = isinstance(results, dict) and [law for law in results if law in LAWS]
        if not known:
            raise ValueError(f"results must be those of {' or '.join(LAWS)}, got {results!r}")
        self.results = {law: results[law] for law in known}
        laws = list(self.results)
        names = list(self._methods(laws[0]))
        super().__init__(
            title="One scoreboard",
            height=400,
            axes=[BOARD, MAP],
            marks=[
                Points("chosen", "board", color=plots.COLOURS["orange"], size=16),
                Line("ranges", "board", color=plots.COLOURS["grey"], width=2),
                *[
                    Points(f"of {name}", "board", name or "one evaluation", **look)
                    for name, look in FAMILIES.items()
                ],
                Line("G", "map", "this method", style="G"),
                Line("T", "map", "T, the exact map", style="data"),
            ],
            controls=[
                Choice("law", "data", laws, laws[0]),
                Choice("method", "method", names, names[0]),
            ],
        )

    def _methods(self, law):
        """{method: its numbers} of one law."""
        return {name: kept for name, kept in self.results[law].items() if isinstance(kept, dict)}

    def places(self):
        """{method: (x, y)} on the board; those of one evaluation stand side by side."""
        methods = self._methods(self.values["law"])
        single = [name for name in methods if methods[name]["evaluations"] == 1]
        found = {}
        for name, kept in methods.items():
            x = float(kept["evaluations"])
            if name in single:
                x = 0.6 + 0.8 * single.index(name) / len(single)
            found[name] = (x, max(median(kept["js"]), LOWEST))
        return found

    def pointed(self, where, x, y):
        """Choose the nearest method, in the picture's logarithmic scales."""
        if where != "board":
            return
        places = self.places()

        def away(name):
            return (3 * math.log(places[name][0] / x)) ** 2 + math.log(places[name][1] / y) ** 2

        self.tell(method=min(places, key=away))

    def draw(self):
        methods = self._methods(self.values["law"])
        places = self.places()
        chosen = self.values["method"]
        gap = (math.nan, math.nan)
        ranges = []
        for name, kept in methods.items():
            x = places[name][0]
            ranges += [(x, max(min(kept["js"]), LOWEST)), (x, max(*kept["js"], LOWEST)), gap]

        dots: dict[str, list] = {name: [] for name in FAMILIES}
        for name in methods:
            dots[next(word for word in FAMILIES if name.startswith(word))].append(places[name])
        here = methods[chosen]["map"]
        exact = methods["T"]["map"]
        z = np.linspace(-3, 3, len(here))
        return {
            "chosen": [places[chosen]],
            "ranges": ranges,
            **{f"of {name}": rows for name, rows in dots.items()},
            "G": np.c_[z, here],
            "T": np.c_[z, exact],
        }

    def text(self):
        name = self.values["method"]
        methods = self._methods(self.values["law"])
        kept = methods[name]
        js = kept["js"]
        return (
            f"{name} on {self.values['law']}: {_asked(kept['evaluations'])}, "
            f"JS {median(js):.4f} nats ({min(js):.4f} to {max(js):.4f}, {len(js)} seeds), "
            f"W₁ {median(kept['w1']):.3f}; steepest slope {median(kept['slope']):.1f}, "
            f"where the exact map has {methods['T']['slope'][0]:.1f}."
        )
