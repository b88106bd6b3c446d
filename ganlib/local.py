"""Near rest, a GAN is a few coupled Dirac-GANs: which spirals it winds, and how fast.

Where p_g = p_data and D is ½ everywhere, no player moves. Just beside that point all forces are
linear, so that eigenvalues say what a run will do before it is made: real parts how fast it comes
home, imaginary parts how often it turns.

The simplest case is the Dirac-GAN: data at 0, one fake at θ, logit D(x) = w x. Source: Mescheder,
Geiger, Nowozin 2018, arXiv:1801.04406.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from ganlib.checks import count, finite, method, of_kind, one_of, positive, row, tensor
from ganlib.densities import line
from ganlib.gan import GAN
from ganlib.losses import LOSSES, loss_of


def _sigmoid(logit: float) -> float:
    return (1 + math.tanh(logit / 2)) / 2


def _bump(logit: float) -> float:
    return _sigmoid(logit) * _sigmoid(-logit)


# fmt: off
# d cost / d logit of a fake: of G, and of D. Python numbers: a path has a thousand steps.
SLOPES = {
    "minimax":        (lambda t: -_sigmoid(t),  _sigmoid),
    "non-saturating": (lambda t: -_sigmoid(-t), _sigmoid),
    "least-squares":  (lambda t: t,             lambda t: t + 1),
    "hinge":          (lambda t: -1.0,          lambda t: float(t > -1)),
    "wasserstein":    (lambda t: -1.0,          lambda t: 1.0),
    "linear":         (lambda t: -_bump(t),     _bump),
}
# fmt: on
FAR = 1e6  # beyond it a path has left for infinity
READ = {  # what is read off the fakes, (points, 1)
    "shift": lambda x: x.mean(0),
    "width": lambda x: x.std(0, correction=0),
}
ORDERS = ("alternating", "simultaneous")  # D moves first and G answers, or both at once


class Pull(NamedTuple):
    """What a loss does at logit 0, where D is ½.

    G: by how much G's cost falls with the logit of a fake. D: by how much D's cost rises with it.
    brake: D's cost is this much curved in the logits, real and fake together.
    """

    G: float
    D: float
    brake: float


def pull(loss) -> Pull:
    """The `Pull` of a loss, a key of `losses.LOSSES` or a `losses.Loss`, by autograd.

    ½, ½, ½ for minimax and non-saturating; 1, 1, 0 for wasserstein and hinge; ¼, ¼, 0 for linear;
    0, 1, 2 for least-squares, whose G has no slope at all where D is ½. A `paired` loss compares
    examples with each other and has no such numbers: ValueError.
    """
    formula = loss_of(loss)
    if formula.paired:
        raise ValueError(f"loss must judge each example alone, {formula.name} compares pairs")

    logits = torch.zeros(2, dtype=torch.float64)
    cost_D = lambda both: formula.D(both[:1], both[1:])  # of (real, fake)
    slope_G = torch.func.grad(formula.G)(logits[:1])
    slopes_D = torch.func.grad(cost_D)(logits)
    curves_D = torch.func.hessian(cost_D)(logits)
    brake = curves_D.diagonal().sum()
    return Pull(-float(slope_G), float(slopes_D[1]), float(brake))


@dataclass(frozen=True)
class Linear:
    """Both players near rest: y' = f_G K u, u' = −f_D y − A u.

    u, (k,): the weights of D's k features, 0 at rest. y, (k,): by how much the mean of each feature
    over the fakes is off its mean over the data. K, (k, k): how G, pulled along the features, moves
    their means. A, (k, k): the brake, by which D comes back to 0 by itself.
    """

    K: Tensor
    A: Tensor
    pull: Pull

    def flow(self, speed_D: float = 1.0) -> Tensor:
        """The Jacobian of the flow in (y, u), (2k, 2k), where D's time runs `speed_D` as fast."""
        speed_D = positive("speed_D", speed_D)
        one = torch.eye(len(self.K)).to(self.K)
        of_y = torch.cat([0 * one, self.pull.G * self.K], 1)
        of_u = torch.cat([-self.pull.D * one, -self.A], 1)
        return torch.cat([of_y, speed_D * of_u])

    def rates(self, speed_D: float = 1.0) -> Tensor:
        """The 2k eigenvalues μ of the flow, (2k,), slowest to come home first: e^{μt}."""
        found = torch.linalg.eigvals(self.flow(speed_D))
        return _sorted(found, torch.real)

    def step(
        self, lr_G: float, lr_D: float, order: str = "alternating", momentum: float = 0.0
    ) -> Tensor:
        """The matrix of one step of gradient descent with heavy-ball momentum.

        Without momentum it acts on (y, u), (2k, 2k); with it on (y, u, and the last step of each),
        (4k, 4k). "alternating": D moves first, and G answers the new D.
        """
        lr_G = positive("lr_G", lr_G)
        lr_D = positive("lr_D", lr_D)
        order = one_of("order", order, ORDERS)
        momentum = _momentum(momentum)

        # Of (y, u, the last step of y, the last step of u), each as the rows of a matrix.
        k = len(self.K)
        y, u, last_y, last_u = torch.eye(4 * k).to(self.K).split(k)
        uphill = self.pull.D * y + self.A @ u
        step_u = momentum * last_u - lr_D * uphill
        seen = u
        if order == "alternating":
            seen = u + step_u
        step_y = momentum * last_y + lr_G * self.pull.G * self.K @ seen
        matrix = torch.cat([y + step_y, u + step_u, step_y, step_u])
        if momentum:
            return matrix
        return matrix[: 2 * k, : 2 * k]

    def factors(
        self, lr_G: float, lr_D: float, order: str = "alternating", momentum: float = 0.0
    ) -> Tensor:
        """The eigenvalues λ of one step, largest first; all below 1 in size: it comes home.

        (2k,), or (4k,) with momentum.
        """
        found = torch.linalg.eigvals(self.step(lr_G, lr_D, order, momentum))
        return _sorted(found, torch.abs)

    def path(
        self,
        start: Tensor,
        *,
        lr_G: float,
        lr_D: float,
        steps: int,
        order: str = "alternating",
        momentum: float = 0.0,
    ) -> Tensor:
        """(y, u) after 0, 1, …, `steps` steps, (steps + 1, 2k), from `start`, (2k,).

        From where a coordinate passes 1e6 all are nan, as in `dirac_path`.
        """
        start = row("start", start, 2 * len(self.K))
        matrix = self.step(lr_G, lr_D, order, momentum)
        now = torch.zeros(len(matrix)).to(matrix)
        now[: len(start)] = start
        seen = [now]
        for _ in range(count("steps", steps, 0)):
            now = matrix @ now
            if now.abs().max() > FAR:
                now = torch.full_like(now, math.nan)
            seen.append(now)
        return torch.stack(seen)[:, : len(start)]


