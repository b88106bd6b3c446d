"""`Twins`: two GANs that differ in one knob; `Clinic`: recorded runs to be diagnosed."""

import numpy as np
import torch

from ganlib import networks, targets
from ganlib.medicine import MEDICINE, treat
from ganlib.metrics import View
from ganlib.stage.lab import Lab
from ganlib.stage.scene import Axes, Choice, Line, Number, Points, Toggle

PATIENTS = {
    "healthy": {"lr_G": 1e-3, "lr_D": 1e-3, "betas": (0.5, 0.999)},
    "D too slow": {"lr_G": 1e-3, "lr_D": 1e-4, "betas": (0.5, 0.999)},
    "D too fast": {"lr_G": 1e-3, "lr_D": 1e-2, "betas": (0.5, 0.999)},
}
BATCH = 64
MOST_STEPS = 5  # of D before one of G, in any medicine
PAST = ("modes a", "modes b", "js a", "js b")  # what is recorded of both twins, after the step

# What a recorded run holds after the step: its name, the axes it is drawn in, its look.
GAUGES = [
    ("JS", "JS", "JS"),
    ("E|D − ½|", "D", "D"),
    ("E|D − D*|", "D", "D_star"),
    ("regret", "JS", "regret"),
    ("log₁₀ of the pull on G", "pull", "G"),
    ("loss of D", "loss", "D"),
    ("loss of G", "loss", "G"),
]


class Twins(Lab):
    """Two GANs on the ring of eight with the same first weights, batches and noise.

    The right one takes a medicine; `medicine` says which three of them change more than one knob.
    """

    def __init__(self, patient="D too fast", medicine="R1, weight 1", *, seed=0, name=None):
        super().__init__(
            title="Twin runs",
            height=620,
            name=name,
            axes=[
                _history("modes", left=0, y=(0, 9), ylabel="modes covered"),
                _history("js", left=0.5, y=(-0.35, 0.7), ylabel="JS in nats"),
                Axes("a", box=(0, 0, 0.5, 0.66), title="without", x=(-3, 3), y=(-3, 3)),
                Axes("b", box=(0.5, 0, 0.5, 0.66), title="with", x=(-3, 3), y=(-3, 3)),
            ],
            marks=[
                Line("difference", "js", "with − without", style="extra"),
                *_twin("a", "without", style="data"),
                *_twin("b", "with", style="G"),
            ],
            controls=[
                Choice("patient", "patient", list(PATIENTS), patient),
                Number("seed", "seed", 0, 10**6, seed),
                Choice("medicine", "medicine", list(MEDICINE), medicine),
            ],
        )
        self.law = targets.ring()
        self.view = View(self.law, targets.gaussian(dim=2))
        self.real = self.law.sample(256, torch.Generator().manual_seed(0))
        self.reset()

    def reset(self):
        self.twins = [self._treated("none"), self._treated(self.values["medicine"])]
        self.data = torch.Generator().manual_seed(self.values["seed"] + 1)
        self.past = np.zeros((0, 1 + len(PAST)))
        self.steps = 0
        self._record()

    def _treated(self, medicine):
        """One twin: its GAN, and the generator to look at."""
        seed = self.values["seed"]

        def discriminator(inputs, wrap):
            return wrap(networks.mlp(2 * inputs, 48, 48, 1, seed=2 * seed + 1))

        return treat(
            networks.mlp(2, 48, 48, 2, seed=2 * seed),
            discriminator,
            targets.gaussian(dim=2),
            MEDICINE[medicine],
            seed=seed,
            **PATIENTS[self.values["patient"]],
        )

    def changed(self, key, value):
        self.reset()

    def advance(self):
        real = self.law.sample(BATCH * MOST_STEPS, self.data)
        for gan, _ in self.twins:  # each takes as many batches as it has steps of D
            gan.step(real[: BATCH * gan.d_steps])
        if gan.steps % 25 == 0:
            self._record()

    def _record(self):
        self.past = np.vstack([self.past, self._now()])

    def _now(self):
        """Both twins at this moment, as a line of the record."""
        (gan, _), _ = self.twins
        if len(self.past) and self.past[-1, 0] == gan.steps:
            return self.past[-1]
        a, b = (self.view.look(shown) for _, shown in self.twins)
        return [gan.steps, a.modes, b.modes, a.js, b.js]

    def draw(self):
        steps = self.past[:, 0]
        js_a = self.past[:, 3]
        js_b = self.past[:, 4]
        frame = {
            "real a": self.real,
            "real b": self.real,
            "difference": np.c_[steps, js_b - js_a],
        }
        for key, (_, shown) in zip("ab", self.twins):
            frame[f"fake {key}"] = shown(self.view.z[:512]).detach()
        for column, key in enumerate(PAST, 1):
            frame[key] = self.past[:, [0, column]]
        return frame

    def text(self):
        step, modes_a, modes_b, js_a, js_b = self._now()
        return (
            f"{self.values['patient']}, step {step:.0f}: "
            f"{modes_a:.0f} modes, JS {js_a:.3f} without, "
            f"{modes_b:.0f} modes, JS {js_b:.3f} with {self.values['medicine']}; "
            f"difference {modes_b - modes_a:+.0f} modes, JS {js_b - js_a:+.3f}."
        )

    def claim(self):
        return (
            f"{self.values['patient']}, without and with {self.values['medicine']}, "
            f"{self.twins[0][0].steps} steps."
        )


