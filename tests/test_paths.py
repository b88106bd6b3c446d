"""Walks from noise to data: each formula against another way of computing it."""

import math
from itertools import pairwise

import pytest
import scipy.optimize
import torch

from ganlib import files, paths, targets
from ganlib.densities import line
from ganlib.gan import GAN
from ganlib.networks import mlp

torch.set_num_threads(1)  # small networks: two threads on a shared machine are slower than one

Z = torch.linspace(-3, 3, 61, dtype=torch.float64)[:, None]
TWO = targets.mixture()
LOPSIDED = targets.mixture((-1.0, 2.0), (0.3, 0.6), (0.7, 0.3))


def scores(law, *numbers, path="cosine", **how):
    """Of the exact field, for each number of steps."""
    field = paths.exact(law, path)
    return [paths.score(paths.Walker(field, n, path=path, **how), law) for n in numbers]


# -- the exact field -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", paths.PATHS)
@pytest.mark.parametrize("law", [TWO, LOPSIDED], ids=["two modes", "lopsided"])
def test_the_mean_velocity_is_that_of_bayes(law, path):
    x0 = line(-6, 6, 2000)
    for t in (0.1, 0.5, 0.9, 1.0):
        c, s, dc, ds = paths.PATHS[path](t)
        posterior = law.log_prob(x0[:, None]) - (Z - c * x0) ** 2 / (2 * s**2)
        mean = posterior.softmax(1) @ x0[:, None]
        right = dc * mean + ds * (Z - c * mean) / s
        torch.testing.assert_close(paths.exact(law, path)(Z, t), right, atol=1e-6, rtol=1e-6)


def test_where_no_noise_is_left_the_mean_of_noise_is_zero():
    for path, speed in (("cosine", 0.0), ("straight", -1.0)):
        torch.testing.assert_close(paths.exact(TWO, path)(Z, 0.0), speed * Z)


# -- walks -----------------------------------------------------------------------------------------


def test_a_step_on_the_cosine_path_is_that_of_ddim():
    field = paths.exact(TWO)
    seen = paths.walk(field, Z, 4)
    assert seen.shape == (5, 61, 1)

    x = Z
    for k in range(4):
        a = math.pi / 2 * (1 - k / 4)
        b = math.pi / 2 * (1 - (k + 1) / 4)
        v = field(x, 1 - k / 4)
        x0 = math.cos(a) * x - math.sin(a) * v
        noise = math.sin(a) * x + math.cos(a) * v
        x = math.cos(b) * x0 + math.sin(b) * noise
        torch.testing.assert_close(seen[k + 1], x)


def test_a_step_on_the_straight_path_is_that_of_euler():
    field = paths.exact(LOPSIDED, "straight")
    x = Z
    for k in range(5):
        x = x - field(x, 1 - k / 5) / 5
    torch.testing.assert_close(paths.walk(field, Z, 5, path="straight")[-1], x)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 8, 64])
def test_n_steps_shrink_the_normal_law_by_a_power_of_a_cosine(n):
    end = paths.walk(paths.exact(targets.gaussian()), Z, n)[-1]
    torch.testing.assert_close(end, Z * math.cos(math.pi / (2 * n)) ** n)


@pytest.mark.parametrize("path", paths.PATHS)
def test_many_steps_of_heun_lead_where_the_rising_map_does(path):
    T = paths.monotone(LOPSIDED)(Z)
    ends = [
        paths.walk(paths.exact(LOPSIDED, path), Z, n, path=path, heun=True)[-1] for n in (50, 100)
    ]
    off = [float((end - T).abs().max()) for end in ends]
    assert off[1] < 2e-3
    assert off[0] / off[1] > 3  # of second order: near 4


def test_walkers_count_what_they_ask():
    asked = []

    def field(x, t):
        asked.append(t)
        return -x

    for walker in (paths.Walker(field, 6), paths.Walker(field, 6, heun=True)):
        asked.clear()
        walker(Z)
        assert len(asked) == walker.evaluations


# -- the exact rows of the scoreboard --------------------------------------------------------------


