"""Answers to the exercises of notebook 06, DCGAN."""

import torch

RIGHT = {
    "pixels_alone": [1024, 1024.0],
    "dcgan_side": [64],
    "dcgan_parameters": [32832],
    "midpoint_length": [16, 16.0, torch.tensor(16.0)],
    "frechet_normals": [10, 10.0],
    "copies_share": [0.55, 0.1 + 0.9 / 2],
}

# fmt: off
WRONG = {
    "pixels_alone": [
        (1088,       "free"),
        (16,         "one pixel"),
        (17**64 - 1, "whole"),
        (5,          "levels"),
    ],
    "dcgan_side": [
        (32,  "three"),
        (128, "five"),
        (16,  "two"),
        (94,  "padding"),
        (1,   "Apply"),
    ],
    "dcgan_parameters": [
        (32768, "forgot"),
        (32800, "norm has two"),
        (32864, "no bias"),
        (32896, "not 64"),
        (8256,  "not 4"),
        (3,     "kernels of"),
    ],
    "midpoint_length": [
        (32, "varies less"),
        (4,  "its square"),
        (8,  "variance"),
    ],
    "frechet_normals": [
        (18,      "variances"),
        (10**0.5, "root"),
        (9,       "spreads"),
        (2,       "μ′ = 3"),
    ],
    "copies_share": [
        (0.6, "nine tenths"),
        (0.1, "Half"),
        (55,  "percent"),
        (0.3, "1 − c"),
    ],
}
# fmt: on
