"""Training steps for each CPU second: the browser's engine beside torch, one thread, in one run.

    python tests/benchmarks/engine.py [--seconds 3] [--rounds 3]

Each setting is trained by torch's `GAN.step`, by the engine in WebAssembly and by the engine in
plain JavaScript (float64), the last two in node, in turns; printed is the median of the rounds.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch

from ganlib import targets
from ganlib.engine import export
from ganlib.gan import GAN
from ganlib.networks import mlp

ENGINE = Path(export.__file__).parent
SETTINGS = {
    "1-D lab, R1, batch 128": (1, "r1", 128),
    "1-D lab, R1, batch 256": (1, "r1", 256),
    "1-D lab, no penalty, batch 128": (1, None, 128),
    "ring, R1, batch 64": (2, "r1", 64),
    "ring, no penalty, batch 64": (2, None, 64),
}

SCRIPT = """
import { readFileSync } from "node:fs";
import { gan } from "ENGINE/build.js";
import { reference } from "ENGINE/ops.js";
import { Generator } from "ENGINE/random.js";
import { law } from "ENGINE/targets.js";
import { wasm } from "ENGINE/wasm.js";

const { described, target, batch, seconds, kind, base64 } = JSON.parse(readFileSync(0, "utf8"));
const player = gan(kind === "wasm" ? await wasm(base64) : reference(), described);
const data = new Generator(1);
const real = law(target);
const step = () => player.step(real.sample(batch, data));
for (let i = 0; i < 50; i++) step();

const start = process.cpuUsage();
const used = () => {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};
let steps = 0;
while (used() < seconds) {
  for (let i = 0; i < 20; i++) step();
  steps += 20;
}
console.log(steps / used());
"""


def new_gan(dim, penalty):
    """The GAN of notebook 04's lab, or of notebook 05's ring."""
    if dim == 1:
        G = mlp(1, 32, 32, 1, seed=0)
        D = mlp(1, 48, 48, 1, seed=1, cover=(-3, 3))
    else:
        G = mlp(2, 64, 64, 2, seed=0)
        D = mlp(2, 64, 64, 1, seed=1)
    return GAN(
        G,
        D,
        targets.gaussian(dim=dim),
        lr_G=2e-3,
        lr_D=2e-2 if dim == 1 else 2e-3,
        betas=(0.0, 0.9),
        penalty=penalty,
        penalty_weight=0.02,
        seed=0,
    )


def torch_steps(gan, target, batch, seconds) -> float:
    """Steps for each CPU second of torch."""
    data = torch.Generator().manual_seed(1)
    for _ in range(20):
        gan.step(target.sample(batch, data))

    start = time.process_time()
    steps = 0
    while time.process_time() - start < seconds:
        gan.step(target.sample(batch, data))
        steps += 1
    return steps / (time.process_time() - start)


def engine_steps(gan, target, batch, seconds, kind) -> float:
    """Steps for each CPU second of the engine, in a node of its own."""
    question = {
        "described": export.gan(gan),
        "target": export.law(target),
        "batch": batch,
        "seconds": seconds,
        "kind": kind,
        "base64": export.wasm(),
    }
    with tempfile.TemporaryDirectory() as room:
        script = Path(room) / "bench.mjs"
        script.write_text(SCRIPT.replace("ENGINE", ENGINE.as_uri()), encoding="utf-8")
        done = subprocess.run(
            ["node", str(script)],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3, help="of CPU for each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is printed")
    args = parser.parse_args()
    torch.set_num_threads(1)

    for name, (dim, penalty, batch) in SETTINGS.items():
        target = targets.gaussian() if dim == 1 else targets.ring()
        found = {"torch": [], "wasm": [], "plain": []}
        for _ in range(args.rounds):
            found["torch"].append(torch_steps(new_gan(dim, penalty), target, batch, args.seconds))
            for kind in ("wasm", "plain"):
                gan = new_gan(dim, penalty)
                found[kind].append(engine_steps(gan, target, batch, args.seconds, kind))

        base = statistics.median(found["torch"])
        for kind, rates in found.items():
            rate = statistics.median(rates)
            print(f"{name}, {kind} = {rate:.0f} steps/s, {rate / base:.1f} × torch", flush=True)


if __name__ == "__main__":
    main()
