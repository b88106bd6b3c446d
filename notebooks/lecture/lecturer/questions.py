"""Questions with a few answers, of which one is right; and those of the notebooks' quizzes.

A quiz is a text cell. Each of its questions begins with its number in bold, and each answer is
folded, with its reason, which begins with “Right” where the answer is:

    **2. Where p_data = 3 p_g, D\\* is**

    <details><summary>a) 3</summary>No: that is the odds.</details>
    <details><summary>b) ¾</summary>Right: 3/(3 + 1).</details>
"""

import html
import re
from dataclasses import dataclass
from pathlib import Path

import mistune
import nbformat

NUMBER = re.compile(r"^\*\*(\d+)\.", re.M)
ANSWER = re.compile(r"<details><summary>([a-z])\) (.*?)</summary>(.*?)</details>", re.S)
CODE = re.compile(r"`([^`]+)`")
DOLLARS = re.compile(r"\$([^$]+)\$")

markdown = mistune.create_markdown(plugins=["math"])


@dataclass(frozen=True)
class Answer:
    """One answer, as HTML: whether it is right, and why or why not."""

    text: str
    right: bool
    why: str = ""


@dataclass(frozen=True)
class Question:
    """A question, as HTML, and its answers in the order in which they are shown.

    key: a name that no other question has, of letters, digits and “-”.
    part: what it belongs to, such as the title of its notebook.
    """

    key: str
    part: str
    text: str
    answers: tuple[Answer, ...]

    def __post_init__(self):
        right = sum(answer.right for answer in self.answers)
        if right != 1:
            raise ValueError(f"question {self.key}: one answer must be right, not {right}")
        shown = [answer.text for answer in self.answers]
        if len(shown) < 2 or len(set(shown)) < len(shown):
            raise ValueError(f"question {self.key}: two answers at least, all different: {shown}")
        if not all([self.text, *shown]):
            raise ValueError(f"question {self.key}: it, or an answer, is empty")


def from_markdown(text: str) -> str:
    """A paragraph of a text cell as HTML. What stands between dollars becomes \\(…\\)."""
    return markdown(text.strip()).strip().removeprefix("<p>").removesuffix("</p>")


def from_folded(text: str) -> str:
    """What is folded is HTML in the notebook; here without tags, but with `code` and $formulas$."""
    text = html.unescape(" ".join(text.split()))
    if re.search(r"</?[a-z]", text):
        raise ValueError(f"a folded answer is plain text and `code`, not “{text}”")
    text = CODE.sub(r"<code>\1</code>", html.escape(text, quote=False))
    return DOLLARS.sub(r"\\(\1\\)", text)


def of_cell(source: str, number: str, part: str) -> list[Question]:
    """The questions of a quiz, from the source of its cell.

    number: that of the notebook, such as "03"; the question gets the key "03-quiz-2".
    """
    starts = [found.start() for found in NUMBER.finditer(source)]
    questions = []
    for start, end in zip(starts, [*starts[1:], len(source)]):
        said = source[start:end]
        asked = said[: said.index("<details>")] if "<details>" in said else said
        key = f"{number}-quiz-{NUMBER.match(said)[1]}"
        answers = [
            Answer(
                text=from_folded(answer),
                right=reason.strip().startswith("Right"),
                why=from_folded(reason),
            )
            for _, answer, reason in ANSWER.findall(said)
        ]
        # Bold is how a notebook sets a question off; a list of questions needs no bold.
        text = NUMBER.sub("", asked, count=1).replace("**", "").strip()
        questions.append(Question(key, part, from_markdown(text), tuple(answers)))
    return questions


def of_notebook(path: Path) -> list[Question]:
    """The questions of a notebook's quiz, wherever in it they stand."""
    cells = nbformat.read(path, as_version=4).cells
    title = cells[0].source.splitlines()[0].strip("# ")
    part = f"{path.name[:2]} {title}"
    questions = []
    for cell in cells:
        if cell.cell_type == "markdown" and ANSWER.search(cell.source):
            questions += of_cell(cell.source, path.name[:2], part)
    if not questions:
        raise ValueError(f"{path.name} has no quiz: no folded answer “a) …” was found")
    return questions
