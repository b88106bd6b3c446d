"""Every law against scipy, against its own samples, and against what a careless caller may give."""

import copy
import math
import pickle

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


def cells(law, width=12.0):
    """A grid around the law, and the mass of each of its cells."""
    x = line(law.range[0] - width, law.range[1] + width, 20_000)
    mass = law.log_prob(x[:, None]).exp() * (x[1] - x[0])
    return x, mass


def at_most(t, x, mass):
    """P(X ≤ t) for a law with these masses in the cells around x."""
    return np.interp(t, x, mass.cumsum(0) - mass / 2)


def fits(draws, x, mass):
    """The p-value of Kolmogorov and Smirnov: small when the draws do not come from these masses."""
    return stats.kstest(draws.numpy(), lambda t: at_most(t, x, mass)).pvalue


@pytest.mark.parametrize("name", FLAT)
def test_a_density_integrates_to_1_and_its_range_holds_nearly_all(name):
    law = FLAT[name]
    x, mass = cells(law)
    assert float(mass.sum()) == pytest.approx(1, abs=2e-5)
    inside = (x > law.range[0]) & (x < law.range[1])
    assert float(mass[inside].sum()) == pytest.approx(1, abs=2e-4)


@pytest.mark.parametrize("name", FLAT)
def test_samples_follow_the_density(name):
    law = FLAT[name]
    x, mass = cells(law)
    assert fits(law.sample(4000, seeded())[:, 0], x, mass) > 1e-3
    assert law.sample(3, seeded()).shape == (3, 1)


@pytest.mark.parametrize("name", PLANE)
def test_the_plane_too(name):
    law = PLANE[name]
    side = line(law.range[0] - 1, law.range[1] + 1, 200)
    density = law.log_prob(torch.cartesian_prod(side, side)).exp().reshape(200, 200)
    mass = density * (side[1] - side[0]) ** 2
    assert float(mass.sum()) == pytest.approx(1, abs=1e-4)

    draws = law.sample(4000, seeded())
    assert draws.shape == (4000, 2)
    for axis, margin in enumerate((mass.sum(1), mass.sum(0))):
        assert fits(draws[:, axis], side, margin) > 1e-3


def test_log_prob_against_scipy():
    x = torch.linspace(-6, 9, 301, dtype=torch.float64)[:, None]
    modes = [(1 / 8, -1, 0.2), (2 / 8, 0, 0.3), (5 / 8, 4, 1.0)]
    uneven = sum(w * stats.norm(m, s).pdf(x[:, 0]) for w, m, s in modes)
    scipys = {
        "moved": stats.norm(3, 0.2).logpdf(x[:, 0]),
        "uniform": stats.uniform(-2, 7).logpdf(x[:, 0]),
        "uneven": np.log(uneven),
    }
    for name, log_p in scipys.items():
        ours = FLAT[name].log_prob(x)
        torch.testing.assert_close(ours, torch.as_tensor(log_p), atol=1e-4, rtol=1e-6)
        assert FLAT[name].log_prob(x.float()).dtype == torch.float32

    narrow = targets.uniform(0, 3).log_prob(x)
    assert float(narrow[narrow.isfinite()].unique()) == -math.log(3)  # to the last digit of float64


def test_iris_against_scipys_kernel_density_estimate():
    from sklearn.datasets import load_iris

    cm = load_iris().data[:, 2]
    law = targets.iris()
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
    upright = targets.from_samples(np.array(column)[:, None])
    torch.testing.assert_close(upright.log_prob(x), expected)


