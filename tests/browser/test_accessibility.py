"""For everybody: axe finds nothing serious in the book or in Voilà.

Every lab speaks, is reached by keyboard, and keeps still when asked to.
"""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
GAN_LAB = """import torch
from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import GANLab
from ganlib.networks import mlp
torch.set_num_threads(1)
G = mlp(1, 32, 32, 1, seed=0)
D = mlp(1, 48, 48, 1, seed=1)
GANLab(GAN(G, D, targets.gaussian(), lr_G=2e-3, lr_D=1e-2, seed=0))"""
ALL_LABS = f"""import sys, torch
sys.path.insert(0, {str(ROOT / "tests")!r})
import all_labs
from IPython.display import display
torch.set_num_threads(1)
display(*all_labs.make().values())"""


def test_axe_sees_what_is_wrong(browser, axe):
    page = browser.new_page()
    page.set_content(
        "<html lang=en><title>t</title><main><h1>t</h1>"
        "<input><img src=x><p style='color:#aaa'>pale</p></main>"
    )
    assert {rule for rule, *_ in axe(page)} == {"label", "image-alt", "color-contrast"}
    page.close()


BARE = """() => {
    // What is folded is looked at, too.
    document.querySelectorAll("details").forEach(fold => { fold.open = true; });
    // axe needs most of its time for the words of code: one of each kind in each kind of box.
    const seen = new Set();
    for (const word of document.querySelectorAll("pre span:not(:has(span))")) {
        const kind = [word.className, word.closest("div[class*=cell_]")?.className].join();
        if (seen.has(kind)) word.replaceWith(word.textContent);
        seen.add(kind);
    } }"""
PAGES = [
    "README",
    "index",
    "data",
    "glossary",
    "references",
    "search",
    "genindex",
    "notebooks/INSTRUCTOR",
    *(f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))),
]


def test_every_page_of_the_book_is_looked_at(book):
    assert sorted(PAGES) == sorted(
        path.relative_to(book).with_suffix("").as_posix()
        for path in book.rglob("*.html")
        if "_static" not in path.parts
    )


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_in_the_book(book, browser, axe, name):
    """All rules by day; by night, where only colours differ, contrast; on a phone, what scrolls."""
    page = browser.new_page(color_scheme="light")
    page.set_default_timeout(90_000)
    page.goto((book / f"{name}.html").as_uri())
    page.wait_for_function(
        "() => !window.MathJax?.startup?.promise || MathJax.startup.promise.then(() => true)"
    )
    page.add_style_tag(
        content="*, ::before, ::after { transition: none !important; animation: none !important }"
    )  # nothing fades in
    page.evaluate(BARE)
    page.wait_for_timeout(100)  # what scrolls becomes a stop of Tab with the next picture
    assert axe(page) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert axe(page, only=["color-contrast"]) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(100)
    assert axe(page, only=["scrollable-region-focusable"]) == []
    page.close()


@pytest.fixture(scope="module")
def voila(show_for_all):
    """A Voilà page with every lab of the course."""
    page = show_for_all(ALL_LABS, front_end="voila", seconds=180)
    page.wait_for_function(
        "() => document.querySelectorAll('.gl-lab canvas[data-drawn]').length >= 25"
    )
    return page


def test_axe_finds_nothing_serious_in_voila(show, axe):
    page = show(GAN_LAB, front_end="voila")
    page.locator(".gl-lab canvas[data-drawn]").wait_for()
    page.get_by_text("more knobs").click()
    assert axe(page) == []


def test_voila_serves_every_lab(voila, axe):
    labs = voila.locator(".gl-lab")
    titles = labs.locator("h4").all_inner_texts()
    assert len(titles) == len(set(titles)) == voila.locator("canvas[data-drawn]").count() >= 25
    assert not any(voila.locator(".gl-error:not(.gl-note)").all_inner_texts())
    assert axe(voila, ".gl-lab") == []


