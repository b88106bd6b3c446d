"""States of networks and optimisers: flat names, and back only if all of it fits."""

import pytest
import torch
from torch import nn

from ganlib import states
from ganlib.networks import mlp


def trained(*, optimiser=torch.optim.Adam, steps=3, seed=0):
    """({"G": a network with batch norm}, {"opt_G": its optimiser}) after some steps."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
    own = optimiser(net.parameters(), lr=0.1)
    for _ in range(steps):
        own.zero_grad()
        net(torch.randn(8, 2)).square().mean().backward()
        own.step()
    return {"G": net}, {"opt_G": own}


def same(found, wanted):
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("optimiser", [torch.optim.Adam, torch.optim.SGD])
@pytest.mark.parametrize("steps", [0, 3])
def test_there_and_back(optimiser, steps):
    here = trained(optimiser=optimiser, steps=steps)
    there = trained(optimiser=optimiser, steps=5, seed=1)
    saved = {name: value.clone() for name, value in states.flat(*here).items()}
    states.restore(saved, *there)
    same(states.flat(*there), saved)

    # Nothing is shared: what is trained there changes nothing here.
    for _, value in states.flat(*there).items():
        value += 1
    same(states.flat(*here), saved)


def test_names():
    nets, optimisers = trained()
    names = list(states.flat(nets, optimisers))
    assert names[:3] == ["G.0.weight", "G.0.bias", "G.1.weight"]
    assert "G.1.num_batches_tracked" in names
    assert names[-1] == "opt_G.5.exp_avg_sq"


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("G.0.weight", None, "there is no G.0.weight"),
        ("G.0.weight", torch.zeros(4, 3), r"G.0.weight is \(4, 3\), not \(4, 2\)"),
        ("G.0.weight", torch.zeros(4, 2, dtype=torch.long), "numbers of torch.int64"),
        ("G.0.bias", torch.full((4,), torch.inf), "not finite"),
        ("G.1.num_batches_tracked", torch.tensor(1.0), "numbers of torch.float32"),
        ("opt_G.0.exp_avg", torch.zeros(()).expand(4, 3), "opt_G.0.exp_avg is"),
        ("opt_G.0.exp_avg_sq", torch.full((4, 2), -1.0), "must not be negative"),
        ("opt_G.2.step", None, "there is no opt_G.2.step"),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(name, value, words):
    here = trained()
    before = {key: kept.clone() for key, kept in states.flat(*here).items()}
    saved = {**before, name: value}
    if value is None:
        del saved[name]
    with pytest.raises(ValueError, match=words):
        states.restore(saved, *here)
    same(states.flat(*here), before)


def test_the_state_of_a_generator_is_one_that_it_takes():
    torch.manual_seed(3)
    state = torch.get_rng_state()
    found = states.generator_state({"noise": state}, "noise")
    assert torch.equal(found, state)
    assert found.data_ptr() != state.data_ptr()
    with pytest.raises(ValueError, match="noise is no state of a generator"):
        states.generator_state({"noise": torch.zeros_like(state)}, "noise")
    with pytest.raises(ValueError, match="there is no noise"):
        states.generator_state({}, "noise")


def test_a_stride_of_zero_is_copied_into_memory_of_its_own():
    nets = {"G": mlp(1, 4, 1, seed=0)}
    optimiser = torch.optim.Adam(nets["G"].parameters(), fused=True)
    saved = states.flat(nets, {})
    for number, part in enumerate(nets["G"].parameters()):
        for name in ("exp_avg", "exp_avg_sq"):
            saved[f"opt_G.{number}.{name}"] = torch.zeros(()).expand(part.shape)
        saved[f"opt_G.{number}.step"] = torch.tensor(1.0)
    states.restore(saved, nets, {"opt_G": optimiser})
    nets["G"](torch.ones(3, 1)).sum().backward()
    optimiser.step()
    assert all(bool(part.isfinite().all()) for part in nets["G"].parameters())
    assert all(memory["exp_avg"].is_contiguous() for memory in optimiser.state.values())