ROW = [1.0, 4.0, 4.5, 2.0]
MASKED = np.ma.masked_equal([1.0, -9999, 4.0, 4.5, -9999, 2.0], -9999)
COLUMNS = {
    "numbers in a column": np.array(ROW)[:, None],
    "reversed": np.array(ROW[::-1])[::-1],
    "big-endian": np.array(ROW, ">f4"),
    "masked": MASKED,
    "masked column": MASKED[:, None],
    "texts": [str(number) for number in ROW],
    "CSV": "petal length\n1.0\n4.0\n4.5\n2.0\n",
    "CSV, quoted, from Windows": '"cm"\r\n"1.0"\r\n4.0\r\n\r\n4.5\r\n2.0',
    "tensor": torch.tensor(ROW, dtype=torch.bfloat16),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_may_come_as_it_is(name):
    law = targets.from_samples(COLUMNS[name])
    plain = targets.from_samples(ROW)
    assert torch.equal(law.means, plain.means)
    assert torch.equal(law.stds, plain.stds)
    assert (law.shift, law.scale) == (plain.shift, plain.scale)


def test_a_column_of_pandas_may_be_filtered():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "x": [9.0, math.nan, *ROW, math.nan],
            "keep": [0, 0, 1, 1, 1, 1, 1],
            "own": list("abcdefg"),
        }
    )
    kept = frame[frame["keep"] == 1].dropna()
    groups = frame.dropna().groupby("own")["x"].sum()[1:]
    for column in (kept["x"], kept[["x"]], kept["x"].astype("Float64"), groups):
        assert torch.equal(targets.from_samples(column).means, targets.from_samples(ROW).means)
    with pytest.raises(ValueError, match="2 nan or infinite of 7"):
        targets.from_samples(frame["x"])


@pytest.mark.parametrize("far", [0.0, 1e6, -1e12, 2.0**52])
def test_values_far_from_0_keep_their_digits(far):
    law = targets.from_samples([far, far + 1, far + 3])
    assert law.shift == far + 4 / 3 or law.shift == pytest.approx(far + 4 / 3, rel=1e-15)
    assert law.scale == pytest.approx(math.sqrt(14) / 3, rel=1e-12)
    expected = torch.tensor([-4.0, -1.0, 5.0])[:, None] / math.sqrt(14)
    torch.testing.assert_close(law.means, expected)


def test_silvermans_rule_and_a_bandwidth_of_your_own():
    values = stats.norm(5, 3).rvs(400, random_state=1)
    iqr = stats.iqr(values) / 1.34
    rule = 0.9 * min(values.std(), iqr) * 400**-0.2
    law = targets.from_samples(values)
    assert float(law.stds[0]) == pytest.approx(rule / values.std(), rel=1e-5)

    law = targets.from_samples(values, bandwidth=np.float32(1.5))
    assert float(law.stds[0]) == pytest.approx(1.5 / values.std(), rel=1e-5)

    # More than half of the values are the same.
    assert float(targets.from_samples([0.0] * 9 + [1.0]).stds[0]) > 0


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
    law = targets.from_samples(values, bandwidth=0.01)
    log_p = law.log_prob(torch.tensor([[0.0], [0.3], [-0.7]]))
    expected = torch.full((3,), -math.log(2 * math.sqrt(3)))
    torch.testing.assert_close(log_p, expected, atol=1e-3, rtol=0)


