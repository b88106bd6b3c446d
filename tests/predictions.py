"""Whether a reader may commit to an answer before it is in view: every prediction, walked.

A prediction begins with **Predict** in a cell of text, or stands as `belief[...]` under a claim.
From there to its answer, which is folded at the beginning of a cell of text, nothing that a cell
has printed or drawn is in view: its outputs are folded, or it is a lab before its first step.
A claim is open until the cell that finds out whether it is true.
"""

import re

ASKED = re.compile(r"\*\*Predict")
ANSWER = "<details><summary><b>Answer</b></summary>"
AFTER = ("- ", "1. ", "| ", "**Play")  # what may stand below a question: its points, and what to do


def folded(cell):
    """Whether its outputs are folded until it runs. (JupyterLab unfolds them when it runs.)"""
    return cell.metadata.get("jupyter", {}).get("outputs_hidden", False)


def shows(cell):
    """Whether it has something in view that a reader should not have seen yet."""
    tags = set(cell.metadata.get("tags", []))
    if not cell.outputs or folded(cell) or tags & {"exercise", "solution"}:
        return False
    lab = cell.outputs[-1].output_type == "execute_result"
    return not lab or bool(re.search(r"\.(run|set|pressed)\(", cell.source))


def below_the_question(text):
    """The paragraphs below the last prediction of a text that are more than points and play."""
    paragraphs = re.split(r"\n\s*\n", text[text.rindex("**Predict") :])
    return [part for part in paragraphs[1:] if not part.startswith(AFTER)]


def problems_of_predictions(nb):
    """What is wrong with the predictions of a notebook, as sentences."""
    found, asked, claims = [], None, set()
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            if cell.source.startswith(ANSWER):
                asked = None
            if ASKED.search(cell.source):
                if asked:
                    found.append(f"{asked} asks, and {cell.id} asks again before an answer")
                asked = cell.id
                found += [f"below {asked}: {part[:40]}" for part in below_the_question(cell.source)]
            continue

        claims -= set(re.findall(r'^\s*truth\["([^"]+)"\]', cell.source, re.M))
        if (asked or claims) and shows(cell):
            found.append(f"{cell.id} shows before {asked or sorted(claims)} is answered")
        claims |= set(re.findall(r'^belief\["([^"]+)"\]', cell.source, re.M))
    if asked or claims:
        found.append(f"{asked or sorted(claims)} is never answered")
    return found
