"""What a generator must learn: laws in one and two dimensions that can be sampled and evaluated.

Every law here is a mixture of normals or a uniform. That is enough: a normal is a mixture of one, a
ring is a mixture of eight, and a kernel density estimate is a mixture with one normal per data point.
Samples come from an explicit `torch.Generator`, so that no run disturbs the randomness of another.
"""

import math

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

__all__ = ["Mixture", "Uniform", "from_samples", "gaussian", "grid", "iris", "mixture", "moons", "ring", "spiral",
           "uniform"]


class Mixture:
    """Mixture of isotropic normals, p(x) = Σₖ wₖ N(x; μₖ, σₖ² I).

    `means` is (modes, dim), `stds` and `weights` are (modes,). For data of any scale the law lives in
    standardised units; `shift + scale * x` returns to the units named `unit`.
    """

    def __init__(self, means, stds, weights=None, *, name="mixture", shift=0.0, scale=1.0, unit="x"):
        self.means = torch.as_tensor(means, dtype=torch.float32)
        if self.means.ndim == 1:
            self.means = self.means[:, None]
        modes, self.dim = self.means.shape
        self.stds = torch.as_tensor(stds, dtype=torch.float32).expand(modes).contiguous()
        weights = torch.ones(modes) if weights is None else torch.as_tensor(weights, dtype=torch.float32)
        if weights.shape != (modes,) or not bool((weights > 0).all()) or not bool(weights.isfinite().all()):
            raise ValueError(f"weights must be {modes} positive numbers, one for each mean, got {weights.tolist()}")
        if not bool((self.stds > 0).all()) or not bool(self.stds.isfinite().all()):
            raise ValueError(f"stds must be positive numbers, got {self.stds.tolist()}")
        if not bool(self.means.isfinite().all()):
            raise ValueError(f"means must be finite numbers, got {self.means.tolist()}")
        self.weights = weights / weights.sum()
        self.name, self.shift, self.scale, self.unit = name, float(shift), float(scale), unit

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, in the dtype of x; x is (n, dim), the answer (n,)."""
        means, stds, weights = (t.to(x) for t in (self.means, self.stds, self.weights))
        parts = Independent(Normal(means, stds[:, None].expand_as(means), validate_args=False), 1)
        return MixtureSameFamily(Categorical(weights), parts, validate_args=False).log_prob(x)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n independent draws, (n, dim)."""
        if len(self.weights) == 1:
            return self.means + self.stds * torch.randn(n, self.dim, generator=generator)
        k = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        return self.means[k] + self.stds[k, None] * torch.randn(n, self.dim, generator=generator)

    def quantile(self, u: Tensor) -> Tensor:
        """The x with P(X ≤ x) = u, for a single one-dimensional normal (what a prior needs); u is (n,)."""
        if self.means.shape != (1, 1):
            raise ValueError(f"quantile needs one normal in one dimension, got {len(self.means)} in {self.dim}")
        return self.means[0] + self.stds * torch.special.ndtri(u)

    @property
    def range(self) -> tuple[float, float]:
        """An interval, the same for every axis, that holds all but about 1e-4 of the law."""
        reach = 4 * self.stds[:, None]
        return float((self.means - reach).min()), float((self.means + reach).max())

    def __repr__(self):
        return f"{self.name}: {len(self.means)} normal{'s' * (len(self.means) > 1)} in {self.dim}-D"


class Uniform:
    """Uniform law on [low, high], p(x) = 1 / (high − low)."""

    dim, shift, scale, unit, name = 1, 0.0, 1.0, "x", "uniform"

    def __init__(self, low=-1.0, high=1.0):
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"uniform needs finite low < high, got low={low}, high={high}")
        self.low, self.high = float(low), float(high)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats: −log(high − low) inside, −inf outside; x is (n, 1), the answer (n,)."""
        inside = (x[:, 0] >= self.low) & (x[:, 0] <= self.high)
        return torch.where(inside, -math.log(self.high - self.low), -math.inf).to(x.dtype)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n independent draws, (n, 1)."""
        return self.low + (self.high - self.low) * torch.rand(n, 1, generator=generator)

    def quantile(self, u: Tensor) -> Tensor:
        """The x with P(X ≤ x) = u; u is (n,)."""
        return self.low + (self.high - self.low) * u

    @property
    def range(self) -> tuple[float, float]:
        """The support with a quarter of its width on both sides."""
        margin = (self.high - self.low) / 4
        return self.low - margin, self.high + margin

    def __repr__(self):
        return f"uniform on [{self.low:g}, {self.high:g}]"


