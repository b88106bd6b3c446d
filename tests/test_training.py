"""Long runs: what a step is, exact resume after being killed anywhere, several processes, files that are not right."""

import inspect
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ganlib import images, metrics, training
from ganlib.gan import GAN
from ganlib.losses import LOSSES
from ganlib.networks import dcgan_discriminator, dcgan_generator
from ganlib.targets import gaussian
from ganlib.training import Run

torch.set_num_threads(1)
STEPS, EVERY, HERE = 14, 3, Path(__file__).parent


def make(out=None, *, norm="batch", width=4, z_dim=8, x=None, seed=0, **keywords):
    x = images.digits().x[:200] if x is None else x
    gan = GAN(
        dcgan_generator(width=width, norm=norm, z_dim=z_dim, seed=seed),
        dcgan_discriminator(width=width, norm=norm, seed=seed),
        gaussian(dim=z_dim),
        seed=seed,
    )
    return Run(gan, x, **{"batch": 32, "every": EVERY, "out": out, **keywords})


def state(run):
    return {name: value.clone() for name, value in run._tensors().items() if name != "global"}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# -- a step ----------------------------------------------------------------------------------------------


def test_a_run_is_gan_step_on_its_batches():
    run, plain = make(), make().gan
    taken = []
    gan_step = run.gan.step
    run.gan.step = lambda real: (taken.append(real), gan_step(real))[1]
    run.train(8)
    for real in taken:
        plain.step(real)
    for a, b in ((run.gan.G, plain.G), (run.gan.D, plain.D)):
        assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))
    assert [r["loss_D"] for r in run.gan.history] == [r["loss_D"] for r in plain.history]


def test_every_picture_comes_once_before_any_comes_again():
    run = make(x=torch.linspace(-1, 1, 96)[:, None, None, None].expand(96, 1, 8, 8).clone())
    seen = []
    gan_step = run.gan.step
    run.gan.step = lambda real: (seen.append(real[:, 0, 0, 0]), gan_step(real))[1]
    run.train(6)
    epochs = torch.cat(seen).view(2, 96)
    assert torch.equal(epochs.sort(1).values[0], run.x[:, 0, 0, 0]) and torch.equal(
        *epochs.sort(1).values
    )
    assert not torch.equal(epochs[0], epochs[1]) and not torch.equal(
        epochs[0], epochs[0].sort().values
    )


def test_the_averaged_generator_is_the_weighted_mean_of_all_generators():
    run, past = make(ema=0.5), []
    first = [p.detach().clone() for p in run.gan.G.parameters()]
    for _ in range(20):
        run.step()
        past.append([p.detach().clone() for p in run.gan.G.parameters()])
    for i, mean in enumerate(run.G.parameters()):
        expected = first[i].double()
        for t, weights in enumerate(past, 1):
            keep = min(0.5, t / (10 + t))
            expected = keep * expected + (1 - keep) * weights[i].double()
        torch.testing.assert_close(mean.double(), expected, rtol=1e-4, atol=1e-6)
    assert not run.G.training and not any(p.requires_grad for p in run.G.parameters())


def test_the_noted_beliefs_are_those_of_D():
    run = make(norm="none", width=2)
    before = run.gan.D.state_dict()
    before = {name: value.clone() for name, value in before.items()}
    order, noise = run.generator.get_state(), run.gan.generator.get_state()
    record = run.step()
    generator = torch.Generator()
    generator.set_state(order)
    real = run.x[torch.randperm(len(run.x), generator=generator)[:32]]
    generator.set_state(noise)
    fake = dcgan_generator(width=2, norm="none", z_dim=8, seed=0)(
        gaussian(dim=8).sample(32, generator)
    )
    D = dcgan_discriminator(width=2, norm="none")
    D.load_state_dict(before)
    assert record["D_real"] == pytest.approx(D(real).sigmoid().mean().item(), abs=1e-6)
    assert record["D_fake"] == pytest.approx(D(fake).sigmoid().mean().item(), abs=1e-6)


def test_sampling_does_not_disturb_training():
    quiet, asked = make(), make()
    for _ in range(5):
        quiet.step()
        asked.step()
        a = asked.sample(70)
    assert same(state(quiet), state(asked))
    assert torch.equal(a, asked.sample(70)) and not torch.equal(a, asked.sample(70, seed=1))
    z = torch.randn(3, 8)
    torch.testing.assert_close(
        asked.G(z)[:1], asked.G(z[:1])
    )  # no picture depends on its neighbours


@pytest.mark.parametrize(
    "how, tolerance", [("channels_last", 1e-4), ("compile", 1e-4), ("bf16", 0.05)]
)
def test_layout_compiler_and_precision_change_only_the_last_digits(how, tolerance):
    if how == "compile" and not shutil.which("g++"):
        pytest.skip("torch.compile needs a C++ compiler")
    plain, other = make().train(4), make(**{how: True}).train(4)
    for a, b in zip(plain.gan.history, other.gan.history):
        assert b == pytest.approx(a, abs=tolerance)
    if how != "bf16":
        for a, b in zip(plain.gan.G.parameters(), other.gan.G.parameters()):
            torch.testing.assert_close(a, b, atol=1e-3, rtol=0)


