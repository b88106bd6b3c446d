"""The words in which a lab says what it shows: axes, marks, controls. Each function returns a plain dict.

canvas.js draws these dicts in the browser, `poster` draws the same arrays with matplotlib; so the live
picture, the stored picture and a recording are one description. `pack` puts a picture into one buffer.
"""

import math
from contextlib import suppress
from functools import partial

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ganlib.checks import one_of
from ganlib.plots import STYLE

# From low to high. "belief" is the D of a 2-D lab: orange where it says fake, blue where it says real.
PALETTES = {
    "grey": ["#000000", "#ffffff"],
    "belief": ["#e69f00", "#ffffff", "#0072b2"],
    "heat": ["#ffffff", "#9ad0c2", "#009e73", "#003d2e"],
}
DASHES = {"-": [], ":": [2, 3], "--": [7, 4], "-.": [8, 3, 2, 3]}
# What all posters have in common.
LOOK: dict = {
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.fontsize": 8,
}


def axes(
    key,
    *,
    box=(0, 0, 1, 1),
    x=(0, 1),
    y=(0, 1),
    xlabel="",
    ylabel="",
    title="",
    log="",
    auto="",
    legend=True,
    frame=True,
    ticks="xy",
):
    """A pair of axes in `box` = (left, top, width, height), as fractions. log, auto, ticks: "", "x", "y" or "xy".

    legend: True (inside), "top" (a line above the axes) or False.
    """
    return locals()  # the arguments by name, as in the controls below


def _mark(kind, key, on, label="", *, style=None, color=None, dash=None, width=None, **rest):
    look: dict = STYLE[style] if style else {}
    pattern = dash if dash is not None else look.get("linestyle", "-")
    return {
        "kind": kind,
        "key": key,
        "axes": on,
        "label": label,
        "color": color or look.get("color", "#000000"),
        "dash": DASHES[pattern] if isinstance(pattern, str) else list(pattern[1]),
        "width": width or look.get("linewidth", 1.5),
        **rest,
    }


# The marks: each takes its key, the key of its axes and a label, and what `_mark` takes; here is what `draw` gives for it.
line = partial(_mark, "line")  # a polyline through (x, y); nan breaks it
points = partial(
    _mark, "points", size=4, alpha=1.0, hollow=False
)  # dots or rings at (x, y), `size` pixels wide
handles = partial(_mark, "handles", size=11)  # dots at (x, y) that can be dragged
arrows = partial(_mark, "arrows")  # (x0, y0, x1, y1)
bars = partial(_mark, "bars", alpha=0.6)  # rectangles (left, bottom, width, height)
area = partial(_mark, "area", alpha=0.3)  # the band (x, low, high)
rug = partial(
    _mark, "rug", alpha=0.4, top=False
)  # a tick at each x on the lower edge, or the upper
text = partial(_mark, "text", size=13, align="center")  # words at (x, y): a list of (x, y, string)


def heat(key, on, *, palette="heat", smooth=True):
    """A matrix of values in 0..1 that fills the axes, its first row at the bottom."""
    return _mark("heat", key, on, palette=PALETTES[palette], smooth=smooth)


def slider(key, label, low, high, value, *, step=None, log=False, group="", help=""):
    """A range input beside a number input; with `log`, equal ways are equal factors."""
    step = step or (0.0 if log else (high - low) / 200)
    return {"kind": "slider", **locals()}


def number(key, label, low, high, value, *, group="", help=""):
    """A whole number from low to high."""
    return {"kind": "number", **locals()}


def choice(key, label, options, value, *, group="", help=""):
    """One of several strings."""
    return {"kind": "choice", **locals(), "options": list(options)}


def toggle(key, label, value=False, *, group="", help=""):
    """On or off."""
    return {"kind": "toggle", **locals()}


def button(key, label, *, group="", help=""):
    """Something to press; it has no value."""
    return {"kind": "button", **locals()}


