"""Pictures are stored small, and look as they did."""

import base64
from io import BytesIO

import numpy as np
from execute import lean
from PIL import Image, ImageChops, ImageDraw, ImageStat


def encoded(image):
    file = BytesIO()
    image.save(file, format="png")
    return base64.b64encode(file.getvalue()).decode()


def decoded(picture):
    return Image.open(BytesIO(base64.b64decode(picture)))


def plot(mode):
    """Lines as a plot has them, smoothed at their edges."""
    image = Image.new(mode, (1600, 800), "white")
    draw = ImageDraw.Draw(image)
    for k, colour in enumerate(["#0072b2", "#009e73", "#000000", "#d55e00"]):
        points = [(x, 400 + (k + 1) * 80 * np.sin(x / 90 + k)) for x in range(1600)]
        draw.line(points, fill=colour, width=5)
    return image.resize((800, 400), Image.Resampling.LANCZOS)


def test_a_plot_gets_few_colours_and_looks_the_same():
    for mode in ("RGB", "RGBA"):
        before = plot(mode)
        after = decoded(lean(encoded(before)))
        assert after.mode == "P" and after.size == before.size
        assert len(lean(encoded(before))) <= 0.7 * len(encoded(before))

        difference = ImageChops.difference(before.convert("RGB"), after.convert("RGB"))
        assert np.mean(ImageStat.Stat(difference).mean) <= 0.2
        most = np.asarray(difference).max(axis=2)
        assert (most > 16).mean() <= 0.002


def test_what_has_many_colours_stays():
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    picture = encoded(Image.fromarray(noise))
    assert lean(picture) == picture


def test_what_is_partly_transparent_stays():
    image = plot("RGBA")
    image.putalpha(128)
    picture = encoded(image)
    assert lean(picture) == picture


def test_small_pictures_are_not_made_smaller_again():
    once = lean(encoded(plot("RGB")))
    assert lean(once) == once
