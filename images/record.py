"""Record the lab of notebook 04 for readers without a kernel: `python images/record.py`.

Writes `recorded_runs.json` beside itself: for three presets and 5 × 5 pairs of learning rates, what
`GANLab` shows at 26 moments of a run. It is the lab's own session that trains, so a recorded run is
the run that the same knobs give live. The 75 runs of 3,000 steps take about ten minutes. What the
file holds is said in ganlib/stage/js/recording.js.
"""

import argparse
import base64
import gzip
import json
import math
from contextlib import suppress
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import GANLab
from ganlib.networks import mlp
from ganlib.stage.scene import Choice, Scene, Slider

FILE = Path(__file__).with_name("recorded_runs.json")

# fmt: off
RATES = [2e-4, 6e-4, 2e-3, 6e-3, 2e-2]
START = {"lr_G": 2e-3, "lr_D": 2e-2}
SHARES = [  # thousandths of the run at which it is looked at: most happens early
    0, 1, 2, 3, 5, 7, 10, 17, 28, 35, 55, 70, 100,
    120, 170, 200, 280, 330, 400, 470, 550, 640, 730, 820, 910, 1000,
]
PRESETS: dict[str, tuple[str, dict]] = {
    "normal": (
        "One hump, R1, no momentum, rates that fall at the end. "
        "Where does D come to rest at ½ though G is wrong?",
        {},
    ),
    "two modes": (
        "The same on two humps: fewer pairs of rates will do.",
        {"target": "two modes"},
    ),
    "normal, with momentum and without R1": (
        "Without the medicine: β₁ = 0.9, no R1, constant rates. "
        "The two chase each other, and few pairs of rates come to rest.",
        {"penalty": "none", "beta1": 0.9, "beta2": 0.999, "anneal": False},
    ),
}

GAUGES = [
    "js", "value", "regret", "off_half", "off_star", "real_term", "fake_term", "two_js", "verdict",
]
VERDICTS = ["Not converged.", "Converged.", "Diverged."]
SAYS = (
    "After {step} steps ({preset}; lr_G {lr_G}, lr_D {lr_D}): "
    "JS {js}, V + log 4 {value}, regret {regret}, "
    "E|D − ½| {off_half}, E|D − D*| {off_star}. {verdict}"
)
CURVES = ["p_g", "D", "D_star"]
POINTS = slice(0, 400, 4)  # of the 400 points of a curve

# The columns of each mark; marks of GANLab that are not named here are not recorded.
COLUMNS = {
    "half":      ["ends", "halves"],
    "data":      ["x", "p_data"],
    "p_g":       ["x", "p_g"],
    "D_star":    ["x", "D_star"],
    "D":         ["x", "D"],
    "fake":      ["heads"],
    "floor":     ["ends", "zeros"],
    "map":       ["feet", "bottom", "heads", "top"],
    "names":     ["edge", "rows"],
    "log_half":  ["span", "shrug"],
    "real_term": ["step", "real_term"],
    "fake_term": ["step", "fake_term"],
    "zero":      ["span", "zeros"],
    "regret":    ["step", "value", "two_js"],
    "value":     ["step", "value"],
    "two_js":    ["step", "two_js"],
    "goal":      ["span", "goals"],
    "off_half":  ["step", "off_half"],
    "off_star":  ["step", "off_star"],
}

# There is no slow motion, so there is room; and all runs have the same limits, to compare them.
BOXES = {"game": (0, 0, 0.6, 0.76), "map": (0, 0.76, 0.6, 0.24)}
LIMITS = {"terms": (-3, 0.1), "ledger": (-0.5, 1.5), "gauges": (0, 0.5)}
# fmt: on
NONE = -(2.0**31)  # the number of ten-thousandths that says "not a number"


def new_lab(steps: int) -> GANLab:
    """The lab of notebook 04, with the GAN of its section 5, for runs of so many steps."""
    gan = GAN(
        mlp(1, 32, 32, 1, seed=0),
        mlp(1, 48, 48, 1, seed=1, cover=(-3, 3)),
        targets.gaussian(),
        **START,
        betas=(0.0, 0.9),
        penalty="r1",
        penalty_weight=0.02,
        seed=0,
    )
    return GANLab(gan, horizon=steps)


def axes_of(scene: Scene) -> dict:
    """The axes that are recorded, by key."""
    return {axes.key: axes for axes in scene.axes if axes.key != "flow"}


# -- one run -------------------------------------------------------------------------------------


def as_bytes(values, low, high):
    """Numbers as bytes, 0 to 254 from low to high; 255 is what is not a number."""
    share = (np.asarray(values, float) - low) / (high - low)
    part = np.clip(share, 0, 1) * 254
    return np.where(np.isfinite(part), part, 255).round().astype(np.uint8)


def curves(lab) -> dict:
    """Name: [numbers in a snapshot, low, high] of what is stored as bytes, in order.

    It depends on the target.
    """
    game = axes_of(lab.scene)["game"]
    sizes = {name: [len(lab.x[POINTS]), 0, game.y[1]] for name in CURVES}
    return {**sizes, "heads": [len(lab.draw()["fake"]), *game.x]}


