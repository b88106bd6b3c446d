"""Checks of notebook 04."""

import copy
import math

import torch
from torch.nn.functional import softplus

from ganlib import densities, networks, targets
from ganlib.gan import GAN, Ledger


def _near(a, b, tol=1e-6):
    return torch.allclose(torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64), atol=tol)


def v_of_d(answer):
    """A function (p_data, p_g, D, dx) that gives V(D, G) on a grid."""
    x = densities.line(-6, 6, 300)
    p, q = (targets.gaussian(m, s).log_prob(x[:, None]).exp() for m, s in ((0, 1), (1, 0.7)))
    D, dx = (0.7 - 0.5 * x).sigmoid(), float(x[1] - x[0])
    real, fake, got = (p * D.log()).sum() * dx, (q * (1 - D).log()).sum() * dx, answer(p, q, D, dx)
    usual = ((-(real + fake), "The sign: both logarithms are negative, so V is, too."),
             ((real + fake) / dx, "A sum over a grid becomes an integral when you multiply it by dx."),
             ((real + fake) / math.log(2), "You used log₂; V is in nats, with the natural logarithm."),
             (((p * (1 - D).log()) + q * D.log()).sum() * dx, "Real and fake are swapped: D(x) is the belief in “real”."),
             (real, "One term is missing: what should D say about the fakes?"),
             (((p + q) * D.log()).sum() * dx, "The fakes enter with log(1 − D), not with log D."))
    for wrong, hint in usual:
        if _near(got, wrong):
            return hint
    return None if _near(got, real + fake) else f"For one test the answer is {float(real + fake):.4f}, yours is {float(got):.4f}."


def d_star(answer):
    """A function (p_data, p_g) that gives D*."""
    p, q = torch.tensor([0.1, 0.4, 0.2], dtype=torch.float64), torch.tensor([0.3, 0.2, 0.2], dtype=torch.float64)
    usual = ((q / (p + q), "That is the belief in “fake”: it should rise where p_data is larger."),
             (p / q, "That is the odds; a probability is p / (p + q)."), ((p / q).log(), "That is the logit of D*, not D*."),
             (p / 2 + q / 2, "That is the mixture m. D* is the share of p_data in it."),
             ((p > q).double(), "That is a verdict, yes or no; D* is how sure one should be."))
    for wrong, hint in usual:
        if _near(answer(p, q), wrong):
            return hint
    return None if _near(answer(p, q), p / (p + q)) else "Maximise a·log y + b·log(1 − y) over y once more."


def _players():
    G, D = networks.mlp(1, 8, 1, seed=1), networks.mlp(1, 8, 1, seed=2)
    g = torch.Generator().manual_seed(3)
    return G, D, torch.randn(32, 1, generator=g), torch.rand(32, 1, generator=g) * 2 - 1


def _vector(net):
    return torch.nn.utils.parameters_to_vector(net.parameters()).detach().clone()


def step_of_d(answer):
    """A function (G, D, opt_D, real, z) that makes one step of D; D gives logits."""
    G, D, real, z = _players()
    twin, still, start = copy.deepcopy(D), _vector(G), _vector(D)
    opt, reference = torch.optim.SGD(D.parameters(), lr=0.3), torch.optim.SGD(twin.parameters(), lr=0.3)
    yours: list[torch.Tensor] = []
    right: list[torch.Tensor] = []
    for _ in range(2):  # twice: who forgets zero_grad is right only once
        answer(G, D, opt, real, z)
        reference.zero_grad()
        (softplus(-twin(real)).mean() + softplus(twin(G(z).detach())).mean()).backward()
        reference.step()
        yours, right = [*yours, _vector(D)], [*right, _vector(twin)]
    if _near(yours[0], start):
        return "D did not move: call backward() on the loss, then opt_D.step()."
    if any(p.grad is not None for p in G.parameters()):
        return "G has collected gradients in D's step: use G(z).detach()."
    if not _near(_vector(G), still):
        return "G moved in D's step; only D may."
    if _near(yours[0], 2 * start - right[0], 1e-5):
        return "D moved the wrong way. D minimises −log D(real) − log(1 − D(fake))."
    if _near(yours[0], right[0], 1e-5) and not _near(yours[1], right[1], 1e-5):
        return "The first step is right, the second is not: call opt_D.zero_grad() before backward()."
    return None if _near(yours[1], right[1], 1e-5) else (
        "D moved, but not by this loss: softplus(−logit) is −log D, softplus(logit) is −log(1 − D), each averaged.")


