"""Make what a class needs out of the notebooks: `make.py student|instructor|slides|rise [04 …] [--out FOLDER]`.

student: the notebooks without their solutions. instructor: with the solutions open, and the speaker notes of
INSTRUCTOR.md on every slide. slides: the same as pages to open from disk, with no network. rise: makes nothing,
but lets the labs play in live slides (RISE) of this environment. slides and rise need the extra `lecture`.
Everything is made new each time, in a folder that git ignores, and nothing of it is ever kept.
"""

import argparse
import base64
import importlib.metadata
import importlib.util
import re
import shutil
import sys
from html import escape
from pathlib import Path

import nbformat

HERE = Path(__file__).resolve().parent
NOTEBOOKS, ROOT = HERE.parent, HERE.parents[1]
RECORDING = ROOT / "images/recorded_runs.json"
PICTURE = re.compile(r"\]\((\.\./images/[\w.]+)\)")
NOTE = re.compile(r"^- `([a-z0-9-]+)` \((\d+) min\) (.*(?:\n  .*)*)", re.M)
MISSING = (
    'slides and rise need the extra “lecture”: pip install -r requirements.txt -e ".[lecture]"'
)
RISE = {
    "theme": "white",
    "transition": "none",
    "auto_select": "none",
    "scroll": True,
    "start_slideshow_at": "beginning",
}


def kind(cell):
    """Its slide type: slide, subslide, fragment, notes, skip, or "-" where the slide goes on."""
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def speaker_notes(number):
    """{id of the first cell of a slide: (minutes, what to say)} of notebook `number`, as INSTRUCTOR.md tells them."""
    text = (NOTEBOOKS / "INSTRUCTOR.md").read_text(encoding="utf-8")
    part = re.search(rf"^## {number} .*?(?=^## |\Z)", text, re.M | re.S)
    return {
        m[1]: (int(m[2]), re.sub(r"\s+", " ", m[3])) for m in NOTE.finditer(part[0] if part else "")
    }


def student(nb):
    """Without solutions: neither their cells nor what these printed."""
    nb.cells = [cell for cell in nb.cells if not tagged(cell, "solution")]
    for count, cell in enumerate((cell for cell in nb.cells if cell.cell_type == "code"), 1):
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    return nb


def instructor(nb, notes):
    """Solutions open; after the first cell of each slide what to say on it."""
    cells = []
    for cell in nb.cells:
        if tagged(cell, "solution"):
            cell.metadata.pop("jupyter", None)
        cells.append(cell)
        if cell.id in notes:
            minutes, words = notes[cell.id]
            note = nbformat.v4.new_markdown_cell(
                f"**Notes · {minutes} min.** {words}", id=f"notes-{cell.id}"
            )
            note.metadata["slideshow"] = {"slide_type": "notes"}
            cells.append(note)
    nb.cells, nb.metadata["rise"] = cells, RISE
    return nb


def packaged(file):
    """A file that a package of the extra carries."""
    package, path = file
    try:
        found = importlib.metadata.distribution(package).locate_file(path)
    except importlib.metadata.PackageNotFoundError:
        sys.exit(MISSING)
    return Path(found)


