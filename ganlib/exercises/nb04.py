"""The checks of notebook 04, A GAN in one dimension."""

from math import inf, log

import torch
from torch.nn.utils import parameters_to_vector

from ganlib import densities, networks, targets
from ganlib.exercises import OF_FUNCTION, _as_many, _function, _numbers, _shown, _Unasked
from ganlib.gan import GAN, Ledger
from ganlib.losses import LOSSES

RATE = 0.3  # of the single steps of G and D that are checked
LEVELS = {"regret": 0.1, "off_half": 0.2}  # a gauge of D above its level objects

# (do D's gradients change without detach?, does G collect gradients?)
# fmt: off
detach = _numbers(
    (False, True),
    "Give two values, such as (True, False).",
    {
        (True, False):  "It is the other way round on both counts.",
        (True, True):   "Compare D's gradients once more, number by number: they are the same.",
        (False, False): "Look at G's gradients after backward(): without detach they are not None.",
    },
    of=", each True or False",
)
# fmt: on


def v_of_d(answer):
    """A function (p_data, p_g, D, dx) that gives V(D, G) on a grid."""
    x = densities.line(-6, 6, 300)
    dx = float(x[1] - x[0])
    p = targets.gaussian(0, 1).log_prob(x[:, None]).exp()
    q = targets.gaussian(1, 0.7).log_prob(x[:, None]).exp()
    D = (0.7 - 0.5 * x).sigmoid()

    real = (p * D.log()).sum() * dx
    V = real + (q * (1 - D).log()).sum() * dx
    swapped = (p * (1 - D).log() + q * D.log()).sum() * dx
    all_real = ((p + q) * D.log()).sum() * dx
    (yours,) = _as_many(_function(answer)(p, q, D, dx), 1, OF_FUNCTION)

    # fmt: off
    judge = _numbers(
        V,
        f"For one test the answer is {float(V):.4f}, yours is {yours:.4f}.",
        {
            -V:         "The sign: both logarithms are negative, so V is, too.",
            real:       "One term is missing: what should D say about the fakes?",
            V / dx:     "A sum over a grid becomes an integral when you multiply it by dx.",
            V / log(2): "You used log₂; V is in nats, with the natural logarithm.",
            swapped:    "Real and fake are swapped: D(x) is the belief in “real”.",
            all_real:   "The fakes enter with log(1 − D), not with log D.",
        },
        near=1e-6,
    )
    # fmt: on
    return judge(yours)


def d_star(answer):
    """A function (p_data, p_g) that gives D*."""
    p = torch.tensor([0.1, 0.4, 0.2], dtype=torch.float64)
    q = torch.tensor([0.3, 0.2, 0.2], dtype=torch.float64)

    # fmt: off
    judge = _numbers(
        p / (p + q),
        "Maximise a·log y + b·log(1 − y) over y once more.",
        {
            q / (p + q):      "That is the belief in “fake”: it should rise where p_data is "
                              "larger.",
            p / q:            "That is the odds; a probability is p / (p + q).",
            (p / q).log():    "That is the logit of D*, not D*.",
            p / 2 + q / 2:    "That is the mixture m. D* is the share of p_data in it.",
            (p > q).double(): "That is a verdict, yes or no; D* is how sure one should be.",
        },
        near=1e-6,
        of=OF_FUNCTION,
    )
    # fmt: on
    return judge(_function(answer)(p, q))


def _vector(net):
    """The weights of `net` as one vector."""
    return parameters_to_vector(net.parameters()).detach()


def _near(one, other, tolerance=1e-5):
    return torch.allclose(one, other, atol=tolerance)


def _players():
    """(G, D, real, z): two small networks, real samples and the noise of as many fakes."""
    G = networks.mlp(1, 8, 1, seed=1)
    D = networks.mlp(1, 8, 1, seed=2)
    generator = torch.Generator().manual_seed(3)
    real = torch.randn(32, 1, generator=generator)
    z = torch.rand(32, 1, generator=generator) * 2 - 1
    return G, D, real, z


def _stepped(net, loss):
    """The weights of `net` after a step of SGD on `loss`."""
    gradients = torch.autograd.grad(loss, list(net.parameters()))
    return _vector(net) - RATE * parameters_to_vector(gradients)


