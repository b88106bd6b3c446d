"""Everything that only a GPU can show, in one call; what a machine lacks is said, not fatal.

    python tests/benchmarks/gpu.py --out gpu                        # the sections of FIRST, 330 s
    python tests/benchmarks/gpu.py --out gpu --only landscape many  # those of a second call, 240 s
    python tests/benchmarks/gpu.py --device cpu --quick             # every section, small

Each section says what it found as `name = value`, catches its own errors, and is added at once to
`gpu.json` and `gpu.log` in the folder --out: a call that is cut off leaves what it had. Under 20 MB
are written. With --quick, or where no file of MNIST is given by --images, the digits of
scikit-learn stand in, written as IDX files first.

A bare machine with torch, numpy, scipy, scikit-learn and pillow lacks tyro with typeguard and
docstring-parser, safetensors, accelerate, psutil and tqdm. Carry them as wheels:

    pip download --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
        --platform manylinux2014_x86_64 -d wheels tyro typeguard docstring-parser safetensors \
        accelerate psutil tqdm packaging pyyaml huggingface-hub
    python -m pip install --no-index --no-deps --target site wheels/*.whl   # there
    PYTHONPATH=site:. python tests/benchmarks/gpu.py --out gpu

The tests of a GPU run there by `pytest -o addopts="" tests/test_sweep.py -k gpu`.
"""

import argparse
import gzip
import importlib
import json
import platform
import statistics
import struct
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from ganlib import images, medicine, metrics, targets
from ganlib.densities import line
from ganlib.gan import GAN
from ganlib.losses import LOSSES, PENALTIES
from ganlib.networks import dcgan_discriminator, dcgan_generator, mlp
from ganlib.sweep import sweep
from ganlib.training import Run, load_pair

SECTIONS = {}
LANDSCAPE, MANY = (128, 4096)  # sides of the landscape; GANs at once


def section(function):
    """A part of the call, by the name of its function; it gets the settings and a way to say."""
    SECTIONS[function.__name__] = function
    return function


class Given:
    """What was asked for: where, how small, on which pictures."""

    def __init__(self, device, quick, pictures):
        self.device = torch.device(device)
        self.quick = quick
        self.pictures = pictures
        self.cuda = self.device.type == "cuda"

    def few(self, many, quick):
        return quick if self.quick else many

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize()

    def seconds(self, play, times):
        """Of one call of `play`, the mean of so many."""
        self.wait()
        begin = time.perf_counter()
        for _ in range(times):
            play()
        self.wait()
        return (time.perf_counter() - begin) / times


# -- the machine -----------------------------------------------------------------------------------


@section
def versions(given, say):
    say("python", platform.python_version())
    say("torch", torch.__version__)
    say("cuda", str(torch.version.cuda))
    say("threads", torch.get_num_threads())
    if given.cuda:
        say("gpu", torch.cuda.get_device_name())
        free, whole = torch.cuda.mem_get_info()
        say("memory", f"{free / 1e9:.1f} of {whole / 1e9:.1f} GB free")
        say("tf32 of cudnn", torch.backends.cudnn.allow_tf32)
    for name in ("tyro", "accelerate", "safetensors", "psutil", "sklearn", "PIL"):
        try:
            say(name, getattr(importlib.import_module(name), "__version__", "there"))
        except ImportError:
            say(name, "missing")


# -- the same numbers ------------------------------------------------------------------------------


def gap(here, there, start):
    """How far two networks lie apart, beside the way that the first has come."""
    rows = [
        torch.cat([p.detach().flatten().double().cpu() for p in net.parameters()])
        for net in (here, there, start)
    ]
    return float((rows[0] - rows[1]).norm() / (rows[0] - rows[2]).norm())


def stepped(device, steps, **knobs):
    """A small GAN after so many steps on draws of the CPU."""
    G = mlp(1, 16, 16, 1, seed=0).to(device)
    D = mlp(1, 16, 16, 1, seed=1, cover=(-3, 3)).to(device)
    gan = GAN(G, D, targets.gaussian(), lr_G=1e-3, lr_D=1e-3, seed=0, **knobs)
    data = torch.Generator().manual_seed(1)
    for _ in range(steps):
        gan.step(targets.mixture().sample(64, data).to(device))
    return gan


