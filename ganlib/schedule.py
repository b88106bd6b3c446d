"""How the learning rates fall while a GAN trains."""

from ganlib.checks import finite, positive


def fall(step: float, steps: float, *, floor: float = 0.01) -> float:
    """What both rates are multiplied by at this step: min(1, max(floor, 2 − 2 step / steps)).

    1 over the first half of the run, then along a line towards 0, but not below `floor`, so that a
    run which goes on after its last step still learns.
    """
    step = finite("step", step)
    floor = finite("floor", floor)
    steps = positive("steps", steps)
    falling = 2 - 2 * step / steps
    return min(1.0, max(floor, falling))
