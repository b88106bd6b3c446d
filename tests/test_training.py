"""Long runs: what a step is, exact resume after any kill, several processes, wrong files."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganlib import images, metrics, training
from ganlib.gan import GAN
from ganlib.losses import LOSSES
from ganlib.networks import dcgan_discriminator, dcgan_generator
from ganlib.targets import gaussian
from ganlib.training import Run

torch.set_num_threads(1)
STEPS = 14
EVERY = 3
ROOT = Path(__file__).parent.parent


def make(out=None, *, norm="batch", width=4, z_dim=8, x=None, seed=0, lr_G=1e-3, **keywords):
    """A small run on 200 digits, or on x."""
    x = images.digits().x[:200] if x is None else x
    gan = GAN(
        dcgan_generator(width=width, norm=norm, z_dim=z_dim, seed=seed),
        dcgan_discriminator(width=width, norm=norm, seed=seed),
        gaussian(dim=z_dim),
        lr_G=lr_G,
        seed=seed,
    )
    return Run(gan, x, **{"batch": 32, "every": EVERY, "out": out, **keywords})


def state(run):
    """All that the next step depends on, copied, but for torch's own generator."""
    return {name: value.clone() for name, value in run._tensors().items() if name != "global"}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def equal(net, other):
    return all(torch.equal(p, q) for p, q in zip(net.parameters(), other.parameters()))


def batches_of(run):
    """A list that fills with the batches the run takes."""
    taken = []
    gan_step = run.gan.step

    def step(real):
        taken.append(real)
        return gan_step(real)

    run.gan.step = step
    return taken


# -- a step --------------------------------------------------------------------------------------


def test_a_run_is_gan_step_on_its_batches():
    run = make()
    plain = make().gan
    taken = batches_of(run)
    run.train(8)
    for real in taken:
        plain.step(real)
    assert equal(run.gan.G, plain.G)
    assert equal(run.gan.D, plain.D)
    assert [r["loss_D"] for r in run.gan.history] == [r["loss_D"] for r in plain.history]


@pytest.mark.parametrize("n, batch, rounds", [(96, 32, 2), (50, 16, 3), (7, 4, 5)])
def test_no_picture_comes_twice_in_a_round(n, batch, rounds):
    greys = torch.linspace(-1, 1, n)
    run = make(x=greys[:, None, None, None].expand(n, 1, 8, 8).clone(), batch=batch)
    taken = batches_of(run)
    a_round = n // batch
    run.train(rounds * a_round)
    for first in range(0, len(taken), a_round):
        shown = torch.cat(taken[first : first + a_round])[:, 0, 0, 0]
        assert len(shown.unique()) == len(shown) == n - n % batch


def test_every_picture_comes_once_in_a_round_that_the_batch_divides():
    greys = torch.linspace(-1, 1, 96)
    run = make(x=greys[:, None, None, None].expand(96, 1, 8, 8).clone())
    taken = batches_of(run)
    run.train(6)
    first, second = torch.cat(taken)[:, 0, 0, 0].view(2, 96)
    assert torch.equal(first.sort().values, greys)
    assert torch.equal(second.sort().values, greys)
    assert not torch.equal(first, second)
    assert not torch.equal(first, greys)


def test_the_averaged_generator_is_the_weighted_mean_of_all_generators():
    run = make(ema=0.5)
    past = []
    first = [p.detach().clone() for p in run.gan.G.parameters()]
    for _ in range(20):
        run.step()
        past.append([p.detach().clone() for p in run.gan.G.parameters()])

    for i, mean in enumerate(run.G.parameters()):
        expected = first[i].double()
        for t, weights in enumerate(past, 1):
            keep = min(0.5, t / (10 + t))
            expected = keep * expected + (1 - keep) * weights[i].double()
        assert_close(mean.double(), expected, rtol=1e-4, atol=1e-6)
    assert not run.G.training
    assert not any(p.requires_grad for p in run.G.parameters())


def test_the_noted_beliefs_are_those_of_D():
    run = make(norm="none", width=2)
    D = dcgan_discriminator(width=2, norm="none")
    D.load_state_dict(run.gan.D.state_dict())  # as it is before the step
    order = torch.Generator()
    order.set_state(run.generator.get_state())
    noise = torch.Generator()
    noise.set_state(run.gan.generator.get_state())
    record = run.step()

    real = run.x[torch.randperm(len(run.x), generator=order)[:32]]
    G = dcgan_generator(width=2, norm="none", z_dim=8, seed=0)
    fake = G(gaussian(dim=8).sample(32, noise))
    assert record["D_real"] == pytest.approx(D(real).sigmoid().mean().item(), abs=1e-6)
    assert record["D_fake"] == pytest.approx(D(fake).sigmoid().mean().item(), abs=1e-6)


