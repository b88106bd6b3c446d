"""How networks are run on a GPU: precision, compiler, draws, CUDA graphs, sums in a fixed order.

What needs no GPU works on a CPU, too, where the tests try it.
"""

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

# -- networks --------------------------------------------------------------------------------------


class MixedPrecision(nn.Module):
    """A network that computes in bf16; what leaves it is float32.

    The loss is a softplus of logits, and softplus needs the digits that bf16 lacks.
    """

    def __init__(self, net: nn.Module, device: str):
        super().__init__()
        self.net = net
        self.device = device

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(self.device, torch.bfloat16):
            answer = self.net(x)
        return answer.float()


class Compiled(nn.Module):
    """A network whose forward pass is compiled; hooks on it are not.

    `net.compile()` compiles nothing if net is an `nn.Sequential`: torch skips the code of its own
    containers. So a function of ours is compiled, which calls it. Each network has a code object of
    its own, since torch counts for each code how often it was compiled, and gives up after 8 times.
    graphs: how many were made of it so far.
    """

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net
        self.graphs = 0

        def ask(x: Tensor) -> Tensor:
            return net(x)

        own = FunctionType(ask.__code__.replace(), globals(), "ask", None, ask.__closure__)
        self.ask = torch.compile(own, backend=self._inductor)

    def _inductor(self, graph, examples):
        """What `torch.compile` takes unless told otherwise, counted."""
        from torch._inductor.compile_fx import compile_fx

        self.graphs += 1
        return compile_fx(graph, examples)

    def forward(self, x: Tensor) -> Tensor:
        return self.ask(x)


# -- draws -----------------------------------------------------------------------------------------


def generator_on(device: torch.device, seed: int) -> torch.Generator:
    """A generator that draws on this device."""
    return torch.Generator(device).manual_seed(seed)


def placed(law, device: torch.device):
    """A law with its numbers on this device, so that to draw there copies nothing."""
    twin = copy.copy(law)
    for name, value in vars(law).items():
        if isinstance(value, Tensor):
            setattr(twin, name, value.to(device))
    return twin


class Share:
    """A prior of which this process takes its part: the draws of all `world` are one draw, cut."""

    def __init__(self, prior, rank: int, world: int):
        self.prior = prior
        self.rank = rank
        self.world = world

    def sample(self, n, generator=None):
        whole = self.prior.sample(n * self.world, generator)
        return whole.chunk(self.world)[self.rank]


def pushed(x: Tensor, device: torch.device) -> Tensor:
    """x on this device; from the CPU to a GPU through pinned memory, so that nobody waits."""
    if device.type != "cuda" or x.is_cuda:
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)


# -- CUDA graphs -----------------------------------------------------------------------------------

WARM_UP = 3  # steps before a capture: libraries choose their kernels and take their memory


@contextmanager
def side_stream(device: torch.device) -> Iterator[None]:
    """A CUDA stream of its own, as torch asks for what comes before a capture; else nothing."""
    if device.type != "cuda":
        yield
        return
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream(device).wait_stream(stream)


def capture(play: Callable[[], Any], device: torch.device, *generators) -> Callable[[], Any]:
    """What `play` launches, as one CUDA graph: the function that launches all of it again.

    `play` is called once, to be recorded, and computes nothing then. It may read nothing back, and
    what changes from time to time must lie in tensors that keep their place. generators: those that
    it draws from, besides torch's own.
    """
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    with torch.cuda.device(device), torch.cuda.graph(graph):
        play()
    return graph.replay


def has_graphs(device: torch.device) -> bool:
    """Whether a step on this device can be a CUDA graph."""
    return device.type == "cuda"


class WholeStep:
    """A step of a GAN, D and then G, as one CUDA graph.

    take: a function of the real data that takes `gan.step` and returns its record, all of it
    tensors. The first steps are taken plainly; then one is recorded, and recorded again when loss,
    penalty or the shape of a batch change. Both rates may be set at any time.
    """

    def __init__(self, gan, take: Callable[[Tensor], dict[str, Tensor]]):
        self.gan = gan
        self.take = take
        self.plain = WARM_UP
        self.rules: tuple = ()

    def __call__(self, real: Tensor) -> dict[str, Tensor]:
        """What `take(real)` does and gives."""
        gan = self.gan
        if self.plain > 0:
            self.plain -= 1
            with side_stream(gan.device):
                return self.take(real)

        rules = (gan.loss, gan.penalty, gan.penalty_weight, gan.d_steps, gan.one_pass, real.shape)
        if rules != self.rules:
            self._record(real)
            self.rules = rules
        self.real.copy_(real)
        for rate, lr in zip(self.rates, (gan.lr_G, gan.lr_D)):
            rate.fill_(lr)
        self.replay()

        record = {name: value.clone() for name, value in self.record.items()}
        gan.steps += 1
        gan.history.append(record)
        return record

    def _record(self, real: Tensor) -> None:
        """Record a step that is not taken: steps, history and rates stay as they are."""
        gan = self.gan
        groups = [optimiser.param_groups[0] for optimiser in (gan.opt_G, gan.opt_D)]
        rates = [group["lr"] for group in groups]
        steps = gan.steps
        noted = len(gan.history)
        self.real = real.clone()
        self.rates = [torch.tensor(lr, device=gan.device) for lr in rates]
        for group, rate in zip(groups, self.rates):
            group["lr"] = rate
        try:
            self.replay = capture(self._play, gan.device, gan.generator)
        except RuntimeError as error:
            raise RuntimeError(f"this step cannot be one CUDA graph: {error}") from error
        finally:
            for group, lr in zip(groups, rates):
                group["lr"] = lr
            gan.steps = steps
            del gan.history[noted:]

    def _play(self) -> None:
        self.record = self.take(self.real)


# -- sums in a fixed order -------------------------------------------------------------------------


@contextmanager
def numerics(device: torch.device, deterministic: bool) -> Iterator[None]:
    """Within it equal inputs give equal bits, if `deterministic`; else a GPU tries what is fastest.

    What torch was told before is restored.
    """
    cudnn = torch.backends.cudnn
    tried = cudnn.benchmark
    fixed = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    if deterministic:
        # cuBLAS reads this when it takes its memory: before the first product on the GPU.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    if device.type == "cuda":
        cudnn.benchmark = not (deterministic or fixed)
    try:
        yield
    finally:
        if device.type == "cuda":
            cudnn.benchmark = tried
        if deterministic:
            torch.use_deterministic_algorithms(fixed, warn_only=only_warned)