def _sorted(found: Tensor, size) -> Tensor:
    """Eigenvalues, largest `size` first; of a complex pair the one above the axis."""
    by_imag = found.imag.argsort(descending=True, stable=True)
    found = found[by_imag]
    sizes = size(found).round(decimals=12)
    by_size = sizes.argsort(descending=True, stable=True)
    return found[by_size]


def dirac(loss="non-saturating", gamma: float = 0.0) -> Linear:
    """The Dirac-GAN near rest, (θ, w): its flow is [[0, f], [−f, −γ]].

    gamma: the weight of `losses.r1`, ≥ 0, which here is γw²/2. D has one feature, x itself.
    """
    one = torch.ones(1, 1, dtype=torch.float64)
    return Linear(K=one, A=_weight(gamma) * one, pull=pull(loss))


def dirac_path(
    loss="non-saturating",
    *,
    start=(1.0, 0.0),
    gamma: float = 0.0,
    lr: float,
    steps: int,
    order: str = "alternating",
    momentum: float = 0.0,
) -> Tensor:
    """(θ, w) of the whole Dirac-GAN, not linear, after 0, 1, …, `steps` steps: (steps + 1, 2).

    D pays loss.D(0, wθ) + γw²/2 and G pays loss.G(wθ); both descend with rate `lr` and heavy-ball
    momentum. From where a coordinate passes 1e6 both are nan.
    """
    order = one_of("order", order, ORDERS)
    lr = positive("lr", lr)
    gamma = _weight(gamma)
    momentum = _momentum(momentum)
    slope_G, slope_D = _slopes(loss)

    θ, w = row("start", start, 2).tolist()
    if not max(abs(θ), abs(w)) <= FAR:
        raise ValueError(f"start must be two numbers of at most {FAR:g} in size, got {start!r}")
    step_θ = 0.0
    step_w = 0.0
    path = [(θ, w)]
    for _ in range(count("steps", steps, 0)):
        uphill_w = θ * slope_D(w * θ) + gamma * w
        step_w = momentum * step_w - lr * uphill_w
        seen = w
        if order == "alternating":
            seen = w + step_w
        step_θ = momentum * step_θ - lr * seen * slope_G(seen * θ)
        θ += step_θ
        w += step_w
        if max(abs(θ), abs(w)) > FAR:
            θ = w = math.nan
        path.append((θ, w))
    return torch.tensor(path, dtype=torch.float64)