def step_of_d(answer):
    """A function (G, D, opt_D, real, z) that makes one step of D; D gives logits."""
    _function(answer)
    G, D, real, z = _players()
    opt_D = torch.optim.SGD(D.parameters(), lr=RATE)

    def loss():
        return LOSSES["non-saturating"].D(D(real), D(G(z)))

    G_before = _vector(G)
    before = _vector(D)
    right = _stepped(D, loss())
    answer(G, D, opt_D, real, z)
    yours = _vector(D)

    # A second step: who forgets zero_grad is right only once.
    second_right = _stepped(D, loss())
    answer(G, D, opt_D, real, z)
    second_yours = _vector(D)

    if _near(yours, before, 1e-6):
        return "D did not move: call backward() on the loss, then opt_D.step()."
    if any(p.grad is not None for p in G.parameters()):
        return "G has collected gradients in D's step: use G(z).detach()."
    if not _near(_vector(G), G_before, 1e-6):
        return "G moved in D's step; only D may."
    if _near(yours, 2 * before - right):
        return "D moved the wrong way. D minimises −log D(real) − log(1 − D(fake))."
    if not _near(yours, right):
        return (
            "D moved, but not by this loss: softplus(−logit) is −log D, "
            "softplus(logit) is −log(1 − D), each averaged."
        )
    if not _near(second_yours, second_right):
        return (
            "The first step is right, the second is not: call opt_D.zero_grad() before backward()."
        )
    return None


def step_of_g(answer):
    """A function (G, D, opt_G, z) that makes one step of G with the non-saturating loss."""
    _function(answer)
    G, D, _, z = _players()
    opt_G = torch.optim.SGD(G.parameters(), lr=RATE)

    def belief():
        """How much D believes in the fakes, on average."""
        return D(G(z)).mean().item()

    D_before = _vector(D)
    before = _vector(G)
    belief_before = belief()
    right = _stepped(G, LOSSES["non-saturating"].G(D(G(z))))
    minimax = _stepped(G, LOSSES["minimax"].G(D(G(z))))
    answer(G, D, opt_G, z)
    yours = _vector(G)

    if not _near(_vector(D), D_before, 1e-6):
        return "D moved in G's step; only G may: step opt_G alone."
    if _near(yours, before, 1e-6):
        return "G did not move. Did you detach G(z)? The gradient must pass through D into G."
    if _near(yours, minimax):
        return (
            "That is the minimax (saturating) loss log(1 − D(G(z))); here G maximises log D(G(z))."
        )
    if belief() < belief_before:
        return "After your step D believes less in the fakes: the sign."
    if not _near(yours, right):
        return "G moved, but not by this loss: the mean of softplus(−D(G(z)))."
    return None


def _ledgers(lr_G, lr_D):
    """The run of the exercise: the ledger after every 25 of its 500 steps."""
    target = targets.gaussian()
    x = densities.line(-5, 5, 200)
    p_data = target.log_prob(x[:, None]).exp()
    generator = torch.Generator().manual_seed(0)
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
    for step in range(1, 501):
        gan.step(target.sample(128, generator))
        if step % 25 == 0:
            seen.append(gan.ledger(p_data, x))
    return seen


def _first_to_object(ledgers):
    """The gauges of D that are above their level where any is for the first time; all, if never."""
    for ledger in ledgers:
        above = [gauge for gauge, level in LEVELS.items() if getattr(ledger, gauge) > level]
        if above:
            return above
    return list(LEVELS)


def _positive(rate):
    """A learning rate as a float."""
    (number,) = _as_many(rate, 1)
    if not 0 < number < inf:
        raise _Unasked(f"A learning rate is a positive number, got {number:g}.")
    return number


def _how_to_break(lr_G, lr_D):
    """Which player to change, and how, in a run that is not broken."""
    if lr_D > lr_G:
        return "D is the faster player, which is the safe side: make G the faster one, by far."
    return "G is the faster player, but not by far: make D much slower."


def break_it(answer):
    """(lr_G, lr_D, gauge): rates with which JS ends above 0.1, and the gauge of D that tells first.

    A gauge tells when it is above its level; the first 100 steps do not count.
    """
    if not isinstance(answer, (list, tuple)) or len(answer) != 3:
        raise _Unasked(f"(lr_G, lr_D, gauge) is asked, got {_shown(answer)}.")
    *rates, gauge = answer
    lr_G, lr_D = (_positive(rate) for rate in rates)
    if str(gauge) not in LEVELS:
        return f"The gauge is one of {', '.join(LEVELS)}."

    ledgers = _ledgers(lr_G, lr_D)
    js = ledgers[-1].js
    if js <= 0.1:
        return f"JS ends at {js:.3f}: this run is not broken. {_how_to_break(lr_G, lr_D)}"

    first = _first_to_object(ledgers[4:])
    if gauge not in first:
        return f"The run is broken, but {' and '.join(first)} showed it first, not {gauge}."
    return None


def false_peace(answer):
    """The `Ledger` of a run in which D says ½ although G is far from the data."""
    if answer is None:
        return "None stands for a run that diverged: look for one that is finite, calm and wrong."
    if not isinstance(answer, Ledger):
        return "Give one entry of the table, such as ledgers[0][0]."
    if answer.js <= 0.3:
        return f"Its JS is {answer.js:.3f}: that G did learn something. The peace must be false."
    if answer.off_half >= 0.05:
        return f"Its E|D − ½| is {answer.off_half:.3f}: that D does object."
    return None
