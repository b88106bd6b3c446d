"""The labs of zero-sum games.

A pizza, a payoff matrix, two players on one V(x, y), and three kinds of answer.
"""

import time

import numpy as np
import torch

from ganlib import plots
from ganlib.checks import finite
from ganlib.games import RULES, eigenvalues, field, smallest_gan, solve
from ganlib.stage.lab import Lab
from ganlib.stage.scene import (
    Arrows,
    Axes,
    Bars,
    Button,
    Choice,
    Heat,
    Line,
    Number,
    Points,
    Slider,
    Text,
    Toggle,
)

# Of `Payoffs`. Each entry of the matrix: row, column, and the control that holds it.
CELLS = [(i, j, f"a{i + 1}{j + 1}") for i in range(3) for j in range(3)]
MATRICES = {
    "rock, paper, scissors": [[0, -1, 1], [1, 0, -1], [-1, 1, 0]],
    "forger and detective": [[2, -5, -10], [-2, 5, -10], [-2, -5, 10]],
    "pennies and a poor third choice": [[1, -1, 1], [-1, 1, 1], [-1, -1, 0]],
    "a saddle": [[4, 2, 3], [1, 0, 5], [3, 1, -2]],
}
OWN = "your own"
LIFT = (np.nan, 0)  # lifts the pen
# fmt: off
EDGES = [  # the lines between the entries
    (1, 0), (1, 3), LIFT, (0, 1), (3, 1), LIFT,
    (2, 0), (2, 3), LIFT, (0, 2), (3, 2), LIFT,
]

# Of `Players`. Where there is no formula, V comes from `smallest_gan`.
GAMES = {
    "bilinear: xy":                           lambda x, y: x * y,
    "convex-concave: xy + (x² − y²)/8":       lambda x, y: x * y + (x**2 - y**2) / 8,
    "false cycle: xy + (cos 4y − cos 4x)/16": lambda x, y: x * y + ((4*y).cos() - (4*x).cos()) / 16,
    "smallest GAN: x is θ, y is w":           None,
}
# fmt: on
LOOKS: dict[str, dict] = {
    rule: {"color": plots.COLOURS[colour], "dash": dash, "width": 2}
    for rule, colour, dash in zip(
        RULES,
        ("vermillion", "blue", "green", "purple", "orange"),
        ("-", "--", (0, (4, 1, 1, 1, 1, 1)), "-.", ":"),
    )
}
ALL_RULES = "all five"
GRID = torch.cartesian_prod(*[torch.linspace(-1.8, 1.8, 13, dtype=torch.float64)] * 2)
EDGE = 2  # how far the picture reaches from the rest point
FAR = 1e4  # a path that is so far from the rest point is off to infinity
LONG = 2000  # the points of a path, at most
MORE = "start, speed, spread of the GAN"  # the fold of what is seldom moved

# Of `Questions`. Each answer, its look, the size of its dots.
ANSWERS = (
    ("verdict", "half", 4),
    ("score", "regret", 11),
    ("gradient", "G", 6),
)
DIMENSIONS = range(1, 9)


class Pizza(Lab):
    """Share a pizza, lose some of it in a fight, take off the fair share.

    When do the payoffs add up to 0?
    """

    def __init__(self):
        super().__init__(
            title="Shares of a pizza",
            height=260,
            axes=[Axes("plate", x=(-0.6, 2.6), y=(-0.8, 1.05), frame=False, legend=False)],
            marks=[
                Bars("A", "plate", style="G"),
                Bars("B", "plate", style="D"),
                Bars("together", "plate", style="half"),
                Line("zero", "plate", style="half"),
                Text("words", "plate", size=15),
            ],
            controls=[
                Slider("share", "share of A", 0, 1, 0.7, step=0.01),
                Toggle("fair", "take off the fair share"),
                Slider("lost", "lost in the fight", 0, 0.5, 0, step=0.01),
            ],
        )

    def draw(self):
        left = 1 - self.values["lost"]
        fair = 0.5 * self.values["fair"]
        a = self.values["share"] * left - fair
        b = (1 - self.values["share"]) * left - fair
        payoffs = {"A": a, "B": b, "together": a + b}

        # Four decimals hold what the sliders can make; B's are what is left, so that they add up.
        in_all = round(a + b, 4)
        got_a = round(a, 4)
        told = {"A": got_a, "B": in_all - got_a, "together": in_all}
        self.words = [f"{who} {_signed(got)}" for who, got in told.items()]
        bars = {}
        for x, (who, got) in enumerate(payoffs.items()):
            bars[who] = [[x - 0.25, 0, 0.5, got]]
        return {
            **bars,
            "zero": [[-0.6, 0], [2.6, 0]],
            "words": [(x, -0.65, words) for x, words in enumerate(self.words)],
        }

    def text(self):
        unit = "pizzas beyond a fair half each." if self.values["fair"] else "pizzas."
        return f"{', '.join(self.words)} {unit}"