def test_sampling_does_not_disturb_training():
    quiet = make()
    asked = make()
    for _ in range(5):
        quiet.step()
        asked.step()
        pictures = asked.sample(70)
    assert same(state(quiet), state(asked))
    assert torch.equal(pictures, asked.sample(70))
    assert not torch.equal(pictures, asked.sample(70, seed=1))

    z = torch.randn(3, 8)
    assert_close(asked.G(z)[:1], asked.G(z[:1]))  # no picture depends on its neighbours


@pytest.mark.parametrize(
    "how, tolerance",
    [
        ("channels_last", 1e-4),
        pytest.param("compile", 1e-4, marks=pytest.mark.slow),
        ("bf16", 0.05),
    ],
)
def test_layout_compiler_and_precision_change_only_the_last_digits(how, tolerance):
    if how == "compile" and not shutil.which("g++"):
        pytest.skip("torch.compile needs a C++ compiler")
    plain = make().train(4)
    other = make(**{how: True}).train(4)
    for a, b in zip(plain.gan.history, other.gan.history):
        assert b == pytest.approx(a, abs=tolerance)
    if how != "bf16":
        for a, b in zip(plain.gan.G.parameters(), other.gan.G.parameters()):
            assert_close(a, b, atol=1e-3, rtol=0)


# -- saving and going on -------------------------------------------------------------------------


def test_a_resumed_run_continues_exactly(tmp_path):
    whole = make().train(STEPS)
    make(tmp_path / "a").train(7)
    resumed = make(tmp_path / "a")
    assert resumed.gan.steps == 7
    assert len(resumed.gan.history) == 7
    resumed.train(STEPS)
    assert same(state(whole), state(resumed))
    assert resumed.gan.history == whole.gan.history
    assert (tmp_path / "a" / "samples-000006.png").exists()