def snapshot(lab, sizes):
    """The gauges, and the bytes of the curves, of this moment."""
    now = lab.ledger
    values = {**asdict(now), "two_js": 2 * now.js, "verdict": int(now.converged())}

    frame = lab.draw()
    shown = {name: frame[name][POINTS, 1] for name in CURVES}
    shown["heads"] = frame["fake"]
    parts = [as_bytes(shown[name], low, high) for name, (_, low, high) in sizes.items()]
    return [values[name] for name in GAUGES], np.concatenate(parts)


def run(lab, moments):
    """One run: the gauges (moments, gauges) and the bytes of the curves (moments, points)."""
    session = lab.session
    sizes = curves(lab)
    gauges = []
    points = []
    with suppress(FloatingPointError):
        for moment in moments:
            while session.gan.steps < moment:
                session.step()
            now, shown = snapshot(lab, sizes)
            gauges.append(now)
            points.append(shown)

    diverged = float(VERDICTS.index("Diverged."))
    width = sum(size for size, _, _ in sizes.values())
    while len(gauges) < len(moments):  # from where it diverged
        gauges.append([*[math.nan] * (len(GAUGES) - 1), diverged])
        points.append(np.full(width, 255, np.uint8))
    return np.array(gauges), np.array(points)


# -- what all runs of a preset share -------------------------------------------------------------


def fixed(lab, moments) -> dict:
    """The columns that do not change during a run."""
    frame = lab.draw()
    xs = frame["data"][:, 0]
    left, right = xs[[0, -1]].tolist()
    feet = frame["map"][:, 0].astype(np.float32)  # where arrows begin: z is in single precision
    return {
        "ends": [left, right],
        "halves": [0.5, 0.5],
        "zeros": [0, 0],
        "span": [0, moments[-1]],
        "shrug": [-math.log(2)] * 2,
        "goals": [0.05, 0.05],
        "edge": [left, left],
        "rows": [0.1, 0.9],
        "bottom": [0] * len(feet),
        "top": [1] * len(feet),
        "feet": feet.round(3).tolist(),
        "x": xs[POINTS].round(4).tolist(),
        "p_data": [float(f"{p:.4g}") for p in lab.p_data[POINTS]],
    }


def limits(lab, moments) -> dict:
    """[x0, x1, y0, y1] of all axes that are recorded, by key."""
    ends = {}
    for key, axes in axes_of(lab.scene).items():
        ends[key] = [0, moments[-1], *LIMITS[key]] if key in LIMITS else [*axes.x, *axes.y]
    return ends


def describe(scene: Scene, moments) -> dict:
    """The scene of the lab without what needs a kernel; knobs stop where something is recorded."""
    axes = []
    for key, pair in axes_of(scene).items():
        if key in BOXES:
            pair = replace(pair, box=BOXES[key])
        if key in LIMITS:  # limits that never change leave a legend no place inside
            pair = replace(pair, title="", legend="top")
        axes.append(pair)

    rates = [Slider(name, name, RATES[0], RATES[-1], 2e-3, log=True, stops=RATES) for name in START]
    recorded = replace(
        scene,
        title="A GAN in one dimension, recorded",
        height=520,
        axes=axes,
        marks=[mark for mark in scene.marks if mark.key in COLUMNS],
        controls=[
            Choice("preset", "preset", PRESETS, next(iter(PRESETS))),
            *rates,
            Slider("step", "training step", 0, moments[-1], 0, stops=moments),
        ],
    )
    return recorded.describe()


# -- the file ------------------------------------------------------------------------------------


def packed(gauges, points) -> str:
    """All runs as text: gauges in ten-thousandths as int32, then the bytes of the curves."""
    tenths = np.round(np.array(gauges) * 1e4)
    whole = np.where(np.isfinite(tenths), tenths, NONE).clip(NONE, -NONE - 1)
    # Differences, modulo 256, are a third smaller.
    changes = np.diff(np.array(points), axis=-1, prepend=np.uint8(0))
    numbers = whole.astype("<i4").tobytes() + changes.tobytes()
    return base64.b64encode(gzip.compress(numbers, 9, mtime=0)).decode()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=3000, help="of each run (default 3000)")
    parser.add_argument("--to", type=Path, default=FILE, help="the file to write")
    args = parser.parse_args()
    torch.set_num_threads(1)

    moments = [share * args.steps // 1000 for share in SHARES]
    presets = []
    gauges = []
    points = []
    for name, (note, knobs) in PRESETS.items():
        lab = new_lab(args.steps)
        for key, value in knobs.items():
            lab.set(key, value)
        presets.append(
            {
                "name": name,
                "note": note,
                "limits": limits(lab, moments),
                "curves": curves(lab),
                "fixed": fixed(lab, moments),
            }
        )
        for lr_G, lr_D in tqdm(list(product(RATES, RATES)), desc=name):
            lab.set("lr_G", lr_G).set("lr_D", lr_D).reset()
            found = run(lab, moments)
            gauges.append(found[0])
            points.append(found[1])

    recording = {
        "scene": describe(lab.scene, moments),
        "rates": RATES,
        "steps": moments,
        "presets": presets,
        "gauges": GAUGES,
        "columns": COLUMNS,
        "words": {"names": ["z", "x = G(z)"]},
        "says": SAYS,
        "verdicts": VERDICTS,
        "start": {"preset": next(iter(PRESETS)), **START, "step": 0},
        "bytes": packed(gauges, points),
    }
    args.to.write_text(json.dumps(recording, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{args.to.name}: {len(gauges)} runs, {args.to.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
