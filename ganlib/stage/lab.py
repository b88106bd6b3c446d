"""`Lab`, the base of every live lab: it draws a scene, plays on the kernel's loop, hears learners.

Three rules, all learned by measurement. A lab plays as an asyncio task in slices of 10 ms, so that
a slider is heard between slices. A message from the browser may arrive in another thread: it only
asks the loop to do something. A picture is one buffer of float32, drawn by js/paint.js.
"""

import asyncio
import json
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from ipywidgets import VBox

from ganlib.checks import count, finite, of_kind, one_of
from ganlib.stage import wire
from ganlib.stage.pace import Pacer
from ganlib.stage.poster import png, poster
from ganlib.stage.scene import File, Scene
from ganlib.stage.widget import Canvas

NOBODY = 5.0  # seconds: a lab that is unseen for so long pauses
TURN = 0.1  # seconds: no turn of the loop counts for more; what is longer is a cell that runs
SAID = 0.25  # seconds between two status lines while it plays

# What a learner may ask for: the method that does it, the parts of the message that it takes, and
# what a lab must have that can do it.
ASKED = {
    "set": ("_assign", ["key", "value"], "set"),
    "press": ("_press", ["key", "text"], "pressed"),
    "point": ("pointed", ["axes", "x", "y"], "pointed"),
    "drag": ("dragged", ["mark", "index", "x", "y"], "dragged"),
    "step": ("_one_step", [], "advance"),
    "play": ("play", [], "advance"),
    "pause": ("pause", [], "pause"),
    "reset": ("_start_again", [], "reset"),
}


class _Drawn(type(VBox)):  # type: ignore[misc]
    """Draws each lab once when it is made, so that a wrong scene is refused there and by name.

    So its widget has a picture wherever it is put.
    """

    def __call__(cls, *args, **kwargs):
        lab = super().__call__(*args, **kwargs)
        lab.show()
        return lab


