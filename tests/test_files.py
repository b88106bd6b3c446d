"""Files of tensors and JSON: whole or not at all, and nothing is read that was not written so."""

import multiprocessing
import os
import signal

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


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
@pytest.mark.parametrize("mask, rights", [(0o022, 0o644), (0o077, 0o600)])
def test_a_file_has_the_rights_that_its_owner_asks_for(path, mask, rights):
    before = os.umask(mask)
    try:
        files.write(path, TENSORS, ABOUT)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == rights


def test_no_link_is_followed(path, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    path.unlink()
    path.symlink_to(precious)
    files.write(path, TENSORS, ABOUT)
    assert precious.read_text() == "mine"
    assert not path.is_symlink()
    assert files.read(path)[1] == ABOUT

    (path.parent / files.LOCK).symlink_to(precious)
    with pytest.raises(OSError), files.held(path.parent):
        pass
    assert precious.read_text() == "mine"


def write_often(path, number, times):
    for k in range(times):
        files.write(path, {"G": torch.full((300,), float(number))}, {"by": number, "k": k})


def test_a_reader_sees_whole_files_while_two_write(tmp_path):
    path = tmp_path / "run.safetensors"
    write_often(path, 0, 1)
    context = multiprocessing.get_context("forkserver")
    writers = [context.Process(target=write_often, args=(path, n, 60)) for n in (1, 2)]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers):
        tensors, about = files.read(path)
        assert bool((tensors["G"] == about["by"]).all())
        reads += 1
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert reads > 20
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def hold(folder, ready, done):
    with files.held(folder):
        (folder / ".run.safetensors.half.part").touch()
        ready.set()
        done.wait(60)


def test_a_folder_is_held_by_one(tmp_path):
    context = multiprocessing.get_context("forkserver")
    ready = context.Event()
    done = context.Event()
    holder = context.Process(target=hold, args=(tmp_path, ready, done))
    holder.start()
    assert ready.wait(60)
    for _ in range(20):
        words = rf"is held by process {holder.pid}: wait until it ends, or choose another folder"
        with pytest.raises(ValueError, match=words), files.held(tmp_path):
            pass

    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    with files.held(tmp_path):  # the system has let go of it
        assert not list(tmp_path.glob(".*.part"))
    with files.held(tmp_path):
        pass


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: files.pack(3, {}), "tensors must be a dict, got 3"),
        (lambda: files.pack({"a": 3}, {}), "tensors must be tensors by name, got 'a': 3"),
        (lambda: files.pack({}, {"a": object()}), "about must be what JSON can hold"),
        (lambda: files.pack({}, 3), "about must be a dict, got 3"),
        (lambda: files.unpack("a"), "content must be a bytes, got 'a'"),
        (lambda: files.write("", {}, {}), "path must name a file or a folder, got ''"),
        (lambda: files.read(None), "path must name a file or a folder, got None"),
    ],
)
def test_what_is_no_file_of_a_run_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
