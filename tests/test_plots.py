"""What the drawing functions put on an `Axes`, read back from it."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from ganlib import plots
from ganlib.gan import Ledger

X = np.linspace(-3, 3, 61)
P = np.exp(-(X**2) / 2) / np.sqrt(2 * np.pi)
Q = np.exp(-((X - 1) ** 2))


@pytest.fixture
def ax():
    figure = Figure(figsize=(4, 3))
    yield figure.subplots()
    FigureCanvasAgg(figure).draw()  # it can really be drawn


def lines(ax):
    return {line.get_label(): line for line in ax.lines}


def test_the_game_shows_four_curves_in_the_style_of_the_course(ax):
    assert plots.game(ax, X, P, Q, P / (P + Q), P / (P + Q)) is None
    drawn = lines(ax)
    assert list(drawn) == ["p_data", "p_g", "D*", "D"]
    for label, key in (("p_data", "data"), ("p_g", "G"), ("D", "D"), ("D*", "D_star")):
        assert to_rgb(drawn[label].get_color()) == to_rgb(plots.STYLE[key]["color"])
        assert drawn[label].get_linestyle() == plots.STYLE[key]["linestyle"]
    np.testing.assert_array_equal(drawn["p_g"].get_data(), [X, Q])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(drawn)
    assert ax.get_xlim() == (-3, 3)
    assert ax.get_ylim()[1] >= 1


def test_the_game_without_D_and_legend(ax):
    plots.game(ax, X, 3 * P, Q, legend=False)
    assert list(lines(ax)) == ["p_data", "p_g"]
    assert ax.get_legend() is None
    assert ax.get_ylim()[1] > 3 * P.max()


def test_arrows_go_from_z_to_x(ax):
    plots.arrows(ax, [0.0, 0.5, 1.0], [2.0, 1.0, -1.0])
    assert [note.xyann for note in ax.texts] == [(0.0, 0), (0.5, 0), (1.0, 0)]
    assert [note.xy for note in ax.texts] == [(2.0, 1), (1.0, 1), (-1.0, 1)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["z", "x"]


def test_the_ledger_stacks_value_and_regret(ax):
    unseen = {"off_half": 0, "off_star": 0, "real_term": 0, "fake_term": 0}
    entries = [Ledger(js=a, value=a / 2, regret=1.5 * a, **unseen) for a in (0.5, 0.3, 0.1)]
    plots.ledger(ax, [0, 10, 20], entries)
    drawn = lines(ax)
    np.testing.assert_allclose(drawn["2 JS(p_data, p_g)"].get_ydata(), [1.0, 0.6, 0.2])
    np.testing.assert_allclose(drawn["V + log 4"].get_ydata(), [0.25, 0.15, 0.05])

    (band,) = ax.collections
    box = band.get_paths()[0].get_extents()
    assert (box.x0, box.x1, box.y0, box.y1) == pytest.approx((0, 20, 0.05, 1.0))


def test_no_two_things_differ_by_colour_alone():
    styles = plots.STYLE.values()
    colours = {style["color"] for style in styles}
    without = {(str(style["linestyle"]), style["linewidth"]) for style in styles}
    assert len(colours) == len(styles)
    assert len(without) == len(styles)


def test_tidy_labels(ax):
    plots.tidy(ax, xlabel="step", ylabel="nats", title="JS")
    assert ax.get_xlabel() == "step"
    assert ax.get_ylabel() == "nats"
    assert ax.get_title(loc="left") == "JS"
    assert not ax.spines["top"].get_visible()
    assert ax.spines["left"].get_visible()


@pytest.mark.parametrize(
    "draw, words",
    [
        (lambda ax: plots.tidy(3), "ax must have a plot, as an Axes of matplotlib has; 3 has none"),
        (lambda ax: plots.game(ax, X, P[:3], Q), "p_data must be 61 numbers, got 3"),
        (lambda ax: plots.game(ax, X, P, Q, D_star=P[:3]), "D_star must be 61 numbers, got 3"),
        (lambda ax: plots.game(ax, X * np.nan, P, Q), "x and p_data must be finite"),
        (lambda ax: plots.game(ax, X, P, "Q"), "p_g must be numbers"),
        (lambda ax: plots.arrows(ax, [0.0], [1.0, 2.0]), "x must be 1 numbers, got 2"),
        (lambda ax: plots.arrows(ax, [[0.0]], [1.0]), "z must be one row of numbers"),
        (lambda ax: plots.ledger(ax, [], []), "ledgers must be a list of gan.Ledger"),
        (lambda ax: plots.ledger(ax, [0], [3]), "ledgers must be a list of gan.Ledger"),
    ],
)
def test_what_cannot_be_drawn_is_named_before_anything_is_drawn(ax, draw, words):
    with pytest.raises(ValueError, match=words):
        draw(ax)
    assert not ax.lines
    assert not ax.texts
