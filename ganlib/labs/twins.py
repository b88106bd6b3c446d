"""`Twins`: two GANs that differ in one knob; `Clinic`: recorded runs to be diagnosed."""

import numpy as np
import torch

from ganlib import networks, targets
from ganlib.labs.plane import View
from ganlib.labs.runner import Lab
from ganlib.labs.scene import axes, choice, line, number, points, toggle
from ganlib.medicine import MEDICINE, treat

PATIENTS = {
    name: {"lr_G": 1e-3, "lr_D": lr_D, "betas": (0.5, 0.999)}
    for name, lr_D in (("healthy", 1e-3), ("D too slow", 1e-4), ("D too fast", 1e-2))
}
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
    """Two GANs on the ring of eight with the same first weights, batches and noise; the right one takes a medicine."""

    def __init__(self, patient="D too fast", medicine="R1, weight 1", *, seed=0, name=None):
        places = [
            axes(
                k,
                box=(x, 0.66, 0.5, 0.34),
                auto="x",
                y=y,
                xlabel="step",
                ylabel=label,
                legend="top",
            )
            for k, x, label, y in (
                ("modes", 0, "modes covered", (0, 9)),
                ("js", 0.5, "JS in nats", (-0.35, 0.7)),
            )
        ]
        marks = [line("difference", "js", "with − without", style="extra")]
        for k, left, title, style in (("a", 0, "without", "data"), ("b", 0.5, "with", "G")):
            places.append(axes(k, box=(left, 0, 0.5, 0.66), title=title, x=(-3, 3), y=(-3, 3)))
            marks += [
                points(f"real {k}", k, size=3, alpha=0.4),
                points(f"fake {k}", k, color="#009E73"),
                line(f"modes {k}", "modes", title, style=style),
                line(f"js {k}", "js", style=style),
            ]
        super().__init__(
            title="Twin runs",
            height=620,
            axes=places,
            marks=marks,
            name=name,
            controls=[
                choice("patient", "patient", PATIENTS, patient),
                number("seed", "seed", 0, 10**6, seed),
                choice("medicine", "medicine", MEDICINE, medicine),
            ],
        )
        self.law, prior = targets.ring(), targets.gaussian(dim=2)
        self.view, self.real = (
            View(self.law, prior),
            self.law.sample(256, torch.Generator().manual_seed(0)),
        )
        self.reset()

    def reset(self):
        patient, medicine, s = (self.values[key] for key in ("patient", "medicine", "seed"))
        D = lambda n, wrap: wrap(networks.mlp(2 * n, 48, 48, 1, seed=2 * s + 1))
        self.twins = [
            treat(
                networks.mlp(2, 48, 48, 2, seed=2 * s),
                D,
                targets.gaussian(dim=2),
                MEDICINE[name],
                seed=s,
                **PATIENTS[patient],
            )
            for name in ("none", medicine)
        ]
        self.data, self.steps, self.past = torch.Generator().manual_seed(s + 1), 0, np.zeros((0, 5))
        self._record()

    changed = lambda self, key, value: self.reset()

    def advance(self):
        real = self.law.sample(64 * 5, self.data)
        for gan, _ in self.twins:  # each takes as many batches as it has steps of D
            gan.step(real[: 64 * gan.d_steps])
        if gan.steps % 25 == 0:
            self._record()

    def _record(self):
        (a, b), (gan, _) = (self.view.look(shown) for _, shown in self.twins), self.twins[0]
        self.past = np.vstack([self.past, [gan.steps, a.modes, b.modes, a.js, b.js]])

    def draw(self):
        return {
            "real a": self.real,
            "real b": self.real,
            "difference": np.c_[self.past[:, 0], self.past[:, 4] - self.past[:, 3]],
            **{
                f"fake {k}": shown(self.view.z[:512]).detach()
                for k, (_, shown) in zip("ab", self.twins)
            },
            **{
                key: self.past[:, [0, i]]
                for i, key in enumerate(("modes a", "modes b", "js a", "js b"), 1)
            },
        }

    def text(self):
        step, a, b, js_a, js_b = self.past[-1]
        return (
            f"{self.values['patient']}, step {step:.0f}: {a:.0f} modes, JS {js_a:.3f} without, {b:.0f} modes, "
            f"JS {js_b:.3f} with {self.values['medicine']}; difference {b - a:+.0f} modes, JS {js_b - js_a:+.3f}."
        )

    def claim(self):
        return (
            "{patient}, without and with {medicine}, ".format(**self.values)
            + f"{self.past[-1, 0]:.0f} steps."
        )


class Clinic(Lab):
    """Read a dashboard without a name, choose a diagnosis, and be told; runs as in images/failures.json."""

    def __init__(self, runs: dict, name=None):
        self.runs = [(what, run["tell"], np.array(run["gauges"])) for what, run in runs.items()]
        places = [
            axes(k, box=(x, y, 0.5, 0.5), auto="xy", xlabel="step", legend="top")
            for k, x, y in (("JS", 0, 0), ("D", 0.5, 0), ("pull", 0, 0.5), ("loss", 0.5, 0.5))
        ]
        super().__init__(
            title="Clinic",
            height=460,
            axes=places,
            name=name,
            marks=[line(label, where, label, style=style) for label, where, style in GAUGES],
            controls=[
                number("run", "run", 1, len(runs), 1),
                toggle("tell", "tell me"),
                choice("guess", "your diagnosis", ["?", *sorted(runs)], "?"),
            ],
        )

    def changed(self, key, value):
        if key == "run":
            self.tell(guess="?", tell=False)

    def draw(self):
        return {
            label: self.runs[self.values["run"] - 1][2][:, [0, k]]
            for k, (label, *_) in enumerate(GAUGES, 1)
        }

    def text(self):
        what, tell, rows = self.runs[self.values["run"] - 1]
        said = f"Run {self.values['run']} ends: JS {rows[-1, 1]:.3f}, regret {rows[-1, 4]:.3f}, pull 10^{rows[-1, 5]:.1f}."
        verdict = {"?": "It is", what: "Right, it is"}.get(self.values["guess"], "No, it is")
        return f"{said} {verdict}: {what}. {tell}" if self.values["tell"] else said
