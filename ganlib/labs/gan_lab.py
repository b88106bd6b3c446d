"""`GANLab`: a GAN in one dimension that trains while you move its knobs."""

import base64
import copy
import json
import math
import time
from collections import deque
from dataclasses import asdict
from io import BytesIO

import numpy as np
import torch

from ganlib import targets
from ganlib.densities import line, optimal_discriminator, push_masses
from ganlib.gan import GAN, Ledger
from ganlib.losses import LOSSES, PENALTIES
from ganlib.labs import scene
from ganlib.labs.runner import Lab
from ganlib.networks import reinitialise

__all__ = ["PRESETS", "GANLab"]

TARGETS = {"normal": targets.gaussian, "two modes": targets.mixture, "uniform": lambda: targets.uniform(-1.5, 1.5),
           "iris petal length": targets.iris}
HORIZON = 3000  # with anneal, the rates fall linearly over the second half of so many steps

# Each preset is one sentence and the knobs it turns; everything else goes back to where the lab began.
PRESETS = {
    "converges": ("Both learn, D faster; the rates fall at the end. JS goes to 0 and D to ½.", {}),
    "D too strong": ("D learns fast and G hardly at all: D tells real from fake almost everywhere.",
                     {"lr_D": 3e-2, "lr_G": 1e-5, "k": 5, "loss": "minimax", "anneal": False}),
    "D too weak": ("D learns slowly and G runs after an outdated D: the regret grows.",
                   {"lr_D": 1e-4, "lr_G": 1e-2, "anneal": False}),
    "circles": ("Momentum and equal rates: G overshoots, D follows, and they chase each other without end.",
                {"lr_D": 3e-3, "lr_G": 3e-3, "beta1": 0.9, "anneal": False}),
    "one mode lost": ("Two groups of unequal size and a D trained three times as often: the small one is given up.",
                      {"target": "iris petal length", "k": 3, "lr_G": 3e-4, "anneal": False}),
    "blind detective": ("D does not learn at all: it says about ½ everywhere, and p_g is nowhere near p_data.",
                        {"train": "G only", "lr_G": 1e-4, "anneal": False}),
}