WRONG = [
    (lambda: targets.gaussian(std=0), "std must be a positive number, got 0"),
    (lambda: targets.gaussian(std=math.nan), "std must be a positive number, got nan"),
    (lambda: targets.gaussian(math.inf), "mean must be a finite number, got inf"),
    (lambda: targets.gaussian(dim=0), "dim .* got 0"),
    (lambda: targets.mixture((0, 1), (1, 1, 1)), "stds.*2"),
    (lambda: targets.mixture((0, 1), (1, 0)), "stds must be positive numbers"),
    (lambda: targets.mixture((0, math.inf)), "means must be finite"),
    (lambda: targets.mixture((0, 1), (1, 1), (1, 0)), "weights"),
    (lambda: targets.mixture((), ()), "at least one"),
    (lambda: targets.mixture(3), "means"),
    (lambda: targets.mixture("ab"), "means must be numbers"),
    (lambda: targets.mixture((0, 1), (1, 1), (1, 2, 3)), "weights.*2"),
    (lambda: targets.Mixture([0], [1], scale=math.nan), "scale must be a positive number, got nan"),
    (lambda: targets.Mixture([0], [1], scale=0), "scale must be a positive number, got 0"),
    (lambda: targets.Mixture([0], [1], shift=math.inf), "shift must be a finite number"),
    (lambda: targets.uniform(1, 1), "low < high"),
    (lambda: targets.uniform(0, math.inf), "high must be a finite number"),
    (lambda: targets.uniform("a"), "low must be a finite number, got 'a'"),
    (lambda: targets.uniform().quantile(2), "u must be a row of numbers"),
    (lambda: targets.uniform().quantile([2]), "u must be numbers from 0 to 1, got 2 to 2"),
    (lambda: targets.uniform().from_uniform([-0.5]), "u must be numbers from 0 to 1"),
    (lambda: targets.gaussian().quantile([0.5, math.nan]), "u must be numbers from 0 to 1"),
    (lambda: targets.mixture().from_uniform([1.5]), "u must be numbers from 0 to 1"),
    (lambda: targets.ring().from_uniform([0.5]), "one dimension"),
    (lambda: targets.gaussian().log_prob([1.0]), r"x must be \(n, 1\), got shape \(1,\)"),
    (lambda: targets.ring().log_prob([[1.0]]), r"x must be \(n, 2\), got shape \(1, 1\)"),
    (lambda: targets.uniform().log_prob("a"), "x must be numbers"),
    (lambda: targets.ring(0), "modes .* got 0"),
    (lambda: targets.ring(std=-1), "std must be a positive number"),
    (lambda: targets.ring(radius=0), "radius"),
    (lambda: targets.grid(2.5), "side"),
    (lambda: targets.moons(1), "points"),
    (lambda: targets.spiral(turns=0), "turns"),
    (lambda: targets.even(None), "law must have a quantile"),
    (lambda: targets.gaussian().sample(0), "at least 1, got 0"),
    (lambda: targets.iris().sample(-2), "got -2"),
    (lambda: targets.uniform().sample(2.5), r"got 2\.5"),
    (lambda: targets.mixture().quantile(torch.rand(3)), "one normal"),
    (lambda: targets.from_samples([1.0, math.nan]), "1 nan or infinite of 2"),
    (lambda: targets.from_samples([1.0, None]), "1 nan or infinite of 2"),
    (lambda: targets.from_samples([1.0]), "at least two"),
    (lambda: targets.from_samples([]), "at least two"),
    (lambda: targets.from_samples([[1.0], [3.0, 4.0]]), "values must be numbers"),
    (lambda: targets.from_samples([[1.0, 2.0], [3.0, 4.0]]), r"shape \(2, 2\)"),
    (lambda: targets.from_samples([4.0] * 9), "must differ, got 9 times 4"),
    (lambda: targets.from_samples([0.1] * 9), "must differ, got 9 times 0.1"),
    (lambda: targets.from_samples([0.0, 0.0]), "must differ"),
    (lambda: targets.from_samples(["a", "b"]), "must be numbers"),
    (lambda: targets.from_samples([True, False]), "must be numbers: got bool"),
    (lambda: targets.from_samples(None), "values"),
    (lambda: targets.from_samples("cm\n1,5\n1,6"), "values .*, but line 2 is '1,5'"),
    (lambda: targets.from_samples("flowers.csv"), "at least two numbers"),
    (lambda: targets.from_samples([1.0, 2.0], bandwidth=0), "bandwidth.*got 0"),
    (lambda: targets.from_samples([1.0, 2.0], bandwidth=1e-60), "bandwidth.*got 1e-60"),
    (lambda: targets.from_samples([1.0, 2.0], bandwidth="wide"), "bandwidth.*wide"),
]


@pytest.mark.parametrize("call, words", WRONG)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_laws_say_what_they_are():
    assert str(targets.gaussian()) == "normal: 1 normal in 1-D"
    assert str(targets.ring()) == "ring of 8: 8 normals in 2-D"
    assert str(targets.uniform()) == "uniform on [-1, 1]"


@pytest.mark.parametrize("name", FLAT)
def test_even_draws_follow_the_law_and_cover_it_evenly(name):
    plain = FLAT[name]
    law = targets.even(plain)
    x, mass = cells(law)
    rows = torch.cat([law.sample(16, seeded(seed)) for seed in range(250)])[:, 0]
    assert fits(rows, x, mass) > 1e-3

    # A batch is a better likeness of the law: its mean varies less.
    even_means = torch.stack([law.sample(64, seeded(seed)).mean() for seed in range(200)])
    plain_means = torch.stack([plain.sample(64, seeded(seed)).mean() for seed in range(200)])
    assert float(even_means.std()) < 0.6 * float(plain_means.std())

    batch = law.sample(64, seeded())[:, 0]
    if name in ("gaussian", "moved", "uniform"):
        u = at_most(batch.sort().values, x, mass)
        assert np.floor(64 * u).tolist() == pytest.approx(np.arange(64), abs=1)
    assert not bool((batch.diff() > 0).all())  # in random order


