"""`Session`: a GAN learns a law, and all that happens on the way is kept.

A session owns what a run needs besides the GAN: the rates that were asked for and how they fall,
the batch, who trains, the data, the record over time, states to go back to. It shows nothing: a lab
draws it, a script reads it.
"""

import base64
import hashlib
import json
from contextlib import contextmanager
from dataclasses import astuple, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlib import networks
from ganlib.checks import all_finite, count, function, method, of_kind, one_of, positive, share
from ganlib.files import pack, unpack
from ganlib.gan import GAN, PARTS
from ganlib.gauges import LineGauge, judged_by, unlike_in_training
from ganlib.losses import LOSSES, PENALTIES, loss_of
from ganlib.schedule import fall
from ganlib.states import flat, generator_state, restore

WHO = ["both", "D only", "G only"]  # may train
EVERY = 25  # steps between two lines of the record, at first
EARLY = (1, 2, 4, 8, 16)  # steps with a line besides: wild rates diverge before the 25th
STATE = {*PARTS, "generator", "steps", "optimiser", "chance"}  # what there is to go back to
LINES = 400  # of the record; beyond that every second one is dropped
KEPT = 12  # states to go back to
FORMAT = "ganlib run 2"  # of a saved run, one JSON text
LARGEST = 50_000_000  # letters of such a text
MOST = 2**18  # real examples of a step: with more a lab would stand still for seconds

# What is wrong with such a text, by the error that reading it leads to.
DAMAGED = (TypeError, RuntimeError, EOFError, IndexError)
WRONG: dict = {
    json.JSONDecodeError: "it is cut short or not JSON",
    KeyError: "it has no {}",
    DAMAGED: "its content is damaged or of other networks ({})",
}


