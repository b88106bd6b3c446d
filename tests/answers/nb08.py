"""Answers to the exercises of notebook 08, Why it turns instead of arriving."""

import torch

RIGHT = {
    "largest_rate": [1.2, torch.tensor(1.2)],
    "fewer_turns": [0.316, 10**-0.5],
}

# fmt: off
WRONG = {
    "largest_rate": [
        (0.6,   "takes γ for σ²"),
        (2.98,  "alternating play"),
        (0.3,   "as Wasserstein has it"),
        (4,     "at γ = 1 only"),
        (7,     "must stay below 1"),
    ],
    "fewer_turns": [
        (0.1,   "faster too"),
        (3.162, "The other way"),
        (1,     "their ratio changes"),
        (0.5,   "as lr_D"),
    ],
}
# fmt: on
