"""What a class gained between two sittings of the concept test, and how good each item was.

A table has a row for each sitting: learner, when (before or after), form (A or B), and answers, a
letter a to d for each item or a dot for none. A dot counts as not right.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lecturer.concepts import FORMS, LETTERS, Item

TIMES = ("before", "after")
COLUMNS = ("learner", "when", "form", "answers")
RESAMPLES = 2000

# What is worth a second look, by usage of item analysis: hardly anybody or nearly everybody is
# right afterwards; or who is right in it is not better in the rest.
HARD, EASY, BLUNT = 0.2, 0.95, 0.1


@dataclass(frozen=True)
class Sitting:
    """One learner, one form."""

    learner: str
    when: str
    form: str
    answers: str


def read(path: Path, items: int) -> list[Sitting]:
    """The sittings of a table."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or [])]
        if missing:
            raise ValueError(f"{path.name}: no column {', '.join(missing)}; needs {COLUMNS}")
        found = [
            Sitting(*((row[name] or "").strip() for name in COLUMNS[:3]), row["answers"] or "")
            for row in rows
        ]
    for line, each in enumerate(found, 2):
        said = each.answers.strip().lower()
        if each.when not in TIMES or each.form not in FORMS or not each.learner:
            raise ValueError(
                f"{path.name}, line {line}: a learner, before or after, and A or B are asked, got "
                f"{each.learner!r}, {each.when!r}, {each.form!r}"
            )
        if len(said) != items or set(said) - set(f"{LETTERS}."):
            raise ValueError(
                f"{path.name}, line {line}: {items} of the letters a, b, c, d and the dot are "
                f"asked, got {each.answers!r}"
            )
    found = [Sitting(each.learner, each.when, each.form, each.answers.lower()) for each in found]
    twice = [who for who, n in Counter((s.learner, s.when) for s in found).items() if n > 1]
    if twice:
        raise ValueError(f"{path.name}: sits twice, {twice[0][1]}: {twice[0][0]}")
    return found


def marks(sittings: Sequence[Sitting], items: Sequence[Item]) -> np.ndarray:
    """(sittings, items): 1 where the answer is right."""
    return np.array(
        [
            [letter == item.right(each.form) for letter, item in zip(each.answers, items)]
            for each in sittings
        ],
        dtype=float,
    ).reshape(len(sittings), len(items))


def both_times(sittings: Sequence[Sitting]) -> dict[str, list[Sitting]]:
    """{before: …, after: …} of the learners who sat both times, in the same order."""
    at = {(each.learner, each.when): each for each in sittings}
    learners = sorted({each.learner for each in sittings})
    matched = [who for who in learners if all((who, when) in at for when in TIMES)]
    if len(matched) < 2:
        raise ValueError(f"two learners at least must have sat before and after, not {matched}")
    return {when: [at[who, when] for who in matched] for when in TIMES}


def normalised(before: np.ndarray, after: np.ndarray) -> float:
    """⟨g⟩ = (after − before) / (1 − before), of the shares that a class has right (Hake 1998)."""
    start = before.mean()
    return float((after.mean() - start) / (1 - start)) if start < 1 else float("nan")


def interval(before: np.ndarray, after: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """A 95 % interval of ⟨g⟩: of classes drawn anew from these learners, with replacement."""
    rng = np.random.default_rng(seed)
    shares = np.stack([before.mean(1), after.mean(1)])
    chosen = rng.integers(0, shares.shape[1], (RESAMPLES, shares.shape[1]))
    start, end = shares[:, chosen].mean(2)
    low, high = np.nanquantile(
        (end - start) / np.where(start < 1, 1 - start, np.nan), (0.025, 0.975)
    )
    return float(low), float(high)


def reliability(right: np.ndarray) -> float:
    """Kuder and Richardson's formula 20: k/(k − 1) · (1 − Σ p(1 − p) / variance of the sums)."""
    p = right.mean(0)
    items = right.shape[1]
    variance = right.sum(1).var()
    if variance == 0:
        return float("nan")
    return float(items / (items - 1) * (1 - (p * (1 - p)).sum() / variance))


def discrimination(right: np.ndarray, item: int) -> float:
    """The correlation of one item with the sum of all others; nan where either does not vary."""
    rest = right.sum(1) - right[:, item]
    if right[:, item].std() == 0 or rest.std() == 0:
        return float("nan")
    return float(np.corrcoef(right[:, item], rest)[0, 1])


def strongest(sittings: Sequence[Sitting], items: Sequence[Item], item: int) -> tuple[str, int]:
    """The belief that was chosen most in an item, and how often; of both forms together."""
    chosen = Counter()
    for each in sittings:
        place = LETTERS.find(each.answers[item])
        belief = items[item].beliefs[each.form][place] if place >= 0 else ""
        if belief:
            chosen[belief] += 1
    return chosen.most_common(1)[0] if chosen else ("", 0)


def item_table(sat: dict[str, list[Sitting]], items: Sequence[Item]) -> list[list]:
    """A row for each item: how many were right, how sharp it is, and the belief that is left."""
    head = ["item", "title", "before", "after", "gain", "discrimination after", "look at it"]
    rows = [[*head, "belief chosen most after", "times", "decided by"]]
    right = {when: marks(sat[when], items) for when in TIMES}
    for k, item in enumerate(items):
        before, after = right["before"][:, [k]], right["after"][:, [k]]
        sharp = discrimination(right["after"], k)
        look = []
        if after.mean() < HARD:
            look.append("hard")
        if after.mean() > EASY:
            look.append("easy")
        if sharp < BLUNT:
            look.append("blunt")
        numbers = [before.mean(), after.mean(), normalised(before, after), sharp]
        cells = ", ".join(" ".join(cell) for cell in item.cells)
        belief, times = strongest(sat["after"], items, k)
        shown = [f"{number:.2f}" for number in numbers]
        rows.append([item.key, item.title, *shown, ", ".join(look), belief, times, cells])
    return rows


def summary(sittings: Sequence[Sitting], items: Sequence[Item]) -> dict[str, str]:
    """The class as a whole."""
    sat = both_times(sittings)
    before, after = (marks(sat[when], items) for when in TIMES)
    low, high = interval(before, after)
    first = np.array([each.form for each in sat["before"]])
    said = {
        "learners who sat both times": str(len(before)),
        "right before": f"{before.mean():.3f}",
        "right after": f"{after.mean():.3f}",
        "normalised gain": f"{normalised(before, after):.3f}",
        "95 % interval": f"{low:.3f} to {high:.3f}",
        "reliability after (KR-20)": f"{reliability(after):.2f}",
    }
    for form in FORMS:
        if (first == form).any():
            here = first == form
            said[f"form {form} first: learners"] = str(here.sum())
            said[f"form {form} first: right before"] = f"{before[here].mean():.3f}"
            said[f"form {form} first: normalised gain"] = (
                f"{normalised(before[here], after[here]):.3f}"
            )
    return said
