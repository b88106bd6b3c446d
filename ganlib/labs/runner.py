"""`Lab`, the base of every live lab: it draws a scene, plays it on the kernel's own loop, and hears the learner.

Three rules, all learned by measurement. A lab plays as an asyncio task in slices of 10 ms, so that a
slider is heard between slices. A message from the browser may arrive in another thread: it only asks
the loop to do something. A picture is one float32 buffer, drawn by canvas.js.
"""

import asyncio
import json
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import anywidget
import traitlets

from ganlib.checks import count, one_of
from ganlib.labs import scene

SLICE, NOBODY = 0.010, 5.0  # seconds of work at a time; pause when unseen for so long
# What a learner may ask for: the method that does it, and the parts of the message that are its arguments.
ASKED = {
    "set": ("_assign", "key", "value"),
    "press": ("pressed", "key", "text"),
    "point": ("pointed", "axes", "x", "y"),
    "drag": ("dragged", "mark", "index", "x", "y"),
    "play": ("play",),
    "pause": ("pause",),
    "reset": ("reset",),
}


class Canvas(anywidget.AnyWidget):
    """The widget: a description, a buffer per frame, and a few words."""

    _esm = Path(__file__).with_name("canvas.js")
    _css = Path(__file__).with_name("canvas.css")
    scene = traitlets.Dict().tag(sync=True)
    frame = traitlets.Bytes().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)


