"""What notebook 04 prints and says, against another way of finding it."""

import base64
import json
import math
import re
from pathlib import Path
from statistics import median

import nbformat
import pytest
from scipy.integrate import quad
from scipy.stats import norm

ROOT = Path(__file__).parent.parent
CELLS = {
    cell.id: cell
    for cell in nbformat.read(ROOT / "notebooks/04_gan_in_one_dimension.ipynb", as_version=4).cells
}
STUDY = json.loads((ROOT / "images/ablation.json").read_text(encoding="utf-8"))


def printed(name):
    """All that a cell prints, with the sentences of its labs."""
    outputs = CELLS[name].outputs
    return "".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs)


def C(mean):
    """V(D*, G) for data N(0, 1) and fakes N(mean, 1), by quadrature."""

    def at(x):
        p, q = norm.pdf(x), norm.pdf(x, mean)
        return p * math.log(p / (p + q)) + q * math.log(q / (p + q))

    return quad(at, -10, 10 + mean, limit=500, points=[0, mean / 2, mean])[0]


def test_the_best_d_at_five_places():
    found = re.findall(
        r"x = +(\S+): best y (\S+) +\S+ \+ p_g\) = (\S+)", printed("d-star-numerically")
    )
    assert len(found) == 5
    for place, best_y, formula in found:
        p = norm.pdf(float(place))
        right = p / (p + norm.pdf(float(place), 1.5, 0.7))
        assert best_y == formula == f"{right:.4f}"


def slope_of_C(mean):
    return (C(mean + 0.01) - C(mean - 0.01)) / 0.02


def test_the_slopes_of_c():
    assert slope_of_C(1.65) > max(slope_of_C(1.5), slope_of_C(1.8))  # steepest near 1.65
    found = re.findall(r"(\S+) at mean ([\d.]+)", printed("c-of-g-figure").split("slope")[1])
    assert [mean for _, mean in found] == ["1.65", "4", "7"]
    for slope, mean in found:
        assert slope == f"{slope_of_C(float(mean)):.3f}"
    assert float(found[1][0]) / float(found[0][0]) == pytest.approx(0.29, abs=0.005)
    assert "29 %" in CELLS["read-c-of-g"].source


def test_the_area_below_the_best_d_grows_with_the_window():
    def D(x):
        return 1 / (1 + math.exp(min(700, norm.logpdf(x, 1.5, 0.7) - norm.logpdf(x))))

    for low, high in ((-8, 9), (-16, 18)):
        right = quad(D, low, high, points=[0, 1, 2, 3], limit=500)[0]
        assert f"{low} to {high}: {right:.2f}".replace("-", "−") in printed("straight-density-cell")


def test_gauges_come_before_the_lab():
    ids = list(CELLS)
    assert ids.index("blind-detective-cell") < ids.index("the-loop") < ids.index("lab-live")
    text = "\n".join(cell.source for cell in CELLS.values() if cell.cell_type == "markdown")
    assert re.findall(r"^## (\d) ", text, re.M) == list("123456789")


@pytest.mark.parametrize(
    "lab, begins",
    [
        ("lab-algorithm", "Line 0 of 8"),
        ("lab-live", "after 0 steps"),
        ("own-numbers", "after 0 steps"),
        ("lab-finite", "D seems to find something: False"),
        ("landscape-behind", "after 0 steps"),
    ],
)
def test_labs_are_stored_before_their_first_step(lab, begins):
    assert begins in printed(lab)


def test_figure_1_of_the_readme_is_the_picture_that_the_notebook_has_found():
    outputs = CELLS["figure-one-draw"].outputs
    (picture,) = (o.data["image/png"] for o in outputs if "image/png" in o.get("data", {}))
    assert (ROOT / "images/figure_1.png").read_bytes() == base64.b64decode(picture)


def median_of(law, way, gauge):
    return median(STUDY["laws"][law][way][gauge])


@pytest.mark.parametrize("law", STUDY["laws"])
def test_what_makes_it_come_to_rest(law):
    # What the text below the table says.
    def worst(way, gauge):
        return max(STUDY["laws"][law][way][gauge])

    assert STUDY["seeds"] == 12
    assert worst("as it stands", "js") < 0.02
    assert worst("as it stands", "off_star") < 0.05
    assert worst("no R1", "off_star") < 0.05
    there = sum(js < 0.02 for js in STUDY["laws"][law]["equal rates"]["js"])
    assert there == {"normal": 12, "two modes": 1}[law]
    assert "on two modes 11 of 12 runs are not there" in CELLS["read-ablation"].source
    for gauge in ("js", "off_star"):
        with_R1 = median_of(law, "as it stands", gauge)
        assert median_of(law, "no R1", gauge) == pytest.approx(with_R1, abs=0.002)
    assert worst("rates do not fall", "js") < 0.02
    assert min(STUDY["laws"][law]["rates do not fall"]["off_star"]) > 0.05
    assert median_of(law, "rates do not fall", "off_star") > 2 * median_of(
        law, "as it stands", "off_star"
    )
    assert min(STUDY["laws"][law]["β₁ = 0.9"]["js"]) > 0.02
    of_half = STUDY["laws"][law]["β₁ = ½"]["off_star"]
    assert min(of_half) < 0.05 < max(of_half)


def test_the_table_prints_what_is_kept():
    rows = [line for line in printed("ablation-table").splitlines() if "to" in line]
    assert len(rows) == 12
    for row, (law, way) in zip(rows, [(a, b) for a, ways in STUDY["laws"].items() for b in ways]):
        assert row.lstrip().startswith(f"{law}, {way}")
        medians = re.findall(r"(\d\.\d+) \(", row)
        right = [f"{median_of(law, way, gauge):.3f}" for gauge in ("js", "off_star")]
        assert medians == right
