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

from ganlib.checks import count, finite, floats, method, positive, tensor

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
        self.shift = finite("shift", shift)
        self.scale = positive("scale", scale)
        self.unit = unit

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, in the dtype of x; x is (n, dim), the answer (n,)."""
        x = _rows("x", x, self.dim)
        means = self.means.to(x)
        stds = self.stds.to(x)[:, None].expand_as(means)
        normals = Independent(Normal(means, stds, validate_args=False), 1)
        law = MixtureSameFamily(Categorical(self.weights.to(x)), normals, validate_args=False)

        # A column of a million numbers has a million modes: a few x at a time.
        few = max(1, 2**22 // len(means))
        return torch.cat([law.log_prob(part) for part in x.split(few)])

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n independent draws, (n, dim)."""
        n = count("n", n)
        if len(self.weights) == 1:
            return self.means + self.stds * torch.randn(n, self.dim, **_plain(generator))

        normals = _plain(generator)
        k = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        return self.means[k] + self.stds[k, None] * torch.randn(n, self.dim, **normals)

    def cdf(self, x: Tensor) -> Tensor:
        """P(X ≤ x) of a law in one dimension, in the dtype of x; x is (n,), the answer (n,)."""
        if self.dim != 1:
            raise ValueError(f"cdf needs a law in one dimension, got one in {self.dim}")
        x = _row("x", x)
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
        u = _shares("u", u)
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
        if self.dim != 1:
            raise ValueError(f"from_uniform needs a law in one dimension, got one in {self.dim}")
        u = _shares("u", u)
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
        self.low = finite("low", low)
        self.high = finite("high", high)
        if not self.low < self.high:
            raise ValueError(f"uniform needs low < high, got low={low}, high={high}")

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats: −log(high − low) inside, −inf outside; x is (n, 1), the answer (n,)."""
        x = _rows("x", x, 1)
        inside = (x[:, 0] >= self.low) & (x[:, 0] <= self.high)
        log_p = torch.full_like(x[:, 0], -math.log(self.high - self.low))
        return log_p.masked_fill(~inside, -math.inf)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n independent draws, (n, 1)."""
        u = torch.rand(count("n", n), **_plain(generator))
        return self._at(u)[:, None]

    def from_uniform(self, u: Tensor) -> Tensor:
        """Draws made of uniform numbers u in [0, 1), the quantiles; u is (n,), they are (n, 1)."""
        return self._at(_shares("u", u).float())[:, None]

    def cdf(self, x: Tensor) -> Tensor:
        """P(X ≤ x); x is (n,), the answer (n,)."""
        return ((_row("x", x) - self.low) / (self.high - self.low)).clamp(0, 1)

    def quantile(self, u: Tensor) -> Tensor:
        """The x with P(X ≤ x) = u; u is (n,)."""
        return self._at(_shares("u", u))

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
        self.law = law.in_order() if isinstance(law, Mixture) else law

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n draws, (n, 1), one from each slice [i/n, (i + 1)/n) of the law, in random order."""
        n = count("n", n)
        where = torch.rand(n, dtype=torch.float64, **_drawing(generator))
        which = torch.randperm(n, **_drawing(generator))
        return self.from_uniform((which + where) / n)

    def from_uniform(self, u: Tensor) -> Tensor:
        """Draws made of uniform numbers u in [0, 1); u is (n,), they are (n, 1)."""
        if hasattr(self.law, "from_uniform"):
            return self.law.from_uniform(u)
        return self.law.quantile(u.float())[:, None]

    def __getattr__(self, name):
        if name.startswith("__"):  # copy and pickle ask for such before there is a law
            raise AttributeError(name)
        return getattr(self.law, name)

    def __repr__(self):
        return repr(self.law)


def gaussian(mean=0.0, std=1.0, *, dim=1) -> Mixture:
    """The normal law N(mean, std² I) in `dim` dimensions."""
    means = [[finite("mean", mean)] * count("dim", dim, 1, LARGEST)]
    return Mixture(means, [positive("std", std)], name="normal")


def uniform(low=-1.0, high=1.0) -> Uniform:
    """The uniform law on [low, high]; on [−1, 1] it is the usual prior of z in one dimension."""
    return Uniform(low, high)


def mixture(means=(-1.5, 1.5), stds=(0.5, 0.5), weights=None) -> Mixture:
    """A mixture of normals in one dimension; by default the course's two modes, ±1.5 with sd ½."""
    name = "two modes" if floats("means", means).shape == (2,) else "mixture"
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

    return from_samples(load_iris().data[:, 2], name="iris petal length", unit="petal length in cm")


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
    angle = torch.linspace(0, 2 * math.pi, modes + 1, **PLAIN)[:-1]
    circle = torch.stack([angle.cos(), angle.sin()], 1)
    means = positive("radius", radius) * circle
    return Mixture(means, [positive("std", std)], name=f"ring of {modes}")


