"""The code book: what a message costs in the code made for P, and in the one made for Q."""

import math
from itertools import pairwise

import numpy as np

from ganlib import plots
from ganlib.checks import count, finite
from ganlib.divergences import code_lengths, code_words, entropy, kl
from ganlib.stage.lab import Lab
from ganlib.stage.scene import Axes, Bars, Choice, Handles, Slider, Text

SKY = plots.COLOURS["sky"]
ORANGE = plots.COLOURS["orange"]

SYMBOLS = "abcdefgh"
WEIGHTS = {
    "a race": [32, 16, 8, 4, 1, 1, 1, 1],
    "all alike": [1] * 8,
    "only a to d": [1, 1, 1, 1, 0, 0, 0, 0],
}
MESSAGE = 20  # symbols that are sent
ROWS = {"P": 1.25, "Q": 0.05}  # where the message in the code for P, and for Q, is drawn
WIDE = 0.4  # the width of a bar of P or Q


class CodeBook(Lab):
    """Say how often eight symbols come.

    A message is sent in the code that was made for P and in the code that was made for Q.
    """

    def __init__(self):
        # Where the symbols of the message are cut from P: evenly, so that it is a typical one.
        self.draws = (np.random.default_rng(0).permutation(MESSAGE) + 0.5) / MESSAGE
        super().__init__(
            title="The code book",
            height=400,
            axes=[
                Axes("laws", box=(0, 0, 1, 0.58), x=(-0.5, 7.5), y=(-0.09, 1.1), frame=False),
                Axes(
                    "sent",
                    box=(0, 0.58, 1, 0.42),
                    x=(0, 60),
                    y=(0, 2.4),
                    auto="x",
                    frame=False,
                    legend=False,
                ),
            ],
            marks=[
                Bars("P", "laws", "P, how often they come", color=SKY),
                Bars("Q", "laws", "Q, what the other code is made for", color=ORANGE),
                Handles("tops", "laws"),
                Text("book", "laws", size=12),
                Bars("sent P", "sent", color=SKY),
                Bars("sent Q", "sent", color=ORANGE),
                Text("bits", "sent", size=12),
                Text("costs", "sent", align="left"),
            ],
            controls=[
                Choice("made", "Q", [*WEIGHTS, "the same as P"], "all alike"),
                *(
                    Slider(s, f"weight of {s}", 0, 64, weight, step=1, group="the weights of P")
                    for s, weight in zip(SYMBOLS, WEIGHTS["a race"])
                ),
            ],
        )

    def dragged(self, mark, index, x, y):
        """The bar is drawn up to y: its weight is that which gives the probability y."""
        symbol = SYMBOLS[count("index", index, 0, len(SYMBOLS) - 1)]
        share = min(max(finite("y", y), 0.0), 0.9)
        rest = sum(self.values[s] for s in SYMBOLS) - self.values[symbol]
        if rest > 0:  # else its probability is 1, whatever its weight
            weight = share / (1 - share) * rest
            self.tell(**{symbol: min(64.0, weight)})

    def measure(self):
        """P, Q; the length of each word in their Huffman codes; and the mean of each over P.

        Shapes: (8,), (8,), (2, 8), (2,); lengths in bits.
        """
        weights = np.array([self.values[s] for s in SYMBOLS])
        p = np.full(len(SYMBOLS), 0.125)
        if weights.sum() > 0:
            p = weights / weights.sum()

        q = p
        made = self.values["made"]
        if made in WEIGHTS:
            other = np.array(WEIGHTS[made])
            q = other / other.sum()

        lengths = np.stack([code_lengths(law, "huffman") for law in (p, q)])
        comes = p > 0  # a symbol that never comes may have no word
        costs = lengths[:, comes] @ p[comes]
        return p, q, lengths, costs

    def draw(self):
        p, q, lengths, costs = self.measure()
        places = np.arange(len(SYMBOLS))
        floor = np.zeros(len(SYMBOLS))
        width = np.full(len(SYMBOLS), WIDE)
        for_p, for_q = (code_words(of_one) for of_one in lengths)
        message = np.searchsorted(p.cumsum(), self.draws).clip(max=7)

        bars_p, words_p = _sent(message, lengths[0], for_p, ROWS["P"])
        bars_q, words_q = _sent(message, lengths[1], for_q, ROWS["Q"])
        return {
            "P": np.c_[places - 0.42, floor, width, p],
            "Q": np.c_[places + 0.02, floor, width, q],
            "tops": np.c_[places - 0.22, p],
            "book": [
                *zip(places, [-0.06] * len(SYMBOLS), SYMBOLS),
                *zip(places - 0.22, p + 0.08, for_p),
                *zip(places + 0.22, q + 0.08, for_q),
            ],
            "sent P": bars_p,
            "sent Q": bars_q,
            "bits": words_p + words_q,
            "costs": [_price(name, cost) for name, cost in zip("PQ", costs)],
        }

    def text(self):
        p, q, _, (for_p, for_q) = self.measure()
        H = entropy(p, base="bits")
        extra = kl(p, q, base="bits")
        return (
            f"H(P) is {H:.3f} bits. A symbol costs {for_p:.3f} bits in the Huffman code for P and "
            f"{for_q:.3f} in the one for Q, {for_q - for_p:.3f} more; KL(P‖Q) is {extra:.3f} bits."
        )


def _sent(message, lengths, words, low):
    """The message in one code: a bar for each symbol, as long as its word; and what stands on it.

    It ends before the first symbol that has no word.
    """
    ends = np.concatenate([[0], lengths[message].cumsum()])
    bars = []
    symbols = []
    coded = []
    for (start, end), k in zip(pairwise(ends), message):
        if start < end < math.inf:  # what always comes need not be sent
            middle = (start + end) / 2
            bars.append((start, low, end - start - 0.15, 0.36))
            symbols.append((middle, low + 0.52, SYMBOLS[k]))
            coded.append((middle, low + 0.18, words[k]))
    return bars, symbols + coded


def _price(name, cost):
    """What the code for P or for Q costs, in words at their place."""
    says = f"{cost:.3f} bits a symbol"
    if cost == 0:
        says = "nothing to send, one symbol always comes"
    if cost == math.inf:
        says = "it has no word for the next symbol"
    return 0, ROWS[name] + 0.88, f"code for {name}: {says}"
