"""`GANLab`: a GAN in one dimension that trains while you move its knobs."""

import base64
import json
import math
import time
from dataclasses import astuple, fields
from io import BytesIO

import numpy as np
import torch

from ganlib import densities, networks
from ganlib.gan import GAN, Ledger
from ganlib.labs.gan_scene import (
    ARROWS,
    AXES,
    BOXES,
    FLOW,
    MARKS,
    PHASES,
    PRESETS,
    TARGETS,
    controls,
)
from ganlib.labs.judge import best_D, fits
from ganlib.labs.runner import Lab
from ganlib.labs.scene import checked

EVERY, POINTS = (
    25,
    400,
)  # the ledger is written down every 25 steps; beyond 400 lines every second one is dropped
FORMAT = "ganlib run 1"  # of a saved run, one JSON text
# What is wrong with such a text, by the error that reading it leads to.
WRONG: dict = {
    json.JSONDecodeError: "it is cut short or not JSON",
    KeyError: "it has no {}",
    (
        TypeError,
        RuntimeError,
        EOFError,
        IndexError,
    ): "its content is damaged or of other networks ({})",
}
COLUMN = {
    field.name: i + 1 for i, field in enumerate(fields(Ledger))
}  # of `past`; column 0 is the step


class GANLab(Lab):
    """Watch p_g (green) move towards p_data (black) while D (blue) judges, and turn every knob as they train.

    gan: a `GAN` in one dimension; target: a law with `log_prob` and `sample`, or a name in the lab's
    list. batch: examples a step. anneal: let both rates fall to 0 over the second half of `horizon`
    steps, by default 3,000 for a normal and 5,000 for all else. The networks are yours: change them in
    the notebook, make the lab again, and it shows yours.
    """

    fps = 34  # as few as show 30: each costs training
    presets, kind = PRESETS, Ledger  # a lab in two dimensions has others
    past: (
        np.ndarray
    )  # the ledger over time, one line a record: the step, then the fields of `Ledger`
    _good: list[dict]  # states to go back to
    _every, _phase, _phase_due = (
        EVERY,
        -1,
        0.0,
    )  # the last two are of slow motion; phase −1: not yet begun

    def __init__(
        self, gan: GAN, target="normal", *, batch=128, anneal=True, horizon=None, seed=0, name=None
    ):
        self._targets = dict(TARGETS)
        fits(gan, target, horizon)
        if not isinstance(target, str):
            law, target = target, getattr(target, "name", "your target")
            self._targets[target] = lambda: law
        knobs = controls(gan, list(self._targets), target, batch, anneal, seed, PRESETS)
        self._begin(
            gan,
            horizon,
            title="A GAN in one dimension",
            axes=AXES,
            marks=MARKS,
            name=name,
            controls=knobs,
        )

    def _begin(self, gan, horizon, **scene):
        """Show the first picture; for a lab in two dimensions too."""
        self.gan, self.horizon = gan, horizon
        super().__init__(height=600, **scene)
        self._defaults, self._start = dict(self.values), self._state()
        self._set_target(self.values["target"])
        self.reset(fresh=False)

    # -- training ----------------------------------------------------------------------------------------
    def advance(self):
        """One training step; in slow motion one phase of it, and False until the step is done."""
        who, done = self._next_phase() if self.values["slow"] else (self.values["train"], True)
        if who:
            if self.gan.steps % (4 * EVERY) == 0:
                self._remember()
            self._move(who)
        if done:
            self.gan.steps += who != "both"  # `GAN.step` counts by itself
            if self.gan.steps % self._every == 0:
                self._record()
        return done

    def _move(self, who):
        """The move of one player or of both, at the rates of this moment."""
        gan, v = self.gan, self.values
        self._set_rates()
        if v["oracle"]:
            if who == "D only":
                raise ValueError(
                    "D* is computed and has nothing to learn: switch the oracle off, or train G"
                )
            D, gan.D = gan.D, self._best_D()
            try:
                gan.step_G(v["batch"])
            finally:
                gan.D = D
            gan.steps += who == "both"
        elif who == "both":
            gan.step(self._real(v["batch"] * v["k"]))
            del gan.history[:-10_000]  # a lab may run for hours
        elif who == "D only":
            for real in self._real(v["batch"] * v["k"]).chunk(v["k"]):
                gan.step_D(real)
        else:
            gan.step_G(v["batch"])

    def _best_D(self):
        return best_D(
            self.x, self.p_data, densities.push_masses(self.gan.G, self.gan.prior, self.x)[0]
        )

    def _next_phase(self):
        """Who moves in the next phase of slow motion, and whether that ends the step."""
        now, train = (
            time.perf_counter(),
            "G only" if self.values["oracle"] else self.values["train"],
        )
        if self.playing and now < self._phase_due:
            return None, False
        phases = {"both": range(6), "D only": range(4), "G only": range(4, 6)}[train]
        self._phase = self._phase + 1 if self._phase + 1 in phases else phases[0]
        self._phase_due = now + 0.9
        return {3: "D only", 5: "G only"}.get(self._phase), self._phase == phases[-1]

    def _real(self, n):
        self._last_real = self.target.sample(n, self._generator)
        return self._last_real

    def _set_rates(self):
        v, gan = self.values, self.gan
        # With anneal the rates fall linearly over the second half of the horizon.
        horizon = self.horizon or (3000 if v["target"] == "normal" else 5000)
        fall = min(1.0, max(0.01, 2 - 2 * gan.steps / horizon)) if v["anneal"] else 1.0
        gan.lr_G, gan.lr_D = v["lr_G"] * fall, v["lr_D"] * fall

    def _tune(self):
        """Hand the knobs to the GAN; the optimisers keep their memory unless another kind is asked for."""
        v, gan = self.values, self.gan
        if gan.optimiser != v["optimiser"]:
            new = GAN(gan.G, gan.D, gan.prior, optimiser=v["optimiser"])
            gan.opt_G, gan.opt_D, gan.optimiser = new.opt_G, new.opt_D, new.optimiser
        gan.loss, gan.d_steps, gan.betas = v["loss"], v["k"], (v["beta1"], v["beta2"])
        gan.penalty, gan.penalty_weight = (
            None if v["penalty"] == "none" else v["penalty"],
            v["weight"],
        )
        for optimiser in (gan.opt_G, gan.opt_D):
            optimiser.param_groups[0]["betas"] = gan.betas  # SGD has no use for them
        self._set_rates()

    # -- the ledger --------------------------------------------------------------------------------------
    @torch.no_grad()
    def _look(self):
        """Everything exact about this moment: p_g, G at the ends of the z cells, logits of D; and the ledger."""
        gan, D = self.gan, self.gan.D
        try:
            pushed = densities.push_masses(gan.G, gan.prior, self.x)
            if self.values["oracle"]:
                gan.D = best_D(self.x, self.p_data, pushed[0])
            logits = gan.logits(self.x)
            self._now = gan.ledger(self.p_data, self.x, masses=pushed, logits=logits)
        except FloatingPointError as error:
            raise FloatingPointError(f"diverged at step {gan.steps}: {error}") from None
        finally:
            gan.D = D
        return pushed[0][1:-1] / self.dx, pushed[1], logits

    def _record(self):
        self._look()
        self.past = np.vstack([self.past, [self.gan.steps, *astuple(self._now)]])
        if len(self.past) > POINTS:  # thin out rather than forget the beginning
            self.past, self._every = self.past[::2], 2 * self._every

    @property
    def ledger(self) -> Ledger:
        """The exact `Ledger` of this moment."""
        return self._look() and self._now

    # -- the learner's hand ------------------------------------------------------------------------------
    def reset(self, fresh=True):
        """Start again from the first weights; with another seed than at first, from weights drawn by it."""
        gan, seed = self.gan, self.values["seed"]
        self._restore(self._start)
        if fresh and seed != self._defaults["seed"]:
            networks.reinitialise(gan.G, 2 * seed)
            networks.reinitialise(gan.D, 2 * seed + 1)
            gan.opt_G.state.clear(), gan.opt_D.state.clear()
            gan.generator.manual_seed(seed)
            gan.steps = 0
        self._generator = torch.Generator().manual_seed(seed + 1)
        self._last_real = self.target.sample(64, torch.Generator().manual_seed(seed))
        self.steps, self._every, self._phase = gan.steps, EVERY, -1
        self.past, self._good = np.zeros((0, 1 + len(fields(self.kind)))), []
        self._record()
        self._remember()

    def _set_target(self, name):
        self.target = law = self._targets[name]()
        low, high = getattr(law, "range", (-5.0, 5.0))
        self.x = densities.line(low - 0.1 * (high - low), high + 0.1 * (high - low), 400)
        self.dx = float(self.x[1] - self.x[0])
        density = law.log_prob(self.x[:, None]).exp()
        self.p_data = density / (density.sum() * self.dx)
        self.shift, self.scale = getattr(law, "shift", 0.0), getattr(law, "scale", 1.0)
        self._xs = self.shift + self.scale * self.x.numpy()
        left, right = self._xs[[0, -1]].tolist()
        z = self.gan.prior.quantile(ARROWS).numpy()
        self._feet = left + (0.1 + 0.8 * (z - z[0]) / (z[-1] - z[0])) * (right - left)
        self.relabel("map", x=(left, right))
        self.relabel(
            "game",
            x=(left, right),
            y=(0, max(1.05, 1.5 * float(self.p_data.max()))),
            xlabel=getattr(law, "unit", "x"),
            ylabel="density" + " per sd" * (self.scale != 1) + ", D(x)",
        )

    def changed(self, key, value):
        """A knob was turned: it acts at the next step, and the optimisers' memory is kept."""
        if key == "preset":
            self._preset(value)
        elif key != "slow":
            if key == "target":
                self._set_target(value)
            self._tune()
            if key == "seed":
                self.reset()
            else:
                self.note = ""
                self.tell(preset="your own")

    def _preset(self, name):
        self.note, knobs = self.presets.get(name, ("", None))
        if knobs is not None:
            brought = {
                turned.get("target") for _, turned in self.presets.values()
            }  # such a target goes with its preset
            keep = (
                ("seed", "slow", "target")
                if self.values["target"] not in brought
                else ("seed", "slow")
            )
            self.tell(
                **{
                    **self._defaults,
                    **{key: self.values[key] for key in keep},
                    **knobs,
                    "preset": name,
                }
            )
            self._set_target(self.values["target"])
            self.reset()

    def pressed(self, key, text=""):
        """A button: single steps, back to the last good state, save and load a run."""
        if key == "back":
            while len(self._good) > 1 and self._good[-1]["steps"] >= self.gan.steps:
                self._good.pop()
            self._restore(self._good[-1])
            self.steps, self.past = self.gan.steps, self.past[self.past[:, 0] <= self.gan.steps]
            self.pause(f"Back at step {self.steps}.")
        elif key in ("step_D", "step_G"):
            self.pause()
            self._move({"step_D": "D only", "step_G": "G only"}[key])
            self.gan.steps += 1
            self.steps += 1
        elif key == "save":
            self.download("gan-run.json", self.save())
        elif key == "load":
            self.load(text)

    # -- keeping a run -----------------------------------------------------------------------------------
    def _state(self):
        return {**self.gan.state_dict(), "optimiser": self.gan.optimiser}

    def _restore(self, state):
        """Go back to a state; another kind of optimiser than it was made with starts without memory."""
        self._tune()
        if state["optimiser"] != self.gan.optimiser:
            fresh = GAN(
                self.gan.G, self.gan.D, self.gan.prior, optimiser=self.gan.optimiser
            ).state_dict()
            state = {**state, "opt_G": fresh["opt_G"], "opt_D": fresh["opt_D"]}
        self.gan.load_state_dict(state)
        self._tune()  # the knobs stand as they are shown, not as they stood then

    def _remember(self):
        """Keep a state to go back to; of older ones ever fewer."""
        if all(
            bool(p.isfinite().all()) for p in (*self.gan.G.parameters(), *self.gan.D.parameters())
        ):
            self._good.append(self._state())
            if len(self._good) > 12:
                del self._good[1:8:2]

    def save(self) -> str:
        """The run as JSON text: the knobs, the curves, and every tensor that the next step depends on."""
        tensors = BytesIO()
        torch.save(
            {**self._state(), "data": self._generator.get_state(), "every": self._every}, tensors
        )
        return json.dumps(
            {
                "format": FORMAT,
                "values": self.values,
                "past": self.past.tolist(),
                "state": base64.b64encode(tensors.getvalue()).decode(),
            }
        )

    def load(self, text: str) -> None:
        """Go on from a saved run; the present one stays as it is if the file does not fit."""
        before = self.save()
        try:
            self._adopt(text)
            self.draw()
        except Exception as error:
            self._adopt(before)
            why = next(
                (said.format(error) for kind, said in WRONG.items() if isinstance(error, kind)),
                str(error),
            )
            why = " ".join(why.split())[:200]
            raise ValueError(
                f"This is not a saved run that fits this lab: {why}. Nothing was changed."
            ) from None
        self._good = [self._state()]
        self.pause(f"Loaded: step {self.steps}.")

    def _adopt(self, text):
        run = json.loads(text)
        if not isinstance(run, dict) or run.get("format") != FORMAT:
            raise ValueError(f"it is not of the format {FORMAT!r} that this lab reads")
        values = {
            c["key"]: checked(c, run["values"][c["key"]])
            for c in self.scene["controls"]
            if "value" in c
        }
        state = torch.load(BytesIO(base64.b64decode(run["state"])), weights_only=True)
        self.past = np.array(run["past"], float).reshape(-1, self.past.shape[1])
        self.tell(**values)
        self._set_target(values["target"])
        self._restore(state)
        self._generator.set_state(state["data"])
        self._every, self.steps = state["every"], state["steps"]

    # -- the picture -------------------------------------------------------------------------------------
    def draw(self):
        p_g, ends, logits = self._look()
        curves = {
            "data": self.p_data,
            "p_g": p_g,
            "D": logits.sigmoid(),
            "D_star": densities.optimal_discriminator(self.p_data, p_g),
        }
        (left, right), step, two_js = (
            self._xs[[0, -1]],
            self.past[:, 0],
            2 * self.past[:, COLUMN["js"]],
        )
        first, last, zero = step[0], max(step[-1], step[0] + 1), np.zeros(31)
        heads = self.shift + self.scale * ends[(ARROWS * (len(ends) - 1)).round().long()].numpy()
        return {
            **{key: np.array((self._xs, y.numpy())).T for key, y in curves.items()},
            **{key: self.past[:, [0, column]] for key, column in COLUMN.items() if key != "regret"},
            "regret": np.array((step, self.past[:, COLUMN["value"]], two_js)).T,
            "two_js": np.array((step, two_js)).T,
            "real": self.shift + self.scale * self._last_real[:64].numpy(),
            "fake": heads,
            "map": np.array((self._feet, zero, heads, zero + 1)).T,
            "floor": [[left, 0.0], [right, 0.0]],
            "names": [(left, 0.1, "z"), (left, 0.9, "x = G(z)")],
            "half": [[left, 0.5], [right, 0.5]],
            "log_half": [[first, -math.log(2)], [last, -math.log(2)]],
            "zero": [[first, 0.0], [last, 0.0]],
            "goal": [[first, 0.05], [last, 0.05]],
            **self._flow(),
        }

    def _flow(self):
        """The arrows and words of the flow, and what slow motion lights up of it."""
        phase, lit = PHASES[self._phase] if self.values["slow"] else ("", [])
        return {"flow": FLOW, "boxes": BOXES, "lit": FLOW[lit], "phase": [(0.5, 0.08, phase)]}

    def _failed(self, error):
        undo = ". Press “back to the last good state”, then lower a rate."
        super()._failed(
            FloatingPointError(f"{error}{undo}") if isinstance(error, FloatingPointError) else error
        )

    def text(self):
        rates, converged = (
            f"lr_G {self.gan.lr_G:.3g}, lr_D {self.gan.lr_D:.3g}",
            " Converged." * self._now.converged(),
        )
        return f"After {self.gan.steps} steps on {self.values['target']} ({rates}): {self._now}.{converged}"

    def claim(self):
        now, steps = self.ledger, self.gan.steps
        state = (
            f"converged: {now.converged()}"
            if steps
            else f"JS {now.js:.2f}, E|D − ½| {now.off_half:.2f}"
        )
        return f"after {steps} steps on {self.values['target']}, {state}."
