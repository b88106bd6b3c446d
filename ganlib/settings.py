"""What a run is told, checked; and what tells one run from another."""

import hashlib
from dataclasses import dataclass, fields
from typing import Literal

import tyro
from torch import Tensor
from torch.nn.utils import parametrize

from ganlib import networks
from ganlib.checks import count, of_kind, one_of, positive, seed_of, share, tensor
from ganlib.gan import GAN
from ganlib.gpu import has_graphs
from ganlib.losses import LOSSES, PENALTIES, loss_of, penalty_of


@dataclass(frozen=True)
class Way:
    """How a run computes, beside what; most of it is for GPUs. ValueError names what is wrong.

    bf16: in mixed precision. channels_last: the layout of pictures in memory. compile: both
    networks, by torch. on_device: noise and order are drawn where G is; on a GPU these are other
    numbers than on a CPU. graph: a whole step is one CUDA graph, which draws on the device, too.
    deterministic: on a GPU, too, equal inputs are to give equal bits. read: steps from one reading
    of the losses to the next; nobody waits for the GPU in between, but what diverges is found late.
    """

    bf16: bool = False
    channels_last: bool = False
    compile: bool = False
    on_device: bool = False
    graph: bool = False
    deterministic: bool = False
    read: int = 1

    def __post_init__(self):
        for field in fields(self):
            if field.name != "read":
                of_kind(field.name, getattr(self, field.name), bool)
        count("read", self.read)

    @property
    def draws_there(self) -> bool:
        """Whether noise and order are drawn on the device of G."""
        return self.on_device or self.graph


def check_way(way: Way, gan: GAN, world: int) -> None:
    """ValueError if this GAN cannot be trained in this way: it says why."""
    if way.compile and gan.penalty is not None:
        raise ValueError(
            "compile does not go with a penalty: that takes the slope of a slope, "
            "which compiled code does not have"
        )
    if not way.graph:
        return

    hooks = [
        hook
        for optimiser in (gan.opt_G, gan.opt_D)
        for hook in (optimiser._optimizer_step_pre_hooks, optimiser._optimizer_step_post_hooks)
    ]
    refused = {
        f"needs a GPU, but G is on {gan.device}": not has_graphs(gan.device),
        f"is for one process, not for {world}": world > 1,
        "is for the class GAN itself": type(gan) is not GAN,
        "is for Adam": gan.optimiser != "adam",
        "is for optimisers without hooks": any(hooks),
        "is for the losses of LOSSES": loss_of(gan.loss) not in LOSSES.values(),
        "is for the penalties of PENALTIES": (
            penalty_of(gan.penalty) not in (None, *PENALTIES.values())
        ),
        "is for weights that no function of one's own computes": any(
            _computed(net) for net in (gan.G, gan.D)
        ),
    }
    for words, wrong in refused.items():
        if wrong:
            raise ValueError(f"graph {words}: take graph=False here")


def _computed(net) -> bool:
    """Whether a weight is computed by something that is not torch's: it may read the device."""
    return any(
        not type(rule).__module__.startswith("torch.")
        for layer in net.modules()
        if parametrize.is_parametrized(layer)
        for rules in layer.parametrizations.values()
        for rule in rules
    )


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


# -- from the shell --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recipe:
    """Train a DCGAN on pictures, or go on."""

    # These are the options of the command line; the comment at each is what `--help` says of it.

    # digits, mnist, fashion-mnist, faces, a folder of pictures, or an IDX file
    images: str = "digits"
    size: int = 8  # side of the pictures in pixels: 8, 16, 32, 64 or 128
    grey: bool = False  # turn pictures grey
    cache: str = ""  # folder for pixels mapped into memory
    held_out: float = 0.0  # share of the pictures to leave aside
    steps: int = 2000  # steps in all
    batch: int = 64  # pictures a step, over all processes
    out: str = "runs/a"  # folder of checkpoint and samples
    every: int = 500  # steps between checkpoints
    z_dim: int = 32  # numbers in z
    width: int = 32  # channels of the largest maps
    width_D: int = 0  # the same for D; 0: as G's
    norm: str = "batch"  # of D: batch, spectral or none
    # minimax, non-saturating, least-squares, hinge, wasserstein or linear
    loss: str = "non-saturating"
    lr_G: float = 1e-3  # learning rate of G
    lr_D: float = 1e-3  # learning rate of D
    fall_from: int = 0  # step from which both rates fall to 0; 0: never
    ema: float = 0.99  # share that the average of G keeps at each step
    seed: int = 0  # of weights, noise and order
    device: Literal["cpu", "cuda"] = "cpu"  # cpu or cuda
    threads: int = 1  # threads of the CPU
    bf16: bool = False  # mixed precision
    channels_last: bool = False  # memory layout
    compile: bool = False  # by torch.compile
    on_device: bool = False  # noise and order drawn on the GPU: other numbers than the CPU's
    graph: bool = False  # the whole step as one CUDA graph; draws on the GPU, too
    deterministic: bool = False  # equal bits at each start on a GPU, too; slower
    read: int = 1  # steps from one reading of the losses to the next
    # what the file of the run shall say of its making
    command: tyro.conf.Suppress[str] = ""


def check_recipe(recipe: Recipe) -> None:
    """ValueError names the first option that no run can have, before anything is read."""
    of_kind("recipe", recipe, Recipe)
    for name in ("batch", "every", "threads", "z_dim", "width", "read"):
        count(name, getattr(recipe, name))
    for name in ("steps", "fall_from", "width_D"):
        count(name, getattr(recipe, name), 0)
    if recipe.fall_from and recipe.fall_from >= recipe.steps:
        raise ValueError(
            f"fall_from must be before the last of {recipe.steps} steps, got {recipe.fall_from}"
        )
    one_of("size", recipe.size, networks.SIZES)
    one_of("norm", recipe.norm, networks.NORMS)
    loss_of(recipe.loss)
    share("held_out", recipe.held_out)
    share("ema", recipe.ema)
    seed_of(recipe.seed)
    positive("lr_G", recipe.lr_G)
    positive("lr_D", recipe.lr_D)
