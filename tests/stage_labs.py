"""Two labs that know no GAN, for the tests of the stage: one that counts, one with every mark."""

from typing import ClassVar

import numpy as np
import torch

from ganlib.stage.lab import Lab
from ganlib.stage.scene import (
    Area,
    Arrows,
    Axes,
    Bars,
    Button,
    Choice,
    Handles,
    Heat,
    Line,
    Number,
    Points,
    Rug,
    Slider,
    Text,
    Toggle,
)


class Counter(Lab):
    """Counts; its `rate` is what it adds. `fail` names a hook that shall break."""

    def __init__(self, name=None):
        self.count = 0.0
        self.fail = ""
        super().__init__(
            title="Counter",
            name=name,
            height=300,
            axes=[Axes("a", x=(0, 1), y=(0, 1), auto="xy")],
            marks=[Line("line", "a", "a line"), Text("words", "a")],
            controls=[
                Slider("rate", "rate", 0.1, 10, 1.0, log=True),
                Number("n", "n", 0, 9, 3),
                Choice("kind", "kind", ["x", "y"], "x"),
                Toggle("on", "on"),
                Button("press", "press"),
            ],
        )

    def reset(self):
        self.count = 0.0

    def changed(self, key, value):
        if key == "n" and value == 7:
            self.tell(rate=5.0)
            raise ValueError("7 is taken")

    def pressed(self, key):
        self.count = -1.0

    def advance(self):
        if self.fail == "advance":
            raise KeyError("advance is broken")
        self.count += self.values["rate"]

    def draw(self):
        if self.fail == "draw":
            raise ValueError("draw is broken")
        return {"line": [[0, 0], [2, self.count]], "words": [(1, 1, "hello")]}

    def text(self):
        return f"count {self.count:g}"


class Zoo(Lab):
    """One mark of every kind, on three pairs of axes."""

    def __init__(self):
        blue = {"color": "#0072b2"}
        half = {"box": (0, 0, 0.5, 1), "x": (0, 4), "y": (0, 4)}
        other = {"box": (0.5, 0, 0.5, 1), "x": (1, 10), "y": (1, 10)}
        super().__init__(
            title="Zoo",
            height=300,
            axes=[
                Axes("left", **half, xlabel="x", ylabel="y", title="left"),
                Axes("right", **other, log="xy", auto="xy", ticks="x"),
                Axes("none", box=(0.9, 0.9, 0.1, 0.1), frame=False, legend=False),
            ],
            marks=[
                Heat("heat", "left"),
                Line("line", "right", "line", **blue),
                Points("points", "left", "points", **blue),
                Points("rings", "left", hollow=True, **blue),
                Arrows("arrows", "left", "arrows", dash="--"),
                Bars("bars", "left", "bars"),
                Area("area", "left", "area"),
                Rug("rug", "left", "rug"),
                Rug("top", "left", top=True),
                Handles("handles", "left", "handles"),
                Text("text", "none"),
                Line("nothing", "left", "nothing"),
            ],
        )

    frame: ClassVar[dict] = {
        "heat": [[0, 0.5], [1, 0.25], [0.75, 2]],
        "line": [[1, 2], [10, np.nan], [100, 200]],
        "points": [[1, 1], [2, 2]],
        "rings": np.array([[3.0, 3.0]]),
        "arrows": [[0, 0, 1, 1]],
        "bars": [[1, 0, 1, 2]],
        "area": torch.ones(2, 3),
        "rug": [1, 2, 3],
        "top": torch.tensor([2.0]),
        "handles": [[1, 3]],
        "text": [(0.5, 0.5, "word"), (0, 1, "ü")],
        "nothing": [],
    }

    def draw(self):
        return self.frame

    def text(self):
        return "a zoo"

    def numbers(self, key) -> np.ndarray:
        """The numbers of a mark, as `draw` gives them but without words."""
        data = self.frame[key]
        if key == "text":
            data = [row[:2] for row in data]
        return np.asarray(data, np.float32).ravel()


# (rows, columns) of each mark of the zoo.
SHAPES = {
    "heat": (3, 2),
    "line": (3, 2),
    "points": (2, 2),
    "rings": (1, 2),
    "arrows": (1, 4),
    "bars": (1, 4),
    "area": (2, 3),
    "rug": (3, 1),
    "top": (1, 1),
    "handles": (1, 2),
    "text": (2, 2),
    "nothing": (0, 0),
}


def say(lab, **message):
    """A message as the browser sends it."""
    lab._heard(None, message, [])
