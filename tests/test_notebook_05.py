"""What notebook 05 says of its stored studies and of its formulas, found in another way."""

import json
import math
from pathlib import Path
from statistics import mean, median

import nbformat
import pytest
from scipy.integrate import quad
from scipy.stats import binom, norm

ROOT = Path(__file__).parent.parent
CELLS = {
    cell.id: cell.source
    for cell in nbformat.read(ROOT / "notebooks/05_losses_and_failure.ipynb", as_version=4).cells
}
STUDY = json.loads((ROOT / "images/failures.json").read_text(encoding="utf-8"))


def test_half_of_what_likelihood_hears_comes_from_one_fake_in_a_billion():
    # Data N(0, 1), fakes N(6, 1): ℓ = 18 − 6x, so that ℓ > 18 is x < 0. A fake feels 6 exp(ℓ).
    def felt(low, high):
        return quad(lambda x: 6 * math.exp(18 - 6 * x) * norm.pdf(x, 6), low, high, points=[0])[0]

    assert felt(-9, 0) / felt(-9, 9) == pytest.approx(0.5, abs=1e-6)
    assert norm.cdf(0, 6) == pytest.approx(1e-9, rel=0.02)
    assert "ℓ > 18, one in a billion" in CELLS["read-the-picture"]


@pytest.mark.parametrize(
    "rate, measure, of, says",
    [
        ("0.0001", "js", median, "the median of JS is 0.42"),
        ("0.0001", "js", min, "anything from 0.05 "),
        ("0.0001", "js", max, "to log 2 happens"),
        ("0.0001", "regret", median, "the regret, 0.8,"),
        ("0.32", "regret", median, "the largest of all, 3.6,"),
        ("0.0032", "js", min, "from 0.003 "),
        ("0.0032", "js", max, "to 0.07."),
    ],
)
def test_what_is_said_of_weak_and_strong_judges(rate, measure, of, says):
    found = of(STUDY["strength"]["plain"][rate][measure])
    number = says.strip(" ,.").split()[-1]
    if number == "happens":
        assert found == pytest.approx(math.log(2), abs=1e-3)
    else:
        digits = len(number.split(".")[1])
        assert f"{found:.{digits}f}" == number
    assert says in CELLS["read-strength"]


def test_two_decades_of_rates_work():
    rates = STUDY["strength"]["plain"]
    between = [rate for rate in rates if 3e-4 < float(rate) < 4e-2]
    assert len(between) == 5
    assert all(median(rates[rate]["js"]) < 0.03 for rate in between)
    assert max(rates, key=lambda rate: median(rates[rate]["regret"])) == "0.32"


def test_what_is_said_of_smoothing():
    apart, closer = [], []
    for rate, plain in STUDY["strength"]["plain"].items():
        smoothed = STUDY["strength"]["one-sided 0.9"][rate]["js"]
        if float(rate) > 2e-4:
            apart.append(abs(median(plain["js"]) - median(smoothed)))
            closer.append(sum(b < a for a, b in zip(plain["js"], smoothed)))
    assert max(apart) < 0.007
    assert (min(closer), max(closer)) == (5, 14)
    assert "closer one in 5 to 14 of 20 seeds" in CELLS["exercise-smooth"]
    assert f"{binom.cdf(14, 20, 0.5) - binom.cdf(5, 20, 0.5):.0%}" == "96%"


def test_narrow_modes_were_unfinished():
    once, twice = STUDY["narrow"]["1500"], STUDY["narrow"]["3000"]
    assert min(twice["good"]) > max(once["good"])
    assert [sum(modes == 8 for modes in run["modes"]) for run in (once, twice)] == [0, 1]


def test_what_is_said_of_medicines():
    def gained(patient, measure, name):
        runs = STUDY["medicine"][patient]
        pairs = zip(runs[name][measure], runs["none"][measure])
        return mean(with_ - without for with_, without in pairs)

    text = CELLS["read-medicine"]
    for patient, measure, name, number, says in [
        ("D too fast", "modes", "R1, weight 1", 2.75, "gains 2.75 modes"),
        ("D too fast", "good", "R1, weight 1", -0.27, "loses 0.27 of the good samples"),
        ("D too fast", "modes", "instance noise 0.3", 3.1, "gains the most modes, 3.1,"),
        ("D too fast", "good", "instance noise 0.3", -0.16, "price of 0.16 of the good samples"),
        ("D too fast", "js", "instance noise 0.3", -0.03, "saves by JS, 0.03 nats,"),
        ("D too fast", "js", "lr_D over 5", -0.1, "saves 0.10 nats"),
        ("D too slow", "modes", "lr_D times 5", 6.3, "gains 6.3 modes"),
        ("D too fast", "modes", "lr_D times 5", -2.35, "loses 2.35"),
        ("circling", "js", "no momentum", -0.27, "cure for circling (0.27 nats)"),
    ]:
        assert gained(patient, measure, name) == pytest.approx(number, abs=0.005), says
        assert says in text

    most = max(STUDY["medicine"]["D too fast"].items(), key=lambda run: mean(run[1]["modes"]))
    assert most[0] == "instance noise 0.3"
    assert 0.86**20 < 0.05 < 0.87**20


def test_a_low_loss_of_g_says_nothing():
    """In each window another run has the lowest loss, and the healthy one has the third lowest."""
    lowest = []
    for looks in (1, 15, 30):
        ends = {
            name: [mean(column) for column in zip(*run["gauges"][-looks:])]
            for name, run in STUDY["clinic"].items()
            if name != "starved"
        }
        by_loss = sorted(ends, key=lambda name: ends[name][7])
        by_js = sorted(ends, key=lambda name: ends[name][1])
        assert by_loss[2] == by_js[0] == "healthy"
        assert by_js.index(by_loss[0]) >= 4
        lowest.append(by_loss[0])
    assert len(set(lowest)) == 3
