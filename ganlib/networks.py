"""The networks of the course: each function returns a plain `nn.Sequential` or a small `nn.Module`.

Pictures are (n, channels, size, size) in [−1, 1]; a generator takes z (n, z_dim) and a discriminator
answers with logits. Every function takes `seed`, which fixes the weights and nothing else.
"""

import copy
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganlib.checks import one_of


@contextmanager
def _seeded(seed: int | None):
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        yield


def mlp(
    *sizes: int,
    activation=nn.Tanh,
    seed: int | None = None,
    cover: tuple[float, float] | None = None,
    slope: float = 4.0,
) -> nn.Sequential:
    """A fully connected network, `mlp(1, 16, 16, 1)`: linear layers with an activation between them.

    x is (n, sizes[0]), the answer (n, sizes[-1]). With `cover=(low, high)`, for one input, the first
    layer's units get slopes ±`slope` and their kinks are spread evenly over that interval, so that
    every part of it is seen by some unit from the start.
    """
    if len(sizes) < 2 or not all(isinstance(n, int) and n > 0 for n in sizes):
        raise ValueError(f"mlp needs at least two positive sizes, got {sizes}")
    with _seeded(seed):
        layers = [
            layer
            for n_in, n_out in pairwise(sizes)
            for layer in (nn.Linear(n_in, n_out), activation())
        ]
    net: Any = nn.Sequential(*layers[:-1])
    net.cover = (
        None if cover is None else (*cover, slope)
    )  # kept, so that `reinitialise` can do the same
    return reinitialise(net, seed)


def reinitialise(net, seed: int | None = None):
    """Draw new weights for every layer of `net`, in place, and return it; `seed` fixes them and nothing else."""
    with _seeded(seed):
        for layer in net.modules():
            if layer is not net and hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
        if getattr(net, "cover", None) is not None:
            _cover(net[0], *net.cover)
    return net


@torch.no_grad()
def _cover(layer, low: float, high: float, slope: float) -> None:
    if layer.in_features != 1 or not low < high:
        raise ValueError(
            f"cover needs one input and low < high, got {layer.in_features} inputs, ({low}, {high})"
        )
    n = layer.out_features
    kinks = low + (high - low) * (torch.arange(n) + 0.5) / n
    sign = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    scale = (
        2 / (high - low) * slope
    )  # the slope is per half-width, so that it means the same on every range
    layer.weight.copy_((sign * scale)[:, None])
    layer.bias.copy_(-sign * scale * kinks)


def dense_generator(size=8, channels=1, *, z_dim=32, width=64, seed=None) -> nn.Sequential:
    """z (n, z_dim) → pictures (n, channels, size, size) by fully connected layers, which know no neighbours."""
    body = mlp(
        z_dim,
        width,
        2 * width,
        channels * size**2,
        activation=partial(nn.LeakyReLU, 0.2),
        seed=seed,
    )
    return nn.Sequential(*body, nn.Tanh(), nn.Unflatten(1, (channels, size, size)))


def dense_discriminator(size=8, channels=1, *, width=64, seed=None) -> nn.Sequential:
    """Pictures (n, channels, size, size) → logits (n, 1) by fully connected layers."""
    body = mlp(
        channels * size**2, 2 * width, width, 1, activation=partial(nn.LeakyReLU, 0.2), seed=seed
    )
    return nn.Sequential(nn.Flatten(), *body)


def dcgan_generator(
    size=8, channels=1, *, z_dim=32, width=32, norm="batch", seed=None
) -> nn.Sequential:
    """The DCGAN generator: z (n, z_dim) → (n, channels, size, size) in (−1, 1), doubling the side at each layer.

    `width` channels stand before the last layer, twice as many a layer earlier, 8 times at most.
    size: 8, 16, 32, 64 or 128. norm: "batch", "spectral" or "none".
    Source: Radford et al. 2016, arXiv:1511.06434; spectral norm: Miyato et al. 2018, arXiv:1802.05957.
    """
    widths = _widths(width, size=size)
    with _seeded(seed):
        first = _block(nn.ConvTranspose2d, z_dim, widths[-1], size >> len(widths), 1, 0, norm)
        doublings = [
            _block(nn.ConvTranspose2d, a, b, 4, 2, 1, norm) for a, b in pairwise(widths[::-1])
        ]
        last = nn.ConvTranspose2d(widths[0], channels, 4, 2, 1, bias=False)
        return _normal(
            nn.Sequential(nn.Unflatten(1, (z_dim, 1, 1)), first, *doublings, last, nn.Tanh())
        )


def dcgan_discriminator(size=8, channels=1, *, width=32, norm="batch", seed=None) -> nn.Sequential:
    """The generator's mirror: pictures (n, channels, size, size) → logits (n, 1), halving the side at each layer."""
    widths = _widths(width, size=size)
    with _seeded(seed):
        last = nn.Conv2d(widths[-1], 1, size >> len(widths), bias=False)
        last = spectral_norm(last) if norm == "spectral" else last  # type: ignore[assignment]
        return _normal(nn.Sequential(*_halvings(channels, widths, norm), last, nn.Flatten()))


