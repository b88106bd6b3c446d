"""N GANs in one batched program against the same work one by one, and how the cost grows with N.

    python tests/benchmarks/sweep.py                   # 1-16-16-1 / 1-32-32-1, batch 64, one thread
    python tests/benchmarks/sweep.py --device cuda     # written for it, not yet tried on one

One by one is `GAN.step` on one thread, its fastest way for networks so small. Each side takes
turns, and the draws of noise and data count on both.
"""

import argparse
import statistics
import time
import timeit

import torch

from ganlib import targets
from ganlib.gan import GAN
from ganlib.networks import mlp
from ganlib.sweep import sweep


def new_gan(seed, device="cpu"):
    return GAN(
        mlp(1, 16, 16, 1, seed=2 * seed).to(device),
        mlp(1, 32, 32, 1, seed=2 * seed + 1).to(device),
        targets.uniform(),
        seed=seed,
    )


def clock(device, threads):
    """CPU seconds if on one thread, so that nothing else is counted; else those of the wall."""
    return time.process_time if device == "cpu" and threads == 1 else time.perf_counter


def one_by_one(steps, batch, device, now):
    """Seconds of one step of one GAN."""
    gan = new_gan(0, device)
    target = targets.gaussian()
    data = torch.Generator().manual_seed(1)
    torch.set_num_threads(1)
    for _ in range(20):
        gan.step(target.sample(batch, data).to(device))

    start = now()
    for _ in range(steps):
        gan.step(target.sample(batch, data).to(device))  # reads its loss: waits for the device
    return (now() - start) / steps


def batched(members, steps, batch, device, threads, now):
    """Seconds of one step of `members` GANs, without what happens once."""
    torch.set_num_threads(threads)
    times = []
    for count in (2, 2 + steps):
        start = now()
        sweep(
            new_gan,
            targets.gaussian(),
            lr_G=1e-3,
            lr_D=1e-3,
            seed=torch.arange(members),
            steps=count,
            batch=batch,
            device=device,
            progress=False,
        )
        times.append(now() - start)
    return (times[1] - times[0]) / steps


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", default="1,4,16,64,256,1024")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--threads", type=int, default=1, help="2 on a quiet machine; on a shared one far slower"
    )
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    now = clock(args.device, args.threads)

    x = torch.randn(64 * 32 * 256, device=args.device)
    tanh = min(timeit.repeat(lambda: torch.tanh(x), number=10, repeat=5))
    sigmoid = min(timeit.repeat(lambda: torch.sigmoid(x), number=10, repeat=5))
    print(f"tanh_over_sigmoid = {tanh / sigmoid:.1f} times the time", flush=True)

    for members in map(int, args.members.split(",")):
        steps = max(5, min(200, 25600 // members))
        times = []
        ratios = []
        for _ in range(args.rounds):
            alone = one_by_one(100, args.batch, args.device, now)
            many = batched(members, steps, args.batch, args.device, args.threads, now)
            times.append(many)
            ratios.append(alone * members / many)
        many = statistics.median(times)
        ratio = statistics.median(ratios)
        print(f"members_{members}_step = {1e3 * many:.2f} ms", flush=True)
        print(f"members_{members}_each = {1e6 * many / members:.0f} µs a GAN and step", flush=True)
        print(f"members_{members}_speed = {ratio:.1f} times one by one", flush=True)


if __name__ == "__main__":
    main()
