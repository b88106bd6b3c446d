"""The labs of zero-sum games: a pizza, a payoff matrix, two players on one V(x, y), three kinds of answer."""

import time

import numpy as np
import torch

from ganlib import plots
from ganlib.games import RULES, eigenvalues, field, smallest_gan, solve
from ganlib.labs.runner import Lab
from ganlib.labs.scene import (
    arrows,
    axes,
    bars,
    button,
    choice,
    heat,
    line,
    number,
    points,
    slider,
    text,
    toggle,
)

CELLS = [(i, j, f"a{i + 1}{j + 1}") for i in range(3) for j in range(3)]
MATRICES = {
    "rock, paper, scissors": [[0, -1, 1], [1, 0, -1], [-1, 1, 0]],
    "forger and detective": [[2, -5, -10], [-2, 5, -10], [-2, -5, 10]],
    "pennies and a poor third choice": [[1, -1, 1], [-1, 1, 1], [-1, -1, 0]],
    "a saddle": [[4, 2, 3], [1, 0, 5], [3, 1, -2]],
}
GAMES = {
    "bilinear: xy": lambda x, y: x * y,
    "convex-concave: xy + (x² − y²)/8": lambda x, y: x * y + (x**2 - y**2) / 8,
    "false cycle: xy + (cos 4y − cos 4x)/16": lambda x, y: (
        x * y + ((4 * y).cos() - (4 * x).cos()) / 16
    ),
    "smallest GAN: x is θ, y is w": None,
}
LOOKS = {
    rule: {"color": plots.COLOURS[colour], "dash": dash, "width": 2}
    for rule, colour, dash in zip(
        RULES,
        ("vermillion", "blue", "green", "purple", "orange"),
        ("-", "--", (0, (4, 1, 1, 1, 1, 1)), "-.", ":"),
    )
}
GRID = torch.cartesian_prod(*[torch.linspace(-1.8, 1.8, 13, dtype=torch.float64)] * 2)
MORE = "start, speed, spread of the GAN"
ANSWERS = (
    ("verdict", "half", 4),
    ("score", "regret", 11),
    ("gradient", "G", 6),
)  # the answer, its look, its dots


class Pizza(Lab):
    """Share a pizza, lose some of it in a fight, take off the fair share: when do the payoffs add up to 0?"""

    def __init__(self):
        super().__init__(
            title="Shares of a pizza",
            height=260,
            axes=[axes("plate", x=(-0.6, 2.6), y=(-0.8, 1.05), frame=False, legend=False)],
            marks=[
                *(
                    bars(who, "plate", style=look)
                    for who, look in zip(("A", "B", "together"), ("G", "D", "half"))
                ),
                line("zero", "plate", style="half"),
                text("words", "plate", size=15),
            ],
            controls=[
                slider("share", "share of A", 0, 1, 0.7, step=0.01),
                toggle("fair", "take off the fair share"),
                slider("lost", "lost in the fight", 0, 0.5, 0, step=0.01),
            ],
        )

    def draw(self):
        left, fair = 1 - self.values["lost"], 0.5 * self.values["fair"]
        a, b = self.values["share"] * left - fair, (1 - self.values["share"]) * left - fair
        shares = {"A": a, "B": b, "together": a + b}
        self.words = [f"{who} {round(v, 2) + 0:+.2f}" for who, v in shares.items()]
        return {
            **{who: [[x - 0.25, 0, 0.5, v]] for x, (who, v) in enumerate(shares.items())},
            "zero": [[-0.6, 0], [2.6, 0]],
            "words": [(x, -0.65, words) for x, words in enumerate(self.words)],
        }

    def text(self):
        return ", ".join(self.words) + (
            " pizzas beyond a fair half each." if self.values["fair"] else " pizzas."
        )


