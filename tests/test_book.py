"""What the book is made from: the recorded runs against runs computed anew, and the notebooks as the book shows them."""

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
from ganlib.labs import recorded
from ganlib.networks import mlp

ROOT = Path(__file__).parent.parent
FILE = ROOT / "images/recorded_runs.json"


def script(path):
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


record, build = script(ROOT / "images/record.py"), script(ROOT / "notebooks/book/build.py")


@pytest.fixture(scope="module")
def runs():
    """(recording, gauges, points): {gauge: (preset, lr_G, lr_D, moment)} and {curve: (..., points)}, unpacked without canvas.js."""
    trace = json.loads(FILE.read_text(encoding="utf-8"))
    form = (len(trace["presets"]), len(trace["rates"]), len(trace["rates"]), len(trace["steps"]))
    packed, count = (
        gzip.decompress(base64.b64decode(trace["bytes"])),
        int(np.prod(form)) * len(trace["gauges"]),
    )
    gauges = np.frombuffer(packed[: 4 * count], "<i4").reshape(*form, -1) / 1e4
    levels = (
        np.frombuffer(packed[4 * count :], np.uint8).reshape(*form, -1).cumsum(-1, dtype=np.uint8)
    )
    curves, at = {}, 0
    for name, (n, *_) in trace["presets"][0]["curves"].items():
        ends = np.array([preset["curves"][name][1:] for preset in trace["presets"]])
        low, high = (end.reshape(-1, 1, 1, 1, 1) for end in ends.T)
        part = levels[..., at : at + n].astype(float)
        curves[name], at = np.where(part < 255, low + (high - low) * part / 254, np.nan), at + n
    assert at == levels.shape[-1]
    return trace, dict(zip(trace["gauges"], np.moveaxis(gauges, -1, 0))), curves


def test_bytes_keep_numbers_to_half_a_level():
    values = np.linspace(-1, 2, 1001)
    back = record.as_bytes(values, -1, 2) / 254 * 3 - 1
    assert abs(back - values).max() <= 3 / 254 / 2 + 1e-9
    assert record.as_bytes([np.nan, -np.inf, -9, 9], 0, 1).tolist() == [255, 0, 0, 254]


def test_the_recording_has_the_runs_that_were_asked_for(runs):
    trace, gauges, _ = runs
    assert FILE.stat().st_size <= 300_000
    assert gauges["js"].shape[:3] == (len(record.PRESETS), 5, 5) and len(record.PRESETS) >= 3
    assert (
        trace["rates"] == record.RATES
        and trace["columns"] == record.COLUMNS
        and trace["says"] == record.SAYS
    )
    assert [preset["name"] for preset in trace["presets"]] == list(record.PRESETS)
    shown = {m["key"]: [c for c in record.COLUMNS[m["key"]]] for m in trace["scene"]["marks"]}
    known = {
        *trace["gauges"],
        "step",
        *trace["presets"][0]["fixed"],
        *trace["presets"][0]["curves"],
    }
    assert (
        set(shown) == set(record.COLUMNS)
        and {c for columns in shown.values() for c in columns} <= known
    )


def test_a_recorded_run_is_the_run_of_the_plain_loop(runs):
    """Notebook 04's loop at lr_G 6e-4, lr_D 6e-3, written out: the same gauges and curves after 84 steps."""
    trace, gauges, curves = runs
    i, j, moment = trace["rates"].index(6e-4), trace["rates"].index(6e-3), trace["steps"].index(84)
    law, data, x = targets.gaussian(), torch.Generator().manual_seed(1), line(-6, 6, 2400)
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
    for _ in range(84):
        gan.step(law.sample(128, data))
    now = gan.ledger(law.log_prob(x[:, None]).exp(), x)
    for name in ("js", "value", "regret", "off_half", "off_star"):
        assert gauges[name][0, i, j, moment] == pytest.approx(getattr(now, name), abs=0.01), name
    at = torch.tensor(trace["presets"][0]["fixed"]["x"])
    with torch.no_grad():
        D = gan.D(at[:, None]).sigmoid().flatten().numpy()
    assert abs(curves["D"][0, i, j, moment] - D).max() < 0.03
    drawn = curves["p_g"][0, i, j, moment]
    assert abs(drawn - pushforward(gan.G, gan.prior, at.double()).numpy()).mean() < 0.03


def test_every_recorded_moment_keeps_the_identities(runs):
    trace, g, curves = runs
    assert np.allclose(g["two_js"], g["value"] + g["regret"], atol=2.1e-4) and np.allclose(
        g["two_js"], 2 * g["js"], atol=1.1e-4
    )
    assert (
        np.allclose(g["value"], g["real_term"] + g["fake_term"] + np.log(4), atol=2.1e-4)
        and g["regret"].min() >= 0
    )
    reached = (g["js"] <= 0.02) & (g["off_half"] <= 0.05) & (g["off_star"] <= 0.05)
    edge = np.any(
        [abs(g[k] - v) < 1e-4 for k, v in (("js", 0.02), ("off_half", 0.05), ("off_star", 0.05))], 0
    )
    assert np.array_equal(g["verdict"] > 0, reached | (edge & (g["verdict"] > 0)))
    for p, preset in enumerate(trace["presets"]):
        p_data, p_g = np.array(preset["fixed"]["p_data"]), curves["p_g"][p]
        seen = (p_g > 0.1) & (
            p_g < 0.95 * preset["curves"]["p_g"][2]
        )  # where a level of p_g is a small part of it, unclipped
        star = optimal_discriminator(
            torch.tensor(np.broadcast_to(p_data, p_g.shape).copy()), torch.tensor(p_g)
        ).numpy()
        assert abs(star - curves["D_star"][p])[seen].max() < 0.03


