"""The labs in a page in which nothing is learned: the detective, V and D by hand, two players."""

import pytest
from page_labs import near, same_picture

from ganlib.games import RULES
from ganlib.labs import in_page
from ganlib.labs.games import GAMES

pytestmark = pytest.mark.browser

LABS = ("Detective", "TwoTerms", "Knots", "Players")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("labs") / "by hand.html"
    labs = "\n".join(in_page.html(in_page.made(name)) for name in LABS)
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>labs</title>'
    file.write_text(f"{head}\n{in_page.script()}\n<main>{labs}</main></html>", encoding="utf-8")
    return file


@pytest.fixture
def page(browser, file):
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(file.as_uri())
    yield page
    assert page.errors == []
    context.close()


@pytest.fixture
def lab(page):
    """`lab(name)`: the lab in the page, and its twin in Python, both as they begin."""

    def lab(name):
        where = f".gl-page[data-lab={name}]"
        page.wait_for_selector(f"{where} canvas[data-drawn]")
        here = page.evaluate_handle("(where) => document.querySelector(where).lab", where)
        return here, in_page.made(name)

    return lab


def both(here, twin, kind, **message):
    """The same message to both; an error is the same."""
    here.evaluate("(lab, message) => lab.send(message)", {"kind": kind, **message})
    twin._do({"kind": kind, **message})
    assert here.evaluate("(lab) => lab.error") == twin.error
    assert here.evaluate("(lab) => lab.values") == twin.values


def alike(here, twin, by=1e-4):
    here.evaluate("(lab) => lab.show()")
    assert here.evaluate("(lab) => lab.text()") == twin.text()
    same_picture(here, twin, by)


def test_the_detective(lab):
    here, twin = lab("Detective")
    alike(here, twin)
    for case in range(20):
        both(here, twin, "set", key="belief", value=1 + 7 * case % 99)
        both(here, twin, "press", key="judge")
        if case in (0, 10, 19):
            alike(here, twin)
    both(here, twin, "press", key="judge")
    assert "All cases are judged" in twin.error
    both(here, twin, "reset")
    alike(here, twin)


def test_the_two_terms(lab):
    here, twin = lab("TwoTerms")
    alike(here, twin)
    for key, value in {"middle": 0.85, "slope": -4, "mean": 3.2}.items():
        both(here, twin, "set", key=key, value=value)
        alike(here, twin)
    both(here, twin, "set", key="slope", value="steep")


def test_the_knots(lab):
    here, twin = lab("Knots")
    alike(here, twin)
    both(here, twin, "set", key="knot", value=4)
    both(here, twin, "set", key="height", value=0.9)
    both(here, twin, "drag", mark="knots", index=6, x=1, y=-3)
    both(here, twin, "set", key="star", value=True)
    alike(here, twin)
    both(here, twin, "press", key="solve")
    alike(here, twin)
    assert "regret is 0.006" in twin.text()


@pytest.mark.parametrize("game", GAMES)
def test_two_players(lab, game):
    here, twin = lab("Players")
    both(here, twin, "set", key="game", value=game)
    both(here, twin, "set", key="spread", value=0.6)
    for rule in RULES:
        both(here, twin, "set", key="rule", value=rule)
        both(here, twin, "set", key="lr", value=0.3)
        both(here, twin, "reset")
        here.evaluate("(lab) => lab.run(60)")
        twin.run(60)
        alike(here, twin, 1e-3)

    both(here, twin, "set", key="rule", value="all five")
    both(here, twin, "point", axes="plane", x=0.5, y=-1.2)
    here.evaluate("(lab) => lab.run(5)")
    twin.run(5)
    alike(here, twin)
    near(here.evaluate("(lab) => lab.paths.length"), len(twin.paths))


def test_players_play_by_the_clock(page, lab):
    here, _ = lab("Players")
    here.evaluate("(lab) => { lab.set('speed', 20); lab.send({ kind: 'play' }); }")
    page.wait_for_timeout(2000)
    here.evaluate("(lab) => lab.send({ kind: 'pause' })")
    assert 15 <= here.evaluate("(lab) => lab.steps") <= 50


def test_everybody_can_use_them(page, axe):
    assert axe(page) == []
