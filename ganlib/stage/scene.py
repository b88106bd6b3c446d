"""The words in which a lab says what it shows: axes, marks, controls, and the `Scene` they make.

All are data. The canvas in the browser and the poster in matplotlib draw the same scene from the
same arrays, so the live picture and the stored picture cannot differ. A scene that cannot be right
is refused when it is made, by the name of what is wrong.
"""

import math
import re
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, fields, replace
from typing import Any, ClassVar

from ganlib.checks import one_of
from ganlib.plots import STYLE

# From low to high. "belief" is the D of a 2-D lab: orange where it says fake, blue where real.
PALETTES = {
    "grey": ["#000000", "#ffffff"],
    "belief": ["#e69f00", "#ffffff", "#0072b2"],
    "heat": ["#ffffff", "#9ad0c2", "#009e73", "#003d2e"],
}
DASHES: dict[str, list[int]] = {"-": [], ":": [2, 3], "--": [7, 4], "-.": [8, 3, 2, 3]}
SIDES = ("", "x", "y", "xy")
SHOWN = 5.01e-6  # how far a number is off, at most, that is written in six digits
WIDTH = 900  # the width of a scene: its sizes are pixels of a picture so wide

# Of type above a pair of axes, in pixels of the scene. Widths are estimates: canvas and poster
# squeeze a line that is wider in their type.
LINE = 17  # from one line of the legend to the next
SAMPLE = 46  # the piece of a mark beside its label, and the space behind it
LETTER = 6.6  # of a label
BOLD = 7.4  # of a title
AFTER_TITLE = 16
LEFT = 52  # of axes, for the numbers along y
RIGHT = 18


@dataclass(frozen=True)
class Axes:
    """A pair of axes in `box` = (left, top, width, height), as fractions of the picture.

    x, y: their limits. log, auto, ticks: "", "x", "y" or "xy": which of them is logarithmic,
    follows the data, has ticks. legend: whether the marks are named above the axes, where they
    hide nothing (`Scene.legend`). frame: False for a picture without lines around it.
    """

    key: str
    _: KW_ONLY
    box: tuple[float, float, float, float] = (0, 0, 1, 1)
    x: tuple[float, float] = (0, 1)
    y: tuple[float, float] = (0, 1)
    xlabel: str = ""
    ylabel: str = ""
    title: str = ""
    log: str = ""
    auto: str = ""
    legend: bool = True
    frame: bool = True
    ticks: str = "xy"

    def __post_init__(self):
        name = f"axes {self.key!r}"
        one_of(f"log of {name}", self.log, SIDES)
        one_of(f"auto of {name}", self.auto, SIDES)
        one_of(f"ticks of {name}", self.ticks, SIDES)
        one_of(f"legend of {name}", self.legend, (True, False))

        left, top, width, height = self.box
        inside = min(left, top, width, height) >= 0 and max(left + width, top + height) <= 1 + 1e-6
        if not inside:
            raise ValueError(f"box of {name} must lie within (0, 0, 1, 1), got {self.box}")

        for side, (low, high) in (("x", self.x), ("y", self.y)):
            if not low < high:
                raise ValueError(
                    f"{side} of {name} must rise from low to high, got ({low}, {high})"
                )
            if side in self.log and low <= 0:
                raise ValueError(f"{side} of {name} is logarithmic and must be positive, got {low}")


@dataclass(frozen=True)
class Mark:
    """What all marks have: a key, the key of their axes, and a label for the legend.

    style: a name in `plots.STYLE`, whose colour, dash and width hold unless others are given.
    color: "#rrggbb". dash: a name in `DASHES`. width: of lines, in pixels.
    """

    kind: ClassVar[str]
    columns: ClassVar[int | None]  # of the array that `draw` gives for it; None: any number

    key: str
    axes: str
    label: str = ""
    _: KW_ONLY
    style: str = ""
    color: str = ""
    dash: Any = None  # once made: a list of lengths, drawn and left out in turn
    width: float = 0.0

    def __post_init__(self):
        name = f"mark {self.key!r}"
        look: dict = {}
        if self.style:
            look = STYLE[one_of(f"style of {name}", self.style, STYLE)]

        color = self.color or look.get("color", "#000000")
        if not re.fullmatch("#[0-9a-fA-F]{6}", str(color)):
            raise ValueError(f"color of {name} must be written as #rrggbb, got {color!r}")

        dash = self.dash if self.dash is not None else look.get("linestyle", "-")
        if isinstance(dash, str):
            dash = DASHES[one_of(f"dash of {name}", dash, DASHES)]
        elif isinstance(dash, tuple):  # as matplotlib writes it: (offset, lengths)
            dash = list(dash[1])

        object.__setattr__(self, "color", color)
        object.__setattr__(self, "dash", dash)
        object.__setattr__(self, "width", self.width or look.get("linewidth", 1.5))

    def describe(self) -> dict:
        """What the browser is told."""
        told = {"kind": self.kind} | _plain(self)
        del told["style"]
        return told