def step_of_g(answer):
    """A function (G, D, opt_G, z) that makes one step of G with the non-saturating loss."""
    G, D, _, z = _players()
    twins = {name: copy.deepcopy(G) for name in ("non-saturating", "minimax")}
    costs = {"non-saturating": lambda fake: softplus(-fake).mean(), "minimax": lambda fake: -softplus(fake).mean()}
    judge, start = _vector(D), _vector(G)
    for name, twin in twins.items():
        reference = torch.optim.SGD(twin.parameters(), lr=0.3)
        costs[name](D(twin(z))).backward()
        reference.step()
    belief = D(G(z)).mean().item()
    answer(G, D, torch.optim.SGD(G.parameters(), lr=0.3), z)
    moved, right = not _near(_vector(G), start), _near(_vector(G), _vector(twins["non-saturating"]), 1e-5)
    if not _near(_vector(D), judge):
        return "D moved in G's step; only G may: step opt_G alone."
    if not moved:
        return "G did not move. Did you detach G(z)? The gradient must pass through D into G."
    if _near(_vector(G), _vector(twins["minimax"]), 1e-5):
        return "That is the minimax (saturating) loss log(1 − D(G(z))); here G maximises log D(G(z))."
    if D(G(z)).mean().item() < belief:
        return "After your step D believes less in the fakes: the sign."
    return None if right else "G moved, but not by this loss: the mean of softplus(−D(G(z)))."


def detach(answer):
    """(do D's gradients change without detach?, does G collect gradients?)"""
    return {(False, True): None, (True, True): "Compare D's gradients once more, number by number: they are the same.",
            (False, False): "Look at G's gradients after backward(): without detach they are not None.",
            (True, False): "It is the other way round on both counts."}.get(
        (bool(answer[0]), bool(answer[1])), "Give two values, such as (True, False).")


def break_it(answer):
    """(lr_G, lr_D, gauge): rates with which JS ends above 0.1, and the gauge of D that is above its level first."""
    lr_G, lr_D, gauge = answer
    levels = {"regret": 0.1, "off_half": 0.2}
    if gauge not in levels:
        return f"The gauge is one of {', '.join(levels)}."
    target, x, g = targets.gaussian(), densities.line(-5, 5, 200), torch.Generator().manual_seed(0)
    p_data = target.log_prob(x[:, None]).exp()
    gan = GAN(networks.mlp(1, 32, 32, 1, seed=0), networks.mlp(1, 48, 48, 1, seed=1, cover=(-3, 3)), targets.uniform(),
              lr_G=lr_G, lr_D=lr_D, betas=(0.0, 0.9), seed=0)
    seen = []
    for step in range(500):
        gan.step(target.sample(128, g))
        if step % 25 == 24:
            seen.append(gan.ledger(p_data, x))
    if seen[-1].js <= 0.1:
        return f"JS ends at {seen[-1].js:.3f}: this run is not broken. Make one player much faster."
    above = {name: next((i for i, entry in enumerate(seen[4:]) if getattr(entry, name) > level), math.inf)
             for name, level in levels.items()}
    first = [name for name, i in above.items() if i == min(above.values())]
    return None if gauge in first else f"The run is broken, but {' and '.join(first)} showed it first, not {gauge}."


def false_peace(answer):
    """The `Ledger` of a run in which D says ½ although G is far from the data."""
    if answer is None:
        return "None stands for a run that diverged: look for one that is finite, calm and wrong."
    if not isinstance(answer, Ledger):
        return "Give one entry of the table, such as ledgers[0][0]."
    if answer.js <= 0.3:
        return f"Its JS is {answer.js:.3f}: that G did learn something. The peace must be false."
    return None if answer.off_half < 0.05 else f"Its E|D − ½| is {answer.off_half:.3f}: that D does object."
