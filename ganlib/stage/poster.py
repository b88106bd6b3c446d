"""The stored picture: a scene and its arrays as a matplotlib Figure, as the canvas draws them."""

from collections.abc import Callable
from io import BytesIO

from matplotlib import style
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from ganlib.stage import wire
from ganlib.stage.scene import (
    LINE,
    PALETTES,
    WIDTH,
    Area,
    Axes,
    Bars,
    Handles,
    Heat,
    Mark,
    Points,
    Rug,
    Scene,
    Text,
)

# What all posters have in common.
LOOK: dict = {
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.loc": "lower left",
    "legend.borderpad": 0,
    "legend.borderaxespad": 0,
    "legend.columnspacing": 1.2,
}
DPI = 100  # so a pixel of the scene is one of the picture
POINT = 0.72  # such a pixel in points
SIZES = (8, 7, 6, 5)  # of type in a legend, in points: the first that fits


def _plain():
    """Matplotlib as it comes, whatever the reader has set, with what all posters have in common."""
    return style.context([LOOK], after_reset=True)


@_plain()
def poster(scene: Scene, frame: dict) -> Figure:
    """The picture of a lab as a matplotlib Figure; `frame` is what its `draw` gives."""
    figure = Figure(figsize=(WIDTH / DPI, scene.height / DPI), dpi=DPI)
    arrays, words = wire.tables(scene, frame)
    ends = wire.limits(scene, arrays)

    places = {}
    for axes in scene.axes:
        places[axes.key] = _place(figure, scene, axes, ends[axes.key])
    for mark in scene.marks:
        if len(arrays[mark.key]):
            paint = PAINT[mark.kind]
            paint(places[mark.axes], mark, arrays[mark.key], words.get(mark.key))
    for axes in scene.axes:
        _legend(figure, places[axes.key], scene, axes)
    return figure


def png(figure: Figure, *, dpi: float | None = None) -> bytes:
    """The figure as a PNG of its own size, or of so many pixels an inch."""
    picture = BytesIO()
    with _plain():
        figure.savefig(picture, format="png", dpi=dpi or figure.dpi)
    return picture.getvalue()


def _place(figure, scene: Scene, axes: Axes, ends):
    """Matplotlib's axes where the canvas has them."""
    left, top, width, height = axes.box
    pad_left, pad_right, pad_top, pad_bottom = scene.padding(axes)
    W = WIDTH
    H = scene.height
    ax = figure.add_axes(
        (
            left + pad_left / W,
            1 - (top + height) + pad_bottom / H,
            width - (pad_left + pad_right) / W,
            height - (pad_top + pad_bottom) / H,
        )
    )
    ax.set(
        xlim=ends[:2],
        ylim=ends[2:],
        xscale="log" if "x" in axes.log else "linear",
        yscale="log" if "y" in axes.log else "linear",
        xlabel=axes.xlabel,
        ylabel=axes.ylabel,
    )
    beside, lines = scene.legend(axes)
    below = 0 if beside else LINE * len(lines)
    ax.set_title(axes.title, pad=POINT * (8 + below))
    for side in {"x", "y"} - {*axes.ticks}:
        ax.set(**{f"{side}ticks": []})
    if not axes.frame:
        ax.set_axis_off()
    return ax


def _legend(figure, ax, scene: Scene, axes: Axes) -> None:
    """The lines of the legend: beside the title, or between it and the axes."""
    beside, lines = scene.legend(axes)
    left = ax.bbox.x0
    if beside:
        left = ax.title.get_window_extent().x1
    right = figure.bbox.width * (axes.box[0] + axes.box[2])
    handles, labels = ax.get_legend_handles_labels()
    shown = dict(zip(labels, handles))
    names = {mark.key: mark.label for mark in scene.marks_on(axes)}
    for above, line in enumerate(reversed(lines)):
        there = [names[key] for key in line if names[key] in shown]
        if there:
            place = left, ax.bbox.y1 + 3 + LINE * above
            _legend_line(figure, [shown[name] for name in there], there, place, right)


def _legend_line(figure, handles, labels, place, right) -> None:
    """Marks with their labels from `place` on, in smaller type where they reach beyond `right`."""
    anchor = figure.transFigure.inverted().transform(place)
    for size in SIZES:
        look = {"bbox_to_anchor": anchor, "ncols": len(labels), "fontsize": size}
        legend = Legend(figure, handles, labels, **look)
        legend.set_figure(figure)
        if legend.get_window_extent().x1 <= right:
            break
    figure.add_artist(legend)


def _named(mark: Mark) -> dict:
    """Colour and label, as matplotlib takes them."""
    return {"color": mark.color, "label": mark.label or None}


def _line(ax, mark: Mark, data, words):
    pattern: str | tuple = "-"
    if mark.dash:
        pattern = (0, [length / mark.width for length in mark.dash])
    ax.plot(*data.T, lw=mark.width, ls=pattern, **_named(mark))


def _points(ax, mark: Points | Handles, data, words):
    hollow = getattr(mark, "hollow", False)
    ax.scatter(
        *data.T,
        s=mark.size**2 * 0.5,
        alpha=getattr(mark, "alpha", 1),
        facecolors="none" if hollow else mark.color,
        edgecolors=mark.color,
        lw=1.5 if hollow else 0,
        label=mark.label or None,
    )


def _arrows(ax, mark: Mark, data, words):
    x0, y0, x1, y1 = data.T
    ax.quiver(
        x0,
        y0,
        x1 - x0,
        y1 - y0,
        angles="xy",
        scale_units="xy",
        scale=1,
        width=mark.width / WIDTH,
        headwidth=6,
        headlength=6,
        headaxislength=5,
        clip_on=True,
        **_named(mark),
    )


def _bars(ax, mark: Bars, data, words):
    left, bottom, width, height = data.T
    ax.bar(left, height, width, bottom, align="edge", alpha=mark.alpha, **_named(mark))


def _area(ax, mark: Area, data, words):
    ax.fill_between(*data.T, alpha=mark.alpha, lw=0, **_named(mark))


def _rug(ax, mark: Rug, data, words):
    ends = (0.0, 0.04)
    if mark.top:
        ends = (0.96, 1.0)
    look = _named(mark) | {"alpha": mark.alpha, "lw": 1}
    ax.vlines(data[:, 0], *ends, transform=ax.get_xaxis_transform(), **look)


def _text(ax, mark: Text, data, words):
    look = {"color": mark.color, "fontsize": mark.size * POINT, "ha": mark.align, "va": "center"}
    for (x, y), said in zip(data, words):
        ax.text(x, y, said, **look)


def _heat(ax, mark: Heat, data, words):
    ax.imshow(
        data,
        origin="lower",
        aspect="auto",
        extent=(*ax.get_xlim(), *ax.get_ylim()),
        vmin=0,
        vmax=1,
        zorder=0,
        cmap=LinearSegmentedColormap.from_list("", PALETTES[mark.palette]),
        interpolation="bilinear" if mark.smooth else "nearest",
    )


# One painter for each kind of mark, as in js/paint.js; `data` is (rows, columns).
PAINT: dict[str, Callable] = {
    "line": _line,
    "points": _points,
    "handles": _points,
    "arrows": _arrows,
    "bars": _bars,
    "area": _area,
    "rug": _rug,
    "text": _text,
    "heat": _heat,
}
