"""Every loss against torch's own, every penalty against a discriminator whose slope is known."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import hinge_embedding_loss, mse_loss

from ganlib.losses import (
    LOSSES,
    PENALTIES,
    Loss,
    gradient_penalty,
    loss_of,
    penalty_of,
    r1,
    value,
)


def logits(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(64, 1, dtype=torch.float64, generator=generator) * 3


REAL = logits(0)
FAKE = logits(1)
YES = torch.ones_like(REAL)
NO = torch.zeros_like(REAL)
FROM_TORCH = {
    "minimax": (bce(REAL, YES) + bce(FAKE, NO), -bce(FAKE, NO)),
    "non-saturating": (bce(REAL, YES) + bce(FAKE, NO), bce(FAKE, YES)),
    "least-squares": (mse_loss(REAL, YES) / 2 + mse_loss(FAKE, -YES) / 2, mse_loss(FAKE, NO) / 2),
    "hinge": (hinge_embedding_loss(REAL, -YES) + hinge_embedding_loss(-FAKE, -YES), -FAKE.mean()),
    "wasserstein": (FAKE.mean() - REAL.mean(), -FAKE.mean()),
    "linear": (FAKE.sigmoid().mean() - REAL.sigmoid().mean(), -FAKE.sigmoid().mean()),
}


def test_every_loss_has_its_row():
    assert set(LOSSES) == set(FROM_TORCH)
    assert [loss.name for loss in LOSSES.values()] == list(LOSSES)
    assert not any(loss.paired for loss in LOSSES.values())


def test_there_are_two_penalties():
    expected = {"r1": r1, "gradient penalty": gradient_penalty}
    assert expected == PENALTIES


def test_a_formula_stands_for_itself_and_a_name_for_its_formula():
    mine = Loss("mine", D=lambda real, fake: fake - real, G=lambda fake: -fake)
    assert loss_of(mine) is mine
    assert loss_of("hinge") is LOSSES["hinge"]
    assert penalty_of(r1) is r1
    assert penalty_of("r1") is r1
    assert penalty_of(None) is None


@pytest.mark.parametrize("wrong", ["best", None, ["hinge"], ("mine", None, None), 1.0])
def test_a_wrong_loss_is_told_what_is_allowed(wrong):
    with pytest.raises(ValueError) as told:
        loss_of(wrong)
    names = ", ".join(LOSSES)
    said = f"loss must be one of {names}, or a losses.Loss, got {wrong!r}"
    assert str(told.value) == said


@pytest.mark.parametrize("wrong", ["r2", ["r1"], 1.0])
def test_a_wrong_penalty_is_told_what_is_allowed(wrong):
    with pytest.raises(ValueError) as told:
        penalty_of(wrong)
    names = ", ".join(PENALTIES)
    function = "a function of (D, real, fake, generator)"
    said = f"penalty must be one of {names}, or {function}, or None, got {wrong!r}"
    assert str(told.value) == said


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_against_torch(name):
    torch.testing.assert_close(LOSSES[name].D(REAL, FAKE), FROM_TORCH[name][0])
    torch.testing.assert_close(LOSSES[name].G(FAKE), FROM_TORCH[name][1])


@pytest.mark.parametrize("name", LOSSES)
def test_D_wants_real_up_and_fake_down_and_G_wants_fake_up(name):
    real, fake = torch.zeros(2, 5, requires_grad=True)
    slope_real, slope_fake = torch.autograd.grad(LOSSES[name].D(real, fake), (real, fake))
    assert (slope_real < 0).all() and (slope_fake > 0).all()
    fake = torch.full((5,), -0.5, requires_grad=True)
    (slope,) = torch.autograd.grad(LOSSES[name].G(fake), fake)
    assert (slope < 0).all()


def test_the_value_of_the_game():
    V = torch.log(REAL.sigmoid()).mean() + torch.log(1 - FAKE.sigmoid()).mean()
    torch.testing.assert_close(value(REAL, FAKE), V)
    torch.testing.assert_close(value(REAL, FAKE), -LOSSES["minimax"].D(REAL, FAKE))
    assert value(NO, NO).item() == pytest.approx(-math.log(4))


def test_minimax_is_zero_sum_for_G_and_the_non_saturating_loss_is_not():
    loss = LOSSES["minimax"]
    other = LOSSES["non-saturating"]
    fake = FAKE.clone().requires_grad_()
    (of_D,) = torch.autograd.grad(loss.D(REAL, fake), fake)
    (of_G,) = torch.autograd.grad(loss.G(fake), fake)
    (of_other,) = torch.autograd.grad(other.G(fake), fake)
    torch.testing.assert_close(of_D, -of_G)
    D = fake.sigmoid()
    torch.testing.assert_close(of_G / of_other, D / (1 - D))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("logit", [-300.0, 300.0])
def test_a_sure_D_gives_finite_losses_and_slopes(name, logit):
    real, fake = torch.full((2, 3), logit, requires_grad=True)
    for cost in (LOSSES[name].D(real, fake), LOSSES[name].G(fake)):
        slope = torch.autograd.grad(cost, fake, retain_graph=True)[0]
        assert cost.isfinite() and slope.isfinite().all()
    if name == "non-saturating" and logit < 0:  # where log(sigmoid(logit)) would have no slope left
        torch.testing.assert_close(slope, torch.full((3,), -1 / 3))


@pytest.mark.parametrize("shape", [(1,), (2,), (3, 4, 4)])
def test_penalties_of_a_linear_D(shape):
    torch.manual_seed(0)
    D = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), 1))
    real = torch.randn(8, *shape)
    fake = torch.randn(8, *shape)
    norm = D[1].weight.norm()
    torch.testing.assert_close(r1(D, real), norm**2 / 2)
    torch.testing.assert_close(gradient_penalty(D, real, fake), (norm - 1) ** 2)
    for penalty in PENALTIES.values():  # the bias moves no slope; the weight's own slope is known
        slope = torch.autograd.grad(penalty(D, real, fake), D[1].weight)[0]
        expected = D[1].weight if penalty is r1 else 2 * (norm - 1) * D[1].weight / norm
        torch.testing.assert_close(slope, expected)


def test_r1_of_a_curved_D_looks_at_the_real_data_only():
    x = torch.linspace(-2, 2, 9)[:, None]
    torch.testing.assert_close(r1(lambda x: x**3, x, x * math.nan), (9 * x**4).mean() / 2)


def test_gradient_penalty_looks_between_real_and_fake():
    seen = []

    def D(x):
        seen.append(x)
        return x.sum(1)

    real = torch.zeros(1000, 2)
    fake = torch.tensor([[1.0, 3.0]]).expand(1000, 2)
    gradient_penalty(D, real, fake, torch.Generator().manual_seed(0))
    first, second = seen[0].T
    torch.testing.assert_close(3 * first, second)  # on the line, one t for both coordinates
    torch.testing.assert_close(first.sort()[0], torch.linspace(0, 1, 1000), atol=0.06, rtol=0)


def test_gradient_penalty_of_a_flat_D_has_a_slope():
    D = nn.Linear(1, 1)
    nn.init.zeros_(D.weight)
    penalty = gradient_penalty(D, REAL.float(), FAKE.float(), torch.Generator().manual_seed(0))
    assert penalty.item() == pytest.approx(1, abs=1e-4)
    assert torch.autograd.grad(penalty, D.weight)[0].isfinite().all()


def test_gradient_penalty_repeats_with_its_generator():
    D = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    one, two, three = (
        gradient_penalty(D, REAL, FAKE, torch.Generator().manual_seed(s)) for s in (0, 0, 1)
    )
    assert one == two != three


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: value("a", FAKE), "real_logits must be numbers"),
        (lambda: value(REAL, None), "fake_logits must be numbers"),
        (
            lambda: r1(nn.Linear(1, 1), [1.0]),
            r"real must be examples, \(n, ...\), got shape \(1,\)",
        ),
        (lambda: r1(nn.Linear(2, 1), [[1.0]]), r"D has no slope at \(1, 1\)"),
        (lambda: r1(lambda x: (x, x), REAL), "D has no slope"),
        (lambda: r1(lambda x: x.detach(), REAL), "D has no slope"),
        (lambda: gradient_penalty(nn.Linear(1, 1), REAL, REAL[:3]), "fake must have the shape of"),
        (lambda: gradient_penalty(nn.Linear(1, 1), REAL, None), "fake must be numbers"),
        (lambda: loss_of(Loss("mine", D=None, G=None)), "loss mine must have two functions"),
    ],
)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_what_is_no_network_is_named():
    with pytest.raises(TypeError, match="D must be a network, got 3"):
        r1(3, REAL)
