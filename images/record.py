"""Record the lab of notebook 04 for readers without a kernel: `python images/record.py [--steps 3000]`.

Writes `recorded_runs.json` beside itself: for three presets and 5 × 5 pairs of learning rates, what `GANLab`
shows at 26 moments of a run. It is the lab itself that trains, so a recorded run is the run that the same knobs
give live. The 75 runs of 3,000 steps take about ten minutes. What the file holds is said at `mount` in canvas.js.
"""

import argparse
import base64
import gzip
import json
import math
from contextlib import suppress
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import GANLab
from ganlib.labs import scene as words
from ganlib.labs.gan_scene import ARROWS
from ganlib.networks import mlp

FILE = Path(__file__).with_name("recorded_runs.json")
RATES = [2e-4, 6e-4, 2e-3, 6e-3, 2e-2]
SHARES = [
    0,
    1,
    2,
    3,
    5,
    7,
    10,
    17,
    28,
    35,
    55,
    70,
    100,
    120,
    170,
    200,
    280,
    330,
    400,
    470,
    550,
    640,
    730,
    820,
    910,
    1000,
]  # thousandths of the run at which it is looked at: most happens early
PRESETS = {
    "normal": (
        "One hump, R1, no momentum, rates that fall at the end. Where does D come to rest at ½ though G is wrong?",
        {},
    ),
    "two modes": ("The same on two humps: fewer pairs of rates will do.", {"target": "two modes"}),
    "normal, with momentum and without R1": (
        "Without the medicine: β₁ = 0.9, no R1, constant rates. The two chase each other, and few pairs of rates come to rest.",
        {"penalty": "none", "beta1": 0.9, "beta2": 0.999, "anneal": False},
    ),
}
POINTS = slice(0, 400, 4)  # of the 400 points of a curve
GAUGES = [
    "js",
    "value",
    "regret",
    "off_half",
    "off_star",
    "real_term",
    "fake_term",
    "two_js",
    "verdict",
]
VERDICTS = ["Not converged.", "Converged.", "Diverged."]
SAYS = (
    "After {step} steps ({preset}; lr_G {lr_G}, lr_D {lr_D}): JS {js}, V + log 4 {value}, regret {regret}, "
    "E|D − ½| {off_half}, E|D − D*| {off_star}. {verdict}"
)
COLUMNS = {  # the columns of each mark; marks of GANLab that are not named here are not recorded
    "half": ["ends", "halves"],
    "data": ["x", "p_data"],
    "p_g": ["x", "p_g"],
    "D_star": ["x", "D_star"],
    "D": ["x", "D"],
    "fake": ["heads"],
    "floor": ["ends", "zeros"],
    "map": ["feet", "bottom", "heads", "top"],
    "names": ["edge", "rows"],
    "log_half": ["span", "shrug"],
    "real_term": ["step", "real_term"],
    "fake_term": ["step", "fake_term"],
    "zero": ["span", "zeros"],
    "regret": ["step", "value", "two_js"],
    "value": ["step", "value"],
    "two_js": ["step", "two_js"],
    "goal": ["span", "goals"],
    "off_half": ["step", "off_half"],
    "off_star": ["step", "off_star"],
}
BOXES = {
    "game": (0, 0, 0.6, 0.76),
    "map": (0, 0.76, 0.6, 0.24),
}  # there is no slow motion, so there is room
LIMITS = {
    "terms": (-3, 0.1),
    "ledger": (-0.5, 1.5),
    "gauges": (0, 0.5),
}  # the same for all runs, to compare them
NONE = -(2.0**31)  # the number of ten-thousandths that says "not a number"


def new_lab():
    """The lab of notebook 04, with the GAN of its section 5."""
    gan = GAN(
        mlp(1, 32, 32, 1, seed=0),
        mlp(1, 48, 48, 1, seed=1, cover=(-3, 3)),
        targets.gaussian(),
        lr_G=2e-3,
        lr_D=2e-2,
        betas=(0.0, 0.9),
        penalty="r1",
        penalty_weight=0.02,
        seed=0,
    )
    return GANLab(gan)


def as_bytes(values, low, high):
    """Numbers as bytes, 0 to 254 from low to high; 255 is what is not a number."""
    part = np.clip((np.asarray(values, float) - low) / (high - low), 0, 1) * 254
    return np.where(np.isfinite(part), part, 255).round().astype(np.uint8)


def curves(lab):
    """Name: (numbers in a snapshot, low, high) of what is stored as bytes, in order; it depends on the target."""
    game = next(a for a in lab.scene["axes"] if a["key"] == "game")
    return {
        **{name: [len(lab.x[POINTS]), 0, game["y"][1]] for name in ("p_g", "D", "D_star")},
        "heads": [len(ARROWS), *game["x"]],
    }