class Clinic(Lab):
    """Read a dashboard without a name, choose a diagnosis, and be told.

    runs: as in images/failures.json.
    """

    def __init__(self, runs: dict, name=None):
        self.runs = [(what, run["tell"], np.array(run["gauges"])) for what, run in runs.items()]
        super().__init__(
            title="Clinic",
            height=460,
            name=name,
            axes=[
                _quarter("JS", left=0, top=0),
                _quarter("D", left=0.5, top=0),
                _quarter("pull", left=0, top=0.5),
                _quarter("loss", left=0.5, top=0.5),
            ],
            marks=[Line(label, where, label, style=style) for label, where, style in GAUGES],
            controls=[
                Number("run", "run", 1, len(runs), 1),
                Toggle("tell", "tell me"),
                Choice("guess", "your diagnosis", ["?", *sorted(runs)], "?"),
            ],
        )

    def changed(self, key, value):
        if key == "run":
            self.tell(guess="?", tell=False)

    def draw(self):
        _, _, rows = self.runs[self.values["run"] - 1]
        return {label: rows[:, [0, column]] for column, (label, _, _) in enumerate(GAUGES, 1)}

    def text(self):
        what, tell, rows = self.runs[self.values["run"] - 1]
        end = rows[-1]
        said = (
            f"Run {self.values['run']} ends: "
            f"JS {end[1]:.3f}, regret {end[4]:.3f}, pull 10^{end[5]:.1f}."
        )
        if not self.values["tell"]:
            return said

        guess = self.values["guess"]
        verdict = "Right, it is" if guess == what else "No, it is"
        if guess == "?":
            verdict = "It is"
        return f"{said} {verdict}: {what}. {tell}"


def _history(key, *, left, y, ylabel):
    """Axes below the two pictures for what is recorded of both."""
    box = (left, 0.66, 0.5, 0.34)
    return Axes(key, box=box, auto="x", y=y, xlabel="step", ylabel=ylabel)


def _twin(key, label, *, style):
    """The marks of one twin: data and samples, and its two curves."""
    return [
        Points(f"real {key}", key, size=3, alpha=0.4),
        Points(f"fake {key}", key, color="#009E73"),
        Line(f"modes {key}", "modes", label, style=style),
        Line(f"js {key}", "js", style=style),
    ]


def _quarter(key, *, left, top):
    """Axes that fill a quarter of the picture."""
    return Axes(key, box=(left, top, 0.5, 0.5), auto="xy", xlabel="step")