class Lab:
    """A picture with controls. Subclasses give axes, marks and controls (see scene.py), `draw` and `text`.

    With `advance` it plays; with `reset` it can start again; `changed`, `pressed`, `pointed` and `dragged`
    hear the learner. `values` holds the controls. Making a lab stops the one of the same name before it.
    """

    fps = 40  # frames a second that are sent; on two cores, three in four are shown on time
    _open: ClassVar[dict[str, "Lab"]] = {}
    advance: Callable  # these two and what `ASKED` names a subclass may have; there are buttons only for what it has
    changed: Callable

    def __init__(self, *, title, axes, marks, controls=(), height=420, name=None):
        self.scene = {
            "title": title,
            "axes": axes,
            "marks": marks,
            "controls": list(controls),
            "height": height,
            "plays": hasattr(self, "advance"),
            "resets": hasattr(self, "reset"),
            "points": hasattr(self, "pointed"),
        }
        self.values = {c["key"]: scene.checked(c, c["value"]) for c in controls if "value" in c}
        self.steps, self.playing = 0, False
        self.error, self.note, self._why = (
            "",
            "",
            "",
        )  # what went wrong; what the lab wants to say; why it paused
        self.frames = self.drawn = (
            0  # number of the last frame sent, and of the last one known to be drawn
        )
        self._generation, self._seen, self._said, self._dirty, self._words = 0, 0.0, 0.0, False, {}
        self._loop: asyncio.AbstractEventLoop | None = (
            None  # in a plain script: everything happens at once
        )
        with suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()
        self.widget = Canvas(scene=self.scene, values=dict(self.values))
        self.widget.on_msg(self._heard)
        before, Lab._open[name] = Lab._open.get(name := name or type(self).__name__), self
        if before and before.playing:
            before.pause("Paused: the same lab was made again below or above.")

    def draw(self):
        """The arrays to show, {mark key: (rows, columns)}."""
        raise NotImplementedError

    def text(self) -> str:
        """The text twin: what the picture shows now, in one sentence with its numbers."""
        raise NotImplementedError

    def claim(self) -> str:
        """What a stored notebook keeps: `text`, or less where its digits depend on the machine, as after training."""
        return self.text()

    # -- from Python -------------------------------------------------------------------------------------
    def run(self, steps=1):
        """Advance `steps` times at once and draw: the same as playing, without a clock. Returns the lab."""
        for _ in range(count("steps", steps)):
            self._step()
        self.show()
        return self

    def set(self, key, value):
        """Move a control from Python; raises ValueError if the control does not allow it. Returns the lab."""
        self._assign(key, value)
        self.show()
        return self

    def play(self) -> None:
        """Start to advance in the background; needs the running loop of a notebook."""
        if self._loop is None:
            raise RuntimeError("play() needs a running notebook; in a script use run(steps)")
        self._generation += 1
        self.playing, self.error, self._why, self._seen = True, "", "", time.perf_counter() + NOBODY
        self._task = self._loop.create_task(self._play(self._generation))
        self._say()

    def pause(self, why="") -> None:
        """Stop advancing; nothing is lost, and `play` goes on from here."""
        self._generation += 1
        self.playing, self._why = False, why
        self._soon()

    def figure(self):
        """The picture as a matplotlib Figure, drawn from the same arrays as the canvas."""
        return scene.poster(self.scene, self.draw())

    def _repr_mimebundle_(self, **_):
        self.show()
        picture = BytesIO()
        self.figure().savefig(picture, format="png")
        return {
            "text/plain": f"{self.scene['title']}: {self.claim()}",
            "image/png": picture.getvalue(),
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.widget.model_id,
            },
        }

    # -- playing -----------------------------------------------------------------------------------------
    def _step(self) -> bool:
        """One step; False if the lab says that it is not yet time for one."""
        done = self.advance() is not False
        self.steps += done
        return done

    async def _play(self, generation):
        due, cost = 0.0, 0.0
        while generation == self._generation:  # pause and play at once: the new generation plays on
            try:
                now = time.perf_counter()
                end = min(now + SLICE, due if due > now else now + SLICE)
                while now < end and generation == self._generation:
                    if not self._step():
                        await asyncio.sleep(end - now)
                    now = time.perf_counter()
                if generation == self._generation and now >= due:
                    if (
                        self.frames - self.drawn < 4 * self.fps
                    ):  # a slow browser gets fewer frames, not a queue
                        self._send_frame()
                        cost += (
                            time.perf_counter() - now - cost
                        ) / 8  # seconds a frame, on the mean of the last few
                    wait = max(
                        1 / self.fps, 7 * cost
                    )  # on a busy machine too, drawing takes an eighth of the time at most
                    due = (
                        max(due, now - wait / 2) + wait
                    )  # late once is made up for, late always is not
                    if now - self._said > 0.25:
                        self._say()
                if now - self._seen > NOBODY and generation == self._generation:
                    self.pause("Paused: nobody was looking. Press play to go on.")
            except Exception as error:
                self._failed(error)
            for _ in range(4):  # a message needs several turns of the loop to arrive
                await asyncio.sleep(0)

    def _failed(self, error) -> None:
        """An error in playing or drawing stops the lab and is shown in it: in a background task it would be silent."""
        self.error = _said(error)
        self._generation += 1
        self.playing = False
        with suppress(Exception):  # what failed may be the drawing itself: the last picture stays
            self._send_frame()
        self._say()

    # -- showing -----------------------------------------------------------------------------------------
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
        self._said = time.perf_counter()
        try:
            twin = self.text()
        except Exception as error:
            twin, self.error = "", self.error or _said(error)
        self.widget.status = {
            "playing": self.playing,
            "steps": self.steps,
            "text": twin,
            "error": self.error,
            "note": " ".join(part for part in (self._why, self.note) if part),
            "words": self._words,
        }

    def _send_frame(self) -> None:
        with self.widget.hold_sync():  # one message, also where `draw` tells where the sliders are
            arrays, self._words = scene.tables(self.scene, self.draw())
            self.frames += 1
            self.widget.frame = scene.pack(self.scene, self.frames, arrays)

    def relabel(self, axes, **what) -> None:
        """Change what is said of a pair of axes: `relabel("x", x=(0, 7), xlabel="length in cm")`."""
        self.scene = {
            **self.scene,
            "axes": [{**a, **what} if a["key"] == axes else a for a in self.scene["axes"]],
        }
        self.widget.scene = self.scene

    # -- hearing -----------------------------------------------------------------------------------------
    def _heard(self, _, message, buffers) -> None:
        """A message from the browser, perhaps in another thread: hand it to the loop."""
        if self._loop is None:
            self._do(message)
        else:
            self._loop.call_soon_threadsafe(self._do, message)

    def _do(self, message) -> None:
        """What the learner asked for. If it cannot be done, the lab says why and goes on as before."""
        kind = message.get("kind")
        try:
            if kind == "seen":
                self._seen, self.drawn = max(self._seen, time.perf_counter()), int(message["frame"])
                return
            self.error = ""
            if kind == "step":
                self.pause()
                self._step()
            elif kind in ASKED:
                method, *parts = ASKED[kind]
                getattr(self, method)(*[message[part] for part in parts if part in message])
            self._soon()
        except Exception as error:
            self.error = _said(error)
            self.widget.send_state("values")  # the browser shows what holds, not what was refused
            self._say()

    def _assign(self, key, value) -> None:
        """Check a control's new value, store it, tell the lab, tell the browser."""
        one_of("control", key, self.values)
        before, control = (
            dict(self.values),
            next(c for c in self.scene["controls"] if c["key"] == key),
        )
        self.values[key] = scene.checked(control, value)
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

    def download(self, name, content) -> None:
        """Hand a text (or what JSON can hold) to the browser as a file."""
        content = content if isinstance(content, str) else json.dumps(content)
        self.widget.send({"kind": "download", "name": name, "text": content})


def _said(error) -> str:
    """An error in words; what the lab did not foresee is named with the place where it happened."""
    if isinstance(error, (ValueError, FloatingPointError)):
        return str(error)
    return f"{type(error).__name__}: {error} ({traceback.extract_tb(error.__traceback__)[-1].name})"