class Session:
    """One training session: `step()` again and again, and look at `ledger` when you like.

    gan: a `GAN`; law: what it shall learn; gauge: `LineGauge`, or `PlaneGauge` in two dimensions.
    batch: examples a step. anneal: let both rates fall to 0 over the second half of `horizon`
    steps, by default 3,000 for a normal and 5,000 for all else. seed: the data are drawn with
    seed + 1. ValueError says what cannot be trained or measured.

    To be read, and changed by `tune` and `set_law`: lr_G, lr_D (the rates that were asked for),
    train, anneal, oracle, batch, seed, law, gauge. horizon may be set at any time.

    `past` is the record, (lines, 1 + fields): every 25 steps, and at some of the first, the step
    and its ledger. `now` is the ledger that was seen last, `real` the last batch of data, `good`
    the states to go back to. `unlike` names those of G and D that answer otherwise in train mode,
    as with dropout or batch norm: the ledger is then exact for the networks in eval mode. What such
    layers draw comes from a generator of the session.
    """

    past: np.ndarray
    now: Any
    real: Tensor
    good: list[dict]
    every: int  # steps between two lines of the record

    def __init__(self, gan, law, *, gauge=LineGauge, batch=128, anneal=True, horizon=None, seed=0):
        self.gan = of_kind("gan", gan, GAN)
        seed = count("seed", seed, 0)
        self.horizon = horizon
        self._new_gauge = function("gauge", gauge)
        self.set_law(law)
        self.gauge.fits(gan)
        names = [field.name for field in fields(self.gauge.kind)]
        self._columns = {name: place for place, name in enumerate(names, 1)}  # of the record

        self.lr_G = gan.lr_G
        self.lr_D = gan.lr_D
        self.train = "both"
        self.anneal = True
        self.oracle = False  # G plays against D*, which is computed
        self.batch = 128
        self.seed = 0
        # By name, and those of the learner's own as well: `settings` finds them.
        self.losses: dict[str, Any] = dict(LOSSES)
        self.penalties: dict[str, Any] = {"none": None, **PENALTIES}

        self.unlike = unlike_in_training(gan, law.sample(64, torch.Generator().manual_seed(seed)))
        self.chance = _new_chance(seed)  # of layers that draw, as `torch.set_rng_state` takes it
        self._start = self.state()
        self._first_seed = seed
        self.tune(batch=batch, anneal=anneal, seed=seed)
        self.reset()

    def set_law(self, law) -> None:
        """Learn another law from the next step on."""
        self.gauge = self._new_gauge(law, self.gan.prior)
        self.law = law

    def turn_to(self, law) -> None:
        """Learn another law from now on: the record of how near the old one was ends."""
        self.set_law(law)
        self.real = self._first_look()
        past = self.past
        try:
            self.past = past[:0]
            self.record()
        except FloatingPointError:  # it has diverged, and stands as it did
            self.past = past

    def _first_look(self) -> Tensor:
        """Examples to show before any are drawn to learn from."""
        return self.law.sample(64, torch.Generator().manual_seed(self.seed))

    @property
    def horizon(self) -> float | None:
        """Over the second half of so many steps the rates fall; None: as it suits the law."""
        return self._horizon

    @horizon.setter
    def horizon(self, steps) -> None:
        self._horizon = steps if steps is None else positive("horizon", steps)

    # -- settings --------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, Any]:
        """All knobs by name, as `tune` takes them and `save` keeps them; k: D steps per G step."""
        gan = self.gan
        return {
            "lr_G": self.lr_G,
            "lr_D": self.lr_D,
            "train": self.train,
            "anneal": self.anneal,
            "oracle": self.oracle,
            "k": gan.d_steps,
            "batch": self.batch,
            "seed": self.seed,
            "loss": _name(gan.loss, self.losses),
            "penalty": _name(gan.penalty, self.penalties),
            "weight": gan.penalty_weight,
            "optimiser": gan.optimiser,
            "beta1": gan.betas[0],
            "beta2": gan.betas[1],
        }

    def tune(self, **settings) -> None:
        """Turn knobs of `settings`: they act at the next step, a seed at the next reset.

        The optimisers keep their memory unless another kind is asked for. ValueError names what is
        not allowed, and then all knobs stay as they were.
        """
        before = self.settings
        for key in settings:
            one_of("setting", key, before)
        try:
            self._turn(before | settings)
        except ValueError:
            self._turn(before)
            raise

    def _turn(self, knobs: dict[str, Any]) -> None:
        gan = self.gan
        self.lr_G = positive("lr_G", knobs["lr_G"])
        self.lr_D = positive("lr_D", knobs["lr_D"])
        self.train = one_of("train", knobs["train"], WHO)
        self.anneal = one_of("anneal", knobs["anneal"], (True, False))
        self.oracle = one_of("oracle", knobs["oracle"], (True, False))
        self.batch = count("batch", knobs["batch"])
        self.seed = count("seed", knobs["seed"], 0)

        loss = one_of("loss", knobs["loss"], self.losses)
        penalty = one_of("penalty", knobs["penalty"], self.penalties)
        gan.loss = loss if loss in LOSSES else self.losses[loss]
        gan.penalty = penalty if penalty in PENALTIES else self.penalties[penalty]
        gan.d_steps = count("k", knobs["k"])
        if gan.d_steps * self.batch > MOST:
            asked = f"{gan.d_steps} times {self.batch:,}"
            raise ValueError(f"k times batch must be at most {MOST:,}, got {asked}")
        gan.penalty_weight = positive("weight", knobs["weight"])

        gan.betas = (share("beta1", knobs["beta1"]), share("beta2", knobs["beta2"]))

        # A fresh GAN checks the kind of optimiser; its own have no memory and are taken only if
        # they are of another kind.
        fresh = GAN(gan.G, gan.D, gan.prior, optimiser=knobs["optimiser"], betas=gan.betas)
        if gan.optimiser != fresh.optimiser:
            gan.optimiser = fresh.optimiser
            gan.opt_G = fresh.opt_G
            gan.opt_D = fresh.opt_D
        self._set_optimisers()

    def _set_optimisers(self) -> None:
        """Hand the knobs to the optimisers."""
        for optimiser in (self.gan.opt_G, self.gan.opt_D):
            optimiser.param_groups[0]["betas"] = self.gan.betas  # SGD has no use for them
        self._set_rates()

    def _set_rates(self) -> None:
        """The rates of this moment."""
        left = 1.0
        if self.anneal:
            usual = 3000 if getattr(self.law, "name", "") == "normal" else 5000
            left = fall(self.gan.steps, self.horizon or usual)
        self.gan.lr_G = self.lr_G * left
        self.gan.lr_D = self.lr_D * left

    # -- training --------------------------------------------------------------------------------

    def step(self, who: str | None = None, *, done: bool = True) -> None:
        """One step of those who train: it is counted, and every 25 steps it is written down.

        Slow motion takes a step in parts: then `who` names the player that moves, and only the last
        part is `done`.
        """
        if self.gan.steps % (4 * EVERY) == 0:
            self.remember()
        number = self.gan.steps + 1
        self.move(self.train if who is None else who)
        if done:
            self.gan.steps = number  # `GAN.step` counts by itself, `step_D` and `step_G` do not
            if number % self.every == 0 or number in EARLY:
                self.record()

    def move(self, who: str) -> None:
        """The move of one player or of both, at the rates of this moment, and nothing else."""
        with self._own_chance():
            self._move(who)

    @contextmanager
    def _own_chance(self):
        """Meanwhile layers that draw by themselves go on where they were, and disturb nobody."""
        if not self.unlike:
            yield
            return
        others = torch.get_rng_state()
        torch.set_rng_state(self.chance)
        try:
            yield
        finally:
            self.chance = torch.get_rng_state()
            torch.set_rng_state(others)

    def _move(self, who: str) -> None:
        gan = self.gan
        one_of("who", who, WHO)
        self._set_rates()
        if self.oracle:
            if who == "D only":
                raise ValueError(
                    "D* is computed and has nothing to learn: switch the oracle off, or train G"
                )
            with judged_by(gan, self.best_D()):
                self._move_G()
        elif who == "both":
            gan.step(self.sample(self.batch * gan.d_steps))
            del gan.history[:-10_000]  # a session may run for hours
        elif who == "D only":
            for real in self.sample(self.batch * gan.d_steps).chunk(gan.d_steps):
                gan.step_D(real)
        else:
            self._move_G()

    def _move_G(self) -> None:
        paired = loss_of(self.gan.loss).paired  # such a loss compares the fakes with real data
        self.gan.step_G(self.batch, self.sample(self.batch) if paired else None)

    def sample(self, n: int) -> Tensor:
        """n fresh examples of the law, (n, ...); they are kept as `real`."""
        self.real = self.law.sample(n, self.data)
        return self.real

    def best_D(self):
        """D* against the G of this moment, a function from x to logits."""
        return self.gauge.best_D(self.gan)

    # -- the record ------------------------------------------------------------------------------

    def look(self):
        """What the gauge sees of this moment, a `Sight`; FloatingPointError if it has diverged."""
        sight = self.gauge.look(self.gan, self.oracle)
        self.now = sight.ledger
        return sight

    @property
    def ledger(self):
        """The exact `Ledger` of this moment; in the plane `Now`."""
        return self.look().ledger

    def record(self) -> None:
        """Write the ledger of this moment down."""
        line = [self.gan.steps, *astuple(self.ledger)]
        self.past = np.vstack([self.past, line])
        if len(self.past) > LINES:  # thin out rather than forget the beginning
            self.every = 2 * self.every
            kept = self.past[:, 0] % self.every == 0
            kept[0] = True
            self.past = self.past[kept]

    def curve(self, name: str) -> np.ndarray:
        """One field of the ledger over time: rows (step, value)."""
        name = one_of("name", name, self._columns)
        return self.past[:, [0, self._columns[name]]]

    # -- there and back --------------------------------------------------------------------------

    def reset(self) -> None:
        """Start again from the first weights; another seed than the first draws its own."""
        gan = self.gan
        self.restore(self._start)
        if self.seed != self._first_seed:
            networks.reinitialise(gan.G, 2 * self.seed)
            networks.reinitialise(gan.D, 2 * self.seed + 1)
            gan.opt_G.state.clear()
            gan.opt_D.state.clear()
            gan.generator.manual_seed(self.seed)
            gan.steps = 0
        self.data = torch.Generator().manual_seed(self.seed + 1)
        self.chance = _new_chance(self.seed)
        self.real = self._first_look()

        self.every = EVERY
        self.past = np.zeros((0, 1 + len(self._columns)))
        self.record()
        self.forget()

    def state(self) -> dict:
        """All of the GAN that the next step depends on, copied."""
        return {
            **self.gan.state_dict(),
            "optimiser": self.gan.optimiser,
            "chance": self.chance.clone(),
        }

    def restore(self, state: dict) -> None:
        """Go back to a `state`, under the knobs of now; of another optimiser it has no memory."""
        gan = self.gan
        if not isinstance(state, dict) or not state.keys() >= STATE:
            raise ValueError("state must be one that `state` gave")
        if state["optimiser"] != gan.optimiser:
            fresh = GAN(gan.G, gan.D, gan.prior, optimiser=gan.optimiser)
            memory = {name: getattr(fresh, name).state_dict() for name in ("opt_G", "opt_D")}
            state = {**state, **memory}
        gan.load_state_dict(state)
        self.chance = state["chance"].clone()
        self._set_optimisers()

    def remember(self) -> None:
        """Keep the state of now to go back to, if it is finite; of older ones ever fewer."""
        weights = (*self.gan.G.parameters(), *self.gan.D.parameters())
        if all(map(all_finite, weights)):
            self.good.append(self.state())
            if len(self.good) > KEPT:
                del self.good[1:8:2]

    def forget(self) -> None:
        """Have nothing to go back to but now."""
        self.good = []
        self.remember()

    def back(self) -> None:
        """Go back to the last good state; the next time, further back."""
        while len(self.good) > 1 and self.good[-1]["steps"] >= self.gan.steps:
            self.good.pop()
        self.restore(self.good[-1])
        so_far = self.past[:, 0] <= self.gan.steps
        self.past = self.past[so_far]

    # -- keeping a run ---------------------------------------------------------------------------

    def save(self, values=None, **more) -> str:
        """The run as JSON text: the knobs, the record, and all that the next step depends on.

        values: what the caller wants to keep among the knobs; more: what else. Of a run that has
        diverged it is the last good state.
        """
        if self._sound():
            return self._saved(values, more)
        before = self.snapshot()
        for _ in range(len(self.good)):
            self.back()
            if self._sound():
                break
        try:
            return self._saved(values, more)
        finally:
            self.put_back(before)

    def _sound(self) -> bool:
        """Whether all that would be saved is finite, and there is something to see."""
        saved = flat(*self._parts())
        if not all(map(all_finite, saved.values())):
            return False
        try:
            self.look()
        except FloatingPointError:
            return False
        return True

    def _saved(self, values, more: dict) -> str:
        gan = self.gan
        tensors = {
            **flat(*self._parts()),
            "noise": gan.generator.get_state(),
            "data": self.data.get_state(),
            "chance": self.chance,
        }
        run = {
            **more,
            "format": FORMAT,
            "values": self.settings | of_kind("values", {} if values is None else values, dict),
            "past": self.past.tolist(),
            "every": self.every,
            "steps": gan.steps,
            "optimiser": gan.optimiser,
            "tensors": base64.b64encode(pack(tensors, {})).decode(),
        }
        try:
            return json.dumps({**run, "sha256": _digest(run)})
        except (TypeError, ValueError) as error:
            raise ValueError(f"values and more must be what JSON can hold: {error}") from None

    def load(self, text: str) -> None:
        """Go on from a saved run; if it does not fit, ValueError says why and nothing changes."""
        all_or_nothing(text, self)
        self.forget()

    def adopt(self, run: dict) -> None:
        """Take over a run that was read from its text; what does not fit leaves it half done."""
        tensors, _ = unpack(base64.b64decode(run["tensors"]))
        steps = count("steps", run["steps"], 0)
        noise = generator_state(tensors, "noise")
        data = generator_state(tensors, "data")
        chance = generator_state(tensors, "chance")
        self.tune(**{key: run["values"][key] for key in self.settings})

        nets, optimisers = self._parts()
        if run["optimiser"] != self.gan.optimiser:
            optimisers = {}  # of another kind it has no memory
            self.gan.opt_G.state.clear()
            self.gan.opt_D.state.clear()
        restore(tensors, nets, optimisers)
        self.gan.generator.set_state(noise)
        self.chance = chance
        self.gan.steps = steps
        del self.gan.history[steps:]
        self.tune()  # the rates of this step
        self.go_on(run["past"], run["every"], data)

    def _parts(self) -> tuple[dict, dict]:
        """Networks and optimisers by name, as `states` takes them."""
        gan = self.gan
        return {"G": gan.G, "D": gan.D}, {"opt_G": gan.opt_G, "opt_D": gan.opt_D}

    def go_on(self, past, every: int, data: Tensor) -> None:
        """Take over the record of another run, and where its generator of data stands."""
        if not isinstance(past, list) or not 0 < len(past) <= 2 * LINES:
            raise ValueError(f"its record must have 1 to {2 * LINES} lines")
        lines = np.array(past, float)
        if lines.ndim != 2 or lines.shape[1] != self.past.shape[1] or not np.isfinite(lines).all():
            raise ValueError(f"a line of its record must be {self.past.shape[1]} finite numbers")

        self.every = count("every", every)
        self.data.set_state(data)
        self.real = self._first_look()
        self.past = lines

    def snapshot(self) -> dict:
        """All that `put_back` needs, to undo whatever is done from here on."""
        kept = ("law", "gauge", "past", "every", "real", "now")
        return {
            "settings": self.settings,
            "state": self.state(),
            "data": self.data.get_state(),
            "kept": {name: getattr(self, name) for name in kept},
            "good": list(self.good),
        }

    def put_back(self, snapshot: dict) -> None:
        """Be as it was at a snapshot."""
        for name, value in snapshot["kept"].items():
            setattr(self, name, value)
        self.tune(**snapshot["settings"])
        self.restore(snapshot["state"])
        self.data.set_state(snapshot["data"])
        self.good = snapshot["good"]


