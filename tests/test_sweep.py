"""A sweep against the same GANs trained alone, its bad input, and members that diverge."""

import signal

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.nn.utils import parameters_to_vector

from ganlib import targets
from ganlib.densities import line
from ganlib.gan import GAN
from ganlib.losses import LOSSES, Loss, r1
from ganlib.medicine import Noise
from ganlib.networks import mlp
from ganlib.sweep import Sweep, survey, sweep


def maker(activation=nn.Tanh, **settings):
    def new_gan(seed):
        return GAN(
            mlp(1, 8, 8, 1, seed=2 * seed, activation=activation),
            mlp(1, 8, 8, 1, seed=2 * seed + 1, activation=activation, cover=(-3, 3)),
            targets.gaussian(),
            seed=seed,
            **{"betas": (0.5, 0.9), **settings},
        )

    return new_gan


def alone(new_gan, target, *, lr_G, lr_D, seed, steps, batch):
    """The same run without a sweep: the usual loop with the rates falling over the second half."""
    gan = new_gan(seed)
    data = torch.Generator().manual_seed(seed + 1)
    for step in range(steps):
        fall = min(1.0, max(0.01, 2 - 2 * step / steps))
        gan.lr_G = lr_G * fall
        gan.lr_D = lr_D * fall
        gan.step(target.sample(batch * gan.d_steps, data))
    return gan


def flat(net):
    return parameters_to_vector(net.parameters()).detach()


RELATIVISTIC = Loss(
    "relativistic",
    D=lambda real, fake: softplus(fake - real).mean(),
    G=lambda real, fake: softplus(real - fake).mean(),
    paired=True,
)


def shrink(D, real, fake, generator):
    """A penalty of one's own."""
    return D(fake).square().mean()


def named(settings):
    """Settings in words that are the same in every process: a function by its name."""
    return ", ".join(
        f"{key} {getattr(value, '__name__', None) or getattr(value, 'name', value)}"
        for key, value in settings.items()
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimiser": "sgd", "loss": "minimax"},
        {"penalty": "r1", "penalty_weight": 0.1},
        {"d_steps": 3},
        {"loss": "hinge", "betas": (0.0, 0.9)},
        {"loss": LOSSES["hinge"], "penalty": r1},
        {"loss": RELATIVISTIC, "d_steps": 2},
        {"penalty": shrink, "penalty_weight": 0.1},
    ],
    ids=named,
)
def test_a_member_equals_the_same_gan_alone(settings):
    new_gan = maker(**settings)
    target = targets.mixture()
    rates = [1e-3, 5e-3, 1e-3, 2e-2]
    seeds = [3, 3, 0, 7]
    how = {"lr_D": 1e-2, "steps": 50, "batch": 32}
    many = sweep(new_gan, target, lr_G=rates, seed=seeds, progress=False, **how)
    for i, (lr, seed) in enumerate(zip(rates, seeds)):
        before = new_gan(seed)
        after = alone(new_gan, target, lr_G=lr, seed=seed, **how)
        for name in "GD":
            end = flat(getattr(after, name))
            moved = float((end - flat(getattr(before, name))).norm())
            off = float((many.weights[name][i] - end).norm())
            assert off < 5e-3 * moved


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize(
    "settings",
    [{}, {"optimiser": "sgd"}, {"penalty": "r1"}, {"penalty": "gradient penalty"}, {"d_steps": 3}],
    ids=str,
)
def test_a_gpu_takes_the_same_steps(settings):
    how = {
        "lr_G": [1e-3, 5e-3],
        "lr_D": 1e-2,
        "seed": [3, 0],
        "steps": 50,
        "batch": 32,
        "progress": False,
    }
    here = sweep(maker(**settings), targets.mixture(), **how, device="cpu")
    there = sweep(maker(**settings), targets.mixture(), **how, device="cuda")
    start = maker(**settings)(3)
    for name in "GD":
        moved = (here.weights[name][0] - flat(getattr(start, name))).norm()
        off = (here.weights[name] - there.weights[name]).norm(dim=1)
        assert bool((off < 5e-3 * moved).all())


def test_a_member_can_be_taken_out_and_asked_for_its_ledger():
    x = line(-5, 5, 200)
    target = targets.gaussian()
    p_data = target.log_prob(x[:, None]).exp()
    many = sweep(
        maker(), target, lr_G=[1e-3, 2e-3], lr_D=2e-3, seed=1, steps=5, batch=16, progress=False
    )
    gan = many.gan(1)
    assert gan.lr_G == pytest.approx(2e-3)
    assert gan.steps == 5
    assert gan.ledger(p_data, x) == many.ledgers(p_data, x)[1]
    torch.testing.assert_close(flat(gan.G), many.weights["G"][1], atol=0, rtol=0)
    assert repr(many) == "sweep of 2 GANs after 5 steps, 0 diverged"


