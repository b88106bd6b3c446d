"""The notebooks as the book shows them."""

import importlib.util
import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent


def script(path):
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = script(ROOT / "notebooks/book/build.py")


# -- the notebooks as the book shows them -------------------------------------------------------
@pytest.fixture(params=build.NOTEBOOKS, ids=lambda path: path.stem)
def nb(request):
    return build.notebook(request.param)


def prose(nb):
    return "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")


def test_solutions_are_folded_and_every_picture_has_words(nb):
    nbformat.validate(nb)
    for cell in nb.cells:
        tags = cell.metadata.get("tags", [])
        assert ("solution" in tags) == ("hide-cell" in tags)
        assert cell.metadata.get("slideshow", {}).get("slide_type") != "notes"
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            assert len(cell.metadata["mystnb"]["image"]["alt"]) >= 20, cell.id


def test_notes_for_speakers_are_left_out(tmp_path):
    markdown = nbformat.v4.new_markdown_cell
    cells = [
        markdown("# T", id="a"),
        markdown("psst", id="b", metadata={"slideshow": {"slide_type": "notes"}}),
    ]
    path = tmp_path / "09_t.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert [cell.id for cell in build.notebook(path).cells] == ["a"]


def test_headings_get_targets_papers_a_citation_and_a_quiz_its_mathematics():
    quiz = "<details><summary>$a$</summary>$b$</details> $c$"
    source = f"# T\n```\n# code\n```\n## U\narXiv:1406.2661 {quiz}"
    text, count = build.prose(source, "04", 3)
    assert count == 5
    assert text.startswith("(s04-3)=\n# T\n```\n# code\n```\n(s04-4)=\n## U\n")
    assert "[arXiv:1406.2661](https://arxiv.org/abs/1406.2661) {cite}`1406.2661`" in text
    assert r'<details class="tex2jax_process"><summary>\(a\)</summary>\(b\)</details> $c$' in text


def test_every_paper_is_in_the_bibliography_once(nb):
    bibliography = (build.HERE / "references.bib").read_text(encoding="utf-8")
    keys = Counter(re.findall(r"^@\w+\{([^,]+),", bibliography, re.M))
    assert max(keys.values()) == 1

    for cell in nb.cells:
        assert set(re.findall(r"\{cite\}`([^`]+)`", cell.source)) <= set(keys)
    assert not re.search(r"arXiv:(?!\d{4}\.\d{4,5}\]\()", prose(nb))


# -- the glossary -------------------------------------------------------------------------------
GLOSSARY = (ROOT / "notebooks/book/glossary.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^(\S.*)\n  (?:.*\n  )*?.*<!-- first: (.+?) -->$", GLOSSARY, re.M)


@pytest.mark.parametrize("term, pattern", ENTRIES, ids=[term for term, _ in ENTRIES])
def test_a_term_links_to_the_section_that_uses_it_first(term, pattern):
    number, k = re.fullmatch(r"\[.+\]\(#s(\d\d)-(\d+)\)", build.first_use(pattern)).groups()
    path = next(path for path in build.NOTEBOOKS if path.name.startswith(number))
    text = prose(build.notebook(path))
    section = re.search(rf"^\(s{number}-{k}\)=\n(.*?)(?=^\(s{number}-|\Z)", text, re.M | re.S)[1]
    assert re.search(pattern, section)


def test_a_term_that_nobody_uses_is_refused():
    with pytest.raises(ValueError, match="no notebook uses"):
        build.first_use("no such symbol anywhere")


GREEK = {
    "\\mu": "μ",
    "\\sigma": "σ",
    "\\eta": "η",
    "\\theta": "θ",
    "\\lambda": "λ",
    "\\nabla": "∇",
    "E": "𝔼",
}
LETTER = (
    r"\\(?:mu|sigma|eta|theta|lambda|nabla|phi|beta|alpha)\b"
    r"|(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])"
)
UPRIGHT = r"\\(text|mathrm|operatorname|begin|end)\s*\{[^}]*\}"  # words, not symbols


def symbols(cell):
    """The letters in the formulas of a cell, as LaTeX has them."""
    if cell.cell_type != "markdown":
        return set()
    formulas = " ".join(re.findall(r"\$\$?([^$]+)\$", cell.source))
    return set(re.findall(LETTER, re.sub(UPRIGHT, " ", formulas)))


def test_every_symbol_of_the_formulas_is_explained():
    """Letters that formulas of three cells or more use.

    i and j count, and b, c, d, s, t, y mean something new in each formula.
    """
    where = Counter()
    for path in build.NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            where.update(symbols(cell))

    often = {GREEK.get(symbol, symbol) for symbol, cells in where.items() if cells >= 3}
    often -= set("ijbcdsty")
    assert len(often) >= 15

    terms = " ".join(term for term, _ in ENTRIES)
    assert not [symbol for symbol in often if symbol not in terms]
