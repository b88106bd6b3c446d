"""Make the book, all notebooks as a static site: `python notebooks/book/build.py [--out FOLDER]`.

Needs what `python3 start.py install test` brings, and no network. The notebooks are taken as they
are stored. The site is in OUT/html; open index.html there from disk, or put the folder on any web
server. Warnings are errors.

What is changed on the way: solutions, and what predictions are about, are folded, notes for
speakers left out, every picture gets the sentence below it as its words, papers are linked to the
bibliography, and the labs that need no kernel work in the reader's browser.
"""

import argparse
import re
import shutil
import sys
from importlib.metadata import files
from pathlib import Path

import nbformat

from ganlib.labs import in_page
from ganlib.words import words

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OWN = ("conf.py", "references.bib", "index.md", "glossary.md", "data.md", "references.md")

PAPER = r"\[arXiv:(\d{4}\.\d{4,5})\]\([^)]*\)|arXiv:(\d{4}\.\d{4,5})"
LAB = """\
**This lab works here, in your browser**, without Python: press its buttons, move its knobs."""
PROMPTS = {"code_prompt_show": "Show what comes out", "code_prompt_hide": "Hide what comes out"}
FALLBACK = "<p>Your browser does not run the lab. The picture above shows where it ends.</p>"

# -- a notebook as the book shows it -----------------------------------------------------------


def headings(lines):
    """Number of each line that is a heading, not one in a block of code."""
    code = False
    for k, line in enumerate(lines):
        if line.startswith("```"):
            code = not code
        if not code and re.match(r"#{1,3} ", line):
            yield k


def prose(source, number, count):
    """A markdown cell for the book, and how many headings there are up to its end.

    `count` headings came before it in notebook `number`; each of its own gets a target, `s04-5`.
    """
    lines = source.split("\n")
    for k in headings(lines):
        lines[k] = f"(s{number}-{count})=\n{lines[k]}"
        count += 1

    text = re.sub(PAPER, cited, "\n".join(lines))
    return re.sub(r"<details>.*?</details>", with_mathematics, text), count


def cited(match):
    """A paper as a link, and a citation of its entry in the bibliography."""
    number = match[1] or match[2]
    return f"[arXiv:{number}](https://arxiv.org/abs/{number}) {{cite}}`{number}`"


def with_mathematics(match):
    """An answer of a quiz, marked for MathJax: MyST leaves the formulas in raw HTML alone."""
    text = re.sub(r"\$([^$\n]+)\$", r"\\(\1\\)", match[0])
    return text.replace("<details>", '<details class="tex2jax_process">', 1)


def notebook(path):
    """A notebook for the book."""
    nb = nbformat.read(path, as_version=4)
    cells = []
    count = 0
    script = in_page.script()
    for cell in nb.cells:
        tags = cell.metadata.setdefault("tags", [])
        if cell.metadata.get("slideshow", {}).get("slide_type") == "notes":
            continue

        if cell.cell_type == "markdown":
            cell.source, count = prose(cell.source, path.name[:2], count)
        elif cell.cell_type == "code":
            if "solution" in tags:
                tags.append("hide-cell")
            elif cell.metadata.get("jupyter", {}).get("outputs_hidden"):
                tags.append("hide-output")  # what a prediction is about
                cell.metadata["mystnb"] = PROMPTS.copy()
            if words(cell.outputs):
                cell.metadata.setdefault("mystnb", {})["image"] = {"alt": words(cell.outputs)}

        cells.append(cell)
        if cell.id in in_page.CELLS:
            cells += live_lab(in_page.CELLS[cell.id], script)
            script = ""

    nb.cells = cells
    return nb


def live_lab(name, script):
    """The cells in which a lab works without a kernel; script: what the first one on a page needs.

    The poster of the lab above them is what a browser shows that cannot run it.
    """
    lab = in_page.html(in_page.made(name), fallback=FALLBACK)
    output = nbformat.v4.new_output("display_data", {"text/html": f"{script}\n{lab}"})
    return [
        nbformat.v4.new_markdown_cell(LAB, id=f"in-page-words-{name}"),
        nbformat.v4.new_code_cell(
            "# in the page",
            id=f"in-page-{name}",
            outputs=[output],
            metadata={"tags": ["remove-input"]},
        ),
    ]


# -- the pages beside them ---------------------------------------------------------------------


def first_use(pattern):
    """A link to the first section of the course whose text matches."""
    for path in NOTEBOOKS:
        number = path.name[:2]
        count = 0
        title = ""
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type != "markdown":
                continue
            lines = cell.source.split("\n")
            heads = set(headings(lines))
            for k, line in enumerate(lines):
                if k in heads:
                    count += 1
                    title = re.sub(r"^#+ |\\| *\(\d+ min(, depth)?\)", "", line)
                # The first heading is the notebook's title; its promises explain nothing.
                if count > 1 and re.search(pattern, line):
                    return f"[{number}: {title}](#s{number}-{count - 1})"
    raise ValueError(f"no notebook uses {pattern!r}: the glossary must not explain it")


def explained(page):
    """Tell in the glossary where each term is used first."""
    text = re.sub(
        r"<!-- first: (.+?) -->",
        lambda match: f"First in {first_use(match[1])}.",
        page.read_text(encoding="utf-8"),
    )
    page.write_text(text, encoding="utf-8")


def bring(page, source):
    """Copy the files of the repository to which a page links, so that the book has them too."""
    for target in re.findall(r"\]\(([^)#\s:]+)\)", page.read_text(encoding="utf-8")):
        here = (page.parent / target).resolve()
        there = ROOT / here.relative_to(source.resolve())
        if there.is_file() and there.suffix not in (".ipynb", ".md") and not here.exists():
            here.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(there, here)


# -- all of it ---------------------------------------------------------------------------------


def lay_out(source):
    """Write all that Sphinx reads into the folder `source`."""
    shutil.rmtree(source, ignore_errors=True)
    (source / "notebooks").mkdir(parents=True)
    shutil.copytree(ROOT / "images", source / "images")

    (source / "_static/mathjax").mkdir(parents=True)
    mathjax = next(f for f in files("sphinx-mathjax-offline") if f.name == "tex-svg.js")
    shutil.copy(mathjax.locate(), source / "_static/mathjax")
    for name in ("book.css", "scroll.js"):
        shutil.copy(HERE / name, source / "_static")

    for name in OWN:
        shutil.copy(HERE / name, source)
    shutil.copy(ROOT / "README.md", source)
    for path in (ROOT / "notebooks").glob("*.md"):  # what teachers read
        shutil.copy(path, source / "notebooks")
    for page in source.rglob("*.md"):
        bring(page, source)
    explained(source / "glossary.md")

    for path in NOTEBOOKS:
        nbformat.write(notebook(path), source / "notebooks" / path.name)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / ".cache/book",
        help="where the book goes (default .cache/book)",
    )
    out = parser.parse_args().out.resolve()
    try:
        from sphinx.cmd.build import build_main
    except ImportError:
        sys.exit("The book needs more packages: `python3 start.py install test` brings them")

    lay_out(out / "source")
    shutil.rmtree(out / "html", ignore_errors=True)
    options = ["-W", "--keep-going", "-q", "-E", "-b", "html", "-d", str(out / "doctrees")]
    failed = build_main([*options, str(out / "source"), str(out / "html")])
    if not failed:
        print(f"made {out / 'html' / 'index.html'}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