def test_a_member_that_diverges_is_marked_and_the_others_go_on():
    new_gan = maker(nn.ReLU, optimiser="sgd", loss="wasserstein")
    how = {"steps": 20, "batch": 16, "progress": False}
    many = sweep(new_gan, targets.gaussian(), lr_G=[1e-3, 1e30], lr_D=[1e-3, 1e30], **how)
    assert many.alive.tolist() == [True, False]
    x = line(-5, 5, 100)
    ledgers = many.ledgers(targets.gaussian().log_prob(x[:, None]).exp(), x)
    assert ledgers[0] is not None
    assert ledgers[1] is None
    calm = sweep(new_gan, targets.gaussian(), lr_G=1e-3, lr_D=1e-3, **how)
    torch.testing.assert_close(many.weights["G"][0], calm.weights["G"][0])


def test_a_survey_is_a_sweep_over_all_pairs_of_rates():
    target = targets.gaussian()
    how = {"steps": 20, "batch": 16, "progress": False}
    seeds = (4, 1)
    rates, ledgers = survey(maker(), target, size=3, low=1e-3, high=1e-1, seeds=seeds, **how)
    np.testing.assert_allclose(rates, [1e-3, 1e-2, 1e-1])
    assert np.shape(ledgers) == (3, 3, 2)

    low, high = target.range
    margin = (high - low) / 10
    x = line(low - margin, high + margin)
    p_data = target.log_prob(x[:, None]).exp()
    for row, lr_D in enumerate(rates):
        for column, lr_G in enumerate(rates):
            for found, seed in zip(ledgers[row][column], seeds):
                alone = sweep(maker(), target, lr_G=lr_G, lr_D=lr_D, seed=seed, **how)
                (one,) = alone.ledgers(p_data, x)
                assert found.js == pytest.approx(one.js, abs=1e-3)
                assert found.off_star == pytest.approx(one.off_star, abs=1e-3)


def test_a_member_of_a_survey_that_diverges_has_no_ledger():
    new_gan = maker(nn.ReLU, optimiser="sgd", loss="wasserstein")
    how = {"steps": 20, "batch": 16, "progress": False}
    _, ledgers = survey(new_gan, targets.gaussian(), size=2, low=1e-4, high=1e30, **how)
    assert ledgers[0][0][0] is not None
    assert ledgers[1][1] == [None]


def test_an_interrupt_keeps_what_is_done(capsys):
    class Interrupted(targets.Mixture):
        calls = 0

        def sample(self, n, generator=None):
            self.calls += 1
            if self.calls == 3 + 7:  # three draws only look how this law draws
                signal.raise_signal(signal.SIGINT)
            return super().sample(n, generator)

    how = {"lr_G": 1e-3, "lr_D": 1e-3, "batch": 8, "anneal": False, "progress": False}
    part = sweep(maker(), Interrupted([-1, 1], 0.5), steps=50, **how)
    whole = sweep(maker(), targets.mixture((-1, 1), 0.5), steps=7, **how)
    assert isinstance(part, Sweep)
    assert part.steps == 7
    assert "stopped after 7 of 50 steps" in capsys.readouterr().out
    torch.testing.assert_close(part.weights["G"], whole.weights["G"])


@pytest.mark.parametrize(
    "wrong, word",
    [
        ({"lr_G": [1e-3] * 3, "lr_D": [1e-3] * 2}, "equally many, got .3, 2, 1."),
        ({"lr_G": []}, "equally many, got .0, 1, 1."),
        ({"lr_D": [1e-3, float("nan")]}, "lr_D must be positive numbers, got nan"),
        ({"lr_G": 0.0}, "lr_G must be positive"),
        ({"lr_G": "fast"}, "lr_G must be numbers"),
        ({"lr_G": 1e-60}, "lr_G must be positive"),
        ({"seed": 0.5}, "seed must be whole numbers of at least 0 and below .*, got 0.5"),
        ({"seed": [-1, 2]}, "seed must be whole numbers of at least 0 and below .*, got -1"),
        ({"seed": 2**60}, "seed must be .* and below 9,007,199,254,740,992, got 1.1"),
        ({"device": "tpv"}, "device must be one of torch, got 'tpv'"),
        ({"steps": 0}, "steps must be .* at least 1, got 0"),
        ({"batch": -1}, "batch must be .* at least 1, got -1"),
        ({"batch": 10**9}, "GB are free"),
    ],
)
def test_bad_input(wrong, word):
    right = {"lr_G": 1e-3, "lr_D": 1e-3, "steps": 2, "batch": 8, "progress": False}
    with pytest.raises(ValueError, match=word):
        sweep(maker(), targets.gaussian(), **{**right, **wrong})


