"""Checks of notebook 04."""

from math import log

import torch
from torch.nn.utils import parameters_to_vector

from ganlib import densities, networks, targets
from ganlib.exercises import _first, _numbers
from ganlib.gan import GAN, Ledger
from ganlib.losses import LOSSES


def v_of_d(answer):
    """A function (p_data, p_g, D, dx) that gives V(D, G) on a grid."""
    x = densities.line(-6, 6, 300)
    p, q = (targets.gaussian(m, s).log_prob(x[:, None]).exp() for m, s in ((0, 1), (1, 0.7)))
    D, dx = (0.7 - 0.5 * x).sigmoid(), float(x[1] - x[0])
    real, got = (p * D.log()).sum() * dx, answer(p, q, D, dx)
    V = real + (q * (1 - D).log()).sum() * dx
    return _numbers(
        V,
        f"For one test the answer is {float(V):.4f}, yours is {float(got):.4f}.",
        {
            -V: "The sign: both logarithms are negative, so V is, too.",
            real: "One term is missing: what should D say about the fakes?",
            V / dx: "A sum over a grid becomes an integral when you multiply it by dx.",
            V / log(2): "You used log₂; V is in nats, with the natural logarithm.",
            (p * (1 - D).log() + q * D.log()).sum()
            * dx: "Real and fake are swapped: D(x) is the belief in “real”.",
            ((p + q) * D.log()).sum() * dx: "The fakes enter with log(1 − D), not with log D.",
        },
        near=1e-6,
    )(got)


def d_star(answer):
    """A function (p_data, p_g) that gives D*."""
    p, q = torch.tensor([[0.1, 0.4, 0.2], [0.3, 0.2, 0.2]], dtype=torch.float64)
    return _numbers(
        p / (p + q),
        "Maximise a·log y + b·log(1 − y) over y once more.",
        {
            q / (p + q): "That is the belief in “fake”: it should rise where p_data is larger.",
            p / q: "That is the odds; a probability is p / (p + q).",
            (p / q).log(): "That is the logit of D*, not D*.",
            p / 2 + q / 2: "That is the mixture m. D* is the share of p_data in it.",
            (p > q).double(): "That is a verdict, yes or no; D* is how sure one should be.",
        },
        near=1e-6,
    )(answer(p, q))


_vector = lambda net: parameters_to_vector(net.parameters()).detach()
_near = lambda a, b, tol=1e-5: torch.allclose(a, b, atol=tol)


def _players():
    G, D = networks.mlp(1, 8, 1, seed=1), networks.mlp(1, 8, 1, seed=2)
    g = torch.Generator().manual_seed(3)
    return G, D, torch.randn(32, 1, generator=g), torch.rand(32, 1, generator=g) * 2 - 1


def _stepped(net, loss):
    """The weights of `net` after a step of SGD on `loss`, with a rate of 0.3."""
    return _vector(net) - 0.3 * parameters_to_vector(
        torch.autograd.grad(loss, list(net.parameters()))
    )


def step_of_d(answer):
    """A function (G, D, opt_D, real, z) that makes one step of D; D gives logits."""
    G, D, real, z = _players()
    loss = lambda: LOSSES["non-saturating"].D(D(real), D(G(z)))
    still, start, first, opt = (
        _vector(G),
        _vector(D),
        _stepped(D, loss()),
        torch.optim.SGD(D.parameters(), lr=0.3),
    )
    answer(G, D, opt, real, z)
    yours, second = _vector(D), _stepped(D, loss())
    answer(G, D, opt, real, z)  # twice: who forgets zero_grad is right only once
    return _first(
        (
            _near(yours, start, 1e-6),
            "D did not move: call backward() on the loss, then opt_D.step().",
        ),
        (
            any(p.grad is not None for p in G.parameters()),
            "G has collected gradients in D's step: use G(z).detach().",
        ),
        (not _near(_vector(G), still, 1e-6), "G moved in D's step; only D may."),
        (
            _near(yours, 2 * start - first),
            "D moved the wrong way. D minimises −log D(real) − log(1 − D(fake)).",
        ),
        (
            not _near(yours, first),
            "D moved, but not by this loss: softplus(−logit) is −log D, softplus(logit) is −log(1 − D), each averaged.",
        ),
        (
            not _near(_vector(D), second),
            "The first step is right, the second is not: call opt_D.zero_grad() before backward().",
        ),
    )


