"""What `GANLab` shows, its targets and presets; and the knobs of every lab that plays a session."""

from collections.abc import Callable

from ganlib import targets
from ganlib.labs import slow_motion
from ganlib.session import WHO, Session
from ganlib.stage.scene import (
    Area,
    Arrows,
    Axes,
    Button,
    Choice,
    Control,
    File,
    Line,
    Number,
    Rug,
    Slider,
    Text,
    Toggle,
)

GREY = "#8a8a8a"

# fmt: off
AXES = [
    Axes("game",   box=(0.0, 0.00, 0.6, 0.60), ylabel="density, D(x)"),
    Axes("map",    box=(0.0, 0.60, 0.6, 0.20), y=(0, 1), frame=False, legend=False),
    Axes("flow",   box=(0.0, 0.80, 0.6, 0.20), frame=False, legend=False),
    Axes("terms",  box=(0.6, 0.00, 0.4, 0.30), auto="xy", ylabel="nats",
         title="the two terms of V (grey: −log 2)"),
    Axes("ledger", box=(0.6, 0.30, 0.4, 0.36), auto="xy", ylabel="nats",
         title="2 JS = (V + log 4) + regret"),
    Axes("gauges", box=(0.6, 0.66, 0.4, 0.34), auto="xy", xlabel="step",
         title="two gauges of D"),
]
MARKS = [
    Line("half",       "game",   color=GREY, width=0.8),
    Line("data",       "game",   "p_data", style="data"),
    Line("p_g",        "game",   "p_g", style="G"),
    Line("D_star",     "game",   "D*", style="D_star"),
    Line("D",          "game",   "D", style="D"),
    Rug("real",        "game",   color="#000000"),
    Rug("fake",        "game",   color="#009E73", top=True),

    Line("floor",      "map",    color=GREY, width=1),
    Arrows("map",      "map",    color="#009E73", width=1),
    Text("names",      "map",    align="left"),

    Line("log_half",   "terms",  color=GREY, width=1),
    Line("real_term",  "terms",  "E log D(x)", style="data"),
    Line("fake_term",  "terms",  "E log(1 − D(G(z)))", style="G"),

    Line("zero",       "ledger", color=GREY, width=1),
    Area("regret",     "ledger", "regret (D is not D*)", color="#E69F00"),
    Line("value",      "ledger", "V + log 4", style="D"),
    Line("two_js",     "ledger", "2 JS", style="JS"),

    Line("goal",       "gauges", "0.05", color=GREY, width=1),
    Line("off_half",   "gauges", "E|D − ½|", style="D"),
    Line("off_star",   "gauges", "E|D − D*|", style="D_star"),
    *slow_motion.MARKS,
]
# fmt: on

TARGETS: dict[str, Callable] = {
    "normal": targets.gaussian,
    "two modes": targets.mixture,
    "uniform": lambda: targets.uniform(-1.5, 1.5),
    "big and small mode": lambda: targets.mixture((-2.5, 0.6), (0.3, 0.6), (0.15, 0.85)),
    "iris petal length": targets.iris,
}

# Each preset is one sentence and the knobs it turns. The rest goes back to where the lab began, but
# for seed, slow motion and a target that the learner chose.
# fmt: off
PRESETS: dict[str, tuple[str, dict]] = {
    "converges": (
        "Both learn, D faster; the rates fall at the end. JS goes to 0 and D to ½.",
        {},
    ),
    "G too slow": (
        "G hardly learns: D is sure and nearly right, its pull on G is strong, "
        "and yet JS falls only slowly. Raise lr_G, and G arrives.",
        {"lr_G": 1e-5, "penalty": "none", "anneal": False},
    ),
    "D too weak": (
        "D learns slowly and G runs after an outdated D: "
        "JS stays high, and all of it is D's regret.",
        {"lr_G": 1e-2, "lr_D": 1e-4, "penalty": "none", "anneal": False},
    ),
    "circles": (
        "Momentum and equal rates: G overshoots, D follows, "
        "and they chase each other without end.",
        {"lr_G": 3e-3, "lr_D": 3e-3, "beta1": 0.9, "penalty": "none", "anneal": False},
    ),
    "one mode lost": (
        "A slow G and a D trained three times as often: the small mode is not found.",
        {"target": "big and small mode",
         "lr_G": 3e-4, "lr_D": 1e-2, "k": 3, "penalty": "none", "anneal": False},
    ),
    "blind detective": (
        "A high price on every slope of D (R1, weight 100) keeps it at ½ everywhere: "
        "G hardly moves, and p_g is nowhere near p_data.",
        {"lr_G": 1e-5, "lr_D": 2e-3, "penalty": "r1", "weight": 100.0, "anneal": False},
    ),
}
# fmt: on


def controls(session: Session, laws, target: str, presets, own=()) -> list[Control]:
    """The knobs of a lab, set as its session is; laws and presets by name, `target` the law now.

    own: controls that only this lab has.
    """
    now = session.settings
    more = "more knobs"
    of_G = "learning rate of the generator"
    of_D = "learning rate of the discriminator"
    falls = "let both rates fall to 0 over the second half of the run"
    phases = "one phase of a step at a time; the flow of data and gradients lights up"
    known = "a sentence and the knobs it is about; “your own” is what you set by hand"
    ratio = "so many steps of D, each on a batch of its own, before one of G"
    return [
        Slider("lr_G", "lr_G", 1e-5, 1.0, now["lr_G"], log=True, help=of_G),
        Slider("lr_D", "lr_D", 1e-5, 1.0, now["lr_D"], log=True, help=of_D),
        Choice("preset", "preset", ["your own", *presets], "your own", help=known),
        Choice("target", "target", list(laws), target),
        Choice("train", "train", WHO, now["train"]),
        Button("step_D", "step D"),
        Button("step_G", "step G"),
        Toggle("anneal", "anneal (rates fall to 0)", now["anneal"], help=falls),
        Toggle(
            "oracle",
            "oracle D* (the best D, computed)",
            help="G plays against D*, computed instead of learned",
        ),
        Toggle("slow", "slow motion", help=phases),
        Button("back", "back to the last good state"),
        Button("save", "save run"),
        File("load", "load run"),
        Button(
            "link",
            "copy link",
            help="the knobs as they stand, as a link to lab.html: it opens in any browser",
        ),
        Button("code", "copy as Python", help="the knobs as they stand, for a cell"),
        *own,
        Number("k", "k: D steps per G step", 1, 50, now["k"], help=ratio, group=more),
        Number("batch", "batch", 1, 65536, now["batch"], group=more),
        Number("seed", "seed", 0, 10**6, now["seed"], group=more),
        Choice("loss", "loss", list(session.losses), now["loss"], group=more),
        Choice("penalty", "penalty", list(session.penalties), now["penalty"], group=more),
        Slider("weight", "penalty weight", 1e-3, 100.0, now["weight"], log=True, group=more),
        Choice("optimiser", "optimiser", ["adam", "sgd"], now["optimiser"], group=more),
        Slider("beta1", "β₁", 0.0, 0.99, now["beta1"], step=0.01, group=more),
        Slider("beta2", "β₂", 0.0, 0.9999, now["beta2"], step=0.0001, group=more),
    ]