@dataclass(frozen=True)
class Line(Mark):
    """A polyline through the rows (x, y); nan breaks it."""

    kind = "line"
    columns = 2


@dataclass(frozen=True)
class Points(Mark):
    """Dots, or rings, at the rows (x, y), `size` pixels wide."""

    kind = "points"
    columns = 2

    _: KW_ONLY
    size: float = 4
    alpha: float = 1.0
    hollow: bool = False


@dataclass(frozen=True)
class Handles(Mark):
    """Dots at the rows (x, y) that can be dragged; the lab hears of it in `dragged`."""

    kind = "handles"
    columns = 2

    _: KW_ONLY
    size: float = 11


@dataclass(frozen=True)
class Arrows(Mark):
    """Arrows, a row (x0, y0, x1, y1) each."""

    kind = "arrows"
    columns = 4


@dataclass(frozen=True)
class Bars(Mark):
    """Rectangles, a row (left, bottom, width, height) each."""

    kind = "bars"
    columns = 4

    _: KW_ONLY
    alpha: float = 0.6


@dataclass(frozen=True)
class Area(Mark):
    """The band between low and high, in rows (x, low, high)."""

    kind = "area"
    columns = 3

    _: KW_ONLY
    alpha: float = 0.3


@dataclass(frozen=True)
class Rug(Mark):
    """A tick at each x on the lower edge, or on the upper one."""

    kind = "rug"
    columns = 1

    _: KW_ONLY
    alpha: float = 0.4
    top: bool = False


@dataclass(frozen=True)
class Text(Mark):
    """Words at places: a list of (x, y, string)."""

    kind = "text"
    columns = 2

    _: KW_ONLY
    size: float = 13
    align: str = "center"


@dataclass(frozen=True)
class Heat(Mark):
    """A matrix of values in 0..1 that fills the axes, its first row at the bottom."""

    kind = "heat"
    columns = None

    _: KW_ONLY
    palette: str = "heat"
    smooth: bool = True

    def __post_init__(self):
        super().__post_init__()
        one_of(f"palette of mark {self.key!r}", self.palette, PALETTES)

    def describe(self) -> dict:
        """What the browser is told: the palette by its colours."""
        return super().describe() | {"palette": PALETTES[self.palette]}


@dataclass(frozen=True)
class Control:
    """What all controls have: a key, a label; `group`: the fold they stand in; `help`: a tip."""

    kind: ClassVar[str]

    key: str
    label: str
    _: KW_ONLY
    group: str = ""
    help: str = ""

    def checked(self, value):
        """The value if the control allows it, else a ValueError that says what is allowed."""
        raise ValueError(f"{self.label} has no value")

    def describe(self) -> dict:
        """What the browser is told."""
        return {"kind": self.kind} | _plain(self)


class _Valued(Control):
    """A control with a value, which must be one that it allows from the beginning."""

    value: object

    def __post_init__(self):
        self.checked(self.value)


