"""One step of `GAN` against the plain loop, its ledger against formulas, what it must refuse."""

import copy
import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import logsigmoid, softplus

from ganlib import targets
from ganlib.densities import line, optimal_discriminator, push_masses
from ganlib.gan import GAN, Ledger
from ganlib.losses import LOSSES, PENALTIES, Loss, gradient_penalty
from ganlib.networks import mlp

X = line(-6, 6, 400)
LAW = targets.gaussian()
P_DATA = LAW.log_prob(X[:, None]).exp()


def make(seed=0, **knobs):
    G = mlp(1, 16, 16, 1, seed=2 * seed, cover=(-1, 1))
    D = mlp(1, 16, 16, 1, seed=2 * seed + 1, cover=(-3, 3))
    return GAN(G, D, targets.uniform(), **{"lr_G": 1e-3, "lr_D": 5e-3, "seed": seed, **knobs})


def batches(n, size=64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [LAW.sample(size, generator) for _ in range(n)]


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()]).clone()


def same(a, b):
    """Bit for bit."""
    return torch.equal(weights(a), weights(b))


# -- one step --------------------------------------------------------------------------------------
def plain_loop(gan, reals, loss_G):
    """The loop of the usual tutorials, on copies of the networks."""
    G = copy.deepcopy(gan.G)
    D = copy.deepcopy(gan.D)
    noise = torch.Generator().manual_seed(0)
    opt_G = torch.optim.Adam(G.parameters(), lr=gan.lr_G, betas=gan.betas)
    opt_D = torch.optim.Adam(D.parameters(), lr=gan.lr_D, betas=gan.betas)
    for x in reals:
        real = D(x)
        fake = D(G(targets.uniform().sample(len(x), noise)).detach())
        opt_D.zero_grad()
        (bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))).backward()
        opt_D.step()
        opt_G.zero_grad()
        loss_G(D(G(targets.uniform().sample(len(x), noise)))).backward()
        opt_G.step()
    return G, D


LOSSES_OF_G = {
    "minimax": lambda fake: -bce(fake, torch.zeros_like(fake)),
    "non-saturating": lambda fake: bce(fake, torch.ones_like(fake)),
}


@pytest.mark.parametrize("loss", LOSSES_OF_G)
def test_steps_against_the_plain_loop(loss):
    gan = make(loss=loss)
    reals = batches(30)
    G, D = plain_loop(gan, reals, LOSSES_OF_G[loss])
    for real in reals:
        gan.step(real)
    torch.testing.assert_close(weights(gan.G), weights(G), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(weights(gan.D), weights(D), atol=1e-5, rtol=1e-4)
    assert len(gan.history) == gan.steps == 30
    assert set(gan.history[0]) == {"loss_D", "loss_G"}


@pytest.mark.parametrize("hooked", [False, True])
def test_adam_is_torch_s_own_bit_for_bit_and_hears_hooks(hooked):
    gan = make()
    G = copy.deepcopy(gan.G)
    D = copy.deepcopy(gan.D)
    own = GAN(G, D, gan.prior, lr_G=gan.lr_G, lr_D=gan.lr_D, betas=gan.betas, seed=0)
    own.opt_G = torch.optim.Adam(G.parameters(), lr=gan.lr_G, betas=gan.betas, fused=True)
    own.opt_D = torch.optim.Adam(D.parameters(), lr=gan.lr_D, betas=gan.betas, fused=True)

    heard = []
    if hooked:
        gan.opt_D.register_step_post_hook(lambda *_: heard.append(gan.steps))
    for k, real in enumerate(batches(20)):
        gan.lr_D = own.lr_D = 5e-3 / (k + 1)
        if k == 10:
            gan.load_state_dict(gan.state_dict())
        gan.step(real)
        own.step(real)
    assert same(gan.G, own.G)
    assert same(gan.D, own.D)
    assert heard == (list(range(20)) if hooked else [])


def test_a_d_that_mixes_its_examples_sees_real_and_fake_apart():
    (real,) = batches(1)
    mixing = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))
    gan = GAN(make().G, mixing, targets.uniform(), seed=0)
    assert not gan.one_pass
    twin = copy.deepcopy(gan)
    fake = twin.sample(len(real))
    cost = LOSSES["non-saturating"].D(twin.D(real), twin.D(fake))
    assert gan.step_D(real)["loss_D"] == pytest.approx(cost.item(), abs=1e-6)
    # of real, then of fake
    torch.testing.assert_close(gan.D[1].running_mean, twin.D[1].running_mean)


