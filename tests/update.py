"""Take the newest versions that fit together into requirements.txt: `python tests/update.py [NAME …]`.

Without names it does all but torch, whose build (CPU or CUDA) is a choice. Only lines for this Python are changed: run
it with each Python for which the file has lines of its own. Then delete .venv and run the README's test line.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

FILE = Path(__file__).parent.parent / "requirements.txt"
PIN = r"([A-Za-z0-9_.-]+)==([^\s;]+)(?:; *(.+))?"


def newest(names, fixed):
    """{name: version} that pip would install for `names` beside what is `fixed`, without installing anything."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--dry-run",
        "--ignore-installed",
        "--report",
        "-",
    ]
    report = subprocess.run(
        [*command, *names, *fixed], capture_output=True, text=True, check=True
    ).stdout
    return {
        canonicalize_name(p["metadata"]["name"]): p["metadata"]["version"]
        for p in json.loads(report)["install"]
    }


def updated(text, names, resolve=newest):
    """The text of a requirements file with newer pins for `names`, or for all but torch."""
    pins = [
        m
        for m in map(re.compile(PIN).fullmatch, text.splitlines())
        if m and (not m[3] or Marker(m[3]).evaluate())
    ]
    known = [m[1] for m in pins]
    if set(names) - set(known):
        raise ValueError(
            f"not in requirements.txt: {', '.join(set(names) - set(known))}; there are {', '.join(known)}"
        )
    chosen = names or [name for name in known if name != "torch"]
    found = resolve(chosen, [f"{m[1]}=={m[2]}" for m in pins if m[1] not in chosen])
    for m in (m for m in pins if m[1] in chosen):
        version = found.get(canonicalize_name(m[1]), m[2])
        text = text.replace(m[0] + "\n", m[0].replace(f"=={m[2]}", f"=={version}") + "\n")
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="packages to update (default: all but torch)")
    before = FILE.read_text(encoding="utf-8")
    after = updated(before, parser.parse_args().names)
    FILE.write_text(after, encoding="utf-8")
    changes = set(after.splitlines()) - set(before.splitlines())
    print("\n".join(sorted(changes)) or "all versions are the newest that fit together")
