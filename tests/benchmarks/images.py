"""Images per second of a training step: `ganlib.training.Run` against the plain loop of the usual tutorial.

Same networks, batch and data. The plain loop is fp32, eager, with a DataLoader from memory, BCE and a
learning curve read at every step; ours, on a GPU, is bf16, channels last, compiled, with the pictures on the GPU.
Then both are compared at equal steps by the Fréchet distance. Prints `name = value unit` lines.
"""

import argparse
import json
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from ganlib import images, metrics
from ganlib.gan import GAN
from ganlib.networks import dcgan_discriminator, dcgan_generator
from ganlib.targets import gaussian
from ganlib.training import Run


def plain(G, D, x, *, z_dim, batch, lr, seed):
    """The tutorial's loop as a generator: one training step each time it is asked."""
    torch.manual_seed(seed)
    device = next(G.parameters()).device
    loss = nn.BCEWithLogitsLoss()
    opt_G, opt_D = (torch.optim.Adam(net.parameters(), lr=lr, betas=(0.5, 0.999)) for net in (G, D))
    while True:
        for (real,) in DataLoader(TensorDataset(x), batch, shuffle=True, drop_last=True):
            real = real.to(device)
            D.zero_grad()
            logits = D(real)
            loss_real = loss(logits, torch.ones_like(logits))
            loss_real.backward()
            fake = G(torch.randn(batch, z_dim, device=device))
            logits = D(fake.detach())
            loss_fake = loss(logits, torch.zeros_like(logits))
            loss_fake.backward()
            opt_D.step()
            G.zero_grad()
            logits = D(fake)
            loss_G = loss(logits, torch.ones_like(logits))
            loss_G.backward()
            opt_G.step()
            yield loss_real.item() + loss_fake.item(), loss_G.item()


def rate(step, *, batch, warm_up, seconds, device):
    """Images per second, the median of five equal parts of `seconds`."""

    def wait():
        if device == "cuda":
            torch.cuda.synchronize()

    for _ in range(warm_up):
        step()
    wait()
    rates = []
    for _ in range(5):
        begin, steps = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds / 5:
            step()
            steps += 1
        wait()
        rates.append(steps * batch / (time.perf_counter() - begin))
    return sorted(rates)[2]


def matrix_rate(device):
    """Floating-point operations per second of a large product, in bf16 on a GPU and fp32 on a CPU."""
    n, kind = (8192, torch.bfloat16) if device == "cuda" else (1024, torch.float32)
    a = torch.randn(n, n, device=device, dtype=kind)
    return 2 * n**3 * rate(lambda: a @ a, batch=1, warm_up=3, seconds=1.5, device=device)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument(
        "--images", default="digits", help="digits or the path of an IDX file (default: digits)"
    )
    parser.add_argument(
        "--size", type=int, default=64, help="side of the pictures in pixels (default: 64)"
    )
    parser.add_argument(
        "--width", type=int, default=64, help="width of both networks (default: 64)"
    )
    parser.add_argument("--batch", type=int, default=128, help="pictures a step (default: 128)")
    parser.add_argument(
        "--seconds", type=float, default=20, help="to measure each loop for (default: 20)"
    )
    parser.add_argument(
        "--steps", type=int, default=0, help="steps after which quality is compared (default: not)"
    )
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (default: 1)")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda, but this PyTorch sees no GPU; take --device cpu")
    torch.set_num_threads(args.threads)
    gpu, z_dim, lr = args.device == "cuda", 100, 2e-4
    x, labels = images.load(args.images, size=args.size)

    def nets():
        return (
            dcgan_generator(args.size, z_dim=z_dim, width=args.width, seed=0).to(args.device),
            dcgan_discriminator(args.size, width=args.width, seed=1).to(args.device),
        )

    def loops():
        G, D = nets()
        loop = plain(G, D, x, z_dim=z_dim, batch=args.batch, lr=lr, seed=0)
        run = Run(
            GAN(*nets(), gaussian(dim=z_dim), lr_G=lr, lr_D=lr, seed=0),
            x,
            batch=args.batch,
            ema=0.0,
            bf16=gpu,
            channels_last=gpu,
            compile=gpu,
        )
        return G, loop, run

    G, loop, run = loops()
    with FlopCounterMode(display=False) as counter:
        next(loop)
    per_image = counter.get_total_flops() / args.batch
    quick = {
        "batch": args.batch,
        "warm_up": 30 if gpu else 1,
        "seconds": args.seconds,
        "device": args.device,
    }
    ours, theirs = rate(run.step, **quick), rate(lambda: next(loop), **quick)
    top = matrix_rate(args.device)
    print(f"work = {per_image / 1e9:.2f} GFLOP/image")
    print(f"ganlib = {ours:.0f} images/s")
    print(f"plain loop = {theirs:.0f} images/s")
    print(f"ratio = {ours / theirs:.2f} times")
    print(f"matrix product = {top / 1e12:.2f} TFLOP/s")
    print(f"share of the matrix rate = {100 * ours * per_image / top:.1f} %")
    if args.steps:
        net = metrics.classifier(x, labels)
        G, loop, run = loops()
        run.train(args.steps)
        for _ in range(args.steps):
            next(loop)
        z = gaussian(dim=z_dim).sample(2000, torch.Generator().manual_seed(0)).to(args.device)
        for name, generator in (("ganlib", run.G), ("plain loop", G.eval())):
            with torch.no_grad():
                fake = torch.cat([generator(part) for part in z.split(250)]).cpu()
            print(
                f"Fréchet distance, {name} = {json.dumps(round(metrics.evaluate(fake, x, net)['FD'], 2))}"
            )


if __name__ == "__main__":
    main()
