"""`Landscape`: which learning rates work? Every pixel is a GAN; point at one and its run opens in a `GANLab`."""

import math

import numpy as np
import torch

from ganlib.densities import line
from ganlib.labs import scene
from ganlib.labs.runner import Lab
from ganlib.sweep import sweep

__all__ = ["Landscape", "survey"]


def survey(new_gan, target, *, size=6, low=1e-4, high=1e-1, steps=300, batch=64, seed=0, progress=True, device="cpu"):
    """(rates, ledgers) of size × size GANs at once: rates (size,) from low to high, the ledger of row lr_D, column lr_G.

    A member that has diverged has no ledger: None.
    """
    rates = torch.from_numpy(np.geomspace(low, high, size))
    lr_D, lr_G = torch.cartesian_prod(rates, rates).T
    left, right = target.range
    x = line(left - 0.1 * (right - left), right + 0.1 * (right - left))  # as in GANLab
    found = sweep(new_gan, target, lr_G=lr_G, lr_D=lr_D, seed=seed, steps=steps, batch=batch, progress=progress, device=device)
    ledgers = found.ledgers(target.log_prob(x[:, None]).exp(), x)
    return rates.numpy(), [ledgers[row * size:(row + 1) * size] for row in range(size)]


class Landscape(Lab):
    """JS (or E|D − D*|) at the end of many runs over both rates, light is good; `lab` shows the run that you point at."""

    def __init__(self, rates, ledgers, lab=None, *, name=None):
        self.rates, self.ledgers, self.lab, ends = np.asarray(rates), ledgers, lab, np.log10([rates[0], rates[-1]])
        half = (ends[1] - ends[0]) / (len(rates) - 1) / 2
        span, low, high = (ends[0] - half, ends[1] + half), float(rates[0]), float(rates[-1])
        super().__init__(
            title="The landscape of learning rates", height=480, name=name,
            axes=[scene.axes("map", box=(0.03, 0, 0.97, 1), x=span, y=span, xlabel="log₁₀ lr_G", ylabel="log₁₀ lr_D", legend="top")],
            marks=[scene.heat("heat", "map", palette="heat", smooth=False),
                   scene.line("equal", "map", "equal rates", color="#767676", dash="--"),
                   scene.points("here", "map", "the sliders' pair", color="#D55E00", size=8)],
            controls=[scene.choice("gauge", "colour", ["JS", "E|D − D*|"], "JS"),
                      scene.slider("lr_G", "lr_G", low, high, float(rates[len(rates) // 2]), log=True),
                      scene.slider("lr_D", "lr_D", low, high, float(rates[len(rates) // 2]), log=True),
                      scene.button("open", "open this run")])

    def _at(self):
        """Row and column of the pixel that the sliders name."""
        return [int(abs(np.log(self.rates / self.values[key])).argmin()) for key in ("lr_D", "lr_G")]

    def draw(self):
        gauge, most = {"JS": ("js", math.log(2)), "E|D − D*|": ("off_star", 0.5)}[self.values["gauge"]]
        heat = [[1.0 if entry is None else (getattr(entry, gauge) / most) ** 0.5 for entry in row] for row in self.ledgers]
        row, column = self._at()
        span, pair = self.scene["axes"][0]["x"], np.log10([self.rates[column], self.rates[row]])
        return {"heat": np.array(heat), "equal": np.array((span, span)).T, "here": [pair.tolist()]}

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
            raise ValueError("no lab to open the run in: hand one over, Landscape(rates, ledgers, lab)")
        row, column = self._at()
        self.lab.pause()
        self.lab.tell(lr_G=float(self.rates[column]), lr_D=float(self.rates[row]), preset="your own")
        self.lab.reset()
        self.lab.show()
        self.note = f"The lab is at the start of this run: lr_G {self.rates[column]:.2g}, lr_D {self.rates[row]:.2g}. Press play there."