def file(key, label, *, group="", help=""):
    """A text file of the learner's; its content arrives as in `pressed`."""
    return {"kind": "file", **locals()}


def checked(control, value):
    """The value if the control allows it, else a ValueError that says what is allowed."""
    label, kind = control["label"], control["kind"]
    if kind in ("toggle", "choice"):
        return (
            one_of(label, value, control["options"])
            if kind == "choice"
            else bool(one_of(label, value, (True, False)))
        )
    number = math.nan
    with suppress(TypeError, ValueError):
        number = math.nan if isinstance(value, bool) else float(value)
    whole = "a whole number" if kind == "number" else "a number"
    if not control["low"] <= number <= control["high"] or (
        kind == "number" and number != int(number)
    ):
        raise ValueError(
            f"{label} must be {whole} from {control['low']:g} to {control['high']:g}, got {value!r}"
        )
    return int(number) if kind == "number" else number


def tables(scene, frame):
    """What `draw` gave, as float arrays (rows, columns) by key, and the words of the text marks by key."""
    arrays, words = {}, {}
    for m in scene["marks"]:
        data = frame[m["key"]]
        if m["kind"] == "text":
            words[m["key"]], data = [row[2] for row in data], [row[:2] for row in data]
        array = np.asarray(data, dtype=float)  # a plain list is one column
        arrays[m["key"]] = (
            array if array.ndim == 2 else array.reshape(len(array), min(len(array), 1))
        )
    return arrays, words


def limits(scene, arrays):
    """[x0, x1, y0, y1] of all axes, by key; where `auto` says so they follow the data with a small margin."""
    found = {}
    for a in scene["axes"]:
        ends = [*a["x"], *a["y"]]
        for side in a["auto"]:
            i = "xy".index(side)
            values = np.concatenate(
                [
                    _along(i, m["kind"], arrays[m["key"]])
                    for m in scene["marks"]
                    if m["axes"] == a["key"]
                ]
            )
            values = values[np.isfinite(values) & (values > 0 if side in a["log"] else True)]
            if values.size:
                low, high = float(values.min()), float(values.max())
                if side == "y" and side not in a["log"]:  # room for the legend above the curves
                    margin = 0.05 * (high - low)
                    low, high = low - margin, high + margin * (8 if a["legend"] else 1)
                ends[2 * i : 2 * i + 2] = (low, high) if high > low else (low - 0.5, low + 0.5)
        found[a["key"]] = ends
    return found


def _along(i, kind, array):
    """The numbers of a mark that lie along x (i = 0) or y (i = 1)."""
    if kind in ("text", "heat") or not len(array) or (kind == "rug" and i):
        return np.zeros(0)
    if kind == "bars":
        return np.concatenate([array[:, i], array[:, i] + array[:, i + 2]])
    if kind == "area":
        return array[:, 1:].ravel() if i else array[:, 0]
    return array[:, i::2].ravel()


def pack(scene, number, arrays) -> bytes:
    """A picture as float32: its number, the limits of each axes, (rows, columns) of each mark, then all numbers."""
    ends, marks = limits(scene, arrays), [arrays[m["key"]] for m in scene["marks"]]
    head = [
        number,
        *(v for a in scene["axes"] for v in ends[a["key"]]),
        *(n for array in marks for n in array.shape),
    ]
    return np.concatenate(
        [head, *(array.ravel() for array in marks)], dtype=np.float32, casting="same_kind"
    ).tobytes()


