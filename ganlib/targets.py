"""What a generator must learn: laws in one and two dimensions that can be sampled and evaluated.

Every law here is a mixture of normals or a uniform. That is enough: a normal is a mixture of one, a
ring is a mixture of eight, and a kernel density estimate is a mixture with one normal per data
point. Samples come from an explicit `torch.Generator`, so that no run disturbs the randomness of
another.
"""

import copy
import math

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from ganlib.checks import count, positive


class Mixture:
    """Mixture of isotropic normals, p(x) = Σₖ wₖ N(x; μₖ, σₖ² I).

    `means` is (modes, dim), `stds` and `weights` are (modes,). For data of any scale the law lives
    in standardised units; `shift + scale * x` returns to the units named `unit`.
    """

    def __init__(
        self, means, stds, weights=None, *, name="mixture", shift=0.0, scale=1.0, unit="x"
    ):
        means = torch.as_tensor(means, dtype=torch.float32)
        self.means = means[:, None] if means.ndim == 1 else means
        if self.means.ndim != 2 or self.means.numel() == 0 or not bool(self.means.isfinite().all()):
            raise ValueError(
                f"means must be finite numbers, at least one, (modes, dim), got {means.tolist()}"
            )

        modes, self.dim = self.means.shape
        self.stds = _positive_row("stds", stds, modes)
        if weights is None:
            weights = 1.0
        weights = _positive_row("weights", weights, modes)
        self.weights = weights / weights.sum()

        self.name = name
        self.shift = float(shift)
        self.scale = float(scale)
        self.unit = unit

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, in the dtype of x; x is (n, dim), the answer (n,)."""
        means = self.means.to(x)
        stds = self.stds.to(x)[:, None].expand_as(means)
        normals = Independent(Normal(means, stds, validate_args=False), 1)
        law = MixtureSameFamily(Categorical(self.weights.to(x)), normals, validate_args=False)

        # A column of a million numbers has a million modes: a few x at a time.
        few = max(1, 2**22 // len(means))
        return torch.cat([law.log_prob(part) for part in x.split(few)])

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n independent draws, (n, dim)."""
        count("n", n)
        if len(self.weights) == 1:
            return self.means + self.stds * torch.randn(n, self.dim, generator=generator)

        k = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        return self.means[k] + self.stds[k, None] * torch.randn(n, self.dim, generator=generator)

    def cdf(self, x: Tensor) -> Tensor:
        """P(X ≤ x) of a law in one dimension, in the dtype of x; x is (n,), the answer (n,)."""
        if self.dim != 1:
            raise ValueError(f"cdf needs a law in one dimension, got one in {self.dim}")
        means, stds, weights = (row.to(x) for row in (self.means[:, 0], self.stds, self.weights))
        few = max(1, 2**22 // len(means))  # of x at a time, as in `log_prob`
        parts = [torch.special.ndtr((part[:, None] - means) / stds) for part in x.split(few)]
        return torch.cat(parts) @ weights

    def quantile(self, u: Tensor) -> Tensor:
        """The x with P(X ≤ x) = u, for one normal in one dimension, as a prior is; u is (n,)."""
        if self.means.shape != (1, 1):
            raise ValueError(
                f"quantile needs one normal in one dimension, got {len(self.means)} in {self.dim}"
            )
        return self.means[0] + self.stds * torch.special.ndtri(u)

    @property
    def range(self) -> tuple[float, float]:
        """An interval, the same for every axis, that holds all but about 1e-4 of the law."""
        reach = 4 * self.stds[:, None]
        return float((self.means - reach).min()), float((self.means + reach).max())

    def in_order(self) -> "Mixture":
        """The same law with its modes from left to right."""
        order = self.means[:, 0].argsort()
        law = copy.copy(self)
        law.means = self.means[order]
        law.stds = self.stds[order]
        law.weights = self.weights[order]
        return law

    def from_uniform(self, u: Tensor) -> Tensor:
        """Draws made of uniform numbers u in [0, 1), in one dimension; u is (n,), they are (n, 1).

        Each u names a mode, by the share of it in the law, and what is left of u the place in it.
        """
        ends = self.weights.double().cumsum(0)
        k = torch.searchsorted(ends, u).clamp(max=len(ends) - 1)
        rest = 1 - (ends[k] - u) / self.weights[k]  # of u, within mode k: uniform again
        z = torch.special.ndtri(rest.clamp(1e-7, 1 - 1e-7)).float()
        return self.means[k] + self.stds[k, None] * z[:, None]

    def __repr__(self):
        plural = "s" if len(self.means) > 1 else ""
        return f"{self.name}: {len(self.means)} normal{plural} in {self.dim}-D"


class Uniform:
    """Uniform law on [low, high], p(x) = 1 / (high − low)."""

    name = "uniform"
    dim = 1
    shift = 0.0
    scale = 1.0
    unit = "x"

    def __init__(self, low=-1.0, high=1.0):
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"uniform needs finite low < high, got low={low}, high={high}")
        self.low = float(low)
        self.high = float(high)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats: −log(high − low) inside, −inf outside; x is (n, 1), the answer (n,)."""
        inside = (x[:, 0] >= self.low) & (x[:, 0] <= self.high)
        log_p = torch.full_like(x[:, 0], -math.log(self.high - self.low))
        return log_p.masked_fill(~inside, -math.inf)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n independent draws, (n, 1)."""
        u = torch.rand(count("n", n), generator=generator)
        return self.quantile(u)[:, None]

    def from_uniform(self, u: Tensor) -> Tensor:
        """Draws made of uniform numbers u in [0, 1), the quantiles; u is (n,), they are (n, 1)."""
        return self.quantile(u.float())[:, None]

    def cdf(self, x: Tensor) -> Tensor:
        """P(X ≤ x); x is (n,), the answer (n,)."""
        return ((x - self.low) / (self.high - self.low)).clamp(0, 1)

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


