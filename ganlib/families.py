"""The taxonomy of generative models, a class a leaf (Goodfellow 2016, figure 9, arXiv:1701.00160).

All leaves open alike: `fit(law)`, `sample(n)`, `log_prob(x)`, which refuses and says why where
there is no density, and `law_on(x)`: the law of the samples on a grid, computed, not counted. A
likelihood is averaged over p_data itself on a grid: infinite data, so what is wrong in the end is
the leaf's own doing.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import logsigmoid, pad

from ganlib import chains, divergences, networks, targets
from ganlib.checks import (
    count,
    finite,
    method,
    one_of,
    positive,
    rises,
    row,
    rows,
    seed_of,
    tensor,
)
from ganlib.densities import line, pushforward
from ganlib.gan import GAN
from ganlib.schedule import fall

POSTERIORS = ("normal", "one width", "blind", "exact")
MOST = 10**7  # draws at once, and points of a grid
NORMAL = Normal(torch.tensor(0.0).double(), torch.tensor(1.0).double())


class Leaf:
    """What all leaves share.

    passes: how often one sample asks a network. why: the reason when there is no density.
    steps and rate: of training. sizes: those of the network, where the leaf has one.
    """

    name = ""
    branch = ""
    density = ""
    why = ""
    passes = 1
    steps = 500
    rate = 1e-2
    sizes: tuple[int, ...] = ()

    def fit(self, law, *, steps=None, seed=0):
        """Learn `law`, one-dimensional as in `targets`, from scratch in `steps` steps.

        Returns the leaf.
        """
        if getattr(law, "dim", None) != 1:
            raise ValueError(f"law must be one in one dimension, got {law!r}")
        method("law", law, "sample", "log_prob")
        if steps is None:
            steps = self.steps
        steps = count("steps", steps)
        seed_of(seed)

        for _ in self.training(law, steps=steps, seed=seed):
            pass
        return self

    def training(self, law, *, steps, seed=0):
        """The steps of `fit` one at a time, for a lab to play."""
        self.law = law
        self.generator = torch.Generator().manual_seed(seed)
        low, high = law.range
        x = line(low, high, 128)
        mass = law.log_prob(x[:, None]).softmax(0)

        parameters = list(self.build(seed))
        optimiser = torch.optim.Adam(parameters, lr=self.rate)
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = self.rate * fall(step, steps, floor=0.0)
            optimiser.zero_grad()
            self.loss(x, mass).backward()
            optimiser.step()
            yield

        for parameter in parameters:
            parameter.requires_grad_(False)

    def build(self, seed):  # fresh parameters
        cover = None
        if self.sizes[0] == 1:
            cover = self.law.range
        self.net = networks.mlp(*self.sizes, seed=seed, cover=cover).double()
        return self.net.parameters()

    def loss(self, x, mass):  # −E log p(x), unless a leaf has another
        return -mass @ self.log_prob(x[:, None])

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, (n,), for x (n, 1).

        TypeError, with the reason, where no formula gives it.
        """
        raise TypeError(f"{self.name} has no density: {self.why}")

    def law_on(self, x: Tensor) -> Tensor:
        """The density of what `sample` draws, (points,) float64, at the equally spaced grid x."""
        return self.log_prob(row("x", x)[:, None]).exp()

    def js(self, points=256) -> float:
        """JS(p_data, p_model) in nats, on a grid over the law's range.

        What falls outside is one more cell.
        """
        count("points", points, 2, MOST)
        low, high = self.law.range
        x = line(low, high, points)
        p = self.law.log_prob(x[:, None]).softmax(0)
        q = self.law_on(x) * (x[1] - x[0])

        outside = (1 - q.sum()).clamp(min=0)
        p = pad(p, (0, 1))
        q = torch.cat([q, outside[None]])
        q = q / q.sum()
        return float(divergences.js(p, q))


