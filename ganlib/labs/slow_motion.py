"""`SlowMotion`: a training step in six phases, and the flow of data and gradients in each."""

import time

import numpy as np

from ganlib.stage.scene import Arrows, Text

SECONDS = 0.9  # that a phase is shown while the lab plays

# Data flow from left to right, gradients from right to left, as arrows (x0, y0, x1, y1) between
# words (x, y, word).
# fmt: off
BOXES = [
    (0.06, 0.45, "z"), (0.25, 0.45, "G"), (0.45, 0.45, "G(z)"),
    (0.45, 0.85, "x"), (0.70, 0.65, "D"), (0.92, 0.65, "V"),
]
FLOW = np.array([
    (0.10, 0.50, 0.21, 0.50),  # 0: z to G
    (0.29, 0.50, 0.40, 0.50),  # 1: G to G(z)
    (0.50, 0.85, 0.67, 0.72),  # 2: x to D
    (0.50, 0.50, 0.67, 0.63),  # 3: G(z) to D
    (0.74, 0.70, 0.88, 0.70),  # 4: D to V
    (0.88, 0.58, 0.74, 0.58),  # 5: back from V to D
    (0.66, 0.54, 0.50, 0.40),  # 6: back from D to G(z)
    (0.40, 0.38, 0.29, 0.38),  # 7: back from G(z) to G
])
MARKS = [
    Arrows("flow", "flow", color="#c8c8c8", width=2),
    Text("boxes", "flow"),
    Arrows("lit", "flow", color="#D55E00", width=3.5),
    Text("phase", "flow", color="#A33B00"),
]
# Each phase, and the arrows of FLOW that light up in it.
PHASES: list[tuple[str, list[int]]] = [
    ("draw real examples x",                                    [2]),
    ("draw noise z, make fakes G(z)",                           [0, 1]),
    ("D judges both",                                           [2, 3, 4]),
    ("D climbs V: the gradient stops at D",                     [5]),
    ("new noise, new fakes, judged by the new D",               [0, 1, 3, 4]),
    ("G steps: the gradient passes through D, D stands still",  [5, 6, 7]),
]
# fmt: on
NOT_YET: tuple[str, list[int]] = ("press play or step", [])
MOVES = {3: "D only", 5: "G only"}  # who moves in a phase
WHOSE = {"both": range(6), "D only": range(4), "G only": range(4, 6)}  # are the phases


class SlowMotion:
    """Where a step in slow motion stands; a lab with `MARKS` on its axes "flow" shows it."""

    def __init__(self):
        self.begin()

    def begin(self) -> None:
        """Stand before the first phase."""
        self.phase = -1
        self.due = 0.0

    def next(self, train: str, playing: bool) -> tuple[str | None, bool]:
        """Go on to the next phase: who moves in it, if anybody; and whether it ends the step.

        train: who trains. While a lab is playing, each phase is shown for a while.
        """
        now = time.perf_counter()
        if playing and now < self.due:
            return None, False
        phases = WHOSE[train]
        self.phase += 1
        if self.phase not in phases:
            self.phase = phases[0]
        self.due = now + SECONDS
        return MOVES.get(self.phase), self.phase == phases[-1]

    def draw(self, on: bool) -> dict:
        """What `MARKS` show; if it is not on, nothing lights up."""
        words = ""
        lit: list[int] = []
        if on:
            words, lit = NOT_YET if self.phase < 0 else PHASES[self.phase]
        return {"flow": FLOW, "boxes": BOXES, "lit": FLOW[lit], "phase": [(0.5, 0.08, words)]}
