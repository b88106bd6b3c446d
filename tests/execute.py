"""Re-execute notebooks from top to bottom and store them clean: `python tests/execute.py [04 …] [--check]`.

Clean means: outputs of a fresh kernel, execution counts 1..n, no widget views or state, no run times.
Without arguments it does all notebooks. With --check it only says what is not clean.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"


def clean(nb):
    """Take out what must not be stored: widget views and state, run times, the version of this Python."""
    nb.metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    nb.nbformat_minor = 5
    for cell in nb.cells:
        cell.metadata = {
            k: v for k, v in cell.metadata.items() if k in ("tags", "slideshow", "jupyter")
        }
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
            output.pop("transient", None)
    return nb


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
    ids = [cell.id for cell in nb.cells]
    found += [
        f"cell id {i!r} is not readable-kebab-case"
        for i in ids
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", i)
    ]
    found += [
        f"cell id {i!r} looks random"
        for i in ids
        if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}.*)?", i)
    ]
    if len(set(ids)) < len(ids):
        found.append("two cells have the same id")
    for cell in code:
        for output in cell.outputs:
            if output.output_type == "error" or (
                output.output_type == "stream" and output.name == "stderr"
            ):
                found.append(f"cell {cell.id} stores an error or stderr")
            if WIDGET in output.get("data", {}):
                found.append(f"cell {cell.id} stores a widget view")
            if " at 0x" in str(output.get("data", {}).get("text/plain", "")) + str(
                output.get("text", "")
            ):
                found.append(f"cell {cell.id} stores a memory address")
        if "execution" in cell.metadata:
            found.append(f"cell {cell.id} stores run times")
    for cell in nb.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        if kind not in ("-", "slide", "subslide", "fragment", "skip", "notes"):
            found.append(f"cell {cell.id} has unknown slide type {kind!r}")
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "which", nargs="*", help="beginnings of file names, such as 04 (default: all)"
    )
    parser.add_argument(
        "--check", action="store_true", help="execute nothing, say what is not clean"
    )
    args = parser.parse_args()
    paths = [
        p
        for p in sorted(NOTEBOOKS.glob("*.ipynb"))
        if not args.which or p.name.startswith(tuple(args.which))
    ]
    if not paths:
        sys.exit(f"no notebook begins with {' or '.join(args.which)}")
    bad = 0
    for path in paths:
        nb = nbformat.read(path, as_version=4)
        if not args.check:
            from nbclient import NotebookClient

            NotebookClient(
                nb,
                timeout=600,
                kernel_name="python3",
                coalesce_streams=True,
                resources={"metadata": {"path": NOTEBOOKS}},
            ).execute()
            nbformat.write(clean(nb), path)
        found = problems(nb) + (["larger than 1 MB"] if path.stat().st_size > 1 << 20 else [])
        print(f"{path.name}: {'clean' if not found else '; '.join(found)}")
        bad += bool(found)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
