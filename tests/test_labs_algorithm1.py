"""Algorithm 1 one line at a time, without a browser: its lines are a step of the GAN."""

import torch

from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import Algorithm1
from ganlib.networks import mlp


def weights(net):
    return torch.cat([p.flatten() for p in net.parameters()]).detach()


def test_the_eight_lines_are_one_step_of_the_gan():
    G = mlp(1, 16, 1, seed=5)
    D = mlp(1, 16, 1, seed=6, cover=(-3, 3))
    gan = GAN(G, D, targets.uniform(), lr_G=0.01, lr_D=0.03, betas=(0.0, 0.9), seed=5)
    data = torch.Generator().manual_seed(5)
    lab = Algorithm1(seed=5)
    for _ in range(3):
        gan.step(targets.gaussian().sample(64, data))
        lab.run(8)
        torch.testing.assert_close(weights(lab.G), weights(G))
        torch.testing.assert_close(weights(lab.D), weights(D))


def test_each_line_moves_what_it_says():
    lab = Algorithm1(seed=5)
    assert lab.text() == "Line 0 of 8: not started; press step."
    for _ in range(3):
        for number, line in enumerate(Algorithm1.LINES, 1):
            G = weights(lab.G)
            D = weights(lab.D)
            lab.run(1)
            assert lab.text().startswith(f"Line {number} of 8: {line}; ")
            assert torch.equal(weights(lab.G), G) == (number != 8)
            assert torch.equal(weights(lab.D), D) == (number != 5)
    assert lab.fake.shape == (64, 1)
    assert not lab.fake.requires_grad


def test_a_reset_begins_at_the_first_line_with_the_first_weights():
    lab = Algorithm1(seed=5).run(11)
    lab.reset()
    assert torch.equal(weights(lab.G), weights(mlp(1, 16, 1, seed=5)))
    assert lab.at == -1
    assert lab.steps == 0


def test_it_has_words_and_a_poster():
    bundle = Algorithm1()._repr_mimebundle_()
    assert bundle["image/png"][:4] == b"\x89PNG"
    assert len(bundle["text/plain"]) > 40