class GANLab(Lab):
    """Watch p_g (green) move towards p_data (black) while D (blue) judges, and turn every knob as they train.

    gan: a `GAN` in one dimension; target: a law with `log_prob` and `sample`, or a name in the lab's
    list. batch: examples a step. anneal: let both rates fall to 0 over the second half of `horizon`
    steps. The networks are yours: change them in the notebook, make the lab again, and it shows yours.
    """

    def __init__(self, gan: GAN, target="normal", *, batch=256, anneal=True, horizon=HORIZON, seed=0, name=None):
        for method in ("log_prob", "sample"):
            if not isinstance(target, str) and not callable(getattr(target, method, None)):
                raise ValueError(f"target must have the methods log_prob and sample, {target!r} has no {method}")
        self.gan, self.horizon, self.message = gan, horizon, ""
        self._targets = dict(TARGETS)
        if not isinstance(target, str):
            name_of = getattr(target, "name", "your target")
            self._targets[name_of] = lambda law=target: law
            target = name_of
        self._start = copy.deepcopy(gan.state_dict())
        self._oracle = _Oracle()
        self._phase, self._phase_at = 0, 0.0
        super().__init__(title="A GAN in one dimension", height=600, axes=copy.deepcopy(_AXES), marks=_MARKS, name=name,
                         controls=_controls(gan, list(self._targets), target, batch, anneal, seed))
        self._defaults = dict(self.values)
        self._set_target(target)
        self.reset(fresh=False)

    # -- training ----------------------------------------------------------------------------------------
    def advance(self):
        """One training step; in slow motion, one phase of it. False when it is not yet time."""
        if self.values["slow"]:
            if time.monotonic() - self._phase_at < 0.9:
                return False
            self._phase, self._phase_at = self._phase % len(_PHASES) + 1, time.monotonic()
            if self._phase < len(_PHASES):
                return False
        v, gan = self.values, self.gan
        fall = min(1.0, max(0.01, 2 - 2 * gan.steps / self.horizon)) if v["anneal"] else 1.0
        gan.lr_G, gan.lr_D = v["lr_G"] * fall, v["lr_D"] * fall
        if gan.steps % 50 == 0:
            self._good.append(gan.state_dict())
        if v["oracle"]:
            self._step_oracle()
        elif v["train"] == "D only":
            gan.step_D(self._real(v["batch"]))
            gan.steps += 1
        elif v["train"] == "G only":
            gan.step_G(v["batch"])
            gan.steps += 1
        else:
            gan.step(self._real(v["batch"] * v["k"]))
        if gan.steps % self._every == 0:
            self._record()

    def _real(self, n):
        self._last_real = self.target.sample(n, self._generator)
        return self._last_real

    def _step_oracle(self):
        """G steps against D*, which is computed instead of learned."""
        masses, _ = push_masses(self.gan.G, self.gan.prior, self.x)
        self._oracle.update(self.x, self.p_data, masses[1:-1] / (self.x[1] - self.x[0]))
        D, self.gan.D = self.gan.D, self._oracle
        try:
            self.gan.step_G(self.values["batch"])
        finally:
            self.gan.D = D
        self.gan.steps += 1

    @torch.no_grad()
    def _look(self):
        """Everything exact about this moment: masses of p_g, logits of D, and the ledger."""
        masses, ends = push_masses(self.gan.G, self.gan.prior, self.x)
        if self.values["oracle"]:
            self._oracle.update(self.x, self.p_data, masses[1:-1] / (self.x[1] - self.x[0]))
        D = self._oracle if self.values["oracle"] else self.gan.D
        logits = D(self.x.float()[:, None]).flatten().double()
        if len(logits) != len(self.x):
            raise ValueError(f"D must map (n, 1) to (n, 1), got {len(logits)} numbers from {len(self.x)}")
        ledger = self.gan.ledger(self.p_data, self.x, masses=(masses, ends), logits=logits)
        return masses, ends, logits, ledger

    def _record(self):
        self.times.append(self.gan.steps)
        self.ledgers.append(self._look()[-1])
        if len(self.times) > 2000:  # thin out rather than forget the beginning
            self.times, self.ledgers, self._every = self.times[::2], self.ledgers[::2], 2 * self._every

    @property
    def ledger(self) -> Ledger:
        """The exact `Ledger` of this moment."""
        return self._look()[-1]

    # -- the learner's hand ------------------------------------------------------------------------------
    def reset(self, fresh=True):
        """Start again from the first weights; `fresh` draws them anew from the seed."""
        gan, seed = self.gan, self.values["seed"]
        self._rebuild()
        gan.load_state_dict({**self._start, **{k: getattr(gan, k).state_dict() for k in ("opt_G", "opt_D")}})
        if fresh and seed != self._defaults["seed"]:
            reinitialise(gan.G, 2 * seed)
            reinitialise(gan.D, 2 * seed + 1)
            gan.generator.manual_seed(seed)
        self._generator = torch.Generator().manual_seed(seed + 1)
        self._last_real = self.target.sample(64, torch.Generator().manual_seed(seed))
        self.steps, self._every, self._phase = 0, 25, 0
        self.times, self.ledgers, self._good = [], [], deque(maxlen=3)
        gan.history.clear()
        self._record()

    def _rebuild(self):
        """A new optimiser with the betas shown; its memory starts empty."""
        v, gan = self.values, self.gan
        self.gan = GAN(gan.G, gan.D, gan.prior, loss=v["loss"], lr_G=v["lr_G"], lr_D=v["lr_D"], d_steps=v["k"],
                       betas=(v["beta1"], v["beta2"]), optimiser=v["optimiser"], penalty_weight=v["weight"],
                       penalty=None if v["penalty"] == "none" else v["penalty"])
        self.gan.generator, self.gan.steps, self.gan.history = gan.generator, gan.steps, gan.history

    def _set_target(self, name):
        self.target = self._targets[name]()
        low, high = self.target.range if hasattr(self.target, "range") else (-5.0, 5.0)
        self.x = line(low - 0.1 * (high - low), high + 0.1 * (high - low), 400)
        density = self.target.log_prob(self.x[:, None]).exp()
        self.p_data = density / (density.sum() * (self.x[1] - self.x[0]))
        self.shift, self.scale = getattr(self.target, "shift", 0.0), getattr(self.target, "scale", 1.0)
        ends = tuple(self.shift + self.scale * float(self.x[i]) for i in (0, -1))
        peak = max(1.05, 1.5 * float(self.p_data.max()))
        for a in self.scene["axes"]:
            if a["key"] in ("game", "map"):
                a["x"] = ends
            if a["key"] == "game":
                a.update(y=(0, peak), xlabel=getattr(self.target, "unit", "x"))
        self.widget.scene = copy.deepcopy(self.scene)

    def changed(self, key, value):
        """A knob was turned: rates act at the next step, the optimiser's memory is kept."""
        if key == "preset":
            return self._preset(value)
        if key == "target":
            self._set_target(value)
        elif key == "loss":
            self.gan.loss = value
        elif key == "k":
            self.gan.d_steps = value
        elif key in ("penalty", "weight"):
            self.gan.penalty, self.gan.penalty_weight = (
                None if self.values["penalty"] == "none" else self.values["penalty"]), self.values["weight"]
        elif key in ("optimiser", "beta1", "beta2"):
            self._rebuild()
        elif key == "seed":
            self.reset()
        if key in self._defaults and key not in ("slow", "seed"):
            self.tell(preset="your own")

    def _preset(self, name):
        if name == "your own":
            return
        sentence, knobs = PRESETS[name]
        keep = {k: self.values[k] for k in ("seed", "slow", "target")}
        self.tell(**{**self._defaults, **keep, **knobs, "preset": name})
        self._set_target(self.values["target"])
        self.reset()
        self.note = sentence

    def pressed(self, key, text=""):
        """A button: single steps, back to the last good state, save and load a run."""
        if key == "back":
            if not self._good:
                raise ValueError("there is no earlier state yet: train at least one step")
            self.pause(f"Back at step {self._good[-1]['steps']}.")
            self.gan.load_state_dict(self._good.pop() if len(self._good) > 1 else self._good[-1])
            self.steps = self.gan.steps
            while self.times and self.times[-1] > self.steps:
                self.times.pop(), self.ledgers.pop()
        elif key in ("step_D", "step_G"):
            self.pause()
            train, self.values["train"] = self.values["train"], {"step_D": "D only", "step_G": "G only"}[key]
            self._step()
            self.values["train"] = train
        elif key == "save":
            self.download("gan-run.json", self.save())
        elif key == "load":
            self.load(text)

    # -- keeping a run -----------------------------------------------------------------------------------
    def save(self) -> str:
        """The run as JSON: controls, curves, and every tensor the next step depends on."""
        tensors = BytesIO()
        torch.save({**self.gan.state_dict(), "data": self._generator.get_state()}, tensors)
        return json.dumps({"format": "ganlib run 1", "values": self.values, "times": self.times,
                           "ledgers": [asdict(entry) for entry in self.ledgers],
                           "state": base64.b64encode(tensors.getvalue()).decode()})

    def load(self, text: str) -> None:
        """Go on from a saved run; the present one stays as it is if the file does not fit."""
        try:
            run = json.loads(text)
            if run["format"] != "ganlib run 1":
                raise ValueError(f"the file is {run['format']!r}, this lab reads 'ganlib run 1'")
            state = torch.load(BytesIO(base64.b64decode(run["state"])), weights_only=True)
            ledgers = [Ledger(**entry) for entry in run["ledgers"]]
            if run["values"]["target"] not in self._targets:
                raise ValueError(f"its target {run['values']['target']!r} is not in this lab")
            for net in ("G", "D"):
                copy.deepcopy(getattr(self.gan, net)).load_state_dict(state[net])
        except Exception as error:
            why = str(error).split("\n")[0] or type(error).__name__
            raise ValueError(f"This is not a saved run that fits this lab: {why}. Nothing was changed.") from None
        self.pause()
        self.tell(**{k: v for k, v in run["values"].items() if k in self.values})
        self._set_target(self.values["target"])
        self._rebuild()
        self.gan.load_state_dict(state)
        self._generator.set_state(state["data"])
        self.times, self.ledgers, self.steps = run["times"], ledgers, state["steps"]
        self.show()

    # -- the picture -------------------------------------------------------------------------------------
    def draw(self):
        """Curves of this moment on the left, the ledger over time on the right."""
        masses, ends, logits, self._now = self._look()
        x, dx = self.shift + self.scale * self.x, self.x[1] - self.x[0]
        p_g = masses[1:-1] / dx
        curve = lambda y: torch.stack([x, y], 1).numpy()
        z = torch.linspace(0.5 / 31, 1 - 0.5 / 31, 31)
        places = self.gan.prior.quantile(z)
        span = (places - places[0]) / (places[-1] - places[0])
        foot = float(x[0]) + (0.1 + 0.8 * span) * float(x[-1] - x[0])
        head = self.shift + self.scale * ends[(z * (len(ends) - 1)).round().long()]
        t = np.array(self.times, float)
        history = {name: np.array([getattr(entry, name) for entry in self.ledgers]) for name in vars(self._now)}
        over_time = lambda name: np.stack([t, history[name]], 1)
        flat = lambda level: [[t[0], level], [max(t[-1], t[0] + 1), level]]
        lit = _PHASES[self._phase - 1] if self.values["slow"] and self._phase else ("", ())
        return {
            "data": curve(self.p_data), "p_g": curve(p_g), "D": curve(logits.sigmoid()),
            "D_star": curve(optimal_discriminator(self.p_data, p_g)), "half": [[x[0], 0.5], [x[-1], 0.5]],
            "real": self.shift + self.scale * self._last_real[:64].numpy(), "fake": head.numpy(),
            "map": torch.stack([foot, torch.zeros(31), head, torch.ones(31)], 1).numpy(),
            "floor": [[x[0], 0.0], [x[-1], 0.0]], "names": [(x[0], 0.1, "z"), (x[0], 0.9, "x = G(z)")],
            "real_term": over_time("real_term"), "fake_term": over_time("fake_term"), "log_half": flat(-math.log(2)),
            "value": over_time("value"), "two_js": np.stack([t, 2 * history["js"]], 1),
            "regret": np.stack([t, history["value"], 2 * history["js"]], 1), "zero": flat(0),
            "off_half": over_time("off_half"), "off_star": over_time("off_star"), "goal": flat(0.05),
            "flow": _FLOW, "lit": [_FLOW[i] for i in lit[1]], "boxes": _BOXES, "phase": [(0.5, 0.08, lit[0])],
        }

    def text(self):
        state = " Converged." if self._now.converged() else ""
        rates = f"lr_G {self.gan.lr_G:.2g}, lr_D {self.gan.lr_D:.2g}"
        return f"After {self.gan.steps} steps on {self.values['target']} ({rates}): {self._now}.{state}"


