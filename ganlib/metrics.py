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
from ganlib.checks import all_finite, count, function, method, of_kind, seed_of, tensor
from ganlib.networks import ask
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
    one_each = labels.dtype == torch.long and labels.shape == x.shape[:1]
    if not one_each or bool((labels < 0).any()):
        raise ValueError(f"labels must be {len(x)} whole numbers of at least 0, of kind long")
    count("steps", steps)
    seed_of(seed)
    labels = labels.to(x.device)
    largest = int(labels.max())
    if largest >= CLASSES:
        raise ValueError(f"labels must be below {CLASSES}, got {largest}")

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # of the CPU: a GPU's draws go on
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
        last = nn.Linear(64, largest + 1)
        net = nn.Sequential(body, last).to(x.device)

        optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
        for _ in range(steps):
            rows = torch.randint(len(x), (64,), device="cpu").to(x.device)
            optimiser.zero_grad()
            logits = net(x[rows])
            loss = nn.functional.cross_entropy(logits, labels[rows])
            loss.backward()
            optimiser.step()
    return net.eval()


@torch.no_grad()
def features(net, x: Tensor) -> Tensor:
    """The 64 numbers before the last layer of a `classifier`, at least 0, (n, 64)."""
    x = _pictures("x", x)
    is_pair = isinstance(net, nn.Sequential) and len(net) == 2
    if not is_pair or not isinstance(net[1], nn.Linear):
        raise ValueError(f"net must be a classifier, (features, last layer), got {net!r}")
    body = net[0]
    try:
        where = net[1].weight.device
        return torch.cat([body(part.to(where)) for part in x.split(500)])
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
    b = _rows("fake", fake).to(a)
    if min(len(a), len(b)) < 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"frechet needs two sets of as many features, got {tuple(a.shape)} and {tuple(b.shape)}"
        )

    # tr (C C')^½ = tr (√C C' √C)^½, which is symmetric: its eigenvalues are real.
    C_a = torch.atleast_2d(a.T.cov())
    C_b = torch.atleast_2d(b.T.cov())
    values, vectors = torch.linalg.eigh(C_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    squares = torch.linalg.eigvalsh(root @ C_b @ root)
    overlap = squares.clamp(min=0).sqrt().sum()

    shift = (a.mean(0) - b.mean(0)).square().sum()
    trace_a = a.var(0).sum()
    trace_b = b.var(0).sum()
    distance = shift + trace_a + trace_b - 2 * overlap
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
    distances, _ = nearest(bank, bank, k + 1)
    radius = distances[:, k]  # the nearest neighbour is the point itself
    inside = []
    for part in x.split(250):
        to_bank = torch.cdist(part, bank)
        inside.append((to_bank <= radius).any(1))
    share = torch.cat(inside).double().mean()
    return float(share)


def precision_recall(real: Tensor, fake: Tensor, *, k: int = 3) -> tuple[float, float]:
    """How much of fake lies in the support of real, and of real in that of fake, both in [0, 1].

    Features are (n, d). A support: balls around its points up to their k-th neighbour. Balls of
    few points are large, those of copies have no size: both numbers depend on n and m. A class
    that is missing takes no more than its part from recall; ask for it with that class as `real`.
    Source: Kynkäänniemi et al. 2019, arXiv:1904.06991.
    """
    real, fake = _alike(real=real, fake=fake)
    fewest = min(len(real), len(fake))
    count("k", k, 1, fewest - 1)
    precision = _covered(fake, real, k)
    recall = _covered(real, fake, k)
    return precision, recall


def memorised(fake: Tensor, train: Tensor, held_out: Tensor) -> tuple[float, int]:
    """The share of `fake` nearer to train than to as many held-out pictures; how many are copies.

    An honest share is about ½: of real digits, 599 against 599 and 599, it is 0.45 to 0.54 in 95 %
    of all splits. A share c of copies makes it (1 + c)/2. A copy is exact.
    """
    fake, train, held_out = _alike(fake=fake, train=train, held_out=held_out)
    half = min(len(train), len(held_out))
    to_train, _ = nearest(fake, train[:half])
    to_held_out, _ = nearest(fake, held_out[:half])
    share = (to_train < to_held_out).double().mean()

    to_any, _ = nearest(fake, train)
    copies = (to_any < 1e-3).sum()
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
    difference = (p - q).abs().sum()
    precision, recall = precision_recall(of_real, of_fake)
    return {
        "FD": frechet(of_real, of_fake),
        "TV": float(difference / 2),
        "smallest class": float(q.min()),
        "precision": precision,
        "recall": recall,
    }


def _rows(name: str, x) -> Tensor:
    """Examples as rows of finite numbers, (n, d), at least one."""
    x = tensor(name, x)
    if x.ndim < 2 or x.numel() == 0 or not all_finite(x):
        raise ValueError(f"{name} must be finite numbers (n, d), got shape {tuple(x.shape)}")
    return x.flatten(1)


def _alike(**sets) -> list[Tensor]:
    """Several sets of examples as rows of equally many numbers of one kind, on one device."""
    rows = [_rows(name, x) for name, x in sets.items()]
    widths = [x.shape[1] for x in rows]
    if len(set(widths)) > 1:
        names = ", ".join(sets)
        raise ValueError(f"{names} must have rows of equal length, got {widths}")
    return [x.to(rows[0]) for x in rows]


def _pictures(name: str, x) -> Tensor:
    """Pictures (n, channels, size, size) of finite numbers, at least one."""
    x = tensor(name, x)
    _rows(name, x)
    is_square = x.ndim == 4 and x.shape[2] == x.shape[3]
    if not is_square or x.shape[3] < 2:
        raise ValueError(f"{name} must be pictures (n, channels, size, size), got {tuple(x.shape)}")
    return x


def _histogram(net, seen: Tensor) -> Tensor:
    """The share of each class, (classes,), by features (n, 64)."""
    last = net[1]
    labels = last(seen).argmax(1)
    counts = labels.bincount(minlength=last.out_features)
    return counts / len(seen)


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
    enough = 0.2 * law.weights * len(x)
    covered = (counts >= enough).sum()
    share = good.float().mean()
    return int(covered), float(share)


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
        of_kind("law", law, Mixture)
        if law.dim != 2:
            raise ValueError(f"law must be a mixture in two dimensions, got {law!r}")
        method("prior", prior, "sample")
        self.law = law
        self.reach = 1.1 * max(map(abs, law.range))
        generator = torch.Generator().manual_seed(0)
        self.z = prior.sample(4096, generator)
        self.p = self._masses()

    def _masses(self) -> Tensor:
        """The mass of the law in each cell, row by row from the bottom, (1025,) float64."""
        law = self.law
        edges = torch.linspace(-self.reach, self.reach, CELLS + 1, dtype=torch.float64)
        means = law.means.double()[..., None]
        stds = law.stds.double()[:, None, None]
        weights = law.weights.double()
        inside = ndtr((edges - means) / stds).diff()  # (modes, 2, cells)
        along_x, along_y = inside.unbind(1)
        mass = torch.einsum("m,my,mx->yx", weights, along_y, along_x).flatten()
        rest = 1 - mass.sum(0, keepdim=True)
        return torch.cat([mass, rest]).clamp(min=0)

    @torch.no_grad()
    def look(self, G) -> Now:
        """The samples of G as they stand; FloatingPointError if they are not finite."""
        try:
            x = ask(function("G", G), self.z)
        except (
            AttributeError,
            RuntimeError,
            TypeError,
        ) as error:  # a layer that does not fit, or no network
            raise ValueError(f"G does not fit the prior: {error}") from None
        if not isinstance(x, Tensor) or x.shape != (len(self.z), 2):
            raise ValueError(f"G must give points (n, 2), got {getattr(x, 'shape', x)}")
        if not all_finite(x):
            raise FloatingPointError("diverged: G gives numbers that are not finite")

        place = (x / self.reach + 1) * (CELLS / 2)
        column, row = place.floor().T
        number = row * CELLS + column
        inside = (x.abs() < self.reach).all(1)
        cell = torch.where(inside, number, CELLS**2).long()
        counts = cell.bincount(minlength=len(self.p))
        js = divergences.js(self.p, counts / len(x))

        covered, good = modes(x, self.law)
        return Now(covered, good, float(js))
