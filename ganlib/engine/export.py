"""What the engine in the browser must know of a GAN and of laws, as plain data for JSON; and back.

The descriptions are read by build.js, targets.js and session.js. What the engine does not know is
refused with a ValueError that names the part: such a GAN stays with the kernel.
"""

import base64
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ganlib import networks, targets
from ganlib.checks import count, one_of
from ganlib.losses import LOSSES, PENALTIES
from ganlib.states import restore

ROOM = Path(__file__).parent
WORDS = 624  # of state in the generator MT19937

# How torch keeps such a generator: its seed, the words left, a flag, the next word, and the words;
# then what waits of a pair of normals, in double precision and in float.
STATE = struct.Struct(f"<QiiQ{WORDS}Q3di4xf?3x")


def wasm() -> str:
    """engine.wasm as base64 text, for a page that may not fetch it."""
    return _base64((ROOM / "engine.wasm").read_bytes())


def gan(gan) -> dict:
    """A GAN: {G, D, prior, settings}, without its state (see `state`)."""
    known: dict = {"loss": LOSSES, "penalty": {None: None, **PENALTIES}}
    for name, table in known.items():
        value = getattr(gan, name)
        if not isinstance(value, str | None) or value not in table:
            raise ValueError(
                f"the browser's engine knows no {name} but those of ganlib, not {value}"
            )

    settings = {
        "loss": gan.loss,
        "lr_G": gan.lr_G,
        "lr_D": gan.lr_D,
        "betas": list(gan.betas),
        "optimiser": gan.optimiser,
        "d_steps": gan.d_steps,
        "penalty": gan.penalty,
        "penalty_weight": gan.penalty_weight,
        "seed": gan.generator.initial_seed() % 2**32,
    }
    return {
        "G": network(gan.G, "G"),
        "D": network(gan.D, "D"),
        "prior": law(gan.prior),
        "settings": settings,
    }


def network(net, name: str = "network", *, seed: int | None = None) -> dict:
    """A tanh `mlp`: {sizes, cover} and its weights, or their `seed` if it gives the same ones."""
    layers = _linear_layers(net, name)
    described = {
        "sizes": [layers[0].in_features, *(layer.out_features for layer in layers)],
        "cover": list(net.cover) if getattr(net, "cover", None) else None,
    }
    if seed is not None and _drawn_from(net, described, seed):
        return {**described, "seed": seed}
    return {**described, "weights": weights(net)}


def weights(net) -> list[float]:
    """All weights of `net` in torch's order, W and b of each layer."""
    numbers = []
    for part in net.parameters():
        numbers += part.detach().flatten().tolist()
    return numbers


def _linear_layers(net, name: str) -> list[nn.Linear]:
    """The linear layers of a tanh `mlp`; ValueError names the layer that does not fit."""
    layers: list = list(net) if isinstance(net, nn.Sequential) else [net]
    for place, layer in enumerate(layers):
        kind = nn.Linear if place % 2 == 0 else nn.Tanh
        fits = type(layer) is kind and getattr(layer, "bias", True) is not None
        if not fits or len(layers) % 2 == 0:
            raise ValueError(
                "the browser's engine knows linear layers with offsets and tanh between them; "
                f"layer {place} of {name} is {layer!r}"
            )
    linear = layers[::2]
    if len({id(layer) for layer in linear}) < len(linear):
        raise ValueError(f"the browser's engine knows no layer that stands twice in {name}")
    for before, after in pairwise(linear):
        if before.out_features != after.in_features:
            raise ValueError(f"the layers of {name} do not fit each other")
    return linear


def _drawn_from(net, described: dict, seed: int) -> bool:
    """Whether `mlp` with this seed has the weights of `net`."""
    same: Any = networks.mlp(*described["sizes"])
    same.cover = net.cover if described["cover"] else None
    networks.reinitialise(same, seed)
    return weights(same) == weights(net)


def law(law) -> dict:
    """A law of ganlib.targets; ValueError for any other."""
    if isinstance(law, targets.Even):
        return {**_law(law.law), "drawn_evenly": True}
    return _law(law)


def _law(law) -> dict:
    units = {name: getattr(law, name, None) for name in ("name", "shift", "scale", "unit")}
    if isinstance(law, targets.Uniform):
        return {"kind": "uniform", "low": law.low, "high": law.high, **units}
    if not isinstance(law, targets.Mixture):
        raise ValueError(f"the browser's engine knows mixtures and uniform laws, not {law!r}")

    means = law.means.flatten().tolist()
    stds = law.stds.tolist()
    if len(set(stds)) == 1:
        del stds[1:]
    return {
        "kind": "mixture",
        "means": [float(f"{mean:.9g}") for mean in means],  # as float32
        "stds": stds,
        "weights": law.weights.tolist(),
        "dim": law.dim,
        **units,
    }


