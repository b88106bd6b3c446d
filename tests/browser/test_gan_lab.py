"""The flagship in JupyterLab, Notebook 7 and Voilà: one page each.

On it the tests do what a learner does.
"""

import json
import re
from functools import partial

import pytest
from browsers import steps, wait_for

pytestmark = pytest.mark.browser

CELL = """import torch
from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import GANLab
from ganlib.networks import mlp
torch.set_num_threads(1)
G = mlp(1, 32, 32, 1, seed=0)
D = mlp(1, 48, 48, 1, seed=1, cover=(-3, 3))
gan = GAN(G, D, targets.gaussian(), lr_G=2e-3, lr_D=1e-2, betas=(0.0, 0.9),
          penalty="r1", penalty_weight=0.02, seed=0)
lab = GANLab(gan)
made = [*globals().get("made", []), lab]
lab"""


@pytest.fixture(scope="module", params=["lab", "notebook", "voila"])
def page(request, show_for_all):
    page = show_for_all(CELL, front_end=request.param)
    page.set_default_timeout(20_000)
    page.front_end = request.param
    return page


@pytest.fixture
def lab(page):
    """The lab on the page, paused at step 0 with its first knobs."""
    lab = page.locator(".gl-lab")
    if "pause" in lab.locator(".gl-play").inner_text():
        lab.locator(".gl-play").click()
    lab.get_by_label("preset").select_option("converges")
    wait_for(page, lambda: steps(lab) == 0 and "play" in lab.locator(".gl-play").inner_text())
    return lab


def said(lab):
    return lab.locator(".gl-text").inner_text()


def error(lab):
    return lab.locator(".gl-error").inner_text() if lab.locator(".gl-error").is_visible() else ""


def rate(lab, name):
    """The rate that the trainer uses, as the text twin tells."""
    return float(re.search(rf"{name} ([\d.e−-]+)", said(lab)).group(1))


def pixels(lab):
    return lab.locator("canvas").evaluate("""canvas => {
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width * 0.58, height);
        return data.reduce((sum, v, i) => (sum * 31 + v) % 1000003, 7); }""")


def ask_kernel(page, expression):
    """What the kernel answers, while the lab plays; None in Voilà, which lets nobody ask."""
    if page.front_end == "voila":
        return None
    reply = page.evaluate(
        """async code => {
        const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
        const question = { code: "", silent: true, user_expressions: { it: code } };
        const reply = await kernel.requestExecute(question).done;
        return reply.content.user_expressions.it.data["text/plain"]; }""",
        expression,
    )
    return json.loads(reply.replace("'", '"').lower())


