"""The networks: shapes, parameters, seeds, and what each construction promises."""

import math
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector

from ganlib.networks import (
    dcgan_discriminator,
    dcgan_generator,
    dense_discriminator,
    dense_generator,
    layers,
    mlp,
    patch_discriminator,
    reinitialise,
    unet,
)


def parameters(net):
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_the_dcgan_pair_fits_every_size(size, norm):
    G = dcgan_generator(size, 3, z_dim=5, width=2, norm=norm, seed=0)
    D = dcgan_discriminator(size, 3, width=2, norm=norm, seed=0)
    x = G(torch.randn(4, 5)).detach()
    assert x.shape == (4, 3, size, size)
    assert float(x.abs().max()) < 1
    assert D(x).shape == (4, 1)


def test_the_digits_pair_has_the_known_number_of_parameters():
    # Counted by hand: z 32 → 64·2·2, 64 → 32 and 32 → 1 by 4×4 kernels, and two batch norms.
    by_hand = 32 * 64 * 4 + 2 * 64 + 64 * 32 * 16 + 2 * 32 + 32 * 16
    assert parameters(dcgan_generator()) == by_hand == 41_664
    # 1 → 32 with biases and 32 → 64 by 4×4 kernels, a batch norm, and 64·2·2 → 1.
    assert parameters(dcgan_discriminator()) == 32 * 16 + 32 + 32 * 64 * 16 + 128 + 64 * 4


def test_the_first_weights_are_those_of_the_dcgan_paper():
    G = dcgan_generator(32, width=32, seed=0)
    convolutions = [m for m in G.modules() if isinstance(m, nn.ConvTranspose2d)]
    weights = torch.cat([m.weight.flatten() for m in convolutions]).detach()
    assert float(weights.mean()) == pytest.approx(0, abs=2e-4)
    assert float(weights.std()) == pytest.approx(0.02, rel=0.01)
    assert all(not m.bias.any() for m in G.modules() if isinstance(m, nn.BatchNorm2d))


def test_spectral_norm_makes_every_layer_one_lipschitz():
    D = dcgan_discriminator(16, 1, width=4, norm="spectral", seed=0)
    for _ in range(60):  # the power iteration needs a few passes
        D(torch.randn(4, 1, 16, 16))
    for layer in D.modules():
        if isinstance(layer, nn.Conv2d):
            steepest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
            assert float(steepest) == pytest.approx(1, rel=1e-2)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in D.modules())


@pytest.mark.parametrize(
    "make",
    [
        dcgan_generator,
        dcgan_discriminator,
        dense_generator,
        dense_discriminator,
        unet,
        patch_discriminator,
    ],
)
def test_a_seed_fixes_the_weights_and_nothing_else(make):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    one = parameters_to_vector(make(seed=1).parameters())
    again = parameters_to_vector(make(seed=1).parameters())
    other = parameters_to_vector(make(seed=2).parameters())
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_fully_connected_pair():
    x = dense_generator(8, 3, z_dim=5, seed=0)(torch.randn(4, 5))
    assert x.shape == (4, 3, 8, 8)
    assert dense_discriminator(8, 3, seed=0)(x).shape == (4, 1)


@pytest.mark.parametrize("depth", [1, 3, 4])
@pytest.mark.parametrize("skips", [True, False])
def test_the_unet_keeps_the_size(depth, skips):
    net = unet(2, 3, width=4, depth=depth, skips=skips, seed=0)
    assert net(torch.randn(2, 2, 32, 32)).shape == (2, 3, 32, 32)


def closed(layer, given, answer):
    """A hook that lets nothing through."""
    return torch.zeros_like(answer)


def test_only_skips_carry_a_pixel_past_the_middle():
    x = torch.randn(1, 1, 16, 16, requires_grad=True)
    for skips in (True, False):
        net = unet(depth=3, skips=skips, seed=0).eval()
        net.downs[-1].register_forward_hook(closed)
        slope = torch.autograd.grad(net(x).square().sum(), x, allow_unused=True)[0]
        passed = slope is not None and bool(slope.any())
        assert passed == skips


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_patch_logit_sees_the_square_of_the_formula(count):
    D = patch_discriminator(1, layers=count, seed=0).eval()
    x = torch.randn(1, 1, 96, 96, requires_grad=True)
    logits = D(x)
    middle = logits.shape[-1] // 2
    (slope,) = torch.autograd.grad(logits[0, 0, middle, middle], x)
    rows = slope[0, 0].any(1).nonzero().flatten()
    assert int(rows[-1] - rows[0]) + 1 == 3 * 2 ** (count + 1) - 2


