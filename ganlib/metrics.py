"""Are the samples any good?

Of pictures: Fréchet distance, precision and recall, class histogram, nearest neighbours.
Every number depends on the features (of a small classifier trained on the data at hand, or the
pixels) and on how many samples there are: state both. Pictures are (n, channels, size, size).

Of points in the plane, (n, 2): which modes of a known law they cover, and their JS to it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.special import ndtr

from ganlib import divergences
from ganlib.checks import count, function, method, of_kind, seed_of, tensor
from ganlib.targets import Mixture

CLASSES = 10_000  # of a classifier, at most
CELLS = 32  # along each side of the square that a `View` looks at


# -- pictures ------------------------------------------------------------------------------------


def classifier(x: Tensor, labels: Tensor, *, steps=600, seed=0) -> nn.Sequential:
    """A small convolutional classifier, (features, last layer).

    It is trained with Adam 1e-3 on batches of 64.
    """
    x = _pictures("x", x)
    of_kind("labels", labels, Tensor)
    if labels.dtype != torch.long or labels.shape != x.shape[:1] or not bool((labels >= 0).all()):
        raise ValueError(f"labels must be {len(x)} whole numbers of at least 0, of kind long")
    count("steps", steps)
    seed_of(seed)
    if int(labels.max()) >= CLASSES:
        raise ValueError(f"labels must be below {CLASSES}, got {int(labels.max())}")

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        side = min(x.shape[-1] // 2, 8)
        body = nn.Sequential(
            nn.Conv2d(x.shape[1], 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(side),
            nn.Flatten(),
            nn.Linear(32 * side**2, 64),
            nn.ReLU(),
        )
        net = nn.Sequential(body, nn.Linear(64, int(labels.max()) + 1)).to(x.device)

        optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
        for _ in range(steps):
            rows = torch.randint(len(x), (64,))
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), labels[rows]).backward()
            optimiser.step()
    return net.eval()


@torch.no_grad()
def features(net, x: Tensor) -> Tensor:
    """The 64 numbers before the last layer of a `classifier`, at least 0, (n, 64)."""
    x = _pictures("x", x)
    if not (isinstance(net, nn.Sequential) and len(net) == 2 and isinstance(net[1], nn.Linear)):
        raise ValueError(f"net must be a classifier, (features, last layer), got {net!r}")
    try:
        return torch.cat([net[0](part) for part in x.split(500)])
    except RuntimeError as error:
        raise ValueError(f"net and x do not fit each other: {error}") from None


def predict(net, x: Tensor) -> Tensor:
    """The most likely class of each picture, (n,)."""
    seen = features(net, x)
    return net[1](seen).argmax(1)


def frechet(real: Tensor, fake: Tensor) -> float:
    """‖μ − μ'‖² + tr(C + C' − 2 (C C')^½) of two sets of features, (n, d) and (m, d).

    It is 0 when both moments agree. With few samples it is too large, by about a constant times
    1/n + 1/m. Source: Heusel et al. 2017, arXiv:1706.08500.
    """
    a = _rows("real", real).double()
    b = _rows("fake", fake).double()
    if min(len(a), len(b)) < 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"frechet needs two sets of as many features, got {tuple(a.shape)} and {tuple(b.shape)}"
        )

    # tr (C C')^½ = tr (√C C' √C)^½, which is symmetric: its eigenvalues are real.
    values, vectors = torch.linalg.eigh(torch.atleast_2d(a.T.cov()))
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    product = root @ torch.atleast_2d(b.T.cov()) @ root
    overlap = torch.linalg.eigvalsh(product).clamp(min=0).sqrt().sum()

    shift = (a.mean(0) - b.mean(0)).square().sum()
    distance = shift + a.var(0).sum() + b.var(0).sum() - 2 * overlap
    return float(distance.clamp(min=0))  # equal sets may come out at −1e-13


def nearest(x: Tensor, bank: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Distances to the k nearest rows of `bank`, and which they are, both (n, k).

    Distances are Euclidean, the nearest comes first.
    """
    x, bank = _alike(x=x, bank=bank)
    count("k", k, 1, len(bank))
    distances = []
    rows = []
    for part in x.split(250):
        exact = "donot_use_mm_for_euclid_dist"  # by a product of matrices it would lose digits
        to_bank = torch.cdist(part, bank, compute_mode=exact)
        found = to_bank.topk(k, largest=False)
        distances.append(found.values)
        rows.append(found.indices)
    return torch.cat(distances), torch.cat(rows)


def _covered(x: Tensor, bank: Tensor, k: int) -> float:
    """The share of x in the support of `bank`."""
    radius = nearest(bank, bank, k + 1)[0][:, k]  # the nearest neighbour is the point itself
    inside = [(torch.cdist(part, bank) <= radius).any(1) for part in x.split(250)]
    return float(torch.cat(inside).double().mean())


def precision_recall(real: Tensor, fake: Tensor, *, k: int = 3) -> tuple[float, float]:
    """How much of fake lies in the support of real, and of real in that of fake, both in [0, 1].

    Features are (n, d). A support: balls around its points up to their k-th neighbour. Balls of
    few points are large, those of copies have no size: both numbers depend on n and m. A class
    that is missing takes no more than its part from recall; ask for it with that class as `real`.
    Source: Kynkäänniemi et al. 2019, arXiv:1904.06991.
    """
    real, fake = _alike(real=real, fake=fake)
    count("k", k, 1, min(len(real), len(fake)) - 1)
    return _covered(fake, real, k), _covered(real, fake, k)


def memorised(fake: Tensor, train: Tensor, held_out: Tensor) -> tuple[float, int]:
    """The share of `fake` nearer to train than to as many held-out pictures; how many are copies.

    An honest share is about ½: of real digits, 599 against 599 and 599, it is 0.45 to 0.54 in 95 %
    of all splits. A share c of copies makes it (1 + c)/2. A copy is exact.
    """
    fake, train, held_out = _alike(fake=fake, train=train, held_out=held_out)
    half = min(len(train), len(held_out))
    to_train = nearest(fake, train[:half])[0]
    to_held_out = nearest(fake, held_out[:half])[0]
    share = (to_train < to_held_out).double().mean()
    copies = (nearest(fake, train)[0] < 1e-3).sum()
    return float(share), int(copies)


def evaluate(fake: Tensor, real: Tensor, net) -> dict[str, float]:
    """All numbers of one set of samples.

    FD, TV of the class histogram, its smallest class, precision, recall.
    """
    _alike(real=real, fake=fake)
    of_real = features(net, real)
    of_fake = features(net, fake)
    p = _histogram(net, of_real)
    q = _histogram(net, of_fake)
    precision, recall = precision_recall(of_real, of_fake)
    return {
        "FD": frechet(of_real, of_fake),
        "TV": float((p - q).abs().sum() / 2),
        "smallest class": float(q.min()),
        "precision": precision,
        "recall": recall,
    }


def _rows(name: str, x) -> Tensor:
    """Examples as rows of finite numbers, (n, d), at least one."""
    x = tensor(name, x)
    if x.ndim < 2 or x.numel() == 0 or not bool(x.isfinite().all()):
        raise ValueError(f"{name} must be finite numbers (n, d), got shape {tuple(x.shape)}")
    return x.flatten(1)


def _alike(**sets) -> list[Tensor]:
    """Several sets of examples as rows of equally many numbers of one kind."""
    rows = [_rows(name, x) for name, x in sets.items()]
    widths = [x.shape[1] for x in rows]
    if len(set(widths)) > 1:
        raise ValueError(f"{', '.join(sets)} must have rows of equal length, got {widths}")
    return [x.to(rows[0].dtype) for x in rows]


def _pictures(name: str, x) -> Tensor:
    """Pictures (n, channels, size, size) of finite numbers, at least one."""
    x = tensor(name, x)
    _rows(name, x)
    if x.ndim != 4 or x.shape[2] != x.shape[3] or min(x.shape[2:]) < 2:
        raise ValueError(f"{name} must be pictures (n, channels, size, size), got {tuple(x.shape)}")
    return x


def _histogram(net, seen: Tensor) -> Tensor:
    """The share of each class, (classes,), by features (n, 64)."""
    last = net[1]
    return last(seen).argmax(1).bincount(minlength=last.out_features) / len(seen)


# -- points in the plane -------------------------------------------------------------------------


def modes(x: Tensor, law) -> tuple[int, float]:
    """Modes of a mixture that x (n, dim) covers; and the share of good samples.

    Good is a sample within 3 sd of its nearest mode. A mode is covered if it gets at least 1/5 of
    its part of x in good samples. law: has means (modes, dim), stds and weights (modes,).
    """
    of_kind("law", law, Mixture)
    x = _rows("x", x).to(law.means)
    if x.shape[1] != law.dim:
        raise ValueError(f"x must be points in {law.dim} dimensions, got {x.shape[1]}")
    distance, mode = torch.cdist(x, law.means).min(1)
    good = distance <= 3 * law.stds[mode]
    counts = torch.bincount(mode[good], minlength=len(law.means))
    covered = counts >= 0.2 * law.weights * len(x)
    return int(covered.sum()), float(good.float().mean())


@dataclass(frozen=True)
class Now:
    """Modes covered; the share of good samples; JS in nats on 32 × 32 cells."""

    modes: int
    good: float
    js: float


class View:
    """How well 4,096 samples of a G fit a mixture in the plane: `look(G)` gives `Now`.

    law: a `targets.Mixture` of two dimensions. prior: of z, always the same 4,096 draws. The cells
    divide a square with sides of 2 `reach`; what lies outside is one more cell.
    """

    def __init__(self, law, prior):
        if of_kind("law", law, Mixture).dim != 2:
            raise ValueError(f"law must be a mixture in two dimensions, got {law!r}")
        method("prior", prior, "sample")
        self.law = law
        self.reach = 1.1 * max(map(abs, law.range))
        self.z = prior.sample(4096, torch.Generator().manual_seed(0))
        self.p = self._masses()

    def _masses(self) -> Tensor:
        """The mass of the law in each cell, row by row from the bottom, (1025,) float64."""
        law = self.law
        edges = torch.linspace(-self.reach, self.reach, CELLS + 1, dtype=torch.float64)
        sides = (edges - law.means.double()[..., None]) / law.stds.double()[:, None, None]
        inside = ndtr(sides).diff()  # of each mode along each axis, (modes, 2, cells)
        mass = torch.einsum(
            "m,my,mx->yx", law.weights.double(), inside[:, 1], inside[:, 0]
        ).flatten()
        rest = 1 - mass.sum(0, keepdim=True)
        return torch.cat([mass, rest]).clamp(min=0)

    @torch.no_grad()
    def look(self, G) -> Now:
        """The samples of G as they stand; FloatingPointError if they are not finite."""
        try:
            x = function("G", G)(self.z)
        except (RuntimeError, TypeError) as error:  # a layer that does not fit, or no network
            raise ValueError(f"G does not fit the prior: {error}") from None
        if not isinstance(x, Tensor) or x.shape != (len(self.z), 2):
            raise ValueError(f"G must give points (n, 2), got {getattr(x, 'shape', x)}")
        if not bool(x.isfinite().all()):
            raise FloatingPointError("diverged: G gives numbers that are not finite")

        column, row = ((x / self.reach + 1) * (CELLS / 2)).floor().T
        inside = (x.abs() < self.reach).all(1)
        cell = torch.where(inside, row * CELLS + column, CELLS**2).long()
        q = cell.bincount(minlength=len(self.p)) / len(x)

        covered, good = modes(x, self.law)
        return Now(covered, good, js=float(divergences.js(self.p, q)))
