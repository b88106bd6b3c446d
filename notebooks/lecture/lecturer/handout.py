"""Notebooks on paper: pages that a browser prints as PDF, tagged and with an outline.

A page needs nothing from a network: pictures are inside it, and MathJax comes from a package.
"""

import html
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lecturer.questions import ANSWER

HERE = Path(__file__).resolve().parent
PAPERS = ("A4", "letter")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
MARGINS = {"top": "18mm", "bottom": "18mm", "left": "17mm", "right": "17mm"}

# A link to a file of the course leads nowhere on paper, and would print where this machine has it.
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)\s]+\)")

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>{style}</style>
<script>
MathJax = {{ tex: {{ inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]], processEscapes: true }},
            options: {{ ignoreHtmlClass: "highlight|output" }},
            startup: {{ pageReady: () => MathJax.startup.defaultPageReady().then(
              () => {{ document.documentElement.dataset.typeset = "yes" }}) }} }};
</script>
<script src="{mathjax}"></script>
</head>
<body>
{body}
</body>
</html>
"""

FOOT = """<div style="font: 7pt sans-serif; width: 100%; padding: 0 17mm; display: flex;
justify-content: space-between"><span>{}</span><span class="pageNumber"></span></div>"""


def without_reasons(source: str) -> str:
    """A quiz as it is asked: its answers, and not which is right or why."""
    return ANSWER.sub(lambda found: f"<p>{found[1]}) {found[2]}</p>", source)


def for_paper(nb, student: bool):
    """Change a notebook's edition into what may stand on paper.

    student: the reasons of its quiz are left out; whatever else is folded is printed open.
    """
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            if student:
                cell.source = without_reasons(cell.source)
            cell.source = LINK.sub(r"\1", cell.source).replace("<details>", "<details open>")
        cell.metadata.pop("jupyter", None)  # which says that a source is folded
    return nb


def page(nb, mathjax: Path) -> str:
    """A notebook as one page of HTML."""
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    exporter = HTMLExporter(
        template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True
    )
    # One cell after the other, so that solutions and notes can be marked as such.
    parts = []
    for cell in nb.cells:
        alone = type(nb)(nb | {"cells": [cell]})
        body, _ = exporter.from_notebook_node(alone)
        kind = "solution" if "solution" in cell.metadata.get("tags", []) else ""
        if cell.metadata.get("slideshow", {}).get("slide_type") == "notes":
            kind = "notes"
        parts.append(f'<div class="{kind}">{body}</div>' if kind else body)

    title = nb.cells[0].source.splitlines()[0].strip("# ")
    style = (HERE / "handout.css").read_text(encoding="utf-8")
    colours = HtmlFormatter(style="bw").get_style_defs(".highlight")
    return PAGE.format(
        title=html.escape(title),
        style=f"{style}\n{colours}",
        mathjax=mathjax.resolve().as_uri(),
        body="\n".join(parts),
    )


# -- printing ------------------------------------------------------------------------------------


def find_browser() -> str:
    """Where a Chromium is: CHROMIUM in the environment, or one that the system finds."""
    for name in (os.environ.get("CHROMIUM", ""), *CHROMIUM):
        if name and shutil.which(name):
            return shutil.which(name)
    raise FileNotFoundError(
        f"no browser to print with: install Chromium ({', '.join(CHROMIUM)} are looked for), "
        "or set CHROMIUM to its path"
    )


@contextmanager
def printer() -> Iterator:
    """A function (page, title, paper, file) that prints a page of HTML, with no network."""
    from playwright.sync_api import sync_playwright

    path = find_browser()
    with sync_playwright() as play, tempfile.TemporaryDirectory() as folder:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        tab = browser.new_context(offline=True).new_page()
        there = Path(folder) / "page.html"

        def to_pdf(text: str, title: str, papers: Iterable[str], name) -> None:
            there.write_text(text, encoding="utf-8")
            tab.goto(there.as_uri())
            tab.wait_for_selector("html[data-typeset=yes]", state="attached", timeout=120_000)
            for paper in papers:
                tab.pdf(
                    path=str(name(paper)),
                    format=paper,
                    margin=MARGINS,
                    tagged=True,
                    outline=True,
                    display_header_footer=True,
                    header_template="<span></span>",
                    footer_template=FOOT.format(html.escape(title)),
                )

        try:
            yield to_pdf
        finally:
            browser.close()