def all_or_nothing(text: str, keeper) -> None:
    """Let a session, or a lab that keeps more, adopt a saved run; if it fails, say why, and undo.

    keeper: has `snapshot`, `put_back`, `adopt`, and `look`, which fails if there is nothing to see.
    """
    method("keeper", keeper, "snapshot", "put_back", "adopt", "look", like="a Session")
    of_kind("text", text, str)
    before = keeper.snapshot()
    try:
        if len(text) > LARGEST:
            raise ValueError(f"it has more than {LARGEST:,} letters")
        run = json.loads(text)
        if not isinstance(run, dict) or run.get("format") != FORMAT:
            raise ValueError(f"it is not of the format {FORMAT!r} that this lab reads")
        if run.pop("sha256", None) != _digest(run):
            raise ValueError("it was changed after it was written")
        keeper.adopt(run)
        keeper.look()
    except Exception as error:
        keeper.put_back(before)
        why = " ".join(_why(error).split())[:200]
        raise ValueError(
            f"This is not a saved run that fits this lab: {why}. Nothing was changed."
        ) from None


def _digest(run: dict) -> str:
    return hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()


def _new_chance(seed: int) -> Tensor:
    return torch.Generator().manual_seed(seed + 2).get_state()


def _why(error: Exception) -> str:
    for kinds, words in WRONG.items():
        if isinstance(error, kinds):
            return words.format(error)
    return str(error)


def _name(choice, choices: dict[str, Any]) -> str:
    """The name of a loss or a penalty among `choices`; one of the learner's own is taken in."""
    for name, known in choices.items():
        if choice in (name, known):
            return name
    name = str(getattr(choice, "name", "") or getattr(choice, "__name__", "your own"))
    if name in choices:
        name = f"{name} (yours)"
    choices[name] = choice
    return name