class _Oracle(torch.nn.Module):
    """The logit of D* on a grid, a straight line between the points; it has nothing to learn."""

    def update(self, x, p_data, p_g):
        self.low, self.step = x[0], x[1] - x[0]
        self.logit = (p_data.clamp_min(1e-12).log() - p_g.clamp_min(1e-12).log()).clamp(-15, 15).float()

    def forward(self, at):
        place = ((at - self.low) / self.step).float().clamp(0, len(self.logit) - 1.001)
        k = place.detach().long()
        return self.logit[k] + (place - k) * (self.logit[k + 1] - self.logit[k])


def _controls(gan, names, target, batch, anneal, seed):
    s, more = scene, "more knobs"
    return [
        s.slider("lr_G", "lr_G", 1e-5, 1.0, gan.lr_G, log=True, help="learning rate of the generator"),
        s.slider("lr_D", "lr_D", 1e-5, 1.0, gan.lr_D, log=True, help="learning rate of the discriminator"),
        s.choice("preset", "preset", ["your own", *PRESETS], "your own"),
        s.choice("target", "target", names, target),
        s.choice("train", "train", ["both", "D only", "G only"], "both"),
        s.button("step_D", "step D"), s.button("step_G", "step G"),
        s.toggle("anneal", "anneal", anneal, help="let both rates fall to 0 over the second half of the run"),
        s.toggle("oracle", "oracle D*", help="G plays against D*, computed instead of learned"),
        s.toggle("slow", "slow motion", help="one phase of a step at a time; the flow of data and gradients lights up"),
        s.number("k", "k: D steps per G step", 1, 50, gan.d_steps, group=more),
        s.number("batch", "batch", 1, 65536, batch, group=more), s.number("seed", "seed", 0, 10**6, seed, group=more),
        s.choice("loss", "loss", LOSSES, gan.loss, group=more),
        s.choice("penalty", "penalty", ["none", *PENALTIES], gan.penalty or "none", group=more),
        s.slider("weight", "its weight", 1e-3, 100.0, gan.penalty_weight, log=True, group=more),
        s.choice("optimiser", "optimiser", ["adam", "sgd"], gan.optimiser, group=more),
        s.slider("beta1", "β₁", 0.0, 0.99, gan.betas[0], step=0.01, group=more),
        s.slider("beta2", "β₂", 0.5, 0.9999, gan.betas[1], step=0.0001, group=more),
        s.button("back", "back to the last good state", group=more), s.button("save", "save run", group=more),
        s.file("load", "load run", group=more),
    ]


