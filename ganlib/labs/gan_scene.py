"""What `GANLab` shows, which knobs it has, and its presets, in the words of py."""

from collections.abc import Callable

import numpy as np
import torch

from ganlib import losses, targets
from ganlib.labs.scene import (
    area,
    arrows,
    axes,
    button,
    choice,
    file,
    line,
    number,
    rug,
    slider,
    text,
    toggle,
)

AXES = [
    axes("game", box=(0, 0, 0.6, 0.6), ylabel="density, D(x)", legend="top"),
    axes("map", box=(0, 0.6, 0.6, 0.2), y=(0, 1), frame=False, legend=False),
    axes("flow", box=(0, 0.8, 0.6, 0.2), frame=False, legend=False),
    axes(
        "terms",
        box=(0.6, 0, 0.4, 0.3),
        title="the two terms of V (grey: −log 2)",
        auto="xy",
        ylabel="nats",
    ),
    axes(
        "ledger",
        box=(0.6, 0.3, 0.4, 0.36),
        title="2 JS = (V + log 4) + regret",
        auto="xy",
        ylabel="nats",
    ),
    axes("gauges", box=(0.6, 0.66, 0.4, 0.34), title="two gauges of D", auto="xy", xlabel="step"),
]
GREY = "#8a8a8a"
FLOWING = [
    arrows("flow", "flow", color="#c8c8c8", width=2),
    text("boxes", "flow"),
    arrows("lit", "flow", color="#D55E00", width=3.5),
    text("phase", "flow", color="#A33B00"),
]
MARKS = [
    line("half", "game", color=GREY, width=0.8),
    line("data", "game", "p_data", style="data"),
    line("p_g", "game", "p_g", style="G"),
    line("D_star", "game", "D*", style="D_star"),
    line("D", "game", "D", style="D"),
    rug("real", "game", color="#000000"),
    rug("fake", "game", color="#009E73", top=True),
    line("floor", "map", color=GREY, width=1),
    arrows("map", "map", color="#009E73", width=1),
    text("names", "map", align="left"),
    line("log_half", "terms", color=GREY, width=1),
    line("real_term", "terms", "E log D(x)", style="data"),
    line("fake_term", "terms", "E log(1 − D(G(z)))", style="G"),
    line("zero", "ledger", color=GREY, width=1),
    area("regret", "ledger", "regret", color="#E69F00"),
    line("value", "ledger", "V + log 4", style="D"),
    line("two_js", "ledger", "2 JS", style="JS"),
    line("goal", "gauges", "0.05", color=GREY, width=1),
    line("off_half", "gauges", "E|D − ½|", style="D"),
    line("off_star", "gauges", "E|D − D*|", style="D_star"),
    *FLOWING,
]
# The flow of data (left to right) and of gradients (right to left), as arrows between words.
BOXES = [
    (0.06, 0.45, "z"),
    (0.25, 0.45, "G"),
    (0.45, 0.45, "G(z)"),
    (0.45, 0.85, "x"),
    (0.7, 0.65, "D"),
    (0.92, 0.65, "V"),
]
FLOW = np.array(
    [
        (0.1, 0.5, 0.21, 0.5),
        (0.29, 0.5, 0.4, 0.5),
        (0.5, 0.85, 0.67, 0.72),
        (0.5, 0.5, 0.67, 0.63),
        (0.74, 0.7, 0.88, 0.7),
        (0.88, 0.58, 0.74, 0.58),
        (0.66, 0.54, 0.5, 0.4),
        (0.4, 0.38, 0.29, 0.38),
    ]
)
PHASES = [
    ("draw real examples x", [2]),
    ("draw noise z, make fakes G(z)", [0, 1]),
    ("D judges both", [2, 3, 4]),
    ("D climbs V: the gradient stops at D", [5]),
    ("new noise, new fakes, judged by the new D", [0, 1, 3, 4]),
    ("G steps: the gradient passes through D, D stands still", [5, 6, 7]),
    ("press play or step", []),
]
ARROWS = torch.linspace(
    0.5 / 31, 1 - 0.5 / 31, 31
)  # the z whose arrows are drawn, as shares of the prior