@section
def steps(given, say):
    """The same steps here and on a CPU: every loss, penalty, optimiser and medicine."""
    many = given.few(50, 5)
    worst = {}
    for loss in LOSSES:
        for penalty in (None, *PENALTIES):
            for optimiser in ("adam", "sgd"):
                knobs = {"loss": loss, "penalty": penalty, "optimiser": optimiser}
                here = stepped(given.device, many, **knobs)
                there = stepped("cpu", many, **knobs)
                start = stepped("cpu", 0, **knobs)
                for name in "GD":
                    far = gap(*(getattr(gan, name) for gan in (there, here, start)))
                    worst[f"{loss}, {penalty}, {optimiser}, {name}"] = far
    name = max(worst, key=worst.get)
    say("largest gap", f"{worst[name]:.1e} ({name})", below=worst[name] < 5e-3)

    for name, dose in medicine.MEDICINE.items():
        how = {"lr_G": 1e-2, "lr_D": 1e-2, "seed": 0}

        def D(inputs, wrap):
            return wrap(mlp(2 * inputs, 8, 1, seed=1)).to(given.device)

        gan, _ = medicine.treat(
            mlp(2, 8, 2, seed=0).to(given.device), D, targets.gaussian(dim=2), dose, **how
        )
        for _ in range(3):
            record = gan.step(targets.ring().sample(40).to(given.device))
        say(f"medicine {name}", f"{record['loss_D']:.3f}")

    x = line(-4, 4, 100)
    p_data = targets.mixture().log_prob(x[:, None]).exp()
    js = [stepped(where, many).ledger(p_data, x).js for where in ("cpu", given.device)]
    say("JS of the ledger", f"{js[0]:.4f} and {js[1]:.4f}", below=abs(js[0] - js[1]) < 1e-3)


# -- many GANs at once -----------------------------------------------------------------------------


def new_gan(seed):
    return GAN(
        mlp(1, 16, 16, 1, seed=2 * seed),
        mlp(1, 32, 32, 1, seed=2 * seed + 1),
        targets.uniform(),
        seed=seed,
    )


def of_sweep(given, members, steps, **how):
    """Milliseconds of a step, without what happens once: a long sweep less a short one."""
    times = []
    for count in (10, 10 + steps):
        given.wait()
        begin = time.perf_counter()
        sweep(
            new_gan,
            targets.gaussian(),
            lr_G=1e-3,
            lr_D=1e-3,
            steps=count,
            batch=64,
            device=given.device,
            progress=False,
            **how,
        )
        given.wait()
        times.append(time.perf_counter() - begin)
    return 1e3 * (times[1] - times[0]) / steps


@section
def sweeps(given, say):
    """A step of N GANs: seeds of their own drawn on the CPU or here, and one seed for all."""
    for members in given.few((64, 1024, 4096), (8,)):
        seeds = torch.arange(members)
        count = given.few(500, 20)
        drawn = of_sweep(given, members, given.few(50, 20), seed=seeds)
        here = of_sweep(given, members, count, seed=seeds, draws="device")
        shared = of_sweep(given, members, count, seed=torch.zeros(members), draws="device")
        say(f"{members} GANs, drawn alone", f"{drawn:.2f} ms")
        say(f"{members} GANs, drawn here", f"{here:.2f} ms")
        say(f"{members} GANs, one seed", f"{shared:.2f} ms", below=members != 1024 or shared < 0.5)

    how = {"lr_G": [1e-3, 5e-3], "lr_D": 1e-2, "seed": [3, 0], "progress": False}
    for penalty in (None, "r1", "gradient penalty"):

        def maker(seed, penalty=penalty):
            gan = new_gan(seed)
            gan.penalty = penalty
            return gan

        steps = given.few(50, 5)
        here, there = (
            sweep(maker, targets.mixture(), steps=steps, batch=32, device=where, **how)
            for where in (given.device, "cpu")
        )
        off = (here.weights["D"] - there.weights["D"]).norm() / there.weights["D"].norm()
        say(f"as on a CPU, penalty {penalty}", f"{off:.1e}", below=bool(off < 5e-3))


# -- a run of pictures -----------------------------------------------------------------------------

WAYS = {
    "plain": {},
    "on_device": {"on_device": True, "read": 50},
    "bf16, channels_last": {"bf16": True, "channels_last": True, "on_device": True, "read": 50},
    "bf16, compile": {"bf16": True, "compile": True, "on_device": True, "read": 50},
    "graph": {"graph": True, "bf16": True, "channels_last": True, "read": 50},
}


