"""One step of `GAN` against the plain loop, its ledger against the formulas, and what it must refuse."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from ganlib import targets
from ganlib.densities import line, optimal_discriminator, push_masses
from ganlib.gan import GAN, Ledger
from ganlib.losses import LOSSES, PENALTIES
from ganlib.networks import mlp

X = line(-6, 6, 400)
LAW = targets.gaussian()
P_DATA = LAW.log_prob(X[:, None]).exp()


def make(seed=0, **knobs):
    G, D = (
        mlp(1, 16, 16, 1, seed=2 * seed, cover=(-1, 1)),
        mlp(1, 16, 16, 1, seed=2 * seed + 1, cover=(-3, 3)),
    )
    return GAN(G, D, targets.uniform(), **{"lr_G": 1e-3, "lr_D": 5e-3, "seed": seed, **knobs})


def batches(n, size=64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [LAW.sample(size, generator) for _ in range(n)]


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()]).clone()


def same(a, b):
    """Bit for bit."""
    return torch.equal(weights(a), weights(b))


# -- one step ----------------------------------------------------------------------------------------------
def plain_loop(gan, reals, loss_G):
    """The loop of the usual tutorials, on copies of the networks."""
    G, D = copy.deepcopy(gan.G), copy.deepcopy(gan.D)
    noise = torch.Generator().manual_seed(0)
    opt_G = torch.optim.Adam(G.parameters(), lr=gan.lr_G, betas=gan.betas)
    opt_D = torch.optim.Adam(D.parameters(), lr=gan.lr_D, betas=gan.betas)
    for x in reals:
        real, fake = D(x), D(G(targets.uniform().sample(len(x), noise)).detach())
        opt_D.zero_grad()
        (bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))).backward()
        opt_D.step()
        opt_G.zero_grad()
        loss_G(D(G(targets.uniform().sample(len(x), noise)))).backward()
        opt_G.step()
    return G, D


@pytest.mark.parametrize("loss", ["minimax", "non-saturating"])
def test_steps_against_the_plain_loop(loss):
    gan, reals = make(loss=loss), batches(30)
    G, D = plain_loop(
        gan,
        reals,
        lambda fake: (
            bce(fake, torch.ones_like(fake))
            if loss == "non-saturating"
            else -bce(fake, torch.zeros_like(fake))
        ),
    )
    for real in reals:
        gan.step(real)
    torch.testing.assert_close(weights(gan.G), weights(G), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(weights(gan.D), weights(D), atol=1e-5, rtol=1e-4)
    assert len(gan.history) == gan.steps == 30 and set(gan.history[0]) == {"loss_D", "loss_G"}


@pytest.mark.parametrize("hooked", [False, True])
def test_adam_is_torch_s_own_bit_for_bit_and_hears_hooks(hooked):
    gan, reals, heard = make(), batches(20), []
    G, D = copy.deepcopy(gan.G), copy.deepcopy(gan.D)
    own = GAN(G, D, gan.prior, lr_G=gan.lr_G, lr_D=gan.lr_D, betas=gan.betas, seed=0)
    own.opt_G, own.opt_D = (
        torch.optim.Adam(net.parameters(), lr=lr, betas=gan.betas, fused=True)
        for net, lr in ((G, gan.lr_G), (D, gan.lr_D))
    )
    if hooked:
        gan.opt_D.register_step_post_hook(lambda *_: heard.append(gan.steps))
    for k, real in enumerate(reals):
        gan.lr_D = own.lr_D = 5e-3 / (k + 1)
        if k == 10:
            gan.load_state_dict(gan.state_dict())
        gan.step(real)
        own.step(real)
    assert (
        same(gan.G, own.G) and same(gan.D, own.D) and heard == (list(range(20)) if hooked else [])
    )


def test_a_d_that_mixes_its_examples_sees_real_and_fake_apart():
    gan, (real,) = make(), batches(1)
    mixing = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))
    gan = GAN(gan.G, mixing, gan.prior, seed=0)
    twin = copy.deepcopy(gan)
    fake = twin.sample(len(real))
    cost = LOSSES["non-saturating"].D(twin.D(real), twin.D(fake))
    assert gan.step_D(real)["loss_D"] == pytest.approx(cost.item(), abs=1e-6)
    torch.testing.assert_close(
        gan.D[1].running_mean, twin.D[1].running_mean
    )  # of real, then of fake


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalty", [None, *PENALTIES])
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_step_moves_its_own_player_only(loss, penalty, optimiser):
    gan = make(loss=loss, penalty=penalty, optimiser=optimiser)
    G, D = copy.deepcopy(gan.G), copy.deepcopy(gan.D)
    gan.step_D(batches(1)[0])
    assert same(gan.G, G) and not same(gan.D, D)
    D = copy.deepcopy(gan.D)
    gan.step_G(64)
    assert same(gan.D, D) and not same(gan.G, G)


def test_the_losses_reported_are_those_of_the_formula():
    gan, (real,) = make(), batches(1)
    twin = make()
    with torch.no_grad():
        fake = twin.G(twin.noise(64))
        expected = LOSSES["non-saturating"].D(twin.D(real), twin.D(fake))
    assert gan.step(real)["loss_D"] == pytest.approx(expected.item(), abs=1e-6)


def test_d_steps_cuts_the_batch():
    gan, twin, (real,) = make(d_steps=3), make(), batches(1, size=96)
    gan.step(real)
    for part in real.split(32):
        twin.step_D(part)
    twin.step_G(32)
    assert same(gan.D, twin.D) and same(gan.G, twin.G)


@pytest.mark.parametrize("size, d_steps", [(8, 6), (10, 4), (7, 7)])
def test_d_steps_that_do_not_divide_the_batch(size, d_steps):
    gan, moves = make(d_steps=d_steps), []
    step_D = gan.step_D
    gan.step_D = lambda part: moves.append(len(part)) or step_D(part)
    gan.step(batches(1, size)[0])
    assert len(moves) == d_steps and sum(moves) == size
    gan.d_steps = 1
    gan.step(batches(1, size)[0])
    assert moves[d_steps:] == [size]


# -- what may change while it trains -----------------------------------------------------------------------
def test_a_rate_set_during_training_acts_at_the_next_step_and_adam_keeps_its_memory():
    gan, reals = make(), batches(11)
    for real in reals[:10]:
        gan.step(real)
    twin = make()
    twin.load_state_dict(gan.state_dict())
    before = weights(gan.D)
    gan.lr_D, gan.lr_G = 2 * gan.lr_D, gan.lr_G / 4
    assert (gan.lr_D, gan.lr_G) == (0.01, 0.00025)
    gan.step_D(reals[10])
    twin.step_D(reals[10])
    torch.testing.assert_close(
        weights(gan.D) - before, 2 * (weights(twin.D) - before), atol=1e-6, rtol=1e-3
    )
    assert {float(state["step"]) for state in gan.opt_D.state.values()} == {11.0}
    for (_, mine), (_, theirs) in zip(gan.opt_D.state.items(), twin.opt_D.state.items()):
        torch.testing.assert_close(mine["exp_avg"], theirs["exp_avg"], atol=0, rtol=0)


def test_loss_and_penalty_may_change_too():
    gan, reals = make(), batches(2)
    gan.step(reals[0])
    gan.loss, gan.penalty, gan.penalty_weight = "hinge", "r1", 3.0
    twin = make()
    twin.load_state_dict(gan.state_dict())
    gan.step(reals[1])
    fake = twin.G(twin.noise(64)).detach()
    total = LOSSES["hinge"].D(twin.D(reals[1]), twin.D(fake)) + 3 * PENALTIES["r1"](
        twin.D, reals[1]
    )
    twin.opt_D.zero_grad()
    total.backward()
    twin.opt_D.step()
    torch.testing.assert_close(weights(gan.D), weights(twin.D))


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_saved_run_goes_on_bit_for_bit(optimiser):
    gan, reals = make(optimiser=optimiser, penalty="gradient penalty"), batches(20)
    for real in reals[:10]:
        gan.step(real)
    state = gan.state_dict()
    for real in reals[10:]:
        gan.step(real)
    other = make(seed=7, optimiser=optimiser, penalty="gradient penalty")
    other.load_state_dict(state)
    for real in reals[10:]:
        other.step(real)
    assert same(gan.G, other.G) and same(gan.D, other.D) and gan.history[10:] == other.history
    gan.load_state_dict(state)  # the state was a copy: training on did not touch it
    for real in reals[10:]:
        gan.step(real)
    assert same(gan.G, other.G) and gan.history[10:] == other.history and gan.steps == 20


def test_a_seed_repeats_a_run_and_the_global_generator_is_left_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, two, other = make(), make(), make()
    other.generator.manual_seed(5)
    for real in batches(5):
        [gan.step(real) for gan in (one, two, other)]
    assert same(one.G, two.G) and not same(one.G, other.G)
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.equal(make(seed=0).noise(3), GAN(one.G, one.D, one.prior).noise(3))


def test_sampling_gives_examples_without_a_graph():
    assert make().sample(7).shape == (7, 1) and not make().sample(7).requires_grad


# -- the ledger --------------------------------------------------------------------------------------------
class Star(nn.Module):
    """D*: the logit of the masses of p_data and p_g on the grid, read off at the nearest point."""

    def __init__(self, p, q):
        super().__init__()
        self.logits = nn.Parameter(
            torch.cat([torch.full((1,), -1e4), p.log() - q.log(), torch.full((1,), -1e4)])
        )

    def forward(self, x):
        k = ((x - X[0]) / (X[1] - X[0])).round().long() + 1
        return self.logits[k.clamp(0, len(X) + 1)]


@pytest.mark.parametrize("seed", range(3))
def test_at_the_best_D_the_value_is_2_JS(seed):
    gan = make(seed)
    q = push_masses(gan.G, gan.prior, X)[0][1:-1].clamp(min=1e-300)
    gan.D = Star(P_DATA / P_DATA.sum(), q).double()
    ledger = gan.ledger(P_DATA, X)
    assert ledger.value == pytest.approx(2 * ledger.js, abs=1e-6)
    assert (ledger.regret, ledger.off_star) == (
        pytest.approx(0, abs=1e-6),
        pytest.approx(0, abs=1e-6),
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("steps", [0, 40])
def test_the_ledger_against_its_formulas(seed, steps):
    gan = make(seed)
    for real in batches(steps):
        gan.step(real)
    ledger = gan.ledger(P_DATA, X)
    p, q = P_DATA / P_DATA.sum(), push_masses(gan.G, gan.prior, X)[0][1:-1]
    m, star = (p + q) / 2, optimal_discriminator(p, q)
    with torch.no_grad():
        D = gan.D(X.float()[:, None]).flatten().double().sigmoid()
    kl = torch.special.xlogy(star, star / D) + torch.special.xlogy(1 - star, (1 - star) / (1 - D))
    assert float(q.sum()) == pytest.approx(
        1, abs=1e-12
    )  # nothing beside the grid, so the sums are complete
    assert ledger.regret == pytest.approx(2 * float(m @ kl), abs=1e-6)
    assert ledger.value == pytest.approx(
        float(p @ D.log() + q @ (1 - D).log()) + math.log(4), abs=1e-6
    )
    assert ledger.js == pytest.approx((ledger.value + ledger.regret) / 2, abs=1e-12)
    assert ledger.off_half == pytest.approx(float(m @ (D - 0.5).abs()), abs=1e-9)
    assert ledger.off_star == pytest.approx(float(m @ (D - star).abs()), abs=1e-9)
    assert ledger.real_term + ledger.fake_term == pytest.approx(ledger.value - math.log(4))


def test_the_value_follows_samples():
    gan = make(2)
    with torch.no_grad():
        real, fake = (
            gan.D(LAW.sample(200_000, torch.Generator().manual_seed(0))),
            gan.D(gan.sample(200_000)),
        )
    ledger = gan.ledger(P_DATA, X)
    assert ledger.real_term == pytest.approx(float(nn.functional.logsigmoid(real).mean()), abs=5e-3)
    assert ledger.fake_term == pytest.approx(
        float(nn.functional.logsigmoid(-fake).mean()), abs=5e-3
    )


def test_a_G_beside_the_grid_counts_in_full():
    gan = make()
    with torch.no_grad():
        gan.G[-1].bias.fill_(50.0)
    ledger = gan.ledger(P_DATA, X)
    assert ledger.js == pytest.approx(math.log(2), abs=1e-9)
    with torch.no_grad():
        there = gan.D(gan.sample(1000)).sigmoid()
    assert ledger.fake_term == pytest.approx(float((1 - there).log().mean()), abs=1e-2)


def test_work_that_was_done_may_be_handed_over():
    gan = make()
    with torch.no_grad():
        logits = gan.D(X.float()[:, None]).flatten().double()
    assert gan.ledger(
        P_DATA, X, masses=push_masses(gan.G, gan.prior, X), logits=logits
    ) == gan.ledger(P_DATA, X)


def test_an_untrained_D_of_one_half_is_no_convergence():
    blind = Ledger(
        js=0.4, value=0.0, regret=0.8, off_half=0.0, off_star=0.3, real_term=-0.69, fake_term=-0.69
    )
    good = Ledger(
        js=0.01,
        value=0.01,
        regret=0.01,
        off_half=0.02,
        off_star=0.03,
        real_term=-0.69,
        fake_term=-0.69,
    )
    assert not blind.converged() and good.converged() and not good.converged(js=0.005)
    assert str(good) == "JS 0.010, V + log 4 0.010, regret 0.010, E|D − ½| 0.020, E|D − D*| 0.030"


# -- bad input ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["lr_G", "lr_D"])
@pytest.mark.parametrize("rate", [0, -1e-3, math.nan, math.inf, "fast", None, True])
def test_a_bad_rate_is_named_and_nothing_is_lost(name, rate):
    with pytest.raises(ValueError, match=f"{name} must be a positive number, got "):
        make(**{name: rate})
    gan = make()
    with pytest.raises(ValueError, match=f"{name} must be a positive number, got "):
        setattr(gan, name, rate)
    assert (gan.lr_G, gan.lr_D) == (1e-3, 5e-3)


@pytest.mark.parametrize(
    "knobs, words",
    [
        ({"loss": "minmax"}, "loss must be one of minimax, non-saturating, .*, got 'minmax'"),
        ({"penalty": "r2"}, "penalty must be one of r1, gradient penalty, got 'r2'"),
        ({"penalty_weight": -1}, "penalty_weight.*got -1"),
        ({"penalty_weight": math.nan}, "penalty_weight.*got nan"),
        ({"optimiser": "lion"}, "optimiser must be one of adam, sgd, got 'lion'"),
        ({"d_steps": 0}, "d_steps.*got 0"),
        ({"d_steps": 1.5}, r"d_steps.*got 1\.5"),
        ({"betas": (0.5,)}, "betas.*two numbers"),
        ({"betas": (0.5, 1.0)}, r"betas.*got \(0\.5, 1\.0\)"),
    ],
)
def test_a_bad_knob_is_named(knobs, words):
    with pytest.raises(ValueError, match=words):
        make(**knobs)


def test_a_batch_must_hold_something():
    gan = make()
    for call in (
        lambda: gan.step(torch.zeros(0, 1)),
        lambda: gan.step_G(0),
        lambda: gan.step_G(-3),
        lambda: gan.sample(0),
        lambda: make(d_steps=4).step(torch.zeros(3, 1)),
    ):
        with pytest.raises(ValueError, match="n must be a whole number of at least 1, got"):
            call()


def test_networks_of_the_wrong_shape_are_named():
    (real,) = batches(1)
    two = mlp(1, 8, 2, seed=0)
    with pytest.raises(ValueError, match=r"G must give .*\(64, 1\), got \(64, 2\)"):
        GAN(two, mlp(1, 8, 1), targets.uniform()).step(real)
    with pytest.raises(
        ValueError, match=r"D must give one logit for each of 64 examples, got \(64, 2\)"
    ):
        GAN(mlp(1, 8, 1), two, targets.uniform()).step(real)
    with pytest.raises(ValueError, match=r"D must map \(n, 1\) to \(n, 1\), got 4 numbers from 2"):
        GAN(mlp(1, 8, 1), two, targets.uniform()).ledger(P_DATA, X)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_run_that_diverges_says_where_and_can_go_back(number):
    gan, reals = make(), batches(5)
    for real in reals[:3]:
        gan.step(real)
    good, G = gan.state_dict(), weights(gan.G)
    with torch.no_grad():
        gan.G[-1].bias.fill_(number)
    with pytest.raises(FloatingPointError, match=r"diverged at step 4: loss_[DG] is nan"):
        gan.step(reals[3])
    gan.load_state_dict(good)
    assert torch.equal(weights(gan.G), G) and gan.steps == len(gan.history) == 3
    assert math.isfinite(gan.step(reals[3])["loss_G"])
