"""The labs of notebook 03 in JupyterLab.

Numbers typed, examples chosen, a click into the field, paths that play.
"""

import re

import pytest

pytestmark = pytest.mark.browser

# One cell: JupyterLab takes cells that are out of sight off the page.
CELL = """import numpy as np, torch
from IPython.display import display
from ganlib.labs import Payoffs, Pizza, Players, Questions
torch.set_num_threads(1)
at_once = lambda answer, target, near, rng: np.array([target])
display(Players(), Pizza(), Payoffs(), Questions(at_once))"""
FALSE_CYCLE = """import torch
from ganlib.labs import Players
torch.set_num_threads(1)
Players('false cycle: xy + (cos 4y − cos 4x)/16')"""


def wait_until(page, lab, words):
    """Wait until the sentence below the lab has these words."""
    for _ in range(150):
        said = lab.locator(".gl-text").inner_text()
        if re.search(words, said):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"after 15 s the lab says: {said}")


@pytest.mark.parametrize("front_end", ["notebook", "voila"])
def test_two_players_in_the_other_front_ends(show, front_end):
    page = show(FALSE_CYCLE, front_end=front_end)
    players = page.locator(".gl-lab")
    players.get_by_label("rule").select_option("consensus")
    wait_until(page, players, "simultaneous, η = 0.1: .*after its 0 steps")  # a path keeps its rule
    players.get_by_text("start, speed, spread of the GAN").click()
    players.get_by_label("start at x", exact=True).press("End")
    players.get_by_role("button", name="start a path").click()
    wait_until(page, players, "consensus, η = 0.1: .*The last path is 2 away")
    players.get_by_label("rate η, typed").fill("0.05")
    players.get_by_label("rate η, typed").press("Enter")
    players.locator(".gl-play").click()
    # Home, from afar.
    wait_until(
        page,
        players,
        r"consensus, η = 0.05: .*The last path is .*e-\d+ away after its \d{3,} steps",
    )
    players.locator(".gl-play").click()
    errors = page.locator(".gl-error:not(.gl-note)").all_inner_texts()
    assert not any(errors), f"the lab shows an error: {errors}"


def test_the_labs_of_games(show):
    page = show(CELL)
    players, pizza, payoffs, questions = (page.locator(".gl-lab").nth(i) for i in range(4))
    questions.wait_for()

    players.locator("select").nth(1).select_option("extragradient")
    canvas = players.locator("canvas").bounding_box()
    page.mouse.click(canvas["x"] + 0.15 * canvas["width"], canvas["y"] + 0.3 * canvas["height"])
    wait_until(page, players, "extragradient, η = 0.1: .*0.9950.*after its 0 steps")
    drawn = int(players.locator("canvas").get_attribute("data-drawn"))
    players.locator(".gl-play").click()
    wait_until(page, players, r"after its [1-9]\d+ steps")
    players.locator(".gl-play").click()
    assert int(players.locator("canvas").get_attribute("data-drawn")) > drawn + 3
    players.locator("select").nth(0).select_option("smallest GAN: x is θ, y is w")
    wait_until(page, players, "The last path is 1 away")

    pizza.get_by_label("take off the fair share").click()
    wait_until(page, pizza, r"together \+0.00 pizzas beyond")
    lost = pizza.get_by_label("lost in the fight, typed")
    lost.fill("0.2")
    lost.press("Enter")
    wait_until(page, pizza, "together -0.20")

    payoffs.get_by_label("example").select_option("a saddle")
    wait_until(page, payoffs, "both make sure of 2.000")
    payoffs.get_by_text("edit the matrix").click()
    cell = payoffs.get_by_label("row 1, column 2, typed")
    assert cell.input_value() == "2"  # the example is in the inputs too
    cell.fill("9")
    cell.press("Enter")
    wait_until(page, payoffs, r"make sure of (?!2\.000)")
    cell.fill("pear")
    cell.press("Enter")
    payoffs.get_by_text("must be a whole number from -20 to 20, got 'pear'").wait_for()

    questions.get_by_label("dimensions on the map, typed").fill("7")
    questions.get_by_label("dimensions on the map, typed").press("Enter")
    wait_until(page, questions, "in 7 dimensions: 1 by verdict, 1 by score, 1 by gradient")
    for lab in (players, pizza, questions):
        assert not lab.locator(".gl-error:not(.gl-note):not(:empty)").count()
