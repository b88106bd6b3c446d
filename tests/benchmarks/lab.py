"""How fast the live lab is in JupyterLab, and in a page without a kernel (page.py).

    python tests/benchmarks/lab.py [--seconds 3] [--rounds 4]

Printed as `name = value unit`: pictures shown a second in Chromium; the share of training speed
that is kept against a bare loop, in alternating windows and by CPU time of the kernel; milliseconds
from a slider to the first training step with its value; the same for the usual `clear_output`
animation; and the memory that resets and frames leave behind. It needs Chromium, and a machine that
does nothing else.
"""

import argparse
import gc
import os
import statistics
import sys
import tempfile
from pathlib import Path

import psutil
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
import page as page_of_lab
from browsers import chromium, serve, shower

SETUP = """import asyncio, time, torch
import matplotlib.pyplot as plt
from IPython.display import clear_output, display
from ganlib import targets
from ganlib.densities import pushforward
from ganlib.gan import GAN
from ganlib.labs import GANLab
from ganlib.networks import mlp
torch.set_num_threads(1)
def make():
    G = mlp(1, 32, 32, 1, seed=0)
    D = mlp(1, 48, 48, 1, seed=1, cover=(-3, 3))
    return GAN(G, D, targets.gaussian(), lr_G=2e-3, lr_D=2e-2, betas=(0.0, 0.9), penalty="r1",
               penalty_weight=0.02, seed=0)
lab = GANLab(make(), anneal=False)
bare, normal, data = make(), targets.gaussian(), torch.Generator().manual_seed(1)
windows, heard, task = {"bare": [], "lab": [], "clear_output": []}, [], None
def window(seconds, until=None):  # bare training
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        bare.step(normal.sample(128, data))
def measured(name, work):
    gan = lab.gan if name == "lab" else bare
    cpu = time.process_time()
    steps = gan.steps
    def done():
        windows[name].append((gan.steps - steps) / (time.process_time() - cpu))
    return done
async def compare(seconds, rounds):
    for _ in range(rounds):
        done = measured("bare", None); window(seconds); done()
        lab.play(); await asyncio.sleep(0.3)
        done = measured("lab", None); await asyncio.sleep(seconds); done()
        lab.pause(); await asyncio.sleep(0.1)
    return "done"
rates = lab.session._set_rates
def listen():
    rates()
    if not heard or heard[-1][1] != lab.gan.lr_D: heard.append((time.time(), lab.gan.lr_D))
lab.session._set_rates = listen
lab"""

# The usual way: train for the time of a frame, clear the output, draw the figure anew.
USUAL = """def usual(seconds):
    done, end, x = measured("clear_output", None), time.perf_counter() + seconds, lab.x
    while time.perf_counter() < end:
        window(1 / 30)
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
        left.plot(x, lab.p_data), left.plot(x, pushforward(bare.G, bare.prior, x))
        left.plot(x, bare.D(x.float()[:, None]).sigmoid().detach())
        right.plot([record["loss_D"] for record in bare.history[-2000:]])
        clear_output(wait=True)
        display(figure)
        plt.close(figure)
    done()"""