@pytest.mark.parametrize("one_pass, asked", [(True, [128, 64]), (False, [64, 64, 64])])
def test_whether_D_takes_both_in_one_pass_may_be_chosen(one_pass, asked):
    gan = make()
    assert gan.one_pass
    gan.one_pass = one_pass
    sizes = []
    gan.D.register_forward_hook(lambda net, x, logits: sizes.append(len(x[0])))
    (real,) = batches(1)
    record = gan.step(real)
    assert sizes == asked
    assert record == pytest.approx(make().step(real), abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalty", [None, *PENALTIES])
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_step_moves_its_own_player_only(loss, penalty, optimiser):
    gan = make(loss=loss, penalty=penalty, optimiser=optimiser)
    G = copy.deepcopy(gan.G)
    D = copy.deepcopy(gan.D)
    gan.step_D(batches(1)[0])
    assert same(gan.G, G)
    assert not same(gan.D, D)

    D = copy.deepcopy(gan.D)
    gan.step_G(64)
    assert same(gan.D, D)
    assert not same(gan.G, G)


def test_the_losses_reported_are_those_of_the_formula():
    gan = make()
    twin = make()
    (real,) = batches(1)
    with torch.no_grad():
        fake = twin.G(twin.noise(64))
        expected = LOSSES["non-saturating"].D(twin.D(real), twin.D(fake))
    assert gan.step(real)["loss_D"] == pytest.approx(expected.item(), abs=1e-6)


def test_d_steps_cuts_the_batch():
    gan = make(d_steps=3)
    twin = make()
    (real,) = batches(1, size=96)
    gan.step(real)
    for part in real.split(32):
        twin.step_D(part)
    twin.step_G(32)
    assert same(gan.D, twin.D)
    assert same(gan.G, twin.G)


@pytest.mark.parametrize("size, d_steps", [(8, 6), (10, 4), (7, 7)])
def test_d_steps_that_do_not_divide_the_batch(size, d_steps):
    gan = make(d_steps=d_steps)
    step_D = gan.step_D
    moves = []

    def noted(part):
        moves.append(len(part))
        return step_D(part)

    gan.step_D = noted
    gan.step(batches(1, size)[0])
    assert len(moves) == d_steps
    assert sum(moves) == size

    gan.d_steps = 1
    gan.step(batches(1, size)[0])
    assert moves[d_steps:] == [size]


# -- what may change while it trains ---------------------------------------------------------------
def test_a_rate_set_during_training_acts_at_the_next_step_and_adam_keeps_its_memory():
    gan = make()
    reals = batches(11)
    for real in reals[:10]:
        gan.step(real)
    twin = make()
    twin.load_state_dict(gan.state_dict())
    before = weights(gan.D)
    gan.lr_D *= 2
    gan.lr_G /= 4
    assert gan.lr_D == 0.01
    assert gan.lr_G == 0.00025

    gan.step_D(reals[10])
    twin.step_D(reals[10])
    move = weights(gan.D) - before
    torch.testing.assert_close(move, 2 * (weights(twin.D) - before), atol=1e-6, rtol=1e-3)
    assert {float(state["step"]) for state in gan.opt_D.state.values()} == {11.0}
    for (_, mine), (_, theirs) in zip(gan.opt_D.state.items(), twin.opt_D.state.items()):
        torch.testing.assert_close(mine["exp_avg"], theirs["exp_avg"], atol=0, rtol=0)


def test_loss_and_penalty_may_change_too():
    gan = make()
    before, real = batches(2)
    gan.step(before)
    gan.loss = "hinge"
    gan.penalty = "r1"
    gan.penalty_weight = 3.0
    twin = make()
    twin.load_state_dict(gan.state_dict())
    gan.step(real)

    fake = twin.G(twin.noise(64)).detach()
    loss = LOSSES["hinge"].D(twin.D(real), twin.D(fake))
    total = loss + 3 * PENALTIES["r1"](twin.D, real)
    twin.opt_D.zero_grad()
    total.backward()
    twin.opt_D.step()
    torch.testing.assert_close(weights(gan.D), weights(twin.D))


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_saved_run_goes_on_bit_for_bit(optimiser):
    gan = make(optimiser=optimiser, penalty="gradient penalty")
    reals = batches(20)
    for real in reals[:10]:
        gan.step(real)
    state = gan.state_dict()
    for real in reals[10:]:
        gan.step(real)
    other = make(seed=7, optimiser=optimiser, penalty="gradient penalty")
    other.load_state_dict(state)
    for real in reals[10:]:
        other.step(real)
    assert same(gan.G, other.G)
    assert same(gan.D, other.D)
    assert gan.history[10:] == other.history

    gan.load_state_dict(state)  # the state was a copy: training on did not touch it
    for real in reals[10:]:
        gan.step(real)
    assert same(gan.G, other.G)
    assert gan.history[10:] == other.history
    assert gan.steps == 20


def test_a_seed_repeats_a_run_and_the_global_generator_is_left_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = make()
    two = make()
    other = make()
    other.generator.manual_seed(5)
    for real in batches(5):
        for gan in (one, two, other):
            gan.step(real)
    assert same(one.G, two.G)
    assert not same(one.G, other.G)
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.equal(make(seed=0).noise(3), GAN(one.G, one.D, one.prior).noise(3))


def test_sampling_gives_examples_without_a_graph():
    examples = make().sample(7)
    assert examples.shape == (7, 1)
    assert not examples.requires_grad


# -- formulas of one's own ------------------------------------------------------------------------
RELATIVISTIC = Loss(  # Jolicoeur-Martineau 2019, arXiv:1807.00734
    "relativistic",
    D=lambda real, fake: softplus(-(real - fake)).mean(),
    G=lambda real, fake: softplus(-(fake - real)).mean(),
    paired=True,
)


def test_a_formula_takes_the_steps_of_its_name():
    named = make(loss="hinge", penalty="gradient penalty")
    given = make(loss=LOSSES["hinge"], penalty=gradient_penalty)
    for real in batches(10):
        named.step(real)
        given.step(real)
    assert same(named.G, given.G)
    assert same(named.D, given.D)
    assert named.history == given.history
    assert repr(named) == repr(given)


def test_what_was_given_is_kept():
    gan = make(loss="minimax")
    assert gan.loss == "minimax"
    assert gan.penalty is None
    gan.loss = RELATIVISTIC
    gan.penalty = gradient_penalty
    with pytest.raises(ValueError, match=r"loss must be one of .*, or a losses\.Loss, got"):
        gan.loss = tuple(RELATIVISTIC)
    assert gan.loss is RELATIVISTIC
    assert gan.penalty is gradient_penalty
    assert repr(gan) == "GAN: relativistic loss, lr_G 0.001, lr_D 0.005, 0 steps"


def test_a_penalty_of_one_s_own():
    def shrink(D, real, fake, generator):
        return D(fake).square().mean()

    gan = make(penalty=shrink, penalty_weight=0.5, optimiser="sgd")
    twin = make()
    (real,) = batches(1)
    fake = twin.sample(64)
    cost = LOSSES["non-saturating"].D(twin.D(real), twin.D(fake)) + twin.D(fake).square().mean() / 2
    slopes = torch.autograd.grad(cost, list(twin.D.parameters()))
    gan.step_D(real)
    for ours, before, slope in zip(gan.D.parameters(), twin.D.parameters(), slopes):
        torch.testing.assert_close(ours, before - 5e-3 * slope)


@pytest.mark.parametrize("one_pass", [True, False])
def test_a_paired_loss_compares_the_fakes_with_the_last_minibatch(one_pass):
    gan = make(loss=RELATIVISTIC, optimiser="sgd", d_steps=2)
    gan.one_pass = one_pass
    G = copy.deepcopy(gan.G)
    D = copy.deepcopy(gan.D)
    noise = torch.Generator().manual_seed(0)
    (real,) = batches(1)
    record = gan.step(real)

    for x in real.split(32):
        fake = G(targets.uniform().sample(32, noise)).detach()
        D.zero_grad()
        torch.log(1 + torch.exp(D(fake) - D(x))).mean().backward()
        torch.optim.SGD(D.parameters(), lr=5e-3).step()
    loss = torch.log(1 + torch.exp(D(x) - D(G(targets.uniform().sample(32, noise))))).mean()
    loss.backward()
    for ours, by_hand in zip(gan.G.parameters(), G.parameters()):
        torch.testing.assert_close(ours.grad, by_hand.grad)
    assert record["loss_G"] == pytest.approx(loss.item(), abs=1e-6)
    torch.testing.assert_close(weights(gan.D), weights(D))


@pytest.mark.parametrize("seed", range(2))
def test_a_relativistic_gan_trains(seed):
    calm = {"betas": (0.0, 0.9), "penalty": "r1", "penalty_weight": 0.3}
    gan = make(seed, loss=RELATIVISTIC, lr_G=2e-3, lr_D=1e-2, **calm)
    begin = gan.ledger(P_DATA, X)
    for real in batches(300, 128):
        gan.step(real)
    end = gan.ledger(P_DATA, X)
    assert begin.js > 0.25
    assert end.js < 0.06


def test_a_paired_loss_must_be_given_real_data():
    gan = make(loss=RELATIVISTIC)
    with pytest.raises(ValueError, match="relativistic compares the fakes with real data"):
        gan.step_G(64)
    with pytest.raises(ValueError, match=r"data's shape, \(64, 1\), got \(32, 1\)"):
        gan.step_G(32, batches(1)[0])
    for loss in LOSSES:  # the others do not look at it
        gan.loss = loss
        gan.step_G(64)


def test_a_loss_may_join_the_others(monkeypatch):
    monkeypatch.setitem(LOSSES, "relativistic", RELATIVISTIC)
    named = make(loss="relativistic")
    given = make(loss=RELATIVISTIC)
    (real,) = batches(1)
    assert named.step(real) == given.step(real)


# -- data and networks as they come ----------------------------------------------------------------
REALS = {
    "list": lambda x: x.tolist(),
    "array": lambda x: x.numpy(),
    "float64": lambda x: x.double(),
    "big-endian": lambda x: x.numpy().astype(">f4"),
    "with a graph": lambda x: x.requires_grad_(),
}


@pytest.mark.parametrize("kind", REALS)
@pytest.mark.parametrize("d_steps", [1, 2])
def test_real_may_be_of_any_kind(kind, d_steps):
    gan = make(d_steps=np.int64(d_steps))
    plain = make(d_steps=d_steps)
    (real,) = batches(1)
    plain.step(real)
    gan.step(REALS[kind](real.clone()))
    assert same(gan.G, plain.G)
    assert same(gan.D, plain.D)


def test_doubles_train_as_floats_do_to_more_digits():
    plain = make()
    gan = make()
    double = GAN(gan.G.double(), gan.D.double(), gan.prior, lr_G=1e-3, lr_D=5e-3, seed=0)
    for real in batches(10):
        plain.step(real)
        double.step(real)
    assert double.sample(3).dtype == torch.float64
    torch.testing.assert_close(weights(double.G).float(), weights(plain.G), atol=1e-5, rtol=1e-4)
    ours = double.ledger(P_DATA, X)
    assert ours.js == pytest.approx(plain.ledger(P_DATA, X).js, abs=1e-4)
    twin = copy.deepcopy(double)
    twin.load_state_dict(double.state_dict())
    assert same(twin.G, double.G)


def test_the_default_kind_of_numbers_may_be_float64():
    torch.set_default_dtype(torch.float64)
    try:
        gan = make()
        record = gan.step(batches(1)[0])
    finally:
        torch.set_default_dtype(torch.float32)
    assert weights(gan.G).dtype == torch.float64
    assert all(math.isfinite(loss) for loss in record.values())


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_what_is_frozen_or_not_used_stays_and_the_rest_trains(optimiser):
    class Spare(nn.Sequential):
        def forward(self, x):  # its last layer is not used
            for layer in self[:-1]:
                x = layer(x)
            return x

    plain = make(optimiser=optimiser)
    gan = make()
    gan.D[0].requires_grad_(False)
    D = Spare(*gan.D, nn.Linear(1, 1))
    before = copy.deepcopy(D)
    gan = GAN(gan.G, D, gan.prior, optimiser=optimiser, lr_G=1e-3, lr_D=5e-3, seed=0)
    for real in batches(3):
        gan.step(real)
        plain.step(real)
    assert same(D[0], before[0])
    assert same(D[-1], before[-1])
    assert not same(D[2], before[2])
    assert not same(gan.G, make().G)

    gan.load_state_dict(gan.state_dict())
    gan.step(batches(1)[0])


def test_the_logits_have_no_graph():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logits = make().logits(X)
    assert not logits.requires_grad
    assert float(logits[0]) == float(make().logits(X.tolist())[0])


class Two(nn.Linear):
    def forward(self, x):
        return super().forward(x), x


class Cut(nn.Linear):
    def forward(self, x):
        return super().forward(x).detach()


def other(G=None, D=None, prior=None):
    gan = make()
    return GAN(G or gan.G, D or gan.D, prior or gan.prior)


REAL = torch.zeros(8, 1)
REFUSED = [
    (lambda: other(G=nn.Tanh()), "G must have weights that may learn, got Tanh"),
    (lambda: other(D=nn.Linear(1, 1).requires_grad_(False)), "D must have weights that may learn"),
    (lambda: other(D=nn.Linear(1, 1).double()), "G and D must have weights of one kind"),
    (lambda: GAN(make().G, make().D, None), "prior must have a sample"),
    (lambda: make(seed=-1), "seed must be a whole number from 0"),
    (lambda: make(seed=0.5), "seed must be a whole number"),
    (lambda: make(betas=3), r"betas must be two numbers in \[0, 1\), got 3"),
    (lambda: make(betas=(0.5, math.nan)), "betas must be two numbers"),
    (lambda: setattr(make(), "steps", math.nan), "steps must be a whole number of at least 0"),
    (lambda: setattr(make(), "steps", -1), "steps must be a whole number of at least 0"),
    (lambda: make(d_steps=6).step(REAL[:3]), "real must have an example for each of 6 d_steps"),
    (lambda: make().step(REAL[:0]), r"real must be examples, \(n, ...\), got shape \(0, 1\)"),
    (lambda: make().step(1.0), r"real must be examples, \(n, ...\), got shape \(\)"),
    (lambda: make().step(None), "real must be numbers: got None"),
    (lambda: make().step([0.1, 0.2]), r"shape, \(2,\), got \(2, 1\): real and G do not fit"),
    (lambda: make().step_G(0), "n must be a whole number of at least 1, got 0"),
    (lambda: make().step_G(-3), "n must be a whole number of at least 1, got -3"),
    (lambda: make().sample(0), "n must be a whole number of at least 1, got 0"),
    (lambda: other(D=Two(1, 1)).step(REAL), "D must return one tensor, got tuple"),
    (lambda: other(G=Two(1, 1)).step(REAL), "G must return one tensor, got tuple"),
    (lambda: other(D=Cut(1, 1)).step(REAL), "loss does not depend on the weights"),
    (lambda: other(G=Cut(1, 1)).step(REAL), "loss does not depend on the weights"),
    (lambda: other(D=mlp(2, 1)).step(REAL), r"D does not take \(16, 1\), torch.float32"),
    (lambda: other(G=mlp(2, 1)).sample(3), r"G does not take \(3, 1\)"),
    (lambda: other(D=mlp(1, 2)).step(REAL), r"D must give one logit for each of 8 .* got \(8, 2\)"),
    (lambda: other(D=mlp(1, 2)).step_G(8), r"D must give one logit .* got \(8, 2\)"),
    (lambda: make().logits(X[:, None]), "x must be one row of numbers"),
    (
        lambda: make(loss=Loss("own", D=lambda r, f: r, G=abs)).step(REAL),
        "loss_D must be a tensor",
    ),
    (lambda: make().load_state_dict({}), "state must be that of such a GAN: it has no 'G'"),
    (lambda: make().load_state_dict(None), "state must be that of such a GAN"),
]


@pytest.mark.parametrize("call, words", REFUSED)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("wrong", [None, lambda z: z, 3, nn.Linear])
def test_what_is_no_network_is_named(wrong):
    with pytest.raises(TypeError, match="D must be a torch module, got"):
        GAN(make().G, wrong, targets.uniform())


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("settings", [{}, {"d_steps": 2}, {"penalty": "r1"}, {"optimiser": "sgd"}])
def test_one_number_that_is_not_finite_moves_no_weight(number, settings):
    gan = make(**settings)
    first, spoilt = batches(2)
    gan.step(first)
    before = gan.state_dict()
    spoilt[-1] = number
    with pytest.raises(ValueError, match="real must be finite, got 1 nan or infinite"):
        gan.step(spoilt)
    with pytest.raises(ValueError, match="real must be finite"):
        gan.step_D(spoilt)
    after = gan.state_dict()
    assert same(gan.G, make_like(before["G"]))
    assert same(gan.D, make_like(before["D"]))
    assert torch.equal(before["generator"], after["generator"])
    assert gan.steps == len(gan.history) == 1


def make_like(state):
    net = copy.deepcopy(make().G)
    net.load_state_dict(state)
    return net


@pytest.mark.parametrize("loss_of", ["D", "G"])
def test_a_loss_that_is_not_finite_moves_its_player_no_more(loss_of):
    costs = {"D": LOSSES["hinge"].D, "G": LOSSES["hinge"].G}
    own = costs[loss_of]
    costs[loss_of] = lambda *logits: own(*logits) / 0
    gan = make(loss=Loss("own", **costs))
    before = copy.deepcopy(getattr(gan, loss_of))
    with pytest.raises(FloatingPointError, match=f"diverged at step 1: loss_{loss_of} is"):
        gan.step(batches(1)[0])
    assert same(getattr(gan, loss_of), before)


def test_a_refused_state_leaves_all_as_it_was():
    gan = make()
    for real in batches(3):
        gan.step(real)
    before = gan.state_dict()
    for part, wrong in [
        ("D", {}),
        ("opt_D", {"state": {}, "param_groups": []}),
        ("generator", torch.zeros(3)),
        ("steps", math.nan),
    ]:
        with pytest.raises(ValueError, match="state must be that of such a GAN"):
            gan.load_state_dict({**make(seed=5).state_dict(), part: wrong})
        assert same(gan.G, make_like(before["G"]))
        assert same(gan.D, make_like(before["D"]))
        assert gan.steps == len(gan.history) == 3

    state = gan.state_dict()
    state["opt_D"]["state"][0]["exp_avg"] = torch.zeros(1)  # fused Adam would read beyond it
    with pytest.raises(ValueError, match=r"exp_avg is \(1,\), not \(16, 1\)"):
        gan.load_state_dict(state)


# -- the ledger ------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(3))
def test_at_the_best_D_the_value_is_2_JS(seed):
    ledger = make(seed).ledger(P_DATA, X, oracle=True)
    assert ledger.value == pytest.approx(2 * ledger.js, abs=1e-12)
    assert ledger.off_star == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("steps", [0, 40])
def test_the_ledger_against_its_formulas(seed, steps):
    """The formulas as they are written, summed over a grid that is a thousand times as fine."""
    gan = make(seed)
    for real in batches(steps):
        gan.step(real)
    ledger = gan.ledger(P_DATA, X)

    half = (X[1] - X[0]) / 2
    fine = line(float(X[0] - half), float(X[-1] + half), 1000 * len(X))
    p = LAW.log_prob(fine[:, None]).exp()
    p = p / p.sum()
    q = push_masses(gan.G, gan.prior, fine).masses[1:-1]
    m = (p + q) / 2
    star = optimal_discriminator(p, q)
    with torch.no_grad():
        D = gan.D(fine.float()[:, None]).flatten().double().sigmoid()
    kl = torch.special.xlogy(star, star / D) + torch.special.xlogy(1 - star, (1 - star) / (1 - D))
    V = float(p @ D.log() + q @ (1 - D).log())

    # nothing beside the grid, so the sums are complete
    assert float(q.sum()) == pytest.approx(1, abs=1e-12)
    assert ledger.regret == pytest.approx(2 * float(m @ kl), abs=1e-4)
    assert ledger.value == pytest.approx(V + math.log(4), abs=1e-4)
    assert ledger.js == pytest.approx((ledger.value + ledger.regret) / 2, abs=1e-12)
    assert ledger.off_half == pytest.approx(float(m @ (D - 0.5).abs()), abs=1e-4)
    assert ledger.off_star == pytest.approx(float(m @ (D - star).abs()), abs=1e-4)
    assert ledger.real_term + ledger.fake_term == pytest.approx(ledger.value - math.log(4))


def test_the_value_follows_samples():
    gan = make(2)
    with torch.no_grad():
        real = gan.D(LAW.sample(200_000, torch.Generator().manual_seed(0)))
        fake = gan.D(gan.sample(200_000))
    ledger = gan.ledger(P_DATA, X)
    assert ledger.real_term == pytest.approx(float(logsigmoid(real).mean()), abs=5e-3)
    assert ledger.fake_term == pytest.approx(float(logsigmoid(-fake).mean()), abs=5e-3)


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
    masses = push_masses(gan.G, gan.prior, X)
    assert gan.ledger(P_DATA, X, masses=masses, logits=logits) == gan.ledger(P_DATA, X)


def test_an_untrained_D_of_one_half_is_no_convergence():
    terms = {"real_term": -0.69, "fake_term": -0.69}
    blind = Ledger(js=0.4, value=0.0, regret=0.8, off_half=0.0, off_star=0.3, **terms)
    good = Ledger(js=0.01, value=0.01, regret=0.01, off_half=0.02, off_star=0.03, **terms)
    assert not blind.converged()
    assert good.converged()
    assert not good.converged(js=0.005)
    assert str(good) == "JS 0.010, V + log 4 0.010, regret 0.010, E|D − ½| 0.020, E|D − D*| 0.030"


# -- bad input -------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["lr_G", "lr_D"])
@pytest.mark.parametrize("rate", [0, -1e-3, math.nan, math.inf, "fast", None, True])
def test_a_bad_rate_is_named_and_nothing_is_lost(name, rate):
    with pytest.raises(ValueError, match=f"{name} must be a positive number, got "):
        make(**{name: rate})
    gan = make()
    with pytest.raises(ValueError, match=f"{name} must be a positive number, got "):
        setattr(gan, name, rate)
    assert gan.lr_G == 1e-3
    assert gan.lr_D == 5e-3


@pytest.mark.parametrize(
    "knobs, words",
    [
        ({"loss": "minmax"}, "loss must be one of minimax, non-saturating, .*, got 'minmax'"),
        ({"loss": None}, r"loss must be one of .*, or a losses\.Loss, got None"),
        ({"penalty": "r2"}, "penalty must be one of r1, gradient penalty, .*, got 'r2'"),
        ({"penalty": 1.0}, r"penalty .* a function of \(D, real, fake, generator\), .*, got 1\.0"),
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


def test_networks_of_the_wrong_shape_are_named():
    (real,) = batches(1)
    two = mlp(1, 8, 2, seed=0)
    with pytest.raises(ValueError, match=r"G must give .*\(64, 1\), got \(64, 2\)"):
        GAN(two, mlp(1, 8, 1), targets.uniform()).step(real)
    words = r"D must give one logit for each of 64 examples, got \(64, 2\)"
    with pytest.raises(ValueError, match=words):
        GAN(mlp(1, 8, 1), two, targets.uniform()).step(real)
    with pytest.raises(ValueError, match=r"D must map \(n, 1\) to \(n, 1\), got 4 numbers from 2"):
        GAN(mlp(1, 8, 1), two, targets.uniform()).ledger(P_DATA, X)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_run_that_diverges_says_where_and_can_go_back(number):
    gan = make()
    reals = batches(5)
    for real in reals[:3]:
        gan.step(real)
    good = gan.state_dict()
    G = weights(gan.G)
    with torch.no_grad():
        gan.G[-1].bias.fill_(number)
    with pytest.raises(FloatingPointError, match=r"diverged at step 4: loss_[DG] is nan"):
        gan.step(reals[3])
    gan.load_state_dict(good)
    assert torch.equal(weights(gan.G), G)
    assert gan.steps == len(gan.history) == 3
    assert math.isfinite(gan.step(reals[3])["loss_G"])
