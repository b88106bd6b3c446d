"""Checks of notebook 06, DCGAN: each takes an answer and returns None when it is right, else a hint."""


def pixels_alone(answer):
    hints = {64 * 16: None, 64 * 17: "The 17 probabilities of a pixel add up to 1: only 16 of them are free.",
             16: "That is one pixel; there are 64.", 17**64 - 1: "That is the joint law of whole pictures."}
    return hints.get(answer, "Each of 64 pixels has 17 levels, whose probabilities add up to 1.")


def dcgan_side(answer):
    hints = {64: None, 32: "That is three layers; there are four.", 128: "That is five layers; there are four.",
             16: "That is two layers; there are four.", 94: "You left out the padding: −2p is −2."}
    return hints.get(answer, "Apply (n − 1)·2 − 2·1 + 4 four times, beginning with n = 4.")


def dcgan_parameters(answer):
    weights = 64 * 32 * 16
    hints = {weights + 64: None, weights: "You forgot the batch norm: a scale and a shift for each channel.",
             weights + 32: "Batch norm has two numbers for each channel, a scale and a shift.",
             weights + 96: "There is no bias: batch norm's shift does its work.",
             weights + 128: "Batch norm comes after the convolution: it has 32 channels, not 64.",
             64 * 32 * 4 + 64: "A 4×4 kernel has 16 weights, not 4."}
    return hints.get(answer, "64 · 32 kernels of 4 · 4 weights, and two numbers for each of 32 channels.")


def midpoint_length(answer):
    hints: dict[float, str | None] = {
             16: None, 32: "That is the squared length of a itself: the mean of two independent numbers varies less.",
             4: "4 is the length; the question asks for its square."}
    return hints.get(round(float(answer), 6), "Each number of (a + b)/2 has variance ¼ + ¼, and there are 32 of them.")


def frechet_normals(answer):
    hints = {10: None, 18: "You used the variances 1 and 4; the formula takes the standard deviations 1 and 2.",
             3.16: "That is its root: FD is the squared distance.", 9: "The means give 9; the spreads differ too."}
    return hints.get(round(float(answer), 2), "(μ − μ′)² + (σ − σ′)² with μ = 0, σ = 1, μ′ = 3, σ′ = 2.")


def copies_share(answer):
    hints = {0.55: None, 0.6: "The honest ones are nine tenths of the samples, not all of them.",
             0.1: "Half of the honest samples are nearer to train, too.",
             55: "That is in percent; the answer is a share between 0 and 1."}
    return hints.get(round(float(answer), 6), "c copies are all nearer to train; of the other 1 − c, half.")
