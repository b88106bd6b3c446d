"""Pictures shown a second by the labs of notebooks 01 to 03 that move.

    python tests/benchmarks/moving_labs.py

Each plays alone in JupyterLab, at its default settings, for some seconds or until it has arrived.
Printed as `name = value unit`. It needs Chromium, and a machine that does nothing else; the load is
printed too.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from browsers import chromium, serve, shower

LABS = (
    "FitNormal([12, 15, 11, 14, 13, 16, 45])",
    "TwoModes()",
    "Bound()",
    "Walkers()",
    "Pairs()",
    "Players(rule='all five')",
)
FIRST = "Walkers()"  # plays before all others, until JupyterLab has come to rest


def cell() -> str:
    """The code that puts all labs on the page."""
    calls = [f"labs.{lab}" for lab in (FIRST, *LABS)]
    return f"""import torch
from IPython.display import display
from ganlib import labs
torch.set_num_threads(1)
display({", ".join(calls)})"""


def pictures_a_second(page, lab, seconds: int) -> float:
    """Play one lab: how many pictures were drawn a second, while it moved."""
    button = lab.locator(".gl-play")
    canvas = lab.locator("canvas")
    now = "e => [+e.dataset.drawn, performance.now()]"

    lab.scroll_into_view_if_needed()
    button.click()
    page.wait_for_timeout(200)
    before, start = canvas.evaluate(now)
    for _ in range(10 * seconds):
        page.wait_for_timeout(100)
        if "pause" not in button.inner_text():  # it arrived, or is trained
            break
        after, end = canvas.evaluate(now)
    else:
        button.click()
    return 1000 * (after - before) / (end - start)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=4)
    seconds = parser.parse_args().seconds
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as server,
        chromium() as browser,
        shower(server, browser, "moving") as show,
    ):
        page = show(cell())
        page.locator(".gl-lab").nth(len(LABS)).wait_for()
        page.locator(".gl-play").first.click()  # until the browser has compiled
        page.wait_for_timeout(5000)
        page.locator(".gl-play").first.click()
        for i, call in enumerate(LABS, 1):
            name, _, _ = call.partition("(")
            rate = pictures_a_second(page, page.locator(".gl-lab").nth(i), seconds)
            print(f"{name}, shown = {rate:.1f} frames/s", flush=True)
    print(f"machine_load = {os.getloadavg()[0]:.1f} processes on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
