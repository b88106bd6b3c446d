"""The concept test: twenty items, each asked in two parallel forms, on paper, as GIFT, as notebook.

`concepts/items.md` has them, and says how they are written. Which letter is right is the same in
every copy of a form; each letter is right equally often.
"""

import html
import random
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from lecturer.exam import page
from lecturer.questions import Answer, Question

ITEMS = Path(__file__).resolve().parents[1] / "concepts/items.md"
FORMS = ("A", "B")
LETTERS = "abcd"

HEADING = re.compile(r"^## ([a-z]+) · (.+)\nDecided by: (.+)\n", re.M)
FORM = re.compile(r"^([AB]): (.+)\n((?:[+-] .+\n?)+)", re.M)


@dataclass(frozen=True)
class Item:
    """One belief. cells: the (notebook, cell) that decide it. forms: {form: its question}.

    beliefs: {form: what is believed by whoever chooses a, b, c, d}; the right one is "".
    """

    key: str
    title: str
    cells: tuple[tuple[str, str], ...]
    forms: dict[str, Question]
    beliefs: dict[str, tuple[str, ...]]

    def right(self, form: str) -> str:
        """The letter of the right answer."""
        answers = self.forms[form].answers
        return next(letter for letter, answer in zip(LETTERS, answers) if answer.right)


def inline(text: str) -> str:
    """A line of the file as HTML."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text.strip(), quote=False))


def answers_of(lines: str, place: int, where: str) -> tuple[list[Answer], list[str]]:
    """The answers of a form, the right one moved to this place, and the belief behind each."""
    right, wrong = [], []
    for line in lines.strip().splitlines():
        text, _, belief = line[2:].partition(" // ")
        if (line[0] == "+") == bool(belief):
            raise ValueError(f"{where}: each wrong answer, and no other, has a belief: {line}")
        (right if line[0] == "+" else wrong).append((inline(text), belief.strip()))
    if (len(right), len(wrong)) != (1, len(LETTERS) - 1):
        raise ValueError(f"{where}: one right and three wrong answers, not {lines!r}")
    both = wrong[:place] + right + wrong[place:]
    answers = [Answer(text, not belief) for text, belief in both]
    return answers, [belief for _, belief in both]


def places(form: str, items: int) -> list[int]:
    """Where the right answer of each item stands: each place equally often, in no order."""
    order = [k % len(LETTERS) for k in range(items)]
    random.Random(f"concepts/{form}").shuffle(order)
    return order


def read(text: str | None = None) -> list[Item]:
    """The items of the file."""
    text = ITEMS.read_text(encoding="utf-8") if text is None else text
    heads = list(HEADING.finditer(text))
    where = {form: places(form, len(heads)) for form in FORMS}
    items = []
    for number, head in enumerate(heads):
        end = heads[number + 1].start() if number + 1 < len(heads) else len(text)
        asked = {form: (said, lines) for form, said, lines in FORM.findall(text[head.end() : end])}
        if set(asked) != set(FORMS):
            raise ValueError(f"item {head[1]} must have the forms A and B, got {sorted(asked)}")
        forms, beliefs = {}, {}
        for form, (said, lines) in asked.items():
            name = f"{head[1]}, form {form}"
            answers, beliefs[form] = answers_of(lines, where[form][number], name)
            key = f"concepts-{form}-{number + 1:02}"
            part = f"Concept test, form {form}"
            forms[form] = Question(key, part, inline(said), tuple(answers))
        cells = tuple(tuple(cell.split()) for cell in head[3].split(","))
        beliefs = {form: tuple(said) for form, said in beliefs.items()}
        items.append(Item(head[1], head[2], cells, forms, beliefs))
    return items


# -- what is made of them ------------------------------------------------------------------------

ASK = """<p>Number: ………………… &emsp; Date: …………………</p>
<p>One answer to each question is right. Where you do not know, leave it blank and do not guess:
this is no exam, and it has no marks. D's answers are probabilities here.</p>
"""


def paper(items: list[Item], form: str) -> str:
    """A form on paper."""
    asked = []
    for item in items:
        question = item.forms[form]
        listed = "<br>".join(
            f"{letter}) {answer.text}" for letter, answer in zip(LETTERS, question.answers)
        )
        asked.append(f"{question.text}<br>{listed}")
    return page(f"What do you think? Form {form}", ASK, asked, room="1.2em")


def key(items: list[Item]) -> str:
    """For the lecturer: what is right, which cell decides it, and what a wrong answer tells."""
    listed = []
    for item in items:
        decided = ", ".join(" ".join(cell) for cell in item.cells)
        parts = [f"<b>{html.escape(item.title)}</b>, decided by {decided}"]
        for form in FORMS:
            beliefs = "; ".join(
                f"{letter}: {html.escape(belief)}"
                for letter, belief in zip(LETTERS, item.beliefs[form])
                if belief
            )
            parts.append(f"Form {form}: <b>{item.right(form)}</b>. Who chooses {beliefs}.")
        listed.append("<br>".join(parts))
    return page("Concept test: key", "<p><b>Not for the class.</b></p>", listed, room="0.8em")


NOTEBOOK_HEAD = """# What do you think? Form {form}

One answer to each question is right. Write your letters into the last cells; put a dot where you
do not know, and do not guess. This is no exam, and it has no marks."""

ENTER = """number = "..."    # the number that you were given, the same both times
when = "before"   # or "after"
answers = "{dots}"  # {count} letters, in order: a, b, c or d, and a dot where you do not know"""

SAVE = """import csv

answers = answers.lower()
if len(answers) != {count} or set(answers) - set("abcd."):
    print("Please give {count} of the letters a, b, c, d and the dot; these are", len(answers))
elif number == "..." or when not in ("before", "after"):
    print("Please fill in your number, and before or after.")
else:
    name = f"answers_{{number}}_{{when}}.csv"
    with open(name, "w", newline="", encoding="utf-8") as file:
        rows = [["learner", "when", "form", "answers"], [number, when, "{form}", answers]]
        csv.writer(file).writerows(rows)
    print("Thank you. Please hand in the file", name)"""


def notebook(items: list[Item], form: str):
    """A form as a notebook, which writes the answers into a file and knows nothing of the key."""
    cells = [nbformat.v4.new_markdown_cell(NOTEBOOK_HEAD.format(form=form), id="title")]
    for number, item in enumerate(items, 1):
        question = item.forms[form]
        lines = [f"**{number}.** {question.text}", ""]
        lines += [f"{letter}) {answer.text}  " for letter, answer in zip(LETTERS, question.answers)]
        cells.append(nbformat.v4.new_markdown_cell("\n".join(lines), id=f"question-{number}"))
    count = len(items)
    enter = ENTER.format(dots="." * count, count=count)
    cells.append(nbformat.v4.new_code_cell(enter, id="enter"))
    cells.append(nbformat.v4.new_code_cell(SAVE.format(count=count, form=form), id="save"))
    nb = nbformat.v4.new_notebook(cells=cells)
    nb.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    return nb
