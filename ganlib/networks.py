"""The networks of the course: each function returns a plain `nn.Sequential` or a small `nn.Module`."""

import torch
from torch import nn

__all__ = ["mlp"]


def mlp(*sizes: int, activation=nn.Tanh, seed: int | None = None, cover: tuple[float, float] | None = None,
        slope: float = 4.0) -> nn.Sequential:
    """A fully connected network, `mlp(1, 16, 16, 1)`: linear layers with an activation between them.

    x is (n, sizes[0]), the answer (n, sizes[-1]). With `cover=(low, high)`, for one input, the first
    layer's units get slopes ±`slope` and their kinks are spread evenly over that interval, so that
    every part of it is seen by some unit from the start. `seed` fixes the weights and nothing else.
    """
    if len(sizes) < 2 or not all(isinstance(n, int) and n > 0 for n in sizes):
        raise ValueError(f"mlp needs at least two positive sizes, got {sizes}")
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for n_in, n_out in zip(sizes, sizes[1:]):
            layers += [nn.Linear(n_in, n_out), activation()]
        net = nn.Sequential(*layers[:-1])
        if cover is not None:
            _cover(net[0], *cover, slope)
    return net


@torch.no_grad()
def _cover(layer: nn.Linear, low: float, high: float, slope: float) -> None:
    if layer.in_features != 1 or not low < high:
        raise ValueError(f"cover needs one input and low < high, got {layer.in_features} inputs, ({low}, {high})")
    n = layer.out_features
    kinks = low + (high - low) * (torch.arange(n) + 0.5) / n
    sign = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    scale = 2 / (high - low) * slope  # the slope is per half-width, so that it means the same on every range
    layer.weight.copy_((sign * scale)[:, None])
    layer.bias.copy_(-sign * scale * kinks)