class Autoregressive(Leaf):
    """x as seven binary digits, each given those before it; flat within the last cell.

    p(x) = Π p(bₖ | b₁ … bₖ₋₁). One network reads digits as ±1, and 0 for those not yet known.
    Source: Larochelle & Murray 2011 (NADE).
    """

    name = "autoregressive"
    branch = "explicit, tractable"
    density = "exact"
    bits = 7
    passes = bits
    steps = 200
    sizes = (bits, 64, 64, 1)
    known = torch.ones(bits, bits).tril(-1).double()  # row k: the digits before k

    def log_prob(self, x):
        x = rows("x", x, 1)[:, 0].double()
        low, high = self.law.range
        cells = 2**self.bits
        cell = ((x - low) / (high - low) * cells).floor()
        places = torch.arange(self.bits).flip(0)
        bits = (cell.long()[:, None] >> places) & 1
        digits = 2.0 * bits - 1

        # All digits in one pass: to each the network sees those before it. (n, bits)
        seen = digits[:, None].double() * self.known
        logits = self.net(seen)[:, :, 0]
        log_mass = logsigmoid(digits * logits).sum(1)
        log_p = log_mass + math.log(cells / (high - low))
        inside = (cell >= 0) & (cell < cells)
        return log_p.where(inside, -math.inf)

    def sample(self, n, generator=None):
        n = count("n", n, 1, MOST)
        digits = torch.zeros(n, self.bits).double()
        for k in range(self.bits):  # one after the other: a digit needs those before it
            luck = torch.rand(n, generator=generator)
            p = self.net(digits)[:, 0].sigmoid()
            one = luck < p
            digits[:, k] = 2.0 * one - 1

        place_values = 2.0 ** torch.arange(self.bits - 1, -1, -1).double()
        cell = (digits + 1) @ place_values / 2
        within = torch.rand(n, generator=generator)
        place = (cell + within)[:, None]
        low, high = self.law.range
        return low + (high - low) * place / 2**self.bits