def _slopes(loss) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """d cost / d logit of one fake, of G and of D: by formula for the six, else by autograd."""
    formula = loss_of(loss)
    if formula is LOSSES.get(formula.name):
        return SLOPES[formula.name]

    def by_autograd(cost):
        def slope(logit):
            at = torch.tensor([logit], dtype=torch.float64, requires_grad=True)
            (found,) = torch.autograd.grad(cost(at), at)
            return float(found)

        return slope

    def cost_D(fake):
        real = torch.zeros_like(fake)
        return formula.D(real, fake)

    return by_autograd(formula.G), by_autograd(cost_D)


def _weight(gamma) -> float:
    """The weight of R1, which may be 0."""
    gamma = finite("gamma", gamma)
    if gamma < 0:
        raise ValueError(f"gamma must not be negative, got {gamma!r}")
    return gamma


def _momentum(momentum) -> float:
    momentum = finite("momentum", momentum)
    if not -1 < momentum < 1:
        raise ValueError(f"momentum must lie between −1 and 1, got {momentum!r}")
    return momentum


def _push(by) -> float:
    by = finite("by", by)
    if by == 0:
        raise ValueError("by must not be 0: that is no push")
    return by


class Rest:
    """The exact rest point of a trained GAN in one dimension, and what it does just beside it.

    The data are what this G makes of `points` z of equal mass, (points, 1), and the last layer of D
    is 0. So D is ½ everywhere, and nobody moves. With φ the last hidden layer of D and a 1,
    M = E ∂φ(G(z))/∂θ_G and f from `pull`, the flow in all parameters of both networks has the
    eigenvalues μ of det(μ² + μA + f_G f_D MMᵀ) = 0, and zeros: a problem as wide as φ, not as the
    networks. A = brake · E φφᵀ + γ E φ′φ′ᵀ: the curvature of D's cost, and that of R1.

    G and D are copies in float64; `gan` is not changed. ValueError if D does not end in a linear
    layer, or if G or D is not of one dimension.
    """

    def __init__(self, gan, points: int = 200):
        of_kind("gan", gan, GAN)
        self.G = copy.deepcopy(gan.G).double().requires_grad_(False)
        self.D = copy.deepcopy(gan.D).double().requires_grad_(False)
        self.hidden = _without_last(self.D)

        middles = line(0.0, 1.0, count("points", points, 2))
        method("the prior of gan", gan.prior, "quantile")
        self.z = gan.prior.quantile(middles)[:, None]
        with torch.no_grad():
            self.x = self.G(self.z)
        if self.x.shape != self.z.shape or self.D(self.x).shape != self.x.shape:
            raise ValueError("gan must be of one dimension: G and D must map (n, 1) to (n, 1)")

        self.features, self.slopes = self._features()
        self.M = self._moves(lambda x: self.features_of(x).mean(0))

    def features_of(self, x: Tensor) -> Tensor:
        """φ(x), (n, k): the last hidden layer of D, and a 1; x is (n, 1), float64."""
        φ = self.hidden(x)
        return torch.cat([φ, torch.ones_like(φ[:, :1])], 1)

    def _features(self) -> tuple[Tensor, Tensor]:
        """φ and φ′ at the data, (points, k) each."""
        tangent = torch.ones_like(self.x)
        found = torch.func.jvp(self.features_of, (self.x,), (tangent,))
        return found[0].detach(), found[1].detach()

    def _moves(self, read) -> Tensor:
        """How what `read` finds in the fakes changes with each weight of G: (numbers, weights)."""
        weights = {name: weight.detach() for name, weight in self.G.named_parameters()}

        def of_weights(weights):
            return read(functional_call(self.G, weights, (self.z,)))

        found = jacrev(of_weights)(weights)
        parts = [part.flatten(1) for part in found.values()]
        return torch.cat(parts, 1)

    def near(self, loss="non-saturating", gamma: float = 0.0) -> Linear:
        """Both players near this rest point: y is E φ(G(z)) − E φ(x), u is D's last layer."""
        f = pull(loss)
        n = len(self.x)
        of_cost = f.brake * self.features.T @ self.features / n
        of_r1 = _weight(gamma) * self.slopes.T @ self.slopes / n
        K = self.M @ self.M.T
        return Linear(K, of_cost + of_r1, f)

    def direction(self, push: str) -> Tensor:
        """By how much each fake moves, for each unit of `push`, (points, 1)."""
        if one_of("push", push, READ) == "shift":
            return torch.ones_like(self.x)
        width = READ["width"](self.x)
        return (self.x - self.x.mean()) / width

    def pushed(self, by: float = 0.05, push: str = "shift") -> nn.Module:
        """A copy of G whose fakes lie `by` to the right, or spread wider by `by` in their sd."""
        by = _push(by)
        G = copy.deepcopy(self.G)
        weight, offset = list(G.parameters())[-2:]
        with torch.no_grad():
            if one_of("push", push, READ) == "shift":
                offset += by
            else:
                width = READ["width"](self.x).item()
                wider = 1 + by / width
                middle = self.x.mean()
                weight *= wider
                offset.copy_(middle + wider * (offset - middle))
        return G

    def game(
        self,
        loss="non-saturating",
        gamma: float = 0.0,
        *,
        lr_G: float,
        lr_D: float,
        by: float = 0.05,
        push: str = "shift",
        momentum: float = 0.0,
        whole: bool = True,
        seed: int = 0,
    ) -> GAN:
        """The pushed pair as a `GAN` that goes down the slopes, D first, with momentum.

        whole: its noise is all z, in order, and `step` wants all data, `x`: expectations are exact.
        Else z is drawn from these, for minibatches; `Drawn(x)` draws the data beside it.
        """
        gamma = _weight(gamma)
        penalty = {"penalty": "r1", "penalty_weight": gamma} if gamma else {}
        whole = one_of("whole", whole, (True, False))
        gan = GAN(
            self.pushed(by, push).requires_grad_(True),
            copy.deepcopy(self.D).requires_grad_(True),
            Listed(self.z) if whole else Drawn(self.z),
            loss=loss,
            lr_G=lr_G,
            lr_D=lr_D,
            optimiser="sgd",
            seed=seed,
            **penalty,
        )
        for optimiser in (gan.opt_G, gan.opt_D):
            optimiser.param_groups[0]["momentum"] = _momentum(momentum)
        return gan

    def ring(
        self,
        loss="non-saturating",
        gamma: float = 0.0,
        *,
        lr_G: float,
        lr_D: float,
        steps: int,
        by: float = 0.05,
        push: str = "shift",
        momentum: float = 0.0,
    ) -> "Ringing":
        """What the linear game says of `steps` steps of `game`, after the same push."""
        by = _push(by)
        near = self.near(loss, gamma)
        k = len(near.K)
        y = by * (self.slopes * self.direction(push)).mean(0)
        start = torch.cat([y, torch.zeros_like(y)])
        path = near.path(start, lr_G=lr_G, lr_D=lr_D, steps=steps, momentum=momentum)

        # G's weights move along Mᵀ alone: what is read off the fakes follows from y.
        inverse = torch.linalg.pinv(self.M, rtol=1e-9)
        (read,) = self._moves(READ[push]) @ inverse
        off = by + (path[:, :k] - y) @ read

        # The start as a sum of modes, and what is read off each.
        step = near.step(lr_G, lr_D, momentum=momentum)
        factors, vectors = torch.linalg.eig(step)
        begin = torch.zeros(len(factors), 1).to(factors)
        begin[: 2 * k, 0] = start.to(factors)
        amounts = torch.linalg.lstsq(vectors, begin).solution[:, 0]
        parts = (read.to(factors) @ vectors[:k]) * amounts

        order = parts.abs().argsort(descending=True)
        shares = parts[order].abs() / abs(by)
        shapes = vectors[k : 2 * k, order]
        return Ringing(off, factors[order], shares, shapes)


