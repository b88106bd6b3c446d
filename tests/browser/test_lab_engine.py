"""The lab that trains in the page of a notebook, with its kernel idle."""

import ast

import pytest
from browsers import steps, wait_for

from ganlib.session import EARLY

pytestmark = pytest.mark.browser

CELL = """import torch
from ganlib.labs import GANLab, PlaneLab, in_page
torch.set_num_threads(1)
made = in_page.made("GANLab")
lab = GANLab(made.gan, engine="browser")
lab"""

ASK = """async code => {
    const question = { code: "pass", user_expressions: { it: code }, silent: false };
    const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
    const reply = await kernel.requestExecute(question).done;
    return reply.content.user_expressions.it; }"""


@pytest.fixture(scope="module")
def page(show_for_all):
    page = show_for_all(CELL, wait=".gl-lab canvas[data-drawn]")
    page.set_default_timeout(20_000)
    return page


@pytest.fixture
def lab(page):
    """The lab on the page, paused at step 0 with its first knobs."""
    lab = page.locator(".gl-lab")
    if "pause" in lab.locator(".gl-play").inner_text():
        lab.locator(".gl-play").click()
    lab.get_by_label("preset").select_option("converges")
    wait_for(page, lambda: steps(lab) == 0)
    return lab


def kernel(page, expression):
    """What an expression is in the kernel."""
    reply = page.evaluate(ASK, expression)
    assert reply["status"] == "ok", reply
    return ast.literal_eval(reply["data"]["text/plain"])


def pulled(page, lab, step):
    """Whether the kernel has come to this step."""
    return kernel(page, "lab.pull()") == step


def test_the_page_trains_and_the_kernel_goes_on_from_there(page, lab):
    before = kernel(page, "__import__('time').process_time()")
    lab.locator(".gl-play").click()
    wait_for(page, lambda: steps(lab) > 200)
    lab.locator(".gl-play").click()
    there = steps(lab)
    wait_for(page, lambda: pulled(page, lab, there))
    assert kernel(page, "__import__('time').process_time()") - before < 2

    # The ledger in Python agrees with the sentence on the page, but for rounding.
    said = lab.locator(".gl-text").inner_text()
    exact = kernel(page, "[lab.ledger.js, lab.ledger.value, lab.ledger.off_half]")
    shown = [
        float(said.split(word)[1].split(",")[0].replace("−", "-"))
        for word in ("JS ", "log 4 ", "½| ")
    ]
    assert shown == pytest.approx(exact, abs=2e-3)
    assert kernel(page, "len(lab.past)") == there // 25 + 1 + sum(step <= there for step in EARLY)

    # What the kernel trains goes back to the page.
    assert kernel(page, "lab.run(10).steps") == there + 10
    wait_for(page, lambda: steps(lab) == there + 10)
    lab.get_by_role("button", name="step", exact=True).click()
    assert steps(lab) == there + 11


def test_knobs_go_both_ways(page, lab):
    lab.get_by_label("lr_G, typed").fill("0.004")
    lab.get_by_label("lr_G, typed").press("Enter")
    wait_for(page, lambda: kernel(page, "[lab.pull(), lab.values['lr_G']]")[1] == 0.004)
    assert kernel(page, "lab.gan.lr_G") == 0.004

    assert kernel(page, "lab.set('target', 'two modes').values['target']") == "two modes"
    wait_for(page, lambda: lab.get_by_label("target").input_value() == "two modes")
    assert "two modes" in lab.locator(".gl-text").inner_text()


def test_python_asks_the_page_to_play_and_to_pause(page, lab):
    kernel(page, "lab.play()")
    wait_for(page, lambda: steps(lab) > 20)
    kernel(page, "lab.pause()")
    wait_for(page, lambda: "play" in lab.locator(".gl-play").inner_text())
    there = steps(lab)
    wait_for(page, lambda: pulled(page, lab, there))


def test_a_playing_page_sends_every_five_seconds(page, lab):
    lab.locator(".gl-play").click()
    wait_for(page, lambda: kernel(page, "lab.pull()") > 100, 12)
    assert "pause" in lab.locator(".gl-play").inner_text()
    lab.locator(".gl-play").click()


def test_what_does_not_fit_changes_nothing(page, lab):
    wait_for(page, lambda: pulled(page, lab, 0))
    kernel(page, "setattr(lab.widget, 'sent', '[3]')")
    reply = page.evaluate(ASK, "lab.pull()")
    assert reply["status"] == "error"
    assert "does not fit this lab" in reply["evalue"]
    assert kernel(page, "lab.steps") == 0
