"""The base of every lab: what it refuses, how it plays, what it says when something breaks."""

import asyncio
import threading
import time

import pytest
from ipywidgets import HBox
from stage_labs import Counter, say

from ganlib.stage import lab as lab_module
from ganlib.stage.lab import Lab
from ganlib.stage.widget import Canvas

# ---- with no loop: everything happens at once ---------------------------------------------------


@pytest.mark.parametrize(
    "key, value, allowed",
    [
        ("rate", "0", "from 0.1 to 10"),
        ("rate", -1, "from 0.1"),
        ("rate", float("nan"), "nan"),
        ("rate", float("inf"), "inf"),
        ("rate", "fast", "'fast'"),
        ("rate", 10**400, "from 0.1 to 10"),
        ("rate", "0,5", "write 0.5 with a point"),
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
    assert allowed in lab.widget.status["error"]
    assert lab.values == lab.widget.values == before
    say(lab, kind="set", key="n", value="4")
    assert lab.widget.status["error"] == ""
    assert lab.values["n"] == 4


def test_a_refusal_by_the_lab_itself_takes_back_all_it_touched():
    lab = Counter()
    with pytest.raises(ValueError, match="7 is taken"):
        lab.set("n", 7)
    assert lab.values["n"] == 3
    assert lab.values["rate"] == 1.0 == lab.widget.values["rate"]


def test_buttons_steps_and_reset_reach_the_lab():
    lab = Counter().set("rate", 2).run(3)
    assert (lab.count, lab.steps, lab.widget.status["text"]) == (6.0, 3, "count 6")
    say(lab, kind="step")
    assert (lab.count, lab.steps) == (8.0, 4)
    say(lab, kind="press", key="press")
    assert lab.widget.status["text"] == "count -1"
    say(lab, kind="reset")
    assert (lab.count, lab.steps) == (0, 0)
    with pytest.raises(RuntimeError, match="notebook"):
        lab.play()


@pytest.mark.parametrize("steps", [0, -3, 2.5, True])
def test_it_runs_a_whole_number_of_steps(steps):
    with pytest.raises(ValueError, match="steps must be a whole number"):
        Counter().run(steps)


def test_a_lab_shows_a_picture_its_text_and_a_view():
    bundle = Counter().run(2)._repr_mimebundle_()
    assert bundle["text/plain"] == "Counter: count 2"
    assert bundle["image/png"][1:4] == b"PNG"
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]


def test_a_new_lab_takes_the_place_of_the_one_of_the_same_name():
    first = Counter(name="a")
    other = Counter(name="b")
    first.playing = True
    first.fail = "draw"  # even if the old one is broken
    second = Counter(name="a")
    assert Lab._open["a"] is second
    assert not first.playing
    assert "made again" in first.widget.status["note"]
    assert other.widget.status["note"] == ""
    third = Counter(name="a")  # who does not play is left in peace
    assert third.widget.status["note"] == second.widget.status["note"] == ""


# ---- where a lab may stand ----------------------------------------------------------------------


def test_a_lab_stands_where_a_widget_may_and_has_its_picture_there():
    lab = Counter()
    row = HBox([lab, Counter(name="other")])
    (canvas,) = row.children[0].children
    assert canvas is lab.widget
    assert canvas.frame
    assert canvas.status["text"] == "count 0"
    assert str(lab) == repr((lab,))[1:-2] == "Counter: count 0"


def test_a_lab_hands_on_what_its_widget_says_of_itself():
    class Hosted(Canvas):
        def _repr_mimebundle_(self, **_):
            data, _ = super()._repr_mimebundle_()
            return data, {"application/vnd.jupyter.widget-view+json": {"colab": "where"}}

    lab = Counter()
    lab.widget = Hosted()
    data, about = lab._repr_mimebundle_()
    assert about == {"application/vnd.jupyter.widget-view+json": {"colab": "where"}}
    view = data["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == lab.widget.model_id
    assert data["image/png"]


def test_a_lab_that_cannot_be_drawn_is_shown_all_the_same():
    lab = Counter()
    lab.fail = "draw"
    bundle = lab._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert "image/png" not in bundle
    assert lab.widget.status["error"] == "draw is broken"


# ---- on a loop, as in a notebook ----------------------------------------------------------------


def on_a_loop(body, **constants):
    """Run the coroutine function `body`; constants: others for the module, to save time."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in constants.items():
            patch.setattr(lab_module, name, value)
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
        assert lab.playing
        assert lab.widget.status["playing"]
        lab.pause()
        await asyncio.sleep(0.1)
        there = lab.steps
        await asyncio.sleep(0.1)
        assert lab.steps == lab.widget.status["steps"] == there
        assert lab.widget.status["playing"] is False

    on_a_loop(body)


def test_a_message_from_another_thread_acts_while_the_lab_plays():
    async def body():
        lab = Counter()
        lab.play()
        message = {"kind": "set", "key": "rate", "value": "10"}
        thread = threading.Thread(target=say, args=(lab,), kwargs=message)
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
    [
        ("advance", "KeyError: 'advance is broken' (advance)"),
        ("draw", "draw is broken"),
    ],
)
def test_an_error_while_playing_is_shown_and_pauses(where, words):
    async def body():
        lab = Counter()
        lab.play()
        await until(lambda: lab.frames > 1)
        lab.fail = where
        await until(lambda: not lab.playing)
        assert lab.widget.status["error"] == words
        assert not lab.widget.status["playing"]
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
        assert lab.playing
        assert lab.drawn > 0
        await until(lambda: "nobody was looking" in lab.widget.status["note"])
        assert not lab.playing
        lab.play()
        assert lab.playing
        assert lab.widget.status["note"] == ""
        lab.pause()

    on_a_loop(body, NOBODY=0.2)


def test_while_a_cell_runs_nobody_can_look_and_the_lab_plays_on():
    async def body():
        lab = Counter()
        lab.play()
        await until(lambda: lab.frames > 1)
        time.sleep(0.5)  # a cell: the loop stands still, and messages wait
        there = lab.steps
        await asyncio.sleep(0.02)
        assert lab.playing
        assert lab.steps > there
        await until(lambda: "nobody was looking" in lab.widget.status["note"])

    on_a_loop(body, NOBODY=0.2)


def test_what_a_lab_says_of_where_it_stands_ends_when_it_goes_on():
    lab = Counter()
    lab.pause("Here.")
    assert lab.widget.status["note"] == "Here."
    assert lab.run(1).widget.status["note"] == ""


def test_a_browser_that_does_not_draw_gets_no_queue_of_frames():
    async def body():
        lab = Counter()
        lab.drawn = 5 - 4 * lab.fps  # as if it had fallen far behind
        lab.play()
        await until(lambda: lab.frames == 5)
        await asyncio.sleep(0.2)
        assert lab.frames == 5
        assert lab.playing
        say(lab, kind="seen", frame=5)
        await until(lambda: lab.frames > 5)
        lab.pause()

    on_a_loop(body)


def test_a_browser_that_says_nonsense_does_not_stop_the_pictures():
    lab = Counter()
    lab.run(1).run(1).run(1)
    say(lab, kind="seen", frame=2, drawn=2)
    assert lab.drawn == 2
    for frame in (-(10**9), 10**9, 1.5, True, "2", None):
        say(lab, kind="seen", frame=frame)
        assert lab.drawn == 2 and lab.error == ""
    for message in (None, 3, "play", ["kind"], {}, {"kind": "explode"}, {"kind": None}):
        lab._heard(None, message, [])
        assert lab.error.startswith("kind of message must be one of") and lab.steps == 3