_AXES = [
    scene.axes("game", box=(0, 0, 0.6, 0.6), ylabel="density, D(x)"),
    scene.axes("map", box=(0, 0.6, 0.6, 0.2), y=(0, 1), frame=False, legend=False),
    scene.axes("terms", box=(0.6, 0, 0.4, 0.3), title="the two terms of V", auto="xy", ylabel="nats"),
    scene.axes("ledger", box=(0.6, 0.3, 0.4, 0.36), title="the ledger: 2 JS = (V + log 4) + regret", auto="xy",
               ylabel="nats"),
    scene.axes("gauges", box=(0.6, 0.66, 0.4, 0.34), title="two gauges of D", auto="x", y=(0, 0.5), xlabel="step"),
    scene.axes("flow", box=(0, 0.8, 0.6, 0.2), frame=False, legend=False),
]
_MARKS = [
    scene.line("half", "game", color="#8a8a8a", width=0.8),
    scene.line("data", "game", "p_data", style="data"), scene.line("p_g", "game", "p_g", style="G"),
    scene.line("D_star", "game", "D*", style="D_star"), scene.line("D", "game", "D", style="D"),
    scene.rug("real", "game", color="#000000"), scene.rug("fake", "game", color="#009E73", top=True),
    scene.line("floor", "map", color="#8a8a8a", width=1), scene.arrows("map", "map", color="#009E73", width=1),
    scene.text("names", "map", align="left"),
    scene.line("log_half", "terms", "−log 2", color="#8a8a8a", width=1),
    scene.line("real_term", "terms", "E log D(x)", style="data"),
    scene.line("fake_term", "terms", "E log(1 − D(G(z)))", style="G"),
    scene.line("zero", "ledger", color="#8a8a8a", width=1), scene.area("regret", "ledger", "regret", color="#E69F00"),
    scene.line("value", "ledger", "V + log 4", style="D"), scene.line("two_js", "ledger", "2 JS", style="JS"),
    scene.line("goal", "gauges", "0.05", color="#8a8a8a", width=1),
    scene.line("off_half", "gauges", "E|D − ½|", style="D"), scene.line("off_star", "gauges", "E|D − D*|", style="D_star"),
    scene.arrows("flow", "flow", color="#c8c8c8", width=2), scene.arrows("lit", "flow", color="#D55E00", width=3.5),
    scene.text("boxes", "flow"), scene.text("phase", "flow", color="#D55E00"),
]
# The flow of data (left to right) and of gradients (right to left), as arrows between words.
_BOXES = [(0.06, 0.45, "z"), (0.25, 0.45, "G"), (0.45, 0.45, "G(z)"), (0.45, 0.85, "x"), (0.7, 0.65, "D"), (0.92, 0.65, "V")]
_FLOW = [(0.1, 0.5, 0.21, 0.5), (0.29, 0.5, 0.4, 0.5), (0.5, 0.85, 0.67, 0.72), (0.5, 0.5, 0.67, 0.63), (0.74, 0.7, 0.88, 0.7),
         (0.88, 0.58, 0.74, 0.58), (0.66, 0.54, 0.5, 0.4), (0.4, 0.38, 0.29, 0.38)]
_PHASES = [("draw real examples x", (2,)), ("draw noise z, make fakes G(z)", (0, 1)), ("D judges both", (2, 3, 4)),
           ("D climbs V: the gradient stops at D", (5,)), ("new noise, new fakes, judged by the new D", (0, 1, 3, 4)),
           ("G steps: the gradient passes through D, D stands still", (5, 6, 7))]
