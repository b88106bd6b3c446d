"""Are the pictures any good? Fréchet distance, precision and recall, class histogram, nearest neighbours.

Every number depends on the features (of a small classifier trained on the data at hand, or the pixels) and on how
many samples there are: state both. Pictures are (n, channels, size, size).
"""

import torch
from torch import Tensor, nn


def classifier(x: Tensor, labels: Tensor, *, steps=600, seed=0) -> nn.Sequential:
    """A small convolutional classifier, (features, last layer), trained with Adam 1e-3 on batches of 64."""
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
    return torch.cat([net[0](part) for part in x.split(500)])


def predict(net, x: Tensor) -> Tensor:
    """The most likely class of each picture, (n,)."""
    return net[1](features(net, x)).argmax(1)


def frechet(real: Tensor, fake: Tensor) -> float:
    """‖μ − μ'‖² + tr(C + C' − 2 (C C')^½) of two sets of features, (n, d) and (m, d): 0 when both moments agree.

    With few samples it is too large, by about a constant times 1/n + 1/m. Source: Heusel et al. 2017, arXiv:1706.08500.
    """
    a, b = (part.flatten(1).double() for part in (real, fake))
    if min(len(a), len(b)) < 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"frechet needs two sets of as many features, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    C, C_ = (torch.atleast_2d(part.T.cov()) for part in (a, b))
    values, vectors = torch.linalg.eigh(C)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    overlap = (
        torch.linalg.eigvalsh(root @ C_ @ root).clamp(min=0).sqrt().sum()
    )  # tr (C C')^½ by symmetric parts
    distance = (
        (a.mean(0) - b.mean(0)).square().sum() + a.var(0).sum() + b.var(0).sum() - 2 * overlap
    )
    return float(distance.clamp(min=0))  # equal sets may come out at −1e-13


def nearest(x: Tensor, bank: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Distances to the k nearest rows of `bank`, and which they are, both (n, k); Euclidean, nearest first."""
    found = [
        torch.cdist(
            part.flatten(1), bank.flatten(1), compute_mode="donot_use_mm_for_euclid_dist"
        ).topk(k, largest=False)
        for part in x.split(250)
    ]
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def precision_recall(real: Tensor, fake: Tensor, *, k: int = 3) -> tuple[float, float]:
    """How much of fake lies in the support of real, and of real in that of fake; features (n, d), both in [0, 1].

    A support: balls around its points up to their k-th neighbour. Source: Kynkäänniemi et al. 2019, arXiv:1904.06991.
    """

    def covered(x, bank):
        radius = nearest(bank, bank, k + 1)[0][:, k]  # the nearest neighbour is the point itself
        inside = [(torch.cdist(part, bank) <= radius).any(1) for part in x.split(250)]
        return float(torch.cat(inside).double().mean())

    return covered(fake.flatten(1), real.flatten(1)), covered(real.flatten(1), fake.flatten(1))


def memorised(fake: Tensor, train: Tensor, held_out: Tensor) -> tuple[float, int]:
    """The share of `fake` nearer to train than to as many held-out pictures (honest: ½); how many are exact copies."""
    half = min(len(train), len(held_out))
    to_train, to_held = (nearest(fake, part[:half])[0] for part in (train, held_out))
    return float((to_train < to_held).double().mean()), int((nearest(fake, train)[0] < 1e-3).sum())


def evaluate(fake: Tensor, real: Tensor, net) -> dict[str, float]:
    """All numbers of one set of samples: FD, TV of the class histogram, its smallest class, precision, recall."""
    a, b = features(net, real), features(net, fake)
    p, q = (net[1](x).argmax(1).bincount(minlength=net[1].out_features) / len(x) for x in (a, b))
    precision, recall = precision_recall(a, b)
    return {
        "FD": frechet(a, b),
        "TV": float((p - q).abs().sum() / 2),
        "smallest class": float(q.min()),
        "precision": precision,
        "recall": recall,
    }
