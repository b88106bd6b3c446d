"""The labs that train in a page: from a file on disk, with no network, against those of a kernel.

One page for each lab; what a learner does there is compared with the same lab in Python.
"""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from browsers import wait_for
from page_labs import near, same_picture

from ganlib.labs import in_page

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
WHERE = {"GANLab": "#line", "PlaneLab": "#plane"}

# Both engines go the same way for a few steps; then rounding decides.
STEPS = 10
NEAR = {0: 1e-4, STEPS: 2e-3}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The file to hand out, made by its own command."""
    made = tmp_path_factory.mktemp("hand out") / "lab.html"
    command = [sys.executable, ROOT / "notebooks/lecture/lab.py", "--out", made]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def context(browser):
    """No network: whatever a page asks for fails, and is noted."""
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture(params=WHERE)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def run_and_page(context, file):
    """(text of a saved run, a page with the lab that saved it), for files that change nothing."""
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_selector("#line .gl-lab canvas[data-drawn]")
    page.evaluate("() => { window.lab = document.querySelector('#line .gl-page').lab; }")
    yield page.evaluate("() => lab.run(3).save()"), page
    page.close()
    assert errors == []


@pytest.fixture
def open_file(context, file):
    """`open_file(fragment)`: a page that shows the file; what goes wrong on it fails the test."""
    pages = []

    def open_file(fragment="", name="GANLab"):
        page = context.new_page()
        pages.append(page)
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("request", lambda request: page.wrong.append(request.url))
        page.goto(file.as_uri() + fragment)
        page.wrong = [url for url in page.wrong if not url.startswith(("file:", "data:"))]
        page.wait_for_selector(f"{WHERE[name]} .gl-lab canvas[data-drawn]")
        where = json.dumps(f"{WHERE[name]} .gl-page")
        page.evaluate(f"() => {{ window.lab = document.querySelector({where}).lab; }}")
        return page

    yield open_file
    for page in pages:
        assert page.wrong == []
        page.close()


# -- the same as in a kernel -----------------------------------------------------------------------


def test_it_draws_what_the_kernel_draws(open_file, name):
    page = open_file(name=name)
    twin = in_page.made(name)
    for steps in (0, STEPS):
        page.evaluate(f"() => {{ lab.run({steps}); }}")
        if steps:
            twin.run(steps)
        else:
            twin.show()

        same_picture(page.evaluate_handle("() => lab"), twin, NEAR[steps])


def test_it_says_what_the_kernel_says(open_file, name):
    page = open_file(name=name)
    twin = in_page.made(name)
    assert page.evaluate("() => lab.run(0).text()") == twin.text()
    twin.run(STEPS)
    assert (
        page.evaluate(f"() => lab.run({STEPS}).text()").split(":")[0] == twin.text().split(":")[0]
    )


def test_its_presets_and_targets_are_those_of_the_kernel(open_file, name):
    page = open_file(name=name)
    twin = in_page.made(name)
    for key in ("preset", "target"):
        for value in twin.scene.control(key).options:
            twin.set(key, value)
            page.evaluate("([key, value]) => { lab.set(key, value); }", [key, value])
            assert page.evaluate("() => lab.values") == twin.values, value
            assert page.evaluate("() => lab.note") == twin.note
            assert page.evaluate("() => lab.text()") == twin.text(), value
            for axes, told in zip(page.evaluate("() => lab.scene.axes"), twin.scene.axes):
                assert axes["title"] == told.title
                assert axes["xlabel"] == told.xlabel
                assert axes["ylabel"] == told.ylabel
                near(axes["x"] + axes["y"], [*told.x, *told.y])


def test_it_refuses_what_the_kernel_refuses_in_the_same_words(open_file, name):
    page = open_file(name=name)
    twin = in_page.made(name)
    wrong = [
        ("lr_G", "0"),
        ("lr_G", "fast"),
        ("lr_D", ""),
        ("k", "2.5"),
        ("batch", "100000"),
        ("seed", "-1"),
        ("loss", "cheap"),
        ("beta1", "1"),
        ("anneal", "maybe"),
    ]
    for key, value in wrong:
        said = page.evaluate(
            "([key, value]) => { lab.send({ kind: 'set', key, value }); return lab.error; }",
            [key, value],
        )
        with pytest.raises(ValueError) as error:
            twin.set(key, value)
        assert said == str(error.value)
    assert page.evaluate("() => lab.values") == twin.values


def test_points_that_are_drawn(open_file):
    page = open_file(name="PlaneLab")
    twin = in_page.made("PlaneLab")
    lab = page.locator("#plane .gl-lab")
    lab.get_by_label("target").select_option("points you draw")
    lab.get_by_role("button", name="step", exact=True).click()
    twin.set("target", "points you draw")
    with pytest.raises(ValueError) as error:
        twin.run(1)
    assert lab.locator(".gl-error").inner_text() == str(error.value)

    lab.get_by_role("button", name="draw ten").click()
    twin.pressed("ten")
    near(page.evaluate("() => lab.clicked"), twin.clicked, 1e-6)
    canvas = lab.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    canvas.click(position={"x": 0.3 * box["width"], "y": 0.4 * box["height"]})
    assert page.evaluate("() => lab.clicked.length") == 11
    # where the page is shown smaller, as on a slide, the same place is the same point
    page.add_style_tag(content="#plane { transform: scale(0.5); }")
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    *_, whole, small = page.evaluate("() => lab.clicked")
    near(small, whole, 0.02)
    lab.get_by_role("button", name="step", exact=True).click()
    assert lab.locator(".gl-error").inner_text() == ""
    assert page.evaluate("() => lab.steps") == 1


# -- what a learner does ---------------------------------------------------------------------------


def test_it_plays_and_hears(open_file, name):
    page = open_file(name=name)
    lab = page.locator(f"{WHERE[name]} .gl-lab")
    lab.scroll_into_view_if_needed()
    lab.locator(".gl-play").click()
    wait_for(page, lambda: page.evaluate("() => lab.steps") > 50)

    lab.get_by_label("lr_G, typed").fill("0.004")
    lab.get_by_label("lr_G, typed").press("Enter")
    wait_for(page, lambda: page.evaluate("() => lab.session.lr_G") == 0.004)
    assert page.evaluate("() => lab.playing")

    lab.locator(".gl-play").click()
    steps = page.evaluate("() => lab.steps")
    page.wait_for_timeout(200)
    assert page.evaluate("() => lab.steps") == steps
    assert lab.locator(".gl-count").inner_text() == f"step {steps}"
    assert f"After {steps} steps" in lab.locator(".gl-text").inner_text()

    lab.get_by_role("button", name="reset").click()
    assert page.evaluate("() => lab.steps") == 0


def test_it_pauses_when_nobody_looks(open_file):
    page = open_file()
    page.locator("#line .gl-play").click()
    page.locator("#plane").scroll_into_view_if_needed()
    page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
    wait_for(page, lambda: not page.evaluate("() => lab.playing"), 30)
    assert "nobody was looking" in page.evaluate("() => lab.get('status').note")


def test_slow_motion(open_file):
    page = open_file()
    twin = in_page.made("GANLab").set("slow", True)
    page.evaluate("() => { lab.set('slow', true); }")
    for _ in range(7):
        twin.run(1)
        lit = page.evaluate("() => { lab.run(1); return lab.get('status').words.phase; }")
        assert lit == [twin.draw()["phase"][0][2]]
        assert page.evaluate("() => lab.steps") == twin.steps


def test_a_run_that_diverges_says_its_step_and_goes_back(open_file):
    page = open_file()
    lab = page.locator("#line .gl-lab")
    for key, value in {"optimiser": "sgd", "loss": "least-squares", "anneal": False}.items():
        page.evaluate("([key, value]) => { lab.set(key, value); }", [key, value])
    page.evaluate("() => { lab.run(5); lab.set('lr_D', 1); lab.set('lr_G', 1); }")
    lab.locator(".gl-play").click()
    wait_for(page, lambda: "diverged at step" in lab.locator(".gl-error").inner_text())
    assert not page.evaluate("() => lab.playing")
    assert "lower a rate" in lab.locator(".gl-error").inner_text()
    lab.get_by_role("button", name="back to the last good state").click()
    assert lab.locator(".gl-error").inner_text().startswith("Back at step")
    assert page.evaluate("() => lab.gan.G.p.every(Number.isFinite)")


def test_a_plane_that_diverged_can_be_left_in_every_way(open_file):
    page = open_file(
        "#lab=PlaneLab&optimiser=sgd&loss=least-squares&lr_G=1&lr_D=1", name="PlaneLab"
    )
    lab = page.locator("#plane .gl-lab")
    drawn = "() => +document.querySelector('#plane canvas').dataset.drawn"

    def diverge():
        lab.locator(".gl-play").click()
        wait_for(page, lambda: "diverged at step" in lab.locator(".gl-error").inner_text())

    diverge()
    page.evaluate("() => lab.send({ kind: 'press', key: 'load', text: '{}' })")
    assert "not a saved run that fits this lab" in page.evaluate("() => lab.error")

    lab.get_by_label("target").select_option("two moons")
    assert page.evaluate("() => [lab.values.target, lab.law.name]") == ["two moons"] * 2
    lab.get_by_label("preset").select_option("all modes")
    assert page.evaluate("() => lab.steps") == 0
    assert page.evaluate("() => lab.error") == ""

    # The picture is drawn on: a frame that cannot be painted does not end the loop.
    before = page.evaluate(drawn)
    lab.get_by_role("button", name="step", exact=True).click()
    wait_for(page, lambda: page.evaluate(drawn) > before)

    page.evaluate("() => { location.hash = 'lab=PlaneLab&target=spiral&seed=3'; }")
    wait_for(page, lambda: page.evaluate("() => lab.values.target") == "spiral")
    assert page.evaluate("() => [lab.values.seed, lab.error, lab.note]") == [3, "", ""]


def test_the_sentence_of_the_plane_is_of_this_moment(open_file):
    page = open_file(name="PlaneLab")
    fresh = "() => { const { js } = lab.session.gauge.look(lab.gan).ledger; return js.toFixed(3); }"
    page.evaluate("() => { lab.run(133); }")
    assert f"JS {page.evaluate(fresh)}." in page.evaluate("() => lab.text()")
    page.evaluate("() => { lab.send({ kind: 'press', key: 'back' }); }")
    assert page.evaluate("() => lab.steps") == 100
    assert f"JS {page.evaluate(fresh)}." in page.evaluate("() => lab.text()")


def test_points_are_cleared(open_file):
    page = open_file(name="PlaneLab")
    lab = page.locator("#plane .gl-lab")
    lab.get_by_role("button", name="draw ten").click()
    lab.get_by_role("button", name="clear points").click()
    assert page.evaluate("() => lab.clicked.length") == 0
    lab.get_by_role("button", name="step", exact=True).click()
    assert "so far 0" in lab.locator(".gl-error").inner_text()


def test_notes_end_with_what_they_speak_of(open_file):
    page = open_file()
    text = page.evaluate("() => lab.run(30).save()")
    page.evaluate(
        """(text) => {
            lab.set("preset", "blind detective");
            lab.send({ kind: "press", key: "load", text }); }""",
        text,
    )
    assert page.evaluate("() => lab.get('status').note") == "Loaded: step 30."
    page.evaluate("() => lab.send({ kind: 'reset' })")
    assert page.evaluate("() => lab.get('status').note") == ""


def test_a_finger_scrolls_over_the_picture_and_taps_points(browser, file):
    size = {"width": 390, "height": 844}
    context = browser.new_context(offline=True, viewport=size, has_touch=True)
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector("#plane .gl-lab canvas[data-drawn]")
    page.evaluate("() => { window.lab = document.querySelector('#plane .gl-page').lab; }")
    session = context.new_cdp_session(page)

    def touch(kind, *points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})
        page.wait_for_timeout(20)

    for place in ("#line", "#plane"):
        page.locator(f"{place} canvas").scroll_into_view_if_needed()
        box = page.locator(f"{place} canvas").bounding_box()
        x = box["x"] + 0.4 * box["width"]
        y = max(box["y"], 0) + 250
        top = page.evaluate("() => scrollY")
        touch("touchStart", {"x": x, "y": y})
        for way in range(15, 151, 15):
            touch("touchMove", {"x": x, "y": y - way})
        touch("touchEnd")
        wait_for(page, lambda top=top: page.evaluate("() => scrollY") > top + 30)
        assert page.evaluate("() => lab.values.target") == "ring of 8"

    page.locator("#plane canvas").scroll_into_view_if_needed()
    box = page.locator("#plane canvas").bounding_box()
    page.touchscreen.tap(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    wait_for(page, lambda: page.evaluate("() => lab.clicked.length") == 1)
    context.close()


def test_a_run_that_is_saved_goes_on(open_file, name):
    page = open_file(name=name)
    saved = page.evaluate("() => lab.run(30).save()")
    on = page.evaluate("() => { lab.run(30); return Array.from(lab.gan.G.p); }")
    page.evaluate("(text) => { lab.reset(); lab.pressed('load', text); lab.run(30); }", saved)
    assert page.evaluate("() => lab.steps") == 60
    assert page.evaluate("() => Array.from(lab.gan.G.p)") == on


HOSTILE = [
    ("state steps", "100"),
    ("state steps", None),
    ("state steps", 1e300),
    ("state G", ["much"]),
    ("state D", {"float32": "AAAA"}),
    ("state D", {"constructor": "AAAA"}),
    ("state opt_G t", -1),
    ("state opt_G m", [1, 2]),
    ("state opt_D v", None),
    ("state generator words", []),
    ("state generator used", 1000),
    ("state generator used", 0.5),
    ("data waiting", "x"),
    ("data words", [0] * 624),
    ("past", [["a", "b"]]),
    ("past", []),
    ("past", [[0] * 8] * 5000),
    ("every", 0),
    ("every", 1e300),
    ("knobs batch", 0),
    ("knobs lr_G", 50),
    ("knobs", {"target": "two modes"}),
    ("lab", "PlaneLab"),
]


@pytest.mark.parametrize("change", ["[]", "{}", "no JSON", "null", *HOSTILE], ids=str)
def test_a_file_that_does_not_fit_changes_nothing(run_and_page, change):
    text, page = run_and_page
    if isinstance(change, tuple):
        path, value = change
        *keys, last = path.split()
        run = json.loads(text)
        place = run
        for key in keys:
            place = place[key]
        place[last] = value
        change = json.dumps(run)
    said = page.evaluate(
        """(text) => {
            lab.send({ kind: 'press', key: 'load', text });
            return lab.get('status').error; }""",
        change,
    )
    assert "not a saved run that fits this lab" in said
    assert page.evaluate("() => lab.save()") == text


# -- links -----------------------------------------------------------------------------------------


def test_a_link_brings_a_situation(open_file):
    page = open_file("#target=two modes&lr_G=0.004&seed=3&anneal=false")
    values = page.evaluate("() => lab.values")
    assert values["target"] == "two modes"
    assert values["lr_G"] == 0.004
    assert values["seed"] == 3
    assert values["anneal"] is False
    assert page.locator("#line .gl-error").inner_text() == ""
    twin = in_page.made("GANLab")
    for key in ("target", "lr_G", "anneal", "seed"):
        twin.set(key, values[key])
    assert page.evaluate("() => lab.text()") == twin.text()

    # and the link that the lab gives says the same
    asked = parse_qs(urlsplit(page.evaluate("() => lab.link()")).fragment)
    assert asked["target"] == ["two modes"]
    assert float(asked["lr_G"][0]) == 0.004
    assert asked["lab"] == ["GANLab"]

    # another link in the address bar
    page.evaluate("() => { location.hash = 'target=uniform'; }")
    wait_for(page, lambda: page.evaluate("() => lab.values.target") == "uniform")
    assert page.evaluate("() => lab.values.lr_G") == 0.002


def test_the_link_of_a_notebook_s_lab_opens_in_the_page(open_file, name):
    twin = in_page.made(name)
    for key, value in {"lr_D": 0.004, "k": 3, "oracle": True, "seed": 5}.items():
        twin.set(key, value)
    page, fragment = twin.link().split("#")
    assert page == "lab.html"
    page = open_file(f"#{fragment}", name=name)
    assert page.evaluate("() => lab.values") == twin.values
    assert page.evaluate("() => lab.error") == ""
    twin.reset()
    assert page.evaluate("() => lab.text()") == twin.text()

    # and as Python it makes the same lab
    again = in_page.made(name)
    exec(twin.code(), {"lab": again})
    assert {**again.values, "preset": ""} == {**twin.values, "preset": ""}


def test_copy_puts_it_on_the_clipboard(open_file, context):
    page = open_file("#lr_G=0.004")
    page.evaluate(
        """() => {
            window.copied = [];
            const writeText = async (text) => { window.copied.push(text); };
            Object.defineProperty(navigator, "clipboard", { value: { writeText } }); }"""
    )
    lab = page.locator("#line .gl-lab")
    lab.get_by_role("button", name="copy link").click()
    lab.get_by_role("button", name="copy as Python").click()
    link, code = page.evaluate("() => window.copied")
    assert link == page.url.split("#")[0] + "#lab=GANLab&lr_G=0.004"
    assert code.endswith('lab.set("lr_G", 0.004)\nlab')


def test_a_link_that_is_wrong_is_said_and_the_rest_is_taken(open_file):
    page = open_file("#target=nowhere&lr_G=7&lr_D=0.004&colour=red&seed=&<b>=1")
    said = page.locator("#line .gl-error").inner_text()
    assert "target must be one of" in said
    assert "lr_G must be a number from 1e-05 to 1, got '7'" in said
    assert len(said) < 1000
    assert "no control 'colour'" in said
    assert "seed must be a whole number" in said
    values = page.evaluate("() => lab.values")
    assert values["target"] == "normal"
    assert values["lr_G"] == 0.002
    assert values["lr_D"] == 0.004


@pytest.mark.parametrize(
    "fragment, words",
    [
        ("lab=planelab&seed=3", "there is no lab 'planelab'"),
        ("lab=constructor&seed=3", "there is no lab 'constructor'"),
        ("slow=constructor", "slow motion must be one of True, False, got 'constructor'"),
        ("constructor=1", "no control 'constructor'"),
        (f"seed={'9' * 5000}", "seed must be a whole number"),
        ("&".join(f"a{i}=1" for i in range(300)), "and 294 more"),
    ],
)
def test_a_strange_link_is_said_in_few_words(open_file, fragment, words):
    page = open_file(f"#{fragment}")
    said = page.locator("#line .gl-error").inner_text()
    assert words in said
    assert len(said) < 1000
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 1400


def test_true_may_be_written_as_in_python(open_file):
    page = open_file("#slow=True&anneal=FALSE")
    assert page.evaluate("() => [lab.values.slow, lab.values.anneal]") == [True, False]


def test_a_link_to_the_other_lab(open_file):
    page = open_file("#lab=PlaneLab&target=spiral", name="PlaneLab")
    assert page.evaluate("() => lab.values.target") == "spiral"
    line = page.evaluate("() => document.querySelector('#line .gl-page').lab.values.target")
    assert line == "normal"
    assert page.evaluate("() => document.querySelector('#plane').getBoundingClientRect().top") < 500


def test_copied_python_makes_the_same_lab(open_file, name):
    page = open_file(name=name)
    for key, value in {"lr_G": 0.004, "anneal": True, "k": 2}.items():
        page.evaluate("([key, value]) => { lab.set(key, value); }", [key, value])
    names: dict = {}
    exec(page.evaluate("() => lab.code()"), names)
    assert {**names["lab"].values, "preset": ""} == {
        **page.evaluate("() => lab.values"),
        "preset": "",
    }


# -- for everybody ---------------------------------------------------------------------------------


def test_without_webassembly_the_plain_engine_takes_over_and_says_so(context, file):
    page = context.new_page()
    page.add_init_script("delete window.WebAssembly")
    page.goto(file.as_uri())
    page.wait_for_selector("#line .gl-lab canvas[data-drawn]")
    assert "plain JavaScript" in page.locator("#line .gl-error").inner_text()
    page.locator("#line .gl-lab").get_by_role("button", name="step", exact=True).click()
    assert page.locator("#line .gl-count").inner_text() == "step 1"
    page.locator("#line").get_by_label("preset").select_option("circles")
    assert "plain JavaScript" in page.locator("#line .gl-error").inner_text()
    page.close()


def test_without_a_canvas_the_picture_stays_with_its_words(context, file):
    page = context.new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(file.as_uri())
    page.get_by_text("cannot train the lab").first.wait_for()
    picture = page.locator("#line img")
    assert picture.evaluate("(img) => img.naturalWidth") > 300
    assert "After 0 steps on normal" in picture.get_attribute("alt")
    page.close()


def test_by_keyboard_alone(open_file):
    page = open_file()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    wait_for(page, lambda: page.evaluate("() => lab.steps") > 5)
    page.keyboard.press("Space")
    assert not page.evaluate("() => lab.playing")


@pytest.mark.parametrize("wide, high", [(1400, 1000), (390, 844)])
def test_everybody_can_use_it(open_file, axe, wide, high):
    page = open_file()
    page.set_viewport_size({"width": wide, "height": high})
    assert axe(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= wide


def test_a_huge_batch_goes_through(open_file):
    page = open_file()
    page.evaluate("() => { lab.set('batch', 65536); lab.run(1); }")
    assert page.evaluate("() => lab.steps") == 1
    assert page.evaluate("() => lab.gan.G.p.every(Number.isFinite)")
    page.evaluate("() => lab.send({ kind: 'set', key: 'k', value: 5 })")
    said = page.evaluate("() => lab.get('status').error")
    assert said == "k times batch must be at most 262,144, got 5 times 65,536"
    assert page.evaluate("() => [lab.values.k, lab.gan.d_steps]") == [1, 1]


def test_the_file_is_small(file):
    assert file.stat().st_size <= 250_000
