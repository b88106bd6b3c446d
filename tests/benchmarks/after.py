"""GAN, diffusion, flow, students and tuning on one scoreboard, many seeds of each.

    python tests/benchmarks/after.py                      # all, about 15 minutes of one core
    python tests/benchmarks/after.py --study "two modes"  # one; the others stay as they are
    python tests/benchmarks/after.py --seeds 2 --steps 200 --out /tmp/try

Keeps the numbers, seed by seed, in images/after.json, and the velocities that the first seed has
learned in notebooks/weights/velocities.safetensors, both read by notebook 09. The seeds of one
method train as one batched program. The ring is that of failures.py, with D too fast.
"""

import argparse
import json
from pathlib import Path
from statistics import median

import torch
from failures import ring

from ganlib import files, targets
from ganlib.gan import GAN
from ganlib.labs.twins import PATIENTS
from ganlib.losses import Loss, r1
from ganlib.medicine import MEDICINE, Dose
from ganlib.networks import mlp
from ganlib.paths import Walker, distil, fit, monotone, score, walk
from ganlib.sweep import sweep

ROOT = Path(__file__).parents[2]
LAWS = {"two modes": targets.mixture, "iris petal length": targets.iris}
Z = torch.linspace(-3, 3, 121)[:, None]  # where the map of the first seed is kept
REACH = torch.linspace(-5.5, 5.5, 8001)[:, None]  # z of the pairs of a reflow

# The relativistic pairing: is this real one more real than the fake beside it?
RELATIVISTIC = Loss(
    "relativistic",
    D=lambda real, fake: torch.nn.functional.softplus(fake - real).mean(),
    G=lambda real, fake: torch.nn.functional.softplus(real - fake).mean(),
    paired=True,
)


def r1_and_r2(D, real, fake, generator=None):
    """R1 + R2: the price of D's slope at real and at fake. Mescheder et al. 2018, section 4.1."""
    return r1(D, real) + r1(D, fake.detach())


def new_gan(seed, G=None):
    """The GAN of notebook 04; it goes on from G, if one is given."""
    if G is None:
        G = mlp(1, 32, 32, 1, seed=2 * seed)
    D = mlp(1, 48, 48, 1, seed=2 * seed + 1, cover=(-3, 3))
    return GAN(
        G,
        D,
        targets.gaussian(),
        lr_G=2e-3,
        lr_D=2e-2,
        betas=(0.0, 0.9),
        penalty="r1",
        penalty_weight=0.02,
        seed=seed,
    )


def trained(law, seeds, steps, students=None):
    """The generators of GANs, one a seed, all in one batched program."""

    def made(seed):
        if students is None:
            return new_gan(seed)
        G = mlp(1, 32, 32, 1)
        G.load_state_dict(students[seed].state_dict())
        return new_gan(seed, G)

    found = sweep(
        made,
        law,
        lr_G=2e-3,
        lr_D=2e-2,
        seed=list(range(seeds)),
        steps=steps,
        batch=128,
        progress=False,
    )
    return [found.gan(k).G for k in range(seeds)]


def pairs_of(field):
    """(ε, x₀) of a walk of 64 straight steps, as often as normal noise has them."""
    ends = walk(field, REACH, 64, path="straight")[-1]
    density = targets.gaussian().log_prob(REACH).exp()
    which = torch.multinomial(
        density, 20_000, replacement=True, generator=torch.Generator().manual_seed(0)
    )
    return REACH[which], ends[which]


def scoreboard(law, seeds, steps):
    """{method: its numbers}, and the fields of the first seed."""
    kept = {"seeds": seeds, "steps": steps}

    def keep(name, evaluations, maps):
        scores = [score(G, law) for G in maps]
        kept[name] = {
            "evaluations": evaluations,
            **{
                key: [float(f"{getattr(one, key):.3g}") for one in scores]
                for key in ("js", "w1", "slope")
            },
            "map": [round(float(x), 3) for x in maps[0](Z).detach()],
        }
        js = kept[name]["js"]
        print(f"{law.name} | {name} = {median(js):.4f} nats, {min(js)} to {max(js)}", flush=True)

    keep("T", 1, [monotone(law)])
    every = range(seeds)
    cosine = fit(law, seeds=every, steps=steps, progress=False)
    for n in (1, 2, 4, 8, 16, 32, 64):
        keep(f"diffusion, {n}", n, [Walker(field, n) for field in cosine])
    for n in (2, 4, 8):
        walkers = [Walker(field, n, heun=True) for field in cosine]
        keep(f"diffusion, Heun, {n}", walkers[0].evaluations, walkers)

    straight = fit(law, path="straight", seeds=every, steps=steps, progress=False)
    for n in (4, 16, 64):
        keep(f"flow, {n}", n, [Walker(field, n, path="straight") for field in straight])
    reflow = [
        fit(law, path="straight", seeds=[k], pairs=pairs_of(field), steps=steps, progress=False)[0]
        for k, field in enumerate(straight[:3])
    ]
    keep("reflow, 1", 1, [Walker(field, 1, path="straight") for field in reflow])

    keep("GAN", 1, trained(law, seeds, steps))
    for n in (64, 4):
        walkers = [Walker(field, n) for field in cosine]
        students = distil(walkers, seeds=every, steps=steps, progress=False)
        keep(f"student of {n}", 1, students)
        keep(f"student of {n} + GAN", 1, trained(law, seeds, steps // 2, students))

    fields = {"cosine": cosine[0], "straight": straight[0], "reflow": reflow[0]}
    return kept, fields


RING = {
    "non-saturating": {"loss": "non-saturating"},
    "relativistic": {"loss": RELATIVISTIC},
}
DOSES = {
    "none": MEDICINE["none"],
    "R1": MEDICINE["R1, weight 1"],
    "R1 + R2": Dose(knobs={"penalty": r1_and_r2, "penalty_weight": 1.0}),
}


def ring_of_eight(seeds, steps):
    """Modes covered with D too fast: two losses, with no penalty, R1, and R1 + R2."""
    found = {}
    for loss, knobs in RING.items():
        for name, dose in DOSES.items():
            result = ring(seeds, steps, dose=dose, **PATIENTS["D too fast"], **knobs)
            found[f"{loss}, {name}"] = result["modes"]
            print(f"ring | {loss}, {name} = {result['modes']} modes", flush=True)
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--study", choices=[*LAWS, "ring"], action="append", help="only this one")
    option("--seeds", type=int, default=5)
    option("--steps", type=int, default=4000)
    option("--out", type=Path, help="a folder for both files, if not that of the course")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)

    out = (given.out or ROOT / "images") / "after.json"
    weights = (given.out or ROOT / "notebooks/weights") / "velocities.safetensors"
    for name in given.study or [*LAWS, "ring"]:
        if name == "ring":
            found = ring_of_eight(2 * given.seeds, given.steps * 3 // 8)
        else:
            found, fields = scoreboard(LAWS[name](), given.seeds, given.steps)
            tensors = files.read(weights)[0] if weights.exists() else {}
            for path, field in fields.items():
                for key, value in field.net.state_dict().items():
                    tensors[f"{name}/{path}/{key}"] = value
            files.write(weights, tensors, {"made by": "tests/benchmarks/after.py"})
        kept = json.loads(out.read_text()) if out.exists() else {}
        kept[name] = found
        out.write_text(json.dumps(kept, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