def slides(nb, name, out):
    """One page of slides; the lab of notebook 04 plays on it from its recording."""
    from nbconvert import SlidesExporter

    for cell in nb.cells:
        if tagged(cell, "solution"):
            cell.metadata["slideshow"] = {"slide_type": "skip"}
        pictures = [
            output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
        ]
        for (
            picture
        ) in pictures:  # is shown, with its sentence as alternative text; how it is drawn is not
            cell.metadata["transient"] = {"remove_source": True}
            picture.metadata = {"image/png": {"alt": sentence(cell)}}
        cell.source = PICTURE.sub(embedded, cell.source)
        if cell.id == "lab-live":
            recorded(cell)
    exporter = SlidesExporter(
        extra_template_basedirs=[str(HERE)],
        template_name="slides",
        reveal_url_prefix="assets/reveal",
        reveal_theme="white",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    about = {
        "metadata": {"name": nb.cells[0].source.splitlines()[0].strip("# ")},
        "slide_css": (HERE / "slides/slides.css").read_text(encoding="utf-8"),
    }
    page, _ = exporter.from_notebook_node(nb, about)
    (out / f"{name}.html").write_text(page, encoding="utf-8")


def sentence(cell):
    """What the outputs of a cell say in words."""
    words = [
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    ]
    return re.sub(r"\s+", " ", re.sub(r"<Figure size .*?>", "", " ".join(words))).strip()


def embedded(match):
    """A picture of the course inside the page: ](../images/x.png) with its bytes in place of its path."""
    path = (NOTEBOOKS / match[1]).resolve()
    return f"](data:image/{path.suffix[1:]};base64,{base64.b64encode(path.read_bytes()).decode()})"


def recorded(cell):
    """The lab as a recording in place of its picture; the picture stays for who has no JavaScript."""
    from ganlib.labs.recorded import html

    png = next(
        output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})
    )
    still = f'<img alt="{escape(sentence(cell))}" src="data:image/png;base64,{png.strip()}">'
    page = html(RECORDING.read_text(encoding="utf-8"), fallback=still)
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": page})]


def assets(out):
    """reveal.js and MathJax, from the packages that carry them."""
    reveal = packaged(("sphinx-revealjs", "sphinx_revealjs/_static/revealjs"))
    mathjax = packaged(
        ("sphinx-mathjax-offline", "sphinx-mathjax-offline/static/mathjax/tex-svg.js")
    )
    for part in (
        "dist/reveal.js",
        "dist/reveal.css",
        "dist/theme/white.css",
        "dist/theme/fonts/source-sans-pro",
        "plugin/notes",
    ):
        source, to = reveal / part, out / "assets/reveal" / part
        (shutil.copytree if source.is_dir() else copy)(source, to)
    copy(mathjax, out / "assets/mathjax/tex-svg.js")


def copy(source, to):
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, to)


def install_rise(prefix=sys.prefix):
    """Put the extension in rise/ where JupyterLab of this environment looks for extensions."""
    if importlib.util.find_spec("jupyterlab_rise") is None:
        sys.exit(MISSING)
    to = Path(prefix) / "share/jupyter/labextensions/ganlib-rise"
    for file in ("package.json", "static/remoteEntry.js"):
        copy(HERE / "rise" / file, to / file)
    print(
        f"{to}: labs play in RISE now. Open a notebook in JupyterLab, run all its cells, and press Alt+R."
    )


def make(edition, paths, out):
    if out.exists() and any(out.iterdir()) and not (out / ".made").exists():
        sys.exit(f"{out} holds something that this script did not make: name another folder")
    shutil.rmtree(out, ignore_errors=True)
    folder = out if edition == "slides" else out / "notebooks"
    folder.mkdir(parents=True)
    (out / ".made").touch()
    if edition == "slides":
        assets(out)
    else:  # what the notebooks show and load
        for picture in [*(ROOT / "images").glob("*.png"), *(ROOT / "images").glob("*.gif")]:
            copy(picture, out / "images" / picture.name)
        shutil.copytree(NOTEBOOKS / "weights", folder / "weights")
        copy(HERE / "rise/rise.css", folder / "rise.css")
    for path in paths:
        nb, notes = nbformat.read(path, as_version=4), speaker_notes(path.name[:2])
        nb = student(nb) if edition == "student" else instructor(nb, notes)
        if edition == "slides":
            slides(nb, path.stem, out)
        else:
            nbformat.write(nb, folder / path.name)
        print(f"{folder / path.name}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("edition", choices=["student", "instructor", "slides", "rise"])
    parser.add_argument(
        "which", nargs="*", help="beginnings of file names, such as 04 (default: all)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="the folder to make; what is in it is replaced (default: .cache/EDITION)",
    )
    args = parser.parse_args()
    if args.edition == "rise":
        return install_rise()
    paths = [
        p
        for p in sorted(NOTEBOOKS.glob("*.ipynb"))
        if not args.which or p.name.startswith(tuple(args.which))
    ]
    if not paths:
        sys.exit(f"no notebook begins with {' or '.join(args.which)}")
    make(args.edition, paths, args.out or ROOT / ".cache" / args.edition)


if __name__ == "__main__":
    main()
