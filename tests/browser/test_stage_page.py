"""What the canvas draws, and where: all labs in a page without a kernel, on four screens."""

import all_labs
import pytest
from stage_page import html, told

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def labs():
    return all_labs.make()


@pytest.fixture(scope="module")
def file(labs, tmp_path_factory):
    file = tmp_path_factory.mktemp("stage") / "labs.html"
    file.write_text(html(labs), encoding="utf-8")
    return file


@pytest.fixture
def open_page(browser, file):
    """`open_page(width, height, …)`: the file on such a screen; no error may come up."""
    pages = []

    def open_page(width, height, **more):
        page = browser.new_page(viewport={"width": width, "height": height}, **more)
        pages.append(page)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(file.as_uri())
        page.wait_for_function(
            "() => [...document.querySelectorAll('canvas')].every(c => c.dataset.drawn)"
        )
        return page

    yield open_page
    for page in pages:
        assert page.errors == []
        page.close()


# -- what is painted anew --------------------------------------------------------------------------

# The lab takes new pictures; the words that it writes are noted. `twin` shows the last
# one from the beginning, so it paints all of it.
FOLLOW = """
async (pictures) => {
  const next = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  const g = CanvasRenderingContext2D.prototype;
  const write = g.fillText;
  let written = {}; // by the number of the picture
  g.fillText = function (words, ...rest) {
    (written[this.canvas.dataset.drawn] ||= []).push(words);
    write.call(this, words, ...rest);
  };
  const found = [];
  const last = pictures.length - 1;
  for (const [i, picture] of pictures.entries()) {
    written = {};
    models.GANLab.put("frame", picture.frame);
    models.GANLab.put("status", { ...picture.status, playing: i < last });
    await next();
    await next();
    found.push(Object.values(written));
  }
  g.fillText = write;
  add("twin", pictures[last]);
  const canvas = (name) => document.querySelector(`#${name} canvas`).toDataURL();
  return { found, same: canvas("GANLab") === canvas("twin") };
}
"""


def test_axes_that_show_what_they_showed_are_not_painted_again(labs, open_page):
    lab = labs["GANLab"]
    lab.reset()
    pictures = []
    for steps in (1, 1, 1, 30):
        pictures.append(told(lab.run(steps)))
    pictures.append(pictures[-1])
    titles = {axes.title for axes in lab.scene.axes if axes.title}
    answer = open_page(1400, 1000).evaluate(FOLLOW, pictures)
    lab.reset()

    shown = [[titles & set(picture) for picture in pictures] for pictures in answer["found"]]
    _, one_step, _, many, rest = shown
    assert not any(one_step)  # no history has grown
    assert all(len(histories) <= 1 for histories in many)  # while it plays, they take turns
    assert set().union(*many, *rest) == titles  # at rest all have come
    assert answer["same"]
