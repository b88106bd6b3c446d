"""The measures of samples, each against another way of computing it."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from sklearn.neighbors import NearestNeighbors
from torch import nn

from ganlib import images, metrics, targets

torch.set_num_threads(1)  # small networks: two threads on a shared machine are slower than one


def normal(n, d, *, seed, mean=0.0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    independent = torch.randn(n, d, generator=generator)
    mixing = torch.randn(d, d, generator=generator)
    return mean + scale * independent @ mixing


@pytest.fixture(scope="module")
def digits():
    train, held = images.digits().split()
    return train, held, metrics.classifier(train.x, train.labels, steps=400)


# -- Fréchet distance ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "n, m, d",
    [
        (200, 300, 6),
        (50, 40, 20),
        (30, 500, 64),  # fewer rows than columns
    ],
)
def test_frechet_against_scipys_matrix_root(n, m, d):
    a = normal(n, d, seed=1)
    b = normal(m, d, seed=2, mean=0.3, scale=1.5)
    cov_a = np.cov(a.double().numpy().T)
    cov_b = np.cov(b.double().numpy().T)
    root = scipy.linalg.sqrtm(cov_a @ cov_b).real
    shift = (a.double().mean(0) - b.double().mean(0)).square().sum().item()
    expected = shift + np.trace(cov_a + cov_b - 2 * root)
    assert metrics.frechet(a, b) == pytest.approx(expected, rel=1e-5)


def test_frechet_of_moved_and_stretched_features_is_known():
    a = normal(400, 5, seed=3)
    assert metrics.frechet(a, a) == pytest.approx(0, abs=1e-8)
    assert metrics.frechet(a, a + 2) == pytest.approx(5 * 4, rel=1e-6)
    moments = a.double().mean(0).square().sum() + a.double().var(0).sum()
    assert metrics.frechet(a, 3 * a) == pytest.approx(4 * float(moments))

    one = torch.randn(10**6, 1, generator=torch.Generator().manual_seed(0))
    found = metrics.frechet(one, 1 + 3 * one.flip(0))  # one feature
    assert found == pytest.approx(1 + (1 - 3) ** 2, rel=0.01)

    pictures = a[:, :4].reshape(400, 1, 2, 2)  # pixels are features, too
    assert metrics.frechet(pictures, pictures + 1) == pytest.approx(4)


def test_few_samples_make_the_frechet_distance_too_large():
    law = torch.distributions.MultivariateNormal(torch.zeros(16), torch.eye(16))
    torch.manual_seed(0)

    def bias(n):
        return np.mean([metrics.frechet(law.sample((n,)), law.sample((n,))) for _ in range(20)])

    assert bias(100) / bias(400) == pytest.approx(4, rel=0.15)  # like 1/n


def test_features_that_do_not_fit_are_refused():
    words = r"two sets of as many features, got \(5, 3\) and \(5, 4\)"
    with pytest.raises(ValueError, match=words):
        metrics.frechet(torch.zeros(5, 3), torch.zeros(5, 4))
    with pytest.raises(ValueError, match="frechet needs"):
        metrics.frechet(torch.zeros(1, 3), torch.zeros(5, 3))


# -- neighbours ----------------------------------------------------------------------------------


def test_nearest_against_scikit_learn():
    x = normal(300, 7, seed=4)
    bank = normal(500, 7, seed=5)
    distance, index = NearestNeighbors(n_neighbors=3, algorithm="brute").fit(bank).kneighbors(x)
    found = metrics.nearest(x, bank, 3)
    np.testing.assert_allclose(found[0], distance, rtol=1e-4)
    assert (found[1].numpy() == index).mean() > 0.999
    assert metrics.nearest(bank, bank)[1][:, 0].tolist() == list(range(500))


def test_precision_and_recall_by_two_plain_loops():
    real = normal(60, 2, seed=6).numpy()
    fake = normal(50, 2, seed=7, mean=1.0).numpy()

    def covered(points, bank, k=3):
        hits = 0
        for p in points:
            for centre in bank:
                radius = sorted(np.linalg.norm(bank - centre, axis=1))[k]
                if np.linalg.norm(p - centre) <= radius:
                    hits += 1
                    break
        return hits / len(points)

    found = metrics.precision_recall(torch.from_numpy(real), torch.from_numpy(fake))
    assert found == pytest.approx((covered(fake, real), covered(real, fake)))
    assert found != pytest.approx(found[::-1])


def test_precision_and_recall_see_what_they_are_for():
    real = normal(500, 4, seed=8)
    few = real[:5].repeat(100, 1)
    assert metrics.precision_recall(real, real) == (1, 1)
    assert metrics.precision_recall(real, real + 100) == (0, 0)
    precision, recall = metrics.precision_recall(real, few)
    assert precision == 1
    assert recall < 0.05


def test_the_share_of_honest_digits_is_as_the_docstring_says():
    x = images.digits().x

    def share(seed):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
        fake, a, b = (x[rows] for rows in order.split(599))
        return metrics.memorised(fake, a, b)[0]

    shares = [share(seed) for seed in range(30)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.015)
    assert np.std(shares) == pytest.approx((0.54 - 0.45) / 4, abs=0.01)

    # A tenth of copies lifts a share of ½ to 0.55.
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    fake, train, held = (x[rows] for rows in order.split(599))
    honest, _ = metrics.memorised(fake, train, held)
    fake[:60] = train[:60]
    copied, copies = metrics.memorised(fake, train, held)
    assert copies == 60
    assert copied == pytest.approx(honest + (1 - honest) * 60 / 599, abs=0.02)


def test_copies_are_found_and_honest_pictures_are_not(digits):
    train, held, _ = digits
    share, copies = metrics.memorised(train.x[:300], train.x, held.x)
    assert share == 1
    assert copies >= 300

    noise = torch.rand(500, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    share, copies = metrics.memorised(noise, train.x, held.x)
    assert share == pytest.approx(0.5, abs=0.1)
    assert copies == 0

    # Some lie in train by chance, and some in held.
    mixed = images.digits().x[-200:]
    _, copies = metrics.memorised(mixed, train.x, held.x)
    distance, _ = metrics.nearest(mixed, train.x)
    assert copies == int((distance == 0).sum())


# -- the classifier and all numbers together -----------------------------------------------------


def test_the_classifier_reads_digits_and_is_fixed_by_its_seed(digits):
    train, held, net = digits
    assert float((metrics.predict(net, held.x) == held.labels).double().mean()) > 0.93
    assert metrics.features(net, held.x).shape == (len(held.x), 64)

    before = torch.get_rng_state()
    a = metrics.classifier(train.x, train.labels, steps=3, seed=1)
    b = metrics.classifier(train.x, train.labels, steps=3, seed=1)
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))
    assert torch.equal(torch.get_rng_state(), before)


def test_no_single_number_is_enough(digits):
    """Ten class means fool all but recall; a missing class shows in the histogram."""
    train, held, net = digits
    real = metrics.evaluate(held.x, train.x, net)
    assert real["precision"] > 0.85
    assert real["recall"] > 0.85
    assert real["TV"] < 0.1

    means = torch.stack([train.x[train.labels == k].mean(0) for k in range(10)])
    fooled = metrics.evaluate(means.repeat(60, 1, 1, 1), train.x, net)
    assert fooled["recall"] < 0.05
    assert fooled["TV"] < 0.1
    assert fooled["precision"] > 0.9

    once = metrics.evaluate(means, train.x, net)  # no copies: their balls are as large as classes
    assert once["precision"] > 0.9
    assert once["recall"] > 0.9

    missing = metrics.evaluate(held.x[held.labels != 3], train.x, net)
    assert missing["TV"] == pytest.approx(0.1, abs=0.04)
    assert missing["smallest class"] < 0.02
    assert missing["recall"] == pytest.approx(real["recall"] - 0.07, abs=0.04)
    threes = metrics.features(net, train.x[train.labels == 3])
    of_threes = {
        name: metrics.precision_recall(threes, metrics.features(net, x))[1]
        for name, x in (("all", held.x), ("none", held.x[held.labels != 3]))
    }
    assert of_threes["all"] > 0.8
    assert of_threes["none"] < 0.45


# -- points in the plane -------------------------------------------------------------------------

NORMAL = targets.gaussian(dim=2)
LAWS = [targets.ring(), targets.grid(), targets.moons(), targets.spiral()]


class Says(nn.Module):
    """A generator that gives draws of a law, whatever z is."""

    def __init__(self, law):
        super().__init__()
        self.law = law

    def forward(self, z):
        return self.law.sample(len(z), torch.Generator().manual_seed(3))


def test_modes_are_those_that_get_a_fifth_of_their_part():
    ring = targets.ring(4, std=0.1)
    x = ring.means.repeat_interleave(torch.tensor([60, 30, 6, 4]), 0)
    assert metrics.modes(x, ring) == (3, 1.0)
    assert metrics.modes(torch.cat([x, x + 0.5]), ring) == (2, 0.5)

    x = ring.sample(50_000, torch.Generator().manual_seed(0))
    within_3_sd = 1 - math.exp(-9 / 2)  # in two dimensions
    assert metrics.modes(x, ring) == (4, pytest.approx(within_3_sd, abs=2e-3))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_view_has_all_the_mass_and_no_divergence_to_its_own_samples(law):
    view = metrics.View(law, NORMAL)
    assert view.p.sum().item() == pytest.approx(1)
    assert view.p[-1] < 1e-3
    now = view.look(Says(law))
    assert now.js < 0.02
    assert now.good > 0.95

    # The same cells counted another way.
    x = law.sample(200_000, torch.Generator().manual_seed(4))
    cell = ((x / view.reach + 1) * 16).floor().long()
    counted = float((cell == torch.tensor([19, 16])).all(1).float().mean())
    assert view.p[16 * 32 + 19].item() == pytest.approx(counted, abs=2e-3)


def test_a_circle_without_modes_covers_all_eight():
    """The null of the count: of the points of a circle 3 sd around each mode are good."""
    ring = targets.ring()
    view = metrics.View(ring, targets.gaussian(dim=2))
    now = view.look(lambda z: 2 * z / z.norm(dim=1, keepdim=True))
    arc = 2 * math.asin(0.3 / 2 / 2)  # from a mode at radius 2 to the point 0.3 away
    share = 8 * 2 * arc / (2 * math.pi)
    assert now.modes == 8
    assert now.good == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 4096))
    assert now.js > 0.3

    honest = view.look(lambda z: ring.sample(len(z), torch.Generator().manual_seed(1)))
    assert (honest.modes, round(honest.good, 2)) == (8, 0.99)
    assert honest.js < 0.01


def test_js_of_one_mode_of_two():
    law = targets.Mixture([[-1.0, 0.0], [1.0, 0.0]], [0.05])
    one = targets.Mixture([[-1.0, 0.0]], [0.05])
    now = metrics.View(law, NORMAL).look(Says(one))
    assert now.modes == 1
    assert now.js == pytest.approx(0.75 * math.log(4 / 3), abs=0.01)  # p = (½, ½), q = (1, 0)


def test_what_lies_outside_the_view_is_one_more_cell():
    law = targets.ring()
    far = targets.Mixture([[100.0, 0.0]], [0.05])
    now = metrics.View(law, NORMAL).look(Says(far))
    assert (now.modes, now.good) == (0, 0.0)
    assert now.js == pytest.approx(math.log(2), abs=1e-3)


def test_a_g_that_has_diverged_is_named():
    view = metrics.View(targets.ring(), NORMAL)
    with pytest.raises(FloatingPointError, match="diverged: G gives numbers that are not finite"):
        view.look(lambda z: z * torch.nan)


# -- what does not fit -----------------------------------------------------------------------------

FOUR = torch.zeros(4, 1, 8, 8)
CLASSIFIER = nn.Sequential(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), nn.Linear(3, 2))
REFUSED = [
    (lambda: metrics.classifier(FOUR[0], torch.zeros(1).long()), "x must be pictures"),
    (lambda: metrics.classifier(FOUR, torch.zeros(4)), "labels must be 4 whole numbers"),
    (lambda: metrics.classifier(FOUR, torch.zeros(3).long()), "labels must be 4 whole numbers"),
    (lambda: metrics.classifier(FOUR, torch.full((4,), 10**6)), "labels must be below 10000"),
    (lambda: metrics.features(nn.Linear(1, 1), FOUR), "net must be a classifier"),
    (lambda: metrics.features(CLASSIFIER, FOUR[..., :4, :4]), "net and x do not fit"),
    (lambda: metrics.nearest(FOUR, FOUR, 5), "k must be a whole number from 1 to 4, got 5"),
    (lambda: metrics.nearest(torch.zeros(8), FOUR), r"x must be finite .* got shape \(8,\)"),
    (lambda: metrics.frechet(FOUR * math.nan, FOUR), "real must be finite numbers"),
    (lambda: metrics.precision_recall(FOUR, FOUR[:2]), "k must be .* from 1 to 1, got 3"),
    (
        lambda: metrics.memorised(FOUR, FOUR, FOUR[..., :4]),
        r"fake, train, held_out must have rows of equal length, got \[64, 64, 32\]",
    ),
    (lambda: metrics.modes(torch.zeros(3, 1), targets.ring()), "x must be points in 2 dimensions"),
    (lambda: metrics.modes(torch.zeros(3, 2), None), "law must be a Mixture, got None"),
    (lambda: metrics.View(targets.gaussian(), NORMAL), "law must be a mixture in two dimensions"),
    (lambda: metrics.View(targets.ring(), None), "prior must have a sample"),
]


@pytest.mark.parametrize("call, words", REFUSED)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_g_that_does_not_fit_the_view_is_named():
    view = metrics.View(targets.ring(), NORMAL)
    with pytest.raises(ValueError, match="G does not fit the prior"):
        view.look(nn.Linear(3, 2))
    with pytest.raises(ValueError, match=r"G must give points \(n, 2\), got .*4096, 3"):
        view.look(nn.Linear(2, 3))
