"""The checks of notebook 06, DCGAN."""

from ganlib.exercises import _numbers

# fmt: off
pixels_alone = _numbers(
    64 * 16,
    "Each of 64 pixels has 17 levels, whose probabilities add up to 1.",
    {
        64 * 17:           "The 17 probabilities of a pixel add up to 1: only 16 of them are free.",
        16:                "That is one pixel; there are 64.",
        float(17**64 - 1): "That is the joint law of whole pictures.",
    },
    near=0,
)

dcgan_side = _numbers(
    64,
    "Apply (n − 1)·2 − 2·1 + 4 four times, beginning with n = 4.",
    {
        32:  "That is three layers; there are four.",
        128: "That is five layers; there are four.",
        16:  "That is two layers; there are four.",
        94:  "You left out the padding: −2p is −2.",
    },
    near=0,
)

dcgan_parameters = _numbers(
    64 * 32 * 16 + 64,
    "64 · 32 kernels of 4 · 4 weights, and two numbers for each of 32 channels.",
    {
        64 * 32 * 16:       "You forgot the batch norm: a scale and a shift for each channel.",
        64 * 32 * 16 + 32:  "Batch norm has two numbers for each channel, a scale and a shift.",
        64 * 32 * 16 + 96:  "There is no bias: batch norm's shift does its work.",
        64 * 32 * 16 + 128: "Batch norm comes after the convolution: it has 32 channels, not 64.",
        64 * 32 * 4 + 64:   "A 4×4 kernel has 16 weights, not 4.",
    },
    near=0,
)

midpoint_length = _numbers(
    16,
    "Each number of (a + b)/2 has variance ¼ + ¼, and there are 32 of them.",
    {
        32: "That is the squared length of a itself: the mean of two independent numbers varies "
            "less.",
        4:  "4 is the length; the question asks for its square.",
    },
    near=1e-8,
)

# 3.161 stands for √10, whether it is given as 3.16 or with more digits
frechet_normals = _numbers(
    10,
    "(μ − μ′)² + (σ − σ′)² with μ = 0, σ = 1, μ′ = 3, σ′ = 2.",
    {
        18:    "You used the variances 1 and 4; the formula takes the standard deviations 1 and 2.",
        3.161: "That is its root: FD is the squared distance.",
        9:     "The means give 9; the spreads differ too.",
    },
    near=4.5e-4,
)

copies_share = _numbers(
    0.55,
    "c copies are all nearer to train; of the other 1 − c, half.",
    {
        0.6: "The honest ones are nine tenths of the samples, not all of them.",
        0.1: "Half of the honest samples are nearer to train, too.",
        55:  "That is in percent; the answer is a share between 0 and 1.",
    },
    near=1e-8,
)
# fmt: on