@dataclass(frozen=True)
class Slider(_Valued):
    """A range input beside a number input; with `log`, equal ways are equal factors.

    Its value is a float. step: by default a 200th of the way. stops: the only values there are.
    """

    kind = "slider"

    low: float
    high: float
    value: float
    _: KW_ONLY
    step: float | None = None
    log: bool = False
    stops: tuple[float, ...] = ()

    def __post_init__(self):
        if not self.low < self.high:
            raise ValueError(f"{self.label} must have low < high, got {self.low}, {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"{self.label} is logarithmic: low must be positive, got {self.low}")
        if not self.step:
            step = 0.0
            if not self.log:
                step = (self.high - self.low) / 200
            object.__setattr__(self, "step", step)
        super().__post_init__()

    def checked(self, value):
        """A number from low to high, as a float.

        The browser shows six digits: an end that is written so is that end.
        """
        number = _number(value)
        nearest = min(max(number, self.low), self.high)
        if abs(number - nearest) <= SHOWN * abs(nearest):
            return float(nearest)
        raise _outside(self, "a number", value)

    def describe(self) -> dict:
        """What the browser is told."""
        told = super().describe()
        if not self.stops:
            del told["stops"]
        return told


@dataclass(frozen=True)
class Number(_Valued):
    """A whole number from low to high, typed."""

    kind = "number"

    low: int
    high: int
    value: int

    def checked(self, value):
        """A whole number from low to high, as an int."""
        number = _number(value)
        if not self.low <= number <= self.high or number != int(number):
            raise _outside(self, "a whole number", value)
        return int(number)


@dataclass(frozen=True)
class Choice(_Valued):
    """One of several strings."""

    kind = "choice"

    options: list[str]
    value: str

    def __post_init__(self):
        object.__setattr__(self, "options", list(self.options))  # a dict is taken by its keys
        super().__post_init__()

    def checked(self, value):
        """One of the options."""
        return one_of(self.label, value, self.options)


@dataclass(frozen=True)
class Toggle(_Valued):
    """On or off."""

    kind = "toggle"

    value: bool = False

    def checked(self, value):
        """True or False."""
        return bool(one_of(self.label, value, (True, False)))


@dataclass(frozen=True)
class Button(Control):
    """Something to press; it has no value, and the lab hears of it in `pressed`."""

    kind = "button"


@dataclass(frozen=True)
class File(Control):
    """A text file of the learner's; its content arrives in `pressed`."""

    kind = "file"


@dataclass(frozen=True)
class Scene:
    """A whole picture with its controls, `WIDTH` by `height` pixels.

    plays, resets, points: whether the lab advances, can start again, hears clicks in its axes.
    """

    title: str
    axes: tuple[Axes, ...]
    marks: tuple[Mark, ...]
    controls: tuple[Control, ...] = ()
    height: int = 420
    plays: bool = False
    resets: bool = False
    points: bool = False

    def __post_init__(self):
        for part in ("axes", "marks", "controls"):
            object.__setattr__(self, part, tuple(getattr(self, part)))
            keys = [thing.key for thing in getattr(self, part)]
            twice = sorted({key for key in keys if keys.count(key) > 1})
            if twice:
                raise ValueError(f"{self.title}: two {part} have the key {twice[0]!r}")
        places = [pair.key for pair in self.axes]
        for mark in self.marks:
            one_of(f"axes of mark {mark.key!r}", mark.axes, places)

    def control(self, key: str) -> Control:
        """The control of this key."""
        return next(control for control in self.controls if control.key == key)

    def marks_on(self, axes: Axes) -> list[Mark]:
        """The marks that are drawn on these axes."""
        return [mark for mark in self.marks if mark.axes == axes.key]

    def legend(self, axes: Axes) -> tuple[bool, list[list[str]]]:
        """(whether it stands beside the title, its lines) of the legend above these axes.

        A line is the keys of the labelled marks in it. It stands beside the title if all of it
        fits there; else below, in as many lines as it needs.
        """
        labels = {mark.key: mark.label for mark in self.marks_on(axes) if mark.label}
        if not axes.legend or not labels:
            return False, []

        room = axes.box[2] * WIDTH - LEFT - RIGHT / 2
        wide = {key: SAMPLE + LETTER * len(label) for key, label in labels.items()}
        title = BOLD * len(axes.title) + AFTER_TITLE
        if axes.title and title + sum(wide.values()) <= room:
            return True, [list(labels)]

        lines: list[list[str]] = [[]]
        for key in labels:
            if lines[-1] and sum(wide[other] for other in [*lines[-1], key]) > room:
                lines.append([])
            lines[-1].append(key)
        return False, lines

    def padding(self, axes: Axes) -> tuple[int, int, int, int]:
        """Room for words around these axes: (left, right, top, bottom), in pixels of the scene."""
        beside, lines = self.legend(axes)
        top = 10
        if axes.title:
            top = 24
        elif lines:
            top = 7
        if not beside:
            top += LINE * len(lines)

        bottom = 24
        if not axes.frame:
            bottom = 4
        elif axes.xlabel:
            bottom = 40
        return LEFT, RIGHT, top, bottom

    def relabelled(self, key: str, **what) -> "Scene":
        """The same scene with something else said of the axes `key`."""
        one_of("axes", key, [pair.key for pair in self.axes])
        axes = [replace(pair, **what) if pair.key == key else pair for pair in self.axes]
        return replace(self, axes=tuple(axes))

    def describe(self) -> dict:
        """What the browser is told, as JSON can hold it."""
        return {
            **_plain(self),
            "axes": [self._axes(pair) for pair in self.axes],
            "marks": [mark.describe() for mark in self.marks],
            "controls": [control.describe() for control in self.controls],
        }

    def _axes(self, pair: Axes) -> dict:
        beside, lines = self.legend(pair)
        return _plain(pair) | {
            "padding": list(self.padding(pair)),
            "beside": beside,
            "lines": lines,
        }


def _plain(thing) -> dict:
    """The fields of a dataclass by name, one level deep."""
    return {field.name: getattr(thing, field.name) for field in fields(thing)}


def _number(value) -> float:
    """The value as a float, nan if it is no number."""
    if not isinstance(value, bool):
        with suppress(TypeError, ValueError, OverflowError):
            return float(value)
    return math.nan


def _outside(control, kind, value) -> ValueError:
    allowed = f"from {control.low:g} to {control.high:g}"
    comma = isinstance(value, str) and "," in value
    hint = f"; write {value.strip().replace(',', '.')} with a point" if comma else ""
    return ValueError(f"{control.label} must be {kind} {allowed}, got {value!r}{hint}")