def test_a_picture_of_samples_follows_no_link(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    picture = tmp_path / "samples-000002.png"
    picture.symlink_to(precious)
    make(tmp_path).train(2)
    assert precious.read_text() == "mine"
    assert picture.read_bytes().startswith(b"\x89PNG") and not picture.is_symlink()


def test_in_mixed_precision_a_checkpoint_has_the_same_names_and_goes_on_exactly(tmp_path):
    whole = make(bf16=True).train(9)
    assert state(whole).keys() == state(make().train(9)).keys()
    make(tmp_path, bf16=True).train(4)
    assert same(state(make(tmp_path, bf16=True).train(9)), state(whole))
    assert equal(make(tmp_path).G, whole.G)  # and without it the file opens, too


def test_the_rates_fall_along_a_line_also_across_a_resume(tmp_path):
    run = make(fall=(4, 12))
    rates = []
    for _ in range(14):
        run.step()
        rates.append((run.gan.lr_G, run.gan.lr_D))
    expected = [1e-3 * min(1.0, max(1, 12 - s) / 8) for s in range(14)]
    assert rates == [pytest.approx((rate, rate)) for rate in expected]

    make(tmp_path, fall=(4, 12)).train(7)
    assert same(state(make(tmp_path, fall=(4, 12)).train(14)), state(run))
    with pytest.raises(ValueError, match=r"fall is \[4, 12\] there, \[\] here"):
        make(tmp_path)


@pytest.mark.parametrize(
    "left_out", ["opt_G", "opt_D", "noise", "shuffle", "order", "mean", "G", "D"]
)
def test_nothing_in_a_checkpoint_can_be_left_out(tmp_path, left_out):
    whole = make().train(9)
    run = make(tmp_path).train(4)
    fresh = make(seed=0)
    saved, about = training.read(tmp_path / "run.safetensors")
    of_a_new_run = fresh._tensors()
    saved |= {name: of_a_new_run[name] for name in of_a_new_run if name.split(".")[0] == left_out}
    if left_out.startswith("opt"):
        saved = {name: value for name, value in saved.items() if not name.startswith(left_out)}
    training.write(tmp_path / "run.safetensors", saved, about)
    assert not same(state(make(tmp_path).train(9)), state(whole))
    assert run.gan.steps == 4


def child(out, how, when, log):
    """Train to the end, but die by SIGKILL: in a step, in a write, before or after the rename."""
    torch.set_num_threads(1)
    run = make(out)
    step_G = run.gan.step_G
    fsync = os.fsync
    replace = os.replace

    def die():
        with open(log, "a") as file:
            file.write(f"{how} {run.gan.steps}\n")
        os.kill(os.getpid(), signal.SIGKILL)

    def die_in_a_step(n):  # D has moved, G has not
        if run.gan.steps == when:
            die()
        return step_G(n)

    def die_in_a_write(descriptor):
        if run.gan.steps >= when:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            die()
        fsync(descriptor)

    def die_at_a_rename(part, path):
        if run.gan.steps >= when:
            if how == "after rename":
                replace(part, path)
            die()
        replace(part, path)

    if how == "step":
        run.gan.step_G = die_in_a_step
    elif how == "write":
        os.fsync = die_in_a_write
    else:
        os.replace = die_at_a_rename
    run.train(STEPS)


def test_twenty_kills_anywhere_change_no_bit(tmp_path):
    whole = state(make().train(STEPS))
    context = multiprocessing.get_context("forkserver")
    # What the first Adam would import.
    context.set_forkserver_preload(["torch._dynamo", "ganlib.training"])
    kinds = ["step"] * 8 + ["write"] * 4 + ["before rename"] * 4 + ["after rename"] * 4
    rng = random.Random(0)
    rng.shuffle(kinds)

    log = tmp_path / "log"
    out = tmp_path / "run0"
    for number, how in enumerate(kinds):
        done = make(out).gan.steps
        if done >= STEPS - EVERY:
            # Too near the end to be killed again: prove this one, begin another.
            assert same(state(make(out).train(STEPS)), whole)
            out = tmp_path / f"run{number}"
            done = 0
        when = rng.randint(done, STEPS - 1) if how == "step" else done + 1
        process = context.Process(target=child, args=(out, how, when, log))
        process.start()
        process.join(120)
        assert process.exitcode == -signal.SIGKILL, how

    struck = log.read_text().splitlines()
    assert len(struck) == 20
    assert sum(line.startswith("step") for line in struck) == 8
    assert all(0 <= int(line.split()[-1]) < STEPS for line in struck)
    assert same(state(make(out).train(STEPS)), whole)
    assert make(out).gan.steps == STEPS


CTRL_C = """
import sys; sys.path.insert(0, "tests")
from test_training import make
make(sys.argv[1], every=4).train(100000)
"""


def test_ctrl_c_ends_after_a_whole_step(tmp_path):
    command = [sys.executable, "-c", CTRL_C, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        while not (tmp_path / "samples-000004.png").exists():  # so that it strikes while training
            time.sleep(0.05)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        words, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "stopped after step" in words

    steps = int(words.split("stopped after step ")[1].split(";")[0])
    run = make(tmp_path)
    assert run.gan.steps == steps >= 4
    assert same(state(run), state(make().train(steps)))


def test_a_disk_that_is_full_leaves_the_last_checkpoint(tmp_path):
    import resource

    run = make(tmp_path, every=4).train(4)
    good = (tmp_path / "run.safetensors").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"could not be written .*untouched"):
            run.train(8)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (tmp_path / "run.safetensors").read_bytes() == good
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"width": 8}, r"of another run: D\.0\.0\.bias is \[4\] there, \[8\] here"),
        ({"norm": "none"}, "of another run"),
        ({"batch": 16}, "batch is 32 there, 16 here"),
        ({"x": torch.zeros(40, 1, 8, 8)}, "pictures is"),
        ({"x": images.digits().x[200:400]}, r"pictures is \[200, 1, 8, 8, "),
        ({"lr_G": 0.5}, "lr_G is 0.001 there, 0.5 here"),
    ],
)
def test_files_of_another_run_are_refused(tmp_path, wrong, words):
    make(tmp_path).train(3)
    with pytest.raises(ValueError, match=words):
        make(tmp_path, **wrong)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"steps": -5}, "steps must be a whole number"),
        ({"steps": 3.5}, "steps must be a whole number"),
        ({"steps": 10**12}, "steps must be"),
        ({"lr": [1e308, 0]}, "lr_D must be a positive number"),
        ({"lr": None}, "lr must be two rates, got None"),
        ({"lr": [1e-3]}, "lr must be two rates"),
        ({"threads": None}, "threads must be a whole number"),
        ({"settings": {}}, "of another run"),
        ({"order": torch.tensor([3, 700])}, "order must be numbers of 200 pictures"),
        ({"order": torch.zeros(3)}, "order must be numbers"),
        ({"history": torch.zeros(2, 4).double()}, "history must be 3 rows"),
        ({"noise": torch.zeros(4, dtype=torch.uint8)}, "noise is"),
        ({"noise": torch.zeros(5056, dtype=torch.uint8)}, "noise is no state of a generator"),
        ({"global": torch.zeros(5056, dtype=torch.uint8)}, "global is no state of a generator"),
        ({"opt_D.0.exp_avg": torch.zeros(1)}, "opt_D.0.exp_avg is"),
        ({"mean.1.0.weight": torch.zeros(1)}, "mean.1.0.weight is"),
    ],
)
def test_every_field_of_a_checkpoint_is_checked(tmp_path, change, words):
    make(tmp_path).train(3)
    path = tmp_path / "run.safetensors"
    tensors, about = training.read(path)
    for name, value in change.items():
        (tensors if isinstance(value, torch.Tensor) else about)[name] = value
    training.write(path, tensors, about)
    fresh = make()
    before = state(fresh)
    with pytest.raises(ValueError, match=words):
        fresh.load(path)
    assert same(state(fresh), before)
    assert fresh.gan.steps == 0


