"""What the canvas draws, and where: all labs in a page without a kernel, on four screens."""

from contextlib import ExitStack, contextmanager
from itertools import combinations

import all_labs
import pytest
from stage_page import html, told

pytestmark = pytest.mark.browser

SCREENS = {
    "laptop": (1366, 768),
    "projector": (1920, 1080),
    "phone": (390, 844),
    "zoom": (683, 384),
}
# Two pictures later, all labs have found their size.
NEXT_BUT_ONE = """() => new Promise(done => {
  requestAnimationFrame(() => requestAnimationFrame(done)); })"""


@pytest.fixture(scope="module")
def labs():
    return all_labs.make()


@pytest.fixture(scope="module")
def tellings(labs):
    """What the browser is told of each lab."""
    return {name: told(lab) for name, lab in labs.items()}


@pytest.fixture(scope="module")
def file(tellings, tmp_path_factory):
    """`file(names)`: a page with these labs."""
    folder = tmp_path_factory.mktemp("stage")

    def file(names):
        made = folder / f"{len(names)} labs, {names[0]}.html"
        if not made.exists():
            made.write_text(html({name: tellings[name] for name in names}), encoding="utf-8")
        return made

    return file


@contextmanager
def shown(browser, file, size, **more):
    """The page of a file on a screen of this size, (width, height); no error may come up."""
    page = browser.new_page(viewport=dict(zip(("width", "height"), size)), **more)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_function(
        "() => [...document.querySelectorAll('canvas')].every(c => c.dataset.drawn)"
    )
    yield page
    page.close()
    assert errors == []


@pytest.fixture
def open_page(browser, file):
    """`open_page(width, height, *names)`: these labs on such a screen."""
    with ExitStack() as pages:

        def open_page(width, height, *names):
            return pages.enter_context(shown(browser, file(names), (width, height)))

        yield open_page


@pytest.fixture(scope="module")
def all_shown(browser, file, labs):
    """`all_shown(width, height)`: one page with all labs, made so large."""
    with shown(browser, file(tuple(labs)), SCREENS["laptop"]) as page:

        def all_shown(width, height):
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate(NEXT_BUT_ONE)
            return page

        yield all_shown


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
    models.GANLab.put("status", { ...picture.status, playing: 0 < i && i < last });
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
    for steps in (34, 1, 1, 30):  # lines are written down at 25 and 50
        pictures.append(told(lab.run(steps)))
    pictures.append(pictures[-1])
    titles = {axes.title for axes in lab.scene.axes if axes.title}
    answer = open_page(1400, 1000, "GANLab").evaluate(FOLLOW, pictures)
    lab.reset()

    shown = [[titles & set(picture) for picture in pictures] for pictures in answer["found"]]
    _, one_step, _, many, rest = shown
    assert not any(one_step)  # no history has grown
    assert all(len(histories) <= 1 for histories in many)  # while it plays, they take turns
    assert set().union(*many, *rest) == titles  # at rest all have come
    assert answer["same"]


# -- where things stand ----------------------------------------------------------------------------

