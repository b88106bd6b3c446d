"""The networks of the course: each function returns a plain `nn.Sequential` or a small `nn.Module`.

Pictures are (n, channels, size, size) in [−1, 1]; a generator takes z (n, z_dim) and a
discriminator answers with logits. Every function takes `seed`, which fixes the weights and nothing
else.
"""

import copy
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganlib.checks import count, finite, of_kind, one_of, positive, seed_of

SIZES = (8, 16, 32, 64, 128)  # sides of a DCGAN's pictures
NORMS = ("batch", "spectral", "none")
WIDEST = 1024  # channels; the deepest maps have eight times as many
DEEPEST = 8  # times a side is halved: 256 pixels to one
MOST = 1_000_000  # units of a layer

_leaky = partial(nn.LeakyReLU, 0.2)


@contextmanager
def _seeded(seed: int | None):
    if seed is not None:
        seed = seed_of(seed)
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.default_generator.manual_seed(seed)  # of the CPU: a GPU's draws go on
        yield


def mlp(
    *sizes: int,
    activation=nn.Tanh,
    seed: int | None = None,
    cover: tuple[float, float] | None = None,
    slope: float = 4.0,
) -> nn.Sequential:
    """A fully connected network, `mlp(1, 16, 16, 1)`: linear layers with an activation between.

    x is (n, sizes[0]), the answer (n, sizes[-1]). With `cover=(low, high)`, for one input, the
    first layer's units get slopes ±`slope` and their kinks are spread evenly over that interval, so
    that every part of it is seen by some unit from the start.
    """
    if len(sizes) < 2:
        raise ValueError(f"mlp needs at least two positive sizes, got {sizes}")
    sizes = tuple(count("each of sizes", n, 1, MOST) for n in sizes)
    if not callable(activation):
        raise TypeError(f"activation must make a layer, as nn.Tanh does, got {activation!r}")
    if cover is not None:
        _check_cover(cover, slope, sizes[0])

    layers: list[nn.Module] = []
    with _seeded(seed):
        for n_in, n_out in pairwise(sizes):
            layers.append(nn.Linear(n_in, n_out))
            layers.append(activation())
    net: Any = nn.Sequential(*layers[:-1])

    # Kept, so that `reinitialise` can do the same.
    net.cover = None
    if cover is not None:
        net.cover = (*cover, slope)
    return reinitialise(net, seed)


def reinitialise(net, seed: int | None = None):
    """Draw new weights for all layers of `net`, in place, and return it; `seed` fixes only them."""
    _check_net(net)
    with _seeded(seed):
        for layer in net.modules():
            if layer is not net and hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
        if getattr(net, "cover", None) is not None:
            _cover(net[0], *net.cover)
    return net


def _check_net(net) -> None:
    if not isinstance(net, nn.Module):
        raise TypeError(f"net must be a torch module, got {net!r}")


def _check_cover(cover, slope, inputs: int) -> None:
    positive("slope", slope)
    try:
        ends = list(cover)
    except TypeError:
        ends = []

    rising = False
    if len(ends) == 2:
        low, high = (finite("cover", end) for end in ends)
        rising = low < high
    if inputs != 1 or not rising:
        raise ValueError(f"cover needs one input and low < high, got {inputs} inputs, {cover!r}")


@torch.no_grad()
def _cover(layer, low: float, high: float, slope: float) -> None:
    n = layer.out_features
    middles = torch.arange(n) + 0.5
    kinks = low + (high - low) * middles / n
    sign = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)

    # The slope is per half-width, so that it means the same on every range.
    scale = 2 / (high - low) * slope
    layer.weight.copy_((sign * scale)[:, None])
    layer.bias.copy_(-sign * scale * kinks)


def dense_generator(size=8, channels=1, *, z_dim=32, width=64, seed=None) -> nn.Sequential:
    """z (n, z_dim) → pictures (n, channels, size, size) by fully connected layers.

    Such layers know no neighbours.
    """
    size, channels, width = _measures(size, channels, width)
    z_dim = count("z_dim", z_dim, 1, MOST)
    numbers = channels * size**2
    body = mlp(z_dim, width, 2 * width, numbers, activation=_leaky, seed=seed)
    picture = nn.Unflatten(1, (channels, size, size))
    return nn.Sequential(*body, nn.Tanh(), picture)


def dense_discriminator(size=8, channels=1, *, width=64, seed=None) -> nn.Sequential:
    """Pictures (n, channels, size, size) → logits (n, 1) by fully connected layers."""
    size, channels, width = _measures(size, channels, width)
    numbers = channels * size**2
    body = mlp(numbers, 2 * width, width, 1, activation=_leaky, seed=seed)
    return nn.Sequential(nn.Flatten(), *body)


