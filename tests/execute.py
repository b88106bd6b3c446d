"""Re-execute notebooks from top to bottom, and store them clean.

    python tests/execute.py [04 …] [--check | --pictures]

Clean means: outputs of a fresh kernel, execution counts 1..n, no widget views or state, no run
times, and pictures as small as they may be. Without arguments it does all notebooks. With --check
it only says what is not clean; with --pictures it executes nothing, but makes pictures small.
"""

import argparse
import base64
import re
import sys
from io import BytesIO
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
LARGEST = 1 << 20  # bytes of a stored notebook

# A picture is stored with a palette of 256 colours where that saves a good part and is not seen.
SAVED = 0.3  # the part of its bytes that must be saved
MEAN = 0.2  # the most that a channel may move, of 255, in the mean
FAR, MOVED = 16, 0.002  # the most pixels, as a part of all, that may move by more than 16
WAYS = (Image.Quantize.MEDIANCUT, Image.Quantize.MAXCOVERAGE, Image.Quantize.FASTOCTREE)

METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}


def clean(nb):
    """Take out what must not be stored: widgets, run times, the version of this Python."""
    nb.metadata = METADATA
    nb.nbformat_minor = 5
    for cell in nb.cells:
        cell.metadata = {
            key: value
            for key, value in cell.metadata.items()
            if key in ("tags", "slideshow", "jupyter")
        }
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop(WIDGET, None)
            if "image/png" in data:
                data["image/png"] = lean(data["image/png"])
            output.pop("transient", None)
    return nb


def lean(picture):
    """A PNG in base64, smaller where that is not seen.

    A channel that says that all is opaque is left out; 256 colours must do what is asked above.
    """
    stored = base64.b64decode(picture)
    image = Image.open(BytesIO(stored))
    if image.mode == "RGBA" and image.getextrema()[3] == (255, 255):
        image = image.convert("RGB")
        stored = min(stored, png(image), key=len)
    if image.mode == "RGB":
        bound = (1 - SAVED) * len(stored)
        few = [image.quantize(256, method=way, dither=Image.Dither.NONE) for way in WAYS]
        small = [png(one) for one in few if looks_like(one, image)]
        stored = min([one for one in small if len(one) <= bound], key=len, default=stored)
    return base64.b64encode(stored).decode()


def png(image):
    """The bytes of a PNG of this picture."""
    file = BytesIO()
    image.save(file, format="png", optimize=True)
    return file.getvalue()


def looks_like(one, other):
    """Whether nobody would see a difference between two pictures."""
    move = np.abs(np.asarray(one.convert("RGB"), int) - np.asarray(other, int))
    return move.mean() <= MEAN and (move.max(axis=2) > FAR).mean() <= MOVED


def problems_of_ids(ids):
    """What is wrong with the names of the cells."""
    found = []
    for name in ids:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            found.append(f"cell id {name!r} is not readable-kebab-case")
    for name in ids:
        if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}.*)?", name):
            found.append(f"cell id {name!r} looks random")
    if len(set(ids)) < len(ids):
        found.append("two cells have the same id")
    return found


def problems_of_code(cell):
    """What is wrong with a cell of code and its outputs."""
    found = []
    for output in cell.outputs:
        is_stderr = output.output_type == "stream" and output.name == "stderr"
        if output.output_type == "error" or is_stderr:
            found.append(f"cell {cell.id} stores an error or stderr")

        data = output.get("data", {})
        if WIDGET in data:
            found.append(f"cell {cell.id} stores a widget view")

        printed = str(data.get("text/plain", "")) + str(output.get("text", ""))
        if " at 0x" in printed:
            found.append(f"cell {cell.id} stores a memory address")
    if "execution" in cell.metadata:
        found.append(f"cell {cell.id} stores run times")
    return found


def problems(nb):
    """What is wrong with a stored notebook, as sentences."""
    found = []
    if (nb.nbformat, nb.nbformat_minor) != (4, 5):
        found.append(f"format {nb.nbformat}.{nb.nbformat_minor}, not 4.5")
    if "widgets" in nb.metadata:
        found.append("stores widget state")

    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        found.append("execution counts are not 1..n: run `python tests/execute.py`")

    found += problems_of_ids([cell.id for cell in nb.cells])
    for cell in code:
        found += problems_of_code(cell)

    for cell in nb.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        if kind not in ("-", "slide", "subslide", "fragment", "skip", "notes"):
            found.append(f"cell {cell.id} has unknown slide type {kind!r}")
    return found


def execute(nb):
    """Run a notebook in a fresh kernel; the outputs are put into it."""
    from nbclient import NotebookClient

    client = NotebookClient(
        nb,
        timeout=600,
        kernel_name="python3",
        coalesce_streams=True,
        resources={"metadata": {"path": NOTEBOOKS}},
    )
    client.execute()


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "which", nargs="*", help="beginnings of file names, such as 04 (default: all)"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--check", action="store_true", help="execute nothing, say what is not clean"
    )
    instead.add_argument(
        "--pictures", action="store_true", help="execute nothing, make stored pictures small"
    )
    return parser.parse_args()


def main():
    args = arguments()
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    if args.which:
        paths = [path for path in paths if path.name.startswith(tuple(args.which))]
    if not paths:
        sys.exit(f"no notebook begins with {' or '.join(args.which)}")

    all_clean = True
    for path in paths:
        nb = nbformat.read(path, as_version=4)
        if not args.check:
            if not args.pictures:
                execute(nb)
            nbformat.write(clean(nb), path)

        found = problems(nb)
        if path.stat().st_size > LARGEST:
            found.append("larger than 1 MB")
        print(f"{path.name}: {'; '.join(found) or 'clean'}")
        all_clean = all_clean and not found
    sys.exit(0 if all_clean else 1)


if __name__ == "__main__":
    main()
