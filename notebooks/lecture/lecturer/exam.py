"""An exam with fresh numbers: a sheet, and a key with the answers and the way to them.

An exam has as many questions from each notebook, and (as nearly as that goes) as many of each
level. Whoever has the course and the seed can make the key: so the seed stands on the key alone,
and one that is to be used should be too large to be tried out.
"""

import html
import random
from collections.abc import Sequence

from lecturer import tasks_beliefs, tasks_games, tasks_pictures
from lecturer.templates import LEVELS, TEMPLATES, Task, Template

# Where the templates are: reading these files enters them into TEMPLATES.
FILES = (tasks_beliefs, tasks_games, tasks_pictures)
POINTS = {1: 2, 2: 4, 3: 6}


# -- one exam ------------------------------------------------------------------------------------


def levels(notebooks: Sequence[str], each: int, rng: random.Random) -> dict[str, list[int]]:
    """Which levels each notebook gives: `each` different ones, and about as many of each in all."""
    order = list(LEVELS)
    rng.shuffle(order)
    places = list(notebooks)
    rng.shuffle(places)
    given = {}
    for place, notebook in enumerate(places):
        given[notebook] = [order[(place + k) % len(order)] for k in range(each)]
    return given


def draw(
    seed: int, notebooks: Sequence[str] | None = None, each: int = 1
) -> list[tuple[Template, Task]]:
    """The questions of an exam, in the order of the notebooks and from easy to hard.

    each: how many questions a notebook gives, 1 to 3, each of another level.
    """
    there = sorted({template.notebook for template in TEMPLATES.values()})
    notebooks = there if notebooks is None else sorted(set(notebooks))
    unknown = [number for number in notebooks if number not in there]
    if unknown or not notebooks:
        raise ValueError(f"notebooks must be some of {', '.join(there)}, got {notebooks}")
    if each not in LEVELS:
        raise ValueError(f"each must be 1, 2 or 3, got {each!r}")

    rng = random.Random(f"exam/{seed}")
    wanted = levels(notebooks, each, rng)
    chosen = []
    for notebook in notebooks:
        for level in sorted(wanted[notebook]):
            fitting = [
                template
                for template in TEMPLATES.values()
                if (template.notebook, template.level) == (notebook, level)
            ]
            template = rng.choice(sorted(fitting, key=lambda template: template.name))
            chosen.append((template, template.task(seed)))
    return chosen


# -- on paper ------------------------------------------------------------------------------------

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 11.5pt/1.45 Georgia, serif; max-width: 42em; margin: 2em auto; padding: 0 1em; }}
h1 {{ font-size: 1.4em; }}
li {{ margin: 0 0 {room}; break-inside: avoid; }}
small {{ color: #444; }}
@page {{ margin: 18mm; }}
</style>
<h1>{title}</h1>
{body}
</html>
"""

SHEET = """<p>Name: ……………………………………… &emsp; Points: ………… of {points}</p>
<p>Logarithms are natural unless bits are asked. N(m, s²) is the normal law with mean m and standard
deviation s. D's answer is a probability. Give numbers to three digits, and show the way: half of
the points of a question are for it.</p>
"""

KEY = """<p><b>Not for the class.</b> Accept a number within 1 % of the one given here. Half of the
points of a question are for the way. Level 1: one step; 2: two steps; 3: several.</p>
"""


def page(title: str, head: str, items: Sequence[str], room: str) -> str:
    """A page that a browser shows and prints, on A4 and on letter."""
    listed = "\n".join(f"<li>{item}</li>" for item in items)
    return PAGE.format(title=html.escape(title), body=f"{head}<ol>\n{listed}\n</ol>", room=room)


def points(questions: Sequence[tuple[Template, Task]]) -> int:
    return sum(POINTS[template.level] for template, _ in questions)


def sheet(questions: Sequence[tuple[Template, Task]], title: str) -> str:
    """What the class gets: questions, their points, and room to write."""
    items = [
        f"{html.escape(task.asked())} <small>({POINTS[template.level]} points)</small>"
        for template, task in questions
    ]
    return page(title, SHEET.format(points=points(questions)), items, room="9em")


def key(questions: Sequence[tuple[Template, Task]], title: str) -> str:
    """What the lecturer keeps: each question with its answer and the way to it."""
    items = [
        f"{html.escape(task.asked())}<br><b>{html.escape(task.answered())}</b><br>"
        f"{html.escape(task.explained())}<br><small>{POINTS[template.level]} points · "
        f"level {template.level} · notebook {template.notebook} · {template.name}</small>"
        for template, task in questions
    ]
    return page(f"{title}: key", KEY, items, room="1em")
