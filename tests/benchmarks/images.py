"""Images per second of a training step: `ganlib.training.Run` against the usual tutorial's loop.

Same networks, batch and data. The plain loop is fp32, eager, with a DataLoader from memory, BCE and
a learning curve read at every step; ours, on a GPU, is bf16, channels last, compiled, with the
pictures on the GPU. Then both are compared at equal steps by the Fréchet distance. Prints
`name = value unit` lines.
"""

import argparse
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

Z_DIM = 100
LR = 2e-4


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--device", default="cpu", help="cpu or cuda (default: cpu)")
    option("--images", default="digits", help="digits or the path of an IDX file (default: digits)")
    option("--size", type=int, default=64, help="side of the pictures in pixels (default: 64)")
    option("--width", type=int, default=64, help="width of both networks (default: 64)")
    option("--batch", type=int, default=128, help="pictures a step (default: 128)")
    option("--seconds", type=float, default=20, help="to measure each loop for (default: 20)")
    option("--steps", type=int, default=0, help="after which quality is compared (default: not)")
    option("--threads", type=int, default=1, help="of the CPU (default: 1)")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda, but this PyTorch sees no GPU; take --device cpu")
    return given


def nets(given):
    G = dcgan_generator(given.size, z_dim=Z_DIM, width=given.width, seed=0)
    D = dcgan_discriminator(given.size, width=given.width, seed=1)
    return G.to(given.device), D.to(given.device)


def plain(G, D, x, *, batch):
    """The tutorial's loop as a generator: one training step each time it is asked."""
    torch.manual_seed(0)
    device = next(G.parameters()).device
    loss = nn.BCEWithLogitsLoss()
    opt_G = torch.optim.Adam(G.parameters(), lr=LR, betas=(0.5, 0.999))
    opt_D = torch.optim.Adam(D.parameters(), lr=LR, betas=(0.5, 0.999))
    while True:
        for (real,) in DataLoader(TensorDataset(x), batch, shuffle=True, drop_last=True):
            real = real.to(device)
            D.zero_grad()
            logits = D(real)
            loss_real = loss(logits, torch.ones_like(logits))
            loss_real.backward()
            fake = G(torch.randn(batch, Z_DIM, device=device))
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


def ours(given, x):
    gpu = given.device == "cuda"
    gan = GAN(*nets(given), gaussian(dim=Z_DIM), lr_G=LR, lr_D=LR, seed=0)
    return Run(gan, x, batch=given.batch, ema=0.0, bf16=gpu, channels_last=gpu, compile=gpu)


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
        steps = 0
        begin = time.perf_counter()
        while time.perf_counter() - begin < seconds / 5:
            step()
            steps += 1
        wait()
        rates.append(steps * batch / (time.perf_counter() - begin))
    return sorted(rates)[2]


def matrix_rate(device):
    """Floating-point operations per second of a large product, in bf16 on a GPU, fp32 on a CPU."""
    n = 8192 if device == "cuda" else 1024
    kind = torch.bfloat16 if device == "cuda" else torch.float32
    a = torch.randn(n, n, device=device, dtype=kind)
    return 2 * n**3 * rate(lambda: a @ a, batch=1, warm_up=3, seconds=1.5, device=device)


def operations(loop, batch):
    """Floating-point operations of one training step, for each image."""
    with FlopCounterMode(display=False) as counter:
        next(loop)
    return counter.get_total_flops() / batch


def compare_speed(given, x):
    loop = plain(*nets(given), x, batch=given.batch)
    run = ours(given, x)
    work = operations(loop, given.batch)
    how = {
        "batch": given.batch,
        "warm_up": 30 if given.device == "cuda" else 1,
        "seconds": given.seconds,
        "device": given.device,
    }
    of_ganlib = rate(run.step, **how)
    of_plain_loop = rate(lambda: next(loop), **how)
    most = matrix_rate(given.device)
    print(f"work = {work / 1e9:.2f} GFLOP/image")
    print(f"ganlib = {of_ganlib:.0f} images/s")
    print(f"plain loop = {of_plain_loop:.0f} images/s")
    print(f"ratio = {of_ganlib / of_plain_loop:.2f} times")
    print(f"matrix product = {most / 1e12:.2f} TFLOP/s")
    print(f"share of the matrix rate = {100 * of_ganlib * work / most:.1f} %")


def compare_quality(given, x, labels):
    net = metrics.classifier(x, labels)
    G, D = nets(given)
    loop = plain(G, D, x, batch=given.batch)
    run = ours(given, x).train(given.steps)
    for _ in range(given.steps):
        next(loop)

    z = gaussian(dim=Z_DIM).sample(2000, torch.Generator().manual_seed(0)).to(given.device)
    for name, generator in (("ganlib", run.G), ("plain loop", G.eval())):
        with torch.no_grad():
            fake = torch.cat([generator(part) for part in z.split(250)]).cpu()
        distance = metrics.evaluate(fake, x, net)["FD"]
        print(f"Fréchet distance, {name} = {distance:.2f}")


def main():
    given = arguments()
    torch.set_num_threads(given.threads)
    x, labels = images.load(given.images, size=given.size)
    compare_speed(given, x)
    if given.steps:
        compare_quality(given, x, labels)


if __name__ == "__main__":
    main()