TARGETS: dict[str, Callable] = {
    "normal": targets.gaussian,
    "two modes": targets.mixture,
    "uniform": lambda: targets.uniform(-1.5, 1.5),
    "big and small mode": lambda: targets.mixture((-2.5, 0.6), (0.3, 0.6), (0.15, 0.85)),
    "iris petal length": targets.iris,
}
# Each preset is one sentence and the knobs it turns; the rest goes back to where the lab began, but for seed, slow motion
# and a target that the learner chose.
PRESETS: dict[str, tuple[str, dict]] = {
    "converges": ("Both learn, D faster; the rates fall at the end. JS goes to 0 and D to ½.", {}),
    "D too strong": (
        "D learns fast and G hardly at all: D tells real from fake, and JS falls only slowly.",
        {"lr_D": 3e-2, "lr_G": 1e-5, "k": 5, "loss": "minimax", "penalty": "none", "anneal": False},
    ),
    "D too weak": (
        "D learns slowly and G runs after an outdated D: JS stays high, and all of it is D's regret.",
        {"lr_D": 1e-4, "lr_G": 1e-2, "penalty": "none", "anneal": False},
    ),
    "circles": (
        "Momentum and equal rates: G overshoots, D follows, and they chase each other without end.",
        {"lr_D": 3e-3, "lr_G": 3e-3, "beta1": 0.9, "penalty": "none", "anneal": False},
    ),
    "one mode lost": (
        "A slow G and a D trained three times as often: the small mode is not found.",
        {
            "target": "big and small mode",
            "k": 3,
            "lr_G": 3e-4,
            "lr_D": 1e-2,
            "penalty": "none",
            "anneal": False,
        },
    ),
    "blind detective": (
        "D does not learn at all: it says about ½ everywhere, and p_g is nowhere near p_data.",
        {"train": "G only", "lr_G": 1e-4, "anneal": False},
    ),
}


def controls(gan, names, target, batch, anneal, seed, presets):
    """The knobs of the lab, set as `gan` is."""
    more = "more knobs"
    return [
        slider(
            "lr_G", "lr_G", 1e-5, 1.0, gan.lr_G, log=True, help="learning rate of the generator"
        ),
        slider(
            "lr_D", "lr_D", 1e-5, 1.0, gan.lr_D, log=True, help="learning rate of the discriminator"
        ),
        choice("preset", "preset", ["your own", *presets], "your own"),
        choice("target", "target", names, target),
        choice("train", "train", ["both", "D only", "G only"], "both"),
        button("step_D", "step D"),
        button("step_G", "step G"),
        toggle(
            "anneal",
            "anneal",
            anneal,
            help="let both rates fall to 0 over the second half of the run",
        ),
        toggle("oracle", "oracle D*", help="G plays against D*, computed instead of learned"),
        toggle(
            "slow",
            "slow motion",
            help="one phase of a step at a time; the flow of data and gradients lights up",
        ),
        button("back", "back to the last good state"),
        button("save", "save run"),
        file("load", "load run"),
        number("k", "k: D steps per G step", 1, 50, gan.d_steps, group=more),
        number("batch", "batch", 1, 65536, batch, group=more),
        number("seed", "seed", 0, 10**6, seed, group=more),
        choice("loss", "loss", losses.LOSSES, gan.loss, group=more),
        choice(
            "penalty", "penalty", ["none", *losses.PENALTIES], gan.penalty or "none", group=more
        ),
        slider("weight", "penalty weight", 1e-3, 100.0, gan.penalty_weight, log=True, group=more),
        choice("optimiser", "optimiser", ["adam", "sgd"], gan.optimiser, group=more),
        slider("beta1", "β₁", 0.0, 0.99, gan.betas[0], step=0.01, group=more),
        slider("beta2", "β₂", 0.0, 0.9999, gan.betas[1], step=0.0001, group=more),
    ]
