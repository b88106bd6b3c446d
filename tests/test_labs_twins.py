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
    assert len(lab.past) == 3 and (lab.past[:, 1] == lab.past[:, 2]).all()


@pytest.mark.parametrize("patient", PATIENTS)
def test_a_control_starts_both_anew(patient):
    lab = Twins().run(30).set("patient", patient).set("seed", 3)
    assert lab.past.shape == (1, 5) and [gan.steps for gan, _ in lab.twins] == [0, 0]
    assert lab.twins[0][0].lr_D == PATIENTS[patient]["lr_D"] and patient in lab.text()
    with pytest.raises(ValueError, match="seed must be a whole number"):
        lab.set("seed", 0.5)
    assert lab._repr_mimebundle_()["image/png"][:4] == b"\x89PNG"


def test_the_difference_drawn_is_with_minus_without():
    lab = Twins("D too fast", "k = 5").run(50)
    frame = lab.draw()
    np.testing.assert_allclose(frame["difference"][:, 1], frame["js b"][:, 1] - frame["js a"][:, 1])
    assert frame["fake a"].shape == frame["fake b"].shape == (512, 2)


def test_the_clinic_tells_only_when_asked():
    lab = Clinic(RUNS)
    for k, what in enumerate(RUNS, 1):
        lab.set("run", k)
        assert what not in lab.text() and not lab.values["tell"]
        assert f"It is: {what}" in lab.set("tell", True).text() and RUNS[what]["tell"] in lab.text()
        assert "No, it is" in lab.set("guess", next(d for d in RUNS if d != what)).text()
        assert "Right, it is" in lab.set("guess", what).text()
        assert np.isfinite(np.concatenate([rows[:, 1] for rows in lab.draw().values()])).all()
    with pytest.raises(ValueError, match="from 1 to 8, got 9"):
        lab.set("run", 9)
    assert "healthy" not in lab.set("run", 3).claim()  # the stored picture does not tell


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
        assert run["of"] == 20 and run["shows"] >= 18
        rows = np.array(run["gauges"])
        assert rows.shape == (60, 1 + len(GAUGES)) and (rows[:, 1] <= np.log(2) + 1e-6).all()
        assert (rows[:, 2:5] > -1e-3).all()


def test_medicine_was_tried_on_20_pairs_of_every_patient():
    assert set(STUDY["medicine"]) == {"D too slow", "D too fast", "circling"}
    for runs in STUDY["medicine"].values():
        assert set(runs) == set(MEDICINE) and all(len(numbers) == 20 for numbers in runs.values())