@rc_context(LOOK)
def poster(scene, frame, *, dpi=100) -> Figure:
    """The picture of a lab as a matplotlib Figure: the same axes, marks and arrays as on the canvas."""
    figure = Figure(figsize=(9, scene["height"] / 100), dpi=dpi)
    arrays, words = tables(scene, frame)
    ends, places, W, H = limits(scene, arrays), {}, 900, scene["height"]
    for a in scene["axes"]:
        left, top, width, height = a["box"]
        pad_left, pad_right, pad_top = 52, 18, 24 if a["title"] or a["legend"] == "top" else 10
        pad_bottom = (40 if a["xlabel"] else 24) if a["frame"] else 4
        ax = figure.add_axes(
            (
                (left * W + pad_left) / W,
                1 - ((top + height) * H - pad_bottom) / H,
                (width * W - pad_left - pad_right) / W,
                (height * H - pad_top - pad_bottom) / H,
            )
        )
        xscale, yscale = ("log" if side in a["log"] else "linear" for side in "xy")
        ax.set(
            xlim=ends[a["key"]][:2],
            ylim=ends[a["key"]][2:],
            xscale=xscale,
            yscale=yscale,
            xlabel=a["xlabel"],
            ylabel=a["ylabel"],
            title=a["title"],
        )
        for side in {"x", "y"} - {*a["ticks"]}:
            ax.set(**{f"{side}ticks": []})
        if not a["frame"]:
            ax.set_axis_off()
        places[a["key"]] = ax
    for m in scene["marks"]:
        _draw(places[m["axes"]], m, arrays[m["key"]], words.get(m["key"]))
    for a in scene["axes"]:
        ax, names = places[a["key"]], places[a["key"]].get_legend_handles_labels()[1]
        if a["legend"] == "top" and names:
            ax.legend(
                frameon=False,
                loc="lower left",
                ncols=len(names),
                bbox_to_anchor=(0, 1),
                borderaxespad=0.2,
            )
        elif a["legend"] and names:
            ax.legend(framealpha=0.8, edgecolor="none", loc="upper right")
    return figure


def _draw(ax, m, data, words) -> None:
    """One mark on matplotlib axes; `data` as in canvas.js, (rows, columns)."""
    if not len(data):
        return
    look, columns = {"color": m["color"], "label": m["label"] or None}, data.T
    match m["kind"]:
        case "text":
            for x, y, said in zip(*columns, words):
                ax.text(
                    x,
                    y,
                    said,
                    color=m["color"],
                    fontsize=m["size"] * 0.72,
                    ha=m["align"],
                    va="center",
                )
        case "line":
            ax.plot(
                *columns,
                lw=m["width"],
                ls=(0, [d / m["width"] for d in m["dash"]]) if m["dash"] else "-",
                **look,
            )
        case "points" | "handles":
            face = "none" if m.get("hollow") else m["color"]
            ax.scatter(
                *columns,
                s=m["size"] ** 2 * 0.5,
                alpha=m.get("alpha", 1),
                facecolors=face,
                edgecolors=m["color"],
                lw=1.5 if m.get("hollow") else 0,
                label=look["label"],
            )
        case "arrows":
            x0, y0, x1, y1 = columns
            ax.quiver(
                x0,
                y0,
                x1 - x0,
                y1 - y0,
                angles="xy",
                scale_units="xy",
                scale=1,
                width=m["width"] / 900,
                headwidth=6,
                headlength=6,
                headaxislength=5,
                clip_on=True,
                **look,
            )
        case "bars":
            left, bottom, width, height = columns
            ax.bar(left, height, width, bottom, align="edge", alpha=m["alpha"], **look)
        case "area":
            ax.fill_between(*columns, alpha=m["alpha"], lw=0, **look)
        case "rug":
            ends = (0.96, 1) if m["top"] else (0, 0.04)
            ax.vlines(
                columns[0],
                *ends,
                transform=ax.get_xaxis_transform(),
                alpha=m["alpha"],
                lw=1,
                **look,
            )
        case "heat":
            ax.imshow(
                data,
                origin="lower",
                aspect="auto",
                extent=(*ax.get_xlim(), *ax.get_ylim()),
                vmin=0,
                vmax=1,
                zorder=0,
                cmap=LinearSegmentedColormap.from_list("", m["palette"]),
                interpolation="bilinear" if m["smooth"] else "nearest",
            )