# -- saving and going on ---------------------------------------------------------------------------------


def test_a_resumed_run_continues_exactly(tmp_path):
    whole = make().train(STEPS)
    make(tmp_path / "a").train(7)
    resumed = make(tmp_path / "a")
    assert resumed.gan.steps == 7 and len(resumed.gan.history) == 7
    resumed.train(STEPS)
    assert same(state(whole), state(resumed))
    assert resumed.gan.history == whole.gan.history
    assert (tmp_path / "a" / "samples-000006.png").exists()


def test_the_rates_fall_along_a_line_also_across_a_resume(tmp_path):
    run, rates = make(fall=(4, 12)), []
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
    for name, value in fresh._tensors().items():
        if name.split(".")[0] == left_out:
            saved[name] = value
    if left_out.startswith("opt"):
        saved = {name: value for name, value in saved.items() if not name.startswith(left_out)}
    training.write(tmp_path / "run.safetensors", saved, about)
    assert not same(state(make(tmp_path).train(9)), state(whole))
    assert run.gan.steps == 4


def child(out, how, when, log):
    """Train to the end, but die by SIGKILL: in a step, in the middle of a write, before or after the rename."""
    torch.set_num_threads(1)

    def die():
        with open(log, "a") as file:
            file.write(f"{how} {run.gan.steps}\n")
        os.kill(os.getpid(), signal.SIGKILL)

    run = make(out)
    real_step, real_fsync, real_replace = run.gan.step_G, os.fsync, os.replace
    if how == "step":
        run.gan.step_G = lambda n: (
            die() if run.gan.steps == when else real_step(n)
        )  # D has moved, G has not
    if how == "write":

        def fsync(descriptor):
            if run.gan.steps >= when:
                os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
                die()
            real_fsync(descriptor)

        os.fsync = fsync
    if how in ("before rename", "after rename"):

        def replace(a, b):
            if run.gan.steps >= when:
                if how == "after rename":
                    real_replace(a, b)
                die()
            real_replace(a, b)

        os.replace = replace
    run.train(STEPS)


def test_twenty_kills_anywhere_change_no_bit(tmp_path):
    whole = state(make().train(STEPS))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["torch._dynamo", "ganlib.training"]
    )  # what the first Adam would import
    rng, log, struck = random.Random(0), tmp_path / "log", []
    kinds = ["step"] * 8 + ["write"] * 4 + ["before rename"] * 4 + ["after rename"] * 4
    rng.shuffle(kinds)
    out = tmp_path / "run0"
    for number, how in enumerate(kinds):
        done = make(out).gan.steps
        if (
            done >= STEPS - EVERY
        ):  # too near the end to be killed again: prove this one, begin another
            assert same(state(make(out).train(STEPS)), whole)
            out, done = tmp_path / f"run{number}", 0
        process = context.Process(
            target=child,
            args=(out, how, rng.randint(done, STEPS - 1) if how == "step" else done + 1, log),
        )
        process.start()
        process.join(120)
        assert process.exitcode == -signal.SIGKILL, how
    struck = log.read_text().splitlines()
    assert len(struck) == 20 and sum(line.startswith("step") for line in struck) == 8
    assert all(0 <= int(line.split()[-1]) < STEPS for line in struck)
    assert same(state(make(out).train(STEPS)), whole)
    assert make(out).gan.steps == STEPS


def test_ctrl_c_ends_after_a_whole_step(tmp_path):
    code = (
        "import sys; sys.path.insert(0, 'tests'); from test_training import make; "
        f"make({str(tmp_path)!r}, every=4).train(100000)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=HERE.parent
    ) as process:
        while not (tmp_path / "samples-000004.png").exists():  # so that it strikes while training
            time.sleep(0.05)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        words, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "stopped after step" in words
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
    assert (tmp_path / "run.safetensors").read_bytes() == good and not list(tmp_path.glob("*.part"))


def test_files_that_are_not_this_run_are_refused(tmp_path):
    make(tmp_path).train(3)
    path = tmp_path / "run.safetensors"
    good = path.read_bytes()
    for wrong, words in [
        ({"width": 8}, r"of another run: D\.0\.0\.bias is \[4\] there, \[8\] here"),
        ({"norm": "none"}, "of another run"),
        ({"batch": 16}, "batch is 32 there, 16 here"),
        ({"x": torch.zeros(40, 1, 8, 8)}, "pictures is"),
    ]:
        with pytest.raises(ValueError, match=words):
            make(tmp_path, **wrong)
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


def test_wrong_batches_and_sizes_are_named():
    for batch in (0, 201):
        with pytest.raises(ValueError, match=f"at most the 200 pictures, got {batch}"):
            make(batch=batch)


# -- several processes -----------------------------------------------------------------------------------