def ways(given):
    """Those that this machine can go: graphs need CUDA, the compiler takes too long when quick."""
    for name, way in WAYS.items():
        if (given.cuda or "graph" not in way) and not (given.quick and "compile" in way):
            yield name, way


def noise(n, size):
    """Pictures of grey noise, the same at every call: what they show costs no time."""
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def new_run(given, size, x=None, lr=2e-4, seed=0, **how):
    width = given.few(64, 4)
    if x is None:
        x = noise(given.few(4096, 64), size)
    gan = GAN(
        dcgan_generator(size, z_dim=64, width=width, seed=seed).to(given.device),
        dcgan_discriminator(size, width=width, seed=seed + 1).to(given.device),
        targets.gaussian(dim=64),
        lr_G=lr,
        lr_D=lr,
        seed=seed,
    )
    return Run(gan, x, batch=given.few(128, 16), seed=seed, **how)


def waits(given, step, many):
    """How often so many steps wait for the GPU, as torch warns of it; None on a CPU."""
    if not given.cuda:
        return None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            for _ in range(many):
                step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


@section
def runs(given, say):
    """Each way of a run: its losses, how often it waits, what the compiler made, its memory."""
    size = given.few(64, 8)
    many = given.few(50, 4)
    first = None
    for name, way in ways(given):
        if given.cuda:
            torch.cuda.reset_peak_memory_stats()
        run = new_run(given, size, **way).train(many)
        loss = statistics.mean(record["loss_D"] for record in run.gan.history[-many // 2 :])
        first = loss if first is None else first
        say(f"{name}: loss of D", f"{loss:.3f}", below=abs(loss - first) < 0.05 or given.quick)
        for _ in range(-run.gan.steps % run.way.read):
            run.step()  # to a whole number of readings
        say(f"{name}: waits in {many} steps", str(waits(given, run.step, many)))
        if run.compiled:
            graphs = [net.graphs for net in run.compiled]
            say(f"{name}: graphs of G and D", str(graphs), below=min(graphs) > 0)
        if given.cuda:
            say(f"{name}: memory", f"{torch.cuda.max_memory_allocated() / 1e9:.2f} GB")


@section
def resume(given, say):
    """20 steps in one go against 10, a new process's worth of objects, and 10 more."""
    size = given.few(64, 8)
    half = given.few(10, 3)
    for name, way in ways(given):
        for fixed in (True, False):
            how = {**way, "deterministic": fixed}
            with tempfile.TemporaryDirectory() as folder:
                whole = new_run(given, size, **how).train(2 * half)
                new_run(given, size, out=folder, **how).train(half)
                resumed = new_run(given, size, out=folder, **how).train(2 * half)
            pairs = zip(whole.gan.G.parameters(), resumed.gan.G.parameters())
            far = max(float((a - b).detach().abs().max()) for a, b in pairs)
            said = "equal to the bit" if far == 0 else f"a gap of {far:.1e}"
            say(f"{name}, deterministic {fixed}", said, below=far == 0 or not fixed)


# -- speed -----------------------------------------------------------------------------------------


def usual(given, x, here):
    """The tutorial's loop, a step each time: fp32, two workers and pinned memory, losses read."""
    G = dcgan_generator(x.shape[2], z_dim=64, width=given.few(64, 4), seed=0).to(given.device)
    D = dcgan_discriminator(x.shape[2], width=given.few(64, 4), seed=1).to(given.device)
    loss = nn.BCEWithLogitsLoss()
    fused = {"lr": 2e-4, "betas": (0.5, 0.999), "fused": True}
    opt_G, opt_D = (torch.optim.Adam(net.parameters(), **fused) for net in (G, D))
    n = given.few(128, 16)
    workers = 0 if here or not given.cuda else 2
    data = TensorDataset(x.to(given.device) if here else x)
    batches = DataLoader(
        data,
        n,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        pin_memory=given.cuda and not here,
        persistent_workers=workers > 0,
    )
    while True:
        for (real,) in batches:
            real = real.to(given.device, non_blocking=True)
            fake = G(torch.randn(n, 64, device=given.device))
            opt_D.zero_grad()
            of_real, of_fake = D(real), D(fake.detach())
            cost = loss(of_real, torch.ones_like(of_real))
            cost = cost + loss(of_fake, torch.zeros_like(of_fake))
            cost.backward()
            opt_D.step()
            opt_G.zero_grad()
            logits = D(fake)
            cost_G = loss(logits, torch.ones_like(logits))
            cost_G.backward()
            opt_G.step()
            yield cost.item(), cost_G.item()


@section
def speed(given, say):
    """Images per second, taken in turns: the usual loop, with data here, and each way of a run."""
    size = given.few(64, 8)
    x = noise(given.few(8192, 64), size)
    torch.backends.cudnn.benchmark = given.cuda  # for the usual loop, too
    loops = {f"usual loop, data {'here' if here else 'in memory'}": here for here in (False, True)}
    plays = {}
    for name, here in loops.items():
        loop = usual(given, x, here)
        plays[name] = lambda loop=loop: next(loop)
    for name, way in ways(given):
        plays[name] = new_run(given, size, x, **way).step

    with FlopCounterMode(display=False) as counter:
        plays["usual loop, data here"]()
    work = counter.get_total_flops() / given.few(128, 16)
    say("work", f"{work / 1e9:.3f} GFLOP an image")

    rates = {name: [] for name in plays}
    for play in plays.values():
        given.seconds(play, given.few(30, 3))
    for _ in range(3):
        for name, play in plays.items():
            rates[name].append(given.few(128, 16) / given.seconds(play, given.few(120, 3)))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    first = middle["usual loop, data in memory"]
    for name, rate in middle.items():
        say(name, f"{rate:.0f} images/s, {rate / first:.1f} times the usual loop")
    most = given.few(8192, 512)
    kind = torch.bfloat16 if given.cuda else torch.float32
    a = torch.randn(most, most, device=given.device, dtype=kind)
    peak = 2 * most**3 / given.seconds(lambda: a @ a, 5)
    say("matrix product", f"{peak / 1e12:.1f} TFLOP/s")
    say("share of it", f"{100 * max(middle.values()) * work / peak:.1f} %")
    torch.backends.cudnn.benchmark = False


@section
def kernels(given, say):
    """Where the time of a step goes: the ten operations that take longest."""
    from torch.profiler import ProfilerActivity, profile

    run = new_run(given, given.few(64, 8), on_device=True, read=50)
    run.train(5)
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if given.cuda else [])]
    with profile(activities=kinds) as found:
        for _ in range(5):
            run.step()
        given.wait()
    key = "self_device_time_total" if given.cuda else "self_cpu_time_total"
    rows = sorted(found.key_averages(), key=lambda row: -getattr(row, key))
    whole = sum(getattr(row, key) for row in rows)
    for row in rows[:10]:
        say(row.key[:60], f"{100 * getattr(row, key) / whole:.0f} %, {row.count // 5} calls a step")


