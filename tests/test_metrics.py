"""The measures of pictures, each against another way of computing it."""

import numpy as np
import pytest
import scipy.linalg
import torch
from sklearn.neighbors import NearestNeighbors

from ganlib import images, metrics

torch.set_num_threads(1)  # small networks: two threads on a shared machine are slower than one


def normal(n, d, *, seed, mean=0.0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return mean + scale * torch.randn(n, d, generator=generator) @ torch.randn(
        d, d, generator=generator
    )


@pytest.fixture(scope="module")
def digits():
    train, held = images.digits().split()
    return train, held, metrics.classifier(train.x, train.labels, steps=400)


@pytest.mark.parametrize(
    "n, m, d", [(200, 300, 6), (50, 40, 20), (30, 500, 64)]
)  # the last: fewer rows than columns
def test_frechet_against_scipys_matrix_root(n, m, d):
    a, b = normal(n, d, seed=1), normal(m, d, seed=2, mean=0.3, scale=1.5)
    c, e = np.cov(a.double().numpy().T), np.cov(b.double().numpy().T)
    root = scipy.linalg.sqrtm(c @ e).real
    shift = (a.double().mean(0) - b.double().mean(0)).square().sum().item()
    assert metrics.frechet(a, b) == pytest.approx(shift + np.trace(c + e - 2 * root), rel=1e-5)


def test_frechet_of_moved_and_stretched_features_is_known():
    a = normal(400, 5, seed=3)
    assert metrics.frechet(a, a) == pytest.approx(0, abs=1e-8)
    assert metrics.frechet(a, a + 2) == pytest.approx(5 * 4, rel=1e-6)
    moments = a.double().mean(0).square().sum() + a.double().var(0).sum()
    assert metrics.frechet(a, 3 * a) == pytest.approx(4 * float(moments))
    one = torch.randn(10**6, 1, generator=torch.Generator().manual_seed(0))
    assert metrics.frechet(one, 1 + 3 * one.flip(0)) == pytest.approx(
        1 + (1 - 3) ** 2, rel=0.01
    )  # one feature
    pictures = a[:, :4].reshape(400, 1, 2, 2)  # pixels are features, too
    assert metrics.frechet(pictures, pictures + 1) == pytest.approx(4)


def test_few_samples_make_the_frechet_distance_too_large():
    law = torch.distributions.MultivariateNormal(torch.zeros(16), torch.eye(16))
    torch.manual_seed(0)
    bias = {
        n: np.mean([metrics.frechet(law.sample((n,)), law.sample((n,))) for _ in range(20)])
        for n in (100, 400)
    }
    assert bias[100] / bias[400] == pytest.approx(4, rel=0.15)  # like 1/n


def test_nearest_against_scikit_learn():
    x, bank = normal(300, 7, seed=4), normal(500, 7, seed=5)
    distance, index = NearestNeighbors(n_neighbors=3, algorithm="brute").fit(bank).kneighbors(x)
    found = metrics.nearest(x, bank, 3)
    np.testing.assert_allclose(found[0], distance, rtol=1e-4)
    assert (found[1].numpy() == index).mean() > 0.999
    assert metrics.nearest(bank, bank)[1][:, 0].tolist() == list(range(500))


def test_precision_and_recall_by_two_plain_loops():
    real, fake = normal(60, 2, seed=6).numpy(), normal(50, 2, seed=7, mean=1.0).numpy()

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
    real, few = normal(500, 4, seed=8), normal(500, 4, seed=8)[:5].repeat(100, 1)
    assert metrics.precision_recall(real, real) == (1, 1)
    assert metrics.precision_recall(real, real + 100) == (0, 0)
    precision, recall = metrics.precision_recall(real, few)
    assert precision == 1 and recall < 0.05


def test_copies_are_found_and_honest_pictures_are_not(digits):
    train, held, _ = digits
    third = images.digits().x[
        -200:
    ]  # in both parts by chance: neither nearer to one nor to the other
    share, copies = metrics.memorised(train.x[:300], train.x, held.x)
    assert share == 1 and copies >= 300
    noise = torch.rand(500, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    share, copies = metrics.memorised(noise, train.x, held.x)
    assert share == pytest.approx(0.5, abs=0.1) and copies == 0
    assert metrics.memorised(third, train.x, held.x)[1] == int(
        (metrics.nearest(third, train.x)[0] == 0).sum()
    )


def test_the_classifier_reads_digits_and_is_fixed_by_its_seed(digits):
    train, held, net = digits
    assert float((metrics.predict(net, held.x) == held.labels).double().mean()) > 0.93
    assert metrics.features(net, held.x).shape == (len(held.x), 64)
    before = torch.get_rng_state()
    a, b = (metrics.classifier(train.x, train.labels, steps=3, seed=s) for s in (1, 1))
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))
    assert torch.equal(torch.get_rng_state(), before)


def test_no_single_number_is_enough(digits):
    """Ten class means fool all but recall; a missing class shows in the histogram."""
    train, held, net = digits
    real = metrics.evaluate(held.x, train.x, net)
    assert real["precision"] > 0.85 and real["recall"] > 0.85 and real["TV"] < 0.1
    means = torch.stack([train.x[train.labels == k].mean(0) for k in range(10)]).repeat(60, 1, 1, 1)
    fooled = metrics.evaluate(means, train.x, net)
    assert fooled["recall"] < 0.05 and fooled["TV"] < 0.1 and fooled["precision"] > 0.9
    missing = metrics.evaluate(held.x[held.labels != 3], train.x, net)
    assert missing["TV"] == pytest.approx(0.1, abs=0.04) and missing["smallest class"] < 0.02
    assert missing["recall"] > 0.8


def test_features_that_do_not_fit_are_refused():
    with pytest.raises(
        ValueError, match=r"two sets of as many features, got \(5, 3\) and \(5, 4\)"
    ):
        metrics.frechet(torch.zeros(5, 3), torch.zeros(5, 4))
    with pytest.raises(ValueError, match="frechet needs"):
        metrics.frechet(torch.zeros(1, 3), torch.zeros(5, 3))