class Ringing(NamedTuple):
    """How a push dies away, or grows, as the linear game has it.

    off: what is left of the push after 0, 1, … steps, (steps + 1,). factors: the eigenvalues λ of
    one step, the largest part in it first. parts: how much of the push each carries, as a share
    (a pair of modes may carry more than all of it, and another take it back). shapes: D's last
    layer in each mode, (k, modes).
    """

    off: Tensor
    factors: Tensor
    parts: Tensor
    shapes: Tensor


def _without_last(D) -> nn.Sequential:
    """The hidden layers of D; its last one, which must be linear, is set to 0."""
    if not isinstance(D, nn.Sequential) or len(D) < 2 or not isinstance(D[-1], nn.Linear):
        raise ValueError(f"D must be layers in a row, the last one linear, got {D!r}")
    for parameter in D[-1].parameters():
        parameter.data.zero_()
    return nn.Sequential(*list(D)[:-1])


class Listed:
    """A law that is a list of z, (n, dim): asked for n draws it gives all of them, in order."""

    def __init__(self, z: Tensor):
        self.z = tensor("z", z)
        if self.z.ndim != 2 or len(self.z) == 0:
            raise ValueError(f"z must be (n, dim), at least one, got {tuple(self.z.shape)}")

    def sample(self, n: int, generator=None) -> Tensor:
        """All z; ValueError if n is not their number."""
        count("n", n, len(self.z), len(self.z))
        return self.z


class Drawn(Listed):
    """A law that draws from a list of z, (n, dim)."""

    def sample(self, n: int, generator=None) -> Tensor:
        """n draws, with replacement, (n, dim)."""
        n = count("n", n)
        rows = torch.randint(len(self.z), (n,), generator=generator)
        return self.z[rows]
