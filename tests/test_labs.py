"""The labs without a browser: the base class, the buffer, the poster, the canvas module under node, and GANLab."""

import asyncio
import gc
import json
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import GANLab, Lab, scene
from ganlib.labs import runner as runner_module
from ganlib.labs.gan_scene import PRESETS
from ganlib.networks import mlp

CANVAS = Path(runner_module.__file__).with_name("canvas.js")


class Counter(Lab):
    """Counts; its `rate` is what it adds."""

    def __init__(self, name=None):
        self.count, self.fail = 0.0, ""
        super().__init__(
            title="Counter",
            name=name,
            height=300,
            axes=[scene.axes("a", x=(0, 1), y=(0, 1), auto="xy")],
            marks=[scene.line("line", "a", "a line"), scene.text("words", "a")],
            controls=[
                scene.slider("rate", "rate", 0.1, 10, 1.0, log=True),
                scene.number("n", "n", 0, 9, 3),
                scene.choice("kind", "kind", ["x", "y"], "x"),
                scene.toggle("on", "on"),
                scene.button("press", "press"),
            ],
        )

    def advance(self):
        if self.fail == "advance":
            raise KeyError("advance is broken")
        self.count += self.values["rate"]

    def reset(self):
        self.count = 0.0

    def changed(self, key, value):
        if key == "n" and value == 7:
            self.tell(rate=5.0)
            raise ValueError("7 is taken")

    def pressed(self, key):
        self.count = -1.0

    def draw(self):
        if self.fail == "draw":
            raise ValueError("draw is broken")
        return {"line": [[0, 0], [2, self.count]], "words": [(1, 1, "hello")]}

    def text(self):
        return f"count {self.count:g}"


def say(lab, **message):
    """A message as the browser sends it."""
    lab._heard(None, message, [])


# ---- the base class, with no loop: everything happens at once -----------------------------------------------


@pytest.mark.parametrize(
    "key, value, allowed",
    [
        ("rate", "0", "from 0.1 to 10"),
        ("rate", -1, "from 0.1"),
        ("rate", float("nan"), "nan"),
        ("rate", float("inf"), "inf"),
        ("rate", "fast", "'fast'"),
        ("rate", True, "a number"),
        ("n", 2.5, "whole number"),
        ("n", None, "0 to 9"),
        ("kind", "z", "one of x, y"),
        ("on", "yes", "one of True, False"),
        ("press", 1, "control must be one of rate, n, kind, on, got"),
        ("gone", 1, "control must be one of"),
    ],
)
def test_wrong_values_are_refused_by_name_and_lose_nothing(key, value, allowed):
    lab = Counter()
    before = dict(lab.values)
    with pytest.raises(ValueError, match=allowed):
        lab.set(key, value)
    say(lab, kind="set", key=key, value=value)
    assert allowed in lab.widget.status["error"] and lab.values == lab.widget.values == before
    say(lab, kind="set", key="n", value="4")
    assert lab.widget.status["error"] == "" and lab.values["n"] == 4


def test_a_refusal_by_the_lab_itself_takes_back_all_it_touched():
    lab = Counter()
    with pytest.raises(ValueError, match="7 is taken"):
        lab.set("n", 7)
    assert lab.values["n"] == 3 and lab.values["rate"] == 1.0 == lab.widget.values["rate"]


def test_buttons_steps_and_reset_reach_the_lab():
    lab = Counter().set("rate", 2).run(3)
    assert (lab.count, lab.steps, lab.widget.status["text"]) == (6.0, 3, "count 6")
    say(lab, kind="step")
    assert (lab.count, lab.steps) == (8.0, 4)
    say(lab, kind="press", key="press")
    assert lab.widget.status["text"] == "count -1"
    say(lab, kind="reset")
    assert lab.count == 0
    with pytest.raises(RuntimeError, match="notebook"):
        lab.play()
    for steps in (0, -3, 2.5, True):
        with pytest.raises(ValueError, match="steps must be a whole number"):
            lab.run(steps)


def test_a_lab_shows_a_picture_its_text_and_a_view():
    bundle = Counter().run(2)._repr_mimebundle_()
    assert bundle["text/plain"] == "Counter: count 2" and bundle["image/png"][1:4] == b"PNG"
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]


def test_a_new_lab_takes_the_place_of_the_one_of_the_same_name():
    first, other = Counter(name="a"), Counter(name="b")
    first.fail, first.playing = "draw", True  # even if the old one is broken
    second = Counter(name="a")
    assert (
        Lab._open["a"] is second
        and not first.playing
        and "made again" in first.widget.status["note"]
    )
    assert other.widget.status == {}
    assert (
        Counter(name="a").widget.status == second.widget.status == {}
    )  # who does not play is left in peace


# ---- the base class, on a loop --------------------------------------------------------------------------------


