"""Files of tensors and JSON: safetensors, numbers and text, never code.

A file is written whole or not at all, and one that was changed afterwards is refused.
"""

import hashlib
import json
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor


def write(path: Path, tensors: dict[str, Tensor], about: dict) -> None:
    """Write tensors and JSON beside `path`, then rename.

    Whoever reads finds the old file or the new, never a part. OSError if it could not be written.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    text = json.dumps({**about, "sha256": _digest(tensors)})
    content = save(tensors, {"about": text})

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        with open(part, "wb") as file:
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
    try:
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()["about"])
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is truncated or no file of a run: {error}") from None

    if about.pop("sha256", None) != _digest(tensors):
        raise ValueError(f"{path} was changed after it was written")
    return tensors, about


def below(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `part` and a dot, by the rest of their names."""
    start = f"{part}."
    return {
        name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)
    }


def _digest(tensors: dict[str, Tensor]) -> str:
    numbers = b"".join(tensors[name].numpy().tobytes() for name in sorted(tensors))
    return hashlib.sha256(numbers).hexdigest()