class Payoffs(Lab):
    """Edit what the column player pays the row player.

    See the best answers and the mixed equilibrium.
    """

    def __init__(self, example="forger and detective"):
        A = MATRICES.get(example, np.zeros((3, 3)))  # what is no example is refused below
        super().__init__(
            title="A payoff matrix and its solution",
            height=380,
            axes=[
                Axes(
                    "matrix",
                    box=(0, 0, 0.6, 0.76),
                    x=(0, 3),
                    y=(0, 3),
                    frame=False,
                    title="what column pays row",
                ),
                Axes(
                    "rows",
                    box=(0.6, 0, 0.4, 0.76),
                    x=(0, 1),
                    y=(0, 3),
                    frame=False,
                    title="row's mix p",
                ),
                Axes(
                    "columns",
                    box=(0, 0.76, 0.6, 0.24),
                    x=(0, 3),
                    y=(0, 1.3),
                    frame=False,
                    title="column's mix q",
                ),
            ],
            marks=[
                Heat("pay", "matrix", palette="belief", smooth=False),
                Text("numbers", "matrix", size=20),
                Line("edges", "matrix", color="#ffffff", width=4),
                Text("of p", "rows", align="left"),
                Text("of q", "columns"),
                Text("up", "matrix", color="#004a75"),
                Text("down", "matrix", color="#00583f"),
                Bars("p", "rows", style="D"),
                Bars("q", "columns", style="G"),
            ],
            controls=[
                Choice("example", "example", [*MATRICES, OWN], example),
                *(_entry(i, j, key, A[i][j]) for i, j, key in CELLS),
            ],
        )

    def changed(self, key, value):
        """An example fills the matrix; an edited matrix is the learner's own."""
        if key != "example":
            self.tell(example=OWN)
        elif value != OWN:
            self.tell(**{cell: MATRICES[value][i][j] for i, j, cell in CELLS})

    def draw(self):
        A = np.array([self.values[key] for _, _, key in CELLS], float).reshape(3, 3)
        self.A = A
        self.game = solve(A)
        _, p, q = self.game

        shades = 0.5 + 0.2 * A / max(1, abs(A).max())
        numbers = []
        up = []
        down = []
        for i, j, _ in CELLS:
            numbers.append((j + 0.5, 2.5 - i, f"{A[i, j]:g}".replace("-", "−")))
            if A[i, j] == A[:, j].max():
                up.append((j + 0.5, 2.83 - i, "row's best"))
            if A[i, j] == A[i].min():
                down.append((j + 0.5, 2.17 - i, "column's best"))
        return {
            "pay": shades[::-1],
            "numbers": numbers,
            "up": up,
            "down": down,
            "edges": EDGES,
            "of p": [(0, 2.86 - i, f"row {i + 1}: {p[i]:.2f}") for i in range(3)],
            "of q": [(j + 0.5, q[j] + 0.13, f"column {j + 1}: {q[j]:.2f}") for j in range(3)],
            "p": [[0, 2.25 - i, p[i], 0.5] for i in range(3)],
            "q": [[j + 0.25, 0, 0.5, q[j]] for j in range(3)],
        }

    def text(self):
        value, p, q = self.game
        return (
            f"In the open, row makes sure of {self.A.min(1).max():g}, column of paying at most "
            f"{self.A.max(0).min():g}. Mixed, both make sure of {value:.3f}: "
            f"p = ({_listed(p)}), q = ({_listed(q)})."
        )


