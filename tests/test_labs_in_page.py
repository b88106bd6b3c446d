"""Labs that train in a page, as the kernel sees them: what it tells, what it takes back."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import nbformat
import pytest
import torch

from ganlib import labs, targets
from ganlib.engine import export
from ganlib.gan import GAN
from ganlib.labs import GANLab, PlaneLab, in_page
from ganlib.losses import LOSSES, Loss
from ganlib.networks import mlp

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def make_gan(**how):
    G = how.pop("G", None) or mlp(1, 8, 1, seed=0)
    return GAN(G, mlp(1, 8, 1, seed=1), targets.gaussian(), seed=0, **how)


def make_plane(**how):
    G = mlp(2, 8, 2, seed=0)
    D = mlp(2, 8, 1, seed=1)
    return PlaneLab(GAN(G, D, targets.gaussian(dim=2), seed=0), batch=16, **how)


def given(lab):
    """The run that the kernel has handed to the page, which sends such ones back."""
    return json.loads(lab.widget.run)


def send(lab, run):
    """What the page would send."""
    lab.widget.sent = run if isinstance(run, str) else json.dumps(run)


# -- what stays in the kernel ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "how, words",
    [
        ({"G": mlp(1, 8, 1, activation=torch.nn.ReLU)}, "layer 1 of G is ReLU"),
        ({"loss": Loss("mine", D=LOSSES["hinge"].D, G=LOSSES["hinge"].G)}, "knows no loss"),
        ({"penalty": lambda D, real, fake, generator: 0 * D(real).sum()}, "knows no penalty"),
    ],
)
def test_what_the_engine_does_not_know_stays_and_is_named(how, words):
    lab = GANLab(make_gan(**how), engine="browser")
    assert lab.remote is None
    assert lab.note.startswith("This lab trains in the kernel: ")
    assert words in lab.note
    assert lab.run(1).steps == 1


def test_a_law_of_one_s_own_class_stays():
    class Odd:
        name = "odd"
        range = (-2, 2)

        def sample(self, n, generator):
            return torch.rand(n, 1, generator=generator)

        def log_prob(self, x):
            return -(x[:, 0] ** 2)

    lab = GANLab(make_gan(), Odd(), engine="browser")
    assert lab.remote is None
    assert "mixtures and uniform laws" in lab.note


def test_engines_that_there_are():
    with pytest.raises(ValueError, match="engine must be one of kernel, browser, got 'gpu'"):
        GANLab(make_gan(), engine="gpu")
    with pytest.raises(ValueError, match="this one trains in the kernel"):
        GANLab(make_gan()).pull()
    with pytest.raises(ValueError, match="a lab in a page must be one of GANLab"):
        in_page.describe(labs.Pizza())


# -- there and back --------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda **how: GANLab(make_gan(), **how), make_plane])
def test_a_run_comes_back_whole(make):
    lab = make(engine="browser").set("lr_D", 0.004).set("anneal", False).run(30)
    other = make(engine="browser", name="other")
    send(other, given(lab))
    assert other.pull() == 30
    assert other.values == lab.values
    assert other.past.tolist() == lab.past.tolist()
    assert other.ledger == lab.ledger

    lab.run(10)
    other.run(10)
    assert export.state(other.gan) == export.state(lab.gan)
    assert other.pull() == 40  # nothing new: nothing changes


def test_points_that_were_drawn_come_back():
    lab = make_plane(engine="browser")
    lab.pressed("ten")
    lab.run(1)
    other = make_plane(engine="browser", name="other")
    send(other, given(lab))
    other.pull()
    assert other.clicked == [pytest.approx(point) for point in lab.clicked]
    assert torch.equal(other.target.means, lab.target.means)


@pytest.mark.parametrize(
    "path, value",
    [
        ("state G", {"float32": ""}),
        ("state G", {"float16": "AAAA"}),
        ("state D", [1.0]),
        ("state optimiser", "sgd"),
        ("state steps", -1),
        ("state steps", "many"),
        ("state generator words", [1, 2]),
        ("data used", 10**6),
        ("every", 0),
        ("past", []),
        ("past", [[0, 1]]),
        ("knobs batch", 0),
        ("knobs target", "nowhere"),
        ("knobs", {}),
    ],
)
def test_a_run_that_does_not_fit_changes_nothing(path, value):
    lab = GANLab(make_gan(), engine="browser").run(3)
    before = lab.widget.run
    run = given(lab)
    *keys, last = path.split()
    place = run
    for key in keys:
        place = place[key]
    place[last] = value

    send(lab, run)
    with pytest.raises(ValueError, match="what the page sent does not fit this lab"):
        lab.pull()
    assert given(lab)["state"] == json.loads(before)["state"]
    send(lab, before)
    assert lab.pull() == 3
    assert lab.run(1).steps == 4


@pytest.mark.parametrize("key", ["ten", "clear", "step_G"])
def test_a_button_of_the_plane_is_handed_over_once(key):
    lab = make_plane(engine="browser")
    lab.pressed("ten")
    there = given(lab)["number"]
    lab.pressed(key)
    assert given(lab)["number"] == there + 1
    assert len(given(lab)["clicked"]) == {"ten": 20, "clear": 0, "step_G": 10}[key]


def test_what_a_page_sent_before_it_had_the_last_run_is_old():
    lab = GANLab(make_gan(), engine="browser").run(3)
    before = given(lab)
    lab.run(2)
    send(lab, {**before, "every": 50})
    assert lab.pull() == 5
    assert lab.session.every == 25


@pytest.mark.parametrize(
    "what",
    [
        lambda lab: lab.reset(),
        lambda lab: lab.load(lab.save()),
        lambda lab: lab.set("seed", 0),
        lambda lab: lab.pressed("step_G"),
        lambda lab: setattr(lab, "horizon", 9000),
    ],
)
def test_what_is_done_in_the_kernel_goes_to_the_page(what):
    lab = GANLab(make_gan(), engine="browser").run(3)
    there = given(lab)["number"]
    what(lab)
    assert given(lab)["number"] == there + 1
    assert given(lab)["horizon"] == lab.horizon
    assert given(lab)["state"]["steps"] == lab.gan.steps


def test_a_run_that_diverges_in_the_kernel_goes_to_the_page_too():
    wild = {"optimiser": "sgd", "loss": "least-squares", "lr_G": 1.0, "lr_D": 1.0}
    lab = GANLab(make_gan(**wild), anneal=False, engine="browser")
    with pytest.raises(FloatingPointError):
        lab.run(200)
    assert given(lab)["state"]["steps"] == lab.gan.steps > 0


def test_a_run_that_is_pulled_late_has_the_rates_of_its_step_and_its_own_law():
    lab = GANLab(make_gan(lr_G=2e-3), horizon=100, engine="browser")
    lab.set("target", "two modes").run(90)
    other = GANLab(make_gan(lr_G=2e-3), horizon=100, engine="browser", name="other")
    send(other, given(lab))
    other.pull()
    lab.session.tune()  # the rates of the next step, not of the last one
    assert other.gan.lr_G == lab.gan.lr_G == pytest.approx(2e-3 * 0.2)
    assert other.text() == lab.text()
    assert float(other.session.real.std()) > 1.5  # examples of two modes, not of the normal


def test_a_trained_gan_tells_the_rates_that_were_asked_for():
    gan = make_gan(lr_G=2e-3)
    gan.steps = 2500
    told = in_page.describe(GANLab(gan))
    assert told["gan"]["settings"]["lr_G"] == 2e-3
    assert told["usual"]["lr_G"] == 2e-3


def test_a_lab_that_is_made_again_pauses_the_page_of_the_first():
    first = GANLab(make_gan(), engine="browser", name="twice")
    asked = []
    first.remote.ask = asked.append
    GANLab(make_gan(), engine="browser", name="twice")
    assert asked == ["pause"]


def test_a_layer_that_stands_twice_is_named():
    layer = torch.nn.Linear(4, 4)
    G = torch.nn.Sequential(
        torch.nn.Linear(1, 4),
        torch.nn.Tanh(),
        layer,
        torch.nn.Tanh(),
        layer,
        torch.nn.Tanh(),
        torch.nn.Linear(4, 1),
    )
    lab = GANLab(make_gan(G=G), engine="browser")
    assert "no layer that stands twice in G" in lab.note


def test_a_link_says_what_differs_from_the_page_s_own_lab():
    mine = targets.from_samples([1.0, 2.0, 4.0], name="mine")
    lab = GANLab(make_gan(lr_G=1e-4), mine, batch=64)
    asked = parse_qs(lab.link("https://x.org/lab.html").split("#")[1])
    assert asked["lr_G"] == ["0.0001"]
    assert asked["batch"] == ["64"]
    assert "target" not in asked
    assert lab.code() == "lab"


def test_weights_that_are_not_finite_are_refused():
    lab = GANLab(make_gan(), engine="browser").run(3)
    run = given(lab)
    state = export.unpacked(run["state"])
    state["G"][0] = float("nan")
    run["state"] = export.packed(state)
    send(lab, run)
    with pytest.raises(ValueError, match="does not fit"):
        lab.pull()
    assert lab.steps == 3
    assert lab.ledger.js < 1


# -- what pages show -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, notebook, cell, make",
    [
        ("GANLab", "04_gan_in_one_dimension", "build-the-gan", "GANLab(new_gan())"),
        ("PlaneLab", "05_losses_and_failure", "plane-lab", "PlaneLab(plain_gan(0), batch=64)"),
    ],
)
def test_the_labs_of_pages_are_those_of_the_notebooks(name, notebook, cell, make):
    nb = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4)
    (source,) = (one.source for one in nb.cells if one.id == cell)
    definition = source[: source.index("\n\n")]
    names = {"GAN": GAN, "mlp": mlp, "targets": targets}
    exec(definition, names)
    lab = eval(make, {**names, "GANLab": GANLab, "PlaneLab": PlaneLab})
    assert in_page.describe(lab) == in_page.describe(in_page.made(name))


def test_every_lab_in_a_page_is_named_where_it_stands():
    ids = {
        cell.id
        for path in NOTEBOOKS.glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
    }
    assert set(in_page.CELLS) <= ids
    assert set(in_page.CELLS.values()) == set(in_page.MADE)


@pytest.mark.parametrize("name", in_page.MADE)
def test_a_piece_of_a_page_asks_for_nothing(name):
    piece = in_page.script() + in_page.html(in_page.made(name))
    assert not re.search(r"https?:|@import|url\(|<link|src=\"(?!data:)", piece)
    assert piece.count("</script>") == 2  # so nothing in a description ends a script early
