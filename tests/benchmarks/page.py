"""How fast the lab is that trains in a page: lab.html in Chromium, opened from disk.

    python tests/benchmarks/page.py [--seconds 3] [--rounds 5] [--minutes 0]

Printed as `name = value unit`: milliseconds from opening the file to the first picture; training
steps for each CPU second beside torch's `GAN.step`, in alternating windows; pictures a second;
milliseconds from a slider to the first step with its value. With --minutes it plays for so long,
turns a knob every few seconds, and prints what that leaves in memory. Chromium draws without a
graphics card here, which costs it pictures.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
from browsers import chromium

from ganlib import targets
from ganlib.labs import in_page

COMMAND = Path(__file__).parents[2] / "notebooks/lecture/lab.py"
FIRST = "#line .gl-lab canvas[data-drawn]"
LAB = "document.querySelector('#line .gl-page').lab"


@contextmanager
def opened(browser, folder):
    """(page, milliseconds to the first picture) of lab.html."""
    file = Path(folder) / "lab.html"
    if not file.exists():
        subprocess.run([sys.executable, COMMAND, "--out", file], check=True, capture_output=True)
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(600_000)
    start = time.perf_counter()
    page.goto(file.as_uri())
    page.wait_for_selector(FIRST)
    took = 1000 * (time.perf_counter() - start)
    page.evaluate(f"() => {{ window.lab = {LAB}; }}")
    yield page, took
    page.close()


def steps_of_torch(gan, law, data, seconds):
    """Steps of the plain loop in torch for each CPU second."""
    end = time.perf_counter() + seconds
    cpu = time.process_time()
    steps = gan.steps
    while time.perf_counter() < end:
        gan.step(law.sample(128, data))
    return (gan.steps - steps) / (time.process_time() - cpu)


def steps_of_page(page, seconds):
    """Steps in the page for each second of its own thread, which does nothing else meanwhile."""
    page.evaluate("() => new Promise(done => setTimeout(done, 200))")
    return page.evaluate(
        """(seconds) => {
            const start = performance.now();
            let steps = 0;
            while (performance.now() < start + 1000 * seconds) {
              for (let i = 0; i < 20; i++) lab.session.step();
              steps += 20;
            }
            return (1000 * steps) / (performance.now() - start); }""",
        seconds,
    )


def speed(page, seconds, rounds):
    """Training in the page beside torch; both with R1, at batch 128."""
    torch.set_num_threads(1)
    gan = in_page.made("GANLab").gan
    law = targets.gaussian()
    data = torch.Generator().manual_seed(1)
    pairs = [
        (steps_of_torch(gan, law, data, seconds), steps_of_page(page, seconds))
        for _ in range(rounds)
    ]
    print(f"torch_steps = {statistics.median(bare for bare, _ in pairs):.0f} steps/CPU s")
    print(f"page_steps = {statistics.median(here for _, here in pairs):.0f} steps/CPU s")
    print(f"page_to_torch = {statistics.median(here / bare for bare, here in pairs):.1f} times")


def shown(page, seconds):
    """Pictures shown a second while it plays."""
    drawn = "() => [+document.querySelector('#line canvas').dataset.drawn, performance.now()]"
    page.evaluate("() => lab.send({ kind: 'play' })")
    page.wait_for_timeout(2000)
    before, start = page.evaluate(drawn)
    page.wait_for_timeout(1000 * seconds)
    after, end = page.evaluate(drawn)
    print(f"page_shown = {1000 * (after - before) / (end - start):.1f} pictures/s")


def latency(page):
    """From a slider to the first training step with its value, while it plays."""
    late = page.evaluate("""async () => {
        const heard = [];
        const { gan } = lab;
        const step = gan.step.bind(gan);
        gan.step = (real) => {
          const { lr_D } = lab.session;
          if (heard.at(-1)?.[0] !== lr_D) heard.push([lr_D, performance.now()]);
          return step(real);
        };
        const sliders = [...document.querySelectorAll("#line .gl-slider")];
        const range = sliders.find((e) => e.innerText.includes("lr_D")).querySelector("input");
        const late = [];
        for (let i = 0; i < 40; i++) {
          range.value = 400 + 5 * i;
          const at = performance.now();
          range.dispatchEvent(new Event("input"));
          await new Promise((done) => setTimeout(done, 150 + 100 * Math.random()));
          late.push(heard.at(-1)[1] - at);
        }
        gan.step = step;
        return late; }""")
    page.evaluate("() => lab.send({ kind: 'pause' })")
    print(f"page_slider_to_training = {statistics.median(late):.1f} ms")
    print(f"page_slider_to_training_worst = {max(late):.1f} ms")


def play(page, minutes):
    """Play for minutes, with a knob turned every ten seconds; what is left in memory."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def heap():
        session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        found = {metric["name"]: metric["value"] for metric in metrics}
        return found["JSHeapUsedSize"] / 1e6, found["Nodes"]

    page.evaluate("() => { lab.set('anneal', false); lab.send({ kind: 'play' }); }")
    page.wait_for_timeout(30_000)
    before = heap()
    for turn in range(int(6 * minutes)):
        rate = 0.002 if turn % 2 else 0.003
        page.evaluate("(rate) => { lab.set('lr_G', rate); }", rate)
        page.wait_for_timeout(10_000)
    after = heap()
    print(f"page_played = {minutes:g} min, {page.evaluate('() => lab.steps')} steps")
    print(f"page_heap = {before[0]:.1f} MB before, {after[0]:.1f} MB after")
    print(f"page_nodes = {before[1]:.0f} before, {after[1]:.0f} after")
    print(f"page_plays_on = {page.evaluate('() => lab.playing')}")


def measure(seconds, rounds, minutes=0):
    """Print all of it."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        first = []
        for _ in range(rounds):
            with opened(browser, folder) as (page, took):
                first.append(took)
        print(f"page_first_picture = {statistics.median(first):.0f} ms")
        with opened(browser, folder) as (page, _):
            speed(page, seconds, rounds)
            page.evaluate("() => { lab.set('preset', 'converges'); }")
            shown(page, seconds)
            latency(page)
            if minutes:
                play(page, minutes)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of windows")
    parser.add_argument("--minutes", type=float, default=0, help="to play at the end")
    args = parser.parse_args()
    measure(args.seconds, args.rounds, args.minutes)


if __name__ == "__main__":
    main()
