"""How the course draws: one look for each thing, and functions that draw on a given `Axes`.

Every function is `(ax, arrays) -> None`. No two things differ by colour alone: the line style
differs too. Colours are those of Okabe & Ito, which readers with any colour vision can tell apart.
"""

import numpy as np

from ganlib.checks import floats, method

COLOURS = {
    "black": "#000000",
    "green": "#009E73",
    "blue": "#0072B2",
    "sky": "#56B4E9",
    "orange": "#E69F00",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#767676",
}

# What each thing looks like, in every figure and every lab of the course.
STYLE: dict[str, dict] = {
    name: {"color": COLOURS[colour], "linestyle": line, "linewidth": width}
    for name, colour, line, width in [
        ("data", "black", ":", 2.4),
        ("G", "green", "-", 2.4),
        ("D", "blue", "--", 2.0),
        ("D_star", "sky", "-.", 1.4),
        ("JS", "purple", "-", 1.8),
        ("regret", "orange", (0, (2, 1)), 1.8),
        ("half", "grey", "-", 1.0),
        ("extra", "vermillion", (0, (5, 1, 1, 1, 1, 1)), 1.8),
    ]
}


def tidy(ax, *, xlabel="", ylabel="", title="") -> None:
    """Labels, and no frame where nothing is read off."""
    _axes(ax).set(xlabel=xlabel, ylabel=ylabel)
    ax.set_title(title, fontsize=11, loc="left")
    ax.spines[["top", "right"]].set_visible(False)


def _axes(ax):
    return method("ax", ax, "plot", "set", "fill_between", like="an Axes of matplotlib")


def _row(name: str, values, points: int | None = None) -> np.ndarray:
    """Numbers in one row; nan is where there is nothing to draw, as of D* where no law is."""
    row = floats(name, values)
    if row.ndim != 1 or row.size == 0:
        raise ValueError(f"{name} must be one row of numbers, got shape {row.shape}")
    if points not in (None, len(row)):
        raise ValueError(f"{name} must be {points} numbers, got {len(row)}")
    return row


def game(ax, x, p_data, p_g, D=None, D_star=None, *, legend=True) -> None:
    """Goodfellow's picture: p_data dotted, p_g solid, D dashed; all (points,) on the grid x."""
    _axes(ax)
    x = _row("x", x)
    p_data = _row("p_data", p_data, len(x))
    if not np.isfinite([x, p_data]).all():
        raise ValueError("x and p_data must be finite")

    curves = [
        ("data", "p_data", "p_data", p_data),
        ("G", "p_g", "p_g", p_g),
        ("D_star", "D*", "D_star", D_star),
        ("D", "D", "D", D),
    ]
    rows = {}
    for _, _, key, y in curves:
        if y is not None:
            rows[key] = _row(key, y, len(x))
    for style, label, key, _ in curves:
        if key in rows:
            ax.plot(x, rows[key], label=label, **STYLE[style])

    # D ends at 1, and p_data has some room above it.
    top = max(1.05, 1.1 * float(p_data.max()))
    ax.set(xlim=(float(x[0]), float(x[-1])), ylim=(-0.02, top))
    tidy(ax, xlabel="x")
    if legend:
        ax.legend(loc="upper right", fontsize=9, frameon=False)


def arrows(ax, z, x) -> None:
    """The generator as the paper draws it: an arrow from every z, on the lower line, up to G(z)."""
    look = {
        "arrowstyle": "->",
        "color": COLOURS["green"],
        "lw": 0.9,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    _axes(ax)
    z = _row("z", z)
    x = _row("x", x, len(z))
    for start, end in zip(z, x):
        ax.annotate("", xy=(float(end), 1), xytext=(float(start), 0), arrowprops=look)

    ax.set(ylim=(0, 1), yticks=[0, 1], yticklabels=["z", "x"])
    ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)


def ledger(ax, steps, ledgers) -> None:
    """The ledger over time: 2 JS as the sum of V + log 4 (below) and D's regret (above)."""
    _axes(ax)
    fit = isinstance(ledgers, (list, tuple)) and len(ledgers) > 0
    if not fit or not all(hasattr(entry, "regret") for entry in ledgers):
        raise ValueError("ledgers must be a list of gan.Ledger")
    steps = _row("steps", steps, len(ledgers))
    value = np.array([entry.value for entry in ledgers])
    regret = np.array([entry.regret for entry in ledgers])
    both = value + regret

    ax.plot(steps, both, label="2 JS(p_data, p_g)", **STYLE["JS"])
    ax.plot(steps, value, label="V + log 4", **STYLE["D"])
    ax.fill_between(
        steps, value, both, color=COLOURS["orange"], alpha=0.3, label="regret of D", lw=0
    )
    ax.axhline(0, **STYLE["half"])
    tidy(ax, xlabel="step", ylabel="nats")
    ax.legend(fontsize=9, frameon=False)
