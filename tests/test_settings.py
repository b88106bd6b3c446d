"""What a run is told; the rest is tested with the runs, in test_training.py."""

import pytest
import torch

from ganlib.settings import checked_batch, checked_fall, fingerprint


def test_a_batch_is_a_multiple_of_the_processes():
    assert checked_batch(4, 10, 2) == 4
    with pytest.raises(ValueError, match="batch must be a multiple of 2, at most the 10 pictures"):
        checked_batch(5, 10, 2)


def test_no_fall_or_two_steps():
    assert checked_fall(()) == []
    assert checked_fall((1, 5)) == [1, 5]


def test_a_fingerprint_tells_pictures_apart():
    x = torch.zeros(3, 1, 8, 8)
    assert fingerprint(x) == fingerprint(x.clone())
    assert fingerprint(x) != fingerprint(x + 1)
