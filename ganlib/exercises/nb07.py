"""The checks of notebook 07, the U-Net."""

from ganlib.exercises import _numbers

# fmt: off
blur_of_averages = _numbers(
    (-0.2, -1),
    "L2: the mean 0.4 · 1 + 0.6 · (−1). L1: the value in the middle, the more frequent one.",
    {
        (-1, -0.2):   "The two are swapped: L2 comes first.",
        (-0.2, -0.2): "Only L2 paints the mean; L1 paints the median.",
        (-1, -1):     "Only L1 paints the more frequent value; L2 paints the mean.",
        (0.2, -1):    "The mean is 0.4 · 1 + 0.6 · (−1): mind the sign.",
    },
    near=1e-8,
)

unet_bottleneck = _numbers(
    128 * 2 * 2,
    "Halve 64 five times, and multiply side · side by the channels.",
    {
        128:      "Its side is 2, not 1: 64 → 32 → 16 → 8 → 4 → 2.",
        4:        "Each of the 2·2 places has 128 channels.",
        128 * 16: "That is after four halvings; there are five.",
    },
    near=0,
)

receptive_field = _numbers(
    70,
    "Backwards from r = 1: twice r + 3, then three times 2(r − 1) + 4.",
    {
        46: "That is three halvings and one layer of stride 1; there are two.",
        94: "You let the stride double once more: (r − 1)·s + k with s = 1 in the last two layers.",
        16: "Kernels do not simply add up: strides multiply.",
        28: "You walked forwards: begin with r = 1 at the last layer.",
    },
    near=0,
)

COSTS = {
    "L2":       None,
    "L1":       "L1 paints a full stroke wherever one is more likely than not, and says nothing of "
                "its doubt.",
    "L1 + GAN": "A GAN invents what is plausible; here an invented stroke is the worst that can "
                "happen.",
    "GAN":      "Alone, a GAN is not even held to the measurement: nothing compares pixel "
                "by pixel.",
}
# fmt: on


def choose_cost(answer):
    """The cost for a radiologist's pictures."""
    return COSTS.get(str(answer), 'Answer with "L2", "L1" or "L1 + GAN".')
