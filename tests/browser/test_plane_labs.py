"""The labs of notebook 05 in JupyterLab.

Points are drawn by clicking, a rate is moved while it plays; twins; a diagnosis.
"""

import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
RUNS = Path(__file__).parents[2] / "images" / "failures.json"
CELL = """import json, torch
from IPython.display import display
from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import Clinic, PlaneLab, Twins
from ganlib.networks import mlp
torch.set_num_threads(1)
G = mlp(2, 48, 48, 2, seed=0)
D = mlp(2, 48, 48, 1, seed=1)
gan = GAN(G, D, targets.gaussian(dim=2), betas=(0.5, 0.999), seed=0)
display(PlaneLab(gan), Twins(), Clinic(json.loads(open(RUNS).read())["clinic"]))""".replace(
    "RUNS", repr(str(RUNS))
)


def wait_until(page, lab, words):
    """Wait until the sentence below the lab has these words."""
    for _ in range(300):
        said = lab.locator(".gl-text").inner_text()
        if re.search(words, said):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"after 30 s the lab says: {said}")


def test_the_labs_of_failure(show):
    page = show(CELL)
    plane, twins, clinic = (page.locator(".gl-lab").nth(i) for i in range(3))
    clinic.wait_for()

    drawn = int(plane.locator("canvas").get_attribute("data-drawn"))
    plane.locator(".gl-play").click()
    wait_until(page, plane, r"After [1-9]\d+ steps on ring of 8")
    rate = plane.get_by_label("lr_D, typed")
    rate.fill("0.0001")
    rate.press("Enter")
    steps = lambda: int(re.search(r"After (\d+) steps", plane.locator(".gl-text").inner_text())[1])
    before = steps()
    page.wait_for_timeout(1000)
    assert steps() > before and rate.input_value() == "0.0001"
    plane.locator(".gl-play").click()
    assert int(plane.locator("canvas").get_attribute("data-drawn")) > drawn + 5
    wait_until(page, plane, r"on ring of 8.*: [0-8] of 8 modes, \d+ % good samples, JS 0\.\d{3}")

    canvas = plane.locator("canvas").bounding_box()
    page.mouse.click(canvas["x"] + 0.3 * canvas["width"], canvas["y"] + 0.5 * canvas["height"])
    wait_until(page, plane, r"on points you draw.*: \d of 1 modes")
    plane.locator(".gl-play").click()
    plane.get_by_text("draw at least 10 points first: click into the picture; so far 1").wait_for()
    plane.get_by_role("button", name="draw ten").click()
    wait_until(page, plane, r"of 11 modes")
    plane.locator(".gl-play").click()
    wait_until(page, plane, r"of 11 modes, [1-9]\d* % good")
    plane.locator(".gl-play").click()

    twins.locator("select").nth(1).select_option("optimism")
    twins.locator(".gl-play").click()
    wait_until(page, twins, r"D too fast, step [1-9]\d*: .* with optimism; difference [+-]")
    twins.locator(".gl-play").click()

    names = list(json.loads(RUNS.read_text())["clinic"])
    clinic.get_by_label("run, typed").fill("2")
    clinic.get_by_label("run, typed").press("Enter")
    wait_until(page, clinic, "Run 2 ends")
    clinic.get_by_label("your diagnosis").select_option(names[1])
    clinic.get_by_label("tell me").click()
    wait_until(page, clinic, f"Right, it is: {names[1]}")
    assert not any(
        lab.locator(".gl-error:not(.gl-note):not(:empty)").count() for lab in (plane, twins, clinic)
    )