@pytest.mark.parametrize(
    "net, shape",
    [
        (dcgan_generator(seed=0), (32,)),
        (unet(seed=0), (1, 16, 16)),
        (dcgan_discriminator(norm="spectral", seed=0), (1, 8, 8)),
        (mlp(1, 16, 1, seed=0), (1,)),
    ],
)
def test_the_table_adds_up_and_leaves_the_network_alone(net, shape):
    before = {name: value.clone() for name, value in net.state_dict().items()}
    *rows, total = layers(net, *shape).splitlines()
    counts = [int(re.search(r"([\d,]+)$", row)[1].replace(",", "")) for row in rows]
    in_all = int(total.split()[-1].replace(",", ""))
    assert sum(counts) == in_all == parameters(net)

    assert net.training
    for name, value in net.state_dict().items():
        assert torch.equal(before[name], value)
    assert "×".join(map(str, net(torch.randn(2, *shape)).shape[1:])) in rows[-1]


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: dcgan_generator(12), "size must be one of 8, 16, 32, 64, 128, got 12"),
        (lambda: dcgan_discriminator(256), "got 256"),
        (lambda: dcgan_generator(norm="layer"), "norm must be one of batch, spectral"),
        (lambda: dcgan_generator(8.5), "size must be one of"),
        (lambda: dcgan_generator(width=0), "width must be a whole number from 1 to 1024, got 0"),
        (lambda: dcgan_generator(channels=0), "channels must be a whole number"),
        (lambda: dcgan_generator(z_dim=0), "z_dim must be a whole number"),
        (lambda: dcgan_generator(seed=-1), "seed must be a whole number from 0"),
        (lambda: dcgan_discriminator(width=2.5), "width must be a whole number"),
        (lambda: dense_generator(0), "size must be a whole number from 1 to 256, got 0"),
        (lambda: dense_generator(width=0), "width must be"),
        (lambda: dense_discriminator(channels=-1), "channels must be"),
        (lambda: unet(depth=0), "depth must be a whole number from 1 to 8, got 0"),
        (lambda: unet(depth=10**6), "depth must be a whole number from 1 to 8"),
        (lambda: unet(out_channels=0), "out_channels must be"),
        (lambda: unet()(torch.zeros(1, 1, 12, 12)), "s a multiple of 8, got"),
        (lambda: patch_discriminator(layers=0), "layers must be a whole number from 1 to 8"),
        (lambda: patch_discriminator(width=True), "width must be"),
        (lambda: mlp(3), "at least two positive sizes"),
        (lambda: mlp(3, 0), "each of sizes must be a whole number from 1 to 1000000, got 0"),
        (lambda: mlp(1, 4, 1, cover=(2, 1)), "cover needs one input and low < high"),
        (lambda: mlp(2, 4, 1, cover=(1, 2)), "cover needs one input"),
        (lambda: mlp(1, 4, 1, cover=3), "cover needs one input and low < high"),
        (lambda: mlp(1, 4, 1, cover=(0, math.nan)), "cover must be a finite number"),
        (lambda: mlp(1, 4, 1, cover=(0, 1), slope=0), "slope must be a positive number"),
        (lambda: layers(mlp(1, 1), 2), r"shape must be one that net takes, got \(2,\)"),
        (lambda: layers(mlp(1, 1), 0), "each of shape must be a whole number"),
    ],
)
def test_wrong_values_are_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: mlp(1, 1, activation=3), "activation must make a layer"),
        (lambda: reinitialise(3), "net must be a torch module, got 3"),
        (lambda: layers(None, 1), "net must be a torch module, got None"),
    ],
)
def test_what_is_no_layer_and_no_network_is_named(wrong, words):
    with pytest.raises(TypeError, match=words):
        wrong()


def test_whole_numbers_may_be_those_of_numpy():
    one, four, eight = np.int64(1), np.uint8(4), np.int32(8)
    for net, other in [
        (mlp(one, four, one, seed=one), mlp(1, 4, 1, seed=1)),
        (dcgan_generator(eight, width=four, seed=0), dcgan_generator(8, width=4, seed=0)),
        (dense_generator(eight, seed=0), dense_generator(8, seed=0)),
        (unet(width=four, depth=np.int64(2), seed=0), unet(width=4, depth=2, seed=0)),
    ]:
        assert all(torch.equal(p, q) for p, q in zip(net.parameters(), other.parameters()))
