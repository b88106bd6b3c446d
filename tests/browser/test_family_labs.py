"""The labs of notebook 02 in JupyterLab, moved by mouse and by keyboard."""

import pytest

pytestmark = pytest.mark.browser

# One cell: JupyterLab takes cells that are out of sight off the page.
CELL = """import torch
from IPython.display import display
from ganlib import targets
from ganlib.families import LEAVES
from ganlib.labs import Bound, Pairs, Taxonomy, Walkers
torch.set_num_threads(1)
laws = targets.mixture(), targets.iris()
leaves = [Leaf().fit(law, steps=20) for law in laws for Leaf in LEAVES]
display(Taxonomy(leaves), Bound(), Walkers(), Pairs())"""


def wait_for(page, lab, words):
    """Wait until the sentence below the lab holds these words."""
    for _ in range(150):
        said = lab.locator(".gl-text").inner_text()
        if words in said:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"after 15 s the lab does not say {words!r} but: {said}")


def test_the_labs_of_the_taxonomy(show):
    page = show(CELL)
    tree, bound, walkers, pairs = (page.locator(".gl-lab").nth(i) for i in range(4))
    pairs.wait_for()

    wait_for(page, tree, "autoregressive (explicit, tractable) on two modes: density exact")

    # The tree is the left 60 %; its leaves stand at x = 3 of −0.4 to 4.1, the GAN at y = 1.
    canvas = tree.locator("canvas").bounding_box()
    pixel = canvas["width"] / 900
    width = 0.6 * 900 - 62
    height = canvas["height"] / pixel - 14
    x = canvas["x"] + pixel * (52 + 3.4 / 4.5 * width)
    y = canvas["y"] + pixel * (10 + 4.5 / 6 * height)
    page.mouse.click(x, y)
    wait_for(page, tree, "GAN (implicit, direct) on two modes: density none")
    tree.locator("select").nth(0).select_option("noise and clean")
    tree.locator("select").nth(1).select_option("iris petal length")
    wait_for(page, tree, "noise and clean (implicit, Markov chain) on iris petal length")

    bound.get_by_label("x", exact=True).first.press("Home")
    wait_for(page, bound, "At x = -3.00")
    bound.locator("select").select_option("blind")
    bound.locator(".gl-play").click()
    # A blind encoder makes its own posterior come true.
    wait_for(page, bound, "mean gap over the data 0.00")
    bound.locator(".gl-play").click()

    walkers.get_by_label("step size", exact=True).first.press("End")
    walkers.locator(".gl-play").click()
    wait_for(page, walkers, "0.000 of the mass is in the wrong place")
    walkers.locator(".gl-play").click()

    pairs.locator("select").select_option("made by an encoder")
    pairs.locator(".gl-play").click()
    wait_for(page, pairs, "and sd 1.5")
    errors = page.locator(".gl-error:not(.gl-note)").all_inner_texts()
    assert not any(errors), f"a lab shows an error: {errors}"
