"""Templates of exam questions: questions without their numbers.

A template is a function that draws numbers and returns a `Task`; `template` says which notebook it
belongs to and how hard it is, and keeps away the numbers that the notebook itself has.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# 1: one step with a formula of the notebook; 2: two steps; 3: several, or a step of one's own.
LEVELS = (1, 2, 3)
MOST_TRIES = 200


@dataclass(frozen=True)
class Task:
    """A question with its numbers.

    given: the numbers of the question, by name; `text` and `way` hold their names in braces.
    answer: what is asked, by name: numbers, or words.
    """

    given: dict[str, Any]
    text: str
    answer: dict[str, Any]
    way: str

    def asked(self) -> str:
        """The question as the sheet has it."""
        return self.text.format(**{name: shown(value) for name, value in self.given.items()})

    def explained(self) -> str:
        """The way to the answer as the key has it."""
        return self.way.format(**{name: shown(value) for name, value in self.given.items()})

    def answered(self) -> str:
        """The answer as the key has it."""
        return "; ".join(f"{name}: {shown(value, 4)}" for name, value in self.answer.items())


@dataclass(frozen=True)
class Template:
    """A question without its numbers.

    used: the numbers that the notebook has, as `given` of a task; they are never drawn.
    """

    name: str
    notebook: str
    level: int
    make: Callable[[random.Random], Task]
    used: tuple[dict[str, Any], ...] = ()

    def task(self, seed: int | str) -> Task:
        """The question with the numbers of this seed; the same seed gives the same numbers."""
        rng = random.Random(f"{self.name}/{seed}")
        for _ in range(MOST_TRIES):
            task = self.make(rng)
            if task.given not in self.used:
                return task
        raise RuntimeError(f"{self.name}: {MOST_TRIES} draws gave only numbers of the notebook")


TEMPLATES: dict[str, Template] = {}


def template(notebook: str, level: int, *used: dict[str, Any]):
    """Make a function that draws a `Task` a template, under the function's own name."""

    def keep(make: Callable[[random.Random], Task]) -> Callable[[random.Random], Task]:
        name = make.__name__
        if name in TEMPLATES or level not in LEVELS:
            raise ValueError(f"template {name}: its name must be new, its level one of {LEVELS}")
        TEMPLATES[name] = Template(name, notebook, level, make, used)
        return make

    return keep


def shown(value: Any, digits: int = 12) -> str:
    """A number, a word, or a list of them, as it is printed: −0.25, 1,200, 2 · 10⁻⁷."""
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(each, digits) for each in value)
    if isinstance(value, str):
        return value
    text = f"{value:.{digits}g}"
    if "e" in text:
        number, power = text.split("e")
        raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{number} · 10{raised}"
    elif abs(value) >= 10_000 and float(text).is_integer():
        text = f"{int(float(text)):,}"
    return text.replace("-", "−")
