"""What a run is told, checked; and what tells one run from another."""

import hashlib

from torch import Tensor

from ganlib.checks import count, tensor
from ganlib.gan import GAN


def checked_gan(gan) -> GAN:
    """The GAN of a run, else TypeError."""
    if not isinstance(gan, GAN):
        raise TypeError(f"gan must be a GAN, got {gan!r}")
    return gan


def checked_pictures(x) -> Tensor:
    """x (n, channels, size, size) as float32; whether all is finite, each step looks."""
    x = tensor("x", x)
    if x.ndim != 4 or x.numel() == 0:
        raise ValueError(f"x must be pictures (n, channels, size, size), got {tuple(x.shape)}")
    return x.float()


def checked_batch(batch, pictures: int, world: int) -> int:
    """Pictures a step, a multiple of the processes and at most all."""
    batch = count("batch", batch, 0)
    if not 0 < batch <= pictures or batch % world:
        raise ValueError(
            f"batch must be a multiple of {world}, at most the {pictures} pictures, got {batch}"
        )
    return batch


def checked_fall(fall) -> list[int]:
    """No fall, or its first and its last step."""
    try:
        steps = [count("fall", step, 0) for step in fall]
    except TypeError:
        steps = [0]
    if steps and (len(steps) != 2 or not steps[0] < steps[1]):
        raise ValueError(f"fall must be two steps, the first before the last, got {fall!r}")
    return steps


def rules(gan: GAN) -> dict:
    """What else a run must be resumed with, as far as it is not the default of `GAN`."""
    penalty = getattr(gan.penalty, "__name__", gan.penalty)
    usual = (
        ("optimiser", gan.optimiser, "adam"),
        ("betas", list(gan.betas), [0.5, 0.999]),
        ("d_steps", gan.d_steps, 1),
        ("penalty", penalty, None),
        ("penalty_weight", gan.penalty_weight, 1.0),
    )
    return {name: value for name, value, default in usual if value != default}


def fingerprint(x: Tensor) -> str:
    """Tells one set of pictures from another: of about 1,000 of them, evenly spread, the digest."""
    few = x[:: max(1, len(x) // 1000)].contiguous()
    return hashlib.sha256(few.cpu().numpy().tobytes()).hexdigest()[:16]


def shapes(tensors: dict[str, Tensor]) -> dict[str, list[int]]:
    """What tells one architecture from another: the shapes of the weights of G and D."""
    return {
        name: list(value.shape) for name, value in tensors.items() if name.startswith(("G.", "D."))
    }
