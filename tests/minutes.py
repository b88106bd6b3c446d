"""How long a notebook takes, by one rule, from the notebook itself.

words / 130, and 1 minute a picture, 2 a prediction, an exercise's own minutes (3 unless its text
says "(5 min)"), and the minutes of play that stand before a lab ("**Play, 4 min.**"). A symbol of a
formula and an entry of a table count as words, and so does what is folded. Code, what it prints,
solutions and the list of what to read on are not counted. Nobody has timed it with people.
"""

import re
from dataclasses import dataclass, field

WORDS_A_MINUTE = 130
PICTURE, PREDICTION, EXERCISE = 1, 2, 3  # minutes of one

HEADING = re.compile(r"^(##+) (.+?)(?:  ?\((\d+) min(, depth)?\))?$", re.M)
FORMULA = re.compile(r"\$\$.+?\$\$|\$.+?\$", re.S)
SYMBOL = re.compile(r"\\[A-Za-z]+|[^\s{}^_\\&,;!$]")
SILENT = re.compile(  # what a formula is set with, and nobody reads
    r"\\(?:left|right|big|Big|bigl|bigr|Bigl|Bigr|quad|qquad|text|mathrm|mathbb|mathcal|mathbf"
    r"|operatorname|begin|end|tfrac|frac|underbrace|displaystyle|lVert|rVert)(?![A-Za-z])"
)
SHOWN = re.compile(r"!\[[^\]]*\]\([^)]*\)|<img[^>]*>")  # a picture in the text
ASKED = re.compile(r"\*\*Predict")
PLAY = re.compile(r"\*\*Play, (\d+) min\.?\*\*")
OWN = re.compile(r"\*\*Exercise\.?\*\* \((\d+) min\)")


@dataclass
class Part:
    """What stands below one heading that says its minutes: a section, or a part beside the path."""

    title: str
    stated: int | None
    depth: bool
    cells: list = field(default_factory=list)

    @property
    def computed(self):
        return sum(minutes_of(cell) for cell in self.cells)


def words(text):
    """How many words a reader meets in a text of markdown; a symbol of a formula is one."""
    symbols = sum(len(SYMBOL.findall(SILENT.sub(" ", found))) for found in FORMULA.findall(text))
    text = FORMULA.sub(" ", SHOWN.sub(" ", text))
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)  # of a link, its words
    text = re.sub(r"<[^>]+>|[|*>#`_-]", " ", text)
    return symbols + sum(bool(re.search(r"\w", word)) for word in text.split())


def minutes_of(cell):
    """The minutes of one cell."""
    if cell.cell_type == "markdown":
        found = words(cell.source) / WORDS_A_MINUTE
        found += PICTURE * len(SHOWN.findall(cell.source))
        found += PREDICTION * len(ASKED.findall(cell.source))
        found += sum(map(int, PLAY.findall(cell.source)))
        return found + sum(int(own) - EXERCISE for own in OWN.findall(cell.source))

    tags = cell.metadata.get("tags", [])
    if "solution" in tags:
        return 0
    found = EXERCISE * ("exercise" in tags) + PREDICTION * (
        "belief[" in cell.source and "Claim" in cell.source
    )
    return found + PICTURE * any("image/png" in o.get("data", {}) for o in cell.outputs)


def pieces(cell):
    """A cell of text, cut before each of its headings that say their minutes."""
    starts = [0, *(m.start() for m in HEADING.finditer(cell.source) if m[3] or m[1] == "##")]
    for start, end in zip(starts, [*starts[1:], None]):
        if cell.source[start:end].strip():
            yield cell.source[start:end]


def parts(nb):
    """The parts of a notebook in their order; the head, before the first heading, is one."""
    from nbformat.v4 import new_markdown_cell

    found = [Part("head", None, depth=False)]
    for cell in nb.cells:
        if cell.cell_type == "code":
            found[-1].cells.append(cell)
            continue
        for piece in pieces(cell):
            heading = HEADING.match(piece)
            if heading and (heading[3] or heading[1] == "##"):
                stated = int(heading[3]) if heading[3] else None
                found.append(Part(heading[2], stated, depth=bool(heading[4])))
            found[-1].cells.append(new_markdown_cell(piece, id=cell.id))
    return [part for part in found if "Where to read on" not in part.title]
