"""The lectures clicked through: static slides from disk with the network cut, and 04 live in RISE.

The labs play on them.
"""

import nbformat
import pytest
from browsers import serve, steps
from nbformat.sign import NotebookNotary
from test_lecture import PATHS, begins, lecture, need

pytestmark = pytest.mark.browser
FLAGSHIP = next(path for path in PATHS if path.name.startswith("04"))
SHOWN = """() => {
    const nested = ".slides section.present section.present";
    const slide = document.querySelector(`${nested}, .slides section.present:not(.stack)`);
    const is_large = e => e.getBoundingClientRect().width > 100;
    const images = [...slide.querySelectorAll("img, canvas")].filter(is_large);
    const { h, v } = window.Reveal ? Reveal.getIndices() : {};
    return {
        at: window.Reveal ? [h, v].join("-") : location.hash.split("/")[1],  // not its fragment
        steps: document.querySelectorAll(".fragment.visible").length,
        words: slide.innerText.trim(),
        images: images.length,
        lost: images.filter(e => e.complete && !e.naturalWidth).length,
        beyond: slide.scrollHeight / slide.clientHeight,
    }; }"""


def click_through(page, on_lab=None):
    """What each slide shows, in order, by the space bar until it leads nowhere.

    `on_lab` is called where a lab is.
    """
    seen, before = {}, None
    while (shown := page.evaluate(SHOWN)) != before:
        if (
            on_lab
            and shown["at"] not in seen
            and page.locator("section.present section.present .gl-lab").count()
        ):
            on_lab(page.locator("section.present section.present .gl-lab"))
        seen[shown["at"]] = before = shown
        page.keyboard.press("Space")
        page.wait_for_timeout(80)
    return list(seen.values())


def plays(page):
    """A function of a lab on a slide: press play, see picture and steps go on, pause.

    One that has nothing to play is left alone.
    """

    def plays(lab):
        if not lab.locator(".gl-play").count():
            return
        play, drawn = (
            lab.locator(".gl-play"),
            lambda: int(lab.locator("canvas").get_attribute("data-drawn") or 0),
        )
        there, pictures = steps(lab), drawn()
        press(page, play, "pause")
        wait_for(page, lambda: steps(lab) > there and drawn() > pictures + 3, "the lab plays")
        press(page, play, "play")
        play.blur()
        played.append(lab)

    played = []
    return plays, played


def press(page, button, until):
    """Click until the button says so.

    RISE loses the first click into a cell, while its slide finds its place.
    """
    for _ in range(5):
        button.click()
        page.wait_for_timeout(500)
        if until in button.inner_text():
            return
    raise AssertionError(f"the button still says {button.inner_text()}")


def wait_for(page, condition, what, seconds=30):
    for _ in range(seconds * 20):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"it did not happen within {seconds} s: {what}")


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    need("sphinx_revealjs")
    folder = tmp_path_factory.mktemp("lectures") / "slides"
    lecture.make("slides", PATHS, folder)
    return folder


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_slides_from_disk_without_a_network(path, slides, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page, asked, errors = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((slides / f"{path.stem}.html").as_uri())
    page.wait_for_selector(".reveal.ready")
    on_lab, played = plays(page)
    seen = click_through(page, on_lab)
    assert len(seen) == len(begins(nbformat.read(path, as_version=4)))
    assert not [shown for shown in seen if not (shown["words"] or shown["images"]) or shown["lost"]]
    assert not [shown for shown in seen if "$$" in shown["words"] or r"\mathbb" in shown["words"]]
    assert page.locator("mjx-container svg").count() and not page.locator("mjx-merror").count()
    assert len(played) == (path.name[:2] in ("03", "04", "05"))  # the labs that play
    assert not errors and not [
        url for url in asked if not url.startswith(("file:", "data:", "blob:"))
    ]
    context.close()


def test_speaker_view_shows_the_notes(slides, browser):
    page = browser.new_page()
    page.goto((slides / f"{FLAGSHIP.stem}.html").as_uri())
    page.wait_for_selector(".reveal.ready")
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    notes, (first, *_) = (
        popup.value.locator(".speaker-controls-notes"),
        lecture.speaker_notes("04").values(),
    )
    words = " ".join(first[1].split()[:4]).replace("*", "")
    wait_for(popup.value, lambda: words in notes.inner_text(), f"the notes say {words}")
    popup.value.close()
    page.close()


def test_the_lecture_of_04_live_in_rise(tmp_path_factory, browser, monkeypatch):
    """Every slide shows, and the live lab plays on its slide.

    It does so in the kernel that ran the cells in JupyterLab.
    """
    need("jupyterlab_rise")
    folder = tmp_path_factory.mktemp("rise")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder / ".data"))
    monkeypatch.setenv("JUPYTER_PATH", str(folder / "prefix/share/jupyter"))
    lecture.install_rise(folder / "prefix")
    lecture.make("instructor", [FLAGSHIP], folder / "made")
    nb = nbformat.read(folder / f"made/notebooks/{FLAGSHIP.name}", as_version=4)
    NotebookNotary().sign(nb)  # as after running all cells; here only some are run
    with serve(folder) as (address, _):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        page.goto(f"{address}lab/tree/made/notebooks/{FLAGSHIP.name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.wait_for_function("""() => {
            const panel = window.jupyterapp?.shell.currentWidget;
            return panel?.sessionContext?.session?.kernel?.connectionStatus === "connected";
        }""")
        page.evaluate(
            """async ids => {
            const { commands, shell } = window.jupyterapp, book = shell.currentWidget.content;
            for (const id of ids) {
                book.deselectAll();
                book.activeCellIndex = book.widgets.findIndex(cell => cell.model.id === id);
                await commands.execute("notebook:run-cell");
            }
            await commands.execute("docmanager:save"); }""",
            ["setup", "build-the-gan", "lab-live"],
        )
        page.goto(f"{address}rise/made/notebooks/{FLAGSHIP.name}")
        page.wait_for_selector(".reveal.ready .slides .gl-lab canvas", state="attached")
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        on_lab, played = plays(page)
        seen = click_through(page, on_lab)
        assert len(seen) == len(begins(nb)) and not [
            shown for shown in seen if not (shown["words"] or shown["images"])
        ]
        assert len(played) == 1
        assert not [
            url
            for url in asked
            if not url.startswith((address, "data:", "blob:", address.replace("http", "ws")))
        ]
        page.close()