def test_a_reader_meets_success_and_both_failures(runs):
    _, g, _ = runs
    end = {name: values[..., -1] for name, values in g.items()}
    good = (end["verdict"] == 1).sum((1, 2))
    assert (
        good[0] >= 10 and 1 <= good[1] < good[0] and good[2] < good[0]
    )  # one hump, two humps, no medicine
    false_peace = (end["off_half"] < 0.05) & (end["js"] > 0.1)  # D says ½, and G is wrong
    assert false_peace.any((1, 2)).all()


def test_the_page_of_a_recording_asks_for_nothing():
    page = recorded.html(FILE.read_text(encoding="utf-8"), fallback="<p>no script</p>")
    assert "<p>no script</p>" in page and len(page) < 2e6
    assert not re.search(r"https?:|\bimport\b *[({'\"]|^export|@import|url\(", page, re.M)
    assert page.count("</script>") == 1
    with pytest.raises(ValueError, match="the text of a JSON file"):
        recorded.html("recorded_runs.json")


# -- the notebooks as the book shows them ------------------------------------------------------------------
@pytest.fixture(params=build.NOTEBOOKS, ids=lambda path: path.stem)
def nb(request):
    return build.notebook(request.param)


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
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "09_t.ipynb")
    assert [cell.id for cell in build.notebook(tmp_path / "09_t.ipynb").cells] == ["a"]


def test_headings_get_targets_papers_a_citation_and_a_quiz_its_mathematics():
    source = "# T\n```\n# code\n```\n## U\narXiv:1406.2661 <details><summary>$a$</summary>$b$</details> $c$"
    text, count = build.prose(source, "04", 3)
    assert count == 5 and text.startswith("(s04-3)=\n# T\n```\n# code\n```\n(s04-4)=\n## U\n")
    assert "[arXiv:1406.2661](https://arxiv.org/abs/1406.2661) {cite}`1406.2661`" in text
    assert r'<details class="tex2jax_process"><summary>\(a\)</summary>\(b\)</details> $c$' in text


def test_every_paper_is_in_the_bibliography_once(nb):
    keys = Counter(
        re.findall(
            r"^@\w+\{([^,]+),", (build.HERE / "references.bib").read_text(encoding="utf-8"), re.M
        )
    )
    assert max(keys.values()) == 1
    cited = {key for cell in nb.cells for key in re.findall(r"\{cite\}`([^`]+)`", cell.source)}
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    assert cited <= set(keys) and not re.search(r"arXiv:(?!\d{4}\.\d{4,5}\]\()", text)


# -- the glossary ---------------------------------------------------------------------------------------------
GLOSSARY = (ROOT / "notebooks/book/glossary.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^(\S.*)\n  (?:.*\n  )*?.*<!-- first: (.+?) -->$", GLOSSARY, re.M)


@pytest.mark.parametrize("term, pattern", ENTRIES, ids=[term for term, _ in ENTRIES])
def test_a_term_links_to_the_section_that_uses_it_first(term, pattern):
    number, k = re.fullmatch(r"\[.+\]\(#s(\d\d)-(\d+)\)", build.first_use(pattern)).groups()
    path = next(path for path in build.NOTEBOOKS if path.name.startswith(number))
    text = "\n".join(
        cell.source for cell in build.notebook(path).cells if cell.cell_type == "markdown"
    )
    section = re.search(rf"^\(s{number}-{k}\)=\n(.*?)(?=^\(s{number}-|\Z)", text, re.M | re.S)[1]
    assert re.search(pattern, section)


def test_a_term_that_nobody_uses_is_refused():
    with pytest.raises(ValueError, match="no notebook uses"):
        build.first_use("no such symbol anywhere")


def test_every_symbol_of_the_formulas_is_explained():
    """Letters that formulas of three cells or more use; i and j count, and b, c, d, s, t, y mean something new in each formula."""
    greek = {
        "\\mu": "μ",
        "\\sigma": "σ",
        "\\eta": "η",
        "\\theta": "θ",
        "\\lambda": "λ",
        "\\nabla": "∇",
        "E": "𝔼",
    }
    letter = r"\\(?:mu|sigma|eta|theta|lambda|nabla|phi|beta|alpha)\b|(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])"
    where = Counter()
    for path in build.NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            formulas = (
                " ".join(re.findall(r"\$\$?([^$]+)\$", cell.source))
                if cell.cell_type == "markdown"
                else ""
            )
            where.update(
                set(
                    re.findall(
                        letter,
                        re.sub(
                            r"\\(text|mathrm|operatorname|begin|end)\s*\{[^}]*\}", " ", formulas
                        ),
                    )
                )
            )
    terms = " ".join(term for term, _ in ENTRIES)
    often = {greek.get(symbol, symbol) for symbol, cells in where.items() if cells >= 3} - set(
        "ijtcdybs"
    )
    assert len(often) >= 15 and not {symbol for symbol in often if symbol not in terms}
