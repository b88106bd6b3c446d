"""`Lab`, the base of every live lab: it draws a scene, plays it on the kernel's own loop, and hears the learner.

Three rules, all learned by measurement. A lab plays as an asyncio task in slices of 10 ms, so that a
slider is heard between slices. A message from the browser may arrive in another thread: it only asks
the loop to do something. A picture is one float32 buffer, drawn by canvas.js.
"""

import asyncio
import json
import math
import time
import traceback
from io import BytesIO
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from ganlib.labs import scene

__all__ = ["Lab"]

SLICE, FPS, NOBODY = 0.010, 30, 5.0  # seconds of work at a time; frames a second; pause when unseen for so long


class Canvas(anywidget.AnyWidget):
    """The widget: a description sent once, a buffer per frame, and a few words."""

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

    _open: dict[str, "Lab"] = {}

    def __init__(self, *, title, axes, marks, controls=(), height=420, name=None):
        self.scene = {"title": title, "axes": axes, "marks": marks, "controls": list(controls), "height": height,
                      "plays": self._has("advance"), "resets": self._has("reset"), "points": self._has("pointed")}
        self.values = {c["key"]: c["value"] for c in controls if "value" in c}
        self.steps, self.playing, self.error, self.note = 0, False, "", ""
        self.frames = self.drawn = 0  # number of the last frame sent, and of the last one known to be drawn
        self._generation, self._seen, self._status_at, self._dirty = 0, 0.0, 0.0, False
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:  # a plain script or a test: everything happens at once
            self._loop = None
        self.widget = Canvas(scene=self.scene, values=self.values)
        self.widget.on_msg(self._heard)
        name = name or type(self).__name__
        if name in Lab._open:
            Lab._open[name].pause("Paused: the same lab was made again below or above.")
        Lab._open[name] = self

    def draw(self):
        """The arrays to show, {mark key: (rows, columns)}."""
        raise NotImplementedError

    def text(self) -> str:
        """The text twin: what the picture shows now, in one sentence with its numbers."""
        raise NotImplementedError

    def _has(self, method) -> bool:
        return hasattr(self, method)

    # -- from Python -------------------------------------------------------------------------------------
    def run(self, steps=1):
        """Advance `steps` times at once and draw: the same as playing, without a clock. Returns the lab."""
        for _ in range(steps):
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
        self.playing, self.error, self.note, self._seen = True, "", "", time.monotonic() + NOBODY
        self._task = self._loop.create_task(self._play(self._generation))
        self._say()

    def pause(self, note="") -> None:
        """Stop advancing; nothing is lost, and `play` goes on from here."""
        self._generation += 1
        self.playing, self.note = False, note
        self.show()

    def figure(self):
        """The picture as a matplotlib Figure, drawn from the same arrays as the canvas."""
        frame = self.draw()
        return scene.poster(self.scene, frame, self._limits(frame))

    def _repr_mimebundle_(self, **_):
        self.show()
        picture = BytesIO()
        self.figure().savefig(picture, format="png")
        return {"text/plain": f"{self.scene['title']}: {self.text()}", "image/png": picture.getvalue(),
                "application/vnd.jupyter.widget-view+json":
                    {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}}

    # -- playing -----------------------------------------------------------------------------------------
    def _step(self) -> bool:
        """One step; False if the lab says that it is not yet time for one."""
        done = self.advance() is not False
        self.steps += done
        return done

    async def _play(self, generation):
        shown = 0.0
        while generation == self._generation:  # pause and play at once: the new generation plays on
            try:
                end = time.perf_counter() + SLICE
                while time.perf_counter() < end and generation == self._generation:
                    if not self._step():
                        await asyncio.sleep(0.03)
                now = time.monotonic()
                if generation == self._generation and now - shown >= 1 / FPS - SLICE / 2:
                    shown = now
                    if self.frames - self.drawn < 4 * FPS:  # a slow browser gets fewer frames, not a queue
                        self._send_frame()
                    if now - self._status_at > 0.25:
                        self._say()
                if now - self._seen > NOBODY and generation == self._generation:
                    self.pause("Paused: nobody was looking. Press play to go on.")
            except Exception as error:
                self._failed(error)
            for _ in range(4):  # a message needs several turns of the loop to arrive
                await asyncio.sleep(0)

    def _failed(self, error) -> None:
        """An error in a lab stops it and is shown in it: in a background task it would be silent."""
        known = isinstance(error, (ValueError, FloatingPointError))
        where = "" if known else f" ({traceback.extract_tb(error.__traceback__)[-1].name})"
        self.error = (str(error) if known else f"{type(error).__name__}: {error}") + where
        self._generation += 1
        self.playing = False
        try:
            self._send_frame()
        except Exception:  # what failed may be the drawing itself
            pass
        self._say()

    # -- showing -----------------------------------------------------------------------------------------
    def show(self) -> None:
        """Draw now and say where things stand."""
        self._dirty = False
        self._send_frame()
        self._say()

    def _say(self) -> None:
        self._status_at = time.monotonic()
        try:
            twin = self.text()
        except Exception as error:
            twin, self.error = "", self.error or f"{type(error).__name__}: {error}"
        self.widget.status = {"playing": self.playing, "steps": self.steps, "text": twin, "error": self.error,
                              "note": self.note, "words": self._words}

    def _send_frame(self) -> None:
        frame = self.draw()
        limits = self._limits(frame)
        self._words = {m["key"]: [w for *_, w in frame[m["key"]]] for m in self.scene["marks"] if m["kind"] == "text"}
        head, body = [limits[a["key"]] for a in self.scene["axes"]], []
        for m in self.scene["marks"]:
            data = frame[m["key"]]
            if m["kind"] == "text":
                data = [row[:2] for row in data]
            array = _table(data, np.float32)
            head.append(array.shape)
            body.append(array.ravel())
        self.frames += 1
        flat = np.concatenate([np.array([self.frames, *(v for part in head for v in part)], np.float32), *body])
        self.widget.frame = flat.tobytes()

    def _limits(self, frame):
        """(x0, x1, y0, y1) of all axes; where `auto` says so they follow the data with a small margin."""
        limits = {}
        for a in self.scene["axes"]:
            ends = [*a["x"], *a["y"]]
            for i, side in enumerate("xy"):
                if side in a["auto"]:
                    found = [_column(frame[m["key"]], m["kind"], i) for m in self.scene["marks"] if m["axes"] == a["key"]]
                    values = np.concatenate([f for f in found if f.size] or [np.zeros(0)])
                    values = values[np.isfinite(values) & ((values > 0) | (side not in a["log"]))]
                    if values.size:
                        low, high = float(values.min()), float(values.max())
                        if side == "y" and side not in a["log"]:  # room for the legend above the curves
                            margin = 0.05 * (high - low)
                            low, high = low - margin, high + margin * (8 if a["legend"] else 1)
                        ends[2 * i:2 * i + 2] = (low, high) if high > low else (low - 0.5, low + 0.5)
            limits[a["key"]] = tuple(ends)
        return limits

    # -- hearing -----------------------------------------------------------------------------------------
    def _heard(self, _, message, buffers) -> None:
        """A message from the browser, perhaps in another thread: hand it to the loop."""
        if self._loop is None:
            self._do(message)
        else:
            self._loop.call_soon_threadsafe(self._do, message)

    def _do(self, message) -> None:
        kind = message.get("kind")
        try:
            if kind == "seen":
                self._seen, self.drawn = max(self._seen, time.monotonic()), int(message["frame"])
                return
            self.error = ""
            if kind == "set":
                self._assign(message["key"], message["value"])
            elif kind == "press":
                self.pressed(*[message[k] for k in ("key", "text") if k in message])
            elif kind == "point":
                self.pointed(message["axes"], message["x"], message["y"])
            elif kind == "drag":
                self.dragged(message["mark"], message["index"], message["x"], message["y"])
            elif kind in ("play", "pause", "reset"):
                getattr(self, kind)()
            elif kind == "step":
                self.pause()
                self._step()
            self._soon()
        except Exception as error:
            playing = self.playing
            self._failed(error)
            if playing and kind == "set":  # a wrong number is no reason to stop
                message = self.error
                self.play()
                self.error = message
            self.widget.values = dict(self.values)
            self.widget.send_state("values")  # the browser shows what holds, not what was refused
            self._say()

    def _soon(self) -> None:
        """Redraw once after a burst of messages."""
        if self._loop is None:
            self.show()
        elif not self._dirty:
            self._dirty = True
            self._loop.call_later(1 / 60, lambda: self._dirty and self._guarded_show())

    def _guarded_show(self) -> None:
        try:
            self.show()
        except Exception as error:
            self._failed(error)

    def _assign(self, key, value) -> None:
        """Check a control's new value, store it, tell the lab, tell the browser."""
        control = next((c for c in self.scene["controls"] if c["key"] == key), None)
        if control is None:
            raise ValueError(f"there is no control {key!r}; the controls are {', '.join(self.values)}")
        value = _checked(control, value)
        before = self.values[key]
        self.values[key] = value
        try:
            if self._has("changed"):
                self.changed(key, value)
        except Exception:
            self.values[key] = before
            raise
        self.widget.values = dict(self.values)

    def tell(self, **values) -> None:
        """Show other values in the controls, as a preset does; `changed` is not called."""
        self.values.update(values)
        self.widget.values = dict(self.values)

    def download(self, name, content) -> None:
        """Hand a text (or what JSON can hold) to the browser as a file."""
        content = content if isinstance(content, str) else json.dumps(content)
        self.widget.send({"kind": "download", "name": name, "text": content})


