"""Long runs over `GAN.step`: batches, an averaged generator, and checkpoints from which a run continues exactly.

`python -m ganlib.training --images digits --steps 2000 --out runs/a`; the same command again resumes. On several
processes: `torchrun --nproc_per_node 2 -m ganlib.training …`. Files are safetensors: numbers and JSON, never code.
"""

import copy
import hashlib
import json
import os
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import tyro
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from tqdm import tqdm

from ganlib import networks, targets
from ganlib.gan import GAN
from ganlib.images import load, mosaic

NUMBERS = (
    "loss_D",
    "loss_G",
    "D_real",
    "D_fake",
)  # noted at every step; the last two are D(x) and D(G(z))


class Run:
    """A `GAN` on pictures x (n, channels, size, size): `step()` takes the next minibatch, and averages G in `run.G`.

    batch: pictures a step, over all processes. ema: the share the average keeps of itself, less in the first steps.
    fall: (first, last), steps between which both rates fall along a line to 0. seed: of the order of the pictures.
    out: a folder for `run.safetensors` and grids of samples, written every `every` steps; a run found there is
    resumed. about: what else its JSON shall say. For GPUs: bf16, channels_last, compile.
    """

    def __init__(
        self,
        gan: GAN,
        x: Tensor,
        *,
        batch=64,
        ema=0.99,
        fall=(),
        seed=0,
        out=None,
        every=500,
        about=None,
        bf16=False,
        channels_last=False,
        compile=False,
    ):
        self.gan, self.batch, self.every, self.about = gan, batch, every, about or {}
        self.rank, self.world = 0, int(os.environ.get("WORLD_SIZE", 1))
        if not 0 < batch <= len(x) or batch % self.world:
            raise ValueError(
                f"batch must be a multiple of {self.world}, at most the {len(x)} pictures, got {batch}"
            )
        self.settings = {
            "batch": batch,
            "ema": ema,
            "fall": list(fall),
            "seed": seed,
            "pictures": list(x.shape),
            "loss": gan.loss,
        }
        self.out, self.saves = Path(out or "."), out is not None
        self.G, self.ema = copy.deepcopy(gan.G).eval().requires_grad_(False), ema
        self.order, self.generator = (
            torch.zeros(0, dtype=torch.long),
            torch.Generator().manual_seed(seed),
        )
        self.x = (
            x
            if gan.device.type == "cuda" and x.nbytes > torch.cuda.mem_get_info()[0] / 2
            else x.to(gan.device)
        )
        self.layout = torch.channels_last if channels_last else torch.preserve_format
        for net in (gan.G, gan.D):
            net.to(memory_format=self.layout)  # type: ignore[call-overload]
            if bf16:  # logits leave as float32: softplus needs the digits that bf16 lacks
                inner = torch.autocast(gan.device.type, torch.bfloat16)(net.forward)
                net.forward = lambda x, inner=inner: inner(x).float()
            if compile:
                net.compile()
        self.logits: list[Tensor] = []
        gan._rowwise = False  # real and fake apart: their logits are shown
        gan.D.register_forward_hook(lambda net, x, logits: self.logits.append(logits.detach()))
        if self.world > 1:
            self._share()
        if self.saves and (self.out / "run.safetensors").exists():
            self.load(self.out / "run.safetensors")

    def _share(self) -> None:
        """Every process takes its slice of each batch and of its noise; Accelerate averages the gradients."""
        from accelerate import Accelerator, utils

        gan, whole = self.gan, self.gan.noise
        self.rank = Accelerator(cpu=gan.device.type == "cpu").process_index
        gan.noise = lambda n: whole(n * self.world).chunk(self.world)[self.rank]  # type: ignore[method-assign]
        for net in (gan.G, gan.D, self.G):
            net.load_state_dict(utils.broadcast(net.state_dict()))

        def average(optimiser, *_):
            for parameter in optimiser.param_groups[0]["params"]:
                parameter.grad = utils.reduce(parameter.grad, "mean")

        gan.opt_G.register_step_pre_hook(average)
        gan.opt_D.register_step_pre_hook(average)

    def step(self) -> dict[str, float]:
        """One `GAN.step` on the next minibatch: every picture comes once, in random order, before any comes again."""
        if len(self.order) < self.batch:
            self.order = torch.randperm(len(self.x), generator=self.generator)
        rows, self.order = (
            self.order[: self.batch].chunk(self.world)[self.rank],
            self.order[self.batch :],
        )
        self.logits.clear()
        first, last = self.settings["fall"] or (0, 0)
        if first < self.gan.steps < last:  # these factors multiply to the line from 1 to 0
            left = last - self.gan.steps
            self.gan.lr_G, self.gan.lr_D = (
                rate * left / (left + 1) for rate in (self.gan.lr_G, self.gan.lr_D)
            )
        try:
            record = self.gan.step(
                self.x[rows.to(self.x.device)].to(self.gan.device, memory_format=self.layout)
            )
        except torch.cuda.OutOfMemoryError:
            raise RuntimeError(
                f"out of GPU memory: try a batch of {max(1, self.batch // 2)}"
            ) from None
        record.update(
            D_real=float(self.logits[0].sigmoid().mean()),
            D_fake=float(self.logits[1].sigmoid().mean()),
        )
        keep = min(self.ema, self.gan.steps / (10 + self.gan.steps))
        with torch.no_grad():
            for mean, now in zip(self.G.state_dict().values(), self.gan.G.state_dict().values()):
                mean.lerp_(now, 1 - keep) if mean.is_floating_point() else mean.copy_(now)
        return record

    def train(self, steps: int, *, progress=False) -> "Run":
        """Go on until `steps` steps are done in all, saving on the way; Ctrl-C ends after a whole step, and saves."""
        bar = tqdm(
            total=steps,
            initial=self.gan.steps,
            disable=not progress or self.rank > 0,
            desc=f"{self.world} process{'es' * (self.world > 1)}",
        )
        with _interrupt() as stop, bar:
            while self.gan.steps < steps and not stop:
                record = self.step()
                bar.update()
                bar.set_postfix({name: f"{record[name]:.2f}" for name in NUMBERS}, refresh=False)
                if self.saves and (
                    self.gan.steps % self.every == 0 or self.gan.steps == steps or stop
                ):
                    self.save()
        if stop:
            print(f"stopped after step {self.gan.steps}; the same call goes on from there")
        return self

    def sample(self, n: int, *, seed=0) -> Tensor:
        """n pictures by the averaged G; training is not disturbed."""
        z = self.gan.prior.sample(n, torch.Generator().manual_seed(seed)).to(self.gan.device)
        return torch.cat([self.G(part) for part in z.split(500)])

    def save(self) -> None:
        """Write the checkpoint and a grid of samples into `out`; a save that fails leaves the last good one there."""
        if self.rank == 0:
            gan = self.gan
            write(
                self.out / "run.safetensors",
                self._tensors(),
                {
                    **self.about,
                    "settings": self.settings,
                    "steps": gan.steps,
                    "lr": [gan.lr_G, gan.lr_D],
                    "threads": torch.get_num_threads(),
                },
            )
            Image.fromarray((mosaic(self.sample(64)) * 255).astype(np.uint8)).save(
                self.out / f"samples-{gan.steps:06d}.png"
            )

    def load(self, path) -> None:
        """Go back to a checkpoint; ValueError if it is damaged, of another architecture or of other settings."""
        (there, about), here, gan = read(path), self._tensors(), self.gan
        old, new = (
            settings
            | {key: list(value.shape) for key, value in tensors.items() if key[:2] in ("G.", "D.")}
            for settings, tensors in ((about["settings"], there), (self.settings, here))
        )
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                raise ValueError(
                    f"{path} is of another run: {key} is {old.get(key)} there, {new.get(key)} here"
                )
        if about["threads"] != torch.get_num_threads():
            warnings.warn(
                f"saved with {about['threads']} threads: the last bits may differ now", stacklevel=2
            )
        for part, net in (("G", gan.G), ("D", gan.D), ("mean", self.G)):
            net.load_state_dict(_below(there, part))
        for part, optimiser in (("opt_G", gan.opt_G), ("opt_D", gan.opt_D)):
            state = {
                int(i): _below(_below(there, part), i)
                for i in {key.split(".")[0] for key in _below(there, part)}
            }
            optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
        (gan.lr_G, gan.lr_D), gan.steps, self.order = about["lr"], about["steps"], there["order"]
        gan.generator.set_state(there["noise"])
        self.generator.set_state(there["shuffle"])
        torch.set_rng_state(there["global"])  # dropout, say, draws from it
        gan.history[:] = [dict(zip(NUMBERS, row)) for row in there["history"].tolist()]

    def _tensors(self) -> dict[str, Tensor]:
        """All that the next step depends on, under flat names."""
        gan = self.gan
        nets, optimisers = (
            {"G": gan.G, "D": gan.D, "mean": self.G},
            {"opt_G": gan.opt_G, "opt_D": gan.opt_D},
        )
        flat = {
            f"{part}.{name}": value
            for part, net in nets.items()
            for name, value in net.state_dict().items()
        }
        flat |= {
            f"{part}.{i}.{name}": value
            for part, optimiser in optimisers.items()
            for i, state in optimiser.state_dict()["state"].items()
            for name, value in state.items()
        }
        history = torch.tensor(
            [[record.get(name, np.nan) for name in NUMBERS] for record in gan.history]
        )
        return flat | {
            "noise": gan.generator.get_state(),
            "shuffle": self.generator.get_state(),
            "order": self.order,
            "global": torch.get_rng_state(),
            "history": history.double(),
        }