def _widths(width, *, size=None, count=0) -> list[int]:
    """The channels of each map, from the picture inwards: to 4×4 (2×2 for 8 px), or `count` of them."""
    count = count or max(2, one_of("size", size, (8, 16, 32, 64, 128)).bit_length() - 3)
    return [width * min(2**k, 8) for k in range(count)]


def _block(conv, n_in, n_out, kernel, stride, padding, norm) -> nn.Sequential:
    one_of("norm", norm, ("batch", "spectral", "none"))
    layer = conv(
        n_in, n_out, kernel, stride, padding, bias=norm != "batch"
    )  # batch norm has its own bias
    normed = (
        [spectral_norm(layer)]
        if norm == "spectral"
        else [layer, nn.BatchNorm2d(n_out)][: 1 + (norm == "batch")]
    )
    return nn.Sequential(*normed, nn.ReLU() if conv is nn.ConvTranspose2d else nn.LeakyReLU(0.2))


def _halvings(channels, widths, norm="batch") -> list[nn.Sequential]:
    """Strided convolutions, each half the side; the first without batch norm, which would hide the picture's scale."""
    first = _block(nn.Conv2d, channels, widths[0], 4, 2, 1, "none" if norm == "batch" else norm)
    return [
        first,
        *(_block(nn.Conv2d, n_in, n_out, 4, 2, 1, norm) for n_in, n_out in pairwise(widths)),
    ]


@torch.no_grad()
def _normal(net: nn.Sequential) -> nn.Sequential:
    """DCGAN's start: weights N(0, 0.02), batch norm's scales N(1, 0.02), all biases 0."""
    for name, parameter in net.named_parameters():
        bias = name.endswith("bias")
        nn.init.normal_(parameter, float(parameter.ndim == 1 and not bias), 0.0 if bias else 0.02)
    return net


class UNet(nn.Module):
    """Halve the side, double it again, and hand each map across to its twin on the way up."""

    def __init__(self, downs, ups, skips: bool):
        super().__init__()
        self.downs, self.ups, self.skips = nn.ModuleList(downs), nn.ModuleList(ups), skips

    def forward(self, x: Tensor) -> Tensor:
        maps: list[Tensor] = []
        for down in self.downs:
            maps.append(down(maps[-1] if maps else x))
        x = self.ups[0](maps.pop())
        for up in self.ups[1:]:
            x = up(torch.cat([x, maps.pop()], 1) if self.skips else x)
        return x


def unet(channels=1, out_channels=1, *, width=16, depth=3, skips=True, seed=None) -> UNet:
    """A U-Net from (n, channels, s, s) to (n, out_channels, s, s) in (−1, 1); s is a multiple of 2^depth.

    With `skips=False` everything has to pass the narrow middle. Source: Isola et al. 2017, arXiv:1611.07004.
    """
    widths = _widths(width, count=depth)
    with _seeded(seed):
        twice = 2 if skips else 1  # what comes across is stacked on what comes up
        ups = [
            _block(
                nn.ConvTranspose2d,
                widths[k] * (twice if k < depth - 1 else 1),
                widths[k - 1],
                4,
                2,
                1,
                "batch",
            )
            for k in range(depth - 1, 0, -1)
        ]
        last = nn.ConvTranspose2d(width * (twice if depth > 1 else 1), out_channels, 4, 2, 1)
        return UNet(_halvings(channels, widths), [*ups, nn.Sequential(last, nn.Tanh())], skips)


def patch_discriminator(channels=2, *, width=16, layers=2, seed=None) -> nn.Sequential:
    """PatchGAN: pictures (n, channels, s, s) → one logit for each overlapping patch, (n, 1, h, w).

    Each logit sees a square of 3·2^(layers + 1) − 2 pixels. Source: Isola et al. 2017, section 3.2, arXiv:1611.07004.
    """
    with _seeded(seed):
        halvings = _halvings(channels, _widths(width, count=layers))
        return _normal(
            nn.Sequential(*halvings, nn.Conv2d(width * min(2 ** (layers - 1), 8), 1, 4, 1, 1))
        )


@torch.no_grad()
def layers(net: nn.Module, *shape: int) -> str:
    """A table of `net`, one line a layer: its kind, the shape it gives for one input of `shape`, its parameters."""
    kinds = (
        nn.Linear,
        nn.Conv2d,
        nn.ConvTranspose2d,
        nn.BatchNorm2d,
        nn.Flatten,
        nn.Unflatten,
        nn.Tanh,
    )
    rows: list[str] = []

    count = lambda part: sum(parameter.numel() for parameter in part.parameters())

    def note(layer, _, out):
        name = type(layer).__name__.removeprefix("Parametrized")
        rows.append(f"{name:<16}{'×'.join(map(str, out.shape[1:])):>12}{count(layer):>11,}")

    twin = (
        copy.deepcopy(net).cpu().eval()
    )  # a forward pass may change batch norm's memory: not that of `net`
    [layer.register_forward_hook(note) for layer in twin.modules() if isinstance(layer, kinds)]
    twin(torch.zeros(1, *shape))
    return "\n".join([*rows, f"{'in all':<28}{count(net):>11,}"])