def drag(page, slider, share):
    """Move the thumb of a range input to a share of its way, by mouse."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    value = float(slider.input_value()) / 1000
    thumb = 16
    y = box["y"] + box["height"] / 2
    left = box["x"] + thumb / 2
    way = box["width"] - thumb
    page.mouse.move(left + value * way, y)
    page.mouse.down()
    page.mouse.move(left + share * way, y, steps=5)
    page.mouse.up()


def test_play_moves_the_picture_and_a_rate_moved_by_mouse_is_used(page, lab):
    before = pixels(lab)
    lab.locator(".gl-play").click()
    wait_for(page, lambda: steps(lab) > 5 and pixels(lab) != before)
    drag(page, lab.get_by_label("lr_D", exact=True), 0.3)
    wait_for(page, lambda: 1e-4 < rate(lab, "lr_D") < 1e-3)
    assert ask_kernel(page, "gan.lr_D") in (None, pytest.approx(rate(lab, "lr_D"), rel=0.01))
    there = steps(lab)
    wait_for(page, lambda: steps(lab) > there)
    assert ask_kernel(page, "lab.playing") in (None, True)
    shown = pixels(lab)
    wait_for(page, lambda: pixels(lab) != shown)


def test_a_rate_moved_by_keyboard_is_used(page, lab):
    lab.locator(".gl-play").press("Enter")
    wait_for(page, lambda: steps(lab) > 2)
    slider = lab.get_by_label("lr_G", exact=True)
    slider.focus()
    for key in ["ArrowLeft"] * 5 + ["PageDown"]:
        slider.press(key)
    wait_for(page, lambda: 1e-4 < rate(lab, "lr_G") < 1.9e-3)
    typed = lab.get_by_label("lr_G, typed")
    typed.fill("0.00025")
    typed.press("Enter")
    wait_for(page, lambda: rate(lab, "lr_G") == 0.00025)
    assert ask_kernel(page, "gan.lr_G") in (None, 0.00025)
    lab.locator(".gl-play").press("Space")
    wait_for(page, lambda: "play" in lab.locator(".gl-play").inner_text())


def test_pause_and_single_steps_of_both_and_of_each(page, lab):
    lab.locator(".gl-play").click()
    wait_for(page, lambda: steps(lab) > 5)
    lab.locator(".gl-play").click()
    wait_for(page, lambda: "play" in lab.locator(".gl-play").inner_text())
    there = steps(lab)
    page.wait_for_timeout(300)
    assert steps(lab) == there
    for i, name in enumerate(("step", "step D", "step G"), 1):
        shown = pixels(lab)
        words = said(lab)
        lab.get_by_role("button", name=name, exact=True).click()
        wait_for(page, partial(has_moved, lab, there + i, shown, words))


def has_moved(lab, to, shown, words):
    """Whether it stands at this step, and picture and sentence are others than they were."""
    return steps(lab) == to and pixels(lab) != shown and said(lab) != words


def test_presets_and_reset(page, lab):
    lab.get_by_label("preset").select_option("D too weak")
    wait_for(page, lambda: "runs after an outdated D" in error(lab) and rate(lab, "lr_D") == 1e-4)
    assert lab.get_by_label("lr_D, typed").input_value() == "0.0001"
    lab.locator(".gl-play").click()
    wait_for(page, lambda: steps(lab) > 500)
    assert "runs after" in error(lab)  # the sentence stays while it plays
    lab.get_by_role("button", name="reset").click()
    wait_for(page, lambda: steps(lab) < 400)  # it plays on from 0
    lab.get_by_label("target").select_option("iris petal length")
    wait_for(
        page,
        lambda: (
            "iris petal length" in said(lab)
            and lab.get_by_label("preset").input_value() == "your own"
        ),
    )


def test_wrong_numbers_are_refused_in_words_and_change_nothing(page, lab):
    lab.locator(".gl-play").click()
    typed = lab.get_by_label("lr_D, typed")
    for wrong in ("0", "-1", "nan", "inf", "fast", ""):
        typed.fill(wrong)
        typed.press("Enter")
        refused = f"lr_D must be a number from 1e-05 to 1, got '{wrong}'"
        wait_for(page, lambda refused=refused: refused in error(lab))
        wait_for(page, lambda: typed.input_value() == "0.01")
    there = steps(lab)
    wait_for(page, lambda: steps(lab) > there)
    assert rate(lab, "lr_D") == 0.01
    typed.fill("0.02")
    typed.press("Enter")
    wait_for(page, lambda: error(lab) == "" and rate(lab, "lr_D") == 0.02)


def test_divergence_pauses_is_explained_and_undone(page, lab):
    lab.get_by_text("more knobs").click()
    for name, value in (("loss", "least-squares"), ("optimiser", "sgd")):
        lab.get_by_label(name).select_option(value)
    lab.get_by_text("more knobs").click()
    for name in ("lr_G", "lr_D"):
        lab.get_by_label(f"{name}, typed").fill("1")
        lab.get_by_label(f"{name}, typed").press("Enter")
    wait_for(page, lambda: rate(lab, "lr_G") == rate(lab, "lr_D") == 1)
    lab.locator(".gl-play").click()
    wait_for(page, lambda: re.search(r"diverged at step \d+.*last good state", error(lab)))
    assert "play" in lab.locator(".gl-play").inner_text()
    lab.get_by_role("button", name="back to the last good state").click()
    wait_for(page, lambda: re.search(r"Back at step \d+", error(lab)) and "nan" not in said(lab))


def test_picture_and_run_are_saved_and_the_run_loads_again(page, lab):
    lab.get_by_role("button", name="step", exact=True).click()
    lab.get_by_role("button", name="step", exact=True).click()
    wait_for(page, lambda: steps(lab) == 2 and "After 2 steps" in said(lab))
    with page.expect_download() as download:
        lab.get_by_role("button", name="save picture").click()
    assert download.value.suggested_filename.endswith(".png")
    assert download.value.path().read_bytes()[:4] == b"\x89PNG"
    with page.expect_download() as download:
        lab.get_by_role("button", name="save run").click()
    run, words = download.value.path().read_text(), said(lab)
    lab.get_by_role("button", name="reset").click()
    wait_for(page, lambda: steps(lab) == 0)

    def load(text):
        file = {"name": "run.json", "mimeType": "application/json", "buffer": text.encode()}
        lab.get_by_label("load run").set_input_files(file)

    load(run[:1000])
    wait_for(page, lambda: "cut short" in error(lab) and "Nothing was changed" in error(lab))
    load(run)
    wait_for(
        page, lambda: "Loaded: step 2" in error(lab) and said(lab) == words and steps(lab) == 2
    )


def test_projector_fills_the_screen_and_escape_leaves(page, lab):
    width = lab.bounding_box()["width"]
    lab.get_by_role("button", name="projector").click()
    wait_for(page, lambda: lab.bounding_box()["width"] == 1400 and lab.bounding_box()["x"] == 0)
    assert (
        lab.locator("canvas").bounding_box()["width"] > width
        and lab.get_by_label("lr_G", exact=True).is_visible()
    )
    page.keyboard.press("Escape")
    wait_for(page, lambda: lab.bounding_box()["width"] == pytest.approx(width, abs=20))


def test_everything_has_a_name_and_the_picture_tells_what_it_shows(page, lab):
    nameless = lab.evaluate("""root => {
        const controls = [...root.querySelectorAll("input, select, button, summary")];
        const has_name = e => e.getAttribute("aria-label")
            || (e.textContent.trim() && e.tagName !== "SELECT")
            || [...(e.labels ?? [])].some(l => l.textContent.trim());
        return controls.filter(e => !has_name(e)).map(e => e.outerHTML);
    }""")
    assert nameless == []
    ids = lab.evaluate("root => [...root.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids)
    canvas = lab.get_by_role("img")
    wait_for(page, lambda: "After 0 steps" in canvas.get_attribute("aria-label"))
    lab.get_by_role("button", name="step", exact=True).click()
    wait_for(page, lambda: "After 1 steps" in canvas.get_attribute("aria-label"))
    assert lab.get_by_label("lr_G", exact=True).get_attribute("aria-valuetext") == "0.002"


@pytest.mark.parametrize(
    "gone",
    [
        "document.querySelector('.gl-lab').style.marginTop = '-9000px'",
        "Object.defineProperty(document, 'hidden', { value: true })",
    ],
    ids=["scrolled away", "hidden tab"],
)
def test_a_lab_out_of_sight_pauses(show, gone):
    page = show(CELL)
    page.front_end, lab = "lab", page.locator(".gl-lab")
    lab.locator(".gl-play").click()
    wait_for(page, lambda: steps(lab) > 5)
    page.wait_for_timeout(6000)
    before = steps(lab)
    wait_for(page, lambda: steps(lab) > before)  # in sight it plays on
    page.evaluate(f"() => {{ {gone}; }}")
    wait_for(page, lambda: "nobody was looking" in lab.inner_text())
    now = steps(lab)
    page.wait_for_timeout(1000)
    assert steps(lab) == now


def test_making_the_lab_again_replaces_it_and_closing_the_page_pauses_it(show):
    page = show(CELL)
    page.front_end, lab = "lab", page.locator(".gl-lab")
    lab.locator(".gl-play").click()
    wait_for(page, lambda: steps(lab) > 5)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    wait_for(page, lambda: ask_kernel(page, "[l.playing for l in made]") == [False, False])
    wait_for(page, lambda: lab.count() == 1 and steps(lab) == 0)
    lab.locator(".gl-play").click()
    wait_for(page, lambda: ask_kernel(page, "[l.playing for l in made]") == [False, True])
    address = page.url
    page.goto("about:blank")
    page.wait_for_timeout(6000)
    page.goto(address)
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
    )
    wait_for(page, lambda: ask_kernel(page, "lab.playing") is False)