def test_a_checkpoint_of_more_threads_is_taken_with_a_warning(tmp_path):
    run = make(tmp_path).train(3)
    path = tmp_path / "run.safetensors"
    tensors, about = training.read(path)
    training.write(path, tensors, {**about, "threads": 7})
    with pytest.warns(UserWarning, match="saved with 7 threads: the last bits may differ now"):
        assert same(state(make(tmp_path)), state(run))

    del about["threads"]
    training.write(path, tensors, about)
    with pytest.raises(ValueError, match="of another run: it has no 'threads'"):
        make(tmp_path)


def test_two_runs_do_not_share_a_folder(tmp_path):
    first = make(tmp_path)
    with training.held(tmp_path), pytest.raises(ValueError, match="is held by process"):
        first.train(3)
    first.train(3)
    make(tmp_path).train(4)  # the same cell again


def test_damaged_files_are_refused(tmp_path):
    make(tmp_path).train(3)
    path = tmp_path / "run.safetensors"
    good = path.read_bytes()
    flipped = bytearray(good)
    flipped[-100] ^= 1
    for damaged, words in [
        (good[:-1], "truncated"),
        (b"", "truncated"),
        (b"\x80\x04" + good, "truncated"),
        (bytes(flipped), "was changed after it was written"),
    ]:
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=words):
            make(tmp_path)

    torch.save({"G": 1}, path)  # a pickle is refused, not opened
    with pytest.raises(ValueError, match="truncated or no file of a run"):
        make(tmp_path)


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"every": 0}, "every must be a whole number of at least 1, got 0"),
        ({"ema": 2}, "ema must be a number of at least 0 and below 1, got 2"),
        ({"fall": 3}, "fall must be two steps"),
        ({"fall": (5, 5)}, "fall must be two steps, the first before the last"),
        ({"fall": (-3, 5)}, "fall must be a whole number of at least 0, got -3"),
        ({"batch": 2.5}, "batch must be a whole number"),
        ({"x": torch.zeros(40, 8, 8)}, r"x must be pictures .* got \(40, 8, 8\)"),
        ({"x": "digits"}, "x must be numbers"),
    ],
)
def test_what_no_run_can_have_is_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        make(**wrong)


def test_what_is_no_gan_and_no_number_of_steps_is_named():
    with pytest.raises(TypeError, match="gan must be a GAN, got None"):
        Run(None, images.digits().x)
    with pytest.raises(ValueError, match="steps must be a whole number"):
        make().train(-1)


def test_pictures_with_a_number_that_is_not_finite_move_nothing():
    x = images.digits().x[:64].clone()
    first = int(torch.randperm(64, generator=torch.Generator().manual_seed(0))[0])
    x[first, 0, 0, 0] = torch.nan
    run = make(x=x, fall=(0, 5))
    run.gan.steps = 2  # within the fall
    before = state(run)
    with pytest.raises(ValueError, match="real must be finite, got 1 nan or infinite"):
        run.step()
    after = state(run)
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    assert moved == ["shuffle", "order"]
    assert run.gan.lr_G == run.gan.lr_D == 1e-3


