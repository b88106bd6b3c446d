"""Generators whose density is known in closed form, and their exact JS from a standard normal."""

import itertools
import math

from scipy import integrate, stats

from ganlib import targets

NORMAL = targets.gaussian()
FLAT = targets.uniform()


def arcsine(x):
    """The density of sin of a uniform angle."""
    return 1 / (math.pi * math.sqrt(1 - x * x)) if abs(x) < 1 else 0.0


def inverse_root(x):
    """The density of the square of a number that is uniform on (−1, 1)."""
    return 0.5 / math.sqrt(x) if 0 < x <= 1 else 0.0


# name: the prior of G, the density of G(z), and where that is steep
DENSITIES = {
    "moved": (NORMAL, stats.norm(1, 1).pdf, [1]),  # z + 1
    "narrow": (NORMAL, stats.norm(0.3, 0.05).pdf, [0.3]),  # 0.05 z + 0.3
    "box": (FLAT, stats.uniform(0.69, 0.02).pdf, [0.69, 0.71]),  # 0.7 ± 0.01 z
    "square": (FLAT, inverse_root, [0, 1]),  # z²
    "wave": (FLAT, arcsine, [-1, 1]),  # sin(2.5 π z)
    "heavy": (NORMAL, stats.lognorm(1).pdf, [0, 0.05, 0.3]),  # exp(z)
}


def js_from_normal(name):
    """JS between N(0, 1) and the law of this name, in nats, by quadrature."""
    _, density, steep = DENSITIES[name]

    def terms(x):
        p = stats.norm.pdf(x)
        q = density(x)
        return sum(a * math.log(2 * a / (p + q)) for a in (p, q) if a > 0) / 2

    ends = sorted({-12.0, -4.0, 4.0, 12.0, 100.0, 1e4, *steep})
    pieces = itertools.pairwise(ends)
    return sum(integrate.quad(terms, low, high, limit=400)[0] for low, high in pieces)
