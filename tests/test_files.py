"""Files of tensors and JSON: whole or not at all, and nothing is read that was not written so."""

import os

import pytest
import torch

from ganlib import files

TENSORS = {
    "G.0.weight": torch.arange(6.0).reshape(2, 3),
    "G.0.steps": torch.tensor(7),
    "D.bias": torch.tensor([0.1, -0.0, torch.inf], dtype=torch.float64),
    "order": torch.zeros(0, dtype=torch.long),
}
ABOUT = {"command": "python -m …", "settings": {"fall": [4, 12]}, "lr": [0.1, 1e-9]}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a" / "run.safetensors"
    files.write(path, TENSORS, ABOUT)
    return path


def test_what_is_read_is_what_was_written(path):
    tensors, about = files.read(path)
    assert about == ABOUT
    assert tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert tensors[name].dtype == value.dtype
        assert torch.equal(tensors[name], value)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_views_and_what_needs_a_gradient_are_written_as_they_look(tmp_path):
    path = tmp_path / "view.safetensors"
    view = TENSORS["G.0.weight"].clone().requires_grad_().T
    files.write(path, {"view": view}, {})
    tensors, about = files.read(path)
    assert torch.equal(tensors["view"], view)
    assert about == {}


def damaged(good):
    """Bytes that `read` must refuse, each with what it says."""
    changed = bytearray(good)
    changed[-1] ^= 1
    return [
        (good[:-1], "truncated"),
        (good[: len(good) // 2], "truncated"),
        (b"", "truncated"),
        (b"\x80\x04" + good, "truncated"),
        (good.replace(b"sha256", b"sha512"), "was changed after it was written"),
        (bytes(changed), "was changed after it was written"),
    ]


def test_a_damaged_file_is_refused(path):
    for content, words in damaged(path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=words):
            files.read(path)


def test_files_of_another_kind_are_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "other"
    torch.save({"G": 1}, path)  # a pickle is refused, not opened
    with pytest.raises(ValueError, match="truncated or no file of a run"):
        files.read(path)
    save_file(TENSORS, path)  # numbers without a word about them
    with pytest.raises(ValueError, match="truncated or no file of a run"):
        files.read(path)
    save_file(TENSORS, path, metadata={"about": "no JSON"})
    with pytest.raises(ValueError, match="truncated or no file of a run"):
        files.read(path)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_file_that_was_there(path, call, monkeypatch):
    good = path.read_bytes()

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match=r"could not be written \(no space left\).*untouched"):
        files.write(path, {"G": torch.ones(3)}, {})
    assert path.read_bytes() == good
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_tensors_below_a_name():
    below = files.below(TENSORS, "G")
    assert list(below) == ["0.weight", "0.steps"]
    assert below["0.steps"] is TENSORS["G.0.steps"]
    assert list(files.below(below, "0")) == ["weight", "steps"]
    assert files.below(TENSORS, "ord") == {}