class Lab(VBox, metaclass=_Drawn):
    """A picture with controls. Subclasses give the scene (scene.py), `draw` and `text`.

    With `advance` it plays; with `reset` it can start again; `changed`, `pressed`, `pointed` and
    `dragged` hear the learner. `values` holds the controls' values. Making a lab stops the one of
    the same name before it. It is a box around its `widget`, to be put wherever a widget may be.
    """

    fps = 40  # frames a second that are sent; on two cores, three in four are shown on time
    _open: ClassVar[dict[str, "Lab"]] = {}
    pressed: Callable
    advance: Callable  # these, and what `ASKED` names, a subclass may have or not;
    changed: Callable  # there are buttons only for what it has
    reset: Callable

    def __init__(self, *, title, axes, marks, controls=(), height=420, name=None):
        self.scene = Scene(
            title=title,
            axes=axes,
            marks=marks,
            controls=controls,
            height=height,
            plays=hasattr(self, "advance"),
            resets=hasattr(self, "reset"),
            points=hasattr(self, "pointed"),
        )
        self.values = {
            control.key: control.checked(control.value)
            for control in self.scene.controls
            if hasattr(control, "value")
        }
        self.steps = 0
        self.playing = False
        self.error = ""  # what went wrong
        self.note = ""  # what the lab wants to say
        self.frames = 0  # number of the last frame sent
        self.drawn = 0  # number of the last frame that is known to be drawn
        self._why = ""  # why it paused
        self.asides: dict[str, str] = {}  # said as long as it is shown, by what they are about
        self._words: dict[str, list[str]] = {}  # of the text marks
        self._rows: dict[str, int] = {}  # of each mark, as it was last drawn
        self._generation = 0  # each play and each pause begins a new one
        self._unseen = 0.0  # seconds for which the loop ran and nobody looked
        self._said = 0.0  # when the status line was last sent
        self._dirty = False  # a redraw is on its way
        self._loop = _running_loop()
        self.widget: Any = Canvas(scene=self.scene.describe(), values=dict(self.values))
        self.widget.on_msg(self._heard)
        super().__init__([self.widget])
        self._replace(name or type(self).__name__)

    def _replace(self, name) -> None:
        """Take the place of the lab of the same name."""
        before = Lab._open.get(name)
        Lab._open[name] = self
        if before:
            before.retire("Paused: the same lab was made again below or above.")

    def draw(self):
        """The arrays to show, {mark key: (rows, columns)}."""
        raise NotImplementedError

    def text(self) -> str:
        """The text twin: what the picture shows now, in one sentence with its numbers."""
        raise NotImplementedError

    def claim(self) -> str:
        """What a stored notebook keeps: `text`, or less where its digits depend on the machine."""
        return self.text()

    # -- from Python ------------------------------------------------------------------------------

    def run(self, steps=1):
        """Advance `steps` times at once and draw: playing, without a clock. Returns the lab."""
        for _ in range(count("steps", steps)):
            self._step()
        self.show()
        return self

    def set(self, key, value):
        """Move a control; ValueError if it does not allow that value. Returns the lab."""
        self._assign(key, value)
        self.show()
        return self

    def play(self) -> None:
        """Start to advance in the background; needs the running loop of a notebook."""
        if self._loop is None:
            raise RuntimeError("play() needs a running notebook; in a script use run(steps)")
        self._generation += 1
        self.playing = True
        self.error = ""
        self._why = ""
        self._unseen = -NOBODY
        self._task = self._loop.create_task(self._play(self._generation))
        self._say()

    def pause(self, why="") -> None:
        """Stop advancing; nothing is lost, and `play` goes on from here."""
        self._generation += 1
        self.playing = False
        self._why = why
        self._soon()

    def retire(self, why: str) -> None:
        """Another lab has taken this one's place."""
        if self.playing:
            self.pause(why)

    def figure(self):
        """The picture as a matplotlib Figure, drawn from the same arrays as the canvas."""
        return poster(self.scene, self.draw())

    def __repr__(self):
        try:
            said = self.claim()
        except Exception as error:
            said = _in_words(error)
        return f"{self.scene.title}: {said}"

    def _repr_mimebundle_(self, **_):
        """The sentence, the picture and the widget, with what the widget says of itself."""
        self._show_or_fail()
        data, about = self.widget._repr_mimebundle_()
        data["text/plain"] = repr(self)
        with suppress(Exception):  # the stored picture may fail, and the lab is shown without it
            data["image/png"] = png(self.figure())
        if about:
            return data, about
        return data

    # -- playing ----------------------------------------------------------------------------------

    def _step(self) -> bool:
        """One step; False if the lab says that it is not yet time for one."""
        self._why = ""  # it spoke of where the lab stood
        done = self.advance() is not False
        self.steps += done
        return done

    async def _play(self, generation):
        """Work in slices and send frames when they are due, until another generation begins."""
        pacer = Pacer(self.fps)
        before = time.perf_counter()
        while generation == self._generation:
            try:
                now = await self._work(pacer, generation)
                self._unseen += min(now - before, TURN)
                before = now
                if generation == self._generation:
                    self._show_if_due(pacer, now)
                if generation == self._generation and self._unseen > NOBODY:
                    self.pause("Paused: nobody was looking. Press play to go on.")
            except Exception as error:
                self._failed(error)
            for _ in range(4):  # a message needs several turns of the loop to arrive
                await asyncio.sleep(0)

    async def _work(self, pacer, generation) -> float:
        """Step through one slice of time; returns when it ended."""
        now = time.perf_counter()
        end = pacer.slice_end(now)
        while now < end and generation == self._generation:
            if not self._step():
                await asyncio.sleep(end - now)
            now = time.perf_counter()
        return now

    def _show_if_due(self, pacer, now) -> None:
        if now < pacer.due:
            return
        if self.frames - self.drawn < 4 * self.fps:  # a slow browser gets fewer, not a queue
            self._send_frame()
            pacer.sent(time.perf_counter() - now)
        pacer.plan(now)
        if now - self._said > SAID:
            self._say()

    def _failed(self, error) -> None:
        """An error stops the lab and is shown in it: in a background task it would be silent."""
        self.error = _in_words(error)
        self._generation += 1
        self.playing = False
        with suppress(Exception):  # what failed may be the drawing itself: the last picture stays
            self._send_frame()
        self._say()

    # -- showing ----------------------------------------------------------------------------------

    def show(self) -> None:
        """Draw now and say where things stand."""
        self._send_frame()
        self._say()

    def _soon(self) -> None:
        """Redraw once after a burst of messages; what goes wrong is shown, not raised."""
        if self._loop is None or not self._loop.is_running():
            self._show_or_fail()
        elif not self._dirty:
            self._dirty = True
            self._loop.call_later(1 / 60, self._show_or_fail)

    def _show_or_fail(self) -> None:
        self._dirty = False
        try:
            self.show()
        except Exception as error:
            self._failed(error)

    def _say(self) -> None:
        """Send the status line."""
        self._said = time.perf_counter()
        try:
            twin = self.text()
        except Exception as error:
            twin = ""
            self.error = self.error or _in_words(error)
        self.widget.status = {
            "playing": self.playing,
            "steps": self.steps,
            "text": twin,
            "error": self.error,
            "note": " ".join(filter(None, (self._why, self.note, *self.asides.values()))),
            "words": self._words,
        }

    def _send_frame(self) -> None:
        with self.widget.hold_sync():  # one message, also where `draw` tells where the sliders are
            arrays, self._words = wire.tables(self.scene, self.draw())
            self._rows = {key: len(array) for key, array in arrays.items()}
            self.frames += 1
            self.widget.frame = wire.pack(self.scene, self.frames, arrays)

    def relabel(self, axes, **what) -> None:
        """Say something else of a pair of axes: `relabel("x", x=(0, 7), xlabel="length in cm")`."""
        self.scene = self.scene.relabelled(axes, **what)
        self.widget.scene = self.scene.describe()

    # -- hearing ----------------------------------------------------------------------------------

    def _heard(self, _, message, buffers) -> None:
        """A message from the browser, perhaps in another thread: hand it to the loop."""
        if self._loop is None:
            self._do(message)
        else:
            self._loop.call_soon_threadsafe(self._do, message)

    def _do(self, message) -> None:
        """What the learner asked for. If it cannot be done, the lab says why and goes on."""
        kind = message.get("kind") if isinstance(message, dict) else None
        if kind == "seen":
            self._unseen = min(self._unseen, 0.0)
            with suppress(ValueError):  # of another kernel's life, or of nobody: it says nothing
                self.drawn = count("frame", message.get("frame"), 0, self.frames)
            return
        try:
            self.error = ""
            method, parts, needed = ASKED[one_of("kind of message", kind, ASKED)]
            if not hasattr(self, needed):
                raise ValueError(f"{self.scene.title} cannot {kind}: it has no {needed}")
            getattr(self, method)(*[self._part(part, message) for part in parts])
            self._soon()
        except Exception as error:
            self.error = _in_words(error)
            self.widget.send_state("values")  # the browser shows what holds, not what was refused
            self._say()

    def _part(self, name: str, message: dict):
        """A part of a message, checked, as a message may come from anywhere."""
        value = message.get(name)
        if name in ("x", "y"):
            return finite(name, value)
        if name == "index":
            return count(name, value, 0, self._rows[message["mark"]] - 1)
        if name == "axes":
            return one_of(name, value, [axes.key for axes in self.scene.axes])
        if name == "mark":
            return one_of(name, value, [m.key for m in self.scene.marks if m.kind == "handles"])
        return value  # a control checks its own

    def _press(self, key, text) -> None:
        """A button, or a file with its text."""
        keys = [control.key for control in self.scene.controls if control.key not in self.values]
        if isinstance(self.scene.control(one_of("key", key, keys)), File):
            self.pressed(key, of_kind("text", text, str))
        else:
            self.pressed(key)

    def _one_step(self) -> None:
        self.pause()
        self._step()

    def _start_again(self) -> None:
        self.steps = 0
        self._why = ""
        self.reset()

    def _assign(self, key, value) -> None:
        """Check a control's new value, store it, tell the lab, tell the browser."""
        one_of("control", key, self.values)
        before = dict(self.values)
        self.values[key] = self.scene.control(key).checked(value)
        try:
            if hasattr(self, "changed"):
                self.changed(key, self.values[key])
        except Exception:
            self.tell(**before)
            raise
        self.tell()

    def tell(self, **values) -> None:
        """Show other values in the controls, as a preset does; `changed` is not called."""
        self.values.update(values)
        self.widget.values = dict(self.values)

    def copy(self, text: str) -> None:
        """Put a text on the learner's clipboard."""
        self.widget.send({"kind": "copy", "text": text})

    def download(self, name, content) -> None:
        """Hand a text (or what JSON can hold) to the browser as a file."""
        text = content
        if not isinstance(content, str):
            text = json.dumps(content)
        self.widget.send({"kind": "download", "name": name, "text": text})


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop of the notebook; in a plain script there is none, and everything happens at once."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _in_words(error) -> str:
    """An error in words; what the lab did not foresee is named with the place where it happened."""
    if isinstance(error, (ValueError, FloatingPointError)):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1].name
    return f"{type(error).__name__}: {error} ({place})"