class Even:
    """A one-dimensional law that is drawn evenly, as `even` says; in all else it is the law."""

    def __init__(self, law):
        self.law = law.in_order() if isinstance(law, Mixture) else law

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n draws, (n, 1), one from each slice [i/n, (i + 1)/n) of the law, in random order."""
        where = torch.rand(count("n", n), generator=generator, dtype=torch.float64)
        which = torch.randperm(n, generator=generator)
        return self.law.from_uniform((which + where) / n)

    def __getattr__(self, name):
        if name.startswith("__"):  # copy and pickle ask for such before there is a law
            raise AttributeError(name)
        return getattr(self.law, name)

    def __repr__(self):
        return repr(self.law)


def gaussian(mean=0.0, std=1.0, *, dim=1) -> Mixture:
    """The normal law N(mean, std² I) in `dim` dimensions."""
    return Mixture(torch.full((1, dim), float(mean)), [std], name="normal")


def uniform(low=-1.0, high=1.0) -> Uniform:
    """The uniform law on [low, high]; on [−1, 1] it is the usual prior of z in one dimension."""
    return Uniform(low, high)


def mixture(means=(-1.5, 1.5), stds=(0.5, 0.5), weights=None) -> Mixture:
    """A mixture of normals in one dimension; by default the course's two modes, ±1.5 with sd ½."""
    name = "two modes" if len(means) == 2 else "mixture"
    return Mixture(means, stds, weights, name=name)


def from_samples(values, *, bandwidth=None, name="your data", unit="x") -> Mixture:
    """The kernel density estimate of measured numbers: a normal of width `bandwidth` at each value.

    Its samples are draws of a value plus normal noise, so that p_data and the samples agree
    exactly. The law is standardised (mean 0, sd 1 of the values). `bandwidth` is in the units of
    the values; by default Silverman's rule 0.9 min(sd, IQR/1.34) n^(−1/5)
    (Silverman 1986, eq. 3.31).
    """
    x = _column(values)
    shift, scale = _mean_and_std(x)
    if not scale > 1e-12 * abs(shift):
        raise ValueError(f"values must differ, got {len(x)} times {shift:g}")

    if bandwidth is None:
        bandwidth = _silverman(x, scale)
    std = positive("bandwidth", bandwidth) / scale
    return Mixture((x - shift) / scale, [std], name=name, shift=shift, scale=scale, unit=unit)


