"""The labs of notebook 02 without a browser: what they compute, against other ways to do it."""

import re

import numpy as np
import pytest
import torch

from ganlib import targets
from ganlib.chains import transition
from ganlib.densities import line
from ganlib.families import LEAVES, VAE, Flow
from ganlib.labs import Bound, Pairs, Taxonomy, Walkers


def numbers(lab):
    return [float(number) for number in re.findall(r"-?\d+\.\d+", lab.text())]


def test_every_leaf_opens_by_mouse_and_by_menu():
    leaves = []
    for law in (targets.mixture(), targets.iris()):
        leaves += [Leaf().fit(law, steps=2) for Leaf in LEAVES]
    lab = Taxonomy(leaves)

    for Leaf in LEAVES:
        lab.set("leaf", Leaf.name).set("data", "iris petal length")
        leaf = f"{Leaf.name} ({Leaf.branch}) on iris petal length: density {Leaf.density}"
        assert lab.text().startswith(leaf)

        frame = lab.draw()
        x = frame["p"][:, 0]
        assert x[0] < 1  # in centimetres
        assert x[-1] > 6.9
        assert np.sum(frame["data"][:, 1]) * (x[1] - x[0]) == pytest.approx(1, abs=0.01)

        lab.pointed("tree", 3.2, 4.2)
        assert lab.values["leaf"] == "flow"
    lab.pointed("law", 0, 0)
    assert lab.values["leaf"] == "flow"


def test_a_tree_of_one_leaf():
    lab = Taxonomy([Flow().fit(targets.mixture(), steps=2)])
    lab.pointed("tree", 3, 0)
    assert lab.values["leaf"] == "flow"
    assert lab.figure()


def test_the_bound_is_that_of_the_same_vae_trained_alone():
    lab = Bound("one width").set("pull", 2.0).set("at", 1.0).run(19)
    vae = VAE("one width", pull=2.0)
    steps = vae.training(targets.mixture(), steps=VAE.steps)
    for _ in range(20):
        next(steps)

    x = torch.ones(1, 1).double()
    with torch.no_grad():
        log_p = float(vae.log_prob(x))
        elbo = float(vae.elbo(x[0]))
    lab.draw()
    assert numbers(lab)[:4] == pytest.approx([1.0, log_p, elbo, log_p - elbo], abs=0.006)


def test_the_exact_posterior_has_no_gap():
    assert numbers(Bound("exact").run(3))[3:] == [0, 0]


def test_a_bound_that_is_trained_stops():
    lab = Bound("blind")
    lab.training = iter(())
    lab.playing = True
    lab.run(1)
    assert not lab.playing

    assert lab.widget.status["note"] == "Trained."
    lab.set("pull", 2.0)
    assert lab.widget.status["note"] == ""
    lab.set("at", 1.0)
    assert lab.widget.status["note"] == ""


@pytest.mark.parametrize("kind", ["Metropolis", "Langevin"])
def test_walkers_follow_the_powers_of_the_matrix(kind):
    lab = Walkers(size=1.0, apart=2.0).set("kind", kind).run(30)
    log_p = targets.mixture((-1, 1)).log_prob(lab.x[:, None])
    K = transition(log_p, 1.0, line(-6, 6, 240), langevin=kind == "Langevin")
    start = targets.gaussian(-1, 0.5).log_prob(lab.x[:, None]).softmax(0)
    law = start @ torch.matrix_power(K, 30)
    torch.testing.assert_close(lab.law, law)

    far = float((law - log_p.softmax(0)).abs().sum()) / 2
    assert lab.tv[-1] == pytest.approx(far)
    assert numbers(lab)[0] == pytest.approx(far, abs=6e-4)

    second = float(torch.linalg.eigvals(K).abs().sort().values[-2])
    assert lab.second == pytest.approx(second, abs=1e-6)

    lab.reset()
    assert len(lab.tv) == 1
    assert lab.steps == 0


@pytest.mark.parametrize("kind", ["Metropolis", "Langevin"])
@pytest.mark.parametrize("size, apart", [(2.0, 3.0), (0.05, 8.0)])
def test_walkers_walk_at_all_settings_and_name_no_negative_time(kind, size, apart):
    lab = Walkers(size=size, apart=apart).set("kind", kind).run(50)
    assert float(lab.K.min()) >= 0
    assert "-" not in lab.text()
    assert 0 <= lab.tv[-1] <= lab.tv[0] + 1e-9


def test_walkers_who_will_not_forget_say_so():
    assert "1 to rounding" in Walkers(size=0.05, apart=8.0).text()
    assert "half of that goes in 3.0 steps" in Walkers(size=4.0, apart=3.0).text()


@pytest.mark.parametrize(
    "make, where",
    [(Bound, "x"), (lambda: Taxonomy([Flow().fit(targets.mixture(), steps=1)]), "tree")],
)
def test_a_click_that_is_no_place_changes_nothing(make, where):
    lab = make()
    before = lab.text()
    with pytest.raises(ValueError, match="must be a finite number, got nan"):
        lab.pointed(where, float("nan"), float("nan"))
    assert lab.text() == before


def test_random_pairs_give_the_mean_and_ordered_ones_the_law():
    blind = Pairs("drawn at random").run(300)
    assert float(blind.made.std()) < 0.15
    assert abs(float(blind.made.mean())) < 0.15

    ordered = Pairs("made by an encoder").run(300)
    assert float(ordered.made.std()) > 1.3
    assert bool((ordered.pairs.diff(dim=0) >= 0).all())


def test_a_detective_needs_no_pairs():
    lab = Pairs("made by an encoder").run(3).set("pairs", "none: ask a detective").run(20)
    assert lab.steps == 20
    assert len(lab.pairs) == 0
    assert "mean" in lab.text()


def test_a_lab_that_is_told_nonsense_says_so():
    with pytest.raises(ValueError, match="q"):
        Bound().set("posterior", "wide")
    with pytest.raises(ValueError):
        Walkers().set("size", 0)
