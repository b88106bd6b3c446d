"""`Landscape`: which learning rates work? Every pixel is a GAN; point at one and its run opens in a `GANLab`."""

import numpy as np

from ganlib import densities, sweep
from ganlib.labs.runner import Lab
from ganlib.labs.scene import axes, button, choice, heat, line, points, slider


def survey(
    new_gan,
    target,
    *,
    size=6,
    low=1e-4,
    high=1e-1,
    steps=300,
    batch=64,
    seed=0,
    progress=True,
    device="cpu",
):
    """(rates, ledgers) of size × size GANs at once: rates (size,) from low to high, the ledger of row lr_D, column lr_G.

    A member that has diverged has no ledger: None.
    """
    rates = np.geomspace(low, high, size)
    left, right = target.range
    x = densities.line(left - 0.1 * (right - left), right + 0.1 * (right - left))  # as in GANLab
    ledgers = sweep.sweep(
        new_gan,
        target,
        lr_G=np.tile(rates, size),
        lr_D=np.repeat(rates, size),
        seed=seed,
        steps=steps,
        batch=batch,
        progress=progress,
        device=device,
    ).ledgers(target.log_prob(x[:, None]).exp(), x)
    return rates, [ledgers[row * size : (row + 1) * size] for row in range(size)]


class Landscape(Lab):
    """JS (or E|D − D*|) at the end of many runs over both rates, light is good; `lab` shows the run that you point at."""

    def __init__(self, rates, ledgers, lab=None, *, name=None):
        self.rates, self.ledgers, self.lab, ends = (
            np.asarray(rates),
            ledgers,
            lab,
            np.log10([rates[0], rates[-1]]),
        )
        half = (ends[1] - ends[0]) / (len(rates) - 1) / 2
        span, low_high_middle = (
            (ends[0] - half, ends[1] + half),
            self.rates[[0, -1, len(rates) // 2]].tolist(),
        )
        super().__init__(
            title="The landscape of learning rates",
            height=480,
            name=name,
            axes=[
                axes(
                    "map",
                    box=(0.03, 0, 0.97, 1),
                    x=span,
                    y=span,
                    xlabel="log₁₀ lr_G",
                    ylabel="log₁₀ lr_D",
                    legend="top",
                )
            ],
            marks=[
                heat("heat", "map", smooth=False),
                line("equal", "map", "equal rates", color="#767676", dash="--"),
                points("here", "map", "the sliders' pair", color="#D55E00", size=8),
            ],
            controls=[
                choice("gauge", "colour", ["JS", "E|D − D*|"], "JS"),
                slider("lr_G", "lr_G", *low_high_middle, log=True),
                slider("lr_D", "lr_D", *low_high_middle, log=True),
                button("open", "open this run"),
            ],
        )

    def _at(self):
        """Row and column of the pixel that the sliders name."""
        return [
            int(abs(np.log(self.rates / self.values[key])).argmin()) for key in ("lr_D", "lr_G")
        ]

    def draw(self):
        gauge, most = {"JS": ("js", np.log(2)), "E|D − D*|": ("off_star", 0.5)}[
            self.values["gauge"]
        ]
        shades = [
            [1.0 if entry is None else (getattr(entry, gauge) / most) ** 0.5 for entry in row]
            for row in self.ledgers
        ]
        span, pair = self.scene["axes"][0]["x"], np.log10(self.rates[self._at()[::-1]])
        return {"heat": np.array(shades), "equal": np.c_[span, span], "here": [pair.tolist()]}

    def text(self):
        row, column = self._at()
        return f"lr_G {self.rates[column]:.2g}, lr_D {self.rates[row]:.2g}: {self.ledgers[row][column] or 'diverged'}"

    def claim(self):
        return f"{len(self.rates)} × {len(self.rates)} GANs, one for each pair of rates"

    def pointed(self, axes, x, y):
        """Choose the pixel under the pointer and open its run."""
        low, high = self.rates[0], self.rates[-1]
        self.tell(lr_G=float(np.clip(10**x, low, high)), lr_D=float(np.clip(10**y, low, high)))
        self.pressed("open")

    def pressed(self, key):
        """Start the run of the chosen pixel again in the lab that was given."""
        if self.lab is None:
            raise ValueError(
                "no lab to open the run in: hand one over, Landscape(rates, ledgers, lab)"
            )
        row, column = self._at()
        self.lab.pause()
        self.lab.tell(
            lr_G=float(self.rates[column]), lr_D=float(self.rates[row]), preset="your own"
        )
        self.lab.reset()
        self.lab.show()
        self.note = f"The lab is at the start of this run: lr_G {self.rates[column]:.2g}, lr_D {self.rates[row]:.2g}. Press play there."