def _measures(size, channels, width) -> list[int]:
    """Those of pictures and of a network for them, as ints."""
    return [
        count("size", size, 1, 256),
        count("channels", channels, 1, WIDEST),
        count("width", width, 1, WIDEST),
    ]


def dcgan_generator(
    size=8, channels=1, *, z_dim=32, width=32, norm="batch", seed=None
) -> nn.Sequential:
    """The DCGAN generator: z (n, z_dim) → (n, channels, size, size) in (−1, 1).

    Each layer doubles the side. `width` channels stand before the last layer, twice as many a layer
    earlier, 8 times at most. size: 8, 16, 32, 64 or 128. norm: "batch", "spectral" or "none".
    Source: Radford et al. 2016, arXiv:1511.06434; spectral norm: Miyato et al. 2018,
    arXiv:1802.05957.
    """
    size, channels, widths = _dcgan(size, channels, width, norm)
    z_dim = count("z_dim", z_dim, 1, MOST)
    smallest = size >> len(widths)
    up = nn.ConvTranspose2d
    with _seeded(seed):
        first = _block(up, z_dim, widths[-1], norm, kernel=smallest, stride=1, padding=0)
        doublings = []
        for n_in, n_out in pairwise(widths[::-1]):
            doublings.append(_block(up, n_in, n_out, norm))
        last = up(widths[0], channels, 4, 2, 1, bias=False)

        picture = nn.Unflatten(1, (z_dim, 1, 1))
        net = nn.Sequential(picture, first, *doublings, last, nn.Tanh())
        return _normal(net)


def dcgan_discriminator(size=8, channels=1, *, width=32, norm="batch", seed=None) -> nn.Sequential:
    """The generator's mirror: pictures (n, channels, size, size) → logits (n, 1).

    Each layer halves the side.
    """
    size, channels, widths = _dcgan(size, channels, width, norm)
    smallest = size >> len(widths)
    with _seeded(seed):
        last: nn.Module = nn.Conv2d(widths[-1], 1, smallest, bias=False)
        if norm == "spectral":
            last = spectral_norm(last)
        halvings = _halvings(channels, widths, norm)

        net = nn.Sequential(*halvings, last, nn.Flatten())
        return _normal(net)


def _dcgan(size, channels, width, norm) -> tuple[int, int, list[int]]:
    """A picture's side and channels, checked; and the channels of each map, from it inwards."""
    one_of("norm", norm, NORMS)
    size = one_of("size", size, SIZES)
    size, channels, width = _measures(size, channels, width)
    maps = max(2, size.bit_length() - 3)
    return size, channels, _widths(width, maps)


def _widths(width: int, maps: int) -> list[int]:
    """The channels of each map, from the picture inwards: of a DCGAN to 4×4, or 2×2 for 8 px."""
    return [width * min(2**k, 8) for k in range(maps)]


def _block(conv, n_in, n_out, norm, *, kernel=4, stride=2, padding=1) -> nn.Sequential:
    """A convolution, its norm and its activation; as it stands, to half the side or to twice."""
    own_bias = norm != "batch"  # batch norm has one already
    layer = conv(n_in, n_out, kernel, stride, padding, bias=own_bias)

    parts = [layer]
    if norm == "spectral":
        parts = [spectral_norm(layer)]
    elif norm == "batch":
        parts = [layer, nn.BatchNorm2d(n_out)]

    if conv is nn.ConvTranspose2d:
        parts.append(nn.ReLU())
    else:
        parts.append(_leaky())
    return nn.Sequential(*parts)


def _halvings(channels, widths, norm="batch") -> list[nn.Sequential]:
    """Strided convolutions from the picture inwards, each to half the side and one of `widths`."""
    # Batch norm on the first layer would hide the picture's scale.
    of_first = "none" if norm == "batch" else norm
    halvings = [_block(nn.Conv2d, channels, widths[0], of_first)]
    for n_in, n_out in pairwise(widths):
        halvings.append(_block(nn.Conv2d, n_in, n_out, norm))
    return halvings


@torch.no_grad()
def _normal(net: nn.Sequential) -> nn.Sequential:
    """DCGAN's start: weights N(0, 0.02), batch norm's scales N(1, 0.02), all biases 0."""
    for name, parameter in net.named_parameters():
        is_bias = name.endswith("bias")
        is_scale = parameter.ndim == 1 and not is_bias
        mean = 0.0
        std = 0.02
        if is_bias:
            std = 0.0
        elif is_scale:
            mean = 1.0
        nn.init.normal_(parameter, mean, std)
    return net


