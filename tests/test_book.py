"""What the book is made from.

The recorded runs are compared with runs computed anew, and the notebooks are as the book shows
them.
"""

import base64
import gzip
import importlib.util
import json
import re
from collections import Counter
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from ganlib import targets
from ganlib.densities import line, optimal_discriminator, pushforward
from ganlib.gan import GAN
from ganlib.networks import mlp
from ganlib.stage import recording

ROOT = Path(__file__).parent.parent
FILE = ROOT / "images/recorded_runs.json"


def script(path):
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


record = script(ROOT / "images/record.py")
build = script(ROOT / "notebooks/book/build.py")


# -- the recorded runs --------------------------------------------------------------------------
@pytest.fixture(scope="module")
def runs():
    """(recording, gauges, curves), unpacked without the JavaScript that does it in a browser.

    gauges: {gauge: (preset, lr_G, lr_D, moment)}. curves: {curve: (…, points)}.
    """
    trace = json.loads(FILE.read_text(encoding="utf-8"))
    rates = len(trace["rates"])
    form = (len(trace["presets"]), rates, rates, len(trace["steps"]))
    names = trace["gauges"]

    # First the gauges, whole numbers of four bytes each, in ten-thousandths.
    packed = gzip.decompress(base64.b64decode(trace["bytes"]))
    end = 4 * int(np.prod(form)) * len(names)
    numbers = np.frombuffer(packed[:end], "<i4").reshape(*form, len(names)) / 1e4
    gauges = {name: numbers[..., k] for k, name in enumerate(names)}

    # Then the curves, a byte a point: the difference to the point before.
    differences = np.frombuffer(packed[end:], np.uint8).reshape(*form, -1)
    levels = differences.cumsum(-1, dtype=np.uint8)
    curves = {}
    first = 0
    for name, (n, *_) in trace["presets"][0]["curves"].items():
        ends = np.array([preset["curves"][name][1:] for preset in trace["presets"]])
        low, high = (end.reshape(-1, 1, 1, 1, 1) for end in ends.T)
        part = levels[..., first : first + n].astype(float)
        curves[name] = np.where(part < 255, low + (high - low) * part / 254, np.nan)
        first += n
    assert first == levels.shape[-1]
    return trace, gauges, curves


def test_bytes_keep_numbers_to_half_a_level():
    values = np.linspace(-1, 2, 1001)
    back = record.as_bytes(values, -1, 2) / 254 * 3 - 1
    assert abs(back - values).max() <= 3 / 254 / 2 + 1e-9
    assert record.as_bytes([np.nan, -np.inf, -9, 9], 0, 1).tolist() == [255, 0, 0, 254]


def test_the_recording_has_the_runs_that_were_asked_for(runs):
    trace, gauges, _ = runs
    assert FILE.stat().st_size <= 300_000
    assert len(record.PRESETS) >= 3
    assert gauges["js"].shape[:3] == (len(record.PRESETS), 5, 5)

    assert trace["rates"] == record.RATES
    assert trace["columns"] == record.COLUMNS
    assert trace["says"] == record.SAYS

    presets = trace["presets"]
    assert [preset["name"] for preset in presets] == list(record.PRESETS)
    assert {mark["key"] for mark in trace["scene"]["marks"]} == set(record.COLUMNS)

    known = {"step", *trace["gauges"], *presets[0]["fixed"], *presets[0]["curves"]}
    for columns in record.COLUMNS.values():
        assert set(columns) <= known


