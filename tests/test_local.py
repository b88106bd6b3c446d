"""local: eigenvalues against formulas, against the full Jacobian, and against the games played."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, jacrev, vmap

from ganlib import local, targets
from ganlib.files import read
from ganlib.gan import GAN
from ganlib.losses import LOSSES, Loss
from ganlib.networks import mlp

STORED = Path(__file__).parent.parent / "images" / "resting.safetensors"
torch.set_num_threads(1)


def small(seed=0):
    """A pair of 97 weights each."""
    return GAN(mlp(1, 8, 8, 1, seed=seed), mlp(1, 8, 8, 1, seed=seed + 50), targets.gaussian())


def stored(seed, law="normal"):
    """A trained GAN of notebook 04."""
    weights, _ = read(STORED)
    gan = GAN(mlp(1, 32, 32, 1), mlp(1, 48, 48, 1), targets.gaussian())
    for name in ("G", "D"):
        place = f"{law}/{seed}/{name}/"
        own = {key.removeprefix(place): w for key, w in weights.items() if key.startswith(place)}
        getattr(gan, name).load_state_dict(own)
    return gan


@pytest.fixture(scope="module")
def rests():
    return [local.Rest(stored(seed)) for seed in range(5)]


# -- the Dirac-GAN ---------------------------------------------------------------------------------

PULLS = {
    "minimax": (0.5, 0.5, 0.5),
    "non-saturating": (0.5, 0.5, 0.5),
    "least-squares": (0, 1, 2),
    "hinge": (1, 1, 0),
    "wasserstein": (1, 1, 0),
    "linear": (0.25, 0.25, 0),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_pull_of_each_loss_at_rest(name):
    assert local.pull(name) == pytest.approx(PULLS[name])


@pytest.mark.parametrize("name", LOSSES)
def test_slopes_by_formula_are_those_by_autograd(name):
    given = LOSSES[name]
    other = Loss("other", D=given.D, G=given.G)
    how = {"start": (0.7, -0.4), "gamma": 0.3, "lr": 0.2, "steps": 20, "momentum": 0.2}
    expected = local.dirac_path(other, **how)
    assert torch.allclose(local.dirac_path(name, **how), expected, atol=1e-12)


def test_a_loss_that_compares_pairs_is_refused():
    paired = Loss("both", D=lambda real, fake: fake, G=lambda real, fake: real, paired=True)
    with pytest.raises(ValueError, match="judge each example alone"):
        local.pull(paired)


@pytest.mark.parametrize("gamma", [0.0, 0.05, 0.3, 0.7])
def test_factors_of_a_step_by_formula(gamma):
    eta = 0.2
    near = local.dirac("minimax", gamma)
    at_once = near.factors(eta, eta, "simultaneous").abs().square()
    in_turn = near.factors(eta, eta, "alternating").abs().square()
    assert at_once.tolist() == pytest.approx([1 - eta * gamma + eta**2 / 4] * 2)
    assert in_turn.tolist() == pytest.approx([1 - eta * gamma] * 2)


@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.0])
def test_the_largest_rates_that_come_home(gamma):
    near = local.dirac("minimax", gamma)
    in_turn = 4 * (math.sqrt(gamma**2 + 1) - gamma)
    bounds = {"alternating": in_turn}
    if gamma <= 1:
        bounds["simultaneous"] = 4 * gamma
    for order, bound in bounds.items():
        assert near.factors(bound * 0.99, bound * 0.99, order).abs().max() < 1
        assert near.factors(bound * 1.01, bound * 1.01, order).abs().max() > 1


# fmt: off
STEPS = {  # until nearer than 0.01, from (1, 0) with rate 0.2: simultaneous, alternating
    ("minimax", 0.05):        (None, 918),
    ("minimax", 0.3):         (182, 152),
    ("minimax", 1.0):         (75, 80),
    ("minimax", 4.0):         (368, 371),
    ("non-saturating", 0.05): (None, 792),
    ("non-saturating", 0.3):  (176, 146),
    ("non-saturating", 1.0):  (69, 75),
    ("non-saturating", 4.0):  (363, 366),
}
# fmt: on


@pytest.mark.parametrize("loss, gamma", STEPS)
def test_steps_until_home(loss, gamma):
    for order, steps in zip(("simultaneous", "alternating"), STEPS[loss, gamma]):
        path = local.dirac_path(loss, gamma=gamma, lr=0.2, steps=1000, order=order)
        home = (path.norm(dim=1) < 0.01).nonzero()
        assert (int(home[0]) if len(home) else None) == steps


def test_a_path_that_leaves_is_nan_from_there():
    path = local.dirac_path("wasserstein", lr=2.0, steps=60, order="simultaneous")
    line = local.dirac("wasserstein").path(
        torch.tensor([1.0, 0.0]).double(), lr_G=2.0, lr_D=2.0, steps=60, order="simultaneous"
    )
    assert path[-1].isnan().all()
    assert torch.allclose(path, line, equal_nan=True)  # this game is linear
    assert float(path[~path.isnan()].abs().max()) <= local.FAR


def test_without_r1_the_non_saturating_game_comes_home_as_the_root_of_time():
    """The flow has r² = 8/t; simultaneous steps of rate η end on r² = 2η."""
    path = local.dirac_path(lr=0.01, steps=40_000, order="alternating")
    t = 0.01 * (len(path) - 1)
    assert float(path[-1].square().sum()) * t / 8 == pytest.approx(1, abs=0.05)

    orbit = local.dirac_path(lr=0.1, steps=6000, order="simultaneous")[-200:].norm(dim=1)
    assert float(orbit.mean()) == pytest.approx(math.sqrt(0.2), rel=0.02)


@pytest.mark.parametrize("momentum", [-0.5, -0.2, 0.3])
def test_momentum_by_its_expansion(momentum):
    a = 0.02  # η f
    near = local.dirac("wasserstein")
    in_turn = float(near.factors(a, a, "alternating", momentum).abs().max())
    at_once = float(near.factors(a, a, "simultaneous", momentum).abs().max())
    cube = (1 - momentum) ** 3
    assert in_turn - 1 == pytest.approx(momentum * a**2 / cube, rel=0.05)
    assert at_once - 1 == pytest.approx(a**2 * (1 + momentum) / (2 * cube), rel=0.05)


def test_the_best_momentum_is_minus_a_half():
    near = local.dirac("wasserstein")
    at = [k / 100 for k in range(-90, 0)]
    size = [float(near.factors(0.02, 0.02, momentum=m).abs().max()) for m in at]
    assert at[size.index(min(size))] == pytest.approx(-0.5, abs=0.02)


def test_bad_numbers_are_named():
    near = local.dirac()
    with pytest.raises(ValueError, match="momentum must lie between −1 and 1, got 1"):
        near.step(0.1, 0.1, momentum=1.0)
    with pytest.raises(ValueError, match="order must be one of alternating"):
        near.step(0.1, 0.1, "at once")
    with pytest.raises(ValueError, match="gamma must not be negative, got -1"):
        local.dirac(gamma=-1)
    with pytest.raises(ValueError, match="D must be layers in a row, the last one linear"):
        local.Rest(GAN(mlp(1, 4, 1), nn.Sequential(nn.Linear(1, 1), nn.Tanh()), targets.gaussian()))


# -- two networks at rest --------------------------------------------------------------------------


def field(rest, loss, gamma):
    """(all weights at rest, the velocity of both players there as a function of them)."""
    G, D = rest.G, rest.D
    first = nn.utils.parameters_to_vector(G.parameters())
    second = nn.utils.parameters_to_vector(D.parameters())
    cost = LOSSES[loss]

    def unpacked(network, vector):
        parts = vector.split([weight.numel() for weight in network.parameters()])
        named = zip(network.named_parameters(), parts)
        return {name: part.view_as(weight) for (name, weight), part in named}

    def logits(vector, x):
        return functional_call(D, unpacked(D, vector), (x,))

    def cost_G(g, d):
        return cost.G(logits(d, functional_call(G, unpacked(G, g), (rest.z,))))

    def cost_D(d, g):
        fake = functional_call(G, unpacked(G, g), (rest.z,))
        slope = vmap(grad(lambda x: logits(d, x[None]).sum()))(rest.x)
        return cost.D(logits(d, rest.x), logits(d, fake)) + gamma * slope.square().mean() / 2

    def velocity(both):
        g, d = both.split([len(first), len(second)])
        return torch.cat([-grad(cost_G)(g, d), -grad(cost_D)(d, g)])

    return torch.cat([first, second]), velocity


@pytest.mark.parametrize("loss, gamma", [("non-saturating", 0.7), ("wasserstein", 0.0)])
def test_the_small_problem_has_the_spectrum_of_both_networks(loss, gamma):
    rest = local.Rest(small(), points=40)
    at, velocity = field(rest, loss, gamma)
    assert len(at) == 194
    assert velocity(at).abs().max() < 1e-10

    full = torch.linalg.eigvals(jacrev(velocity)(at))
    reduced = rest.near(loss, gamma).rates()

    # Both have many zeros, where rounding takes roots: compare those that are none, each way.
    for some, others in ((full, reduced), (reduced, full)):
        some = some[some.abs() > 1e-3]
        assert len(some) >= 4
        assert (some[:, None] - others).abs().min(1).values.max() < 1e-9


def test_wasserstein_without_r1_only_turns():
    for seed in range(20):
        near = local.Rest(small(seed), points=60).near("wasserstein")
        # u″ = −K u, and K is symmetric with no eigenvalue below 0: so μ = ±i√k exactly.
        assert (near.K - near.K.T).abs().max() < 1e-12
        assert torch.linalg.eigvalsh(near.K).min() > -1e-9
        rates = near.rates()
        turns = rates[rates.imag.abs() > 1e-3]
        assert len(turns) >= 2
        assert turns.real.abs().max() < 1e-9


def test_the_saturating_brake_is_there_without_r1(rests):
    for rest in rests:
        lead = rest.ring(lr_G=0.02, lr_D=0.02, steps=1).factors[0].log() / 0.02
        assert lead.real < -1
        assert 0.2 < lead.imag.abs() / -lead.real / (2 * math.pi) < 0.8  # turns until 1/e


# Rms error of the shift over 200 steps, as a share of the push.
TOLERANCES = {
    ("non-saturating", 0.0): 0.03,
    ("wasserstein", 0.1): 0.08,
    ("wasserstein", 0.0): 0.12,
}


@pytest.mark.parametrize("loss, gamma", TOLERANCES)
def test_predicted_is_measured(rests, loss, gamma):
    for rest in rests[:2]:
        said = rest.ring(loss, gamma, lr_G=0.02, lr_D=0.02, steps=200).off
        gan = rest.game(loss, gamma, lr_G=0.02, lr_D=0.02)
        seen = [0.05]
        for _ in range(200):
            gan.step(rest.x)
            with torch.no_grad():
                seen.append(float((gan.G(rest.z) - rest.x).mean()))
        missed = (torch.tensor(seen) - said).square().mean().sqrt() / 0.05
        assert missed < TOLERANCES[loss, gamma]


def test_shapes_of_d_change_sign_once_twice_three_times(rests):
    for rest in rests:
        strength, weights = torch.linalg.eigh(rest.near("wasserstein").K)
        shapes = rest.features @ weights.flip(1)[:, :3]
        shapes -= shapes.mean(0)  # the offset of D moves no fake
        changes = (shapes[1:] * shapes[:-1] < 0).sum(0)
        assert changes.tolist() == [1, 2, 3]
        assert strength.flip(0)[:3].diff().max() < 0


def test_turns_go_as_the_root_of_the_ratio_of_the_rates(rests):
    for rest in rests:
        rates = rest.near("wasserstein", 0.02).rates()
        faster = rest.near("wasserstein", 0.02).rates(10)
        lead = [found[found.imag.argmax()] for found in (rates, faster)]
        ratio = [float(found.imag / -found.real) for found in lead]
        assert ratio[1] / ratio[0] == pytest.approx(0.316, abs=0.06)


def test_the_offset_of_d_breaks_first(rests):
    for rest in rests:
        near = rest.near("non-saturating")
        rates = [k / 100 for k in range(5, 60)]
        found = [near.factors(rate, rate) for rate in rates]
        worst = [factors[factors.abs().argmax()] for factors in found]
        first = next(factor for factor in worst if factor.abs() > 1 + 1e-5)
        assert abs(float(first.imag)) < 1e-9
        assert float(first.real) < -1


def test_minibatches_keep_the_beat(rests):
    rest = rests[0]
    how = {"lr_G": 0.02, "lr_D": 0.02}
    said = rest.ring("wasserstein", 0.1, steps=120, **how).off
    gan = rest.game("wasserstein", 0.1, whole=False, seed=0, **how)
    data = local.Drawn(rest.x)
    draws = torch.Generator().manual_seed(1)
    seen = [0.05]
    for _ in range(120):
        gan.step(data.sample(512, draws))
        with torch.no_grad():
            seen.append(float((gan.G(rest.z) - rest.x).mean()))

    def crossings(path):
        path = torch.as_tensor(path)
        return (path[1:] * path[:-1] < 0).nonzero().flatten()[:3]

    assert (crossings(seen) - crossings(said)).abs().max() <= 5
