"""Install the course as a newcomer would, with pip and with uv: seconds, bytes, and no CUDA.

    python tests/benchmarks/install.py [pip uv]

Each way gets a clone of what is committed, in a folder with a space in its name, and empty caches:
all is downloaded, but for what pip's own settings offer on this machine. A second run of the same
command follows, which has nothing to do. A table goes to standard output.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
OF_CUDA = ("nvidia-", "cuda-", "triton")


def without(program):
    """PATH without the folders that have a program of this name."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(f for f in folders if not shutil.which(program, path=f))


def size(folder):
    """Bytes on the disk, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def measured(way, work):
    """What a way to install takes: a row of the table."""
    course = work / f"the course with {way}"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(course)], check=True)
    caches = {"PIP_CACHE_DIR": str(work / f"pip {way}"), "UV_CACHE_DIR": str(work / f"uv {way}")}
    path = without("uv")
    if way == "uv":
        folder = Path(shutil.which("uv") or Path(sys.executable).parent / "uv").parent
        path = os.pathsep.join([str(folder), path])
    env = {**os.environ, **caches, "PATH": path, "PIP_QUIET": "1"}

    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        command = [sys.executable, "start.py", "install"]
        subprocess.run(command, cwd=course, env=env, check=True, stdout=sys.stderr)
        seconds.append(time.perf_counter() - start)

    python = course / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=json"],
        env={**env, "PIP_QUIET": "0"},
        capture_output=True,
        check=True,
    )
    names = [package["name"] for package in json.loads(listed.stdout)]
    cuda = sum(name.startswith(OF_CUDA) for name in names)
    stored = size(course / ".venv") / 1e9
    return [way, f"{seconds[0]:.0f}", f"{seconds[1]:.1f}", len(names), cuda, f"{stored:.2f}"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ways", nargs="*", default=["pip", "uv"], help="pip, uv (default: both)")
    ways = parser.parse_args().ways
    rows = [["with", "seconds", "again", "packages", "of CUDA", "GB on the disk"]]
    with tempfile.TemporaryDirectory() as work:
        rows += [measured(way, Path(work)) for way in ways]
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
