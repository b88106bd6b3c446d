"""The stored picture: it shows every mark, and has its axes where the canvas has them."""

import json

import all_labs
import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from stage_labs import Zoo

from ganlib.stage.poster import PAINT, png
from ganlib.stage.scene import WIDTH, Mark


def pixels(lab):
    canvas = FigureCanvasAgg(lab.figure())
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.parametrize("key", [key for key in Zoo.frame if key != "nothing"])
def test_the_poster_draws_every_kind_of_mark(key):
    lab = Zoo()
    whole = pixels(lab)
    lab.frame = {**lab.frame, key: []}
    assert (pixels(lab) != whole).any()


@pytest.mark.parametrize(
    "settings",
    [
        {"figure.facecolor": "black", "axes.facecolor": "black", "text.color": "white"},
        {"text.usetex": True},  # without LaTeX nothing can be drawn
        {"savefig.dpi": 600, "savefig.bbox": "tight", "font.size": 30, "axes.grid": True},
    ],
)
def test_what_a_learner_sets_for_figures_of_their_own_stays_out_of_posters(settings):
    lab = Zoo()
    plain = png(lab.figure())
    with rc_context(settings):
        assert png(lab.figure()) == plain
        bundle = lab._repr_mimebundle_()
    assert bundle["image/png"] == plain


def test_there_is_a_painter_for_each_kind_of_mark():
    assert set(PAINT) == {kind.kind for kind in Mark.__subclasses__()}


def test_poster_and_canvas_have_their_axes_in_the_same_places(node, tmp_path):
    labs = {**all_labs.make(), "Zoo": Zoo()}
    scenes = {name: lab.scene.describe() for name, lab in labs.items()}
    (tmp_path / "scenes.json").write_text(json.dumps(scenes))
    canvas = node(
        "place.js",
        """
        import { readFileSync } from "node:fs";
        const scenes = JSON.parse(readFileSync("scenes.json"));
        const ends = scene => scene.axes.map(axes => {
            const p = js.place(axes, [1, 2, 1, 2], 900, scene.height, 1);
            return [p.x0, p.y1, p.x1, p.y0];
        });
        say(Object.fromEntries(Object.entries(scenes).map(([name, s]) => [name, ends(s)])));
        """,
    )
    for name, lab in labs.items():
        height = lab.scene.height
        for ax, places in zip(lab.figure().axes, canvas[name], strict=True):
            box = ax.get_position()
            poster = [WIDTH * box.x0, height * (1 - box.y1), WIDTH * box.x1, height * (1 - box.y0)]
            assert poster == pytest.approx(places, abs=1e-6), name
