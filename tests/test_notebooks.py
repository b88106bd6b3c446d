"""The form of every notebook: stored clean, small, in the shape of the course, with nothing missing or from afar."""

import re
from pathlib import Path
from statistics import median

import nbformat
import pytest
from execute import problems

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
]
PICTURE = r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)"
LINK = r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)"
AFAR = r"<script|<link|<iframe|<img[^>]+https?:|!\[[^\]]*\]\(https?:|cdn\.|unpkg\.com|jsdelivr|googleapis"


def prose(nb):
    return "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")


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
    assert nb.path.stat().st_size <= 1 << 20


def test_cells_are_short(nb):
    code = [len(cell.source.splitlines()) for cell in nb.cells if cell.cell_type == "code"]
    assert median(code) <= 10 and max(code) <= 25


def test_it_begins_with_what_you_will_be_able_to_do(nb):
    head = nb.cells[0].source
    assert re.match(r"# \S.*\n\n\S.*\n\nYou will be able to\n\n(- \*\*[^*]+\*\* .*\n){3}\n", head)
    assert re.search(r"^\*\*\d+ min\*\* · runs on .+ · previous: .+ · next: .+$", head, re.M)


def test_previous_and_next(nb):
    k = COURSE.index(nb.path.stem)
    for word, name in (
        ("previous", COURSE[k - 1] if k else None),
        ("next", COURSE[k + 1] if k + 1 < len(COURSE) else None),
    ):
        assert re.search(
            rf"{word}: " + (rf"\[{name[:2]} [^\]]+\]\({name}\.ipynb\)" if name else "none"),
            nb.cells[0].source,
        )


def test_the_minutes_of_the_sections_add_up(nb):
    whole = int(re.search(r"\*\*(\d+) min\*\*", nb.cells[0].source)[1])
    assert len(nb.cells) <= max(60, 60 / 45 * whole)  # 60 for a lesson of 45 minutes
    parts = [int(minutes) for minutes in re.findall(r"^## .*\((\d+) min\)", prose(nb), re.M)]
    assert parts and sum(parts) == pytest.approx(whole, abs=5)


def test_every_exercise_has_its_folded_solution_right_below(nb):
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    tags = [set(cell.metadata.get("tags", [])) for cell in code]
    checks = [
        re.findall(r"\bcheck\(['\"](\w+)['\"], *\w+\)$", cell.source.rstrip()) for cell in code
    ]
    assert sum("exercise" in tag for tag in tags) == sum("solution" in tag for tag in tags) > 0
    for k, tag in enumerate(tags):
        if "exercise" in tag:
            assert checks[k] and "solution" in tags[k + 1] and checks[k + 1] == checks[k], code[
                k
            ].id
            assert code[k + 1].metadata.jupyter.source_hidden
            assert code[k].outputs[-1].text.endswith("not answered yet.\n")
            assert code[k + 1].outputs[-1].text.endswith(f"{checks[k][0]}: right.\n")


def test_links_lead_somewhere(nb):
    titles = re.findall(r"^#+ (.*)$", prose(nb), re.M)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    for target in re.findall(LINK, prose(nb)) + [
        picture for _, picture in re.findall(PICTURE, prose(nb))
    ]:
        path, _, anchor = target.partition("#")
        if not path:
            assert anchor.lower() in anchors, target
        elif not re.match(r"https?:|mailto:|attachment:", path):
            assert (nb.path.parent / path).exists(), target


def test_pictures_have_words_and_nothing_comes_from_afar(nb):
    assert all(len(words) >= 20 for words, _ in re.findall(PICTURE, prose(nb)))
    assert all(re.search(r'\balt="[^"]{20,}"', tag) for tag in re.findall(r"<img[^>]*>", prose(nb)))
    shown = "\n".join(cell.source + str(cell.get("outputs", "")) for cell in nb.cells)
    shown = re.sub(r"'image/png': '[^']*'", "", shown)
    assert not re.search(AFAR, shown, re.I)


def test_every_drawn_figure_has_its_sentence(nb):
    for cell in nb.cells:
        kinds = [
            set(output.get("data", {})) | {output.output_type} for output in cell.get("outputs", [])
        ]
        if any("image/png" in kind for kind in kinds):
            words = "".join(
                str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
                for output in cell.outputs
            )
            assert re.search(r"[^\W\d]{2,}.*\d", re.sub(r"<Figure size .*>", "", words)), (
                f"{cell.id}: no text twin"
            )


def test_the_quiz_gives_reasons(nb):
    options = re.findall(r"<details><summary>(.*?)</summary>(.*?)</details>", prose(nb), re.S)
    reasons = [reason.strip() for _, reason in options]
    assert sum(reason.startswith("Right") for reason in reasons) == 5 and len(options) >= 10
    assert not [
        summary for (summary, _), reason in zip(options, reasons) if len(reason.split()) < 2
    ]


def test_it_ends_with_a_recap_and_where_to_read_on(nb):
    text = prose(nb)
    assert "Where to read on" in text and re.search(r"arXiv|doi|ISBN|pages|\b(19|20)\d\d\b", text)
    assert nb.path.stem == COURSE[0] or re.search(r"^\|.*\|\n\|[-: |]+\|", text, re.M), (
        "a table: claim, where, number"
    )


def test_slides_are_given_for_all_cells_or_none(nb):
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in nb.cells]
    assert not any(kinds) or kinds[0] == "slide"


def test_the_readme_maps_the_course_and_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in PATHS:
        head = nbformat.read(path, as_version=4).cells[0].source
        minutes = re.search(r"\*\*(\d+) min\*\*", head)[1]
        row = rf"^\| {path.stem[:2]} \| \[[^\]]+\]\(notebooks/{path.name}\) \| {minutes} \|"
        assert re.search(row, text, re.M), path.name
    for target in re.findall(LINK, text) + [picture for _, picture in re.findall(PICTURE, text)]:
        assert target.startswith("https://") or (ROOT / target).exists(), target
    assert all(len(words) >= 20 for words, _ in re.findall(PICTURE, text))
