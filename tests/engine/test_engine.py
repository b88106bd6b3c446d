"""The engine that trains in a browser, against torch: the same seed, the same run."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ganlib import networks, schedule, targets
from ganlib.engine import export
from ganlib.gan import GAN
from ganlib.losses import LOSSES, PENALTIES
from ganlib.networks import mlp

ROOM = Path(export.__file__).parent
ENGINES = ["wasm", "float32", "float64"]
IN_A_LINE = torch.linspace(-3, 3, 20)


def flat(net):
    return nn.utils.parameters_to_vector(net.parameters()).detach()


def off(ours, theirs):
    """The largest difference of two rows of numbers."""
    return float((torch.as_tensor(ours, dtype=torch.float64) - theirs.double()).abs().max())


# -- random numbers and first weights, to the bit --------------------------------------------------
def generator(seed):
    return torch.Generator().manual_seed(seed)


WEIGHTS = [0.1, 0.2, 0.3, 0.4]
MANY = (torch.ones(150) / 150).tolist()
DRAWS = {
    "rand": ([700], lambda g: torch.rand(700, generator=g)),
    "rand_double": ([9], lambda g: torch.rand(9, generator=g, dtype=torch.float64)),
    "uniform": ([50, -0.37, 1.3], lambda g: torch.empty(50).uniform_(-0.37, 1.3, generator=g)),
    "randperm": ([50], lambda g: torch.randperm(50, generator=g)),
}


@pytest.mark.parametrize("seed", [0, 5, 2**32 - 1, 2**40 + 3])
def test_draws_are_torch_s_to_the_bit(engine, seed):
    calls = [[name, *arguments] for name, (arguments, _) in DRAWS.items()]
    theirs = generator(seed)
    for ours, (_, draw) in zip(engine("random", seed=seed, calls=calls), DRAWS.values()):
        assert off(ours, draw(theirs)) == 0


@pytest.mark.parametrize("weights", [WEIGHTS, MANY])
def test_modes_are_drawn_as_torch_draws_them(engine, weights):
    row = torch.tensor(weights)
    (ours,) = engine("random", seed=3, calls=[["multinomial", row.tolist(), 500]])
    assert ours == torch.multinomial(row, 500, True, generator=generator(3)).tolist()


@pytest.mark.parametrize("sizes", [[1], [5, 3, 2], [16], [50, 1, 64], [15, 17, 300, 3]])
def test_normals(engine, sizes):
    theirs = generator(7)
    for ours, n in zip(engine("random", seed=7, calls=[["randn", n] for n in sizes]), sizes):
        assert off(ours, torch.randn(n, generator=theirs)) <= 2e-6


@pytest.mark.parametrize("before", [0, 3, 623, 624, 625])
@pytest.mark.parametrize("waiting", [False, True])
def test_a_generator_goes_on_in_the_other_engine(engine, before, waiting):
    theirs = generator(9)
    torch.rand(before, generator=theirs)
    if waiting:
        torch.randn(1, generator=theirs)
    found = engine("resume", state=export.generator_state(theirs), n=10)
    assert off(found["drawn"], torch.rand(10, generator=theirs)) == 0
    assert off(found["normal"], torch.randn(1, generator=theirs)) <= 2e-6

    back = torch.Generator()
    back.set_state(export.generator_bytes(found["state"]))
    assert off(torch.rand(700, generator=back), torch.rand(700, generator=theirs)) == 0
    torch.testing.assert_close(torch.randn(3, generator=back), torch.randn(3, generator=theirs))


@pytest.mark.parametrize("name", ["ndtr", "ndtri", "sigmoid", "softplus", "log_sigmoid"])
def test_special_functions(engine, name):
    if name == "ndtri":
        at = torch.tensor([1e-9, 1e-7, 0.01, 0.024, 0.025, 0.3, 0.5, 0.9, 1 - 1e-7])
    else:
        at = torch.tensor([-40.0, -7, -3.1, -2.9, -1, 0, 1e-9, 0.3, 2, 2.999, 4, 19.9, 20.1, 40])
    at = at.double()
    theirs = {
        "ndtr": torch.special.ndtr,
        "ndtri": torch.special.ndtri,
        "sigmoid": torch.sigmoid,
        "softplus": nn.functional.softplus,
        "log_sigmoid": nn.functional.logsigmoid,
    }[name]
    ours = torch.tensor(engine("special", name=name, at=at.tolist()), dtype=torch.float64)
    torch.testing.assert_close(ours, theirs(at), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("ops", ENGINES)
@pytest.mark.parametrize("seed", [0, 11])
@pytest.mark.parametrize("sizes", [(1, 32, 32, 1), (2, 13, 7, 2), (3, 1), (1, 5, 1)])
def test_first_weights_are_torch_s_to_the_bit(engine, ops, sizes, seed):
    for cover in (None, (-3, 3), (-0.7, 5.1)):
        if cover and sizes[0] != 1:
            continue
        net = mlp(*sizes, seed=seed, cover=cover)
        described = export.network(net, seed=seed)
        assert "weights" not in described
        assert off(engine("weights", ops=ops, network=described), flat(net)) == 0


def test_weights_that_no_seed_gives_are_sent(engine):
    net = networks.reinitialise(mlp(1, 5, 1, seed=0), 3)
    described = export.network(net, seed=0)
    assert off(engine("weights", ops="wasm", network=described), flat(net)) == 0


# -- laws ------------------------------------------------------------------------------------------
LAWS = {
    "normal": targets.gaussian(0.3, 0.7),
    "two modes": targets.mixture(),
    "big and small": targets.mixture((0.6, -2.5), (0.6, 0.3), (0.85, 0.15)),
    "uniform": targets.uniform(-1.5, 1.1),
    "iris": targets.iris(),
    "even normal": targets.even(targets.gaussian()),
    "even modes": targets.even(targets.mixture((0.6, -2.5), (0.6, 0.3), (0.85, 0.15))),
    "even uniform": targets.even(targets.uniform(-1.5, 1.5)),
    "plane": targets.gaussian(dim=2),
    "ring": targets.ring(),
    "spiral": targets.spiral(),
}


@pytest.mark.parametrize("name", LAWS)
def test_laws(engine, name):
    law = LAWS[name]
    x = torch.linspace(-2, 2, 12, dtype=torch.float64).view(-1, law.dim)
    is_prior = law.dim == 1 and "e" not in name[1:2] and len(getattr(law, "means", [0])) == 1
    u = torch.tensor([0.01, 0.3, 0.999]).double() if is_prior else torch.zeros(0).double()
    for n in (7, 50, 128):
        found = engine(
            "law",
            description=export.law(law),
            n=n,
            seed=4,
            x=x.flatten().tolist(),
            probabilities=u.tolist(),
        )
        assert off(found["sample"], law.sample(n, generator(4)).flatten()) <= 4e-6

    ours = torch.tensor([-torch.inf if p is None else p for p in found["log_prob"]]).double()
    torch.testing.assert_close(ours, law.log_prob(x), rtol=1e-6, atol=1e-6)
    assert tuple(found["range"]) == law.range
    if is_prior:
        assert off(found["quantile"], law.quantile(u)) <= 1e-9
    if law.dim == 1:
        step = 1e-4
        slope = np.gradient(found["cdf"], x[:, 0].numpy())
        assert slope.min() >= -step
        assert 0 <= min(found["cdf"]) <= max(found["cdf"]) <= 1


def test_rates_fall_alike(engine):
    at = [0, 1499, 1500, 2000.5, 2999, 3000, 10_000]
    assert engine("fall", steps=3000, at=at) == [schedule.fall(step, 3000) for step in at]


# -- training --------------------------------------------------------------------------------------
class Doubled:
    """A prior whose draws are float64, for networks that are."""

    def __init__(self, law):
        self.law = law

    def sample(self, n, generator):
        return self.law.sample(n, generator).double()


def pair(dim=1):
    G = mlp(dim, 13, 7, dim, seed=1)
    D = mlp(dim, 9, 11, 1, seed=2, cover=(-3, 3) if dim == 1 else None)
    return G, D


def make(loss="non-saturating", prior=None, nets=None, **settings):
    given = {"lr_G": 5e-3, "lr_D": 1e-2, "betas": (0.0, 0.9), "penalty_weight": 0.3, "seed": 4}
    G, D = nets or pair()
    return GAN(G, D, prior or targets.uniform(), loss=loss, **{**given, **settings})


def batches(n, size, law=None):
    data = generator(3)
    return [(law or targets.mixture()).sample(size, data) for _ in range(n)]


def train(engine, ops, gan, reals, x=IN_A_LINE, **more):
    rows = [real.flatten().tolist() for real in reals]
    return engine("train", ops=ops, gan=export.gan(gan), reals=rows, x=x.flatten().tolist(), **more)


def compare(found, gan, bound, x=IN_A_LINE):
    """Weights within `bound`; D's last offset stands aside where its slope is 0 in theory.

    With wasserstein and hinge each real example pulls that offset up as each fake pulls it down.
    What rounding leaves of this, Adam makes into a step of any size up to the rate. It moves all
    logits alike, so they are compared less their mean.
    """
    assert off(found["G"], flat(gan.G)) <= bound
    theirs = flat(gan.D)
    free = gan.loss in ("wasserstein", "hinge") and gan.optimiser == "adam"
    assert off(found["D"][: len(theirs) - free], theirs[: len(theirs) - free]) <= bound

    dtype = next(gan.D.parameters()).dtype
    with torch.no_grad():
        logits = gan.D(x.to(dtype)[:, None] if x.ndim == 1 else x.to(dtype)).flatten()
    ours = torch.tensor(found["logits"], dtype=torch.float64)
    if free:
        ours = ours - ours.mean()
        logits = logits - logits.mean()
    assert off(ours, logits) <= 100 * bound


EVERY = pytest.mark.parametrize("loss", LOSSES)
PENALISED = pytest.mark.parametrize("penalty", [None, *PENALTIES])


def test_every_name_is_known_to_both(engine):
    names = engine("names")
    assert names["losses"] == list(LOSSES)
    assert names["penalties"] == list(PENALTIES)


@EVERY
@PENALISED
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_ten_steps_in_double_precision(engine, loss, penalty, optimiser):
    for d_steps, batch in ((1, 7), (1, 50), (3, 300)):
        how = {"penalty": penalty, "optimiser": optimiser, "d_steps": d_steps}
        reals = batches(10, batch)
        found = train(engine, "float64", make(loss, **how), reals)
        nets = [net.double() for net in pair()]
        gan = make(loss, Doubled(targets.uniform()), nets, **how)
        for real in reals:
            gan.step(real.double())
        compare(found, gan, 1e-12)
        if not (loss in ("wasserstein", "hinge") and optimiser == "adam"):
            assert np.allclose(
                [[r["loss_D"], r["loss_G"]] for r in found["history"]],
                [[r["loss_D"], r["loss_G"]] for r in gan.history],
                rtol=1e-10,
                atol=1e-10,
            )


@EVERY
@PENALISED
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_one_step_in_single_precision(engine, loss, penalty, optimiser):
    for ops, d_steps, batch in (("wasm", 1, 7), ("wasm", 1, 300), ("wasm", 3, 50)):
        gan = make(loss, penalty=penalty, optimiser=optimiser, d_steps=d_steps)
        reals = batches(1, batch)
        found = train(engine, ops, gan, reals)
        gan.step(reals[0])
        compare(found, gan, 1e-4)


@PENALISED
@pytest.mark.parametrize("prior", ["normal", "uniform on a square"])
def test_in_the_plane(engine, penalty, prior):
    x = torch.linspace(-2, 2, 20).view(10, 2)
    reals = batches(10, 50, targets.ring())
    for ops, steps, bound in (("float64", 10, 1e-12), ("wasm", 1, 1e-4)):
        law = targets.gaussian(dim=2)
        noise = generator(8)
        zs = [law.sample(50, noise) for _ in range(2 * steps)]
        gan = make(prior=law, nets=pair(2), penalty=penalty)
        more = {"noises": [z.flatten().tolist() for z in zs]} if ops == "float64" else {}
        found = train(engine, ops, gan, reals[:steps], x, **more)
        if ops == "float64":
            gan = make(prior=law, nets=[net.double() for net in pair(2)], penalty=penalty)
            fed = iter(zs)
            gan.noise = lambda n, fed=fed: next(fed).double()
        dtype = next(gan.D.parameters()).dtype
        for real in reals[:steps]:
            gan.step(real.to(dtype))
        compare(found, gan, bound, x)


def test_a_large_batch_goes_through_in_chunks(engine):
    reals = batches(1, 5000)
    gan = make(penalty="r1")
    found = train(engine, "wasm", gan, reals)
    gan.step(reals[0])
    compare(found, gan, 1e-4)


def test_wide_networks_and_one_layer(engine):
    nets = lambda: (mlp(1, 200, 100, 1, seed=1), mlp(1, 90, 1, seed=2))
    gan = make(nets=nets(), penalty="gradient penalty")
    reals = batches(1, 64)
    found = train(engine, "wasm", gan, reals)
    gan.step(reals[0])
    compare(found, gan, 1e-4)


def test_a_run_goes_on_in_the_other_engine(engine):
    """Torch, then the browser, then torch: what travels is all that the next step needs."""
    reals = batches(15, 50)
    alone = make(penalty="gradient penalty")
    for real in reals:
        alone.step(real)

    gan = make(penalty="gradient penalty")
    for real in reals[:5]:
        gan.step(real)
    found = train(engine, "wasm", gan, reals[5:6], state=export.state(gan))
    gan.step(reals[5])
    compare(found, gan, 1e-4)

    state = engine(
        "state",
        ops="wasm",
        gan=export.gan(gan),
        target=export.law(targets.mixture()),
        steps=20,
        batch=50,
    )
    export.adopt(gan, state)
    assert gan.steps == 20
    back = export.state(gan)
    assert back["generator"]["words"] == state["generator"]["words"]
    for key in ("G", "D"):
        assert off(back[key], torch.tensor(state[key])) == 0
        assert back[f"opt_{key}"]["t"] == 20
        for part in ("m", "v"):
            assert off(back[f"opt_{key}"][part], torch.tensor(state[f"opt_{key}"][part])) == 0
    gan.step(reals[0])


# -- what is refused -------------------------------------------------------------------------------
def test_a_run_that_diverges_says_its_step(engine):
    gan = make("least-squares", optimiser="sgd", lr_D=1e10, lr_G=1e10)
    with pytest.raises(RuntimeError, match=r"diverged at step \d+: loss_[DG] is (nan|-?inf)"):
        train(engine, "wasm", gan, batches(30, 50))


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("lr_G", 0, "lr_G must be a positive number, got 0"),
        ("lr_D", None, "lr_D must be a positive number"),
        ("loss", "loud", "loss must be one of minimax, .*, got loud"),
        ("penalty", "r3", "penalty must be one of r1, gradient penalty, got r3"),
        ("optimiser", "adagrad", "optimiser must be one of adam, sgd"),
        ("d_steps", 1.5, "d_steps must be a whole number of at least 1, got 1.5"),
        ("betas", [0.5, 1], r"betas must be two numbers in \[0, 1\)"),
        ("noise", 1, "setting must be one of"),
    ],
)
def test_bad_settings_are_named(engine, name, value, words):
    described = export.gan(make())
    described["settings"][name] = value
    with pytest.raises(RuntimeError, match=words):
        engine("train", ops="float64", gan=described, reals=[], x=[])


@pytest.mark.parametrize(
    "net, words",
    [
        (nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1)), r"layer 1 of G is ReLU\(\)"),
        (nn.Sequential(nn.Linear(1, 4, bias=False)), "layer 0 of G is Linear"),
        (nn.Sequential(nn.Linear(1, 4), nn.Tanh()), "layer 0 of G"),
        (nn.Conv1d(1, 1, 1), "layer 0 of G is Conv1d"),
    ],
)
def test_networks_that_the_engine_does_not_know_are_named(net, words):
    with pytest.raises(ValueError, match=words):
        export.network(net, "G")


def test_formulas_of_one_s_own_stay_with_the_kernel():
    with pytest.raises(ValueError, match="knows no loss but those of ganlib"):
        export.gan(make(LOSSES["hinge"]))
    with pytest.raises(ValueError, match="knows no penalty but those of ganlib"):
        export.gan(make(penalty=PENALTIES["r1"]))
    with pytest.raises(ValueError, match="knows mixtures and uniform laws"):
        export.law(torch.distributions.Laplace(0, 1))


def test_a_state_that_does_not_fit_changes_nothing():
    gan = make()
    before = flat(gan.G).clone()
    other = make(nets=(mlp(1, 3, 1), mlp(1, 3, 1)))
    with pytest.raises(ValueError, match="G has 132 weights, the state 10"):
        export.adopt(gan, export.state(other))
    with pytest.raises(ValueError, match="the state is of sgd, the GAN has adam"):
        export.adopt(gan, export.state(make(optimiser="sgd")))
    assert torch.equal(before, flat(gan.G))


# -- the files -------------------------------------------------------------------------------------
def test_where_there_is_no_simd_the_plain_products_take_over_and_say_so(engine):
    kind = engine("kind")
    assert kind["good"] == "WebAssembly with SIMD, float32"
    assert kind["bad"].startswith("plain JavaScript, float64 (no WebAssembly with SIMD here")


def build_command():
    lines = (ROOM / "engine.c").read_text(encoding="utf-8").splitlines()
    (command,) = (line.strip() for line in lines if line.strip().startswith("clang "))
    return command.split()


@pytest.mark.skipif(shutil.which("clang") is None, reason="needs Debian's clang and lld")
def test_the_module_is_what_its_source_gives(tmp_path):
    """The same bytes from the same clang; from another one, the same numbers."""
    shutil.copy(ROOM / "engine.c", tmp_path)
    subprocess.run(build_command(), cwd=tmp_path, check=True, capture_output=True)
    built = (tmp_path / "engine.wasm").read_bytes()
    if built != (ROOM / "engine.wasm").read_bytes():
        version = subprocess.run(["clang", "--version"], capture_output=True, text=True).stdout
        assert "version 14." not in version, "engine.wasm is not what engine.c gives: build it anew"


def test_files_stay_small():
    for module in [*ROOM.glob("*.js"), ROOM / "engine.c"]:
        lines = module.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 400, module.name
        if module.suffix == ".js":
            assert max(map(len, lines)) <= 130, module.name
