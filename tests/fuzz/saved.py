"""Saved runs and checkpoints, damaged: what is done to them, and what comes of it in the child.

Bytes are flipped, cut and doubled, which a digest must notice. Then the content is changed and
signed again, as somebody would who means harm: only a look at every part of it can notice that.
"""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path

import torch
from hypothesis import strategies as st

KINDS = ["session", "line lab", "plane lab", "checkpoint", "pair"]

# fmt: off
# ruff: disable[E501]
VALUES = [  # as JSON can hold them
    None, True, False, "", "abc", "nan", -1, 0, 1, 3, 0.5, -0.0, 10**6, 10**12, 2**63, 2**70, -(10**12),
    1e308, 1e-320, float("nan"), float("inf"), -float("inf"), [], {}, [[]], [None], [1, 2], [[1.0]],
    {"a": 1}, [float("nan")] * 8, [[0.0] * 8] * 3, "a" * 10_000,
]
TENSORS = {  # what becomes of a tensor
    "another shape": lambda value: value.new_zeros(*value.shape, 2),
    "one number": lambda value: value.new_ones(()),
    "flat": lambda value: value.flatten(),
    "none": lambda value: value.new_zeros(0),
    "long": lambda value: value.new_zeros(100_000),
    "double": lambda value: value.double(),
    "half": lambda value: value.half(),
    "bytes": lambda value: value.to(torch.uint8),
    "whole": lambda value: value.long(),
    "nan": lambda value: torch.full_like(value.float(), torch.nan),
    "inf": lambda value: torch.full_like(value.float(), torch.inf),
    "huge": lambda value: torch.full_like(value.float(), 3e38),
    "negative": lambda value: -value.float() - 1,
    "turned": lambda value: value.T.contiguous() if value.ndim == 2 else value,
    "zero": torch.zeros_like,
    "127": lambda value: torch.full_like(value, 127),
}
# ruff: enable[E501]
# fmt: on

PLACES = st.floats(0, 1, exclude_max=True)  # of a part among all, as a share
MUTATIONS = st.one_of(
    st.tuples(st.sampled_from(["flip", "cut", "double", "zero"]), PLACES, st.integers(0, 255)),
    st.tuples(st.just("value"), PLACES, st.sampled_from(range(len(VALUES)))),
    st.tuples(st.just("tensor"), PLACES, st.sampled_from(sorted(TENSORS))),
    st.tuples(st.just("drop"), PLACES, st.booleans()),
    st.tuples(st.just("swap"), PLACES, PLACES),
)
JOBS = st.tuples(st.sampled_from(KINDS), st.lists(MUTATIONS, min_size=1, max_size=3))

# -- in the child ----------------------------------------------------------------------------------


def ready() -> None:
    """Make and train all that is saved."""
    for kind in KINDS:
        keeper(kind)


@cache
def keeper(kind: str):
    """What loads: (its object, its saved run as bytes)."""
    from fuzz import props
    from ganlib import labs

    if kind == "pair":  # the same file, of which `load_pair` takes a part
        return keeper("checkpoint")
    if kind == "session":
        kept = props.any_session()
    elif kind == "line lab":
        kept = labs.GANLab(props.any_gan(), batch=4)
    elif kind == "plane lab":
        kept = labs.PlaneLab(props.any_gan(2), batch=4)
    else:
        kept = props.any_run(out="runs", about=props.ABOUT)
        kept.train(2)
        return kept, Path("runs/run.safetensors").read_bytes()
    for _ in range(3):
        advance(kept)
    return kept, kept.save().encode()


def advance(kept) -> None:
    """One step."""
    (kept.advance if hasattr(kept, "advance") else kept.step)()