def follows(page, canvas, before):
    """Whether the label is another within 1.6 s; it may lag by one."""
    for _ in range(16):
        if canvas.get_attribute("aria-label") != before:
            return True
        page.wait_for_timeout(100)
    return False


def test_every_canvas_is_a_picture_with_words_that_follow_it(voila):
    """role=img and a label that begins with the title.

    After a step, or a control moved by keyboard, the label is another.
    """
    for lab in voila.locator(".gl-lab").all():
        canvas, title = lab.locator("canvas"), lab.locator("h4").inner_text()
        before = canvas.get_attribute("aria-label")
        assert (
            canvas.get_attribute("role") == "img"
            and before.startswith(title)
            and len(before) > len(title) + 5
        )
        keys = {"range": "End", "select-one": "ArrowDown", "checkbox": "Space"}
        step = lab.get_by_role("button", name="step", exact=True)
        controls = lab.locator(".gl-controls :is(button, select, input:not([type=file])):visible")
        for control in [*([step] if step.count() else []), *controls.all()]:  # one of them must do
            kind = control.evaluate("c => c.type")
            if kind == "text":
                control.fill(f"{float(control.input_value()) + 1:g}")
            control.press(keys.get(kind, "Enter"))
            if follows(voila, canvas, before):
                break
        else:
            raise AssertionError(f"{title} still says: {before}")


def test_tab_goes_through_every_control_and_on(voila):
    """No trap: Tab visits all that can be used, in the order of the page."""
    wanted = voila.evaluate("""() => {
        const controls = ".gl-lab :is(button, input, select, summary)";
        const all = [...document.querySelectorAll(controls)].filter(e => e.checkVisibility());
        all.forEach((e, i) => { e.dataset.stop = i; });
        all[0].focus();
        return all.length; }""")
    seen = []
    for _ in range(wanted):
        seen.append(voila.evaluate("document.activeElement.dataset.stop"))
        voila.keyboard.press("Tab")
    assert seen == [str(i) for i in range(wanted)] and wanted > 100


def drawn_while_playing(page, lab, seconds=3):
    """How often the picture changes in so many seconds of play."""
    canvas = lab.locator("canvas")
    lab.locator(".gl-play").click()
    page.wait_for_timeout(500)
    before = int(canvas.get_attribute("data-drawn"))
    page.wait_for_timeout(1000 * seconds)
    after = int(canvas.get_attribute("data-drawn"))
    lab.locator(".gl-play").click()
    return after - before


def test_reduced_motion_slows_the_live_picture_not_the_training(show):
    page = show(GAN_LAB, front_end="voila")
    lab = page.locator(".gl-lab")
    lab.locator("canvas[data-drawn]").wait_for()
    lively = drawn_while_playing(page, lab)
    page.emulate_media(reduced_motion="reduce")
    steps = lambda: int(lab.locator(".gl-count").inner_text().split()[-1])
    page.wait_for_timeout(500)
    there = steps()
    calm = drawn_while_playing(page, lab)
    assert calm <= 4 < lively and steps() > there + 5
    page.wait_for_timeout(1500)
    assert (
        lab.locator(".gl-text").inner_text().startswith(f"After {steps()} steps")
    )  # the last picture is not missed


def test_reduced_motion_slows_the_lab_in_a_page(book, browser):
    found = {}
    for motion in ("no-preference", "reduce"):
        page = browser.new_page(reduced_motion=motion)
        page.goto((book / "notebooks/04_gan_in_one_dimension.html").as_uri())
        lab = page.locator(".gl-page[data-lab=GANLab]")
        lab.locator("canvas[data-drawn]").wait_for()
        assert (
            lab.locator(".gl-count").inner_text() == "step 0"
        )  # nothing moves before it is asked to
        found[motion] = drawn_while_playing(page, lab)
        page.close()
    assert found["reduce"] <= 4 < found["no-preference"]