class Players(Lab):
    """Click to start a path: x goes down V, y goes up V, by the rule and the rate you choose."""

    def __init__(self, game="bilinear: xy", rule="simultaneous", lr=0.1):
        self.due = 0.0  # when the next step is, while it plays
        super().__init__(
            title="Two players on one V(x, y)",
            height=440,
            axes=[
                Axes(
                    "plane",
                    box=(0, 0, 0.5, 1),
                    x=(-EDGE, EDGE),
                    y=(-EDGE, EDGE),
                    xlabel="x (down V), y (up V)",
                ),
                Axes(
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
                Arrows("field", "plane", color="#a0a0a0", width=1.2),
                *(Line(name, "plane", **look) for name, look in LOOKS.items()),
                Points("rest", "plane", color=plots.COLOURS["grey"], size=9),
                Points("now", "plane", size=8),
                *(Line(f"far, {name}", "far", name, **look) for name, look in LOOKS.items()),
            ],
            controls=[
                Choice("game", "V", list(GAMES), game),
                Choice("rule", "rule", [*RULES, ALL_RULES], rule),
                Slider("lr", "rate η", 0.01, 2, lr, log=True),
                Button("start", "start a path"),
                Slider("x", "start at x", -EDGE, EDGE, 1, group=MORE),
                Slider("y", "start at y", -EDGE, EDGE, 0, group=MORE),
                Slider("speed", "steps a second", 1, 500, 60, log=True, group=MORE),
                Slider("spread", "spread of the GAN", 0, 1.5, 0, group=MORE),
            ],
        )
        self.changed("game", game)

    def reset(self):
        self.paths = []
        self.steps = 0
        self.pressed("start")

    def changed(self, key, value):
        if key in ("game", "spread"):
            self.V = GAMES[self.values["game"]] or smallest_gan(self.values["spread"])
            self.reset()

    def pressed(self, key):
        self.pointed("plane", self.values["x"], self.values["y"])

    def pointed(self, where, x, y):
        """Start a path here by each rule that is chosen; the last ten paths are kept."""
        if where == "plane":
            start = [finite("x", x), finite("y", y)]
            chosen = self.values["rule"]
            rules = [chosen]
            if chosen == ALL_RULES:
                rules = list(RULES)
            started = [(rule, [start]) for rule in rules]
            self.paths = [*self.paths, *started][-10:]

    def advance(self):
        if self.playing and time.perf_counter() < self.due:
            return False
        self.due = max(self.due, time.perf_counter() - 0.1) + 1 / self.values["speed"]

        for rule, path in self.paths:
            last_two = [path[-1], path[-2:][0]]  # a path of one point stood there before, too
            now, before = torch.tensor(last_two, dtype=torch.float64)
            if now.norm() < FAR and len(path) < LONG:
                then = RULES[rule].step(field(self.V), now, before, self.values["lr"])
                path.append(then.tolist())

    def draw(self):
        slopes = field(self.V)(GRID).detach()
        way = 0.13 * torch.nn.functional.normalize(slopes)
        frame: dict = {
            "field": torch.cat([GRID - way, GRID + way], 1),
            "rest": [[0, 0]],
            "now": [path[-1] for _, path in self.paths],
        }
        for rule in RULES:
            walked = [np.zeros((0, 2))]  # there may be none by this rule
            distances = [np.zeros((0, 2))]
            for by, path in self.paths:
                if by == rule:
                    places = np.array([*path, [np.nan, np.nan]])  # the pen is lifted at its end
                    walked.append(places)
                    distances.append(np.c_[np.arange(len(places)), np.hypot(*places.T)])
            frame[rule] = np.concatenate(walked)
            frame[f"far, {rule}"] = np.concatenate(distances)
        return frame

    def text(self):
        rule, path = self.paths[-1]
        lr = self.values["lr"]
        factor = abs(eigenvalues(self.V, [0, 0], rule, lr=lr)[0])
        far = np.hypot(*path[-1])
        gone = ""
        if far >= FAR:
            gone = ", off to infinity"
        elif np.abs(path[-1]).max() > EDGE:
            gone = ", outside the picture"
        return (
            f"{rule}, η = {lr:.3g}: near the rest point a step should multiply the distance by "
            f"{factor:.4f}. The last path is {far:.3g} away after its {len(path) - 1} steps{gone}."
        )


class Questions(Lab):
    """Count the questions of your seek(answer, target, near, rng), in 1 to 8 dimensions.

    It returns all that it asked, (n, d).
    """

    def __init__(self, seek):
        self.seek = seek
        self.seed = 0
        super().__init__(
            title="One hidden target, three kinds of answer",
            height=360,
            axes=[
                Axes("map", box=(0, 0, 0.42, 1), xlabel="first coordinate", title="what was asked"),
                Axes(
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
                *(Points(answer, "map", style=look, size=size) for answer, look, size in ANSWERS),
                Points("target", "map", size=9),
                *(Line(f"n, {answer}", "count", answer, style=look) for answer, look, _ in ANSWERS),
            ],
            controls=[
                Number("d", "dimensions on the map", DIMENSIONS[0], DIMENSIONS[-1], 2),
                Button("hide", "hide it somewhere else"),
                Slider("near", "found when nearer than", 0.02, 0.3, 0.05, log=True),
            ],
        )

    def pressed(self, key):
        self.seed += 1

    def draw(self):
        d = self.values["d"]
        near = self.values["near"]
        place = np.random.default_rng(self.seed).random(len(DIMENSIONS))
        target = near + (1 - 2 * near) * place

        frame: dict = {"target": target[None, [0, d - 1]]}
        self.said = []
        for answer, _, _ in ANSWERS:
            asked = [self._ask(answer, target[:n]) for n in DIMENSIONS]
            shown = asked[d - 1]
            frame[answer] = shown[-2000:, [0, -1]]
            frame[f"n, {answer}"] = [[n, len(all_of_n)] for n, all_of_n in zip(DIMENSIONS, asked)]
            missed = abs(shown[-1] - target[:d]).max() >= near
            self.said.append(f"{len(shown)} by {answer}{' (not found)' if missed else ''}")
        return frame

    def _ask(self, answer, target):
        """All questions of the learner's `seek`, with chance that is always the same."""
        return self.seek(answer, target, self.values["near"], np.random.default_rng(self.seed + 1))

    def text(self):
        return f"Questions asked in {self.values['d']} dimensions: {', '.join(self.said)}."


def _entry(i, j, key, value):
    """The control of one payoff."""
    return Number(key, f"row {i + 1}, column {j + 1}", -20, 20, value, group="edit the matrix")


def _signed(number) -> str:
    """With its sign, and as many of four decimals as it needs, two at least."""
    digits = f"{round(number, 4) + 0:+.4f}"  # + 0: no −0
    return digits[:-2] + digits[-2:].rstrip("0")


def _listed(mix) -> str:
    return ", ".join(f"{share:.3f}" for share in mix)
