"""What networks and optimisers remember, as tensors under flat names; and back, checked and copied.

What comes from a file may be anything. It is compared with the networks that it is for, in names,
shapes, kinds and sizes of its numbers, before anything is changed; then its numbers are copied.
Nothing of the file is kept, and an optimiser's options never come from one.
"""

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganlib.checks import all_finite, of_kind

Nets = dict[str, nn.Module]
Optimisers = dict[str, Optimizer]


def flat(nets: Nets, optimisers: Optimisers) -> dict[str, Tensor]:
    """All weights, and what Adam remembers of them: `G.0.weight`, `opt_G.0.exp_avg`."""
    _check(nets, optimisers)
    found = _weights(nets)
    for part, optimiser in optimisers.items():
        for number, parameter in enumerate(_parameters(optimiser)):
            remembered = optimiser.state.get(parameter, {})
            for name, value in remembered.items():
                found[f"{part}.{number}.{name}"] = torch.as_tensor(value)
    return found


def restore(found: dict[str, Tensor], nets: Nets, optimisers: Optimisers) -> None:
    """Copy what `flat` gave into networks and optimisers.

    ValueError, and nothing is changed, if it is not what these need.
    """
    _check(nets, optimisers)
    of_kind("found", found, dict)
    like = _weights(nets)
    for part, optimiser in optimisers.items():
        remembers = any(name.startswith(f"{part}.") for name in found)
        if remembers:  # before its first step it does not
            like |= _memory(part, optimiser)
    fit = fitting(found, like)

    with torch.no_grad():
        for name, value in _weights(nets).items():
            value.copy_(fit[name])
    for part, optimiser in optimisers.items():
        optimiser.state.clear()
        for number, parameter in enumerate(_parameters(optimiser)):
            start = f"{part}.{number}."
            own = {}
            for name, value in fit.items():
                if name.startswith(start):
                    own[name.removeprefix(start)] = value
            if own:
                optimiser.state[parameter] = own


def fitting(found: dict[str, Tensor], like: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copies of the tensors of `found` that `like` names, on its devices and in its layout.

    ValueError names the first that is missing, has another shape or kind of numbers, is not finite,
    or is negative where it counts or is a mean of squares.
    """
    of_kind("found", found, dict)
    of_kind("like", like, dict)
    fit = {}
    for name, wanted in like.items():
        if name not in found:
            raise ValueError(f"there is no {name}")
        value = of_kind(f"{name} of found", found[name], Tensor)
        of_kind(f"{name} of like", wanted, Tensor)
        _check_fit(name, value, wanted)
        fit[name] = torch.empty_like(wanted).copy_(value)
    return fit


def _check_fit(name: str, value: Tensor, wanted: Tensor) -> None:
    """ValueError unless a tensor may stand in the place of the one that is wanted."""
    if value.shape != wanted.shape:
        raise ValueError(f"{name} is {tuple(value.shape)}, not {tuple(wanted.shape)}")
    if value.dtype != wanted.dtype:
        raise ValueError(f"{name} has numbers of {value.dtype}, not {wanted.dtype}")
    if value.is_floating_point() and not all_finite(value):
        raise ValueError(f"{name} has numbers that are not finite")
    at_least_0 = name.endswith((".step", ".exp_avg_sq"))
    if at_least_0 and bool((value < 0).any()):
        raise ValueError(f"{name} must not be negative")


def generator_state(found: dict[str, Tensor], name: str, device="cpu") -> Tensor:
    """A copy of the tensor of that name; ValueError if no generator on that device takes it."""
    trial = torch.Generator(device)
    like = {name: trial.get_state()}
    state = fitting(found, like)[name]
    try:
        trial.set_state(state)
    except RuntimeError as error:
        raise ValueError(f"{name} is no state of a generator: {error}") from None
    return state


def _check(nets: Nets, optimisers: Optimisers) -> None:
    """ValueError unless they are networks and optimisers, by name."""
    for name, net in of_kind("nets", nets, dict).items():
        of_kind(f"{name} of nets", net, nn.Module)
    for name, optimiser in of_kind("optimisers", optimisers, dict).items():
        of_kind(f"{name} of optimisers", optimiser, Optimizer)


def _weights(nets: Nets) -> dict[str, Tensor]:
    found = {}
    for part, net in nets.items():
        for name, value in net.state_dict().items():
            found[f"{part}.{name}"] = value
    return found


def _parameters(optimiser: Optimizer) -> list[Tensor]:
    found = []
    for group in optimiser.param_groups:
        found += group["params"]
    return found


def _memory(part: str, optimiser: Optimizer) -> dict[str, Tensor]:
    """The like of what an optimiser remembers: of SGD nothing."""
    if not isinstance(optimiser, Adam):
        return {}
    like = {}
    for number, parameter in enumerate(_parameters(optimiser)):
        own = optimiser.state.get(parameter, {})
        none_yet = torch.zeros((), device=parameter.device)
        step = own.get("step", none_yet)
        start = f"{part}.{number}"
        like[f"{start}.step"] = torch.as_tensor(step)
        like[f"{start}.exp_avg"] = parameter.detach()
        like[f"{start}.exp_avg_sq"] = parameter.detach()
    return like