class Payoffs(Lab):
    """Edit what the column player pays the row player; see the best answers and the mixed equilibrium."""

    def __init__(self, example="forger and detective"):
        A = MATRICES.get(example, np.zeros((3, 3)))  # what is no example is refused below
        super().__init__(
            title="A payoff matrix and its solution",
            height=380,
            axes=[
                axes(
                    "matrix",
                    box=(0, 0, 0.6, 0.76),
                    x=(0, 3),
                    y=(0, 3),
                    frame=False,
                    title="what column pays row",
                ),
                axes(
                    "rows",
                    box=(0.6, 0, 0.4, 0.76),
                    x=(0, 1),
                    y=(0, 3),
                    frame=False,
                    title="row's mix p",
                ),
                axes(
                    "columns",
                    box=(0, 0.76, 0.6, 0.24),
                    x=(0, 3),
                    y=(0, 1.3),
                    frame=False,
                    title="column's mix q",
                ),
            ],
            marks=[
                heat("pay", "matrix", palette="belief", smooth=False),
                text("numbers", "matrix", size=20),
                line("edges", "matrix", color="#ffffff", width=4),
                text("of p", "rows", align="left"),
                text("of q", "columns"),
                text("up", "matrix", color="#004a75"),
                text("down", "matrix", color="#00583f"),
                bars("p", "rows", style="D"),
                bars("q", "columns", style="G"),
            ],
            controls=[
                choice("example", "example", [*MATRICES, "your own"], example),
                *(
                    number(
                        k, f"row {i + 1}, column {j + 1}", -20, 20, A[i][j], group="edit the matrix"
                    )
                    for i, j, k in CELLS
                ),
            ],
        )

    def changed(self, key, value):
        A = MATRICES.get(value) if key == "example" else None
        self.tell(**({cell: A[i][j] for i, j, cell in CELLS} if A else {"example": "your own"}))

    def draw(self):
        A = self.A = np.array([self.values[key] for *_, key in CELLS], float).reshape(3, 3)
        _, p, q = self.game = solve(A)
        return {
            "pay": (0.5 + 0.2 * A / max(1, abs(A).max()))[::-1],
            "numbers": [(j + 0.5, 2.5 - i, f"{A[i, j]:g}".replace("-", "−")) for i, j, _ in CELLS],
            "up": [
                (j + 0.5, 2.83 - i, "row's best") for i, j, _ in CELLS if A[i, j] == A[:, j].max()
            ],
            "down": [
                (j + 0.5, 2.17 - i, "column's best") for i, j, _ in CELLS if A[i, j] == A[i].min()
            ],
            "edges": [
                (x, y)
                for k in (1, 2)
                for x, y in ((k, 0), (k, 3), (np.nan, 0), (0, k), (3, k), (np.nan, 0))
            ],
            "of p": [(0, 2.86 - i, f"row {i + 1}: {p[i]:.2f}") for i in range(3)],
            "of q": [(j + 0.5, q[j] + 0.13, f"column {j + 1}: {q[j]:.2f}") for j in range(3)],
            "p": [[0, 2.25 - i, p[i], 0.5] for i in range(3)],
            "q": [[j + 0.25, 0, 0.5, q[j]] for j in range(3)],
        }

    def text(self):
        p, q = (", ".join(f"{v:.3f}" for v in mix) for mix in self.game[1:])
        return (
            f"In the open, row makes sure of {self.A.min(1).max():g}, column of paying at most "
            f"{self.A.max(0).min():g}. Mixed, both make sure of {self.game.value:.3f}: p = ({p}), q = ({q})."
        )


