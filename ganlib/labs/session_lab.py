"""`SessionLab`: what the labs on the line and in the plane share. They only draw, each its own."""

import json
from collections.abc import Collection
from functools import wraps
from typing import Any
from urllib.parse import quote_plus, urlencode

from ganlib.checks import one_of
from ganlib.labs.gan_scene import controls
from ganlib.labs.slow_motion import SlowMotion
from ganlib.session import Session, all_or_nothing
from ganlib.stage.lab import Lab


def offered(laws: dict, target) -> tuple[dict, str]:
    """`laws`, {name: function that makes a law}, with the target among them; and its name.

    target: a law of the learner's own, or the name of one in `laws`.
    """
    if isinstance(target, str):
        return laws, target
    name = getattr(target, "name", "your target")
    return {**laws, name: lambda: target}, name


def shared(method):
    """A method whose effect goes to the page, too, where that trains; what came from it, first."""

    @wraps(method)
    def with_page(self, *args, **how):
        if self.remote is None:
            return method(self, *args, **how)
        with self.remote.share():
            return method(self, *args, **how)

    return with_page


class SessionLab(Lab):
    """A session with knobs, presets, buttons and slow motion. Subclasses draw, and show their law.

    The knobs stand in `values`; whoever moves one by `tell` alone calls `reset` afterwards. With
    the engine "browser" the page trains, and the kernel has a copy of its last state.
    """

    fps = 34  # as few as show 30: each costs training
    _beside = ""  # where G is, if it can be seen only in part
    by_hand = ""  # the name of a target that the learner draws
    pages_targets: Collection[str] = ()  # the names of those that a page has, too
    remote: Any = None  # the same lab in the browser, if that trains

    def __init__(
        self, session: Session, laws, target, presets, *, engine="kernel", more=(), **scene
    ):
        self.session = session
        self.gan = session.gan
        self.laws = laws
        self.presets = presets
        self.slow = SlowMotion()
        knobs = controls(session, laws, target, presets, more)
        super().__init__(height=600, controls=knobs, **scene)
        self.steps = self.gan.steps
        self._defaults = dict(self.values)
        self.show_law()
        if session.unlike:
            self.asides["unlike"] = (
                f"{' and '.join(session.unlike)} answers otherwise while it trains (dropout, batch "
                "norm or the like): ledger and pictures are exact for the networks in eval mode, "
                "not for the game as it is played."
            )
        if one_of("engine", engine, ("kernel", "browser")) == "browser":
            self._move_to_browser()

    def show_law(self) -> None:
        """Fit the axes to the law, which may be another one than before."""
        raise NotImplementedError

    # -- what a notebook asks for ----------------------------------------------------------------

    @property
    def ledger(self):
        """How far the GAN is at this moment: a `Ledger`, in the plane a `Now`."""
        return self.session.ledger

    @property
    def past(self):
        """The ledger over time, the step and then its fields: see `Session`."""
        return self.session.past

    @property
    def target(self):
        """The law that is learned."""
        return self.session.law

    @property
    def horizon(self):
        """Over the second half of so many steps the rates fall; None: as it suits the target."""
        return self.session.horizon

    @horizon.setter
    @shared
    def horizon(self, steps):
        self.session.horizon = steps

    # -- training --------------------------------------------------------------------------------

    def advance(self):
        """One training step; in slow motion one phase of it, and False until the step is done."""
        who = self.values["train"]
        done = True
        if self.values["slow"]:
            train = who
            if self.values["oracle"]:
                train = "G only"
            who, done = self.slow.next(train, self.playing)
        if who:
            self._allow(who)
            self.session.step(who, done=done)
        return done

    def _allow(self, who: str) -> None:
        """A lab may refuse a move by ValueError."""

    @shared
    def reset(self):
        """Start again, with the knobs as they stand."""
        self._tune()
        self.session.reset()
        self.steps = self.gan.steps
        self.slow.begin()
        self._why = ""

    def _tune(self) -> None:
        self.session.tune(**{key: self.values[key] for key in self.session.settings})

    # -- the learner's hand ----------------------------------------------------------------------

    def changed(self, key, value):
        """A knob was turned: it acts at the next step, and the optimisers' memory is kept."""
        if key == "preset":
            self._take_preset(value)
        elif key != "slow":
            if key == "target":
                self._set_law(value)
            self._tune()
            if key == "seed":
                self.reset()
            else:
                self.note = ""
                self.tell(preset="your own")

    def _set_law(self, name: str) -> None:
        self.session.turn_to(self.laws[name]())
        self.show_law()

    def _take_preset(self, name: str) -> None:
        if name not in self.presets:  # "your own"
            self.note = ""
            return
        self.note, knobs = self.presets[name]
        kept = ["seed", "slow"]
        brought = [turned.get("target") for _, turned in self.presets.values()]
        if self.values["target"] not in brought:  # the learner chose it; else it goes as it came
            kept.append("target")
        own = {key: self.values[key] for key in kept}
        self.tell(**{**self._defaults, **own, **knobs, "preset": name})
        self._set_law(self.values["target"])
        self.reset()

    @shared
    def pressed(self, key, text=""):
        """A button: single steps, back to the last good state, save and load a run."""
        if key == "back":
            self.session.back()
            self.steps = self.gan.steps
            self.pause(f"Back at step {self.steps}.")
        elif key in ("step_D", "step_G"):
            self._step_of({"step_D": "D only", "step_G": "G only"}[key])
        elif key == "save":
            self.download("gan-run.json", self.save())
        elif key == "load":
            self.load(text)
        elif key == "link":
            self.copy(self.link())
        elif key == "code":
            self.copy(self.code())

    def _step_of(self, who: str) -> None:
        """A step of one player."""
        self.pause()
        self._allow(who)
        self.session.move(who)
        self.gan.steps += 1
        self.steps += 1

    def _failed(self, error):
        if isinstance(error, FloatingPointError):
            error = FloatingPointError(f"{error}. {self._way_back()}")
        super()._failed(error)

    def _way_back(self) -> str:
        """What to do after a divergence, and which knobs may have led there."""
        first = next(iter(self.presets))
        turned = {key: self._defaults[key] for key in self._turned(self._defaults)}
        stand = [
            f"{self.scene.control(key).label} {_short(self.values[key])} (at first {_short(was)})"
            for key, was in turned.items()
            if key in self.session.settings
        ]
        knobs = f": {', '.join(stand)}" if stand else ""
        return (
            "Press “back to the last good state”, then lower a rate. Reset keeps the knobs as they "
            f"stand{knobs}; the preset “{first}” puts them back. “save run” keeps the last good "
            "state."
        )

    # -- in words --------------------------------------------------------------------------------

    def rates(self) -> str:
        """The rates in use, which may have fallen below those that are set; who stands still."""
        still = {"D only": "G", "G only": "D"}.get(self.values["train"])
        if self.values["oracle"]:
            still = "D"
        said = []
        for player in "GD":
            used = getattr(self.gan, f"lr_{player}")
            told = self.values[f"lr_{player}"]
            fallen = f", fallen from {told:.3g}" if used < 0.999 * told else ""
            said.append(
                f"{player} stands still" if player == still else f"lr_{player} {used:.3g}{fallen}"
            )
        return ", ".join(said)

    # -- keeping a run ---------------------------------------------------------------------------

    def save(self) -> str:
        """The run as JSON text: knobs, curves, and every tensor that the next step depends on."""
        self._catch_up()
        return self.session.save(self.values, **self.kept())

    def kept(self) -> dict:
        """What a saved run keeps besides the session and the knobs, as JSON can hold it."""
        return {}

    def take_kept(self, run: dict) -> None:
        """Take over from a saved run what `kept` gave."""

    @shared
    def load(self, text: str) -> None:
        """Go on from a saved run; the present one stays as it is if the file does not fit."""
        all_or_nothing(text, self)
        self.session.forget()
        self.pause(f"Loaded: step {self.steps}.")

    def adopt(self, run: dict) -> None:
        """Take over a run that was read from its text; `load` is all or nothing, this is not."""
        values = self.checked_values(run["values"])
        self.take_kept(run)
        self.session.set_law(self.laws[values["target"]]())
        self.session.adopt({**run, "values": values})
        self.show_run(values)

    def checked_values(self, told: dict) -> dict:
        """All knobs of a saved run, each one that its control allows."""
        return {key: self.scene.control(key).checked(told[key]) for key in self.values}

    def show_run(self, values: dict) -> None:
        """Show the run that the session has taken over."""
        self.note = ""
        self.tell(**values)
        self.show_law()
        self.steps = self.gan.steps

    def look(self) -> None:
        """Draw, for who wants to know whether it can be drawn."""
        self.draw()

    def snapshot(self) -> dict:
        """All that `put_back` needs, to undo whatever is done from here on."""
        lab = {"values": dict(self.values), "note": self.note, "steps": self.steps}
        return {"session": self.session.snapshot(), "lab": lab}

    def put_back(self, snapshot: dict) -> None:
        """Be as it was at a snapshot."""
        self.session.put_back(snapshot["session"])
        lab = snapshot["lab"]
        self.show_run(lab["values"])
        self.note = lab["note"]
        self.steps = lab["steps"]

    # -- handing on -------------------------------------------------------------------------------

    def link(self, page: str = "lab.html") -> str:
        """The knobs as they stand, as a link to `page`, which notebooks/lecture/lab.py makes.

        The page has its own networks, and a target of the learner's own is not on it.
        """
        from ganlib.labs.in_page import usual

        self._catch_up()
        name = type(self).__name__
        asked = {"lab": name, **self._turned(usual(name))}
        if self.values["target"] not in self.pages_targets:
            del asked["target"]
        words = {True: "true", False: "false"}
        spelled = {key: words.get(value, value) for key, value in asked.items()}
        return f"{page}#{urlencode(spelled, quote_via=quote_plus)}"

    def code(self) -> str:
        """The knobs that were turned, as Python for a cell, without points that were drawn."""
        self._catch_up()
        turned = self._turned(self._defaults)
        turns = [f"lab.set({json.dumps(key)}, {value!r})" for key, value in turned.items()]
        return "\n".join([*turns, "lab"])

    def _turned(self, usual: dict) -> dict:
        """The knobs that stand elsewhere than `usual`."""
        return {
            key: value
            for key, value in self.values.items()
            if key != "preset" and value != usual[key]
        }

    # -- the engine in the browser ----------------------------------------------------------------

    def _move_to_browser(self) -> None:
        """Let the page train; if its engine does not know a part, say which and stay."""
        from ganlib.labs.in_page import Remote

        try:
            self.remote = Remote(self)
        except ValueError as error:
            self.note = f"This lab trains in the kernel: {error}."
        else:
            self.widget = self.remote.widget
            self.children = [self.widget]

    def pull(self) -> int:
        """Take over the last state that the page has sent, if there is one; returns its step.

        The page sends one when it pauses, when a knob comes to rest, and every five seconds. None
        arrives while a cell runs. ValueError, and no change, if what came does not fit.
        """
        if self.remote is None:
            raise ValueError(
                'pull() needs a lab with engine="browser"; this one trains in the kernel'
            )
        self._catch_up()
        return self.steps

    def _catch_up(self) -> None:
        if self.remote:
            self.remote.pull()

    @shared
    def run(self, steps=1):
        """Advance `steps` times at once and draw; in the kernel, also where the page plays."""
        return super().run(steps)

    @shared
    def set(self, key, value):
        """Move a control; ValueError if it does not allow that value. Returns the lab."""
        return super().set(key, value)

    def play(self) -> None:
        """Start to advance: in the background, or in the page."""
        if self.remote:
            self.remote.ask("play")
        else:
            super().play()

    def pause(self, why="") -> None:
        """Stop advancing; nothing is lost, and `play` goes on from here."""
        if self.remote:
            self.remote.ask("pause")
        super().pause(why)

    def retire(self, why: str) -> None:
        """Pause, also in the page."""
        if self.remote:
            self.remote.ask("pause")
        super().retire(why)


def _short(value) -> str:
    """A value as a sentence says it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)