def test_a_recorded_run_is_the_run_of_the_plain_loop(runs):
    """Notebook 04's loop at lr_G 6e-4, lr_D 6e-3, written out.

    It has the same gauges and curves after 84 steps.
    """
    trace, gauges, curves = runs
    preset = 0
    lr_G = trace["rates"].index(6e-4)
    lr_D = trace["rates"].index(6e-3)
    moment = trace["steps"].index(84)
    here = (preset, lr_G, lr_D, moment)

    law = targets.gaussian()
    gan = GAN(
        mlp(1, 32, 32, 1, seed=0),
        mlp(1, 48, 48, 1, seed=1, cover=(-3, 3)),
        law,
        lr_G=6e-4,
        lr_D=6e-3,
        betas=(0.0, 0.9),
        penalty="r1",
        penalty_weight=0.02,
        seed=0,
    )
    data = torch.Generator().manual_seed(1)
    for _ in range(84):
        gan.step(law.sample(128, data))

    x = line(-6, 6, 2400)
    now = gan.ledger(law.log_prob(x[:, None]).exp(), x)
    for name in ("js", "value", "regret", "off_half", "off_star"):
        assert gauges[name][here] == pytest.approx(getattr(now, name), abs=0.01), name

    at = torch.tensor(trace["presets"][preset]["fixed"]["x"])
    with torch.no_grad():
        D = gan.D(at[:, None]).sigmoid().flatten().numpy()
    assert abs(curves["D"][here] - D).max() < 0.03

    p_g = pushforward(gan.G, gan.prior, at.double()).numpy()
    assert abs(curves["p_g"][here] - p_g).mean() < 0.03


def test_every_recorded_moment_keeps_the_identities(runs):
    _, g, _ = runs
    assert np.allclose(g["two_js"], g["value"] + g["regret"], atol=2.1e-4)
    assert np.allclose(g["two_js"], 2 * g["js"], atol=1.1e-4)

    terms = g["real_term"] + g["fake_term"]
    assert np.allclose(g["value"], terms + np.log(4), atol=2.1e-4)
    assert g["regret"].min() >= 0


def test_every_recorded_verdict_is_that_of_its_gauges(runs):
    _, g, _ = runs
    levels = {"js": 0.02, "off_half": 0.05, "off_star": 0.05}
    below = np.all([g[name] <= level for name, level in levels.items()], axis=0)
    # Gauges are rounded: on a level, either verdict may have been said.
    on_a_level = np.any([abs(g[name] - level) < 1e-4 for name, level in levels.items()], axis=0)
    said = g["verdict"] > 0
    assert np.array_equal(said, below | (on_a_level & said))


def test_every_recorded_d_star_is_that_of_the_densities(runs):
    trace, _, curves = runs
    for preset, about in enumerate(trace["presets"]):
        p_g = curves["p_g"][preset]
        p_data = np.broadcast_to(about["fixed"]["p_data"], p_g.shape).copy()
        D_star = optimal_discriminator(torch.tensor(p_data), torch.tensor(p_g)).numpy()

        # Where a level of p_g is a small part of it, and p_g is not cut off at the top.
        highest = about["curves"]["p_g"][2]
        seen = (p_g > 0.1) & (p_g < 0.95 * highest)
        assert abs(D_star - curves["D_star"][preset])[seen].max() < 0.03


def test_a_reader_meets_success_and_both_failures(runs):
    _, g, _ = runs
    end = {name: values[..., -1] for name, values in g.items()}

    one_hump, two_humps, no_medicine = (end["verdict"] == 1).sum((1, 2))
    assert one_hump >= 10
    assert 1 <= two_humps < one_hump
    assert no_medicine < one_hump

    false_peace = (end["off_half"] < 0.05) & (end["js"] > 0.1)  # D says ½, and G is wrong
    assert false_peace.any((1, 2)).all()


def test_the_page_of_a_recording_asks_for_nothing():
    page = recording.html(FILE.read_text(encoding="utf-8"), fallback="<p>no script</p>")
    assert "<p>no script</p>" in page
    assert len(page) < 2e6
    assert page.count("</script>") == 1
    assert not re.search(r"https?:|\bimport\b *[({'\"]|^export|@import|url\(", page, re.M)
    with pytest.raises(ValueError, match="the text of a JSON file"):
        recording.html("recorded_runs.json")


# -- the notebooks as the book shows them -------------------------------------------------------
@pytest.fixture(params=build.NOTEBOOKS, ids=lambda path: path.stem)
def nb(request):
    return build.notebook(request.param)


def prose(nb):
    return "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")


def test_solutions_are_folded_and_every_picture_has_words(nb):
    nbformat.validate(nb)
    for cell in nb.cells:
        tags = cell.metadata.get("tags", [])
        assert ("solution" in tags) == ("hide-cell" in tags)
        assert cell.metadata.get("slideshow", {}).get("slide_type") != "notes"
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            assert len(cell.metadata["mystnb"]["image"]["alt"]) >= 20, cell.id