def test_a_run_resumed_with_other_rules_is_refused(tmp_path):
    make(tmp_path).train(3)
    gan = make().gan
    gan.penalty = "r1"
    with pytest.raises(ValueError, match="penalty is None there, r1 here"):
        Run(gan, images.digits().x[:200], batch=32, out=tmp_path)


def test_whole_numbers_of_a_run_may_be_those_of_numpy(tmp_path):
    make(tmp_path, batch=np.int64(32), every=np.int64(3), fall=(np.int64(1), 9)).train(np.int32(3))
    assert len(make(tmp_path, fall=(1, 9)).sample(np.int64(5))) == 5


def test_a_pair_is_found_from_any_folder(tmp_path, monkeypatch):
    plain, _, about = training.load_pair(ROOT / "notebooks/weights/digits.safetensors")
    for folder in (ROOT / "notebooks", ROOT, tmp_path):
        monkeypatch.chdir(folder)
        G, _, _ = training.load_pair("weights/digits.safetensors")
        assert equal(G, plain)
    with pytest.raises(ValueError, match="there is no weights/cats"):
        training.load_pair("weights/cats.safetensors")
    shutil.copy(ROOT / "notebooks/weights/digits.safetensors", tmp_path / "mine.safetensors")
    assert training.load_pair("mine.safetensors")[2] == about


SHAPE = {"size": 8, "channels": 1, "z_dim": 4, "width": 2, "norm": "batch"}


@pytest.mark.parametrize(
    "about, words",
    [
        ({"size": 8, "norm": "batch"}, "does not say its channels, z_dim, width"),
        ({**SHAPE, "size": 9}, "is of no pair that this module makes: size must be one of"),
        (SHAPE, "run is of no pair that this module makes: there is no mean.1.0.weight"),
    ],
)
def test_a_file_that_is_of_no_pair_is_refused(tmp_path, about, words):
    training.write(tmp_path / "run", {}, about)
    with pytest.raises(ValueError, match=words):
        training.load_pair(tmp_path / "run")


def test_wrong_batches_and_sizes_are_named():
    for batch in (0, 201):
        with pytest.raises(ValueError, match=f"at most the 200 pictures, got {batch}"):
            make(batch=batch)


# -- several processes ---------------------------------------------------------------------------

PAIR = """
import sys; sys.path.insert(0, "tests")
import os
import time
from pathlib import Path
import torch
from safetensors.torch import save_file
from test_training import make, state
from ganlib import training

torch.set_num_threads(1)
fetched = Path(sys.argv[1]).with_name("fetched")
with training._first_process_first("cpu"):
    there = fetched.exists()
    time.sleep(0.3)
    fetched.touch()
assert there == (os.environ["RANK"] == "1")  # the second finds what the first has fetched
run = make(norm="none", width=4, batch=64).train(6)
assert run.world == 2 and torch.distributed.get_world_size() == 2
mine = torch.tensor([os.getpid(), run.rank], dtype=torch.long)
both = [torch.zeros_like(mine) for _ in range(2)]
torch.distributed.all_gather(both, mine)
if run.rank == 0:
    tensors = {name: value.contiguous() for name, value in state(run).items()}
    save_file({**tensors, "who": torch.stack(both)}, sys.argv[1])
torch.distributed.destroy_process_group()
"""