@pytest.mark.parametrize("name", FLAT)
def test_an_even_law_is_the_law_in_all_else(name):
    plain = FLAT[name]
    before = plain.sample(16, seeded())
    law = targets.even(plain)
    assert torch.equal(plain.sample(16, seeded()), before)  # the law itself draws as it did
    assert not torch.equal(law.sample(16, seeded()), before)

    x = line(-3, 3, 50)[:, None]
    torch.testing.assert_close(law.log_prob(x), plain.log_prob(x))
    assert repr(law) == repr(plain)
    for what in ("name", "dim", "shift", "scale", "unit", "range"):
        assert getattr(law, what) == getattr(plain, what)
    with pytest.raises(AttributeError, match="colour"):
        law.colour  # noqa: B018


def test_the_modes_of_an_even_law_stand_in_order():
    law = targets.even(targets.mixture((4, -1, 0), (1.0, 0.2, 0.3), (5, 1, 2)))
    assert law.means.tolist() == [[-1], [0], [4]]
    torch.testing.assert_close(law.stds, torch.tensor([0.2, 0.3, 1.0]))
    torch.testing.assert_close(law.weights, torch.tensor([1 / 8, 2 / 8, 5 / 8]))


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda law: pickle.loads(pickle.dumps(law))]
)
def test_a_copy_of_an_even_law_draws_the_same(twin):
    law = targets.even(targets.mixture())
    assert torch.equal(twin(law).sample(16, seeded()), law.sample(16, seeded()))


class Triangle:
    """A law of one's own, p(x) = 2x on [0, 1]."""

    dim = 1

    def sample(self, n, generator=None):
        return torch.rand(n, generator=generator).sqrt()[:, None]

    def quantile(self, u):
        return u.sqrt()


def test_a_law_of_your_own_is_drawn_evenly_if_it_has_quantiles():
    law = targets.even(Triangle())
    draws = law.sample(64, seeded())
    assert draws.shape == (64, 1)
    slices = (64 * draws[:, 0].square()).sort().values  # of u = x², one in each
    assert slices.floor().tolist() == list(range(64))

    class Silent:
        sample = Triangle.sample

    with pytest.raises(ValueError, match="law must have a quantile"):
        targets.even(Silent())


def test_laws_do_not_depend_on_the_defaults_of_torch():
    laws = [*FLAT.values(), *PLANE.values(), targets.even(targets.mixture())]
    before = [law.sample(5, seeded()) for law in laws]
    kind = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")  # a device without numbers, as good as a GPU here
    try:
        after = [law.sample(5, seeded()) for law in laws]
        made = [targets.ring(), targets.grid(3), targets.moons(), targets.spiral(), targets.iris()]
        draws = [law.sample(5, seeded()) for law in made]
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(kind)
    assert [x.dtype for x in after] == [torch.float32] * len(laws)
    assert all(torch.equal(one, other) for one, other in zip(before, after))
    assert all(bool(x.isfinite().all()) for x in draws)


def test_even_draws_need_one_dimension():
    with pytest.raises(ValueError, match="one dimension"):
        targets.even(PLANE["ring"])


@pytest.mark.parametrize("name", FLAT)
def test_the_cdf_is_what_the_density_sums_to(name):
    law = FLAT[name]
    x, mass = cells(law)
    below = mass.double().cumsum(0)
    edges = (x + (x[1] - x[0]) / 2).double()
    assert torch.allclose(law.cdf(edges), below, atol=1e-3)
    assert law.cdf(edges).diff().min() >= 0
    assert law.cdf(torch.tensor([-1e6, 1e6])).tolist() == pytest.approx([0, 1], abs=1e-6)


def test_a_law_in_the_plane_has_no_cdf():
    with pytest.raises(ValueError, match="cdf needs a law in one dimension, got one in 2"):
        targets.ring().cdf(torch.zeros(3))