# All labs draw their pictures again while we listen: [{ text, box, size }] of the words of each,
# in pixels of its canvas, and the points of its lines.
LISTEN = """
async () => {
  const g = CanvasRenderingContext2D.prototype;
  const { fillText, lineTo, rect } = g;
  const next = () => new Promise(done => requestAnimationFrame(done));
  let within = null; // what was clipped last: curves are not seen outside it
  const found = {};
  const heard = (g) => {
    const { clientWidth: wide, clientHeight: high } = g.canvas;
    const name = g.canvas.closest("main > div").id;
    return (found[name] ||= { wide, high, words: [], points: [] });
  };
  const at = (g, x, y) => {
    const p = g.getTransform().transformPoint(new DOMPoint(x, y));
    return [p.x / devicePixelRatio, p.y / devicePixelRatio];
  };
  g.fillText = function (text, x, y, most = Infinity) {
    const size = this.measureText(text);
    const wide = Math.min(size.width, most);
    const left = { left: 0, center: wide / 2, right: wide }[this.textAlign];
    const one = at(this, x - left, y - size.actualBoundingBoxAscent);
    const two = at(this, x - left + wide, y + size.actualBoundingBoxDescent);
    const ends = (of) => [0, 1].map((i) => of(one[i], two[i]));
    const type = parseFloat(this.font.match(/([\\d.]+)px/)[1]);
    if (text.trim()) {
      heard(this).words.push({ text, box: [...ends(Math.min), ...ends(Math.max)], size: type });
    }
    fillText.call(this, text, x, y, most);
  };
  g.rect = function (x, y, wide, high) {
    within = { x, y, wide, high };
    rect.call(this, x, y, wide, high);
  };
  g.lineTo = function (x, y) {
    const inX = x >= within.x && x <= within.x + within.wide;
    const seen = inX && y >= within.y && y <= within.y + within.high;
    if (seen) heard(this).points.push(at(this, x, y));
    lineTo.call(this, x, y);
  };
  for (const model of Object.values(models)) {
    model.put("scene", model.get("scene"));
    model.put("status", model.get("status"));
  }
  await next();
  await next();
  Object.assign(g, { fillText, lineTo, rect });
  return found;
}
"""


def overlap(one, two, by=1.0):
    """Whether two boxes (left, top, right, bottom) share more than `by` pixels each way."""
    return all(min(one[i + 2], two[i + 2]) - max(one[i], two[i]) > by for i in (0, 1))


@pytest.mark.parametrize("screen", SCREENS)
def test_words_on_the_canvas_are_whole_and_apart_and_no_legend_is_on_a_curve(
    labs, tellings, all_shown, screen
):
    found = all_shown(*SCREENS[screen]).evaluate(LISTEN)
    assert set(found) == set(labs)
    legends = 0
    for name, drawn in found.items():
        by_hand = placed(tellings[name])
        words = [word for word in drawn["words"] if word["text"] not in by_hand]
        labels = {mark.label for mark in labs[name].scene.marks if mark.label}
        for word in words:
            left, top, right, bottom = word["box"]
            inside = left > -1 and top > -1 and right < drawn["wide"] + 1
            assert inside and bottom < drawn["high"] + 1, (name, word, drawn["wide"], drawn["high"])
            if word["text"] in labels:
                legends += 1
                for x, y in drawn["points"]:
                    assert not (left < x < right and top < y < bottom), (name, word)
        for one, two in combinations(words, 2):
            assert not overlap(one["box"], two["box"]), (name, one, two)
    assert legends > 50
    assert sum(len(drawn["points"]) for drawn in found.values()) > 5000


def placed(telling):
    """The words that a lab itself puts somewhere."""
    return {word for some in telling["status"]["words"].values() for word in some}


def test_from_the_last_row_numbers_and_legends_can_be_read(tellings, open_page):
    """24 pixels on 1,080: a 45th of the height of the screen."""
    names = ("GANLab", "Players", "Detective")
    page = open_page(1920, 1080, *names)
    for name in names:
        lab = page.locator(f"#{name} .gl-lab")
        lab.get_by_role("button", name="projector").click()
        page.wait_for_function(f"() => document.querySelector('#{name} canvas').clientWidth > 1200")
        drawn = page.evaluate(LISTEN)[name]
        small = [word for word in drawn["words"] if word["size"] < 24]
        assert not [word for word in small if word["text"] not in placed(tellings[name])]
        picture = lab.locator("canvas").bounding_box()
        text = lab.locator(".gl-text").bounding_box()
        assert picture["y"] > 0 and text["y"] + text["height"] <= 1080
        page.keyboard.press("Escape")


