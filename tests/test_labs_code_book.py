"""The code book of notebook 01 against what its codes must cost."""

import math
import re

import pytest

from ganlib.labs import CodeBook


def numbers(lab):
    return [float(n) for n in re.findall(r"-?\d+\.\d+|inf", lab.text())]


def test_the_code_book_counts_bits():
    lab = CodeBook()
    assert numbers(lab) == [2.0, 2.0, 3.0, 1.0, 1.0]

    frame = lab.draw()
    bits = {
        code: sum(round(width + 0.15) for _, _, width, _ in frame[f"sent {code}"]) for code in "PQ"
    }
    assert bits == {"P": 39, "Q": 60}  # 20 symbols, as typical as 20 can be

    lab.set("made", "the same as P")
    assert numbers(lab)[3:] == [0.0, 0.0]


def test_a_bar_of_the_code_book_is_dragged_to_its_probability():
    lab = CodeBook()
    lab.dragged("tops", 0, 0, 0.2)
    p, _, _, _ = lab.measure()
    assert p[0] == pytest.approx(0.2)


@pytest.mark.parametrize("index, y", [(0, math.nan), (0, "up"), (8, 0.2), (-1, 0.2), (None, 0.2)])
def test_a_bar_dragged_nowhere_stays(index, y):
    lab = CodeBook()
    with pytest.raises(ValueError, match="must be"):
        lab.dragged("tops", index, 0, y)
    assert numbers(lab) == [2.0, 2.0, 3.0, 1.0, 1.0]


def test_one_symbol_alone_costs_nothing_to_send():
    lab = CodeBook().set("made", "the same as P")
    for symbol in "bcdefgh":
        lab.set(symbol, 0)
    assert numbers(lab) == [0.0] * 5

    lab.dragged("tops", 0, 0, 0.3)  # its probability is 1, whatever its weight
    assert lab.values["a"] == 32
    frame = lab.draw()
    assert len(frame["sent P"]) == 0
    assert all("nothing to send" in words for _, _, words in frame["costs"])


@pytest.mark.parametrize(
    "weights, waste, kl_bits",
    [([64] * 4 + [33] * 4, 0.0, 0.075), ([64] + [1] * 7, 1.718, 2.259)],
)
def test_what_huffman_wastes_may_be_far_from_kl(weights, waste, kl_bits):
    lab = CodeBook()  # Q: all alike
    for symbol, weight in zip("abcdefgh", weights):
        lab.set(symbol, weight)
    assert numbers(lab)[3:] == pytest.approx([waste, kl_bits], abs=6e-4)


def test_a_code_without_a_word_for_a_symbol_stops_there():
    lab = CodeBook().set("made", "only a to d")
    assert numbers(lab)[2:] == [math.inf] * 3
    assert any("no word" in words for _, _, words in lab.draw()["costs"])


def test_without_any_weight_all_symbols_come_alike():
    lab = CodeBook().set("made", "all alike")
    for symbol in "abcdefgh":
        lab.set(symbol, 0)
    assert numbers(lab) == [3.0, 3.0, 3.0, 0.0, 0.0]