def snapshot(lab):
    """(gauges, bytes of the curves) of this moment."""
    now, shown = lab.ledger, lab.draw()
    gauges = {**asdict(now), "two_js": 2 * now.js, "verdict": int(now.converged())}
    shown = {
        **{key: shown[key][POINTS, 1] for key in ("p_g", "D", "D_star")},
        "heads": shown["fake"],
    }
    return (
        [gauges[name] for name in GAUGES],
        np.concatenate(
            [as_bytes(shown[name], low, high) for name, (_, low, high) in curves(lab).items()]
        ),
    )


def run(lab, moments):
    """One run of the lab: gauges in ten-thousandths (moments, gauges) and bytes (moments, points)."""
    rows = []
    with suppress(FloatingPointError):
        for moment in moments:
            if moment > lab.gan.steps:
                lab.run(moment - lab.gan.steps)
            rows.append(snapshot(lab))
    gone = (
        [*[math.nan] * (len(GAUGES) - 1), 2.0],
        np.full(sum(n for n, *_ in curves(lab).values()), 255, np.uint8),
    )
    rows += [gone] * (len(moments) - len(rows))  # from where it diverged
    return [np.array(part) for part in zip(*rows)]


def fixed(lab, moments):
    """The columns that do not change during a run."""
    (left, right), n = lab._xs[[0, -1]].tolist(), len(ARROWS)
    return {
        "ends": [left, right],
        "halves": [0.5, 0.5],
        "zeros": [0, 0],
        "span": [0, moments[-1]],
        "shrug": [-math.log(2)] * 2,
        "goals": [0.05, 0.05],
        "edge": [left, left],
        "rows": [0.1, 0.9],
        "bottom": [0] * n,
        "top": [1] * n,
        "feet": lab._feet.round(3).tolist(),
        "x": lab._xs[POINTS].round(4).tolist(),
        "p_data": [float(f"{p:.4g}") for p in lab.p_data[POINTS]],
    }


def describe(scene, moments):
    """The scene of the lab without what needs a kernel, and with knobs that stop where something was recorded."""
    clear = {
        "title": "",
        "legend": "top",
    }  # of the small pictures: limits that never change leave a legend no place inside
    axes = [
        {**a, "box": BOXES.get(a["key"], a["box"]), **(clear if a["key"] in LIMITS else {})}
        for a in scene["axes"]
        if a["key"] != "flow"
    ]
    knobs = [
        words.choice("preset", "preset", PRESETS, next(iter(PRESETS))),
        *(
            {**words.slider(rate, rate, RATES[0], RATES[-1], 2e-3, log=True), "stops": RATES}
            for rate in ("lr_G", "lr_D")
        ),
        {**words.slider("step", "training step", 0, moments[-1], 0), "stops": moments},
    ]
    return {
        **scene,
        "title": "A GAN in one dimension, recorded",
        "height": 520,
        "axes": axes,
        "controls": knobs,
        "marks": [m for m in scene["marks"] if m["key"] in COLUMNS],
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=3000, help="of each run (default 3000)")
    parser.add_argument("--to", type=Path, default=FILE, help="the file to write")
    args = parser.parse_args()
    torch.set_num_threads(1)
    moments = [share * args.steps // 1000 for share in SHARES]
    presets, numbers, points = [], [], []
    for name, (note, knobs) in PRESETS.items():
        lab = new_lab()
        lab.horizon = args.steps
        for key, value in knobs.items():
            lab.set(key, value)
        limits = {
            a["key"]: [0, moments[-1], *LIMITS[a["key"]]]
            if a["key"] in LIMITS
            else [*a["x"], *a["y"]]
            for a in lab.scene["axes"]
            if a["key"] != "flow"
        }
        presets.append(
            {
                "name": name,
                "note": note,
                "limits": limits,
                "curves": curves(lab),
                "fixed": fixed(lab, moments),
            }
        )
        for lr_G, lr_D in tqdm(list(product(RATES, RATES)), desc=name):
            lab.set("lr_G", lr_G).set("lr_D", lr_D).reset()
            found = run(lab, moments)
            numbers.append(found[0])
            points.append(found[1])
    tenths = np.round(np.array(numbers) * 1e4)
    packed = (
        np.where(np.isfinite(tenths), tenths, NONE).clip(NONE, -NONE - 1).astype("<i4").tobytes()
    )
    packed += np.diff(
        np.array(points), axis=-1, prepend=np.uint8(0)
    ).tobytes()  # differences, modulo 256, are a third smaller
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
        "start": {"preset": presets[0]["name"], "lr_G": 2e-3, "lr_D": 2e-2, "step": 0},
        "bytes": base64.b64encode(gzip.compress(packed, 9, mtime=0)).decode(),
    }
    args.to.write_text(json.dumps(recording, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{args.to.name}: {len(numbers)} runs, {args.to.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