def test_one_step_gives_the_mean():
    for law, off in ((targets.gaussian(), 0.7979), (TWO, 1.5004), (targets.iris(), 0.9145)):
        ((js, w1, slope),) = scores(law, 1)
        assert js == pytest.approx(math.log(2), abs=1e-4)
        assert w1 == pytest.approx(off, abs=3e-3)  # E|x − E x|
        assert slope < 1e-4


def test_doubling_the_steps_halves_w1_and_quarters_js():
    found = scores(TWO, 2, 4, 8, 16, 32)
    assert [one.js for one in found] == pytest.approx(
        [0.187, 0.0486, 0.0128, 0.0033, 0.0008], rel=0.05
    )
    assert [one.w1 for one in found] == pytest.approx(
        [0.607, 0.261, 0.134, 0.0685, 0.0348], rel=0.02
    )
    for one, other in pairwise(found[1:]):
        assert one.w1 / other.w1 == pytest.approx(2, rel=0.05)
        assert one.js / other.js == pytest.approx(4, rel=0.12)


def test_both_paths_are_the_same_for_one_and_two_steps():
    for n in (1, 2):
        ends = [paths.walk(paths.exact(TWO, path), Z, n, path=path)[-1] for path in paths.PATHS]
        torch.testing.assert_close(*ends, atol=1e-4, rtol=0)


def test_ten_steps_are_the_fewest_with_js_below_a_hundredth():
    nine, ten = (one.js for one in scores(TWO, 9, 10))
    assert nine == pytest.approx(0.0102, abs=1e-4)
    assert ten < 0.01


def test_steps_multiply_slopes():
    for n, whole, steepest in ((4, 5.93, 3.0), (16, 23.1, 1.6), (64, 37.1, 1.14)):
        near = torch.tensor([[-1e-5], [1e-5]], dtype=torch.float64)
        seen = paths.walk(paths.exact(TWO), near, n)
        apart = (seen[:, 1] - seen[:, 0]).flatten()
        each = apart[1:] / apart[:-1]
        assert float(each.prod()) == pytest.approx(whole, rel=0.01)
        assert float(each.max()) < steepest * 1.02


def test_the_gap_needs_a_slope_of_45():
    needed = math.exp(4.5) / 2  # φ(0) / p(0)
    near = torch.tensor([[-1e-4], [1e-4]], dtype=torch.float64)
    low, high = paths.monotone(TWO)(near)
    assert float(high - low) / 2e-4 == pytest.approx(needed, rel=0.01)

    assert paths.score(paths.monotone(TWO), TWO).slope == pytest.approx(needed, rel=0.02)
    iris = targets.iris()
    assert paths.score(paths.monotone(iris), iris).slope == pytest.approx(4.4, abs=0.05)


# -- scores ----------------------------------------------------------------------------------------


def test_the_rising_map_has_the_quantiles_of_the_law():
    for z, x in zip(Z[::10], paths.monotone(LOPSIDED)(Z)[::10]):
        u = torch.special.ndtr(z)

        def off(at, u=u):
            return float(LOPSIDED.cdf(torch.tensor([at], dtype=torch.float64)) - u)

        assert float(x) == pytest.approx(scipy.optimize.brentq(off, -10, 10), abs=1e-5)
    js, w1, _ = paths.score(paths.monotone(LOPSIDED), LOPSIDED)
    assert js < 1e-4
    assert w1 < 5e-4


def test_a_score_agrees_with_the_ledger_and_with_the_way_of_each_z():
    G = mlp(1, 8, 1, seed=0)
    gan = GAN(G, mlp(1, 8, 1, seed=1), targets.gaussian(), seed=0)
    x = line(-8, 8, 2000)
    js, _, _ = paths.score(G, TWO)
    assert js == pytest.approx(gan.ledger(TWO.log_prob(x[:, None]).exp(), x).js, abs=5e-4)

    # A rising map carries each z to its own place: W₁ = E|G(z) − T(z)|.
    walker = paths.Walker(paths.exact(LOPSIDED), 3)
    z = line(-5.5, 5.5, 4000)[:, None]
    way = (walker(z) - paths.monotone(LOPSIDED)(z)).abs()[:, 0]
    w1 = float(way @ targets.gaussian().log_prob(z).softmax(0))
    assert paths.score(walker, LOPSIDED).w1 == pytest.approx(w1, rel=2e-3)


