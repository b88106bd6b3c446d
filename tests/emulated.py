"""A GPU that is not there: tensors without numbers, which say on which device they would be.

    python tests/emulated.py       # prints, as JSON, how often each part of ganlib reads the GPU

Torch's FakeTensorMode keeps shape, kind and device of each tensor, and raises where one operation
is given two devices. The device is called gpu: this torch may know nothing of CUDA. Numbers that a
program reads are made up, and counted: on a real GPU each of them waits for all work before it.

What it cannot show: the checks of CUDA's own kernels, streams, graphs, random numbers, speed.
"""

import copy
import json
import sys
from collections import Counter
from itertools import product

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from ganlib import gpu, medicine, metrics, sweep, targets, training
from ganlib.gan import GAN
from ganlib.labs import pictures
from ganlib.losses import LOSSES, PENALTIES
from ganlib.networks import dcgan_discriminator, dcgan_generator, mlp
from ganlib.training import Run

_setup_privateuseone_for_python_backend("gpu")
GPU = torch.device("gpu:0")
aten = torch.ops.aten


class Generator(torch.Generator):
    """A generator of the CPU that says it is on the GPU."""

    device = GPU


class Emulated(TorchDispatchMode):
    """Within it tensors can be on a GPU that is not there; `counts` has what crossed over."""

    def __init__(self):
        super().__init__()
        self.fake = FakeTensorMode(allow_non_fake_inputs=True)
        self.counts = Counter()

    def __enter__(self):
        self.fake.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self.fake.__exit__(*error)

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        args, kwargs = tree_map(self._without_numbers, (args, kwargs or {}))
        if operation is aten._local_scalar_dense.default:
            return self._read(*args)
        if operation is aten.equal.default:
            self.counts["reads"] += 1
            return True
        if operation is aten._fused_sgd_.default:  # torch has no rule for it
            weights, slopes = args[:2]
            assert {part.device for part in (*weights, *slopes)} == {weights[0].device}
            return None
        answer = operation(*args, **kwargs)
        if operation.overloadpacket is aten.any:
            answer.of_any = True
        if operation is aten._to_copy.default and args[0].device != answer.device:
            self._note(args[0], answer)
        if operation is aten.copy_.default and args[0].device != args[1].device:
            self._note(args[1], args[0])
        return answer

    def _without_numbers(self, value):
        if isinstance(value, torch.Tensor) and not isinstance(value, FakeTensor):
            return self.fake.from_tensor(value)
        return value

    def _note(self, x, copied):
        """A copy to the CPU waits for the GPU; one to the GPU may not."""
        self.counts["reads" if copied.device.type == "cpu" else "sent"] += 1

    def _read(self, x):
        if x.device.type == "cpu":
            if x.constant is not None:
                return x.constant.item()
        else:
            self.counts["reads"] += 1
        if x.dtype == torch.bool:  # all are, and none is: what a check of good input finds
            return not hasattr(x, "of_any")
        return 0.5 if x.dtype.is_floating_point else 1


def there(x):
    """A tensor like x on the GPU, without its numbers."""
    return torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device=GPU)


def moved(net):
    """A network like this one on the GPU."""
    with _disable_current_modes():
        net = copy.deepcopy(net)
    return to(net, GPU)


def to(net, device=GPU, *, memory_format=None):
    """`net.to`, which exchanges the weights of a network: torch's own cannot do it here."""
    if memory_format is not None:
        return net
    for layer in net.modules():
        for name, weight in layer._parameters.items():
            if weight is not None:
                learns = weight.requires_grad
                layer._parameters[name] = nn.Parameter(there(weight), requires_grad=learns)
        for name, buffer in layer._buffers.items():
            if buffer is not None:
                layer._buffers[name] = there(buffer)
    return net


# -- what is tried -----------------------------------------------------------------------------

LINE = mlp(1, 4, 1), mlp(1, 4, 1), targets.gaussian()
PICTURES = dcgan_generator(width=2), dcgan_discriminator(width=2), targets.gaussian(dim=32)
UNIT = (
    dcgan_generator(width=2),
    dcgan_discriminator(width=2, norm="spectral"),
    targets.gaussian(dim=32),
)
RING = targets.ring()
SHAPES = {1: (16, 1), 32: (16, 1, 8, 8)}  # of real data, by the dimension of z


def gan_on(kind, **knobs):
    G, D, prior = kind
    return GAN(moved(G), moved(D), prior, seed=0, **knobs)


def of_a_step(kind, **knobs):
    """One `GAN.step` on data that are there already."""

    def play(mode):
        gan_on(kind, **knobs).step(there(torch.zeros(SHAPES[kind[2].dim])))

    return play


