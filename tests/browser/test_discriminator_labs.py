"""The labs about the discriminator in JupyterLab.

A belief by keyboard, a knot dragged, lines stepped, samples played.
"""

import re

import pytest

pytestmark = pytest.mark.browser

# One cell: JupyterLab takes cells that are out of sight off the page.
CELL = """import torch
from IPython.display import display
from ganlib.labs import Algorithm1, Detective, FiniteSamples, Knots, TwoTerms
torch.set_num_threads(1)
display(Detective(seed=1), TwoTerms(), Knots(), Algorithm1(), FiniteSamples())"""


def wait_until(page, lab, words):
    """Wait until the sentence below the lab has these words."""
    for _ in range(150):
        said = lab.locator(".gl-text").inner_text()
        if re.search(words, said):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"after 15 s the lab says: {said}")


def test_the_labs_about_the_discriminator(show):
    page = show(CELL)
    detective, terms, knots, lines, samples = (page.locator(".gl-lab").nth(i) for i in range(5))
    samples.wait_for()

    belief = detective.get_by_label("belief “real”, in %", exact=True)
    belief.press("End")
    detective.get_by_role("button", name="judge").click()
    # 99 % “real”, and it was a fake.
    wait_until(page, detective, "^1 of 20 cases judged.*blind ½ -0.69, you -4.61")
    for n in range(2, 21):
        belief.press("PageDown")
        detective.get_by_role("button", name="judge").click()
        wait_until(page, detective, f"^{n} of 20")
    detective.get_by_role("button", name="judge").click()
    detective.get_by_text("All cases are judged").wait_for()
    detective.get_by_role("button", name="reset").click()
    wait_until(page, detective, "^0 of 20")

    terms.get_by_label("how steeply D falls", exact=True).press("End")
    wait_until(page, terms, r"the best any D can do here is -0\.811")
    terms.get_by_label("mean of p_g, typed").fill("0")
    terms.get_by_label("mean of p_g, typed").press("Enter")
    wait_until(page, terms, r"the best any D can do here is -1\.3")

    # Drag the first knot, at x = −3 of −4.5 to 5.5 in the left 70 %, from ½ up to the top: all is
    # real there.
    knots.scroll_into_view_if_needed()
    canvas = knots.locator("canvas").bounding_box()
    pixel = canvas["width"] / 900
    x = canvas["x"] + pixel * (52 + 1.5 / 10 * (0.7 * 900 - 70))
    middle = canvas["y"] + pixel * (10 + (1 - 0.5 / 1.05) * (340 - 50))
    top = canvas["y"] + pixel * 15
    page.mouse.move(x, middle)
    page.mouse.down()
    page.mouse.move(x, top, steps=5)
    page.mouse.up()
    wait_until(page, knots, r"V \+ log 4 = 0\.0(?!00)")
    knots.get_by_role("button", name="put all knots on D*").click()
    wait_until(page, knots, r"regret is 0\.006")

    for _ in range(4):
        lines.get_by_role("button", name="step").click()
    wait_until(page, lines, r"Line 4 of 8: loss_D .* loss_D = \d\.\d{3}")

    samples.locator(".gl-play").click()
    wait_until(page, samples, r"V \+ log 4 is 0\.[2-9]\d nats on the samples and -\d")
    samples.locator(".gl-play").click()
    errors = page.locator(".gl-error:not(.gl-note)").all_inner_texts()
    assert not any(errors), f"a lab shows an error: {errors}"
