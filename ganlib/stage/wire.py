"""What goes over the wire: a picture as one buffer of float32, which js/numbers.js reads.

The buffer holds the number of the frame, an origin (x, y) and four limits for each axes, (rows,
columns) for each mark, and then the numbers of all marks, row by row. Limits and numbers are told
from the origin of their axes: seven digits are too few for 2,019,000 ± 3. Words go beside it, as
JSON.
"""

import numpy as np

from ganlib.checks import one_of
from ganlib.stage.scene import Axes, Mark, Scene

FAR = 1000  # times its length: an interval that lies so far from 0 has an origin of its own
# Along which side the columns of a mark lie, by its kind; "0": a length, which has no origin.
SIDES = {
    "line": "xy",
    "points": "xy",
    "handles": "xy",
    "text": "xy",
    "arrows": "xyxy",
    "bars": "xy00",
    "area": "xyy",
    "rug": "x",
    "heat": "",
}


def tables(scene: Scene, frame: dict) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """What `draw` gave, as float arrays (rows, columns) by key; and the words of text marks by key.

    ValueError names a mark that was forgotten, a key that no mark has, a wrong number of columns.
    """
    keys = [mark.key for mark in scene.marks]
    said = f"{scene.title}: a key of what draw() gives"
    for key in frame:
        if key not in keys:
            one_of(said, key, keys)

    arrays = {}
    words = {}
    for mark in scene.marks:
        if mark.key not in frame:
            raise ValueError(f"{scene.title}: draw() gives nothing for mark {mark.key!r}")
        data = frame[mark.key]
        if mark.kind == "text":
            words[mark.key] = [row[2] for row in data]
            data = [row[:2] for row in data]
        arrays[mark.key] = _table(scene, mark, data)
    return arrays, words


def _table(scene: Scene, mark: Mark, data) -> np.ndarray:
    """The numbers of one mark, (rows, columns); a plain list is one column."""
    array = np.asarray(data, dtype=float)
    if array.ndim != 2:
        columns = min(len(array), 1)
        array = array.reshape(len(array), columns)
    if len(array) and mark.columns not in (None, array.shape[1]):
        raise ValueError(
            f"{scene.title}: mark {mark.key!r} ({mark.kind}) needs {mark.columns} numbers a row, "
            f"got {array.shape[1]}"
        )
    return array


def limits(scene: Scene, arrays: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """[x0, x1, y0, y1] of all axes, by key; where `auto` says so they follow the data."""
    found = {}
    for axes in scene.axes:
        ends = {"x": axes.x, "y": axes.y}
        for side in axes.auto:
            parts = [_along(side, mark.kind, arrays[mark.key]) for mark in scene.marks_on(axes)]
            span = _span(axes, side, np.concatenate(parts))
            if span:
                ends[side] = span
        found[axes.key] = [*ends["x"], *ends["y"]]
    return found


def _span(axes: Axes, side: str, values: np.ndarray) -> tuple[float, float] | None:
    """From the least to the greatest of the values that can be drawn; None if there is none."""
    values = values[np.isfinite(values)]
    if side in axes.log:
        values = values[values > 0]
    if not values.size:
        return None
    low = float(values.min())
    high = float(values.max())
    if side == "y" and side not in axes.log:
        margin = 0.05 * (high - low)
        low = low - margin
        high = high + margin
    if low == high:
        return low - 0.5, low + 0.5
    return low, high


def _along(side: str, kind: str, array: np.ndarray) -> np.ndarray:
    """The numbers of a mark that lie along x or y."""
    nothing = np.zeros(0)
    if kind in ("text", "heat") or not len(array):
        return nothing
    if kind == "rug" and side == "y":
        return nothing
    if kind == "area" and side == "x":
        return array[:, 0]
    if kind == "area":
        return array[:, 1:].ravel()

    i = "xy".index(side)
    if kind == "bars":
        start = array[:, i]
        length = array[:, i + 2]
        return np.concatenate([start, start + length])
    return array[:, i::2].ravel()


def origin(axes: Axes, ends) -> tuple[float, float]:
    """What is taken off all x and all y of these axes: 0, or a float32 where they lie far from it.

    ends: [x0, x1, y0, y1].
    """
    x0, x1, y0, y1 = ends
    off_x = _off("x" in axes.log, x0, x1)
    off_y = _off("y" in axes.log, y0, y1)
    return off_x, off_y


def _off(log: bool, low: float, high: float) -> float:
    far = abs(low) > FAR * (high - low)
    if log or not far:
        return 0.0
    return float(np.float32(low))


def pack(scene: Scene, number: int, arrays: dict[str, np.ndarray]) -> bytes:
    """A picture as float32: its number, origins and limits, the shape of each mark, all numbers."""
    ends = limits(scene, arrays)
    origins = {axes.key: origin(axes, ends[axes.key]) for axes in scene.axes}
    head: list[float] = [number]
    for axes in scene.axes:
        x, y = origins[axes.key]
        from_there = np.subtract(ends[axes.key], [x, x, y, y])
        head += [x, y, *from_there]

    marks = []
    for mark in scene.marks:
        array = arrays[mark.key]
        head += array.shape
        x, y = origins[mark.axes]
        off = {"x": x, "y": y, "0": 0.0}
        sides = SIDES[mark.kind]
        if len(array) and (x or y) and sides:
            array = array - [off[side] for side in sides]
        marks.append(array.ravel())

    parts = [np.array(head), *marks]
    numbers = np.concatenate(parts, dtype=np.float32, casting="same_kind")
    return numbers.tobytes()