# -- quality ---------------------------------------------------------------------------------------


@section
def mnist(given, say):
    """MNIST at 32 px: FD, precision, recall, TV and copies at equal n, beside held-out pictures."""
    train, held = images.idx(given.pictures, size=32).split(1 / 3)
    if given.quick:
        train, held = (images.Pictures(part.x[:300], part.labels[:300]) for part in (train, held))
    net = metrics.classifier(train.x.to(given.device), train.labels, steps=given.few(2000, 5))
    most = min(10_000, len(train.x), len(held.x))

    def show(name, x):
        for n in sorted({min(2000, most), most}):  # FD depends on n; the shipped one has 2,000
            parts = [part[:n].to(given.device) for part in (x, train.x, held.x)]
            found = metrics.evaluate(parts[0], parts[1], net)
            _, copies = metrics.memorised(*parts)
            said = ", ".join(f"{key} {value:.3f}" for key, value in found.items())
            say(f"{name}, n {n}", f"{said}, {copies} copies")

    G, _, about = load_pair("weights/mnist.safetensors")
    z = targets.gaussian(dim=about["z_dim"]).sample(most, torch.Generator().manual_seed(0))
    show("the shipped G", torch.cat([G(part) for part in z.split(250)]))
    show("held-out", held.x)
    count = given.few(5000, 2)
    way = {"bf16": given.cuda, "on_device": given.cuda, "graph": given.cuda, "read": 50}
    for lr in given.few((1e-3, 2e-4), (1e-3,)):
        for seed in given.few((0, 1), (0,)):
            begin = time.perf_counter()
            run = new_run(given, 32, train.x, lr, seed, ema=0.999, fall=(count // 2, count), **way)
            run.train(count)
            took = time.perf_counter() - begin
            show(f"rate {lr:g}, seed {seed}, {took:.0f} s", run.sample(most))


# -- for a second call -----------------------------------------------------------------------------


@section
def landscape(given, say):
    """GANs for every pair of rates on a grid, as one sweep of one seed."""
    side = given.few(LANDSCAPE, 3)
    rates = np.geomspace(1e-4, 1e-1, side)
    begin = time.perf_counter()
    found = sweep(
        new_gan,
        targets.gaussian(),
        lr_G=np.tile(rates, side),
        lr_D=np.repeat(rates, side),
        steps=given.few(3000, 5),
        batch=64,
        device=given.device,
        draws="device",
        progress=False,
    )
    took = time.perf_counter() - begin
    say(f"{side} × {side} GANs", f"{took:.1f} s, {int((~found.alive).sum())} diverged")


@section
def many(given, say):
    """N GANs at once against the same steps one by one, here."""
    members = given.few(MANY, 4)
    gan = new_gan(0)
    gan = GAN(gan.G.to(given.device), gan.D.to(given.device), gan.prior, seed=0)
    real = targets.gaussian().sample(64).to(given.device)
    alone = given.seconds(lambda: gan.step(real), given.few(200, 5))
    seeds = torch.arange(members)
    at_once = of_sweep(given, members, given.few(500, 5), seed=seeds, draws="device") / 1e3
    say("one by one", f"{1e3 * alone * members:.0f} ms a step of all")
    say("at once", f"{1e3 * at_once:.2f} ms, {alone * members / at_once:.0f} times as fast")


# -- the call --------------------------------------------------------------------------------------

FIRST = ["versions", "steps", "sweeps", "runs", "resume", "speed", "kernels", "mnist"]


def write_idx(folder):
    """The digits of scikit-learn at 28 pixels as the two files of MNIST; the path of the first."""
    digits = images.digits(28)
    pixels = ((digits.x[:, 0] + 1) * 127.5).round().byte().numpy()
    labels = digits.labels.byte().numpy()
    path = folder / "digits-images-idx3-ubyte.gz"
    for name, dims, numbers in ((path, 3, pixels), (None, 1, labels)):
        name = name or folder / "digits-labels-idx1-ubyte.gz"
        head = bytes([0, 0, 8, dims]) + struct.pack(f">{dims}I", *numbers.shape)
        name.write_bytes(gzip.compress(head + numbers.tobytes()))
    return path


def play(names, given, out):
    """All these sections, one after the other; their findings, as they stand in gpu.json."""
    found = {}

    def note(text):
        print(text, flush=True)
        with open(out / "gpu.log", "a") as log:
            print(text, file=log)

    for name in names:
        rows = found[name] = {}

        def say(key, value, below=True, rows=rows):
            rows[key] = value if below else f"{value}  MISSED"
            note(f"  {key} = {rows[key]}")

        note(f"{name}: {(SECTIONS[name].__doc__ or 'what is here').splitlines()[0]}")
        begin = time.perf_counter()
        try:
            SECTIONS[name](given, say)
        except Exception as error:
            say("ERROR", f"{type(error).__name__}: {error}")
            note(traceback.format_exc())
        say("seconds", f"{time.perf_counter() - begin:.1f}")
        (out / "gpu.json").write_text(json.dumps(found, indent=1, ensure_ascii=False))
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--device", default="cuda", choices=["cuda", "cpu"])
    option("--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=", ".join(SECTIONS))
    option("--quick", action="store_true", help="every section, as small as it can be")
    option("--images", type=Path, help="IDX file of pictures, with its labels beside it")
    option("--out", type=Path, default=Path("gpu"), help="folder for gpu.json and gpu.log")
    asked = parser.parse_args(arguments)
    if asked.device == "cuda" and not torch.cuda.is_available():
        parser.error("this PyTorch sees no GPU: take --device cpu --quick")
    if asked.device == "cpu":
        torch.set_num_threads(1)
    asked.out.mkdir(parents=True, exist_ok=True)
    pictures = asked.images or write_idx(asked.out)
    names = asked.only or (list(SECTIONS) if asked.quick else FIRST)
    found = play(names, Given(asked.device, asked.quick, pictures), asked.out)
    wrong = [name for name, rows in found.items() if "ERROR" in rows]
    sys.exit(f"errors in {', '.join(wrong)}" if wrong else 0)


if __name__ == "__main__":
    main()