class Players(Lab):
    """Click to start a path: x goes down V, y goes up V, by the rule and the rate you choose."""

    def __init__(self, game="bilinear: xy", rule="simultaneous", lr=0.1):
        self.due = 0.0
        super().__init__(
            title="Two players on one V(x, y)",
            height=440,
            axes=[
                axes(
                    "plane", box=(0, 0, 0.5, 1), x=(-2, 2), y=(-2, 2), xlabel="x (down V), y (up V)"
                ),
                axes(
                    "far",
                    box=(0.5, 0, 0.5, 1),
                    auto="x",
                    y=(1e-4, 1e3),
                    log="y",
                    xlabel="step",
                    title="distance",
                ),
            ],
            marks=[
                arrows("field", "plane", color="#a0a0a0", width=1.2),
                *(line(r, "plane", **LOOKS[r]) for r in RULES),
                points("rest", "plane", color=plots.COLOURS["grey"], size=9),
                points("now", "plane", size=8),
                *(line(f"far, {r}", "far", r, **LOOKS[r]) for r in RULES),
            ],
            controls=[
                choice("game", "V", GAMES, game),
                choice("rule", "rule", [*RULES, "all five"], rule),
                slider("lr", "rate η", 0.01, 2, lr, log=True),
                button("start", "start a path"),
                slider("x", "start at x", -2, 2, 1, group=MORE),
                slider("y", "start at y", -2, 2, 0, group=MORE),
                slider("speed", "steps a second", 1, 500, 60, log=True, group=MORE),
                slider("spread", "spread of the GAN", 0, 1.5, 0, group=MORE),
            ],
        )
        self.changed("game", game)

    def changed(self, key, value):
        if key in ("game", "spread"):
            self.V = GAMES[self.values["game"]] or smallest_gan(self.values["spread"])
            self.reset()

    def reset(self):
        self.paths, self.steps = [], 0
        self.pressed("start")

    def pressed(self, key):
        self.pointed("plane", self.values["x"], self.values["y"])

    def pointed(self, where, x, y):
        chosen = RULES if self.values["rule"] == "all five" else [self.values["rule"]]
        self.paths = [*self.paths, *((rule, [[x, y]]) for rule in chosen if where == "plane")][-10:]

    def advance(self):
        if self.playing and time.perf_counter() < self.due:
            return False
        self.due = max(self.due, time.perf_counter() - 0.1) + 1 / self.values["speed"]
        for rule, path in self.paths:
            now, before = torch.tensor([path[-1], path[-2:][0]], dtype=torch.float64)
            if now.norm() < 1e4 and len(path) < 2000:
                path.append(
                    RULES[rule].step(field(self.V), now, before, self.values["lr"]).tolist()
                )

    def draw(self):
        way = 0.13 * torch.nn.functional.normalize(field(self.V)(GRID).detach())
        frame = {"field": torch.cat([GRID - way, GRID + way], 1), "rest": [[0, 0]]}
        frame["now"] = [path[-1] for _, path in self.paths]
        for rule in RULES:
            lines = [np.array([*path, [np.nan] * 2]) for r, path in self.paths if r == rule] or [
                np.zeros((0, 2))
            ]
            frame[rule] = np.concatenate(lines)
            frame[f"far, {rule}"] = np.concatenate(
                [np.c_[np.arange(len(w)), np.hypot(*w.T)] for w in lines]
            )
        return frame

    def text(self):
        (rule, path), lr = self.paths[-1], self.values["lr"]
        size, far = abs(eigenvalues(self.V, [0, 0], rule, lr=lr)[0]), np.hypot(*path[-1])
        return (
            f"{rule}, η = {lr:.3g}: near the rest point a step should multiply the distance by {size:.4f}. "
            f"After {len(path) - 1} steps it is {far:.3g}{', off to infinity' * (not far < 1e4)}."
        )


class Questions(Lab):
    """Your seek(answer, target, near, rng) returns all its questions, (n, d): count them, in 1 to 8 dimensions."""

    def __init__(self, seek):
        self.seek, self.seed = seek, 0
        super().__init__(
            title="One hidden target, three kinds of answer",
            height=360,
            axes=[
                axes("map", box=(0, 0, 0.42, 1), xlabel="first coordinate", title="what was asked"),
                axes(
                    "count",
                    box=(0.42, 0, 0.58, 1),
                    x=(0.5, 8.5),
                    y=(1, 1e8),
                    log="y",
                    xlabel="dimensions",
                    title="questions",
                ),
            ],
            marks=[
                *(points(k, "map", style=look, size=z) for k, look, z in ANSWERS),
                points("target", "map", size=9),
                *(line(f"n, {k}", "count", k, style=look) for k, look, _ in ANSWERS),
            ],
            controls=[
                number("d", "dimensions on the map", 1, 8, 2),
                button("hide", "hide it somewhere else"),
                slider("near", "found when nearer than", 0.02, 0.3, 0.05, log=True),
            ],
        )

    def pressed(self, key):
        self.seed += 1

    def draw(self):
        d, near, frame = self.values["d"], self.values["near"], dict[str, object]()
        self.said = []
        target = near + (1 - 2 * near) * np.random.default_rng(self.seed).random(8)
        for k, *_ in ANSWERS:
            asked = [
                self.seek(k, target[:n], near, np.random.default_rng(self.seed + 1))
                for n in range(1, 9)
            ]
            frame |= {
                k: asked[d - 1][-2000:, [0, -1]],
                f"n, {k}": [[n, len(a)] for n, a in enumerate(asked, 1)],
            }
            missed = abs(asked[d - 1][-1] - target[:d]).max() >= near
            self.said.append(f"{len(asked[d - 1])} by {k}{' (not found)' * bool(missed)}")
        return {**frame, "target": target[None, [0, d - 1]]}

    def text(self):
        return f"Questions asked in {self.values['d']} dimensions: {', '.join(self.said)}."
