"""medicine: each medicine does what its formula says, and the twins differ in nothing else."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganlib import targets
from ganlib.gan import GAN
from ganlib.medicine import (
    MEDICINE,
    Extragradient,
    Noise,
    Spread,
    average,
    optimism,
    spectral,
    treat,
)
from ganlib.networks import mlp

NORMAL = targets.gaussian(dim=2)


def gan(**knobs):
    return GAN(
        mlp(2, 8, 2, seed=0),
        mlp(2, 8, 1, seed=1),
        NORMAL,
        **{"lr_G": 1e-2, "lr_D": 1e-2, "seed": 0, **knobs},
    )


def test_every_layer_of_a_spectral_net_has_norm_1_and_keeps_its_directions():
    plain, net = mlp(2, 30, 30, 1, seed=3), spectral(mlp(2, 30, 30, 1, seed=3))
    for before, after in zip(plain[::2], net[::2]):
        norm = (
            np.linalg.eigvalsh(
                before.weight.double().detach().numpy().T @ before.weight.double().detach().numpy()
            )[-1]
            ** 0.5
        )
        assert_close(after.weight, before.weight / norm, rtol=1e-5, atol=1e-6)
    x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    rise, run = (net(x[1:]) - net(x[:-1])).abs().flatten(), (x[1:] - x[:-1]).norm(dim=1)
    assert (rise <= run).all()


def test_the_gradient_of_a_spectral_layer_is_that_of_w_over_its_norm():
    # With A the slope of the cost in W/σ and u, v the first singular vectors: (A − ⟨A, W/σ⟩ u vᵀ) / σ, Miyato et al., eq. 12.
    layer, x = nn.Linear(3, 4, bias=False).double(), torch.randn(5, 3, dtype=torch.float64)
    W = layer.weight.detach().numpy().copy()
    u, sigma, v = (part for part in np.linalg.svd(W))
    A = 2 * W / sigma[0] @ x.numpy().T @ x.numpy()  # of ‖x (W/σ)ᵀ‖²
    expected = (A - (A * W).sum() / sigma[0] * np.outer(u[:, 0], v[0])) / sigma[0]
    spectral(layer)(x).square().sum().backward()
    assert_close(layer.parametrizations.weight.original.grad, torch.from_numpy(expected))


def test_noise_only_while_training():
    net, x = Noise(0.3, torch.Generator().manual_seed(0)), torch.zeros(20000, 2)
    assert net(x).std().item() == pytest.approx(0.3, rel=0.02)
    assert_close(net.eval()(x), x)


def test_spread_shows_d_the_sd_of_the_batch():
    x = torch.randn(50, 2) * torch.tensor([1.0, 5.0])
    seen = Spread()(x)
    assert_close(seen[:, :2], x)
    assert_close(seen[:, 2:], x.std(0).expand(50, 2))


def test_optimism_on_sgd_is_the_optimistic_rule_of_games():
    x, lr = torch.tensor([1.0, -2.0], requires_grad=True), 0.1
    optimiser = torch.optim.SGD([x], lr=lr)
    optimism(optimiser)
    at, last = x.detach().clone(), None
    for _ in range(5):
        slope = at**3 + 1
        at, last = at - lr * (2 * slope - (slope if last is None else last)), slope
        x.grad = x.detach() ** 3 + 1
        optimiser.step()
        assert_close(x.detach(), at)


def test_extragradient_on_two_straight_lines_by_hand():
    # V = w (mean x − a mean z − b), D moves w, G moves a and b; two numbers z, one drawn for D's step and one for G's
    G, D, prior, lr, real = (
        nn.Linear(1, 1),
        nn.Linear(1, 1),
        targets.gaussian(),
        0.3,
        torch.full((1, 1), 2.0),
    )
    a, b, w = (p.item() for p in (G.weight, G.bias, D.weight))
    game = Extragradient(G, D, prior, loss="wasserstein", optimiser="sgd", lr_G=lr, lr_D=lr, seed=5)
    noise = torch.Generator().manual_seed(5)
    for k in range(1, 6):
        z_D, z_G = (float(prior.sample(1, noise)) for _ in range(2))
        ahead_w = w + lr * (2 - a * z_D - b)
        ahead_a, ahead_b = a + lr * ahead_w * z_G, b + lr * ahead_w
        move = lr * (2 - ahead_a * z_D - ahead_b)
        w, a, b = w + move, a + lr * (ahead_w + move) * z_G, b + lr * (ahead_w + move)
        game.step(real)
        assert_close(
            torch.tensor([w, a, b]),
            torch.cat([p.detach().flatten() for p in (D.weight, G.weight, G.bias)]),
        )
        assert game.steps == len(game.history) == k


def test_the_average_follows_g_and_leaves_it_alone():
    one, other = gan(), gan()
    mean, by_hand = average(one, 0.9), [p.detach().clone() for p in one.G.parameters()]
    for k in range(20):
        real = NORMAL.sample(16, torch.Generator().manual_seed(k))
        one.step(real)
        other.step(real)
        by_hand = [0.9 * old + 0.1 * p.detach() for old, p in zip(by_hand, one.G.parameters())]
    assert_close(list(mean.module.parameters()), by_hand)
    assert_close(list(one.G.parameters()), list(other.G.parameters()))


@pytest.mark.parametrize("name", MEDICINE)
def test_each_dose_trains_and_none_changes_nothing(name):
    D = lambda inputs, wrap: wrap(mlp(2 * inputs, 8, 1, seed=1))
    treated, shown = treat(
        mlp(2, 8, 2, seed=0), D, NORMAL, MEDICINE[name], lr_G=1e-2, lr_D=1e-2, seed=0
    )
    plain = gan()
    for k in range(5):
        real = NORMAL.sample(40, torch.Generator().manual_seed(k))
        treated.step(real)
        plain.step(real)
    z = NORMAL.sample(9, torch.Generator().manual_seed(0))
    assert shown(z).isfinite().all()
    assert torch.equal(shown(z), plain.G(z)) == (name == "none")