def work(job) -> tuple[str, str]:
    """("refused", "taken", "the same", or what must not be, and why)."""
    kind, mutations = job
    kept, saved = keeper(kind)
    content = saved
    for mutation in mutations:
        content = mutated(content, *mutation, text=kind not in ("checkpoint", "pair"))
    if content == saved:
        return "the same", ""

    before = seen(kept)
    try:
        load(kept, kind, content)
    except ValueError as error:
        if seen(kept) != before:
            return "changed", f"refused, yet something changed: {error}"
        advance(kept)
        put_back(kept, kind, saved)
        return "refused", str(error)
    except Exception as error:
        return "obscure", f"{type(error).__name__}: {error}"

    try:
        advance(kept)
    except FloatingPointError:  # a GAN may diverge, and says so
        pass
    except Exception as error:
        return "nonsense", f"taken, but then {type(error).__name__}: {error}"
    finally:
        put_back(kept, kind, saved)
    return "taken", ""


def load(kept, kind: str, content: bytes) -> None:
    from ganlib import training

    if kind in ("checkpoint", "pair"):
        path = Path("strange.safetensors")
        path.write_bytes(content)
        if kind == "pair":
            G, D, _ = training.load_pair(path)
            D(G(torch.zeros(2, 4)))
        else:
            kept.load(path)
    else:
        kept.load(content.decode("utf-8", "surrogateescape"))


def put_back(kept, kind: str, saved: bytes) -> None:
    load(kept, "checkpoint" if kind == "pair" else kind, saved)


def seen(kept) -> str:
    """A digest of all that a load might change."""
    if hasattr(kept, "snapshot"):  # a session, or a lab
        whole = kept.save().encode()
    else:
        from ganlib import files

        about = {"steps": kept.gan.steps, "lr": [kept.gan.lr_G, kept.gan.lr_D]}
        whole = files.pack(kept._tensors(), about)
    return hashlib.sha256(whole).hexdigest()


def mutated(content: bytes, what: str, place: float, how, *, text: bool) -> bytes:
    """The content with one thing done to it; as it was if that cannot be done to it any more."""
    if not content:
        return content
    at = int(place * len(content))
    if what == "flip":
        return content[:at] + bytes([content[at] ^ (how or 1)]) + content[at + 1 :]
    if what == "cut":
        return content[:at]
    if what == "double":
        return content[:at] + content[max(0, at - how) :]
    if what == "zero":
        return content[:at] + bytes(how) + content[at + how :]

    from ganlib import files, session

    try:
        if text:
            told = json.loads(content)
            tensors, _ = files.unpack(base64.b64decode(told["tensors"]))
        else:
            tensors, told = files.unpack(content)
    except (ValueError, KeyError, TypeError):
        return content  # it is damaged already

    told = change(told, tensors, what, place, how)
    if not text:
        return files.pack(tensors, told)
    told.pop("sha256", None)
    if what != "value" and "tensors" in told:
        told["tensors"] = base64.b64encode(files.pack(tensors, {})).decode()
    return json.dumps({**told, "sha256": session._digest(told)}).encode()


def change(told: dict, tensors: dict, what: str, place: float, how) -> dict:
    """Change a value of the JSON, or a tensor, in place."""
    names = sorted(tensors)
    if what == "tensor" and names:
        name = names[int(place * len(names))]
        tensors[name] = TENSORS[how](tensors[name])
    elif what == "swap" and names:
        one, other = (names[int(share * len(names))] for share in (place, how))
        tensors[one], tensors[other] = tensors[other].clone(), tensors[one].clone()
    elif what == "drop" and how and names:
        del tensors[names[int(place * len(names))]]
    else:
        spots = [*places(told)]
        home, key = spots[int(place * len(spots))]
        if what == "value":
            home[key] = VALUES[how]
        else:
            del home[key]
    return told


def places(told):
    """(where, key) of all values of a JSON, each list by its first few."""
    keys = list(told)[:40] if isinstance(told, dict) else range(min(3, len(told)))
    for key in keys:
        yield told, key
        if isinstance(told[key], (dict, list)):
            yield from places(told[key])
