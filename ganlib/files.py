"""Files of tensors and JSON: safetensors, numbers and text, never code.

A file is written whole or not at all, and one that was changed afterwards is refused. What is read
from a file is not yet trusted: `states` checks it against what it is for.
"""

import hashlib
import json
import os
import secrets
import sys
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ganlib.checks import of_kind, place

LOCK = "held.lock"  # in a folder that a process writes to
NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK | getattr(os, "O_BINARY", 0)

# -- bytes -----------------------------------------------------------------------------------------


def pack(tensors: dict[str, Tensor], about: dict) -> bytes:
    """Tensors and JSON as bytes, with a digest of all of it."""
    of_kind("tensors", tensors, dict)
    for name, value in tensors.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ValueError(f"tensors must be tensors by name, got {name!r}: {value!r}")
    of_kind("about", about, dict)
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    try:
        text = json.dumps(about)
    except (TypeError, ValueError) as error:
        raise ValueError(f"about must be what JSON can hold: {error}") from None
    # One note: the order of several would differ from run to run.
    note = {"json": text, "sha256": _digest(tensors, text)}
    return save(tensors, {"about": json.dumps(note)})


def unpack(content: bytes, name="it") -> tuple[dict[str, Tensor], dict]:
    """The tensors and the JSON in bytes made by `pack`.

    ValueError, which calls them `name`, if they are anything else or were changed.
    """
    of_kind("content", content, bytes)
    try:
        tensors = load(content)
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        note = json.loads(header["__metadata__"]["about"])
        text = note["json"]
        about = json.loads(text)
        same = note.get("sha256") == _digest(tensors, text)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} is truncated or no file of a run: {error}") from None
    if not same or not isinstance(about, dict):
        raise ValueError(f"{name} was changed after it was written")
    return tensors, about


def _digest(tensors: dict[str, Tensor], text: str) -> str:
    """Of names, kinds, shapes and numbers of all tensors, and of the text."""
    whole = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        value = tensors[name]
        whole.update(f"{name} {value.dtype} {list(value.shape)} ".encode())
        whole.update(value.numpy().tobytes())
    return whole.hexdigest()


# -- files -----------------------------------------------------------------------------------------


def write(path: Path, tensors: dict[str, Tensor], about: dict) -> None:
    """Write tensors and JSON beside `path`, then rename.

    Whoever reads finds the old file or the new, never a part. The new one has a name of its own
    until it is whole, so that two writers do not meet, and no link is followed. OSError if it
    could not be written.
    """
    content = pack(tensors, about)
    path = place("path", path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(part, NEW, 0o666), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(
            f"{path} could not be written ({error}); what lay there before is untouched"
        ) from error


def read(path) -> tuple[dict[str, Tensor], dict]:
    """The tensors and the JSON of a file made by `write`.

    ValueError if it is anything else or was changed.
    """
    return unpack(place("path", path).read_bytes(), str(path))


@contextmanager
def held(folder: Path):
    """Hold a folder while writing to it; ValueError says which process holds it already.

    The system lets go of it when a process ends, however it ends; what it has left half written is
    cleared away by the next.
    """
    folder = place("folder", folder)
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | NO_LINK, 0o666)
    with open(handle, "r+") as file:
        try:
            _lock(file)
        except OSError:
            who = file.read().strip() or "another process"
            raise ValueError(
                f"{folder} is held by {who}: wait until it ends, or choose another folder"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        for part in folder.glob(".*.part"):
            part.unlink(missing_ok=True)
        yield


def _lock(file) -> None:
    """Lock an open file, or raise OSError at once."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(1000)  # a byte beyond the text, so that others can read who it is
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