def test_an_interrupt_in_the_middle_of_a_step_lets_it_end():
    calls = []

    def strikes(D, real, fake, generator):
        """No penalty: Ctrl-C, when D is about to move for the fifth time and G has not."""
        calls.append(len(real))
        if len(calls) == 5:
            signal.raise_signal(signal.SIGINT)
        return 0 * D(real).square().mean()

    how = {"lr_G": 1e-3, "lr_D": [1e-3, 2e-3], "batch": 8, "anneal": False, "progress": False}
    part = sweep(maker(penalty=strikes), targets.gaussian(), steps=50, **how)
    whole = sweep(maker(), targets.gaussian(), steps=5, **how)
    assert part.steps == 5
    for name in ("G", "D"):
        torch.testing.assert_close(part.weights[name], whole.weights[name])


def test_what_is_no_member_is_named():
    right = {"lr_G": 1e-3, "lr_D": 1e-3, "steps": 1, "batch": 8, "progress": False}
    done = sweep(maker(), targets.gaussian(), **right)
    with pytest.raises(ValueError, match="i must be a whole number from -1 to 0, got 1"):
        done.gan(1)
    with pytest.raises(TypeError, match="new_gan must be a function of a seed, got 3"):
        sweep(3, targets.gaussian(), **right)
    with pytest.raises(TypeError, match="new_gan must give a GAN, got 0"):
        sweep(lambda seed: seed, targets.gaussian(), **right)
    with pytest.raises(ValueError, match="target must have a sample"):
        sweep(maker(), None, **right)

    def frozen(seed):
        gan = maker()(seed)
        gan.D[0].requires_grad_(False)
        return gan

    with pytest.raises(ValueError, match="no weight is frozen"):
        sweep(frozen, targets.gaussian(), **right)
    with pytest.raises(ValueError, match="low must be less than high"):
        survey(maker(), targets.gaussian(), low=1, high=0.1)
    with pytest.raises(ValueError, match="size must be a whole number"):
        survey(maker(), targets.gaussian(), size=0)


# -- draws on the device, noise in a network -------------------------------------------------------


def test_draws_on_the_device_are_shared_by_members_of_one_seed_and_follow_the_law():
    class Seen(targets.Mixture):
        """A law that keeps what was drawn from it."""

        def __init__(self, *numbers):
            super().__init__(*numbers)
            self.drawn = []  # of all copies, too

        def sample(self, n, generator=None):
            self.drawn.append(super().sample(n, generator))
            return self.drawn[-1]

    target = Seen([-1, 1], 0.5)
    how = {"lr_G": 1e-3, "lr_D": 1e-3, "batch": 500, "steps": 4, "progress": False}
    many = sweep(maker(), target, seed=[5, 5, 2], draws="device", **how)
    assert torch.equal(many.weights["G"][0], many.weights["G"][1])
    assert not torch.equal(many.weights["G"][0], many.weights["G"][2])

    drawn = torch.stack(target.drawn)
    assert drawn.shape == (4, 2 * 500, 1)  # a row for each seed, not for each member
    assert not torch.equal(drawn[:, :500], drawn[:, 500:])
    assert float(drawn.mean()) == pytest.approx(0, abs=0.1)
    assert float(drawn.var()) == pytest.approx(1 + 0.25, abs=0.1)

    again = sweep(maker(), targets.Mixture([-1, 1], 0.5), seed=[5, 5, 2], draws="device", **how)
    assert torch.equal(many.weights["D"], again.weights["D"])
    with pytest.raises(ValueError, match="draws must be one of alone, device, got 'gpu'"):
        sweep(maker(), target, draws="gpu", **how)


def test_members_with_noise_in_their_networks_each_draw_their_own():
    def new_gan(seed):
        D = nn.Sequential(Noise(0.3), mlp(1, 8, 1, seed=0))
        return GAN(mlp(1, 8, 1, seed=0), D, targets.gaussian(), seed=0)

    torch.manual_seed(0)
    how = {"lr_G": 1e-2, "lr_D": [1e-2, 1e-2], "batch": 16, "steps": 3, "progress": False}
    many = sweep(new_gan, targets.gaussian(), **how)
    assert bool(many.weights["D"].isfinite().all())
    assert not torch.equal(many.weights["D"][0], many.weights["D"][1])
