"""Who judges in `GANLab`: a D that must fit, or D* in its place."""

import torch

from ganlib.checks import positive
from ganlib.densities import line, push_masses


def best_D(x, p_data, masses):
    """D*, computed on the grid x from p_data and the `push_masses` of G: its logit, straight between the points."""
    low, step = x[0], x[1] - x[0]
    p_g = masses[1:-1] / step
    logit = (p_data.clamp_min(1e-12).log() - p_g.clamp_min(1e-12).log()).clamp(-15, 15).float()

    def D(at):
        place = ((at - low) / step).float().clamp(0, len(x) - 1.001)
        k = place.detach().long()
        return logit[k] + (place - k) * (logit[k + 1] - logit[k])

    return D


@torch.no_grad()
def fits(gan, target, horizon):
    """Refuse what cannot be shown, before anything is touched; a target may also be a name."""
    positive("horizon", 1 if horizon is None else horizon)
    if not isinstance(target, str):
        try:
            shapes = [
                tuple(a.shape)
                for a in (target.sample(3, torch.Generator()), target.log_prob(torch.zeros(3, 1)))
            ]
        except Exception as error:
            raise ValueError(
                f"target must have sample(n, generator) and log_prob(x), but {target!r} says: {error}"
            ) from None
        if shapes != [(3, 1), (3,)]:
            raise ValueError(
                "3 samples of a target must be (3, 1) and their log_prob (3,), got {} and {}".format(
                    *shapes
                )
            )
    if not callable(getattr(gan.prior, "quantile", None)):
        raise ValueError(
            f"prior must have a quantile, as targets.uniform() has; {gan.prior!r} has none"
        )
    try:
        push_masses(gan.G, gan.prior, line(-1.0, 1.0))
        gan.logits(line(-1.0, 1.0))
    except RuntimeError as error:  # a layer that does not fit
        raise ValueError(f"G and D must map (n, 1) to (n, 1): {error}") from None
