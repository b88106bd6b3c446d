"""The labs of notebook 09 without a browser: what they draw, and the studies that they show."""

import json
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import torch

from ganlib import paths, targets
from ganlib.labs import Scoreboard, Ways

ROOT = Path(__file__).parent.parent
RESULTS = json.loads((ROOT / "images/after.json").read_text(encoding="utf-8"))
FILE = ROOT / "notebooks/weights/velocities.safetensors"
LEARNED = paths.velocities(FILE)
TWO = targets.mixture()
STUDY = RESULTS["two modes"]


# -- Ways ------------------------------------------------------------------------------------------


def test_the_ways_are_those_of_the_exact_walk():
    lab = Ways(steps=4)
    assert lab.text() == (
        "two modes, exact velocity, cosine path: 4 evaluations, JS 0.0486 nats, W₁ 0.261; "
        "steepest slope 5.9, where the exact map has 45.0."
    )
    frame = lab.draw()
    breaks = np.isnan(frame["paths"][:, 0])
    assert breaks.sum() == 25
    assert len(frame["stops"]) == 25 * 5
    first = frame["paths"][:5]
    seen = paths.walk(paths.exact(TWO), torch.tensor([[first[0, 1]]]).double(), 4)
    assert first[:, 1] == pytest.approx(seen[:, 0, 0].numpy())
    assert first[:, 0] == pytest.approx([0, 0.25, 0.5, 0.75, 1])

    ends = frame["stops"][4::5, 1]
    assert [x for _, x in lab.set("t", 0).draw()["now"]] == pytest.approx(ends)
    start = frame["stops"][::5, 1]
    assert [x for _, x in lab.set("t", 1).draw()["now"]] == pytest.approx(start)


def test_an_exact_reflow_arrives_in_one_step_and_in_three():
    lab = Ways(steps=1).set("path", "reflow")
    ends = lab.draw()["stops"][1::2, 1]
    lab.set("steps", 3)
    assert lab.draw()["stops"][3::4, 1] == pytest.approx(ends, abs=1e-4)
    assert lab.score.js < 1e-3

    lab.set("path", "cosine").set("steps", 1)
    assert lab.score.js == pytest.approx(np.log(2), abs=1e-4)


def test_what_is_made_is_drawn_with_the_mass_of_a_law():
    frame = Ways(steps=16).draw()
    width = frame["made"][:, 0] - 1
    data = frame["data"][:, 0] - 1
    assert width.sum() == pytest.approx(data.sum(), rel=0.02)


def test_heun_asks_twice_and_what_was_not_learned_is_said():
    lab = Ways(LEARNED, steps=4).set("heun", True)
    assert "7 evaluations" in lab.text()
    lab.set("field", "learned")
    assert lab.claim() == "two modes, learned velocity: 7 evaluations."
    lab.set("law", "normal")
    assert lab.values["field"] == "exact"
    assert "Nothing was learned of normal" in lab.note


# -- the stored study ------------------------------------------------------------------------------


def test_the_learned_rows_hold_for_every_seed():
    kept = {name: row for name, row in STUDY.items() if isinstance(row, dict)}
    js = {name: row["js"] for name, row in kept.items()}
    assert all(len(values) >= 3 for name, values in js.items() if name != "T")
    assert js["T"][0] < 1e-4
    assert min(js["diffusion, 1"]) > 0.5
    assert max(js["diffusion, 64"]) < 0.004
    assert max(js["GAN"]) < 0.012
    assert max(js["student of 64"]) < 0.006
    assert min(js["student of 4"]) > 0.03
    assert max(js["student of 4 + GAN"]) < 0.01


def gained(teacher, law="two modes"):
    """In how many seeds a GAN that goes on from a student brings JS down."""
    before = RESULTS[law][f"student of {teacher}"]["js"]
    after = RESULTS[law][f"student of {teacher} + GAN"]["js"]
    return sum(b < a for a, b in zip(before, after))