def _table(data, dtype=float):
    """A mark's numbers as (rows, columns); a plain list is one column."""
    array = np.asarray(data, dtype=dtype)
    return array if array.ndim == 2 else array.reshape(len(array), 1) if len(array) else np.zeros((0, 0), dtype)


def _column(data, kind, i):
    """The numbers of a mark that lie along x (i = 0) or y (i = 1)."""
    if kind in ("text", "heat") or not len(data):
        return np.zeros(0)
    a = _table(data)
    if kind == "bars":
        return np.concatenate([a[:, i], a[:, i] + a[:, i + 2]])
    if kind == "area":
        return a[:, 0] if i == 0 else a[:, 1:].ravel()
    if kind == "rug":
        return a[:, 0] if i == 0 else np.zeros(0)
    return a[:, i::2].ravel()


def _checked(control, value):
    """The value if the control allows it, else a ValueError that says what is allowed."""
    label, kind = control["label"], control["kind"]
    if kind == "toggle":
        return bool(value)
    if kind == "choice":
        if value not in control["options"]:
            raise ValueError(f"{label} must be one of {', '.join(control['options'])}, got {value!r}")
        return value
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    whole = "a whole number" if kind == "number" else "a number"
    if not control["low"] <= number <= control["high"] or (kind == "number" and number != int(number)):
        raise ValueError(f"{label} must be {whole} from {control['low']:g} to {control['high']:g}, got {value!r}")
    return int(number) if kind == "number" else number