def write(path: Path, tensors: dict[str, Tensor], about: dict) -> None:
    """Write tensors and JSON beside `path`, then rename: whoever reads finds the old file or the new, never a part."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        with open(part, "wb") as file:
            file.write(save(tensors, {"about": json.dumps({**about, "sha256": _digest(tensors)})}))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(
            f"{path} could not be written ({error}); what lay there before is untouched"
        ) from error


def read(path) -> tuple[dict[str, Tensor], dict]:
    """The tensors and the JSON of a file made by `write`; ValueError if it is anything else or was changed."""
    try:
        with safe_open(path, "pt") as file:
            about, names = json.loads(file.metadata()["about"]), list(file.keys())
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is truncated or no file of a run: {error}") from None
    if about.pop("sha256", None) != _digest(tensors):
        raise ValueError(f"{path} was changed after it was written")
    return tensors, about


def _digest(tensors) -> str:
    return hashlib.sha256(
        b"".join(tensors[name].numpy().tobytes() for name in sorted(tensors))
    ).hexdigest()


def _below(tensors, part) -> dict[str, Tensor]:
    return {
        name[len(part) + 1 :]: value
        for name, value in tensors.items()
        if name.startswith(f"{part}.")
    }


def load_pair(path) -> tuple[nn.Module, nn.Module, dict]:
    """The averaged G and D of a run made from the shell, ready to use, and what its file says about it."""
    tensors, about = read(path)
    G, D = _pair(
        **{
            key: about[key]
            for key in ("size", "channels", "z_dim", "width", "norm", "width_D")
            if key in about
        }
    )
    G.load_state_dict(_below(tensors, "mean"))
    D.load_state_dict(_below(tensors, "D"))
    return G.eval().requires_grad_(False), D.eval().requires_grad_(False), about


def _pair(size, channels, z_dim, width, norm, width_D=0, seed=0):
    norm_G = "batch" if norm == "spectral" else norm
    return (
        networks.dcgan_generator(size, channels, z_dim=z_dim, width=width, norm=norm_G, seed=seed),
        networks.dcgan_discriminator(
            size, channels, width=width_D or width, norm=norm, seed=seed + 1
        ),
    )


@contextmanager
def _interrupt():
    """A list that Ctrl-C makes non-empty, so that a step is never cut in two; only the main thread can hear it."""
    stop: list[int] = []
    hears = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, lambda *_: stop.append(1)) if hears else None
    try:
        yield stop
    finally:
        if hears:
            signal.signal(signal.SIGINT, before)


def train(
    *,
    images: str = "digits",
    size: int = 8,
    grey: bool = False,
    cache: str = "",
    held_out: float = 0.0,
    steps: int = 2000,
    batch: int = 64,
    out: str = "runs/a",
    every: int = 500,
    z_dim: int = 32,
    width: int = 32,
    width_D: int = 0,
    norm: str = "batch",
    loss: str = "non-saturating",
    lr_G: float = 1e-3,
    lr_D: float = 1e-3,
    fall_from: int = 0,
    ema: float = 0.99,
    seed: int = 0,
    device: Literal["cpu", "cuda"] = "cpu",
    threads: int = 1,
    bf16: bool = False,
    channels_last: bool = False,
    compile: bool = False,
    command: tyro.conf.Suppress[str] = "",
) -> Run:
    """Train a DCGAN on pictures, or go on.

    Args:
        images: digits, mnist, fashion-mnist, faces, a folder of pictures, or an IDX file
        size: side of the pictures in pixels: 8, 16, 32, 64 or 128
        grey: turn pictures grey
        cache: folder for pixels mapped into memory
        held_out: share of the pictures to leave aside
        steps: steps in all
        batch: pictures a step, over all processes
        out: folder of checkpoint and samples
        every: steps between checkpoints
        z_dim: numbers in z
        width: channels of the largest maps
        width_D: the same for D; 0: as G's
        norm: of D: batch, spectral or none
        loss: minimax, non-saturating, least-squares, hinge, wasserstein or linear
        lr_G: learning rate of G
        lr_D: learning rate of D
        fall_from: step from which both rates fall to 0; 0: never
        ema: share that the average of G keeps at each step
        seed: of weights, noise and order
        device: cpu or cuda
        threads: threads of the CPU
        bf16: mixed precision
        channels_last: memory layout
        compile: by torch.compile
        command: what the file of the run shall say of its making
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda, but this PyTorch sees no GPU; take --device cpu")
    torch.set_num_threads(threads)
    place = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if device == "cuda" else device
    found = load(images, size=size, grey=grey, cache=cache)
    x = (
        found.split(held_out)[0].x if held_out else found.x
    )  # a split is a copy: not of what fits no memory
    shape = {
        "size": size,
        "channels": x.shape[1],
        "z_dim": z_dim,
        "width": width,
        "width_D": width_D,
        "norm": norm,
    }
    G, D = (net.to(place) for net in _pair(**shape, seed=seed))
    gan = GAN(G, D, targets.gaussian(dim=z_dim), loss=loss, lr_G=lr_G, lr_D=lr_D, seed=seed)
    return Run(
        gan,
        x,
        fall=(fall_from, steps) if fall_from else (),
        about={**shape, "command": command},
        batch=batch,
        ema=ema,
        seed=seed,
        out=out,
        every=every,
        bf16=bf16,
        compile=compile,
        channels_last=channels_last,
    ).train(steps, progress=True)


def main(argv=None) -> None:
    """The command line of `train`."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        tyro.cli(
            partial(train, command=" ".join(["python -m ganlib.training", *argv])),
            args=argv,
            prog="python -m ganlib.training",
        )
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
