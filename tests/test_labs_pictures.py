"""The labs of pictures: they show what was computed, and what the learner does is heard."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from matplotlib.colors import LinearSegmentedColormap, to_hex
from test_colours import contrast

from ganlib import images
from ganlib.gan import GAN
from ganlib.images import mosaic
from ganlib.labs import LatentWalk, Neighbours, PictureLab, TransposedConvolution, WhichIsReal
from ganlib.metrics import classifier, evaluate
from ganlib.networks import dcgan_discriminator, dcgan_generator
from ganlib.stage.scene import PALETTES
from ganlib.targets import gaussian
from ganlib.training import NUMBERS, Run

torch.set_num_threads(1)
NOTEBOOK = Path(__file__).parent.parent / "notebooks/06_dcgan.ipynb"


def small_pair():
    """A G and a D for pictures of 8 numbers z, small enough for tests."""
    G = dcgan_generator(width=4, z_dim=8, seed=0)
    D = dcgan_discriminator(width=4, seed=0)
    return G, D


@pytest.fixture(scope="module")
def pair():
    G, D = small_pair()
    return G.eval().requires_grad_(False), D.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def digits():
    return images.digits()


def make_run(x, **way):
    G, D = small_pair()
    return Run(GAN(G, D, gaussian(dim=8), seed=0), x[:300], **way)


def test_the_picture_lab_draws_the_losses_that_were_read(digits):
    lab = PictureLab(lambda: make_run(digits.x, read=2), None, None).run(3)
    twin = make_run(digits.x).train(2)
    assert lab.draw()["loss_D"].tolist() == [
        [step, record["loss_D"]] for step, record in enumerate(twin.gan.history, 1)
    ]


def test_the_picture_lab_trains_the_run_and_draws_what_it_noted(digits):
    net = classifier(digits.x, digits.labels, steps=3)
    lab = PictureLab(lambda: make_run(digits.x), digits.x[:100], net).run(99)
    assert lab.text() == "step 99."
    assert len(lab.draw()["FD"]) == 0

    lab.run(1)
    twin = make_run(digits.x)
    twin.train(100)
    frame = lab.draw()
    assert frame["FD"] == [(100, evaluate(twin.sample(1000), digits.x[:100], net)["FD"])]
    assert re.search(r"step 100; at step 100: FD [\d.]+, TV .*, recall [\d.]+\.", lab.text())
    assert lab.claim() == "step 100"
    np.testing.assert_allclose(frame["D_fake"][:, 1], [h["D_fake"] for h in twin.gan.history])
    np.testing.assert_allclose(frame["wall"], mosaic(twin.sample(36), 6)[::-1])


def test_a_point_of_a_long_curve_is_the_mean_of_several_steps(digits):
    lab = PictureLab(lambda: make_run(digits.x), digits.x[:100], None)
    record = dict.fromkeys(NUMBERS, 0.0)
    lab.run_.gan.history[:] = [record | {"loss_G": float(n)} for n in range(1, 632)]
    steps, losses = lab.draw()["loss_G"].T
    assert len(steps) == 315  # of 631 steps, the last alone
    assert steps[-1] == 630
    np.testing.assert_array_equal(losses, steps - 0.5)


def test_a_reset_begins_the_same_run_with_the_rates_that_are_set(digits):
    lab = PictureLab(lambda: make_run(digits.x), digits.x[:100], None).run(3)
    first = lab.draw()["loss_D"]
    lab.reset()
    assert len(lab.draw()["loss_D"]) == 0
    assert lab.text() == "step 0."
    np.testing.assert_array_equal(lab.run(3).draw()["loss_D"], first)

    lab.set("lr_D", 0.01)
    assert lab.run_.gan.lr_D == 0.01
    lab.reset()
    assert lab.run_.gan.lr_D == 0.01
    assert lab.run_.gan.lr_G == 1e-3


def test_the_plane_goes_through_its_three_corners(pair):
    G, _ = pair
    lab = LatentWalk(G, 8, seed=3)
    a, b, c = torch.randn(3, 8, generator=torch.Generator().manual_seed(3))
    for (u, v), z in {(0, 0): a, (1, 0): b, (0, 1): c, (-1, 1): a - b + c}.items():
        torch.testing.assert_close(lab.z(u, v), z)

    lab.pressed("sum")
    assert (lab.values["u"], lab.values["v"]) == (-1, 1)
    lab.dragged("dot", 0, 0.25, 9.0)
    assert (lab.values["u"], lab.values["v"]) == (0.25, 1.5)

    shown = mosaic(G(lab.z(0.25, 1.5)[None]), 1)
    np.testing.assert_allclose(lab.draw()["picture"], shown[::-1], atol=1e-6)


def test_the_arc_is_the_slerp_of_the_notebook_and_begins_at_a(pair):
    G, _ = pair
    lab = LatentWalk(G, 8, seed=3).set("walk", "arc (the path of slerp)")
    corners = torch.randn(3, 8, generator=torch.Generator().manual_seed(3))
    a, b, c = corners
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (cell,) = [cell.source for cell in cells if cell.id == "slerp"]
    taught = {"torch": torch}
    exec(cell.split("\n\n\n")[0], taught)
    for k in range(9):
        torch.testing.assert_close(lab.z(k / 8, 0.0), taught["slerp"](a, b, torch.tensor(k / 8)))
        torch.testing.assert_close(lab.z(0.0, k / 8), taught["slerp"](a, c, torch.tensor(k / 8)))

    fourth = lab.z(-1, 1)
    assert float(torch.cosine_similarity(fourth, a - b + c, dim=0)) == pytest.approx(1)
    assert float(fourth.norm()) == pytest.approx(float(corners.norm(dim=1).mean()))
    assert f"the length of z is {float(lab.z(0.5, 0).norm()):.1f}" in lab.text()


STAMPS = [(3, 2, 0), (4, 2, 1), (4, 2, 0), (5, 2, 0), (2, 2, 0), (5, 1, 2), (3, 1, 1), (2, 3, 0)]


@pytest.mark.parametrize("kernel, stride, padding", STAMPS)
def test_stamps_add_up_to_the_transposed_convolution(kernel, stride, padding):
    lab = TransposedConvolution()
    lab.set("kernel", kernel).set("stride", stride).set("padding", padding)

    side = 2 * stride + kernel
    wide = np.zeros((side, side))
    for top in range(0, 3 * stride, stride):
        for left in range(0, 3 * stride, stride):
            wide[top : top + kernel, left : left + kernel] += 1
    expected = wide[padding : side - padding, padding : side - padding]

    assert lab.run(8).text().endswith(f"= {len(expected)}.")  # not before the last is down
    lab.run(1)
    np.testing.assert_array_equal(lab.counts(), expected)

    far = np.zeros((20 * stride + kernel,) * 2)  # the same kernel on a large map: only its middle
    for top in range(0, 20 * stride + 1, stride):
        for left in range(0, 20 * stride + 1, stride):
            far[top : top + kernel, left : left + kernel] += 1
    middle = far[9 * stride : 10 * stride, 9 * stride : 10 * stride]
    inside = expected[lab.inner(), lab.inner()]
    if inside.size:
        said = f"stamped {middle.min():.0f} to {middle.max():.0f} times."
        assert {*np.unique(inside)} <= {*np.unique(middle)}
    else:
        said = "all of it is rim"
    assert said in lab.text()
    assert f"= {len(expected)}." in lab.text()
    assert lab.advance() is False
    lab.reset()
    assert not lab.counts().any()


def test_the_figures_can_be_read_on_every_shade():
    """WCAG asks for a contrast of 4.5 between words and what is behind them."""
    lab = TransposedConvolution().set("kernel", 5).set("stride", 1).run(9)
    assert lab.counts().max() == 9
    out, counts = (mark for mark in lab.scene.marks if mark.axes == "out")
    shades = LinearSegmentedColormap.from_list("", PALETTES[out.palette])
    darkest = to_hex(shades(lab.draw()["out"].max()))
    assert contrast(counts.color, darkest) > 4.5


def test_a_padding_that_eats_the_kernel_is_refused():
    with pytest.raises(ValueError, match="less than half the kernel"):
        TransposedConvolution().set("padding", 2)


def test_which_is_real_keeps_both_scores(pair, digits):
    lab = WhichIsReal(*pair, digits.x, torch.randn(20, 8), seed=1)
    for k in range(25):
        lab.pressed("real" if k % 2 else "fake")
    you, D = lab.scores()
    assert len(you) == 21
    assert you[-1] == sum((k % 2 == 1) == lab.truth[k] for k in range(20))
    assert lab.truth.sum() == 10
    assert D[-1] == ((lab.belief > 0.5) == lab.truth).sum()
    assert f"D {D[-1]} right" in lab.text()

    lab.pressed("again")
    assert lab.text().startswith("picture 1 of 20")


def test_neighbours_finds_a_copy(digits):
    train = digits.x[:200]
    held_out = digits.x[200:500]
    lab = Neighbours(torch.cat([held_out[:1], train[7:8]]), train, held_out).set("sample", 1)
    assert "nearest training picture is 0.0 away" in lab.text()
    assert "train is nearer" in lab.text()
    assert lab.draw()["wall"].shape == (17, 62)


@pytest.mark.parametrize(
    "make",
    [TransposedConvolution, lambda: PictureLab(lambda: make_run(images.digits().x), None, None)],
)
def test_every_lab_has_a_picture_and_a_text_twin(make):
    bundle = make()._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert len(bundle["text/plain"]) > 30
