"""medicine: each medicine does what its formula says, and the twins differ in nothing else."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganlib import targets
from ganlib.gan import GAN
from ganlib.medicine import (
    MEDICINE,
    Dose,
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


def gan():
    G = mlp(2, 8, 2, seed=0)
    D = mlp(2, 8, 1, seed=1)
    return GAN(G, D, NORMAL, lr_G=1e-2, lr_D=1e-2, seed=0)


def treated(dose, **knobs):
    """The same GAN with a dose, and the generator to look at."""
    G = mlp(2, 8, 2, seed=0)

    def D(inputs, wrap):
        return wrap(mlp(2 * inputs, 8, 1, seed=1))

    return treat(G, D, NORMAL, dose, **{"lr_G": 1e-2, "lr_D": 1e-2, "seed": 0, **knobs})


def batch(k, n=40):
    return NORMAL.sample(n, torch.Generator().manual_seed(k))


def test_every_layer_of_a_spectral_net_has_norm_1_and_keeps_its_directions():
    plain = mlp(2, 30, 30, 1, seed=3)
    net = spectral(mlp(2, 30, 30, 1, seed=3))
    for before, after in zip(plain[::2], net[::2]):
        W = before.weight.double().detach().numpy()
        norm = np.linalg.eigvalsh(W.T @ W)[-1] ** 0.5
        assert_close(after.weight, before.weight / norm, rtol=1e-5, atol=1e-6)

    x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    rise = (net(x[1:]) - net(x[:-1])).abs().flatten()
    run = (x[1:] - x[:-1]).norm(dim=1)
    assert (rise <= run).all()


def test_the_gradient_of_a_spectral_layer_is_that_of_w_over_its_norm():
    # With A the slope of the cost in W/σ and u, v the first singular vectors:
    # (A − ⟨A, W/σ⟩ u vᵀ) / σ, Miyato et al., eq. 12.
    layer = nn.Linear(3, 4, bias=False).double()
    x = torch.randn(5, 3, dtype=torch.float64)
    W = layer.weight.detach().numpy().copy()
    u, sigma, v = np.linalg.svd(W)
    A = 2 * W / sigma[0] @ x.numpy().T @ x.numpy()  # of ‖x (W/σ)ᵀ‖²
    expected = (A - (A * W).sum() / sigma[0] * np.outer(u[:, 0], v[0])) / sigma[0]

    spectral(layer)(x).square().sum().backward()
    assert_close(layer.parametrizations.weight.original.grad, torch.from_numpy(expected))


def test_noise_only_while_training():
    net = Noise(0.3, torch.Generator().manual_seed(0))
    x = torch.zeros(20000, 2)
    assert net(x).std().item() == pytest.approx(0.3, rel=0.02)
    assert_close(net.eval()(x), x)


def test_spread_shows_d_the_sd_of_the_batch():
    x = torch.randn(50, 2) * torch.tensor([1.0, 5.0])
    seen = Spread()(x)
    assert_close(seen[:, :2], x)
    assert_close(seen[:, 2:], x.std(0).expand(50, 2))


def test_optimism_on_sgd_is_the_optimistic_rule_of_games():
    lr = 0.1
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    optimiser = torch.optim.SGD([x], lr=lr)
    optimism(optimiser)

    at = x.detach().clone()
    last = at**3 + 1  # so that the first step is a plain one
    for _ in range(5):
        slope = at**3 + 1
        at = at - lr * (2 * slope - last)
        last = slope
        x.grad = x.detach() ** 3 + 1
        optimiser.step()
        assert_close(x.detach(), at)


def test_extragradient_on_two_straight_lines_by_hand():
    # V = w (mean x − a mean z − b): D moves w, G moves a and b. Of the two numbers z one is drawn
    # for D's step and one for G's.
    lr = 0.3
    G = nn.Linear(1, 1)
    D = nn.Linear(1, 1)
    prior = targets.gaussian()
    w = D.weight.item()
    a = G.weight.item()
    b = G.bias.item()
    game = Extragradient(G, D, prior, loss="wasserstein", optimiser="sgd", lr_G=lr, lr_D=lr, seed=5)

    noise = torch.Generator().manual_seed(5)
    for k in range(1, 6):
        z_D = float(prior.sample(1, noise))
        z_G = float(prior.sample(1, noise))
        ahead_w = w + lr * (2 - a * z_D - b)
        ahead_a = a + lr * ahead_w * z_G
        ahead_b = b + lr * ahead_w

        move = lr * (2 - ahead_a * z_D - ahead_b)
        w = w + move
        a = a + lr * (ahead_w + move) * z_G
        b = b + lr * (ahead_w + move)

        game.step(torch.full((1, 1), 2.0))
        reached = [p.detach().flatten() for p in (D.weight, G.weight, G.bias)]
        assert_close(torch.cat(reached), torch.tensor([w, a, b]))
        assert game.steps == len(game.history) == k


def test_the_average_follows_g_and_leaves_it_alone():
    one = gan()
    other = gan()
    mean = average(one, 0.9)
    by_hand = [p.detach().clone() for p in one.G.parameters()]
    for k in range(20):
        one.step(batch(k, 16))
        other.step(batch(k, 16))
        by_hand = [0.9 * old + 0.1 * p.detach() for old, p in zip(by_hand, one.G.parameters())]
    assert_close(list(mean.module.parameters()), by_hand)
    assert_close(list(one.G.parameters()), list(other.G.parameters()))


@pytest.mark.parametrize("name", MEDICINE)
def test_each_dose_trains_and_none_changes_nothing(name):
    sick, shown = treated(MEDICINE[name])
    plain = gan()
    for k in range(5):
        sick.step(batch(k))
        plain.step(batch(k))
    z = NORMAL.sample(9, torch.Generator().manual_seed(0))
    assert shown(z).isfinite().all()
    assert torch.equal(shown(z), plain.G(z)) == (name == "none")


def test_each_medicine_turns_one_knob():
    with_two_parts = {
        "R1, weight 1": ["penalty", "penalty_weight"],
        "gradient penalty, weight 1": ["penalty", "penalty_weight"],
        "spread of the batch": ["inputs", "wrap"],  # D sees more, so it needs more inputs
    }
    plain = vars(Dose())
    for name, dose in MEDICINE.items():
        turned = [
            field for field in plain if vars(dose)[field] != plain[field] and field != "knobs"
        ]
        turned = sorted([*turned, *dose.knobs])
        assert turned == with_two_parts.get(name, turned[:1]), name
        assert bool(turned) == (name != "none")


def test_the_knobs_of_a_dose_come_before_those_of_the_patient():
    gan, _ = treated(Dose(knobs={"betas": (0.0, 0.9)}, times=5.0), betas=(0.5, 0.999), lr_D=1e-3)
    assert gan.betas == (0.0, 0.9)
    assert gan.lr_D == pytest.approx(5e-3)
    assert gan.lr_G == 1e-2


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: spectral(3), "net must be a Module, got 3"),
        (lambda: Noise(-0.1), "sd must be at least 0, got -0.1"),
        (lambda: Noise(math.nan), "sd must be a finite number, got nan"),
        (lambda: Noise(1.0, 3), "generator must be a Generator, got 3"),
        (lambda: Spread()(torch.zeros(1, 2)), r"x must be floats \(n, d\) with n ≥ 2, got"),
        (lambda: optimism(None), "optimiser must be a Optimizer, got None"),
        (lambda: average(gan(), 1), "decay must be a number of at least 0 and below 1, got 1"),
        (lambda: treated(None), "dose must be a Dose, got None"),
        (lambda: treated(Dose(times=0)), "times must be a positive number, got 0"),
        (lambda: treated(Dose(inputs=0)), "inputs must be a whole number of at least 1, got 0"),
        (lambda: treated(Dose(ema=1)), "ema must be a number of at least 0 and below 1, got 1"),
        (lambda: treated(Dose(), lr_D=None), "lr_D must be a positive number, got None"),
    ],
)
def test_what_is_no_medicine_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
