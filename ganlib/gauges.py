"""`LineGauge` and `PlaneGauge`: how far a GAN is, and what the best D against it would be.

What differs between one dimension and two is here: on the line all is exact, from densities on a
grid; in the plane it is counted on samples. A `Session` has one of them.
"""

import copy
import math
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganlib import densities, targets
from ganlib.checks import of_kind
from ganlib.gan import GAN, Ledger
from ganlib.metrics import Now, View

BLUR = 0.3  # sd of the noise through which D* in the plane sees both laws
LOUD = 1000.0  # sd of the weights with which D is asked what it can answer at all
DRAWS = 12  # of such weights
FEW = 20  # cells of a grid: what lies in so few is drawn as a spike
CUT_OFF = 5.0  # a D that even then stays below has a bounded last layer


@dataclass(frozen=True)
class Sight:
    """What a gauge sees of a GAN at one moment: a `Ledger` on the line, a `Now` in the plane."""

    ledger: Any


@dataclass(frozen=True)
class LineSight(Sight):
    """p_g and the logits of D on the grid, (points,) each; the ends of all z cells, and G there.

    beside: how much of p_g lies left and right of the grid.
    """

    p_g: Tensor
    logits: Tensor
    z: Tensor
    ends: Tensor
    beside: tuple[float, float]


class LineGauge:
    """Measures a GAN in one dimension by exact densities on a grid.

    law: has `sample` and `log_prob`, and `cdf` if it can. The grid x is (400,), a tenth wider than
    the law on each side, its spacing `dx`; p_data is (400,), its mean density in each grid cell.
    """

    kind = Ledger

    def __init__(self, law, prior):
        self._check(law)
        low, high = getattr(law, "range", (-5.0, 5.0))
        margin = 0.1 * (high - low)
        self.x = densities.line(low - margin, high + margin, 400)
        self.dx = float(self.x[1] - self.x[0])
        self.below = densities.below(law, self.x)
        self.p_data = self.below[:: densities.FINE].diff() / self.dx

    @staticmethod
    def _check(law) -> None:
        try:
            x = law.sample(3, torch.Generator())
            log_p = law.log_prob(torch.zeros_like(x))
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
        try:
            few = densities.line(-1.0, 1.0)
            with at_rest(gan):
                densities.push_masses(gan.G, gan.prior, few)
                gan.logits(few)
        except RuntimeError as error:  # a layer that does not fit
            raise ValueError(f"G and D must map (n, 1) to (n, 1): {error}") from None
        refuse_bounded(gan.D, torch.linspace(-3, 3, 64)[:, None])

    def crowd(self) -> tuple[float, float, int] | None:
        """If nearly all of the law lies in a few cells of the grid: from where to where, how many.

        One value far from all others does that to a column.
        """
        middle = (self.below > 0.05) & (self.below < 0.95)
        cells = math.ceil(int(middle.sum()) / densities.FINE)
        if cells > FEW:
            return None
        first = int((self.below <= 0.05).sum()) - 1
        last = first + int(middle.sum()) + 1
        left = float(self.x[0]) - self.dx / 2
        part = self.dx / densities.FINE
        return left + part * first, left + part * last, max(cells, 1)

    @torch.no_grad()
    def look(self, gan, oracle: bool = False) -> LineSight:
        """What is exact about this moment; with `oracle`, D* is the D that is looked at."""
        try:
            with at_rest(gan):
                pushed = densities.push_masses(gan.G, gan.prior, self.x)
                D = gan.D
                if oracle:
                    D = densities.best_D(self.x, self.p_data, pushed.masses)
                with judged_by(gan, D):
                    logits = gan.logits(self.x)
                    ledger = gan.ledger(
                        self.p_data,
                        self.x,
                        masses=pushed,
                        logits=logits,
                        oracle=oracle,
                        below=self.below,
                    )
        except FloatingPointError as error:
            raise FloatingPointError(f"diverged at step {gan.steps}: {error}") from None
        p_g = pushed.masses[1:-1] / self.dx
        beside = (float(pushed.masses[0]), float(pushed.masses[-1]))
        return LineSight(ledger, p_g, logits, pushed.z, pushed.ends, beside)

    def best_D(self, gan):
        """D* against the G of this moment, a function from x to logits."""
        with at_rest(gan):
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
        with at_rest(gan):
            fake = gan.G(gan.prior.sample(3, torch.Generator()))
            logits = gan.D(torch.zeros(3, 2))
        shapes = [tuple(fake.shape), tuple(logits.shape)]
        if shapes != [(3, 2), (3, 1)]:
            raise ValueError(
                f"for 3 points G must give (3, 2) and D (3, 1), got {shapes[0]} and {shapes[1]}"
            )
        side = torch.linspace(-3, 3, 8)
        refuse_bounded(gan.D, torch.cartesian_prod(side, side))

    def look(self, gan, oracle: bool = False) -> Sight:
        """Modes, good samples and JS at this moment; they say nothing of D."""
        with at_rest(gan):
            return Sight(self.view.look(gan.G))

    def best_D(self, gan):
        """D* against the G of this moment, between both laws seen through noise of sd `BLUR`.

        So blurred, 128 fakes have a density.
        """
        law = self.law
        with at_rest(gan):
            fakes = gan.G(self.view.z[:128]).detach()
        stds = (law.stds**2 + BLUR**2).sqrt()
        p_data = targets.Mixture(law.means, stds, law.weights)
        log_mass = math.log(len(fakes) * 2 * math.pi * BLUR**2)

        def D(x):
            squares = torch.cdist(x, fakes) ** 2
            log_p_g = (-squares / (2 * BLUR**2)).logsumexp(1) - log_mass  # so many small normals
            return (p_data.log_prob(x) - log_p_g)[:, None]

        return D


