"""Answers to the exercises of notebook 07, the U-Net."""

RIGHT = {
    "blur_of_averages": [(-0.2, -1), [0.4 - 0.6, -1.0]],
    "unet_bottleneck": [512, 128 * 2**2],
    "receptive_field": [70],
    "choose_cost": ["L2"],
}

# fmt: off
WRONG = {
    "blur_of_averages": [
        ((-1, -0.2),   "swapped"),
        ((-0.2, -0.2), "Only L2"),
        ((-1, -1),     "Only L1"),
        ((0.2, -1),    "sign"),
        ((0.5, 1),     "middle"),
        (3,            "Two numbers"),
    ],
    "unet_bottleneck": [
        (128,  "side is 2"),
        (2048, "there are five"),
        (4,    "Each of"),
        (7,    "Halve"),
    ],
    "receptive_field": [
        (46, "there are two"),
        (94, "double"),
        (16, "multiply"),
        (28, "forwards"),
        (3,  "Backwards"),
    ],
    "choose_cost": [
        ("L1 + GAN", "invents"),
        ("L1",       "doubt"),
        ("GAN",      "Alone"),
        ("both",     "Answer with"),
    ],
}
# fmt: on