def step_of_g(answer):
    """A function (G, D, opt_G, z) that makes one step of G with the non-saturating loss."""
    G, D, _, z = _players()
    right, minimax = (
        _stepped(G, LOSSES[name].G(D(G(z)))) for name in ("non-saturating", "minimax")
    )
    judge, start, belief = _vector(D), _vector(G), D(G(z)).mean().item()
    answer(G, D, torch.optim.SGD(G.parameters(), lr=0.3), z)
    return _first(
        (not _near(_vector(D), judge, 1e-6), "D moved in G's step; only G may: step opt_G alone."),
        (
            _near(_vector(G), start, 1e-6),
            "G did not move. Did you detach G(z)? The gradient must pass through D into G.",
        ),
        (
            _near(_vector(G), minimax),
            "That is the minimax (saturating) loss log(1 − D(G(z))); here G maximises log D(G(z)).",
        ),
        (D(G(z)).mean().item() < belief, "After your step D believes less in the fakes: the sign."),
        (
            not _near(_vector(G), right),
            "G moved, but not by this loss: the mean of softplus(−D(G(z))).",
        ),
    )


# (do D's gradients change without detach?, does G collect gradients?)
detach = _numbers(
    (False, True),
    "Give two values, such as (True, False).",
    {
        (True, False): "It is the other way round on both counts.",
        (True, True): "Compare D's gradients once more, number by number: they are the same.",
        (False, False): "Look at G's gradients after backward(): without detach they are not None.",
    },
)


def break_it(answer):
    """(lr_G, lr_D, gauge): rates with which JS ends above 0.1, and the gauge of D that is above its level first."""
    lr_G, lr_D, gauge = answer
    levels = {"regret": 0.1, "off_half": 0.2}
    if gauge not in levels:
        return f"The gauge is one of {', '.join(levels)}."
    target, x, g = targets.gaussian(), densities.line(-5, 5, 200), torch.Generator().manual_seed(0)
    p_data = target.log_prob(x[:, None]).exp()
    gan = GAN(
        networks.mlp(1, 32, 32, 1, seed=0),
        networks.mlp(1, 48, 48, 1, seed=1, cover=(-3, 3)),
        targets.uniform(),
        lr_G=lr_G,
        lr_D=lr_D,
        betas=(0.0, 0.9),
        seed=0,
    )
    seen = []
    for step in range(500):
        gan.step(target.sample(128, g))
        if step % 25 == 24:
            seen.append(gan.ledger(p_data, x))
    above = [
        [name for name, level in levels.items() if getattr(entry, name) > level]
        for entry in seen[4:]
    ]
    first = next(filter(None, above), [*levels])
    return _first(
        (
            seen[-1].js <= 0.1,
            f"JS ends at {seen[-1].js:.3f}: this run is not broken. Make one player much faster.",
        ),
        (
            gauge not in first,
            f"The run is broken, but {' and '.join(first)} showed it first, not {gauge}.",
        ),
    )


def false_peace(answer):
    """The `Ledger` of a run in which D says ½ although G is far from the data."""
    if answer is None:
        return "None stands for a run that diverged: look for one that is finite, calm and wrong."
    if not isinstance(answer, Ledger):
        return "Give one entry of the table, such as ledgers[0][0]."
    return _first(
        (
            answer.js <= 0.3,
            f"Its JS is {answer.js:.3f}: that G did learn something. The peace must be false.",
        ),
        (answer.off_half >= 0.05, f"Its E|D − ½| is {answer.off_half:.3f}: that D does object."),
    )