def test_two_processes_are_two_and_train_the_model_of_one_with_the_doubled_batch(tmp_path):
    from safetensors.torch import load_file

    script = tmp_path / "pair.py"
    script.write_text(PAIR)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    subprocess.run(
        [sys.executable, *launch, str(script), str(tmp_path / "two.safetensors")],
        check=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    two = load_file(tmp_path / "two.safetensors")
    processes, ranks = two.pop("who").T.tolist()
    assert len(set(processes)) == 2
    assert ranks == [0, 1]

    one = state(make(norm="none", width=4, batch=64).train(6))
    for name, value in one.items():
        if name.split(".")[0] in ("G", "D", "mean"):
            assert_close(two[name], value, atol=1e-6, rtol=0)

    start = make(norm="none").gan.G.state_dict()
    moved = max(float((one[f"G.{name}"] - value).abs().max()) for name, value in start.items())
    assert moved > 1e-3  # the agreement is not that of two runs that stood still


# -- the command line ----------------------------------------------------------------------------


def test_the_command_line_trains_and_goes_on(tmp_path):
    def command(out, steps):
        options = f"--images digits --width 4 --every 5 --held-out 0.5 --steps {steps}"
        training.main([*options.split(), "--out", str(tmp_path / out)])
        return training.load_pair(tmp_path / out / "run.safetensors")

    command("a", steps=5)
    G, D, about = command("a", steps=8)
    assert about["steps"] == 8
    assert about["settings"]["pictures"][:-1] == [898, 1, 8, 8]
    assert "python -m ganlib.training --images digits" in about["command"]
    assert json.dumps(about)

    x = G(torch.randn(3, 32))
    assert x.shape == (3, 1, 8, 8)
    assert D(x).shape == (3, 1)
    again, _, _ = command("b", steps=8)
    assert equal(G, again)


@pytest.mark.parametrize(
    "wrong, words",
    [
        (["--images", "nowhere"], "images must be digits"),
        (["--size", "12"], "size must be one of 8, 16, 32, 64, 128, got 12"),
        (["--loss", "best"], "loss must be one of"),
        (["--lr-G", "-1"], "lr_G must be a positive number"),
        (["--batch", "5000"], "batch must be"),
        (["--batch", "0"], "batch must be a whole number of at least 1, got 0"),
        (["--every", "0"], "every must be a whole number of at least 1, got 0"),
        (["--ema", "nan"], "ema must be a number of at least 0 and below 1, got nan"),
        (["--ema", "2"], "ema must be a number of at least 0 and below 1, got 2.0"),
        (["--ema", "-1"], "ema must be a number of at least 0 and below 1, got -1.0"),
        (["--held-out", "1.5"], "held_out must be a number of at least 0 and below 1, got 1.5"),
        (["--held-out", "0.9999"], "held_out must leave at least one picture on both sides"),
        (["--fall-from", "-3"], "fall_from must be a whole number of at least 0, got -3"),
        (["--fall-from", "9"], "fall_from must be before the last of 1 steps, got 9"),
        (["--steps", "-5"], "steps must be a whole number of at least 0, got -5"),
        (["--threads", "0"], "threads must be a whole number of at least 1, got 0"),
        (["--width", "0"], "width must be a whole number of at least 1, got 0"),
        (["--width-D", "-1"], "width_D must be a whole number of at least 0, got -1"),
        (["--width", "9999"], "width must be a whole number from 1 to 1024, got 9999"),
        (["--z-dim", "0"], "z_dim must be a whole number of at least 1, got 0"),
        (["--seed", "-1"], "seed must be a whole number from 0"),
        (["--norm", "layer"], "norm must be one of batch, spectral, none"),
        (["--lr-D", "nan"], "lr_D must be a positive number, got nan"),
    ],
)
def test_the_command_line_names_what_is_wrong(wrong, words, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        training.main(["--out", str(tmp_path), "--steps", "1", *wrong])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("ValueError: ")
    assert words in said
    assert not list(tmp_path.iterdir())


def test_cuda_asked_for_and_absent(tmp_path, capsys):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(SystemExit) as ended:
        training.main(["--device", "cuda", "--out", str(tmp_path)])
    assert ended.value.code == 2
    assert "sees no GPU; take --device cpu" in capsys.readouterr().err


def test_the_command_line_explains_itself(capsys):
    with pytest.raises(SystemExit) as asked:
        training.main(["--help"])
    said = capsys.readouterr().out
    assert asked.value.code == 0
    assert "--command" not in said

    for field in fields(training.Recipe):
        option = "--" + field.name.replace("_", "-")
        explained = f"{option} " in said or f"{option}," in said
        assert explained == (field.name != "command"), option
    for word in (*LOSSES, "as G's"):
        assert word in said

    with pytest.raises(SystemExit):
        training.main(["--devise", "cuda"])
    assert "--device" in capsys.readouterr().err


# -- quality -------------------------------------------------------------------------------------


def test_seven_hundred_steps_make_digits():
    train, held = images.digits().split()
    net = metrics.classifier(train.x, train.labels)
    run = make(width=32, z_dim=32, x=train.x, batch=64)
    assert metrics.evaluate(run.sample(2000), train.x, net)["FD"] > 700

    run.train(700)
    made = run.sample(2000)
    found = metrics.evaluate(made, train.x, net)
    assert found["FD"] < 25
    assert found["TV"] < 0.15
    assert found["recall"] > 0.75
    assert found["precision"] > 0.35
    assert metrics.frechet(metrics.features(net, held.x), metrics.features(net, made)) < 40
