"""Take the newest versions that fit together into requirements.txt.

    python tests/update.py [NAME …]

Without names it does all but torch, whose build (CPU or CUDA) is a choice. Only lines for this
Python are changed: run it with each Python for which the file has lines of its own. Then delete
.venv and run the README's test line.
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
PIN = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[^\s;]+)(?:; *(?P<marker>.+))?")


def newest(names, fixed):
    """{name: version} that pip would install for `names` beside what is `fixed`.

    Nothing is installed.
    """
    options = ["--quiet", "--dry-run", "--ignore-installed", "--report", "-"]
    command = [sys.executable, "-m", "pip", "install", *options, *names, *fixed]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    versions = {}
    for package in json.loads(done.stdout)["install"]:
        about = package["metadata"]
        versions[canonicalize_name(about["name"])] = about["version"]
    return versions


def pins_of(text):
    """The lines of a requirements file that pin a version for this Python."""
    matches = map(PIN.fullmatch, text.splitlines())
    return [
        pin for pin in matches if pin and (not pin["marker"] or Marker(pin["marker"]).evaluate())
    ]


def updated(text, names, resolve=newest):
    """The text of a requirements file with newer pins for `names`, or for all but torch."""
    pins = pins_of(text)
    known = [pin["name"] for pin in pins]
    unknown = set(names) - set(known)
    if unknown:
        raise ValueError(
            f"not in requirements.txt: {', '.join(unknown)}; there are {', '.join(known)}"
        )

    chosen = names or [name for name in known if name != "torch"]
    fixed = [f"{pin['name']}=={pin['version']}" for pin in pins if pin["name"] not in chosen]
    found = resolve(chosen, fixed)
    for pin in pins:
        if pin["name"] not in chosen:
            continue
        old = pin["version"]
        new = found.get(canonicalize_name(pin["name"]), old)
        line = pin[0].replace(f"=={old}", f"=={new}")
        text = text.replace(pin[0] + "\n", line + "\n")
    return text


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="packages to update (default: all but torch)")
    names = parser.parse_args().names

    before = FILE.read_text(encoding="utf-8")
    after = updated(before, names)
    FILE.write_text(after, encoding="utf-8")
    changes = set(after.splitlines()) - set(before.splitlines())
    print("\n".join(sorted(changes)) or "all versions are the newest that fit together")


if __name__ == "__main__":
    main()
