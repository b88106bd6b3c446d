"""Questions in Moodle's GIFT format: one text file, read by *Question bank, Import*.

The format is described at https://docs.moodle.org/en/GIFT_format. A question is

    ::title::[html]text {
        =the right answer#what is said to who chose it
        ~another answer#what is said
    }

and the characters ~ = # { } : and \\ are written with a \\ before them. An empty line ends a
question, so there is none inside.
"""

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from lecturer.questions import Question

SPECIAL = re.compile(r"([\\~=#{}:])")


def escaped(text: str) -> str:
    """A text of one line in which no character means anything to GIFT."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def question(asked: Question) -> str:
    """One question; of its answers only those with a reason say something when chosen."""
    lines = [f"::{escaped(asked.key)}::[html]{escaped(asked.text)} {{"]
    for answer in asked.answers:
        said = f"#{escaped(answer.why)}" if answer.why else ""
        text = escaped(answer.text)
        if text.startswith("%"):
            text = f"[html]{text}"  # an answer that begins with % would be read as a weight
        lines.append(f"\t{'=' if answer.right else '~'}{text}{said}")
    return "\n".join([*lines, "}"])


def file(questions: Iterable[Question], course: str) -> str:
    """A file of questions, in a category for each part, below one for the course."""
    blocks = [f"// {course}: to be imported into a question bank as GIFT, UTF-8"]
    for part, asked in groupby(questions, key=lambda question: question.part):
        # In a path of categories a / within a name is written twice.
        names = [name.replace("/", "//") for name in (course, part)]
        blocks.append(f"$CATEGORY: {'/'.join(names)}")
        blocks += [question(each) for each in asked]
    return "\n\n".join(blocks) + "\n"


def write(questions: Iterable[Question], course: str, to: Path) -> None:
    """Write the file."""
    to.write_text(file(questions, course), encoding="utf-8")
