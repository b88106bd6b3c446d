"""The handouts, printed by the browser and read back by pypdf, which had no part in making them."""

import importlib.util
import re
import sys
import unicodedata

import make as lecture
import nbformat
import pytest
from browsers import find_chromium
from lecturer import handout
from lecturer.questions import of_notebook

pytestmark = pytest.mark.browser
(START,) = lecture.chosen(["00"])
SIZES = {"A4": (595, 842), "letter": (612, 792)}  # in points


def need(*modules):
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"pip install {' '.join(missing)} to check the handouts")


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """{(reader, paper): what pypdf reads} of notebook 00, made by the command."""
    need("pypdf", "sphinx-mathjax-offline")
    find_chromium()
    from pypdf import PdfReader

    folder = tmp_path_factory.mktemp("handout") / "handout"
    before = sys.argv
    sys.argv = ["make.py", "handout", "00", "--out", str(folder)]
    try:
        lecture.main()
    finally:
        sys.argv = before
    files = {
        (reader, paper): PdfReader(folder / f"{START.stem}-{reader}-{paper}.pdf")
        for reader in ("student", "instructor")
        for paper in handout.PAPERS
    }
    assert len(list(folder.glob("*.pdf"))) == len(files)
    return files


def letters(text):
    """Only letters, digits and signs: lines break elsewhere on paper."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


@pytest.fixture(scope="module")
def texts(printed):
    """{reader: all letters of the A4 edition, without the line at the foot of its pages}."""
    foot = letters(f"{lecture.COURSE} · 00")
    return {
        reader: "".join(
            re.sub(rf"{foot}\d+", "", letters(page.extract_text()))
            for page in printed[reader, "A4"].pages
        )
        for reader in ("student", "instructor")
    }


def test_the_class_gets_neither_solutions_nor_reasons_nor_notes(texts):
    cells = nbformat.read(START, as_version=4).cells
    solutions = [cell.source for cell in cells if lecture.tagged(cell, "solution")]
    others = letters("".join(cell.source for cell in cells if not lecture.tagged(cell, "solution")))
    lines = {letters(line) for source in solutions for line in source.splitlines()[1:]}
    hidden = {line for line in lines if len(line) > 15 and line not in others}
    hidden |= {letters(answer.why) for asked in of_notebook(START) for answer in asked.answers}
    notes = {letters(said[:40]) for _, said in lecture.speaker_notes("00").values()}
    notes = {said for said in notes if not re.search(r"[*`\\]", said)}
    assert len(hidden) > 15 and len(notes) > 3

    student, instructor = texts["student"], texts["instructor"]
    assert [line for line in hidden | notes if line in student] == []
    assert [line for line in hidden | notes if line not in instructor] == []
    assert "log_score:right." in instructor and "log_score:right." not in student
    for asked in of_notebook(START):
        assert all(letters(answer.text) in student for answer in asked.answers)


def test_it_is_tagged_and_has_an_outline_and_a_language(printed):
    titles = [
        re.sub(r"\s+", " ", line.strip("# "))
        for cell in nbformat.read(START, as_version=4).cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("## ")
    ]
    for file in printed.values():
        root = file.trailer["/Root"]
        assert bool(root["/MarkInfo"]["/Marked"])
        assert root["/Lang"] == "en"
        assert file.metadata.title == "Start here"
        found = [re.sub(r"\s+", " ", each.title) for each in flat(file.outline)]
        assert [title for title in titles if title not in found] == []
        assert len(titles) > 5


def flat(outline):
    for each in outline:
        if isinstance(each, list):
            yield from flat(each)
        else:
            yield each


def elements(node):
    """All elements of the tree that says what is what in a PDF."""
    node = node.get_object()
    if isinstance(node, list):
        for each in node:
            yield from elements(each)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node
        if "/K" in node:
            yield from elements(node["/K"])


def test_pictures_say_what_they_show(printed):
    cells = nbformat.read(START, as_version=4).cells
    pictures = sum(len(lecture.pictures(cell)) for cell in cells if cell.cell_type == "code")
    for file in printed.values():
        tree = file.trailer["/Root"]["/StructTreeRoot"]
        said = [str(each.get("/Alt", "")) for each in elements(tree) if each["/S"] == "/Figure"]
        assert sum(len(words) > 20 for words in said) >= pictures > 2


def test_pages_have_the_size_of_the_paper_and_name_no_file_of_this_machine(printed, texts):
    for (_, paper), file in printed.items():
        for page in file.pages:
            size = page.mediabox.width, page.mediabox.height
            assert [round(float(side)) for side in size] == pytest.approx(SIZES[paper], abs=1)
            for note in page.get("/Annots", []):
                address = note.get_object().get("/A", {}).get("/URI", "https:")
                assert address.startswith("https:")
    assert not [reader for reader, text in texts.items() if "file:" in text]


def test_nothing_is_wider_than_the_paper(tmp_path):
    """Laid out for print in the width of the narrower paper, no line goes beyond it."""
    need("sphinx-mathjax-offline")
    from browsers import chromium

    mathjax = lecture.packaged(
        "sphinx-mathjax-offline", "sphinx-mathjax-offline/static/mathjax/tex-svg.js"
    )
    nb = handout.for_paper(lecture.student(nbformat.read(START, as_version=4)), True)
    for cell in nb.cells:
        lecture.describe(cell)
    (tmp_path / "page.html").write_text(handout.page(nb, mathjax), encoding="utf-8")
    asked = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 665, "height": 1000})  # 176 mm
        page.on("request", lambda request: asked.append(request.url))
        page.emulate_media(media="print")
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_selector("html[data-typeset=yes]", state="attached")
        wide = page.evaluate("document.documentElement.scrollWidth")
        unread = page.evaluate("document.querySelectorAll('mjx-merror').length")
        closed = page.evaluate("document.querySelectorAll('details:not([open])').length")
        formulas = page.evaluate("document.querySelectorAll('mjx-container').length")
    assert (wide, unread, closed) == (665, 0, 0) and formulas > 0
    assert all(url.startswith(("file:", "data:")) for url in asked)


def test_without_a_browser_it_says_what_is_missing(monkeypatch, tmp_path):
    need("sphinx-mathjax-offline")
    monkeypatch.setattr(handout.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["make.py", "handout", "00", "--out", str(tmp_path / "x")])
    with pytest.raises(SystemExit, match="no browser to print with: install Chromium"):
        lecture.main()
    assert not (tmp_path / "x").exists()