def test_notes_for_speakers_are_left_out(tmp_path):
    markdown = nbformat.v4.new_markdown_cell
    cells = [
        markdown("# T", id="a"),
        markdown("psst", id="b", metadata={"slideshow": {"slide_type": "notes"}}),
    ]
    path = tmp_path / "09_t.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert [cell.id for cell in build.notebook(path).cells] == ["a"]


def test_headings_get_targets_papers_a_citation_and_a_quiz_its_mathematics():
    quiz = "<details><summary>$a$</summary>$b$</details> $c$"
    source = f"# T\n```\n# code\n```\n## U\narXiv:1406.2661 {quiz}"
    text, count = build.prose(source, "04", 3)
    assert count == 5
    assert text.startswith("(s04-3)=\n# T\n```\n# code\n```\n(s04-4)=\n## U\n")
    assert "[arXiv:1406.2661](https://arxiv.org/abs/1406.2661) {cite}`1406.2661`" in text
    assert r'<details class="tex2jax_process"><summary>\(a\)</summary>\(b\)</details> $c$' in text


def test_every_paper_is_in_the_bibliography_once(nb):
    bibliography = (build.HERE / "references.bib").read_text(encoding="utf-8")
    keys = Counter(re.findall(r"^@\w+\{([^,]+),", bibliography, re.M))
    assert max(keys.values()) == 1

    for cell in nb.cells:
        assert set(re.findall(r"\{cite\}`([^`]+)`", cell.source)) <= set(keys)
    assert not re.search(r"arXiv:(?!\d{4}\.\d{4,5}\]\()", prose(nb))


# -- the glossary -------------------------------------------------------------------------------
GLOSSARY = (ROOT / "notebooks/book/glossary.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^(\S.*)\n  (?:.*\n  )*?.*<!-- first: (.+?) -->$", GLOSSARY, re.M)


@pytest.mark.parametrize("term, pattern", ENTRIES, ids=[term for term, _ in ENTRIES])
def test_a_term_links_to_the_section_that_uses_it_first(term, pattern):
    number, k = re.fullmatch(r"\[.+\]\(#s(\d\d)-(\d+)\)", build.first_use(pattern)).groups()
    path = next(path for path in build.NOTEBOOKS if path.name.startswith(number))
    text = prose(build.notebook(path))
    section = re.search(rf"^\(s{number}-{k}\)=\n(.*?)(?=^\(s{number}-|\Z)", text, re.M | re.S)[1]
    assert re.search(pattern, section)


def test_a_term_that_nobody_uses_is_refused():
    with pytest.raises(ValueError, match="no notebook uses"):
        build.first_use("no such symbol anywhere")


GREEK = {
    "\\mu": "μ",
    "\\sigma": "σ",
    "\\eta": "η",
    "\\theta": "θ",
    "\\lambda": "λ",
    "\\nabla": "∇",
    "E": "𝔼",
}
LETTER = (
    r"\\(?:mu|sigma|eta|theta|lambda|nabla|phi|beta|alpha)\b"
    r"|(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])"
)
UPRIGHT = r"\\(text|mathrm|operatorname|begin|end)\s*\{[^}]*\}"  # words, not symbols


def symbols(cell):
    """The letters in the formulas of a cell, as LaTeX has them."""
    if cell.cell_type != "markdown":
        return set()
    formulas = " ".join(re.findall(r"\$\$?([^$]+)\$", cell.source))
    return set(re.findall(LETTER, re.sub(UPRIGHT, " ", formulas)))


def test_every_symbol_of_the_formulas_is_explained():
    """Letters that formulas of three cells or more use.

    i and j count, and b, c, d, s, t, y mean something new in each formula.
    """
    where = Counter()
    for path in build.NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            where.update(symbols(cell))

    often = {GREEK.get(symbol, symbol) for symbol, cells in where.items() if cells >= 3}
    often -= set("ijbcdsty")
    assert len(often) >= 15

    terms = " ".join(term for term, _ in ENTRIES)
    assert not [symbol for symbol in often if symbol not in terms]
