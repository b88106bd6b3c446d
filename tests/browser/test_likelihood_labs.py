"""The labs of notebook 01 in JupyterLab, moved by mouse and by keyboard."""

import re

import pytest

from ganlib.labs.likelihood import FIRST_MEAN, FIRST_SIGMA, MEANS, SIGMAS

pytestmark = pytest.mark.browser

# One cell: JupyterLab takes cells that are out of sight off the page.
CELL = """import torch
from IPython.display import display
from ganlib.labs import CodeBook, FitNormal, SlideNormals, TwoModes
torch.set_num_threads(1)
display(FitNormal([3.0, 4.0, 5.0]), TwoModes(), CodeBook(), SlideNormals())"""


def wait_until(page, lab, true):
    """Wait until the numbers in the sentence below the lab are as wanted."""
    for _ in range(100):
        said = lab.locator(".gl-text").inner_text()
        if true([float(n) for n in re.findall(r"-?\d+\.\d+", said)]):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"after 10 s the lab says: {said}")


def test_the_labs_of_likelihood(show):
    page = show(CELL)
    fit, modes, code, normals = (page.locator(".gl-lab").nth(i) for i in range(4))
    normals.wait_for()

    # Drag the dot from where it starts to the middle of the map and a quarter up: there lies the
    # best normal.
    canvas = fit.locator("canvas").bounding_box()
    pixel = canvas["width"] / 900
    left = canvas["x"] + 0.56 * canvas["width"] + 52 * pixel
    right = canvas["x"] + canvas["width"] - 10 * pixel
    low = canvas["y"] + canvas["height"] - 40 * pixel
    high = canvas["y"] + 24 * pixel
    across = FIRST_MEAN / (MEANS - 1)
    up = FIRST_SIGMA / (SIGMAS - 1)
    page.mouse.move(left + across * (right - left), low + up * (high - low))
    page.mouse.down()
    page.mouse.move((left + right) / 2, low + 0.25 * (high - low), steps=8)
    page.mouse.up()
    wait_until(page, fit, lambda n: n[3] < 0.01)

    modes.locator(".gl-play").click()
    wait_until(page, modes, lambda n: n[3] < 0.01)  # descent comes down to the bottom
    modes.get_by_label("minimise").select_option("KL(q‖p)")
    wait_until(page, modes, lambda n: n[2] > 0.6)

    wait_until(page, code, lambda n: n[:3] == [2.0, 2.0, 3.0])
    code.get_by_text("the weights of P").click()
    code.get_by_label("weight of a", exact=True).press("End")
    wait_until(page, code, lambda n: n[0] < 1.8)

    normals.get_by_label("mean μ of q", exact=True).press("Home")
    wait_until(page, normals, lambda n: n[3:5] == [18.0, 18.0])
    errors = page.locator(".gl-error:not(.gl-note)").all_inner_texts()
    assert not any(errors), f"a lab shows an error: {errors}"