def test_what_the_notebook_says_of_the_scoreboard():
    js = {name: median(row["js"]) for name, row in STUDY.items() if isinstance(row, dict)}
    assert js["diffusion, 32"] < js["GAN"] < js["diffusion, 8"]
    assert js["GAN"] / js["diffusion, 16"] == pytest.approx(1, abs=0.2)
    assert js["GAN"] / js["diffusion, 64"] == pytest.approx(3, abs=0.5)
    assert js["student of 64"] < js["GAN"]
    assert (gained(4), gained(64)) == (5, 1)
    assert (gained(4, "iris petal length"), gained(64, "iris petal length")) == (5, 4)
    petals = RESULTS["iris petal length"]
    assert max(petals["GAN"]["js"]) > min(petals["diffusion, 64"]["js"])
    assert median(petals["GAN"]["js"]) < median(petals["diffusion, 64"]["js"])
    assert js["student of 4"] / js["student of 4 + GAN"] == pytest.approx(12, abs=1)

    slopes = {name: row["slope"] for name, row in STUDY.items() if isinstance(row, dict)}
    for name, low, high in (("GAN", 21, 25), ("student of 64", 16, 21), ("reflow, 1", 8, 11)):
        assert low < min(slopes[name]) and max(slopes[name]) <= high


def test_what_the_notebook_says_of_the_ring():
    kept = {name: sum(modes == 8 for modes in found) for name, found in RESULTS["ring"].items()}
    assert kept == {
        "non-saturating, none": 0,
        "non-saturating, R1": 6,
        "non-saturating, R1 + R2": 10,
        "relativistic, none": 0,
        "relativistic, R1": 8,
        "relativistic, R1 + R2": 10,
    }


def test_the_stored_velocities_are_those_of_the_study():
    for path, row in (
        ("cosine", "diffusion, 16"),
        ("straight", "flow, 16"),
        ("reflow", "reflow, 1"),
    ):
        kept = STUDY[row]
        walker = paths.Walker(
            LEARNED["two modes"][path],
            kept["evaluations"],
            path="cosine" if path == "cosine" else "straight",
        )
        found = paths.score(walker, TWO)
        assert found.js == pytest.approx(kept["js"][0], rel=0.05, abs=1e-4)
        assert found.w1 == pytest.approx(kept["w1"][0], rel=0.05, abs=1e-3)
        z = torch.linspace(-3, 3, 121)[:, None]
        assert walker(z).flatten().tolist() == pytest.approx(kept["map"], abs=2e-3)


def test_a_file_of_something_else_holds_no_velocities():
    with pytest.raises(ValueError, match="holds no velocities"):
        paths.velocities(FILE.with_name("digits.safetensors"))


# -- Scoreboard ------------------------------------------------------------------------------------


def test_a_click_opens_the_nearest_method():
    lab = Scoreboard(RESULTS)
    for name, (x, y) in lab.places().items():
        lab.pointed("board", x, y)
        assert lab.values["method"] == name
        assert lab.text().startswith(f"{name} on two modes: ")
    lab.pointed("map", 0, 0)
    assert lab.values["method"] == name


@pytest.mark.parametrize("lab, given", [(Scoreboard, {}), (Scoreboard, {"ring": {}}), (Ways, 3)])
def test_what_is_no_study_is_refused(lab, given):
    with pytest.raises(ValueError, match=r"^(results|fields) must be .*, got "):
        lab(given)


def test_velocities_of_a_law_have_all_paths():
    with pytest.raises(ValueError, match="fields must be"):
        Ways({"two modes": {"cosine": LEARNED["two modes"]["cosine"]}})


def test_the_words_and_the_picture_are_those_of_the_study():
    lab = Scoreboard(RESULTS).set("method", "diffusion, 4")
    kept = STUDY["diffusion, 4"]
    assert f"4 evaluations, JS {median(kept['js']):.4f} nats" in lab.text()
    frame = lab.draw()
    assert frame["chosen"] == [(4.0, median(kept["js"]))]
    assert frame["G"][:, 1].tolist() == kept["map"]
    drawn = sum(len(frame[key]) for key in frame if key.startswith("of "))
    assert drawn == len(lab.places())
