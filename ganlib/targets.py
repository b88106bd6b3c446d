"""What a generator must learn: laws in one and two dimensions that can be sampled and evaluated.

Every law here is a mixture of normals or a uniform. That is enough: a normal is a mixture of one, a
ring is a mixture of eight, and a kernel density estimate is a mixture with one normal per data
point. Samples come from an explicit `torch.Generator`, so that no run disturbs the randomness of
another.
"""

import copy
import math

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from ganlib.checks import all_finite, count, finite, floats, method, positive, rows, tensor

LARGEST = 1_000_000  # modes, and dimensions, of a law that is made here
PLAIN: dict = {"dtype": torch.float32, "device": "cpu"}  # whatever torch's defaults are


class Mixture:
    """Mixture of isotropic normals, p(x) = Σₖ wₖ N(x; μₖ, σₖ² I).

    `means` is (modes, dim), `stds` and `weights` are (modes,). For data of any scale the law lives
    in standardised units; `shift + scale * x` returns to the units named `unit`.
    """

    def __init__(
        self, means, stds, weights=None, *, name="mixture", shift=0.0, scale=1.0, unit="x"
    ):
        means = _float32("means", means)
        self.means = means[:, None] if means.ndim == 1 else means
        if self.means.ndim != 2 or self.means.numel() == 0 or not all_finite(self.means):
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
        self.shift = finite("shift", shift)
        self.scale = positive("scale", scale)
        self.unit = unit

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, in the dtype of x; x is (n, dim), the answer (n,)."""
        x = rows("x", x, self.dim)
        means = self.means.to(x)
        stds = self.stds.to(x)[:, None].expand_as(means)
        weights = self.weights.to(x)
        axes = Normal(means, stds, validate_args=False)
        normals = Independent(axes, 1)
        law = MixtureSameFamily(Categorical(weights), normals, validate_args=False)

        # A column of a million numbers has a million modes: a few x at a time.
        few = max(1, 2**22 // len(means))
        return torch.cat([law.log_prob(part) for part in x.split(few)])

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n independent draws, (n, dim), on the device of the generator."""
        n = count("n", n)
        normals = _plain(generator)
        means, stds, weights = (
            part.to(normals["device"]) for part in (self.means, self.stds, self.weights)
        )
        if len(weights) == 1:
            z = torch.randn(n, self.dim, **normals)
            return means + stds * z

        k = torch.multinomial(weights, n, replacement=True, generator=generator)
        z = torch.randn(n, self.dim, **normals)
        return means[k] + stds[k, None] * z

    def cdf(self, x: Tensor) -> Tensor:
        """P(X ≤ x) of a law in one dimension, in the dtype of x; x is (n,), the answer (n,)."""
        if self.dim != 1:
            raise ValueError(f"cdf needs a law in one dimension, got one in {self.dim}")
        x = _row("x", x)
        means = self.means[:, 0].to(x)
        stds = self.stds.to(x)
        weights = self.weights.to(x)
        few = max(1, 2**22 // len(means))  # of x at a time, as in `log_prob`
        parts = []
        for part in x.split(few):
            z = (part[:, None] - means) / stds
            parts.append(torch.special.ndtr(z))
        return torch.cat(parts) @ weights

    def quantile(self, u: Tensor) -> Tensor:
        """The x with P(X ≤ x) = u, for one normal in one dimension, as a prior is; u is (n,)."""
        if self.means.shape != (1, 1):
            raise ValueError(
                f"quantile needs one normal in one dimension, got {len(self.means)} in {self.dim}"
            )
        u = _shares("u", u)
        z = torch.special.ndtri(u)
        return self.means[0] + self.stds * z

    @property
    def range(self) -> tuple[float, float]:
        """An interval, the same for every axis, that holds all but about 1e-4 of the law."""
        reach = 4 * self.stds[:, None]
        low = (self.means - reach).min()
        high = (self.means + reach).max()
        return float(low), float(high)

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
        if self.dim != 1:
            raise ValueError(f"from_uniform needs a law in one dimension, got one in {self.dim}")
        u = _shares("u", u)
        ends = self.weights.double().cumsum(0)
        k = torch.searchsorted(ends, u).clamp(max=len(ends) - 1)
        rest = 1 - (ends[k] - u) / self.weights[k]  # of u, within mode k: uniform again
        rest = rest.clamp(1e-7, 1 - 1e-7)
        z = torch.special.ndtri(rest).float()
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
        self.low = finite("low", low)
        self.high = finite("high", high)
        if not self.low < self.high:
            raise ValueError(f"uniform needs low < high, got low={low}, high={high}")

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats: −log(high − low) inside, −inf outside; x is (n, 1), the answer (n,)."""
        x = rows("x", x, 1)[:, 0]
        inside = (x >= self.low) & (x <= self.high)
        log_p = torch.full_like(x, -math.log(self.high - self.low))
        return log_p.masked_fill(~inside, -math.inf)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n independent draws, (n, 1)."""
        u = torch.rand(count("n", n), **_plain(generator))
        return self._at(u)[:, None]

    def from_uniform(self, u: Tensor) -> Tensor:
        """Draws made of uniform numbers u in [0, 1), the quantiles; u is (n,), they are (n, 1)."""
        u = _shares("u", u).float()
        return self._at(u)[:, None]

    def cdf(self, x: Tensor) -> Tensor:
        """P(X ≤ x); x is (n,), the answer (n,)."""
        x = _row("x", x)
        below = (x - self.low) / (self.high - self.low)
        return below.clamp(0, 1)

    def quantile(self, u: Tensor) -> Tensor:
        """The x with P(X ≤ x) = u; u is (n,)."""
        u = _shares("u", u)
        return self._at(u)

    def _at(self, u: Tensor) -> Tensor:
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
        if isinstance(law, Mixture):
            law = law.in_order()
        self.law = law

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n draws, (n, 1), one from each slice [i/n, (i + 1)/n) of the law, in random order."""
        n = count("n", n)
        where = torch.rand(n, dtype=torch.float64, **_drawing(generator))
        which = torch.randperm(n, **_drawing(generator))
        u = (which + where) / n
        return self.from_uniform(u)

    def from_uniform(self, u: Tensor) -> Tensor:
        """Draws made of uniform numbers u in [0, 1); u is (n,), they are (n, 1)."""
        if hasattr(self.law, "from_uniform"):
            return self.law.from_uniform(u)
        x = self.law.quantile(u.float())
        return x[:, None]

    def __getattr__(self, name):
        if name.startswith("__"):  # copy and pickle ask for such before there is a law
            raise AttributeError(name)
        return getattr(self.law, name)

    def __repr__(self):
        return repr(self.law)


def gaussian(mean=0.0, std=1.0, *, dim=1) -> Mixture:
    """The normal law N(mean, std² I) in `dim` dimensions."""
    mean = finite("mean", mean)
    dim = count("dim", dim, 1, LARGEST)
    std = positive("std", std)
    return Mixture([[mean] * dim], [std], name="normal")


def uniform(low=-1.0, high=1.0) -> Uniform:
    """The uniform law on [low, high]; on [−1, 1] it is the usual prior of z in one dimension."""
    return Uniform(low, high)


def mixture(means=(-1.5, 1.5), stds=(0.5, 0.5), weights=None) -> Mixture:
    """A mixture of normals in one dimension; by default the course's two modes, ±1.5 with sd ½."""
    shape = floats("means", means).shape
    name = "two modes" if shape == (2,) else "mixture"
    return Mixture(means, stds, weights, name=name)


def from_samples(values, *, bandwidth=None, name="your data", unit="x") -> Mixture:
    """The kernel density estimate of measured numbers: a normal of width `bandwidth` at each value.

    values: numbers in one column, as a list, array, tensor or column of a table; masked entries are
    left out; or text, a number a line, as a CSV file has them, with or without a name on top.
    Missing values (nan) are refused: how to do without them is for you to say.

    The law's samples are draws of a value plus normal noise, so that p_data and the samples agree
    exactly. It is standardised (mean 0, sd 1 of the values). `bandwidth` is in the units of the
    values; by default Silverman's rule 0.9 min(sd, IQR/1.34) n^(−1/5)
    (Silverman 1986, eq. 3.31).
    """
    x, shift, scale = _standardised(_column(values))
    if bandwidth is None:
        std = _silverman(x)
    else:
        std = positive("bandwidth", bandwidth) / scale
        if not 1e-30 < std < 1e30:  # else float32 could not tell it from 0 or from infinity
            raise ValueError(f"bandwidth must be of a size with the sd, {scale:g}, got {bandwidth}")
    return Mixture(x, [std], name=name, shift=shift, scale=scale, unit=unit)


def iris() -> Mixture:
    """Petal lengths of 150 iris flowers (Fisher 1936), bundled with scikit-learn; two groups.

    Silverman's rule smooths with 0.58 cm: the groups stay apart, each wider than its flowers are.
    """
    from sklearn.datasets import load_iris

    lengths = load_iris().data[:, 2]
    return from_samples(lengths, name="iris petal length", unit="petal length in cm")


def even(law):
    """The same one-dimensional law, drawn evenly: every part of it gets its share of a batch.

    Each draw comes from a uniform number, which names the mode and the place within it; a batch of
    n takes one such number from each slice [i/n, (i + 1)/n). Every draw still has the law p and the
    order is random, but the batch is a better likeness of p than n independent draws (stratified
    sampling; Owen 2013, ch. 8). A law of your own needs a `quantile`, as `uniform` has.
    """
    if getattr(law, "dim", 1) != 1:
        raise ValueError(f"law must have one dimension to be drawn evenly, got {law!r}")
    if not hasattr(law, "from_uniform"):
        method("law", law, "quantile")
    return Even(law)


def ring(modes=8, radius=2.0, std=0.1) -> Mixture:
    """`modes` equal normals on a circle, in two dimensions."""
    count("modes", modes, 1, LARGEST)
    radius = positive("radius", radius)
    std = positive("std", std)
    angle = torch.linspace(0, 2 * math.pi, modes + 1, **PLAIN)[:-1]
    means = radius * _unit_circle(angle)
    return Mixture(means, [std], name=f"ring of {modes}")


def grid(side=5, spacing=1.0, std=0.05) -> Mixture:
    """side × side equal normals on a square grid around 0, in two dimensions."""
    count("side", side, 1, 1000)
    spacing = positive("spacing", spacing)
    std = positive("std", std)
    middle = (side - 1) / 2
    ticks = (torch.arange(side, **PLAIN) - middle) * spacing
    means = torch.cartesian_prod(ticks, ticks)
    return Mixture(means, [std], name=f"grid of {side * side}")


def moons(points=200, std=0.1) -> Mixture:
    """Two interleaved half circles, in two dimensions."""
    points = count("points", points, 2, LARGEST)
    std = positive("std", std)
    angle = torch.linspace(0, math.pi, points // 2, **PLAIN)
    half_circle = _unit_circle(angle)
    middle = torch.tensor([0.5, 0.25], **PLAIN)
    upper = half_circle - middle
    lower = middle - half_circle
    means = 1.5 * torch.cat([upper, lower])
    return Mixture(means, [std], name="two moons")


def spiral(points=200, turns=1.5, std=0.08) -> Mixture:
    """One arm of an Archimedean spiral, evenly spaced along its length, in two dimensions."""
    points = count("points", points, 1, LARGEST)
    turns = positive("turns", turns)
    std = positive("std", std)
    along = torch.linspace(0.05, 1, points, **PLAIN).sqrt()
    angle = along * turns * 2 * math.pi
    radius = 2 * angle / angle.max()
    means = radius[:, None] * _unit_circle(angle)
    return Mixture(means, [std], name="spiral")


def _unit_circle(angle: Tensor) -> Tensor:
    """Points of the circle around 0 with radius 1, (n, 2)."""
    return torch.stack([angle.cos(), angle.sin()], 1)


# -- what is given ---------------------------------------------------------------------------------


def _drawing(generator) -> dict:
    """How random numbers are drawn: where `generator` lives, on the CPU if there is none."""
    if not isinstance(generator, torch.Generator | None):
        raise TypeError(f"generator must be a torch.Generator or None, got {generator!r}")
    device = torch.device("cpu") if generator is None else generator.device
    return {"generator": generator, "device": device}


def _plain(generator) -> dict:
    """The same, as float32, whatever torch's default is."""
    return {"dtype": torch.float32, **_drawing(generator)}


def _float32(name, numbers) -> Tensor:
    """Numbers of any kind as a new float32 tensor."""
    return torch.from_numpy(floats(name, numbers)).float()


def _row(name, x) -> Tensor:
    """x as floating numbers, (n,)."""
    x = tensor(name, x)
    if x.ndim != 1:
        raise ValueError(f"{name} must be a row of numbers (n,), got shape {tuple(x.shape)}")
    return x


def _shares(name, u) -> Tensor:
    """u as floating numbers in [0, 1], (n,)."""
    u = _row(name, u)
    if len(u) == 0:
        return u
    low, high = u.aminmax()
    if not 0 <= float(low) <= float(high) <= 1:  # put so that nan fails too
        raise ValueError(f"{name} must be numbers from 0 to 1, got {low:g} to {high:g}")
    return u


def _positive_row(name, numbers, modes) -> Tensor:
    """One positive number for each mode, float32; a single one stands for all."""
    row = _float32(name, numbers)
    good = (row > 0) & row.isfinite()
    if row.shape not in ((), (1,), (modes,)) or not bool(good.all()):
        raise ValueError(
            f"{name} must be positive numbers, one for each of {modes}, got {row.tolist()}"
        )
    return row.expand(modes).contiguous()


def _column(values) -> np.ndarray:
    """Measured numbers as one row in float64, or a ValueError that says what is wrong with them."""
    if isinstance(values, str):
        values = _lines(values)

    if np.ma.isMaskedArray(values) and values.shape[1:] in ((), (1,)):
        values = values.compressed()

    x = floats("values", values)
    if x.ndim == 2 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 1 or len(x) < 2:
        raise ValueError(
            f"values must be at least two numbers in one column, got shape {tuple(x.shape)}"
        )
    missing = int((~np.isfinite(x)).sum())
    if missing:
        raise ValueError(
            f"values must be finite, got {missing} nan or infinite of {len(x)}: leave them out, "
            "values[np.isfinite(values)], if that is fair to the others"
        )
    return x


def _lines(text: str) -> list[float]:
    """The numbers of a text with one in each line; the first line may be a name."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip().strip('"').strip()
        if not bare:
            continue
        try:
            found.append(float(bare))
        except ValueError:
            if number > 1:
                raise ValueError(
                    f"values must be text with one number a line, such as 1.5, "
                    f"but line {number} is {bare[:40]!r}"
                ) from None
    return found


def _standardised(x: np.ndarray) -> tuple[np.ndarray, float, float]:
    """x with mean 0 and sd 1; and its mean and sd.

    Both by way of (x − x₀) / 2ᵏ, so that no square is too large or too small for a float, and no
    digit is lost where all values are large and differ little.
    """
    if x.min() == x.max():
        raise ValueError(f"values must differ, got {len(x)} times {x[0]:g}")
    _, exponent = math.frexp(np.abs(x).max())
    size = 2.0 ** (exponent - 1)
    away = x / size - x[0] / size
    span = np.abs(away).max()
    shares = away / span
    mean = span * shares.mean()
    std = span * shares.std()
    z = (away - mean) / std
    return z, float(size * mean + x[0]), float(size * std)


def _silverman(x: np.ndarray) -> float:
    """The usual width of a kernel, sd 1; where half of the values are the same, the sd sets it."""
    upper, lower = np.quantile(x, [0.75, 0.25])
    spread = 1.0
    if upper > lower:
        spread = min(spread, (upper - lower) / 1.34)
    return 0.9 * spread * len(x) ** -0.2
