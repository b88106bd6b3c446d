"""Every law against scipy, against its own samples, and against what a careless caller may hand over."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from ganlib import targets
from ganlib.densities import line

FLAT = {
    "gaussian": targets.gaussian(),
    "moved": targets.gaussian(3, 0.2),
    "two modes": targets.mixture(),
    "uneven": targets.mixture((-1, 0, 4), (0.2, 0.3, 1.0), (1, 2, 5)),
    "uniform": targets.uniform(-2, 5),
    "iris": targets.iris(),
    "yours": targets.from_samples([3.0, 1.0, 4.0, 1.0, 5.0]),
}
PLANE = {
    "normal": targets.gaussian(dim=2),
    "ring": targets.ring(),
    "grid": targets.grid(3),
    "moons": targets.moons(),
    "spiral": targets.spiral(),
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def cumulative(law, width=12.0):
    x = line(law.range[0] - width, law.range[1] + width, 20_000)
    mass = law.log_prob(x[:, None]).exp() * (x[1] - x[0])
    return x, mass


def fits(draws, x, mass):
    """The p-value of Kolmogorov and Smirnov: small when these draws do not come from these masses."""
    return stats.kstest(draws.numpy(), lambda t: np.interp(t, x, mass.cumsum(0) - mass / 2)).pvalue


@pytest.mark.parametrize("name", FLAT)
def test_a_density_integrates_to_1_and_its_range_holds_nearly_all(name):
    law = FLAT[name]
    x, mass = cumulative(law)
    assert float(mass.sum()) == pytest.approx(1, abs=2e-5)
    inside = (x > law.range[0]) & (x < law.range[1])
    assert float(mass[inside].sum()) == pytest.approx(1, abs=2e-4)


@pytest.mark.parametrize("name", FLAT)
def test_samples_follow_the_density(name):
    x, mass = cumulative(FLAT[name])
    assert fits(FLAT[name].sample(4000, seeded())[:, 0], x, mass) > 1e-3
    assert FLAT[name].sample(3, seeded()).shape == (3, 1)


@pytest.mark.parametrize("name", PLANE)
def test_the_plane_too(name):
    law = PLANE[name]
    side = line(law.range[0] - 1, law.range[1] + 1, 200)
    mass = (
        law.log_prob(torch.cartesian_prod(side, side)).exp().reshape(200, 200)
        * (side[1] - side[0]) ** 2
    )
    assert float(mass.sum()) == pytest.approx(1, abs=1e-4)
    draws = law.sample(4000, seeded())
    assert draws.shape == (4000, 2)
    for axis, margin in enumerate((mass.sum(1), mass.sum(0))):
        assert fits(draws[:, axis], side, margin) > 1e-3


def test_log_prob_against_scipy():
    x = torch.linspace(-6, 9, 301, dtype=torch.float64)[:, None]
    ours = {
        "moved": stats.norm(3, 0.2).logpdf(x[:, 0]),
        "uniform": stats.uniform(-2, 7).logpdf(x[:, 0]),
        "uneven": np.log(
            sum(
                w * stats.norm(m, s).pdf(x[:, 0])
                for w, m, s in ((1 / 8, -1, 0.2), (2 / 8, 0, 0.3), (5 / 8, 4, 1.0))
            )
        ),
    }
    for name, log_p in ours.items():
        torch.testing.assert_close(
            FLAT[name].log_prob(x), torch.as_tensor(log_p), atol=1e-4, rtol=1e-6
        )
        assert FLAT[name].log_prob(x.float()).dtype == torch.float32
    narrow = targets.uniform(0, 3).log_prob(x)
    assert float(narrow[narrow.isfinite()].unique()) == -math.log(3)  # to the last digit of float64


def test_iris_against_scipys_kernel_density_estimate():
    from sklearn.datasets import load_iris

    cm, law = load_iris().data[:, 2], targets.iris()
    silverman = 0.9 * min(cm.std(), stats.iqr(cm) / 1.34) * len(cm) ** -0.2
    kde = stats.gaussian_kde(cm, bw_method=silverman / cm.std(ddof=1))
    x = np.linspace(0, 8, 101)
    ours = law.log_prob(torch.as_tensor((x - law.shift) / law.scale)[:, None]).exp() / law.scale
    np.testing.assert_allclose(ours, kde(x), atol=1e-6)
    assert law.unit == "petal length in cm"


def test_a_column_of_any_scale_gives_the_same_law():
    column = [1.0, 2.0, 2.5, 7.0, 7.5]
    x = torch.linspace(-3, 3, 50)[:, None]
    expected = targets.from_samples(column).log_prob(x)
    for factor in (1e-300, 1e-20, 1e9, 1e300):
        law = targets.from_samples([factor * value for value in column])
        torch.testing.assert_close(law.log_prob(x), expected, atol=1e-5, rtol=1e-5)
        assert law.shift == pytest.approx(4 * factor)
    torch.testing.assert_close(
        targets.from_samples(np.array(column)[:, None]).log_prob(x), expected
    )


def test_silvermans_rule_and_a_bandwidth_of_your_own():
    values = stats.norm(5, 3).rvs(400, random_state=1)
    iqr = stats.iqr(values) / 1.34
    rule = 0.9 * min(values.std(), iqr) * 400**-0.2
    assert float(targets.from_samples(values).stds[0]) == pytest.approx(
        rule / values.std(), rel=1e-5
    )
    law = targets.from_samples(values, bandwidth=np.float32(1.5))
    assert float(law.stds[0]) == pytest.approx(1.5 / values.std(), rel=1e-5)
    assert (
        float(targets.from_samples([0.0] * 9 + [1.0]).stds[0]) > 0
    )  # more than half of the values are the same


@pytest.mark.parametrize(
    "law, other",
    [(targets.gaussian(2, 3), stats.norm(2, 3)), (targets.uniform(-1, 4), stats.uniform(-1, 5))],
)
def test_quantiles_against_scipy(law, other):
    u = torch.linspace(0.001, 0.999, 99, dtype=torch.float64)
    torch.testing.assert_close(law.quantile(u), torch.as_tensor(other.ppf(u)), atol=1e-5, rtol=1e-5)


def test_a_generator_fixes_the_samples_and_the_global_one_is_left_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    for law in [*FLAT.values(), *PLANE.values()]:
        torch.testing.assert_close(law.sample(5, seeded(3)), law.sample(5, seeded(3)))
    assert torch.equal(before, torch.get_rng_state())


def test_many_modes_are_read_a_few_x_at_a_time():
    values = torch.linspace(-1, 1, 2_000_001)  # five million x at once would not fit
    log_p = targets.from_samples(values, bandwidth=0.01).log_prob(
        torch.tensor([[0.0], [0.3], [-0.7]])
    )
    torch.testing.assert_close(
        log_p, torch.full((3,), -math.log(2 * math.sqrt(3))), atol=1e-3, rtol=0
    )


WRONG = [
    (lambda: targets.gaussian(std=0), "stds.*positive.*0.0"),
    (lambda: targets.gaussian(std=math.nan), "stds.*nan"),
    (lambda: targets.gaussian(math.inf), "means.*inf"),
    (lambda: targets.mixture((0, 1), (1, 1, 1)), "stds.*2"),
    (lambda: targets.mixture((0, 1), (1, 1), (1, 0)), "weights"),
    (lambda: targets.mixture((), ()), "at least one"),
    (lambda: targets.mixture((0, 1), (1, 1), (1, 2, 3)), "weights.*2"),
    (lambda: targets.uniform(1, 1), "low < high"),
    (lambda: targets.uniform(0, math.inf), "finite"),
    (lambda: targets.ring(0), "at least one"),
    (lambda: targets.ring(std=-1), "stds"),
    (lambda: targets.gaussian().sample(0), "at least 1, got 0"),
    (lambda: targets.iris().sample(-2), "got -2"),
    (lambda: targets.uniform().sample(2.5), r"got 2\.5"),
    (lambda: targets.mixture().quantile(torch.rand(3)), "one normal"),
    (lambda: targets.from_samples([1.0, math.nan]), "1 nan or infinite of 2"),
    (lambda: targets.from_samples([1.0]), "at least two"),
    (lambda: targets.from_samples([]), "at least two"),
    (lambda: targets.from_samples([[1.0, 2.0], [3.0, 4.0]]), r"shape \(2, 2\)"),
    (lambda: targets.from_samples([4.0] * 9), "must differ, got 9 times 4"),
    (lambda: targets.from_samples([0.0, 0.0]), "must differ"),
    (lambda: targets.from_samples(["a", "b"]), "must be numbers"),
    (lambda: targets.from_samples(None), "values"),
    (lambda: targets.from_samples([1.0, 2.0], bandwidth=0), "bandwidth.*got 0"),
    (lambda: targets.from_samples([1.0, 2.0], bandwidth="wide"), "bandwidth.*wide"),
]


@pytest.mark.parametrize("call, words", WRONG)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_laws_say_what_they_are():
    assert [str(law) for law in (targets.gaussian(), targets.ring(), targets.uniform())] == [
        "normal: 1 normal in 1-D",
        "ring of 8: 8 normals in 2-D",
        "uniform on [-1, 1]",
    ]


@pytest.mark.parametrize("name", FLAT)
def test_even_draws_follow_the_law_and_cover_it_evenly(name):
    law = targets.even(FLAT[name])
    x, mass = cumulative(law)
    rows = torch.cat([law.sample(16, seeded(seed)) for seed in range(250)])[:, 0]
    assert fits(rows, x, mass) > 1e-3 and not FLAT[name].even
    batch = law.sample(64, seeded())[:, 0]
    even, plain = (
        torch.stack([one.sample(64, seeded(seed)).mean() for seed in range(200)]).std()
        for one in (law, FLAT[name])
    )
    assert float(even) < 0.6 * float(plain)  # a batch is a better likeness of the law
    if name in ("gaussian", "moved", "uniform"):
        u = np.interp(batch.sort().values, x, mass.cumsum(0) - mass / 2)
        assert np.floor(64 * u).tolist() == pytest.approx(np.arange(64), abs=1)
    assert not bool((batch.diff() > 0).all())  # in random order
    with pytest.raises(ValueError, match="one dimension"):
        targets.even(PLANE["ring"])
