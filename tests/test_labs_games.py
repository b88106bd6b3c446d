"""labs.games: what the labs say is what games computes, every control is heard, paths may leave."""

import math
import re

import numpy as np
import pytest

from ganlib.games import RULES, play, smallest_gan, solve
from ganlib.labs import Payoffs, Pizza, Players, Questions
from ganlib.labs.games import GAMES, MATRICES


def test_the_shares_add_up_to_what_is_left():
    lab = Pizza().set("share", 0.3).set("lost", 0.2)
    assert lab.text() == "A +0.24, B +0.56, together +0.80 pizzas."

    lab.set("lost", 0).set("fair", True)
    assert lab.text().startswith("A -0.20, B +0.20, together +0.00")
    assert lab.draw()["together"][0][3] == pytest.approx(0)


@pytest.mark.parametrize("share, lost", [(0.5, 0.01), (0.33, 0.07), (0.005, 0.01), (0.12345, 0.3)])
@pytest.mark.parametrize("fair", [False, True])
def test_what_is_said_adds_up(share, lost, fair):
    lab = Pizza().set("share", share).set("lost", lost).set("fair", fair)
    a, b, together = (round(10_000 * float(n)) for n in re.findall(r"[+-]\d\.\d+", lab.text()))
    assert a + b == together
    assert together / 10_000 == pytest.approx(1 - lost - fair)
    assert a / 10_000 == pytest.approx(share * (1 - lost) - 0.5 * fair, abs=6e-5)


@pytest.mark.parametrize("name", MATRICES)
def test_each_example_is_solved(name):
    A = np.array(MATRICES[name])
    game = solve(A)
    lab = Payoffs().set("example", name)
    frame = lab.draw()
    assert f"both make sure of {game.value:.3f}" in lab.text()
    assert [bar[2] for bar in frame["p"]] == pytest.approx(game.row.tolist())
    assert lab.widget.values["a32"] == A[2, 1]  # the browser hears of the example's numbers

    marked = {(3 - math.ceil(y), int(x)) for x, y, _ in frame["up"]}  # as “row's best”
    assert marked == {(i, j) for i in range(3) for j in range(3) if A[i, j] == A[:, j].max()}


def test_an_edited_matrix_is_your_own():
    lab = Payoffs("a saddle").set("a11", -20)
    assert lab.values["example"] == "your own"
    assert lab.values["a11"] == -20

    wrong = "row 2, column 2 must be a whole number from -20 to 20, got"
    with pytest.raises(ValueError, match=wrong):
        lab.set("a22", 0.5)


def test_an_example_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="example must be one of rock"):
        Payoffs("poker")


@pytest.mark.parametrize("game", GAMES)
def test_paths_are_those_of_play(game):
    lab = Players(game, "all five", lr=0.15).set("spread", 0.5).run(40)
    assert [rule for rule, _ in lab.paths] == list(RULES)

    V = GAMES[game] or smallest_gan(0.5)
    for rule, path in lab.paths:
        np.testing.assert_allclose(path, play(V, [1.0, 0.0], rule, lr=0.15, steps=40), atol=1e-12)

    frame = lab.draw()
    assert all(len(frame[f"far, {rule}"]) == 42 for rule in RULES)  # 41 points and a break


def test_a_click_starts_a_path_and_ten_are_kept():
    lab = Players()
    for x in range(12):
        lab.pointed("plane", x / 10, 0.5)
    lab.pointed("far", 3, 1.0)
    assert len(lab.paths) == 10
    assert lab.paths[-1] == ("simultaneous", [[1.1, 0.5]])

    lab.set("lr", 2.0).run(20)
    lab.reset()
    assert len(lab.paths) == 1
    assert lab.steps == 0


def test_a_path_that_leaves_stops_and_says_so():
    lab = Players("false cycle: xy + (cos 4y − cos 4x)/16", "simultaneous", lr=2.0).run(60)
    assert "off to infinity" in lab.text()
    far = float(re.search(r"path is ([\d.e+]+)", lab.text())[1])
    assert math.isfinite(far)
    assert len(lab.paths[0][1]) < 60
    lab.figure()


def test_a_path_that_leaves_the_picture_says_so():
    game = "false cycle: xy + (cos 4y − cos 4x)/16"
    starts = [[1.5, 0.0], [1.95, 1.95]]
    radii = play(GAMES[game], starts, "simultaneous", lr=0.05, steps=1500)[-200:].norm(dim=2)
    seen, unseen = radii.T
    assert 1.5 < float(seen.min()) <= float(seen.max()) < 2
    assert 3.3 < float(unseen.min()) <= float(unseen.max()) < 3.8  # another cycle, farther out

    lab = Players(game, "simultaneous", lr=0.05)
    lab.pointed("plane", 1.95, 1.95)
    lab.run(10)
    assert lab.text().endswith(", outside the picture.")


@pytest.mark.parametrize("x, y", [(math.nan, 0.0), (0.0, math.inf), ("here", 0.0), (None, 0.0)])
def test_a_click_that_is_no_place_changes_nothing(x, y):
    lab = Players()
    before = lab.text()
    with pytest.raises(ValueError, match="must be a finite number, got"):
        lab.pointed("plane", x, y)
    assert lab.text() == before
    assert math.isfinite(lab.run(3).paths[-1][1][-1][0])


def test_the_predicted_factor_is_the_measured_one():
    lab = Players("bilinear: xy", "simultaneous", lr=0.2).run(50)
    far = lab.draw()["far, simultaneous"][:51, 1]
    predicted = float(re.search(r"by (\d\.\d+)", lab.text())[1])
    np.testing.assert_allclose(far[1:] / far[:-1], predicted, atol=1e-4)


def seek(answer, target, near, rng):
    """Asks as often as is written here; loses its way by verdict in more than 3 dimensions."""
    d = len(target)
    lost = answer == "verdict" and d > 3
    questions = {"verdict": 7 if lost else 10**d, "score": d + 1, "gradient": 2}
    return np.tile(target + lost, (questions[answer], 1))


def test_questions_are_counted_by_dimension():
    lab = Questions(seek).set("d", 3)
    said = "Questions asked in 3 dimensions: 1000 by verdict, 4 by score, 2 by gradient."
    assert lab.text() == said
    assert "7 by verdict (not found)" in lab.set("d", 8).text()

    before = lab.draw()["target"]
    lab.pressed("hide")
    assert (lab.draw()["target"] != before).all()


@pytest.mark.parametrize("make", [Pizza, Payoffs, Players])
def test_every_lab_has_words_and_a_poster(make):
    bundle = make()._repr_mimebundle_()
    assert bundle["image/png"][:4] == b"\x89PNG"
    assert len(bundle["text/plain"]) > 40
    assert "nan" not in bundle["text/plain"]
