"""Long runs over `GAN.step`: batches, an averaged generator, exact checkpoints.

`python -m ganlib.training --images digits --steps 2000 --out runs/a`; the same command again
resumes, and the run continues as if it had never stopped: to the bit on a CPU, on a GPU (not tried
yet) with `--deterministic` at most. On several processes:
`torchrun --nproc_per_node 2 -m ganlib.training …`. Files are those of `files`.
"""

import copy
import math
import os
import sys
import warnings
from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from ganlib import gpu, networks, targets
from ganlib.checks import count, place, positive, seed_of, share
from ganlib.files import held, read, write
from ganlib.gan import GAN
from ganlib.images import load, mosaic
from ganlib.interrupts import CtrlC
from ganlib.losses import loss_of
from ganlib.settings import (
    Recipe,
    Way,
    check_recipe,
    check_way,
    checked_batch,
    checked_fall,
    checked_gan,
    checked_pictures,
    fingerprint,
    rules,
    shapes,
)
from ganlib.states import flat, generator_state, restore

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"

# Noted at every step; the last two are D(x) and D(G(z)).
NUMBERS = ("loss_D", "loss_G", "D_real", "D_fake")


class Run:
    """A `GAN` on pictures x (n, channels, size, size).

    `step()` takes the next minibatch, and averages G in `run.G`.

    x: numbers that are finite, at least one picture. batch: pictures a step, over all processes.
    ema: the share in [0, 1) that the average keeps of itself, less in the first steps.
    fall: (first, last), steps between which both rates fall along a line to 0.
    seed: of the order of the pictures. out: a folder for `run.safetensors` and grids of samples,
    written every `every` steps; a run found there is resumed. about: what else its JSON shall say.
    way: how it computes, the fields of `settings.Way`, such as bf16=True; most of them for GPUs.
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
        **way,
    ):
        self.world = int(os.environ.get("WORLD_SIZE", 1))
        self.rank = 0
        x = checked_pictures(x)
        batch = checked_batch(batch, len(x), self.world)
        self.gan = checked_gan(gan)
        self.way = Way(**way)
        check_way(self.way, gan, self.world)
        self.G = copy.deepcopy(gan.G).eval().requires_grad_(False)
        self.prior = gan.prior
        self.batch = batch
        self.ema = share("ema", ema)
        self.every = count("every", every)
        self.out = Path(out or ".")
        self.saves = out is not None
        self.about = about or {}
        self.settings = {
            "batch": batch,
            "ema": self.ema,
            "fall": checked_fall(fall),
            "seed": seed_of(seed),
            "pictures": [*x.shape, fingerprint(x)],
            "loss": loss_of(gan.loss).name,
            "lr_G": gan.lr_G,
            "lr_D": gan.lr_D,
            **rules(gan),
        }
        self._place(x)
        # The bare networks: a checkpoint has the same names however they are run.
        self.nets = {"G": gan.G, "D": gan.D, "mean": self.G}
        self._prepare()
        if self.world > 1:
            self._join()
        if self.saves and (self.out / "run.safetensors").exists():
            self.load(self.out / "run.safetensors")

    def _place(self, x: Tensor) -> None:
        """Keep the pictures on the device, unless they take over half of what is free there.

        Also where their order and the noise are drawn.
        """
        gan = self.gan
        device = gan.device
        too_large = device.type == "cuda" and x.nbytes > torch.cuda.mem_get_info(device)[0] / 2
        self.x = x if too_large else x.to(device)

        seed = self.settings["seed"]
        self.generator = torch.Generator().manual_seed(seed)
        if self.way.draws_there and device.type != "cpu":
            self.generator = gpu.generator_on(self.x.device, seed)
            gan.generator = gpu.generator_on(device, gan.generator.initial_seed())
            gan.prior = gpu.placed(gan.prior, device)
            self.settings["draws"] = device.type
        # The pictures yet to come in this round.
        self.order = torch.zeros(0, dtype=torch.long, device=self.generator.device)

    def _prepare(self) -> None:
        """Both networks in the form in which they are to run, and D's logits noted."""
        gan = self.gan
        way = self.way
        self.layout = torch.channels_last if way.channels_last else torch.preserve_format
        for net in self.nets.values():
            net.to(memory_format=self.layout)
        if way.bf16:
            gan.G = gpu.MixedPrecision(gan.G, gan.device.type)
            gan.D = gpu.MixedPrecision(gan.D, gan.device.type)
        self.compiled = []
        if way.compile:
            gan.G = gpu.Compiled(gan.G)
            gan.D = gpu.Compiled(gan.D)
            self.compiled = [gan.G, gan.D]
        gan.reads = way.read == 1 and not way.graph
        self.take = gpu.WholeStep(gan, self._noted) if way.graph else self._noted

        gan.one_pass = False  # real and fake apart: their logits are shown
        self.logits: list[Tensor] = []
        gan.D.register_forward_hook(lambda net, x, logits: self.logits.append(logits.detach()))

    def _join(self) -> None:
        """Every process takes its slice of each batch and of its noise; Accelerate averages.

        What is averaged are the gradients; all begin from the weights of the first.
        """
        from accelerate import Accelerator, utils

        gan = self.gan
        self.rank = Accelerator(cpu=gan.device.type == "cpu").process_index
        gan.prior = gpu.Share(gan.prior, self.rank, self.world)
        for net in self.nets.values():
            net.load_state_dict(utils.broadcast(net.state_dict()))

        def average(optimiser, *_):
            for parameter in optimiser.param_groups[0]["params"]:
                parameter.grad = utils.reduce(parameter.grad, "mean")

        gan.opt_G.register_step_pre_hook(average)
        gan.opt_D.register_step_pre_hook(average)

    def step(self) -> dict[str, Any]:
        """One `GAN.step` on the next minibatch, in random order, none twice in one round.

        A round has as many whole batches as there are; the pictures that are left over, fewer than
        a batch and others each time, wait for another round. A step that fails leaves the rates as
        they were.
        """
        rows = self._next_rows()
        rates = self.gan.lr_G, self.gan.lr_D
        self._lower_rates()
        try:
            check_way(self.way, self.gan, self.world)
            pictures = gpu.pushed(self.x[rows.to(self.x.device)], self.gan.device)
            with gpu.numerics(self.gan.device, self.way.deterministic):
                record = self.take(pictures.to(memory_format=self.layout))
        except Exception as error:
            self.gan.lr_G, self.gan.lr_D = rates
            if not isinstance(error, torch.cuda.OutOfMemoryError):
                raise
            smaller = max(1, self.batch // 2)
            raise RuntimeError(f"out of GPU memory: try a batch of {smaller}") from None

        if not all(net.graphs for net in self.compiled):
            raise RuntimeError("compile was asked for, but torch has compiled nothing")
        self._average()
        if not self.gan.reads and self.gan.steps % self.way.read == 0:
            self._read()
        return record

    def _noted(self, pictures: Tensor) -> dict[str, Any]:
        """The record of `GAN.step` on these, with what D said of real and of fake."""
        self.logits.clear()
        record = self.gan.step(pictures)
        beliefs = torch.stack([logits.sigmoid().mean() for logits in self.logits[:2]])
        record["D_real"], record["D_fake"] = beliefs.cpu().tolist() if self.gan.reads else beliefs
        return record

    def _read(self) -> None:
        """The numbers that no step has read yet, in one copy from the device.

        FloatingPointError names the first loss that is not finite.
        """
        unread = [record for record in self.gan.history if isinstance(record.get("D_fake"), Tensor)]
        if not unread:
            return
        rows = torch.stack([record[name] for record in unread for name in NUMBERS])
        for record, numbers in zip(unread, rows.view(-1, len(NUMBERS)).cpu().tolist()):
            record.update(zip(NUMBERS, numbers))
        first = self.gan.steps - len(unread) + 1
        for step, record in enumerate(unread, first):
            for name in ("loss_D", "loss_G"):
                if not math.isfinite(record[name]):
                    raise FloatingPointError(f"diverged at step {step}: {name} is {record[name]}")

    def _next_rows(self) -> Tensor:
        """Which pictures come next: of the batch, this process's part."""
        if len(self.order) < self.batch:
            self.order = torch.randperm(
                len(self.x), generator=self.generator, device=self.generator.device
            )
        whole = self.order[: self.batch]
        self.order = self.order[self.batch :]
        return whole.chunk(self.world)[self.rank]

    def _lower_rates(self) -> None:
        """Both rates one step on along their line, whatever they were set to in between."""
        first, last = self.settings["fall"] or (0, 0)
        if first < self.gan.steps < last:
            left = last - self.gan.steps
            # These factors multiply to the line from 1 to 0.
            self.gan.lr_G = self.gan.lr_G * left / (left + 1)
            self.gan.lr_D = self.gan.lr_D * left / (left + 1)

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averaged G towards G; numbers that are counts are copied."""
        keep = min(self.ema, self.gan.steps / (10 + self.gan.steps))
        means = self.nets["mean"].state_dict().values()
        floats: tuple[list[Tensor], list[Tensor]] = ([], [])
        counts: tuple[list[Tensor], list[Tensor]] = ([], [])
        for mean, now in zip(means, self.nets["G"].state_dict().values()):
            kind = floats if mean.is_floating_point() else counts
            kind[0].append(mean)
            kind[1].append(now)

        # All layers at once: two calls instead of one for each.
        torch._foreach_lerp_(*floats, 1 - keep)
        if counts[0]:
            torch._foreach_copy_(*counts)

    def train(self, steps: int, *, progress=False) -> "Run":
        """Go on until `steps` steps are done in all, saving on the way.

        Ctrl-C ends after a whole step, and saves. ValueError if another run holds the folder.
        """
        steps = count("steps", steps, 0)
        bar = tqdm(
            total=steps,
            initial=self.gan.steps,
            disable=not progress or self.rank > 0,
            desc="1 process" if self.world == 1 else f"{self.world} processes",
        )
        mine = held(self.out) if self.saves and self.rank == 0 else nullcontext()
        with mine, CtrlC() as ctrl_c, bar:
            while self.gan.steps < steps and not ctrl_c.pressed:
                record = self.step()
                bar.update()
                if not isinstance(record["loss_D"], Tensor):
                    said = {name: f"{record[name]:.2f}" for name in NUMBERS}
                    bar.set_postfix(said, refresh=False)
                due = self.gan.steps % self.every == 0
                if self.saves and (due or self.gan.steps == steps or ctrl_c.pressed):
                    self.save()
            self._read()

        if ctrl_c.pressed:
            print(f"stopped after step {self.gan.steps}; the same call goes on from there")
        return self

    def sample(self, n: int, *, seed=0) -> Tensor:
        """n pictures by the averaged G; training is not disturbed."""
        own = torch.Generator().manual_seed(seed_of(seed))
        like = next(self.G.parameters())
        z = self.prior.sample(count("n", n), own).to(like)
        return torch.cat([self.G(part) for part in z.split(500)])

    def save(self) -> None:
        """Write the checkpoint and a grid of samples into `out`.

        A save that fails leaves the last good one there.
        """
        if self.rank > 0:
            return
        gan = self.gan
        about = {
            **self.about,
            "settings": self.settings,
            "steps": gan.steps,
            "lr": [gan.lr_G, gan.lr_D],
            "threads": torch.get_num_threads(),
        }
        write(self.out / "run.safetensors", self._tensors(), about)

        pixels = (mosaic(self.sample(64)) * 255).astype(np.uint8)
        picture = self.out / f"samples-{gan.steps:06d}.png"
        picture.unlink(missing_ok=True)  # or what a link there leads to would be overwritten
        Image.fromarray(pixels).save(picture)

    def load(self, path) -> None:
        """Go back to a checkpoint.

        ValueError if it is damaged, of another architecture or of other settings.
        """
        there, about = read(path)
        try:
            self._compare(there, about)
            taken = self._checked(there, about)
            restore(there, self.nets, self._optimisers)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            said = f"it has no {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"{path} is of another run: {said}") from None
        if taken["threads"] != torch.get_num_threads():
            said = f"saved with {taken['threads']} threads: the last bits may differ now"
            warnings.warn(said, stacklevel=2)

        gan = self.gan
        gan.lr_G, gan.lr_D = taken["lr"]
        gan.steps = taken["steps"]
        gan.history[:] = [dict(zip(NUMBERS, row)) for row in taken["history"].tolist()]
        self.order = taken["order"]
        self.generator.set_state(taken["shuffle"])
        gan.generator.set_state(taken["noise"])
        torch.set_rng_state(taken["global"])  # dropout, say, draws from it
        if taken["gpu"] is not None:
            torch.cuda.set_rng_state(taken["gpu"], gan.device)

    def _compare(self, there: dict[str, Tensor], about: dict) -> None:
        """ValueError names the first setting, or shape of weights, in which they differ."""
        old = {**about["settings"], **shapes(there)}
        new = {**self.settings, **shapes(self._tensors())}
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                raise ValueError(f"{key} is {old.get(key)} there, {new.get(key)} here")

    def _checked(self, there: dict[str, Tensor], about: dict) -> dict:
        """What a checkpoint says besides weights, as copies, each checked."""
        steps = count("steps", about["steps"], 0)
        n = len(self.x)
        history = there["history"]
        if history.dtype != torch.float64 or history.shape != (steps, len(NUMBERS)):
            raise ValueError(f"its history must be {steps} rows of {len(NUMBERS)} numbers")
        order = there["order"]
        if order.dtype != torch.long or not set(order.tolist()) <= set(range(n)):
            raise ValueError(f"its order must be numbers of {n} pictures")

        rates = about["lr"]
        if not isinstance(rates, list) or len(rates) != 2:
            raise ValueError(f"its lr must be two rates, got {rates!r}")
        device = self.gan.device
        of_gpu = device.type == "cuda" and "gpu" in there  # it may have begun on a CPU
        return {
            "shuffle": generator_state(there, "shuffle", self.generator.device),
            "noise": generator_state(there, "noise", self.gan.generator.device),
            "global": generator_state(there, "global"),
            "gpu": generator_state(there, "gpu", device) if of_gpu else None,
            "history": history.clone(),
            "order": order.to(self.order.device, copy=True),
            "steps": steps,
            "threads": count("threads", about["threads"]),
            "lr": [positive(name, rate) for name, rate in zip(("lr_G", "lr_D"), rates)],
        }

    @property
    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {"opt_G": self.gan.opt_G, "opt_D": self.gan.opt_D}

    def _tensors(self) -> dict[str, Tensor]:
        """All that the next step depends on, under flat names."""
        self._read()
        gan = self.gan
        rows = [[record.get(name, np.nan) for name in NUMBERS] for record in gan.history]
        return {
            **flat(self.nets, self._optimisers),
            "noise": gan.generator.get_state(),
            "shuffle": self.generator.get_state(),
            "order": self.order,
            "global": torch.get_rng_state(),
            **self._of_gpu(),
            "history": torch.tensor(rows).double().reshape(-1, len(NUMBERS)),
        }

    def _of_gpu(self) -> dict[str, Tensor]:
        """The state of torch's own generator on the GPU, if there is one."""
        device = self.gan.device
        return {"gpu": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {}


def load_pair(path) -> tuple[nn.Module, nn.Module, dict]:
    """The averaged G and D of a run made from the shell, and what its file says about it.

    Both are ready to use. A relative path that is not found here is looked for in the folder of the
    notebooks, wherever they are run from; ValueError if it is in neither.
    """
    tensors, about = read(_found(path))
    needed = ("size", "channels", "z_dim", "width", "norm")
    missing = [name for name in needed if name not in about]
    if missing:
        raise ValueError(f"{path} does not say its {', '.join(missing)}")
    try:
        G, D = _pair(**{name: about[name] for name in (*needed, "width_D") if name in about})
        restore(tensors, {"mean": G, "D": D}, {})
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is of no pair that this module makes: {error}") from None
    return G.eval().requires_grad_(False), D.eval().requires_grad_(False), about


def _found(path) -> Path:
    """The file here, or beside the notebooks of this repository."""
    path = place("path", path)
    for found in (path.expanduser(), Path("notebooks", path), NOTEBOOKS / path):
        if found.is_file():
            return found
    raise ValueError(f"path must be the file of a run, but there is no {path} here or in notebooks")


def _pair(size, channels, z_dim, width, norm, width_D=0, seed=0):
    """G and D of a run from the shell; spectral norm is for D alone."""
    norm_G = "batch" if norm == "spectral" else norm
    G = networks.dcgan_generator(size, channels, z_dim=z_dim, width=width, norm=norm_G, seed=seed)
    D = networks.dcgan_discriminator(
        size, channels, width=width_D or width, norm=norm, seed=seed + 1
    )
    return G, D


def _first_process_first(device: str):
    """What the first of several processes downloads, or writes into a cache, the others find."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return nullcontext()
    from accelerate import PartialState

    return PartialState(cpu=device == "cpu").main_process_first()


def train(recipe: Recipe) -> Run:
    """Train as the recipe says, or go on with the run that lies in its folder."""
    check_recipe(recipe)
    if recipe.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda, but this PyTorch sees no GPU; take --device cpu")
    torch.set_num_threads(recipe.threads)
    rank = os.environ.get("LOCAL_RANK", 0)
    device = f"cuda:{rank}" if recipe.device == "cuda" else "cpu"

    with _first_process_first(device):
        found = load(recipe.images, size=recipe.size, grey=recipe.grey, cache=recipe.cache)
    x = found.x
    if recipe.held_out:
        x = found.split(recipe.held_out)[0].x  # a copy: not of what fits no memory

    shape = {
        "size": recipe.size,
        "channels": x.shape[1],
        "z_dim": recipe.z_dim,
        "width": recipe.width,
        "width_D": recipe.width_D,
        "norm": recipe.norm,
    }
    G, D = _pair(**shape, seed=recipe.seed)
    gan = GAN(
        G.to(device),
        D.to(device),
        targets.gaussian(dim=recipe.z_dim),
        loss=recipe.loss,
        lr_G=recipe.lr_G,
        lr_D=recipe.lr_D,
        seed=recipe.seed,
    )
    run = Run(
        gan,
        x,
        batch=recipe.batch,
        ema=recipe.ema,
        fall=(recipe.fall_from, recipe.steps) if recipe.fall_from else (),
        seed=recipe.seed,
        out=recipe.out,
        every=recipe.every,
        about={**shape, "command": recipe.command},
        **{field.name: getattr(recipe, field.name) for field in fields(Way)},
    )
    if run.gan.steps >= recipe.steps:
        print(f"nothing to do: {recipe.steps} steps in all, {run.gan.steps} are done")
    return run.train(recipe.steps, progress=True)


def main(argv=None) -> None:
    """The command line of `train`.

    It ends with the code 2 where an option or a file does not fit, with 1 where the machine fails.
    """
    argv = sys.argv[1:] if argv is None else argv
    program = "python -m ganlib.training"
    try:
        recipe = tyro.cli(Recipe, args=argv, prog=program)
        train(replace(recipe, command=" ".join([program, *argv])))
    except ValueError as error:
        print(f"ValueError: {error}", file=sys.stderr)
        sys.exit(2)
    except (FloatingPointError, OSError, RuntimeError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
