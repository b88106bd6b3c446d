"""The book, opened from disk with the network cut.

Nothing is missing, mathematics is set, search finds, the labs train.
"""

import importlib.util
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from ganlib.labs import in_page

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
FLAGSHIP = "notebooks/04_gan_in_one_dimension.html"
spec = importlib.util.spec_from_file_location("build", ROOT / "notebooks/book/build.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)
LABS = [  # page, lab, whether it plays
    ("notebooks/00_start_here.html", "Detective", False),
    ("notebooks/03_zero_sum_games.html", "Players", True),
    (FLAGSHIP, "TwoTerms", False),
    (FLAGSHIP, "Knots", False),
    (FLAGSHIP, "GANLab", True),
    ("notebooks/05_losses_and_failure.html", "PlaneLab", True),
]
GAN_LAB = ".gl-page[data-lab=GANLab]"


@contextmanager
def opened(browser, path, at="", **how):
    """A page of a book from disk, offline.

    `page.asked` and `page.failed` are the addresses of all requests.
    """
    context = browser.new_context(
        offline=True, **{"viewport": {"width": 1300, "height": 1000}, **how}
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.asked, page.failed, page.errors = [], [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("requestfailed", lambda request: page.failed.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(path.as_uri() + at)
    yield page
    context.close()


def settled(page):
    """Wait until MathJax, where there is mathematics, has set it, and all pictures are there."""
    page.wait_for_function(
        """() => {
            const ready = window.MathJax?.startup?.promise;
            return !ready || ready.then(() => true);
        }"""
    )
    page.wait_for_timeout(300)  # for what may still be asked for
    return page


@pytest.fixture(scope="module")
def flagship(book, browser):
    with opened(browser, book / FLAGSHIP) as page:
        settled(page)
        page.locator(f"{GAN_LAB} canvas[data-drawn]").wait_for()
        yield page


@pytest.fixture
def lab(flagship):
    """The lab in the page, paused at step 0 with its first knobs."""
    lab = flagship.locator(GAN_LAB)
    if "pause" in lab.locator(".gl-play").inner_text():
        lab.locator(".gl-play").click()
    lab.get_by_label("preset").select_option("converges")
    return lab


def typed(lab, name, value):
    lab.get_by_label(f"{name}, typed").fill(str(value))
    lab.get_by_label(f"{name}, typed").press("Enter")


def said(lab):
    return lab.locator(".gl-text").inner_text().replace("−", "-")


def step(lab):
    return int(lab.locator(".gl-count").inner_text().split()[-1])


def test_every_page_is_whole_without_a_network(book, browser):
    pages = [path for path in book.rglob("*.html") if "_static" not in path.parts]
    formulas = 0
    assert len(pages) >= 12
    for path in pages:
        with opened(browser, path) as page:
            settled(page)
            assert page.asked and all(
                url.startswith((book.as_uri(), "data:", "blob:")) for url in page.asked
            ), path.name
            assert not page.failed and not page.errors, path.name
            pictures = page.locator("main img").evaluate_all(
                "all => all.map(i => [i.complete && i.naturalWidth > 0, i.alt])"
            )
            assert all(there and len(words) >= 20 for there, words in pictures), path.name
            assert page.locator("mjx-merror, [data-mjx-error]").count() == 0, path.name
            written = page.locator("span.math, div.math").count()
            assert page.locator("mjx-container svg").count() >= written, path.name
            formulas += written
            text = page.locator("main").inner_text()
            assert not re.search(
                r"\$\$|\\\(|\\\[|\\frac|\\mathbb|\{cite\}|<!--",
                re.sub(r"(?m)^.*r?['\"].*$", "", text),
            ), path.name
            assert page.evaluate("document.documentElement.scrollWidth") <= 1300
    assert formulas > 150


def test_search_finds_and_leads_there(book, browser):
    with opened(browser, book / "search.html") as page:
        for words, title in (
            ("regret", "A GAN in one dimension"),
            ("huffman", "Maximum likelihood and KL"),
            ("elbo", "Glossary"),
        ):
            page.goto((book / "search.html").as_uri() + f"?q={words}")
            page.locator("#search-results li a").filter(has_text=title).first.wait_for()
        page.locator("#search-results li a").filter(has_text="Glossary").first.click()
        page.wait_for_url("**/glossary.html*")
        assert "Evidence lower bound" in page.locator("main").inner_text()


def test_a_term_of_the_glossary_leads_to_its_first_use(book, browser):
    with opened(browser, book / "glossary.html") as page:
        settled(page)
        links = page.locator("main dd a.reference.internal")
        assert links.count() >= 35
        places = links.evaluate_all("all => all.map(a => a.href)")
        for name in {place.split("#")[0] for place in places}:
            page.goto(name)
            assert page.evaluate(
                "ids => ids.every(id => document.getElementById(id))",
                [place.split("#")[1] for place in places if place.startswith(name)],
            )


def test_solutions_are_folded_and_open_by_keyboard(flagship):
    folds = flagship.locator("details:has(summary:has-text('Show the solution'))")
    solutions = [
        cell
        for cell in build.notebook(ROOT / FLAGSHIP.replace("html", "ipynb")).cells
        if "solution" in cell.metadata.get("tags", [])
    ]
    assert folds.count() == len(solutions) >= 3
    code = folds.first.locator("pre").first
    assert not code.is_visible()
    folds.first.locator("summary").press("Enter")
    assert "check(" in code.inner_text() and code.is_visible()


def test_a_reason_of_the_quiz_opens(flagship):
    option = flagship.locator("details.tex2jax_process").first
    assert flagship.locator("details.tex2jax_process").count() >= 15
    option.locator("summary").press("Enter")
    assert option.evaluate("d => d.open")


def test_papers_lead_to_the_bibliography(flagship, book):
    link = flagship.locator("a.reference.internal[href*='references.html#']").first.get_attribute(
        "href"
    )
    assert f'id="{link.split("#")[1]}"' in (book / "references.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("path, name, plays", LABS)
def test_a_lab_works_in_the_page(book, browser, path, name, plays):
    """What a learner does is tested with the labs alone; here, that it is the same lab."""
    with opened(browser, book / path) as page:
        lab = page.locator(f".gl-page[data-lab={name}]")
        canvas = lab.locator("canvas[data-drawn]")
        canvas.wait_for()
        assert said(lab) == in_page.made(name).text().replace("−", "-")
        if plays:
            drawn = int(canvas.get_attribute("data-drawn"))
            lab.locator(".gl-play").click()
            page.wait_for_function(
                """(where) => {
                    const { textContent } = document.querySelector(where);
                    return Number(textContent.split(" ").at(-1)) >= 90;
                }""",
                arg=f".gl-page[data-lab={name}] .gl-count",
            )
            lab.locator(".gl-play").press("Space")
            assert int(canvas.get_attribute("data-drawn")) >= drawn + 5
            lab.get_by_role("button", name="reset").click()
            assert step(lab) == 0
            assert re.search("fter (its )?0 steps", said(lab))
        assert page.errors == []


def test_an_anchor_of_the_book_is_no_situation(book, browser):
    with opened(browser, book / FLAGSHIP, at="#s04-6") as page:
        page.locator(f"{GAN_LAB} canvas[data-drawn]").wait_for()
        assert not page.locator(f"{GAN_LAB} .gl-error").is_visible()


def test_without_scripts_the_picture_and_a_sentence_stay(book, browser):
    with opened(browser, book / FLAGSHIP, java_script_enabled=False) as page:
        assert "does not run the lab" in page.locator(GAN_LAB).inner_text()
        assert page.locator("main img").count() >= 10


@pytest.mark.parametrize(
    "name", [FLAGSHIP, "index.html", "glossary.html", "notebooks/01_maximum_likelihood_and_kl.html"]
)
def test_on_a_phone_nothing_sticks_out(book, browser, name):
    with opened(
        browser, book / name, viewport={"width": 390, "height": 844}, has_touch=True
    ) as page:
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert (
            page.locator("main p").first.evaluate("p => parseFloat(getComputedStyle(p).fontSize)")
            >= 15
        )
        if name == FLAGSHIP:  # the columns of the lab stand one below the other
            page.locator(f"{GAN_LAB} canvas[data-drawn]").wait_for()
            box = page.locator(f"{GAN_LAB} canvas").bounding_box()
            assert box["height"] > 1.5 * box["width"]
        page.locator("button.primary-toggle:visible").first.tap()
        page.locator("dialog[open] a:visible", has_text="Glossary").first.wait_for()


def test_dark_and_light(book, browser):
    for scheme, dark in (("dark", True), ("light", False)):
        with opened(browser, book / FLAGSHIP, color_scheme=scheme) as page:
            paper, ink = page.locator("main p").first.evaluate("""p => {
                const shade = c => c.match(/[\\d.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0);
                const paper = getComputedStyle(document.body).backgroundColor;
                return [shade(paper), shade(getComputedStyle(p).color)]; }""")
            assert (paper < ink) == dark


def test_there_are_launch_buttons_only_when_a_repository_is_set(book, tmp_path):
    places = (
        r"mybinder\.org/v2/gh/NAME/course/main"
        r"|colab\.research\.google\.com/github/NAME/course/blob/main/notebooks/00_start_here"
    )
    usual = (book / "notebooks/00_start_here.html").read_text(encoding="utf-8")
    assert not re.search(r"mybinder\.org|colab\.research", usual)
    source = tmp_path / "source"
    (source / "notebooks").mkdir(parents=True)
    (source / "_static").mkdir()
    conf = (ROOT / "notebooks/book/conf.py").read_text(encoding="utf-8")
    (source / "conf.py").write_text(
        conf.replace('REPOSITORY = ""', 'REPOSITORY = "https://github.com/NAME/course"'),
        encoding="utf-8",
    )
    (source / "references.bib").write_text("")
    (source / "index.md").write_text("# T\n```{toctree}\nnotebooks/00_start_here\n```\n")
    notebook = (ROOT / "notebooks/00_start_here.ipynb").read_text(encoding="utf-8")
    (source / "notebooks/00_start_here.ipynb").write_text(notebook, encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-b", "html", source, tmp_path / "html"],
        capture_output=True,
        check=True,
    )
    page = (tmp_path / "html/notebooks/00_start_here.html").read_text(encoding="utf-8")
    assert len(set(re.findall(places, page))) == 2