def test_all_that_belongs_to_a_picture_is_in_sight_with_it(labs, all_shown):
    """On a laptop, where JupyterLab leaves 640 of 768 pixels to a notebook."""
    page = all_shown(1366, 768)
    style = page.add_style_tag(content="main { height: 640px; overflow: auto; padding: 0 60px }")
    page.evaluate("() => window.dispatchEvent(new Event('resize'))")
    for name in labs:
        boxes = page.evaluate(
            """(name) => {
            const parts = [".gl-bar", ".gl-controls", "canvas", ".gl-text", ".gl-error"];
            return parts.map((part) => {
              const box = document.querySelector(`#${name} ${part}`).getBoundingClientRect();
              return [box.top, box.bottom];
            }); }""",
            name,
        )
        top = min(box[0] for box in boxes)
        assert max(box[1] for box in boxes) - top <= 640, (name, boxes)
    style.evaluate("style => style.remove()")


def test_a_message_stands_beside_the_count_of_steps_and_moves_nothing(open_page):
    page = open_page(1366, 768, "GANLab")
    lab = page.locator("#GANLab .gl-lab")
    before = lab.locator("canvas").bounding_box()
    words = (
        "G and D have diverged at step 13: their numbers are no longer finite. "
        "Press “back to the last good state”, then lower a rate."
    )
    page.evaluate(
        """(error) => {
        const { GANLab } = models;
        GANLab.put("status", { ...GANLab.get("status"), error }); }""",
        words,
    )
    error = lab.locator(".gl-error").bounding_box()
    play = lab.locator(".gl-play").bounding_box()
    assert lab.locator(".gl-error").inner_text() == words
    assert error["y"] < play["y"] + play["height"] and error["y"] + error["height"] > play["y"]
    assert lab.locator("canvas").bounding_box() == before


def test_a_finger_can_hit_every_control(browser, file, labs):
    with shown(browser, file(tuple(labs)), (390, 844), has_touch=True, is_mobile=True) as page:
        small = page.evaluate("""() => {
            document.querySelectorAll("details").forEach(fold => { fold.open = true; });
            const hit = (e) => (e.matches(".gl-lab label *") ? e.closest("label") : e);
            return [...document.querySelectorAll(".gl-lab :is(button, input, select, summary)")]
              .map((e) => hit(e).getBoundingClientRect())
              .filter((box) => box.height < 44 || box.width < 44).length; }""")
        assert small == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_by_day_and_by_night(open_page, axe, dark):
    page = open_page(1366, 768, "GANLab", "PlaneLab", "Detective", "PictureLab")
    if dark:
        page.evaluate("() => { document.body.style.background = '#111'; }")
        page.wait_for_function("() => document.querySelectorAll('.gl-dark').length === 4")
        page.add_style_tag(content="h1 { color: white }")
    paper = page.locator("#GANLab canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(2, 2, 1, 1).data].slice(0, 3)"
    )
    assert paper == ([27] * 3 if dark else [255] * 3)
    assert axe(page, only=["color-contrast"] if dark else None) == []


# -- a kernel that is gone -------------------------------------------------------------------------


def test_a_kernel_that_is_silent_is_said_to_be(open_page):
    page = open_page(1366, 768, "GANLab")
    page.clock.install()
    page.reload()
    page.wait_for_selector("#GANLab canvas[data-drawn]")
    silence = page.locator("#GANLab .gl-silence")
    page.evaluate("""() => {
        const { GANLab } = models;
        GANLab.put("status", { ...GANLab.get("status"), playing: true }); }""")
    page.clock.run_for(8_000)
    assert silence.inner_text() == ""
    page.clock.run_for(5_000)
    assert "run the cell of this lab again" in silence.inner_text()
    page.evaluate("() => { models.GANLab.put('status', models.GANLab.get('status')); }")
    assert silence.inner_text() == ""


def test_a_button_that_nothing_answers_says_so(open_page):
    page = open_page(1366, 768, "GANLab")
    page.clock.install()
    page.reload()
    page.wait_for_selector("#GANLab canvas[data-drawn]")
    page.clock.run_for(20_000)
    silence = page.locator("#GANLab .gl-silence")
    assert silence.inner_text() == ""  # nothing is owed
    page.locator("#GANLab .gl-play").click()
    page.clock.run_for(12_000)
    assert "No word from the kernel" in silence.inner_text()
