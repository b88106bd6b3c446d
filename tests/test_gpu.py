"""What a GPU needs, without one: placement, host reads, graphs of the compiler, a recorded step."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_training import make, same, state
from torch import nn
from torch.testing import assert_close

from ganlib import gpu, images, settings, targets
from ganlib.gan import GAN
from ganlib.losses import Loss
from ganlib.medicine import Extragradient, optimism, spectral
from ganlib.networks import dcgan_discriminator, dcgan_generator, mlp
from ganlib.training import NUMBERS

HERE = Path(__file__).parent

# -- an emulated GPU -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def emulated():
    """What each part reads and sends, by name; in a process of its own, for torch keeps the GPU."""
    command = [sys.executable, str(HERE / "emulated.py")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=HERE.parent,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_no_operation_is_given_two_devices(emulated):
    assert {name: found for name, found in emulated.items() if "wrong" in found} == {}
    assert len(emulated) > 30


def test_a_step_reads_its_data_once_and_each_loss_once(emulated):
    """Data, loss of D, loss of G; the loss of D once more with its penalty."""
    steps = {name: found for name, found in emulated.items() if name.startswith("step: ")}
    for name, found in steps.items():
        penalised = "r1" in name or "gradient penalty" in name
        once_more = 1 if "d_steps 2" in name else 0  # each part of the data
        assert found["reads"] == 3 + penalised + 3 * once_more, name


def test_a_run_reads_four_times_a_step_or_once_in_many(emulated):
    """With them what D said, in one piece; noise and rows are sent, unless they are drawn there."""
    assert emulated["run: 2 steps"] == {"reads": 2 * 4, "sent": 2 * 3}
    assert emulated["run: 2 steps, on_device"] == {"reads": 2 * 4}
    assert emulated["run: 2 steps, read 3"] == {"reads": 1}  # all numbers of three steps
    assert emulated["run: 2 steps, read 50"] == {}


def test_a_sweep_reads_nothing_back(emulated):
    assert emulated["sweep"].get("reads", 0) == 0
    assert emulated["sweep: r1, sgd, hinge"].get("reads", 0) == 0
    assert emulated["sweep: gradient penalty"].get("reads", 0) == 0


# -- draws -----------------------------------------------------------------------------------------


def test_on_a_cpu_drawing_on_the_device_changes_no_bit():
    assert same(state(make(on_device=True).train(5)), state(make().train(5)))


def test_a_placed_law_is_the_same_law_and_leaves_the_old_one_alone():
    law = targets.ring()
    twin = gpu.placed(law, torch.device("cpu"))
    first, second = (of.sample(50, torch.Generator().manual_seed(0)) for of in (law, twin))
    assert torch.equal(first, second)
    assert gpu.placed(law, torch.device("meta")).means.is_meta and not law.means.is_meta


def test_seeds_of_networks_leave_the_draws_of_a_gpu_alone(monkeypatch):
    told = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", told.append)
    monkeypatch.setattr(torch, "manual_seed", told.append)
    dcgan_generator(width=2, seed=3)
    mlp(1, 4, 1, seed=3)
    assert told == []


# -- losses read later -----------------------------------------------------------------------------


@pytest.mark.parametrize("read", [3, 50])
def test_losses_that_are_read_later_are_the_same(read):
    at_once = make().train(8)
    later = make(read=read).train(8)
    assert later.gan.history == at_once.gan.history
    assert same(state(later), state(at_once))


def test_what_diverges_between_two_readings_is_named_with_its_step():
    run = make(read=4)
    for step in range(3):
        if step == 1:
            nn.init.constant_(next(run.gan.D.parameters()), torch.nan)
        record = run.step()
    assert isinstance(record["loss_D"], torch.Tensor)
    with pytest.raises(FloatingPointError, match="diverged at step 2: loss_D is nan"):
        run.step()
    assert all(isinstance(record[name], float) for name in NUMBERS)


# -- a step as one graph ---------------------------------------------------------------------------


@pytest.fixture
def played(monkeypatch):
    """On a CPU a recorded step is played by calling it again; a list fills with what is captured.

    The calls of a graph are real; that they are made once and launched many times is not.
    """
    captured = []

    def capture(play, device, *generators):
        captured.append(generators)
        kept = [(part, part.clone()) for part in memory(play.__self__.gan)]
        states = [generator.get_state() for generator in generators]
        play()  # on a GPU it computes nothing
        for part, before in kept:
            part.data.copy_(before)
        for generator, before in zip(generators, states):
            generator.set_state(before)

        def replay():
            owner = play.__self__
            steps, noted = owner.gan.steps, len(owner.gan.history)
            rates = owner.gan.lr_G, owner.gan.lr_D
            owner.gan.opt_G.param_groups[0]["lr"], owner.gan.opt_D.param_groups[0]["lr"] = (
                owner.rates
            )
            play()
            owner.gan.lr_G, owner.gan.lr_D = rates
            owner.gan.steps = steps
            del owner.gan.history[noted:]

        return replay

    monkeypatch.setattr(gpu, "capture", capture)
    monkeypatch.setattr(gpu, "has_graphs", lambda device: True)
    monkeypatch.setattr(settings, "has_graphs", lambda device: True)
    return captured


def memory(gan):
    """All that a step changes in place."""
    found = [*gan.G.state_dict().values(), *gan.D.state_dict().values()]
    for optimiser in (gan.opt_G, gan.opt_D):
        for of_one in optimiser.state.values():
            found += of_one.values()
    return found


def agree(whole, plain):
    """Apart from the rates, which a graph has as float32: to 1e-6 after few steps."""
    there = state(plain)
    for name, value in state(whole).items():
        assert_close(value, there[name], atol=1e-6, rtol=1e-5)
    for one, other in zip(whole.gan.history, plain.gan.history, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize("how", [{}, {"read": 4}, {"fall": (2, 9)}], ids=str)
def test_a_recorded_step_is_the_plain_one(played, how):
    plain = make(**how).train(9)
    whole = make(graph=True, **how).train(9)
    assert len(played) == 1
    agree(whole, plain)


def test_a_step_is_recorded_again_when_its_formula_changes(played):
    plain, whole = make(), make(graph=True)
    for run in (plain, whole):
        run.train(5)
        run.gan.lr_G = 5e-4  # a rate may change without it
        run.train(6)
        run.gan.loss = "hinge"
        run.train(8)
    assert len(played) == 2
    agree(whole, plain)


def small(kind=GAN, **knobs):
    return kind(mlp(1, 4, 1), mlp(1, 4, 1), targets.gaussian(), seed=0, **knobs)


def hooked():
    gan = small()
    optimism(gan.opt_D)
    return gan


def sharp():
    return GAN(mlp(1, 4, 1), spectral(mlp(1, 4, 1)), targets.gaussian())


MINE = Loss("mine", D=lambda real, fake: fake.mean(), G=lambda fake: fake.mean())


@pytest.mark.parametrize(
    "gan, words",
    [
        (lambda: small(kind=Extragradient), "graph is for the class GAN itself"),
        (lambda: small(optimiser="sgd"), "graph is for Adam"),
        (hooked, "graph is for optimisers without hooks"),
        (lambda: small(loss=MINE), "graph is for the losses of LOSSES"),
        (lambda: small(penalty=lambda D, *_: D(0)), "graph is for the penalties of PENALTIES"),
        (sharp, "graph is for weights that no function of one's own computes"),
    ],
)
def test_what_cannot_be_one_graph_is_refused(played, gan, words):
    with pytest.raises(ValueError, match=words):
        settings.check_way(settings.Way(graph=True), gan(), 1)


def test_a_graph_needs_a_gpu_and_one_process():
    with pytest.raises(ValueError, match="graph needs a GPU, but G is on cpu: take graph=False"):
        make(graph=True)
    with pytest.raises(ValueError, match="compile does not go with a penalty"):
        settings.check_way(settings.Way(compile=True), small(penalty="r1"), 1)


def test_a_spectral_norm_of_torch_may_be_one_graph(played):
    run_of = {"norm": "spectral"}
    D = dcgan_discriminator(width=2, **run_of)
    gan = GAN(dcgan_generator(width=2), D, targets.gaussian(dim=32))
    settings.check_way(settings.Way(graph=True), gan, 1)
    with pytest.raises(ValueError, match="is for one process, not for 2"):
        settings.check_way(settings.Way(graph=True), gan, 2)


@pytest.mark.parametrize("wrong", [{"bf16": 1}, {"read": 0}, {"graph": "yes"}, {"compile": None}])
def test_a_way_that_is_none_is_named(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        make(**wrong)


# -- the compiler ----------------------------------------------------------------------------------

needs_compiler = pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler here")


def test_torch_compiles_nothing_of_a_sequential_net():
    """Why `Compiled` does it another way; when this fails, torch has mended it (#150915)."""
    made = []

    def backend(graph, examples):
        made.append(graph)
        return graph.forward

    net = mlp(1, 4, 1)
    net.compile(backend=backend)
    net(torch.zeros(2, 1))
    assert made == []


@pytest.mark.slow
def test_every_network_has_a_code_object_of_its_own(monkeypatch):
    """More networks than torch compiles of one code; the real compiler's place is taken."""
    monkeypatch.setattr(gpu.Compiled, "_inductor", counted)
    nets = [gpu.Compiled(mlp(1, n, 1)) for n in range(2, 12)]
    for net in nets:
        assert torch.equal(net(torch.ones(2, 1)), net.net(torch.ones(2, 1)))
    assert [net.graphs for net in nets] == [1] * 10


def counted(self, graph, examples):
    self.graphs += 1
    return graph.forward


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("bf16", [False, True])
def test_inductor_makes_graphs_of_both_networks(bf16):
    for _ in range(3):
        run = make(width=2, compile=True, bf16=bf16).train(3)
        assert [net.graphs > 0 for net in run.compiled] == [True, True]
        assert len(run.gan.history) == 3


# -- numbers ---------------------------------------------------------------------------------------


def test_numerics_restores_what_torch_was_told():
    cudnn = torch.backends.cudnn
    with gpu.numerics(torch.device("cpu"), True):
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
    before = cudnn.benchmark
    with gpu.numerics(torch.device("cuda"), False):
        assert cudnn.benchmark
    with gpu.numerics(torch.device("cuda"), True):
        assert not cudnn.benchmark
    assert cudnn.benchmark == before


FLAGS = [
    {"channels_last": True},
    {"bf16": True, "channels_last": True},
    {"deterministic": True, "read": 3},
    {"on_device": True, "read": 5, "fall": (4, 12)},
]


@pytest.mark.parametrize("how", FLAGS, ids=str)
def test_a_run_goes_on_to_the_bit_with_every_flag(how, tmp_path):
    whole = make(**how).train(9)
    make(tmp_path, **how).train(4)
    resumed = make(tmp_path, **how).train(9)
    assert same(state(resumed), state(whole))
    assert resumed.gan.history == whole.gan.history


# -- the one call ----------------------------------------------------------------------------------


@pytest.fixture
def call():
    """tests/benchmarks/gpu.py as a module."""
    path = HERE / "benchmarks" / "gpu.py"
    spec = importlib.util.spec_from_file_location("gpu_call", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_section_that_fails_does_not_end_the_call(call, tmp_path):
    @call.section
    def broken(given, say):
        say("before", 1)
        raise RuntimeError("out of luck")

    how = ["--device", "cpu", "--quick", "--out", str(tmp_path)]
    with pytest.raises(SystemExit, match="errors in broken"):
        call.main([*how, "--only", "versions", "broken", "landscape"])
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert list(found) == ["versions", "broken", "landscape"]
    assert found["broken"]["before"] == 1
    assert found["broken"]["ERROR"] == "RuntimeError: out of luck"
    assert "0 diverged" in found["landscape"]["3 × 3 GANs"]
    assert "out of luck" in (tmp_path / "gpu.log").read_text()

    there = images.idx(tmp_path / "digits-images-idx3-ubyte.gz", size=28)
    assert torch.equal(there.labels, images.digits().labels)
    assert_close(there.x, images.digits(28).x, atol=1 / 127, rtol=0)  # half a shade and rounding


@pytest.mark.slow
def test_the_whole_call_runs_small_on_a_cpu(call, tmp_path):
    with pytest.raises(SystemExit) as ended:
        call.main(["--device", "cpu", "--quick", "--out", str(tmp_path)])
    assert ended.value.code == 0
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert list(found) == list(call.SECTIONS)
    assert set(found) >= set(call.FIRST)
    resumed = [said for key, said in found["resume"].items() if "True" in key]
    assert resumed and set(resumed) == {"equal to the bit"}