def iris() -> Mixture:
    """Petal lengths of 150 iris flowers (Fisher 1936), bundled with scikit-learn; two groups.

    Silverman's rule smooths with 0.58 cm: the groups stay apart, each wider than its flowers are.
    """
    from sklearn.datasets import load_iris

    return from_samples(load_iris().data[:, 2], name="iris petal length", unit="petal length in cm")


def even(law):
    """The same one-dimensional law, drawn evenly: every part of it gets its share of a batch.

    Each draw comes from a uniform number, which names the mode and the place within it; a batch of
    n takes one such number from each slice [i/n, (i + 1)/n). Every draw still has the law p and the
    order is random, but the batch is a better likeness of p than n independent draws (stratified
    sampling; Owen 2013, ch. 8).
    """
    if law.dim != 1:
        raise ValueError(f"even draws need a law in one dimension, got {law!r}")
    if not hasattr(law, "from_uniform"):
        return law  # a law of your own draws as it always does
    return Even(law)


def ring(modes=8, radius=2.0, std=0.1) -> Mixture:
    """`modes` equal normals on a circle, in two dimensions."""
    angle = torch.linspace(0, 2 * math.pi, modes + 1)[:-1]
    circle = torch.stack([angle.cos(), angle.sin()], 1)
    return Mixture(radius * circle, [std], name=f"ring of {modes}")


def grid(side=5, spacing=1.0, std=0.05) -> Mixture:
    """side × side equal normals on a square grid around 0, in two dimensions."""
    ticks = (torch.arange(side) - (side - 1) / 2) * spacing
    return Mixture(torch.cartesian_prod(ticks, ticks), [std], name=f"grid of {side * side}")


def moons(points=200, std=0.1) -> Mixture:
    """Two interleaved half circles, in two dimensions."""
    t = torch.linspace(0, math.pi, points // 2)
    upper = torch.stack([t.cos() - 0.5, t.sin() - 0.25], 1)
    lower = torch.stack([0.5 - t.cos(), 0.25 - t.sin()], 1)
    return Mixture(1.5 * torch.cat([upper, lower]), [std], name="two moons")


def spiral(points=200, turns=1.5, std=0.08) -> Mixture:
    """One arm of an Archimedean spiral, evenly spaced along its length, in two dimensions."""
    t = torch.linspace(0.05, 1, points).sqrt() * turns * 2 * math.pi
    circle = torch.stack([t.cos(), t.sin()], 1)
    return Mixture((2 * t / t.max())[:, None] * circle, [std], name="spiral")


def _positive_row(name, numbers, modes) -> Tensor:
    """One positive number for each mode, float32; a single one stands for all."""
    row = torch.as_tensor(numbers, dtype=torch.float32)
    if row.shape not in ((), (1,), (modes,)) or not bool(((row > 0) & row.isfinite()).all()):
        raise ValueError(
            f"{name} must be positive numbers, one for each of {modes}, got {row.tolist()}"
        )
    return row.expand(modes).contiguous()


def _column(values) -> Tensor:
    """Measured numbers as one row in float64, or a ValueError that says what is wrong with them."""
    try:
        x = torch.as_tensor(values, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"values must be numbers in one column: {error}") from None

    if x.ndim == 2 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 1 or len(x) < 2:
        raise ValueError(
            f"values must be at least two numbers in one column, got shape {tuple(x.shape)}"
        )
    if not bool(x.isfinite().all()):
        missing = int((~x.isfinite()).sum())
        raise ValueError(f"values must be finite, got {missing} nan or infinite of {len(x)}")
    return x


def _mean_and_std(x: Tensor) -> tuple[float, float]:
    """Both by way of x / max |x|, so that no square is too large or too small for a float."""
    size = float(x.abs().max())
    if size == 0:
        size = 1.0
    mean = size * float((x / size).mean())
    return mean, size * float((x / size).std(correction=0))


def _silverman(x: Tensor, std: float) -> float:
    """The usual width of a kernel; where half of the values are the same, the sd alone sets it."""
    iqr = float(x.quantile(x.new_tensor([0.25, 0.75])).diff()) / 1.34
    spread = min(std, iqr) if iqr > 0 else std
    return 0.9 * spread * len(x) ** -0.2