class UNet(nn.Module):
    """Halve the side, double it again, and hand each map across to its twin on the way up."""

    def __init__(self, downs, ups, skips: bool):
        super().__init__()
        self.downs = nn.ModuleList(downs)
        self.ups = nn.ModuleList(ups)
        self.skips = skips

    def forward(self, x: Tensor) -> Tensor:
        """x (n, channels, s, s) → (n, out_channels, s, s); ValueError if s cannot be halved."""
        least = 2 ** len(self.downs)
        weight = next(self.parameters())
        if of_kind("x", x, Tensor).dtype != weight.dtype:
            raise ValueError(f"x must be {weight.dtype} as the weights are, got {x.dtype}")
        if x.ndim != 4 or x.shape[2] % least or x.shape[3] % least:
            raise ValueError(
                f"x must be (n, channels, s, s), s a multiple of {least}, got {tuple(x.shape)}"
            )
        maps: list[Tensor] = []
        for down in self.downs:
            x = down(x)
            maps.append(x)

        x = self.ups[0](maps.pop())
        for up in self.ups[1:]:
            across = maps.pop()
            if self.skips:
                x = torch.cat([x, across], 1)
            x = up(x)
        return x


def unet(channels=1, out_channels=1, *, width=16, depth=3, skips=True, seed=None) -> UNet:
    """A U-Net from (n, channels, s, s) to (n, out_channels, s, s) in (−1, 1).

    s is a multiple of 2^depth, depth at most 8. With `skips=False` everything has to pass the
    narrow middle. Source: Isola et al. 2017, arXiv:1611.07004.
    """
    depth = count("depth", depth, 1, DEEPEST)
    out_channels = count("out_channels", out_channels, 1, WIDEST)
    _, channels, width = _measures(2**depth, channels, width)
    widths = _widths(width, depth)
    with _seeded(seed):
        # What comes across is stacked on what comes up: all but the first way up get both.
        twice = 2 if skips else 1
        incoming = [twice * n for n in widths]
        incoming[-1] = widths[-1]

        ups: list[nn.Module] = []
        for k in range(depth - 1, 0, -1):
            up = _block(nn.ConvTranspose2d, incoming[k], widths[k - 1], "batch")
            ups.append(up)
        last = nn.ConvTranspose2d(incoming[0], out_channels, 4, 2, 1)
        ups.append(nn.Sequential(last, nn.Tanh()))

        return UNet(_halvings(channels, widths), ups, skips)


def patch_discriminator(channels=2, *, width=16, layers=2, seed=None) -> nn.Sequential:
    """PatchGAN: pictures (n, channels, s, s) → one logit for each overlapping patch, (n, 1, h, w).

    Each logit sees a square of 3·2^(layers + 1) − 2 pixels.
    Source: Isola et al. 2017, section 3.2, arXiv:1611.07004.
    """
    layers = count("layers", layers, 1, DEEPEST)
    _, channels, width = _measures(1, channels, width)
    widths = _widths(width, layers)
    with _seeded(seed):
        halvings = _halvings(channels, widths)
        last = nn.Conv2d(widths[-1], 1, 4, 1, 1)
        net = nn.Sequential(*halvings, last)
        return _normal(net)


def ask(net, x: Tensor) -> Tensor:
    """net(x) on the CPU; x is first brought to where the weights of net are, if it has any."""
    weight = next(net.parameters(), None) if isinstance(net, nn.Module) else None
    return net(x if weight is None else x.to(weight.device)).cpu()


@torch.no_grad()
def layers(net: nn.Module, *shape: int) -> str:
    """A table of `net`, a line a layer: its kind, its answer's shape to one input, its parameters.

    `shape` is that of the input, without the n in front.
    """
    _check_net(net)
    shape = tuple(count("each of shape", side) for side in shape)
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

    def note(layer, _, out):
        name = type(layer).__name__.removeprefix("Parametrized")
        shape_out = "×".join(map(str, out.shape[1:]))
        rows.append(f"{name:<16}{shape_out:>12}{_parameters(layer):>11,}")

    # A forward pass may change batch norm's memory: not that of `net`.
    twin = copy.deepcopy(net).cpu().eval()
    for layer in twin.modules():
        if isinstance(layer, kinds):
            layer.register_forward_hook(note)
    try:
        twin(torch.zeros(1, *shape))
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"shape must be one that net takes, got {shape}: {error}") from None

    rows.append(f"{'in all':<28}{_parameters(net):>11,}")
    return "\n".join(rows)


def _parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())