def in_browser(seconds, rounds):
    """Frames, share kept and latency, of the lab and of the usual animation, in one JupyterLab."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as server,
        chromium() as browser,
        shower(server, browser, "benchmark") as show,
    ):
        page = show(SETUP, USUAL)
        page.set_default_timeout(180_000)

        def ask(code, expression="None"):
            answer = page.evaluate(
                """async ([code, it]) => {
                const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
                const question = { code, user_expressions: { it } };
                const { content } = await kernel.requestExecute(question).done;
                return content.user_expressions?.it?.data["text/plain"] ?? content.evalue; }""",
                [code, expression],
            )
            return eval(answer, {"__builtins__": {}}, {"True": True, "False": False})

        ask(f"task = asyncio.get_running_loop().create_task(compare({seconds}, {rounds}))")
        while not ask("", "task.done()"):
            page.wait_for_timeout(1000)

        drawn = "() => +document.querySelector('.gl-lab canvas').dataset.drawn"
        ask("lab.play()")
        page.wait_for_timeout(1000)
        before, start = page.evaluate(drawn), page.evaluate("() => performance.now()")
        page.wait_for_timeout(1000 * seconds)
        shown = (
            (page.evaluate(drawn) - before)
            / (page.evaluate("() => performance.now()") - start)
            * 1000
        )

        moved = page.evaluate("""async () => {
            const sliders = [...document.querySelectorAll(".gl-slider")];
            const slider = sliders.find(e => e.innerText.includes("lr_D"));
            const [range, number] = slider.querySelectorAll("input"), times = [];
            for (let i = 0; i < 40; i++) {
                range.value = 400 + 5 * i + Math.floor(5 * Math.random());
                times.push(Date.now() / 1000);
                range.dispatchEvent(new Event("input"));
                times.push(+number.value);
                await new Promise(done => setTimeout(done, 200 + 100 * Math.random()));
            }
            return times; }""")
        page.wait_for_timeout(500)
        heard = {rate: at for at, rate in ask("lab.pause()", "heard")}
        late = [
            1000 * (heard[rate] - at) for at, rate in zip(moved[::2], moved[1::2]) if rate in heard
        ]

        # The usual animation, in the cell below; Chromium counts the pictures that it puts on the
        # page.
        page.evaluate("""() => {
            window.pictures = 0;
            const is_picture = node => node.tagName === "IMG" || node.querySelector?.("img");
            const count = changes => {
                for (const { addedNodes } of changes)
                    window.pictures += [...addedNodes].filter(is_picture).length;
            };
            const all = { childList: true, subtree: true };
            new MutationObserver(count).observe(document.body, all);
        }""")
        page.evaluate(f"""() => {{
            const {{ content }} = window.jupyterapp.shell.currentWidget;
            content.widgets[1].model.sharedModel.setSource("usual({2 * seconds})");
            content.activeCellIndex = 1;
            window.jupyterapp.commands.execute("notebook:run-cell");
        }}""")
        page.wait_for_timeout(2000 * seconds + 2000)
        windows = ask("", "windows")
        usual = page.evaluate("() => window.pictures") / (2 * seconds)
    kept = [there / bare for there, bare in zip(windows["lab"], windows["bare"])]
    print(f"machine_load = {os.getloadavg()[0]:.1f} processes on {os.cpu_count()} cores")
    print(f"bare_training = {statistics.median(windows['bare']):.0f} steps/CPU s")
    print(f"lab_shown = {shown:.1f} frames/s")
    print(f"lab_kept = {100 * statistics.median(kept):.0f} %")
    print(f"lab_slider_to_training = {statistics.median(late):.0f} ms")
    print(f"lab_slider_to_training_worst = {max(late):.0f} ms")
    print(f"clear_output_shown = {usual:.1f} frames/s")
    usual_kept = windows["clear_output"][-1] / statistics.median(windows["bare"])
    print(f"clear_output_kept = {100 * usual_kept:.0f} %")


def memory(resets, frames):
    """What `resets` resets and `frames` frames of a playing lab leave in memory."""
    space: dict = {}
    torch.set_num_threads(1)
    exec(SETUP, space)
    lab, process = space["lab"], psutil.Process()
    lab.set("batch", 32).run(300)
    for _ in range(5):
        lab.reset()
    gc.collect()
    before = process.memory_info().rss
    for _ in range(resets):
        lab.reset()
        lab.show()
    gc.collect()
    between = process.memory_info().rss
    for _ in range(frames):
        lab.run(1)
    gc.collect()
    print(f"memory_after_{resets}_resets = {(between - before) / 2**20:.1f} MB")
    print(f"memory_after_{frames}_frames = {(process.memory_info().rss - before) / 2**20:.1f} MB")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a window")
    parser.add_argument(
        "--rounds", type=int, default=4, help="pairs of windows, bare and with the lab"
    )
    parser.add_argument("--resets", type=int, default=500)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--only", choices=["browser", "memory", "page"], help="one part of it")
    args = parser.parse_args()
    if args.only in (None, "browser"):
        in_browser(args.seconds, args.rounds)
    if args.only in (None, "page"):
        page_of_lab.measure(args.seconds, args.rounds)
    if args.only in (None, "memory"):
        memory(args.resets, args.frames)


if __name__ == "__main__":
    main()
