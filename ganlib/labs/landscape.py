"""`Landscape`: which learning rates work? Every pixel is a GAN.

Point at one and its run opens in a `GANLab`.
"""

import numpy as np

from ganlib.stage.lab import Lab
from ganlib.stage.scene import Axes, Button, Choice, Heat, Line, Points, Slider

# What gives the colour: the entry of the ledger, the worst that it can be, and that in words.
GAUGES = {
    "JS": ("js", np.log(2), "log 2 = 0.69 nats"),
    "E|D − D*|": ("off_star", 0.5, "0.5"),
}


class Landscape(Lab):
    """JS (or E|D − D*|) at the end of many runs over both rates, the median over seeds.

    Light is good. rates, ledgers: from `sweep.survey`. lab: a `GANLab`, which shows the run that
    you point at.
    """

    def __init__(self, rates, ledgers, lab=None, *, name=None):
        self.rates = np.asarray(rates)
        self.ledgers = ledgers
        self.lab = lab

        low, high = np.log10([rates[0], rates[-1]])
        half = (high - low) / (len(rates) - 1) / 2  # of a pixel
        self.span = (low - half, high + half)
        middle = float(self.rates[len(rates) // 2])
        ends = float(self.rates[0]), float(self.rates[-1])
        super().__init__(
            title="The landscape of learning rates",
            height=480,
            name=name,
            axes=[
                Axes(
                    "map",
                    box=(0.03, 0, 0.97, 1),
                    x=self.span,
                    y=self.span,
                    xlabel="log₁₀ lr_G",
                    ylabel="log₁₀ lr_D",
                    title=_scale("JS"),
                )
            ],
            marks=[
                Heat("heat", "map", smooth=False),
                Line("equal", "map", "equal rates", color="#767676", dash="--"),
                Points("here", "map", "the sliders' pair", color="#D55E00", size=8),
            ],
            controls=[
                Choice("gauge", "colour", list(GAUGES), "JS"),
                Slider("lr_G", "lr_G", *ends, middle, log=True),
                Slider("lr_D", "lr_D", *ends, middle, log=True),
                Button("open", "open this run"),
            ],
        )

    def pressed(self, key):
        """Start the run of the chosen pixel again in the lab that was given."""
        if self.lab is None:
            raise ValueError(
                "no lab to open the run in: hand one over, Landscape(rates, ledgers, lab)"
            )
        lr_G, lr_D = self._rates()
        self.lab.pause()
        self.lab.tell(lr_G=lr_G, lr_D=lr_D, preset="your own")
        self.lab.reset()
        self.lab.show()
        self.note = (
            f"The lab is at the start of this run: lr_G {lr_G:.2g}, lr_D {lr_D:.2g}. "
            "Press play there."
        )

    def pointed(self, axes, x, y):
        """Choose the pixel under the pointer and open its run."""
        low = self.rates[0]
        high = self.rates[-1]
        lr_G = np.clip(10**x, low, high)
        lr_D = np.clip(10**y, low, high)
        self.tell(lr_G=float(lr_G), lr_D=float(lr_D))
        self.pressed("open")

    def _pixel(self, key):
        """The row or column whose rate is nearest to that of the slider."""
        distance = abs(np.log(self.rates / self.values[key]))
        return int(distance.argmin())

    def _rates(self):
        """lr_G and lr_D of the pixel that the sliders name."""
        column = self._pixel("lr_G")
        row = self._pixel("lr_D")
        return float(self.rates[column]), float(self.rates[row])

    def changed(self, key, value):
        if key == "gauge":
            self.relabel("map", title=_scale(value))

    def _at_the_end(self, entries):
        """The chosen gauge of a pixel's runs, (seeds,); the worst for one that has diverged."""
        gauge, worst, _ = GAUGES[self.values["gauge"]]
        return [worst if entry is None else getattr(entry, gauge) for entry in entries]

    def draw(self):
        _, worst, _ = GAUGES[self.values["gauge"]]
        medians = []
        for row in self.ledgers:
            medians.append([np.median(self._at_the_end(entries)) for entries in row])
        return {
            "heat": np.array(medians) / worst,
            "equal": np.c_[self.span, self.span],
            "here": [np.log10(self._rates()).tolist()],
        }

    def text(self):
        lr_G, lr_D = self._rates()
        entries = self.ledgers[self._pixel("lr_D")][self._pixel("lr_G")]
        pair = f"lr_G {lr_G:.2g}, lr_D {lr_D:.2g}"
        if len(entries) == 1:
            return f"{pair}: {entries[0] or 'diverged'}"

        ends = self._at_the_end(entries)
        said = f"{self.values['gauge']} {np.median(ends):.3f}, the median of {len(ends)} seeds"
        said = f"{pair}: {said} ({min(ends):.3f} to {max(ends):.3f})"
        diverged = entries.count(None)
        if diverged:
            said = f"{said}, {diverged} diverged"
        return said

    def claim(self):
        size = len(self.rates)
        return f"{size} × {size} pairs of rates, {len(self.ledgers[0][0])} GANs for each pair"


def _scale(gauge):
    """What the shades of the map mean."""
    _, _, worst = GAUGES[gauge]
    return f"{gauge} at the end: light is 0, dark is {worst}"