# -- what is learned -------------------------------------------------------------------------------


def test_seeds_side_by_side_are_the_same_as_alone():
    both = paths.fit(TWO, seeds=(3, 4), steps=5, progress=False)
    (alone,) = paths.fit(TWO, seeds=[4], steps=5, progress=False)
    torch.testing.assert_close(both[1](Z, 0.4), alone(Z, 0.4), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(both[0](Z, 0.4), alone(Z, 0.4), atol=1e-2)


def test_a_learned_field_is_near_the_exact_one():
    (field,) = paths.fit(TWO, steps=400, progress=False)
    few, many = (paths.score(paths.Walker(field, n), TWO).js for n in (1, 64))
    assert few > 0.5
    assert many < 0.02

    exact = paths.exact(TWO)
    x = Z[10:51]
    assert float((field(x, 0.5) - exact(x, 0.5)).abs().mean()) < 0.1


def test_a_student_says_in_one_step_what_its_teacher_says_in_many():
    teachers = [paths.Walker(paths.exact(TWO), n) for n in (64, 4)]
    good, bad = paths.distil(teachers, seeds=(0, 0), steps=400, progress=False)
    assert paths.score(good, TWO).js < 0.03
    assert paths.score(bad, TWO).js == pytest.approx(paths.score(teachers[1], TWO).js, abs=0.02)
    assert not any(weight.requires_grad for weight in good.parameters())


def test_pairs_that_belong_together_give_a_path_to_be_walked_in_one_step():
    z = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
    law = targets.gaussian(1.0, 0.5)
    pairs = (z, 1 + z / 2)
    (field,) = paths.fit(law, path="straight", pairs=pairs, steps=300, progress=False)
    end = paths.walk(field, Z[10:51], 1, path="straight")[-1]
    torch.testing.assert_close(end, 1 + Z[10:51] / 2, atol=0.1, rtol=0)


def test_stored_velocities_come_back(tmp_path):
    file = tmp_path / "v.safetensors"
    field = paths.Learned(mlp(2, 48, 48, 1, seed=0))
    state = {f"two modes/cosine/{key}": rows for key, rows in field.net.state_dict().items()}
    files.write(file, state, {})
    (found,) = paths.velocities(file)["two modes"].values()
    assert torch.equal(found(Z, 0.3), field(Z, 0.3))

    for tensors in ({"G.0.weight": torch.zeros(3)}, {"two modes/cosine/0.weight": torch.zeros(3)}):
        files.write(file, tensors, {})
        with pytest.raises(ValueError, match="holds no velocities"):
            paths.velocities(file)


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask, words",
    [
        (lambda: paths.exact(TWO, "round"), "path must be one of cosine, straight, got 'round'"),
        (lambda: paths.exact(targets.uniform()), "law must be a mixture of normals"),
        (lambda: paths.exact(targets.ring()), "law must be a mixture of normals"),
        (lambda: paths.Walker(paths.exact(TWO), 0), "steps must be a whole number of at least 1"),
        (lambda: paths.walk(paths.exact(TWO), Z[:, 0], 2), r"start must be \(n, 1\), got \(61,\)"),
        (lambda: paths.fit(3), "law must have"),
        (lambda: paths.fit(TWO, steps=0), "steps must be"),
        (lambda: paths.fit(TWO, rate=-1), "rate must be a positive number, got -1"),
        (lambda: paths.fit(TWO, seeds=[0.5]), "seeds must be"),
        (lambda: paths.fit(TWO, pairs=(Z, Z[:9])), r"pairs must be two \(n, 1\)"),
        (lambda: paths.distil([Z.sin], seeds=[0, 1]), "seeds must be as many as teachers, 1"),
    ],
)
def test_bad_input_is_named(ask, words):
    with pytest.raises(ValueError, match=words):
        ask()