def gaussian(mean=0.0, std=1.0, *, dim=1) -> Mixture:
    """The normal law N(mean, std² I) in `dim` dimensions."""
    return Mixture(torch.full((1, dim), float(mean)), [std], name="normal")


def uniform(low=-1.0, high=1.0) -> Uniform:
    """The uniform law on [low, high]; on [−1, 1] it is the usual prior of z in one dimension."""
    return Uniform(low, high)


def mixture(means=(-1.5, 1.5), stds=(0.5, 0.5), weights=None) -> Mixture:
    """A mixture of normals in one dimension; by default the two modes of the course, ±1.5 with sd ½."""
    return Mixture(means, stds, weights, name="two modes" if len(means) == 2 else "mixture")


def from_samples(values, *, bandwidth=None, name="your data", unit="x") -> Mixture:
    """The kernel density estimate of measured numbers: one normal of width `bandwidth` at every value.

    Its samples are draws of a value plus normal noise, so that p_data and the samples agree exactly.
    The law is standardised (mean 0, sd 1 of the values). `bandwidth` is in the units of the values; by
    default Silverman's rule 0.9 min(sd, IQR/1.34) n^(−1/5) (Silverman 1986, eq. 3.31).
    """
    x = torch.as_tensor(values, dtype=torch.float64)
    if x.ndim == 2 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 1 or len(x) < 2:
        raise ValueError(f"values must be at least two numbers in one column, got shape {tuple(x.shape)}")
    if not bool(x.isfinite().all()):
        raise ValueError(f"values must be finite, got {int((~x.isfinite()).sum())} nan or infinite of {len(x)}")
    shift, scale = float(x.mean()), float(x.std(correction=0))
    if scale <= 1e-12 * max(1.0, abs(shift)):
        raise ValueError(f"values must differ, got {len(x)} times {shift:g}")
    if bandwidth is None:
        iqr = float(x.quantile(0.75) - x.quantile(0.25)) / 1.34
        bandwidth = 0.9 * min(scale, iqr or scale) * len(x) ** -0.2
    if not (isinstance(bandwidth, (int, float)) and math.isfinite(bandwidth) and bandwidth > 0):
        raise ValueError(f"bandwidth must be a positive number, got {bandwidth}")
    return Mixture((x - shift) / scale, [bandwidth / scale], name=name, shift=shift, scale=scale, unit=unit)


def iris() -> Mixture:
    """Petal lengths of 150 iris flowers (Fisher 1936), the real column bundled with scikit-learn."""
    from sklearn.datasets import load_iris

    # 0.25 cm: Silverman's rule gives 0.58 cm, three times the spread of the small flowers, and would blur them.
    return from_samples(load_iris().data[:, 2], bandwidth=0.25, name="iris petal length", unit="petal length in cm")


def ring(modes=8, radius=2.0, std=0.1) -> Mixture:
    """`modes` equal normals on a circle, in two dimensions."""
    angle = torch.arange(modes) * (2 * math.pi / modes)
    return Mixture(radius * torch.stack([angle.cos(), angle.sin()], 1), [std], name=f"ring of {modes}")


def grid(side=5, spacing=1.0, std=0.05) -> Mixture:
    """side × side equal normals on a square grid around 0, in two dimensions."""
    ticks = (torch.arange(side) - (side - 1) / 2) * spacing
    return Mixture(torch.cartesian_prod(ticks, ticks), [std], name=f"grid of {side * side}")


def moons(points=200, std=0.1) -> Mixture:
    """Two interleaved half circles, in two dimensions."""
    t = torch.linspace(0, math.pi, points // 2)
    upper, lower = torch.stack([t.cos() - 0.5, t.sin() - 0.25], 1), torch.stack([0.5 - t.cos(), 0.25 - t.sin()], 1)
    return Mixture(1.5 * torch.cat([upper, lower]), [std], name="two moons")


def spiral(points=200, turns=1.5, std=0.08) -> Mixture:
    """One arm of an Archimedean spiral, evenly spaced along its length, in two dimensions."""
    t = torch.linspace(0.05, 1, points).sqrt() * turns * 2 * math.pi
    return Mixture((2 * t / t.max())[:, None] * torch.stack([t.cos(), t.sin()], 1), [std], name="spiral")
