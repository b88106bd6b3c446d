"""Twins differ in one knob only; the clinic shows recorded runs and tells only when asked."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ganlib.labs import Clinic, Twins
from ganlib.labs.twins import GAUGES, PATIENTS
from ganlib.medicine import MEDICINE

STUDY = json.loads((Path(__file__).parents[1] / "images/failures.json").read_text(encoding="utf-8"))
RUNS = STUDY["clinic"]


@pytest.mark.parametrize("medicine", MEDICINE)
def test_twins_differ_in_the_medicine_only(medicine):
    lab = Twins("D too fast", medicine).run(2)
    (a, shown_a), (b, shown_b) = lab.twins
    same = all(torch.equal(p, q) for p, q in zip(a.G.parameters(), b.G.parameters()))
    assert same == (medicine == "none" or medicine.startswith("average"))

    z = lab.view.z[:5]
    assert torch.equal(shown_a(z), shown_b(z)) == (medicine == "none")


def test_twins_without_medicine_stay_equal():
    lab = Twins("healthy", "none").run(50)
    assert "difference +0 modes, JS +0.000" in lab.text()
    assert len(lab.past) == 3
    assert (lab.past[:, 1] == lab.past[:, 2]).all()


@pytest.mark.parametrize("patient", PATIENTS)
def test_a_control_starts_both_anew(patient):
    lab = Twins().run(30).set("patient", patient).set("seed", 3)
    assert lab.past.shape == (1, 5)
    assert [gan.steps for gan, _ in lab.twins] == [0, 0]

    gan, _ = lab.twins[0]
    assert gan.lr_D == PATIENTS[patient]["lr_D"]
    assert patient in lab.text()
    with pytest.raises(ValueError, match="seed must be a whole number"):
        lab.set("seed", 0.5)
    assert lab._repr_mimebundle_()["image/png"][:4] == b"\x89PNG"


def test_the_sentence_is_of_this_moment():
    lab = Twins("D too fast", "k = 5").run(26)
    begin = lab.text()
    assert "step 26:" in begin
    assert "26 steps" in lab.claim()
    (_, shown), _ = lab.twins
    assert f"JS {lab.view.look(shown).js:.3f} without" in begin
    assert len(lab.past) == 2


def test_the_difference_drawn_is_with_minus_without():
    frame = Twins("D too fast", "k = 5").run(50).draw()
    difference = frame["js b"][:, 1] - frame["js a"][:, 1]
    np.testing.assert_allclose(frame["difference"][:, 1], difference)
    assert frame["fake a"].shape == frame["fake b"].shape == (512, 2)


@pytest.mark.parametrize("number, what", list(enumerate(RUNS, 1)))
def test_the_clinic_tells_only_when_asked(number, what):
    lab = Clinic(RUNS).set("tell", True).set("run", number)
    assert not lab.values["tell"]  # another run is not told
    assert what not in lab.text()
    values = np.concatenate([rows[:, 1] for rows in lab.draw().values()])
    assert np.isfinite(values).all()

    lab.set("tell", True)
    assert f"It is: {what}" in lab.text()
    assert RUNS[what]["tell"] in lab.text()

    another = next(diagnosis for diagnosis in RUNS if diagnosis != what)
    assert "No, it is" in lab.set("guess", another).text()
    assert "Right, it is" in lab.set("guess", what).text()


def test_the_clinic_has_eight_runs_and_its_picture_does_not_tell():
    lab = Clinic(RUNS)
    with pytest.raises(ValueError, match="from 1 to 8, got 9"):
        lab.set("run", 9)
    assert "healthy" not in lab.set("run", 3).claim()  # which is the healthy one


def test_the_eight_runs_are_as_recorded_and_reproduced_in_nine_of_ten_seeds():
    assert list(RUNS) == [
        "circling",
        "few data",
        "healthy",
        "starved",
        "collapse",
        "G too small",
        "blind D",
        "frozen",
    ]
    for run in RUNS.values():
        assert run["of"] == 20
        assert run["shows"] >= 18
        rows = np.array(run["gauges"])
        assert rows.shape == (60, 1 + len(GAUGES))
        assert (rows[:, 1] <= np.log(2) + 1e-6).all()
        assert (rows[:, 2:5] > -1e-3).all()


def test_medicine_was_tried_on_20_pairs_of_every_patient():
    assert set(STUDY["medicine"]) == {"D too slow", "D too fast", "circling"}
    for patient, runs in STUDY["medicine"].items():
        first = "js" if patient == "circling" else "modes"
        assert set(runs) == set(MEDICINE)
        for measured in runs.values():
            assert {first} <= set(measured) <= {"modes", "good", "js"}
            assert all(len(numbers) == 20 for numbers in measured.values())


def test_more_modes_are_not_a_smaller_js():
    """What notebook 05 says of four medicines on a D that is too fast: who gains, and by what."""
    runs = STUDY["medicine"]["D too fast"]

    def change(name, measure):
        return np.subtract(runs[name][measure], runs["none"][measure]).mean()

    said = {
        "R1, weight 1": (2.75, -0.27, 0.03),
        "gradient penalty, weight 1": (2.15, -0.28, 0.10),
        "instance noise 0.3": (3.1, -0.16, -0.03),
        "lr_D over 5": (3.0, 0.0, -0.10),
    }
    for name, numbers in said.items():
        found = [change(name, measure) for measure in ("modes", "good", "js")]
        np.testing.assert_allclose(found, numbers, atol=0.006)


def test_narrow_modes_are_unfinished_at_1500_steps():
    short, longer = STUDY["narrow"].values()
    assert min(longer["good"]) > max(short["good"])
    assert [sum(m == 8 for m in run["modes"]) for run in (short, longer)] == [0, 1]


def test_a_slow_d_is_the_worse_fault_and_smoothing_moves_no_median():
    plain = STUDY["strength"]["plain"]
    smoothed = STUDY["strength"]["one-sided 0.9"]
    js = [np.median(run["js"]) for run in plain.values()]
    regret = [np.median(run["regret"]) for run in plain.values()]
    assert min(js[:2]) > 0.4
    assert max(js[2:7]) < 0.03
    assert int(np.argmax(regret)) == len(regret) - 1

    gaps = [np.median(smoothed[rate]["js"]) - np.median(plain[rate]["js"]) for rate in plain]
    assert max(np.abs(gaps[2:])) < 0.007
