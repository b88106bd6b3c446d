"""The form of every notebook.

It is stored clean and small, in the shape of the course, with nothing missing or from afar.
"""

import re
from pathlib import Path
from statistics import median

import nbformat
import pytest
from execute import LARGEST, problems

ROOT = Path(__file__).parent.parent
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
COURSE = [
    "00_start_here",
    "01_maximum_likelihood_and_kl",
    "02_taxonomy",
    "03_zero_sum_games",
    "04_gan_in_one_dimension",
    "05_losses_and_failure",
    "06_dcgan",
    "07_unet",
    "08_why_it_turns",
    "09_what_came_after",
]

PICTURE = r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)"  # its words, its file
LINK = r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)"
AFAR = (
    r"<script|<link|<iframe|<img[^>]+https?:|!\[[^\]]*\]\(https?:"
    r"|cdn\.|unpkg\.com|jsdelivr|googleapis"
)


def prose(nb):
    return "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")


def minutes_of(nb):
    """How long the whole takes, as its head says."""
    said = re.search(r"\*\*(\d+) min\*\*", nb.cells[0].source)
    assert said, "the head says how long it takes: **45 min**"
    return int(said[1])


def targets(text):
    """What the links and pictures of a text point at."""
    return re.findall(LINK, text) + [file for _, file in re.findall(PICTURE, text)]


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def nb(request):
    notebook = nbformat.read(request.param, as_version=4)
    nbformat.validate(notebook)
    notebook.path = request.param
    return notebook


def test_the_course_is_complete():
    assert [path.stem for path in PATHS] == COURSE


def test_stored_clean(nb):
    assert problems(nb) == []
    assert nb.path.stat().st_size <= LARGEST


def test_cells_are_short(nb):
    lengths = [len(cell.source.splitlines()) for cell in nb.cells if cell.cell_type == "code"]
    assert median(lengths) <= 10
    assert max(lengths) <= 25


def test_it_begins_with_what_you_will_be_able_to_do(nb):
    head = nb.cells[0].source
    assert re.match(r"# \S.*\n\n\S.*\n\nYou will be able to\n\n(- \*\*[^*]+\*\* .*\n){3}\n", head)
    assert re.search(r"^\*\*\d+ min\*\* · runs on .+ · previous: .+ · next: .+$", head, re.M)


def test_previous_and_next(nb):
    names = [None, *COURSE, None]
    place = names.index(nb.path.stem)
    for word, name in [("previous", names[place - 1]), ("next", names[place + 1])]:
        link = rf"\[{name[:2]} [^\]]+\]\({name}\.ipynb\)" if name else "none"
        assert re.search(rf"{word}: {link}", nb.cells[0].source)


def test_the_minutes_of_the_sections_add_up(nb):
    whole = minutes_of(nb)
    parts = [
        int(minutes) for minutes in re.findall(r"^##+ .*\((\d+) min(?:, depth)?\)", prose(nb), re.M)
    ]
    assert parts
    assert sum(parts) == pytest.approx(whole, abs=5)

    cells_a_minute = 60 / 45  # 60 for a lesson of 45 minutes
    assert len(nb.cells) <= max(60, cells_a_minute * whole)


def checked(cell):
    """The exercise that the last line of a cell checks, None if it checks none."""
    check = re.search(r"\bcheck\(['\"](\w+)['\"], *\w+\)$", cell.source.rstrip())
    return check[1] if check else None


def test_every_exercise_has_its_folded_solution_right_below(nb):
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    tags = [set(cell.metadata.get("tags", [])) for cell in code]
    exercises = [cell for cell, tag in zip(code, tags) if "exercise" in tag]
    solutions = [cell for cell, tag in zip(code, tags) if "solution" in tag]
    below = [code[k + 1] for k, tag in enumerate(tags) if "exercise" in tag]
    assert exercises
    assert [cell.id for cell in below] == [cell.id for cell in solutions]

    for exercise, solution in zip(exercises, solutions):
        name = checked(exercise)
        assert name and checked(solution) == name, exercise.id
        assert solution.metadata.jupyter.source_hidden
        assert exercise.outputs[-1].text.endswith("not answered yet.\n")
        assert solution.outputs[-1].text.endswith(f"{name}: right.\n")


def test_links_lead_somewhere(nb):
    titles = re.findall(r"^#+ (.*)$", prose(nb), re.M)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    for target in targets(prose(nb)):
        path, _, anchor = target.partition("#")
        if not path:
            assert anchor.lower() in anchors, target
        elif not re.match(r"https?:|mailto:|attachment:", path):
            assert (nb.path.parent / path).exists(), target


def test_pictures_have_words_and_nothing_comes_from_afar(nb):
    assert all(len(words) >= 20 for words, _ in re.findall(PICTURE, prose(nb)))
    for tag in re.findall(r"<img[^>]*>", prose(nb)):
        assert re.search(r'\balt="[^"]{20,}"', tag)

    shown = "\n".join(cell.source + str(cell.get("outputs", "")) for cell in nb.cells)
    shown = re.sub(r"'image/png': '[^']*'", "", shown)
    assert not re.search(AFAR, shown, re.I)


def text_of(output):
    """The words of an output of a cell."""
    return str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))


def test_every_drawn_figure_has_its_sentence(nb):
    for cell in nb.cells:
        outputs = cell.get("outputs", [])
        if any("image/png" in output.get("data", {}) for output in outputs):
            words = "".join(map(text_of, outputs))
            words = re.sub(r"<Figure size .*>", "", words)
            assert re.search(r"[^\W\d]{2,}.*\d", words), f"{cell.id}: no text twin"


def test_the_quiz_gives_reasons(nb):
    options = re.findall(r"<details><summary>.*?</summary>(.*?)</details>", prose(nb), re.S)
    reasons = [reason.strip() for reason in options]
    assert len(reasons) >= 10
    assert sum(reason.startswith("Right") for reason in reasons) == 5
    assert all(len(reason.split()) >= 2 for reason in reasons)


def test_it_ends_with_a_recap_and_where_to_read_on(nb):
    text = prose(nb)
    assert "Where to read on" in text
    assert re.search(r"arXiv|doi|ISBN|pages|\b(19|20)\d\d\b", text)
    if nb.path.stem != COURSE[0]:
        assert re.search(r"^\|.*\|\n\|[-: |]+\|", text, re.M), "a table: claim, where, number"


def test_slides_are_given_for_all_cells_or_none(nb):
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in nb.cells]
    if any(kinds):
        assert kinds[0] == "slide"


def test_the_readme_maps_the_course_and_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in PATHS:
        minutes = minutes_of(nbformat.read(path, as_version=4))
        row = rf"^\| {path.stem[:2]} \| \[[^\]]+\]\(notebooks/{path.name}\) \| {minutes} \|"
        assert re.search(row, text, re.M), path.name

    for target in targets(text):
        assert target.startswith("https://") or (ROOT / target).exists(), target
    assert all(len(words) >= 20 for words, _ in re.findall(PICTURE, text))
