"""The labs of notebook 06 in JupyterLab.

A DCGAN that plays, a walk in z, stamps, a verdict, a number typed.
"""

import os
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

CELL = """import torch
from IPython.display import display
from ganlib import images, metrics
from ganlib.gan import GAN
from ganlib.labs import LatentWalk, Neighbours, PictureLab, TransposedConvolution, WhichIsReal
from ganlib.networks import dcgan_discriminator, dcgan_generator
from ganlib.targets import gaussian
from ganlib.training import Run, load_pair
torch.set_num_threads(1)
x, labels = images.digits()
G, D, about = load_pair(%r)
def make():
    gan = GAN(dcgan_generator(seed=0), dcgan_discriminator(seed=1), gaussian(dim=32), seed=0)
    return Run(gan, x)
z = gaussian(dim=about["z_dim"]).sample(40, torch.Generator().manual_seed(0))
net = metrics.classifier(x, labels, steps=100)
display(PictureLab(make, x[:300], net), LatentWalk(G, about["z_dim"]), TransposedConvolution(),
        WhichIsReal(G, D, x[:900], z), Neighbours(G(z), x[:900], x[900:]))"""
WEIGHTS = str(Path(__file__).parents[2] / "notebooks" / "weights" / "digits.safetensors")


def wait_until(page, lab, words):
    """Wait until the sentence below the lab has these words."""
    for _ in range(300):
        said = lab.locator(".gl-text").inner_text()
        if re.search(words, said):
            return said
        page.wait_for_timeout(100)
    raise AssertionError(f"after 30 s the lab says: {said}")


def test_the_labs_of_pictures(show):
    page = show(CELL % WEIGHTS)
    train, walk, stamps, verdict, near = (page.locator(".gl-lab").nth(i) for i in range(5))
    near.wait_for()

    train.locator(".gl-play").click()
    wait_until(page, train, r"step [1-9]\d")
    rate = train.get_by_label("learning rate of D, typed")
    rate.fill("0.01")
    rate.press("Enter")
    train.locator(".gl-play").click()
    assert int(train.locator("canvas").get_attribute("data-drawn")) > 3
    train.get_by_text("reset", exact=True).click()
    wait_until(page, train, "^step 0")

    walk.locator("canvas").scroll_into_view_if_needed()
    canvas = walk.locator("canvas").bounding_box()
    before = wait_until(page, walk, "u = 0.50, v = 0.00")

    def place(u, v):
        x = canvas["x"] + (52 + (u + 1.5) / 3 * 298) * canvas["width"] / 900
        y = canvas["y"] + (10 + (1.5 - v) / 3 * 290) * canvas["height"] / 340
        return x, y

    page.mouse.move(*place(0.5, 0.0))
    page.mouse.down()
    page.mouse.move(*place(-0.5, 0.8), steps=5)
    page.mouse.up()
    assert wait_until(page, walk, r"u = -0\.[45]\d, v = 0\.[78]\d") != before
    walk.get_by_text("go to A − B + C").click()
    wait_until(page, walk, "u = -1.00, v = 1.00")

    kernel = stamps.get_by_label("kernel, typed")
    kernel.fill("4")
    kernel.press("Enter")
    wait_until(page, stamps, "0 of 9 stamps.*= 8")
    for _ in range(2):
        stamps.get_by_text("step", exact=True).click()
    wait_until(page, stamps, "2 of 9 stamps")

    verdict.get_by_text("made by G", exact=True).click()
    wait_until(page, verdict, "1 judged: you [01] right, D [01] right")

    sample = near.get_by_label("sample, typed")
    sample.fill("7")
    sample.press("Enter")
    wait_until(page, near, "sample 7: the nearest")
    for number, lab in enumerate((train, walk, stamps, verdict, near)):
        assert not lab.locator(".gl-error:not(.gl-note):not(:empty)").count()
        if os.environ.get("SCREENSHOTS"):
            lab.screenshot(path=Path(os.environ["SCREENSHOTS"]) / f"pictures-{number}.png")
