"""What happens to the folder of a run: two runs at once, kills, readers, planted links.

`python tests/benchmarks/files.py` prints a line for each; minutes. Every run is a process of its
own, which does what `python -m ganlib.training` does.
"""

import contextlib
import io
import multiprocessing
import os
import random
import signal
import tempfile
import time
from pathlib import Path

import torch

from ganlib import files, training

CONTEXT = multiprocessing.get_context("forkserver")
STEPS = 600
RECIPE = ["--width", "2", "--z-dim", "2", "--batch", "8", "--every", "2", "--steps"]


def train(out: str, steps: int, pipe=None) -> None:
    """The command line; what it says at its end goes into the pipe."""
    failed = False
    with contextlib.redirect_stderr(io.StringIO()) as said:  # and the progress bar
        try:
            training.main([*RECIPE, str(steps), "--out", out])
        except SystemExit:
            failed = True
    if pipe:
        pipe.send(said.getvalue() if failed else "")


def begin(out: Path, steps: int = STEPS):
    """(process, the end of the pipe on which it says how it ended)."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=train, args=(str(out), steps, theirs))
    process.start()
    theirs.close()
    return process, ours


def until_there(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


def second_runs(folder: Path) -> None:
    """20 times a second run begins on a folder that another holds; then the holder is killed."""
    out = folder / "held"
    holder, _ = begin(out, 10**6)
    until_there(out / "run.safetensors")
    refused = 0
    for _ in range(20):
        second, said = begin(out, 10**6)
        words = said.recv()
        second.join()
        refused += f"is held by process {holder.pid}: wait until it ends" in words
    print(f"a second run on a held folder is told who holds it: {refused} of 20")

    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    _, about = files.read(out / "run.safetensors")
    third, said = begin(out, about["steps"] + 2)
    words = said.recv()
    third.join()
    _, after = files.read(out / "run.safetensors")
    print(f"after its kill the next goes on: {not words and after['steps'] == about['steps'] + 2}")


def kills(folder: Path) -> None:
    """One run killed 20 times at random moments, and one that nobody kills: the same to the bit."""
    rng = random.Random(0)
    out = folder / "killed"
    torn = 0
    for _ in range(20):
        run, _ = begin(out)
        until_there(out / "run.safetensors")
        time.sleep(rng.uniform(0.0, 0.3))
        os.kill(run.pid, signal.SIGKILL)
        run.join()
        try:
            files.read(out / "run.safetensors")
        except ValueError:
            torn += 1
    for name in ("killed", "whole"):
        run, said = begin(folder / name)
        assert not said.recv()
        run.join()
    one, other = (files.read(folder / name / "run.safetensors")[0] for name in ("killed", "whole"))
    same = all(torch.equal(one[key], other[key]) for key in one | other)
    print(f"killed 20 times: {torn} torn files; the end is the same to the bit: {same}")


def write(path: Path, stop) -> None:
    """Write again and again."""
    number = 0
    while not stop.is_set():
        files.write(path, {"G": torch.full((20_000,), float(number))}, {"number": number})
        number += 1


def reads(folder: Path) -> None:
    """3,000 reads by one who knows no lock, while another writes."""
    path = folder / "read" / "run.safetensors"
    stop = CONTEXT.Event()
    writer = CONTEXT.Process(target=write, args=(path, stop))
    writer.start()
    until_there(path)
    torn = 0
    seen = set()
    for _ in range(3000):
        try:
            tensors, about = files.read(path)
            torn += not bool((tensors["G"] == about["number"]).all())
            seen.add(about["number"])
        except (ValueError, OSError):
            torn += 1
    stop.set()
    writer.join()
    print(f"torn reads: {torn} of 3,000, of {len(seen)} different files")


def links(folder: Path) -> None:
    """Links that somebody has planted where a run writes: none is followed."""
    precious = folder / "precious"
    precious.write_text("mine", encoding="utf-8")
    followed = 0
    for name in ("run.safetensors", "samples-000002.png", files.LOCK):
        out = folder / f"link at {name}"
        out.mkdir()
        (out / name).symlink_to(precious)
        run, said = begin(out, 2)
        said.recv()
        run.join()
        followed += precious.read_text(encoding="utf-8") != "mine"
    print(f"planted links followed: {followed} of 3")


if __name__ == "__main__":
    CONTEXT.set_forkserver_preload(["ganlib.training"])
    with tempfile.TemporaryDirectory() as scratch:
        for trial in (links, reads, second_runs, kills):
            trial(Path(scratch))