PAIR = """
import sys; sys.path.insert(0, "tests")
import os, torch; torch.set_num_threads(1)
from test_training import make, state
from safetensors.torch import save_file
run = make(norm="none", width=4, batch=64).train(6)
assert run.world == 2 and torch.distributed.get_world_size() == 2
counts = torch.tensor([os.getpid(), run.rank], dtype=torch.long)
both = [torch.zeros_like(counts) for _ in range(2)]
torch.distributed.all_gather(both, counts)
if run.rank == 0:
    save_file({**{k: v.contiguous() for k, v in state(run).items()}, "who": torch.stack(both)}, sys.argv[1])
torch.distributed.destroy_process_group()
"""


def test_two_processes_are_two_and_train_the_model_of_one_with_the_doubled_batch(tmp_path):
    (tmp_path / "pair.py").write_text(PAIR)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc_per_node",
            "2",
            str(tmp_path / "pair.py"),
            str(tmp_path / "two.safetensors"),
        ],
        check=True,
        timeout=120,
        cwd=HERE.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    from safetensors.torch import load_file

    two = load_file(tmp_path / "two.safetensors")
    who = two.pop("who")
    assert len(set(who[:, 0].tolist())) == 2 and who[:, 1].tolist() == [0, 1]
    one = state(make(norm="none", width=4, batch=64).train(6))
    for name, value in one.items():
        if name.split(".")[0] in ("G", "D", "mean"):
            torch.testing.assert_close(two[name], value, atol=1e-6, rtol=0)
    start = make(norm="none").gan.G.state_dict()
    moved = max(float((one[f"G.{name}"] - value).abs().max()) for name, value in start.items())
    assert moved > 1e-3  # the agreement is not that of two runs that stood still


# -- the command line ------------------------------------------------------------------------------------


def test_the_command_line_trains_and_goes_on(tmp_path, capsys):
    command = [
        "--images",
        "digits",
        "--out",
        str(tmp_path / "a"),
        "--width",
        "4",
        "--every",
        "5",
        "--held-out",
        "0.5",
    ]
    training.main([*command, "--steps", "5"])
    training.main([*command, "--steps", "8"])
    G, D, about = training.load_pair(tmp_path / "a" / "run.safetensors")
    assert about["steps"] == 8 and about["settings"]["pictures"] == [898, 1, 8, 8]
    assert "python -m ganlib.training --images digits" in about["command"] and json.dumps(about)
    x = G(torch.randn(3, 32))
    assert x.shape == (3, 1, 8, 8) and D(x).shape == (3, 1)
    training.main([*command[:3], str(tmp_path / "b"), *command[4:], "--steps", "8"])
    again = training.load_pair(tmp_path / "b" / "run.safetensors")[0]
    assert all(torch.equal(p, q) for p, q in zip(G.parameters(), again.parameters()))


@pytest.mark.parametrize(
    "wrong, words",
    [
        (["--images", "nowhere"], "images must be digits"),
        (["--size", "12"], "size must be one of 8, 16, 32, 64, 128, got 12"),
        (["--loss", "best"], "loss must be one of"),
        (["--lr-G", "-1"], "lr_G must be a positive number"),
        (["--batch", "5000"], "batch must be"),
    ],
)
def test_the_command_line_names_what_is_wrong(wrong, words, tmp_path):
    with pytest.raises(SystemExit, match=words):
        training.main(["--out", str(tmp_path), "--steps", "1", *wrong])


def test_cuda_asked_for_and_absent(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(SystemExit, match="sees no GPU; take --device cpu"):
        training.main(["--device", "cuda", "--out", str(tmp_path)])


def test_the_command_line_explains_itself(capsys):
    with pytest.raises(SystemExit) as asked:
        training.main(["--help"])
    said, names = (
        capsys.readouterr().out,
        set(inspect.signature(training.train).parameters) - {"command"},
    )
    assert asked.value.code == 0 and "--command" not in said
    assert {
        name
        for name in names
        if f"--{name.replace('_', '-')} " in said or f"--{name.replace('_', '-')}," in said
    } == names
    assert all(word in said for word in (*LOSSES, "as G's"))
    with pytest.raises(SystemExit):
        training.main(["--devise", "cuda"])
    assert "--device" in capsys.readouterr().err


# -- quality ---------------------------------------------------------------------------------------------


def test_seven_hundred_steps_make_digits():
    train, held = images.digits().split()
    net = metrics.classifier(train.x, train.labels)
    run = make(width=32, z_dim=32, x=train.x, batch=64)
    assert metrics.evaluate(run.sample(2000), train.x, net)["FD"] > 700
    run.train(700)
    found = metrics.evaluate(run.sample(2000), train.x, net)
    assert (
        found["FD"] < 25
        and found["TV"] < 0.15
        and found["recall"] > 0.75
        and found["precision"] > 0.35
    )
    assert (
        metrics.frechet(metrics.features(net, held.x), metrics.features(net, run.sample(2000))) < 40
    )
