"""`LineGauge` and `PlaneGauge`: how far a GAN is, and what the best D against it would be.

What differs between one dimension and two is here: on the line all is exact, from densities on a
grid; in the plane it is counted on samples. A `Session` has one of them.
"""

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganlib import densities, targets
from ganlib.gan import Ledger
from ganlib.metrics import Now, View

BLUR = 0.3  # sd of the noise through which D* in the plane sees both laws


@dataclass(frozen=True)
class Sight:
    """What a gauge sees of a GAN at one moment: a `Ledger` on the line, a `Now` in the plane."""

    ledger: Any


@dataclass(frozen=True)
class LineSight(Sight):
    """p_g and the logits of D on the grid, (points,) each; the ends of all z cells, and G there."""

    p_g: Tensor
    logits: Tensor
    z: Tensor
    ends: Tensor


class LineGauge:
    """Measures a GAN in one dimension by exact densities on a grid.

    law: has `sample` and `log_prob`. The grid x is (400,), a tenth wider than the law on each side;
    p_data is (400,), its spacing `dx`.
    """

    kind = Ledger

    def __init__(self, law, prior):
        self._check(law)
        low, high = getattr(law, "range", (-5.0, 5.0))
        margin = 0.1 * (high - low)
        self.x = densities.line(low - margin, high + margin, 400)
        self.dx = float(self.x[1] - self.x[0])
        density = law.log_prob(self.x[:, None]).exp()
        self.p_data = density / (density.sum() * self.dx)

    @staticmethod
    def _check(law) -> None:
        try:
            x = law.sample(3, torch.Generator())
            log_p = law.log_prob(torch.zeros(3, 1))
            shapes = [tuple(x.shape), tuple(log_p.shape)]
        except Exception as error:
            raise ValueError(
                f"target must have sample(n, generator) and log_prob(x), but {law!r} says: {error}"
            ) from None
        if shapes != [(3, 1), (3,)]:
            raise ValueError(
                "3 samples of a target must be (3, 1) and their log_prob (3,), "
                f"got {shapes[0]} and {shapes[1]}"
            )

    @torch.no_grad()
    def fits(self, gan) -> None:
        """Refuse a GAN that cannot be measured here, with a ValueError that says why."""
        if not callable(getattr(gan.prior, "quantile", None)):
            raise ValueError(
                f"prior must have a quantile, as targets.uniform() has; {gan.prior!r} has none"
            )
        try:
            few = densities.line(-1.0, 1.0)
            densities.push_masses(gan.G, gan.prior, few)
            gan.logits(few)
        except RuntimeError as error:  # a layer that does not fit
            raise ValueError(f"G and D must map (n, 1) to (n, 1): {error}") from None

    @torch.no_grad()
    def look(self, gan, oracle: bool = False) -> LineSight:
        """What is exact about this moment; with `oracle`, D* is the D that is looked at."""
        try:
            pushed = densities.push_masses(gan.G, gan.prior, self.x)
            D = densities.best_D(self.x, self.p_data, pushed.masses) if oracle else gan.D
            with judged_by(gan, D):
                logits = gan.logits(self.x)
                ledger = gan.ledger(
                    self.p_data, self.x, masses=pushed, logits=logits, oracle=oracle
                )
        except FloatingPointError as error:
            raise FloatingPointError(f"diverged at step {gan.steps}: {error}") from None
        p_g = pushed.masses[1:-1] / self.dx
        return LineSight(ledger, p_g, logits, pushed.z, pushed.ends)

    def best_D(self, gan):
        """D* against the G of this moment, a function from x to logits."""
        pushed = densities.push_masses(gan.G, gan.prior, self.x)
        return densities.best_D(self.x, self.p_data, pushed.masses)


class PlaneGauge:
    """Measures a GAN in two dimensions by 4,096 samples, as `metrics.View` does. law: a mixture."""

    kind = Now

    def __init__(self, law, prior):
        if getattr(law, "dim", None) != 2:
            raise ValueError(f"target must be a mixture in two dimensions, got {law!r}")
        self.law = law
        self.view = View(law, prior)

    def fits(self, gan) -> None:
        """Refuse a GAN that cannot be measured here, with a ValueError that says why."""
        fake = gan.G(gan.prior.sample(3, torch.Generator()))
        logits = gan.D(torch.zeros(3, 2))
        shapes = [tuple(fake.shape), tuple(logits.shape)]
        if shapes != [(3, 2), (3, 1)]:
            raise ValueError(
                f"for 3 points G must give (3, 2) and D (3, 1), got {shapes[0]} and {shapes[1]}"
            )

    def look(self, gan, oracle: bool = False) -> Sight:
        """Modes, good samples and JS at this moment; they say nothing of D."""
        return Sight(self.view.look(gan.G))

    def best_D(self, gan):
        """D* against the G of this moment, between both laws seen through noise of sd `BLUR`.

        So blurred, 128 fakes have a density.
        """
        law = self.law
        fakes = gan.G(self.view.z[:128]).detach()
        p_data = targets.Mixture(law.means, (law.stds**2 + BLUR**2).sqrt(), law.weights)
        log_mass = math.log(len(fakes) * 2 * math.pi * BLUR**2)

        def D(x):
            squares = torch.cdist(x, fakes) ** 2
            log_p_g = (-squares / (2 * BLUR**2)).logsumexp(1) - log_mass  # so many small normals
            return (p_data.log_prob(x) - log_p_g)[:, None]

        return D


@contextmanager
def judged_by(gan, D):
    """For a while `gan` has another D."""
    own = gan.D
    gan.D = D
    try:
        yield
    finally:
        gan.D = own