def on_a_loop(body, **constants):
    """Run the coroutine function `body` as a notebook would, with time running faster where a test asks for it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in constants.items():
            patch.setattr(runner_module, name, value)
        return asyncio.run(body())


async def until(condition, seconds=5.0):
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")


def test_play_pause_and_pause_followed_at_once_by_play():
    async def body():
        lab = Counter()
        lab.play()
        await until(lambda: lab.steps > 10 and lab.frames > 2)
        lab.pause()
        lab.play()
        there = lab.steps
        await until(lambda: lab.steps > there + 10)
        assert lab.playing and lab.widget.status["playing"]
        lab.pause()
        await asyncio.sleep(0.1)
        there = lab.steps
        await asyncio.sleep(0.1)
        assert lab.steps == there and lab.widget.status == {
            **lab.widget.status,
            "playing": False,
            "steps": there,
        }

    on_a_loop(body)


def test_a_message_from_another_thread_acts_while_the_lab_plays():
    async def body():
        lab = Counter()
        lab.play()
        thread = threading.Thread(
            target=say, args=(lab,), kwargs={"kind": "set", "key": "rate", "value": "10"}
        )
        thread.start()
        await until(lambda: lab.values["rate"] == 10.0)
        thread.join()
        assert lab.playing
        say(lab, kind="set", key="rate", value="zero")  # refused: it says so and plays on
        await until(lambda: "'zero'" in lab.widget.status["error"])
        there = lab.steps
        await until(lambda: lab.steps > there and lab.playing)
        assert lab.values["rate"] == 10.0

    on_a_loop(body)


@pytest.mark.parametrize(
    "where, words",
    [("advance", "KeyError: 'advance is broken' (advance)"), ("draw", "draw is broken")],
)
def test_an_error_while_playing_is_shown_and_pauses(where, words):
    async def body():
        lab = Counter()
        lab.play()
        await until(lambda: lab.frames > 1)
        lab.fail = where
        await until(lambda: not lab.playing)
        assert lab.widget.status["error"] == words and not lab.widget.status["playing"]
        lab.fail = ""
        lab.play()
        there = lab.steps
        await until(lambda: lab.steps > there)
        assert lab.widget.status["error"] == ""

    on_a_loop(body)


def test_a_lab_that_nobody_looks_at_pauses_itself():
    async def body():
        lab = Counter()
        lab.play()
        for _ in range(10):  # somebody looks
            await asyncio.sleep(0.05)
            say(lab, kind="seen", frame=lab.frames)
        assert lab.playing and lab.drawn > 0
        await until(lambda: "nobody was looking" in lab.widget.status["note"])
        assert not lab.playing
        lab.play()
        assert lab.playing and lab.widget.status["note"] == ""
        lab.pause()

    on_a_loop(body, NOBODY=0.2)


def test_a_browser_that_does_not_draw_gets_no_queue_of_frames():
    async def body():
        lab = Counter()
        lab.drawn = 5 - 4 * lab.fps  # as if it had fallen far behind
        lab.play()
        await until(lambda: lab.frames == 5)
        await asyncio.sleep(0.2)
        assert lab.frames == 5 and lab.playing
        say(lab, kind="seen", frame=5)
        await until(lambda: lab.frames > 5)
        lab.pause()

    on_a_loop(body)


# ---- the picture: buffer, poster, canvas ------------------------------------------------------------------------


class Zoo(Lab):
    """One mark of every kind."""

    def __init__(self):
        look = {"color": "#0072b2"}
        super().__init__(
            title="Zoo",
            height=300,
            axes=[
                scene.axes(
                    "left",
                    box=(0, 0, 0.5, 1),
                    x=(0, 4),
                    y=(0, 4),
                    xlabel="x",
                    ylabel="y",
                    title="left",
                ),
                scene.axes(
                    "right",
                    box=(0.5, 0, 0.5, 1),
                    x=(1, 10),
                    y=(1, 10),
                    log="xy",
                    auto="xy",
                    legend="top",
                    ticks="x",
                ),
                scene.axes("none", box=(0.9, 0.9, 0.1, 0.1), frame=False, legend=False),
            ],
            marks=[
                scene.heat("heat", "left"),
                scene.line("line", "right", "line", **look),
                scene.points("points", "left", "points", **look),
                scene.points("rings", "left", hollow=True, **look),
                scene.arrows("arrows", "left", "arrows", dash="--"),
                scene.bars("bars", "left", "bars"),
                scene.area("area", "left", "area"),
                scene.rug("rug", "left", "rug"),
                scene.rug("top", "left", top=True),
                scene.handles("handles", "left", "handles"),
                scene.text("text", "none"),
                scene.line("nothing", "left", "nothing"),
            ],
        )
        self.frame = {
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


def test_a_frame_holds_exactly_what_was_drawn():
    lab = Zoo()
    lab.show()
    lab.show()
    numbers = np.frombuffer(lab.widget.frame, np.float32)
    assert numbers[0] == 2 and lab.widget.status["words"] == {"text": ["word", "ü"]}
    limits, at = numbers[1:13].reshape(3, 4), 13 + 2 * len(SHAPES)
    np.testing.assert_array_equal(limits[0], [0, 4, 0, 4])
    np.testing.assert_allclose(limits[1], [1, 100, 2, 200])
    shapes = numbers[13:at].reshape(-1, 2).astype(int)
    for mark, shape in zip(lab.scene["marks"], shapes):
        assert tuple(shape) == SHAPES[mark["key"]], mark["key"]
        size = int(shape.prod())
        data = (
            [row[:2] for row in lab.frame["text"]]
            if mark["key"] == "text"
            else lab.frame[mark["key"]]
        )
        np.testing.assert_allclose(
            numbers[at : at + size], np.asarray(data, np.float32).ravel(), err_msg=mark["key"]
        )
        at += size
    assert at == len(numbers)


def test_the_poster_draws_every_kind_of_mark():
    lab = Zoo()
    whole = _pixels(lab)
    for mark in lab.scene["marks"]:
        if mark["key"] != "nothing":
            everything, lab.frame = lab.frame, {**lab.frame, mark["key"]: []}
            assert (_pixels(lab) != whole).any(), f"{mark['key']} is not seen"
            lab.frame = everything


def _pixels(lab):
    canvas = FigureCanvasAgg(lab.figure())
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.fixture
def node(tmp_path):
    """`node(script)`: what the script, with canvas.js as `c`, prints as JSON."""
    if shutil.which("node") is None:
        pytest.skip("no node found: canvas.js is tested in the browser only")
    (tmp_path / "canvas.mjs").write_text(CANVAS.read_text())

    def run(script):
        script = f"import * as c from './canvas.mjs'; const say = v => console.log(JSON.stringify(v)); {script}"
        command = ["node", "--input-type=module", "-e", script]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_canvas_decodes_what_the_runner_packs(node, tmp_path):
    lab = Zoo()
    lab.show()
    (tmp_path / "frame").write_bytes(lab.widget.frame)
    (tmp_path / "scene.json").write_text(json.dumps(lab.scene))
    found = node("""
        import { readFileSync } from "node:fs";
        const scene = JSON.parse(readFileSync("scene.json")), f = readFileSync("frame");
        const { number, limits, data } = c.decode(scene, new DataView(f.buffer, f.byteOffset, f.byteLength));
        const plain = Object.entries(data).map(([k, d]) => [k, [d.rows, d.columns, ...d.v].map(String)]);
        say({ number, right: [...limits.right], data: Object.fromEntries(plain) });""")
    assert found["number"] == 1 and found["right"] == pytest.approx([1, 100, 2, 200])
    for key, (rows, columns, *values) in found["data"].items():
        assert (int(rows), int(columns)) == SHAPES[key]
        data = [row[:2] for row in lab.frame["text"]] if key == "text" else lab.frame[key]
        np.testing.assert_allclose(
            [float(v) for v in values], np.asarray(data, np.float32).ravel(), err_msg=key
        )


def test_canvas_numbers_ticks_and_slider_positions(node):
    assert node("say([0, 1, 0.25, 1234567, 0.00002, -3.14159, 1 / 0].map(c.format))") == [
        "0",
        "1",
        "0.25",
        "1.2e6",
        "2e−5",
        "−3.14",
        "Infinity",
    ]
    assert node("say(c.ticks(-1, 1, false, 4))") == pytest.approx([-1, -0.5, 0, 0.5, 1])
    assert node("say(c.ticks(1e-4, 1, true, 10))") == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1])
    assert node("say(c.ticks(0, 3000, false, 3.1))") == [0, 1000, 2000, 3000]
    log, even = (
        '{"low": 1e-5, "high": 1, "log": true}',
        '{"low": -3, "high": 3, "log": false, "step": 0.01}',
    )
    assert node(f"say([1e-5, 1e-3, 1].map(v => c.toPosition({log}, v)))") == pytest.approx(
        [0, 400, 1000]
    )
    assert node(f"say([0, 400, 1000].map(s => c.fromPosition({log}, s)))") == pytest.approx(
        [1e-5, 1e-3, 1]
    )
    assert node(f"say([0, 500.6, 1000].map(s => c.fromPosition({even}, s)))") == pytest.approx(
        [-3, 0, 3]
    )
    values = np.linspace(-3, 3, 13).round(2).tolist()
    assert node(
        f"say({values}.map(v => c.fromPosition({even}, c.toPosition({even}, v))))"
    ) == pytest.approx(values)