class Flow(Leaf):
    """A rising map f to the normal z: log p(x) = log N(f(x); 0, 1) + log f′(x).

    f(x) = x/30 + Σ e^wᵢ tanh(e^sᵢ (x − cᵢ)); a sample is f⁻¹(z), from a table of f.
    Source: Rezende & Mohamed 2015, arXiv:1505.05770.
    """

    name = "flow"
    branch = "explicit, tractable"
    density = "exact"
    steps = 300
    rate = 3e-2
    terms = 24  # of the sum

    def build(self, seed):
        n = self.terms
        low, high = self.law.range
        places = torch.arange(n) + torch.rand(n, generator=self.generator)
        c = low + (high - low) * places / n
        s, w = torch.tensor([n / (high - low), 1 / 8]).log()
        bends = torch.stack([c, s.expand(n), w.expand(n)])
        self.bends = bends.double().requires_grad_()
        return [self.bends]

    def map(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z = f(x) and the slope f′(x), (n,) each, for x (n,)."""
        x = row("x", x)
        c, s, w = self.bends
        bend = torch.tanh(s.exp() * (x[:, None] - c))
        z = x / 30 + bend @ w.exp()
        slope = 1 / 30 + (1 - bend**2) @ (w + s).exp()
        return z, slope

    def log_prob(self, x):
        x = rows("x", x, 1)[:, 0].double()
        z, slope = self.map(x)
        return NORMAL.log_prob(z) + slope.log()

    def sample(self, n, generator=None):
        n = count("n", n, 1, MOST)
        z = torch.randn(n, 1, generator=generator).double()
        x = line(-60, 60, 20_000)
        f, _ = self.map(x)
        return torch.from_numpy(np.interp(z, f, x))


class VAE(Leaf):
    """z ~ N(0, 1), x|z ~ N(g(z), σ²); an encoder turns the likelihood into a bound, in nats.

    With q(z|x) = N(m(x), s(x)²) the bound is
    ELBO(x) = E_q log p(x|z) − KL(q(z|x)‖p(z)) = log p(x) − KL(q(z|x)‖p(z|x)).

    posterior: "normal", "one width" (one s for all x), "blind" (one q for all x) or "exact": p(z|x)
    itself, no gap. pull: weight of the KL to the prior in training. width: hidden units of g, 0 for
    a straight line. Source: Kingma & Welling 2014, arXiv:1312.6114.
    """

    name = "VAE"
    branch = "explicit, variational"
    density = "bounded below"
    steps = 600

    def __init__(self, posterior="normal", *, pull=1.0, width=32):
        self.posterior = one_of("posterior", posterior, POSTERIORS)
        self.pull = positive("pull", pull)
        self.width = count("width", width, 0, 10_000)

    def build(self, seed):
        if self.width:
            g = networks.mlp(1, self.width, self.width, 1, seed=seed, cover=(-3, 3))
        else:
            g = networks.mlp(1, 1, seed=seed)
        encoder = networks.mlp(1, 32, 32, 2, seed=seed + 1, cover=self.law.range)

        self.g = g.double()
        self.encoder = encoder.double()
        self.log_s = torch.tensor(0.0).double().requires_grad_()
        self.log_sigma = torch.tensor(-0.5).double().requires_grad_()
        return [*self.g.parameters(), *self.encoder.parameters(), self.log_s, self.log_sigma]

    def encode(self, x: Tensor) -> Normal:
        """q(z|x) for x (n,): a law of z for every x, not a point."""
        x = row("x", x).double()
        seen = x
        if self.posterior == "blind":
            seen = 0 * x
        m, log_s = self.encoder(seen[:, None]).T
        if self.posterior == "normal":
            log_s = log_s.clamp(-7, 3)
        else:
            log_s = self.log_s.expand_as(m)
        return Normal(m, log_s.exp())

    def joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x, z) = log p(x|z) + log p(z), (n, k), for x (n,) and z (k,) or (n, k)."""
        x = row("x", x).double()
        z = tensor("z", z).double()
        if z.ndim not in (1, 2) or (z.ndim == 2 and len(z) != len(x)):
            raise ValueError(f"z must be (k,) or ({len(x)}, k), got {tuple(z.shape)}")
        mean = self.g(z.reshape(-1, 1)).reshape(z.shape)
        given_z = Normal(mean, self.log_sigma.exp())
        log_x = given_z.log_prob(x[:, None])
        return log_x + NORMAL.log_prob(z)

    def elbo(self, x: Tensor, *, nodes=64, pull=1.0) -> Tensor:
        """The bound at x (n,): E_q log p(x, z) + H(q).

        z = m + s ξ at Gauss–Hermite nodes ξ, not random ones.
        """
        x = row("x", x).double()
        count("nodes", nodes, 1, 100)
        finite("pull", pull)
        if self.posterior == "exact":
            return self.log_prob(x[:, None], cells=400)

        xi, weight = map(torch.from_numpy, np.polynomial.hermite_e.hermegauss(nodes))
        q = self.encode(x)
        z = q.mean[:, None] + q.stddev[:, None] * xi
        weight = weight / weight.sum()
        bound = self.joint(x, z) @ weight + q.entropy()
        gap = kl_divergence(q, NORMAL)
        return bound + (1 - pull) * gap

    def log_prob(self, x, cells=4000):
        # log ∫ p(x, z) dz over cells of z: in one dimension that can be done.
        cells = count("cells", cells, 2, MOST)
        z = line(-8, 8, cells)
        x = rows("x", x, 1)[:, 0].double()
        log_sum = self.joint(x, z).logsumexp(1)
        return log_sum + math.log(16 / cells)

    def loss(self, x, mass):
        return -mass @ self.elbo(x, nodes=12, pull=self.pull)

    def sample(self, n, generator=None):
        count("n", n, 1, MOST)
        z, noise = torch.randn(2, n, 1, generator=generator).double()
        return self.g(z) + self.log_sigma.exp() * noise


class Chain(Leaf):
    """A leaf that samples by `passes` times `walk`, from N(0, 1) on.

    `kernel` is one `walk` as a matrix on a grid.
    """

    walk: Callable[..., Tensor]
    kernel: Callable[[Tensor], Tensor]

    def sample(self, n, generator=None):
        n = count("n", n, 1, MOST)
        x = torch.randn(n, 1, generator=generator).double()
        for _ in range(self.passes):
            x = self.walk(x, generator)
        return x

    def law_on(self, x):
        x = row("x", x)
        if not rises(x):
            raise ValueError("x must be a rising grid, at least two points")

        # The grid is twice as wide as x: walkers who leave x may come back.
        half = len(x) // 2
        step = x[1] - x[0]
        wide = x[0] + step * torch.arange(-half, len(x) + half)

        start = NORMAL.log_prob(wide).softmax(0)
        walks = torch.matrix_power(self.kernel(wide), self.passes)
        end = start @ walks
        return end[half : half + len(x)] / step


class Energy(Chain):
    """p(x) = e^(−E(x)) / Z, learned and sampled by a chain.

    The slope of E log p is E_model[∇E] − E_data[∇E]; E_model is an average over walkers that are
    kept from step to step (Tieleman 2008).
    """

    name = "energy"
    branch = "explicit, Markov chain"
    density = "up to a constant"
    passes = 100
    steps = 250
    sizes = (1, 32, 32, 1)

    def __init__(self, size=1.0, *, langevin=False):
        self.size = positive("size", size)
        self.langevin = langevin
        self.walkers = torch.zeros(512, 1).double()

    def log_p(self, x: Tensor) -> Tensor:
        """−E(x) = log p(x) + log Z, (n,), for x (n, 1): a network, and a bowl for the walkers."""
        x = rows("x", x, 1).double()
        bowl = x[:, 0] ** 2 / 18  # keeps them in
        return self.net(x)[:, 0] - bowl

    def walk(self, x, generator):
        walkers, _ = chains.hop(self.log_p, x, self.size, generator, langevin=self.langevin)
        return walkers

    def kernel(self, x):
        log_p = self.log_p(x[:, None])
        return chains.transition(log_p, self.size, x, langevin=self.langevin)

    def loss(self, x, mass):
        for _ in range(5):
            self.walkers = self.walk(self.walkers, self.generator)
        of_model = self.log_p(self.walkers).mean()
        of_data = mass @ self.log_p(x[:, None])
        return of_model - of_data

    def log_prob(self, x):
        # Z over cells of x: in one dimension that can be done.
        cells = line(-15, 15, 4000)
        log_sum = self.log_p(cells[:, None]).logsumexp(0)
        return self.log_p(x) - log_sum - math.log(30 / 4000)


class Walk(Chain):
    """Add noise, draw a clean x from what is seen, and so on: it rests at p_data.

    x̃ = x + noise·ξ, then x from a learned p(x|x̃) = N(m(x̃), s(x̃)²). With little noise the normal
    is right and the walk is slow; with much noise the reverse.
    Source: generative stochastic networks, Bengio et al. 2014, arXiv:1306.1091.
    """

    name = "noise and clean"
    branch = "implicit, Markov chain"
    density = "none"
    why = "one walk has a density, the law where walking comes to rest has no formula"
    passes = 100
    steps = 400
    sizes = (1, 32, 32, 2)

    def __init__(self, noise=0.3):
        self.noise = positive("noise", noise)

    def clean(self, seen: Tensor) -> Normal:
        """p(x|x̃), a normal for each of the noisy x̃, (n,)."""
        seen = row("seen", seen).double()
        shift, log_s = self.net(seen[:, None]).T
        return Normal(seen + shift, (log_s - 1).exp())

    def walk(self, x, generator):
        noise, draw = torch.randn(2, len(x), generator=generator)
        seen = x[:, 0] + self.noise * noise
        clean = self.clean(seen)
        x = clean.mean + clean.stddev * draw
        return x[:, None]

    def kernel(self, x):
        distance = (x - x[:, None]) / self.noise
        add_noise = (-(distance**2) / 2).softmax(1)
        log_p = self.clean(x).log_prob(x[:, None])
        make_clean = log_p.softmax(0).T
        return add_noise @ make_clean

    def loss(self, x, mass):
        copies = 4  # noisy ones, of every x
        noise = torch.randn(copies, len(x), generator=self.generator)
        seen = x + self.noise * noise
        clean = self.clean(seen.flatten())
        log_p = clean.log_prob(x.repeat(copies))
        return -(log_p @ mass.repeat(copies)) / copies


class Adversarial(Leaf):
    """The GAN, `gan.GAN`: x = G(z) in one pass, z uniform.

    Only D teaches G, and an R1 penalty keeps D calm.
    """

    name = "GAN"
    branch = "implicit, direct"
    density = "none"
    why = "G only draws; p(x) would need every z with G(z) = x"
    steps = 800

    def training(self, law, *, steps, seed=0):
        self.law = law
        generator = torch.Generator().manual_seed(seed)
        real = law
        if hasattr(law, "from_uniform") or hasattr(law, "quantile"):
            real = targets.even(law)
        z = targets.even(targets.uniform())
        G = networks.mlp(1, 32, 32, 1, seed=seed, cover=(-1, 1))
        D = networks.mlp(1, 48, 48, 1, seed=seed + 1, cover=law.range, slope=12)
        self.gan = GAN(G, D, z, betas=(0, 0.9), penalty="r1", penalty_weight=0.05, seed=seed)

        for step in range(steps):
            share = fall(step, steps, floor=0.0)
            self.gan.lr_G = 2e-3 * share
            self.gan.lr_D = 1e-2 * share
            self.gan.step(real.sample(256, generator))
            yield

    def law_on(self, x):
        return pushforward(self.gan.G, targets.uniform(), row("x", x))

    def sample(self, n, generator=None):
        z = targets.uniform().sample(n, generator)
        return self.gan.G(z).detach()


LEAVES = [Autoregressive, Flow, VAE, Energy, Adversarial, Walk]
