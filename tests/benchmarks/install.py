"""Install the course as a newcomer would, with pip and with uv: seconds, bytes, and no CUDA.

    .venv/bin/python tests/benchmarks/install.py [pip uv]

Each way gets a clone of what is committed, in a folder with a space in its name, and empty caches:
all is downloaded, but for what pip's own settings offer on this machine. A second run of the same
command follows, which has nothing to do. A table goes to standard output; what is downloaded is
counted by the sizes that pylock.toml states, without torch, which is not in it. Needs Python 3.11.
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

import tomllib
from packaging.markers import Marker
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parents[2]
OF_CUDA = ("nvidia-", "cuda-", "triton")


def without(program):
    """PATH without the folders that have a program of this name."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(f for f in folders if not shutil.which(program, path=f))


def size(folder):
    """Bytes on the disk, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def to_download():
    """Bytes of the files that this Python takes from pylock.toml."""
    ranks = {tag: rank for rank, tag in enumerate(sys_tags())}
    total = 0
    for package in tomllib.loads((ROOT / "pylock.toml").read_text(encoding="utf-8"))["packages"]:
        if "marker" in package and not Marker(package["marker"]).evaluate():
            continue
        fitting = {}
        for wheel in package.get("wheels", []):
            tags = parse_wheel_filename(wheel["url"].rpartition("/")[2])[3]
            for tag in tags & ranks.keys():
                fitting[ranks[tag]] = wheel["size"]
        total += fitting[min(fitting)] if fitting else package["sdist"]["size"]
    return total


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
    print(f"to download, without torch: {to_download() / 1e6:.0f} MB\n")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
