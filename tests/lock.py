"""Write the exact version of every package of the course, for Python 3.10 and newer.

    python tests/lock.py [--upgrade]

What the course asks for stands in pyproject.toml, by name. From it this writes, each in two parts,

- requirements.txt, to run the course, and tests/requirements.txt, to test it and to make the book
  and the slides: exact versions, for pip;
- pylock.toml and tests/pylock.toml: the same packages with the checksum of every file, for uv.

Versions that are there already are kept where they fit; `--upgrade` takes the newest. torch's is
never changed: give it in requirements.txt by hand. What torch needs for CUDA stands in no lock, so
that nothing but torch itself asks for it. Nothing is installed: then run `python3 start.py test`.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
OLDEST = "3.10"
PARTS = {"course": ROOT, "tests": ROOT / "tests"}
EXTRAS = {"course": ["course"], "tests": ["course", "lecture", "book", "tests"]}

# torch stands alone, so that its build can be chosen; CUDA comes with the builds that need it.
OF_TORCH = re.compile(r"(torch|triton|nvidia-.+|cuda-.+)$")

ABOUT = """\
# Exact versions, so that the course runs tomorrow as it runs today: {what}.
# Written by `python tests/lock.py`{but}.
"""
WHAT = {
    "course": "all that runs it",
    "tests": "all that tests it and makes book and slides",
}

# -- asking uv ---------------------------------------------------------------------------------


def resolved(extras, output, *options):
    """What uv finds for pyproject.toml with these extras, in the form that `output` ends in.

    Versions that `output` has already are preferred.
    """
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet"]
    command += ["--universal", "--python-version", OLDEST, "--no-annotate", "--no-header"]
    command += [f"--extra={extra}" for extra in extras]
    command += [*options, "--output-file", str(output)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return output.read_text(encoding="utf-8")


# -- reading what it says ----------------------------------------------------------------------


def pins(text):
    """The lines of a requirements file that name an exact version, without torch and CUDA."""
    lines = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    return [line for line in lines if not OF_TORCH.match(line.split("==")[0])]


def torch_of(text):
    """The line of a requirements file that pins torch."""
    return re.search(r"^torch==\S+$", text, re.M)[0]


def blocks(text):
    """What stands above the packages of a pylock file, and {(name, version): its block}.

    torch and CUDA are left out.
    """
    head, *packages = re.split(r"^(?=\[\[packages\]\])", text, flags=re.M)
    found = {}
    for block in packages:
        name = re.search(r'^name = "(.+)"', block, re.M)[1]
        version = re.search(r'^version = "(.+)"', block, re.M)[1]
        if not OF_TORCH.match(name):
            found[name, version] = block.rstrip() + "\n"
    return head, found


# -- the four files ----------------------------------------------------------------------------


def requirements(work, upgrade):
    """{part: its requirements file}; leaves in the folder `work` what uv found for each."""
    old = {part: (folder / "requirements.txt").read_text() for part, folder in PARTS.items()}
    torch = torch_of(old["course"])
    kept = "\n".join([torch, *pins(old["course"]), *pins(old["tests"])])

    texts = {}
    fixed = work / "torch.txt"
    fixed.write_text(torch)
    for part in PARTS:
        done = set(pins(fixed.read_text()))
        found = work / f"{part}.txt"
        found.write_text(kept)
        options = ["--constraint", str(fixed), *(["--upgrade"] if upgrade else [])]
        lines = [line for line in pins(resolved(EXTRAS[part], found, *options)) if line not in done]
        fixed = found

        but = ", but for torch's line" if part == "course" else ""
        first = [torch, "-e ."] if part == "course" else ["-r ../requirements.txt"]
        head = ABOUT.format(what=WHAT[part], but=but)
        texts[part] = "\n".join([head, *first, "", *lines, ""])
    return texts


def pylocks(work):
    """{part: its pylock file}, from what `requirements` left in `work`."""
    texts = {}
    done = set()
    for part in PARTS:
        options = ["--constraint", str(work / f"{part}.txt")]
        text = resolved(EXTRAS[part], work / f"pylock.{part}.toml", *options)
        top, packages = blocks(text)
        lines = [block for key, block in packages.items() if key not in done]
        done |= set(packages)

        head = ABOUT.format(what=WHAT[part], but="")
        texts[part] = head + "\n" + top + "\n".join(lines)
    return texts


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest versions that fit together"
    )
    upgrade = parser.parse_args().upgrade

    with tempfile.TemporaryDirectory() as folder:
        files = {
            "requirements.txt": requirements(Path(folder), upgrade),
            "pylock.toml": pylocks(Path(folder)),
        }
    for name, texts in files.items():
        for part, text in texts.items():
            path = PARTS[part] / name
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