def state(gan) -> dict:
    """Everything that the next step depends on, as `GAN.state` of gan.js gives it."""
    return {
        "G": weights(gan.G),
        "D": weights(gan.D),
        "opt_G": _memory(gan.opt_G),
        "opt_D": _memory(gan.opt_D),
        "optimiser": gan.optimiser,
        "generator": generator_state(gan.generator),
        "steps": gan.steps,
    }


def adopt(gan, state: dict) -> None:
    """Put a state from the browser into `gan`; ValueError, and no change, if it does not fit."""
    if state["optimiser"] != gan.optimiser:
        raise ValueError(f"the state is of {state['optimiser']}, the GAN has {gan.optimiser}")
    steps = count("steps", state["steps"], 0)
    generator = generator_bytes(state["generator"])
    torch.Generator().set_state(generator)

    nets = {name: getattr(gan, name) for name in ("G", "D")}
    optimisers = {f"opt_{name}": getattr(gan, f"opt_{name}") for name in nets}
    found: dict[str, torch.Tensor] = {}
    for name, net in nets.items():
        found |= _named(name, net, state[name], state[f"opt_{name}"])
    restore(found, nets, optimisers)
    gan.generator.set_state(generator)
    gan.steps = steps
    del gan.history[gan.steps :]


def _named(part: str, net, row, memory: dict) -> dict[str, torch.Tensor]:
    """The row of a network's weights, and what Adam remembers of them, as `states` has them."""
    parameters = dict(net.named_parameters())

    def pieces(what, numbers):
        like = list(parameters.values())
        sizes = [value.numel() for value in like]
        if len(numbers) != sum(sizes):
            raise ValueError(f"{what} has {sum(sizes)} weights, the state {len(numbers)}")
        parts = torch.tensor(numbers, dtype=like[0].dtype).split(sizes)
        return [piece.view_as(value) for piece, value in zip(parts, like)]

    found = {}
    for name, piece in zip(parameters, pieces(part, row)):
        found[f"{part}.{name}"] = piece

    if memory and memory["t"] > 0:
        means = pieces(f"m of {part}", memory["m"])
        squares = pieces(f"v of {part}", memory["v"])
        for number, (mean, square) in enumerate(zip(means, squares)):
            start = f"opt_{part}.{number}"
            found[f"{start}.step"] = torch.tensor(float(memory["t"]))
            found[f"{start}.exp_avg"] = mean
            found[f"{start}.exp_avg_sq"] = square
    return found


def packed(state: dict) -> dict:
    """A `state` with its long rows as short text: float32 in base64, as packed.js has them."""

    def pack(row):
        numbers = np.array(row, "<f4")
        return {"float32": _base64(numbers.tobytes())}

    return _in_rows(state, pack)


def unpacked(state: dict) -> dict:
    """And back, from text of float32 or float64; ValueError if it is neither."""

    kinds = {"float32": "<f4", "float64": "<f8"}

    def unpack(told):
        ((kind, text),) = told.items()
        one_of("numbers", kind, kinds)
        data = base64.b64decode(text)
        return np.frombuffer(data, kinds[kind]).tolist()

    return _in_rows(state, unpack)


def _in_rows(state: dict, change) -> dict:
    """The state with its rows of numbers changed: weights, and Adam's m and v."""
    changed = {name: change(state[name]) for name in ("G", "D")}
    for name in ("opt_G", "opt_D"):
        memory = dict(state[name])
        for key in memory.keys() - {"t"}:
            memory[key] = change(memory[key])
        changed[name] = memory
    return {**state, **changed}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _memory(optimiser) -> dict:
    """Adam's m, v and t for all weights in one row; nothing for SGD."""
    if not isinstance(optimiser, torch.optim.Adam):
        return {}
    parameters = optimiser.param_groups[0]["params"]
    records = [optimiser.state.get(part, {}) for part in parameters]

    def row(key):
        numbers = []
        for record, part in zip(records, parameters):
            value = record.get(key, torch.zeros_like(part))
            numbers += value.flatten().tolist()
        return numbers

    steps = records[0].get("step", 0)
    return {"m": row("exp_avg"), "v": row("exp_avg_sq"), "t": int(steps)}


def generator_state(generator: torch.Generator) -> dict:
    """A torch generator as random.js keeps it: {words, used, waiting}."""
    content = generator.get_state().numpy().tobytes()
    _, left, _, following, *rest = STATE.unpack(content)
    *_, there, _, _ = rest
    return {
        "words": rest[:WORDS],
        "used": WORDS if left == 1 else following,
        "waiting": rest[WORDS + 1] if there else None,
    }


def generator_bytes(state: dict) -> torch.Tensor:
    """And back: the bytes that `torch.Generator.set_state` takes."""
    used = state["used"]
    waiting = state["waiting"]
    there = waiting is not None
    packed = STATE.pack(
        0,  # the seed it once had
        WORDS + 1 - used,
        1,
        used % WORDS,
        *state["words"],
        0.0,
        waiting if there else 0.0,
        0.0,
        int(there),
        0.0,
        False,
    )
    return torch.frombuffer(bytearray(packed), dtype=torch.uint8)