@torch.no_grad()
def refuse_bounded(D, x: Tensor) -> None:
    """ValueError if the last layer of D bounds what it answers at x, whatever its weights are.

    A copy with large random weights is asked: logits become large, of both signs; what comes out of
    a sigmoid, a tanh or a softplus does not.
    """
    said = []
    with suppress(RuntimeError, TypeError, AttributeError), torch.random.fork_rng(devices=[]):
        loud = copy.deepcopy(D).eval()  # what cannot be copied so is left alone
        weights = list(loud.parameters())
        if not weights:
            return
        torch.manual_seed(0)
        for _ in range(DRAWS):
            for part in weights:
                part.normal_(0, LOUD)
            said.append(loud(x.to(weights[0])).flatten())
    if not said:
        return
    answers = torch.cat(said).nan_to_num(posinf=math.inf, neginf=-math.inf)
    low, high = answers.aminmax()
    if max(-low, high) > CUT_OFF and low < 0 < high:
        return
    raise ValueError(
        "D returns logits, numbers of any size and sign: the losses and the pictures apply the "
        f"sigmoid. This D cannot go {'below 0' if low >= 0 else 'beyond a bound'}, whatever its "
        "weights are: leave out its last Sigmoid, Tanh, ReLU or the like"
    )


@contextmanager
def at_rest(gan):
    """For a while G and D are in eval mode: no layer draws by itself, none learns from a look."""
    of_kind("gan", gan, GAN)
    nets = [net for net in (gan.G, gan.D) if isinstance(net, nn.Module)]
    training = [part for net in nets for part in net.modules() if part.training]
    for net in nets:
        net.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def unlike_in_training(gan, example: Tensor) -> list[str]:
    """Which of G and D answer otherwise in train mode, as with dropout or batch norm.

    example: data of the law, (n, ...).
    """
    found = []
    z = gan.prior.sample(len(example), torch.Generator().manual_seed(0))
    for name, x in (("G", z), ("D", example)):
        with suppress(RuntimeError, TypeError, AttributeError), torch.random.fork_rng(devices=[]):
            net = copy.deepcopy(getattr(gan, name))
            with torch.no_grad():
                resting = net.eval()(x)
                training = net.train()(x)
            if not torch.allclose(resting, training, rtol=0.01, atol=0.01):
                found.append(name)
    return found


@contextmanager
def judged_by(gan, D):
    """For a while `gan` has another D."""
    own = gan.D
    gan.D = D
    try:
        yield
    finally:
        gan.D = own