def grid(side=5, spacing=1.0, std=0.05) -> Mixture:
    """side × side equal normals on a square grid around 0, in two dimensions."""
    count("side", side, 1, 1000)
    ticks = (torch.arange(side, **PLAIN) - (side - 1) / 2) * positive("spacing", spacing)
    means = torch.cartesian_prod(ticks, ticks)
    return Mixture(means, [positive("std", std)], name=f"grid of {side * side}")


def moons(points=200, std=0.1) -> Mixture:
    """Two interleaved half circles, in two dimensions."""
    t = torch.linspace(0, math.pi, count("points", points, 2, LARGEST) // 2, **PLAIN)
    upper = torch.stack([t.cos() - 0.5, t.sin() - 0.25], 1)
    lower = torch.stack([0.5 - t.cos(), 0.25 - t.sin()], 1)
    means = 1.5 * torch.cat([upper, lower])
    return Mixture(means, [positive("std", std)], name="two moons")


def spiral(points=200, turns=1.5, std=0.08) -> Mixture:
    """One arm of an Archimedean spiral, evenly spaced along its length, in two dimensions."""
    along = torch.linspace(0.05, 1, count("points", points, 1, LARGEST), **PLAIN).sqrt()
    t = along * positive("turns", turns) * 2 * math.pi
    circle = torch.stack([t.cos(), t.sin()], 1)
    means = (2 * t / t.max())[:, None] * circle
    return Mixture(means, [positive("std", std)], name="spiral")


# -- what is given ---------------------------------------------------------------------------------


def _drawing(generator) -> dict:
    """How random numbers are drawn: on the CPU, where the generator lives, from `generator`."""
    if not isinstance(generator, torch.Generator | None):
        raise TypeError(f"generator must be a torch.Generator or None, got {generator!r}")
    return {"generator": generator, "device": "cpu"}


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


def _rows(name, x, dim: int) -> Tensor:
    """x as floating numbers, (n, dim)."""
    x = tensor(name, x)
    if x.ndim != 2 or x.shape[1] != dim:
        raise ValueError(f"{name} must be (n, {dim}), got shape {tuple(x.shape)}")
    return x


def _shares(name, u) -> Tensor:
    """u as floating numbers in [0, 1], (n,)."""
    u = _row(name, u)
    if len(u):
        low, high = u.aminmax()
        if not 0 <= float(low) <= float(high) <= 1:  # put so that nan fails too
            raise ValueError(f"{name} must be numbers from 0 to 1, got {low:g} to {high:g}")
    return u


def _positive_row(name, numbers, modes) -> Tensor:
    """One positive number for each mode, float32; a single one stands for all."""
    row = _float32(name, numbers)
    if row.shape not in ((), (1,), (modes,)) or not bool(((row > 0) & row.isfinite()).all()):
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
    lines = [line.strip().strip('"').strip() for line in text.splitlines()]
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found += [float(line)] if line else []
        except ValueError:
            if number > 1:
                raise ValueError(
                    f"values must be text with one number a line, such as 1.5, "
                    f"but line {number} is {line[:40]!r}"
                ) from None
    return found


def _standardised(x: np.ndarray) -> tuple[np.ndarray, float, float]:
    """x with mean 0 and sd 1; and its mean and sd.

    Both by way of (x − x₀) / 2ᵏ, so that no square is too large or too small for a float, and no
    digit is lost where all values are large and differ little.
    """
    if x.min() == x.max():
        raise ValueError(f"values must differ, got {len(x)} times {x[0]:g}")
    size = 2.0 ** (math.frexp(np.abs(x).max())[1] - 1)
    away = x / size - x[0] / size
    span = np.abs(away).max()
    mean = span * (away / span).mean()
    std = span * (away / span).std()
    return (away - mean) / std, float(size * mean + x[0]), float(size * std)


def _silverman(x: np.ndarray) -> float:
    """The usual width of a kernel, sd 1; where half of the values are the same, the sd sets it."""
    iqr = np.subtract(*np.quantile(x, [0.75, 0.25])) / 1.34
    spread = min(1.0, iqr) if iqr > 0 else 1.0
    return 0.9 * spread * len(x) ** -0.2