def of_a_run(steps, **way):
    """`Run.step` so many times; the first of a run is not counted."""

    def play(mode):
        run = Run(gan_on(PICTURES), there(torch.zeros(64, 1, 8, 8)), batch=16, **way)
        run.step()
        mode.counts.clear()
        for _ in range(steps):
            run.step()

    return play


def of_a_medicine(dose):
    def play(mode):
        def D(inputs, wrap):
            return moved(wrap(mlp(2 * inputs, 8, 1)))

        how = {"lr_G": 1e-2, "lr_D": 1e-2, "seed": 0}
        gan, mean = medicine.treat(moved(mlp(2, 8, 2)), D, RING, dose, **how)
        gan.step(there(torch.zeros(16, 2)))
        mean(there(torch.zeros(4, 2)))

    return play


def of_a_sweep(**how):
    """The steps of a sweep, without what is drawn before and brought home after."""

    def play(mode):
        def new_gan(seed):
            return GAN(mlp(1, 8, 1), mlp(1, 8, 1), targets.uniform(), seed=seed, **how)

        rates = torch.full((4,), 1e-3)
        gans = [new_gan(0), new_gan(1)]
        program = sweep._Program(gans, torch.tensor([0, 0, 1, 1]), rates, rates, GPU)
        drawn = [torch.zeros(2, 16 * program.gan.d_steps, 1)]
        drawn += [torch.zeros(2, 16, 1)] * (program.gan.d_steps + 1)
        program.step(drawn, 1.0)
        mode.counts.clear()
        program.step(drawn, 1.0)

    return play


def of_metrics(mode):
    x = there(torch.zeros(40, 1, 8, 8))
    labels = torch.zeros(40, dtype=torch.long)  # on the CPU
    net = metrics.classifier(there(torch.zeros(40, 1, 8, 8)), labels, steps=2)
    metrics.predict(net, torch.zeros(40, 1, 8, 8))
    metrics.precision_recall(x, torch.zeros(40, 1, 8, 8))
    metrics.frechet(metrics.features(net, x), torch.zeros(40, 64))
    metrics.memorised(x, torch.zeros(40, 1, 8, 8), torch.zeros(20, 1, 8, 8))


def of_samples(mode):
    run = Run(gan_on(PICTURES), there(torch.zeros(64, 1, 8, 8)), batch=16)
    assert run.sample(9).device == GPU


def of_asking(mode):
    """What the labs of pictures do with networks that are on the GPU."""
    G, D, prior = (*map(moved, PICTURES[:2]), PICTURES[2])
    z = prior.sample(8, torch.Generator())
    made = pictures.ask(G, z)
    assert made.device.type == "cpu" and pictures.ask(D, made).device.type == "cpu"


def cases():
    """By name, what is played."""
    found = {}
    for loss, penalty, optimiser in product(LOSSES, (None, *PENALTIES), ("adam", "sgd")):
        if optimiser == "adam" or penalty is None:
            knobs = {"loss": loss, "penalty": penalty, "optimiser": optimiser}
            found[f"step: {loss}, {penalty}, {optimiser}"] = of_a_step(LINE, **knobs)
    found["step: pictures, gradient penalty"] = of_a_step(PICTURES, penalty="gradient penalty")
    found["step: spectral norm"] = of_a_step(UNIT)
    found["step: d_steps 2"] = of_a_step(LINE, d_steps=2)
    for name in ("spectral norm", "average of G, 0.99", "extragradient", "instance noise 0.3"):
        found[f"medicine: {name}"] = of_a_medicine(medicine.MEDICINE[name])
    found["run: 2 steps"] = of_a_run(2)
    found["run: 2 steps, on_device"] = of_a_run(2, on_device=True)
    found["run: 2 steps, read 3"] = of_a_run(2, on_device=True, read=3)
    found["run: 2 steps, read 50"] = of_a_run(2, on_device=True, read=50)
    found["run: samples"] = of_samples
    found["sweep"] = of_a_sweep()
    found["sweep: gradient penalty"] = of_a_sweep(penalty="gradient penalty", d_steps=2)
    found["sweep: r1, sgd, hinge"] = of_a_sweep(penalty="r1", optimiser="sgd", loss="hinge")
    found["metrics"] = of_metrics
    found["labs: a network is asked"] = of_asking
    return found


def tried(play):
    """What it read and sent, or what was wrong."""
    mode = Emulated()
    try:
        with mode:
            play(mode)
    except Exception as error:
        return {"wrong": f"{type(error).__name__}: {error}"[:300]}
    return dict(mode.counts)


def main():
    nn.Module.to = to
    gpu.generator_on = lambda device, seed: Generator().manual_seed(seed)
    training.fingerprint = lambda x: "pictures without numbers"
    json.dump({name: tried(play) for name, play in cases().items()}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
