"""A room full of students on this machine.

    python tests/benchmarks/classroom.py [1 5 10 20] [--seconds 10] [--engine browser]

For each number of students it starts that many kernels with the live lab of notebook 04 and plays
the browser's part: it receives every frame and says once a second which it has seen, as widget.js
does. Printed as `name = value unit`: memory of a student's kernel, resident and private; CPU of an
open lab that does not play; frames and steps a second of one who plays alone, and of the slowest
and the median student when all play at once; whether labs pause when nobody looks, and what CPU is
left then; and the frames of the others while one student's lab diverges and another runs a cell
that loops for ever. Browsers and server are not counted.

With `--engine browser` the pages train: then the kernels' part is to take in a run of each student
every five seconds, as a page sends it, and printed are their CPU and memory meanwhile.
"""

import argparse
import ast
import json
import os
import statistics
import subprocess
import time

import numpy as np
import psutil
from jupyter_client.manager import KernelManager

LAB = """import torch
from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import GANLab
from ganlib.networks import mlp
torch.set_num_threads(1)
G = mlp(1, 32, 32, 1, seed=0)
D = mlp(1, 48, 48, 1, seed=1, cover=(-3, 3))
gan = GAN(G, D, targets.gaussian(), lr_G=2e-3, lr_D=2e-2, betas=(0.0, 0.9), penalty="r1",
          penalty_weight=0.02, seed=0)
lab = GANLab(gan, engine=ENGINE)
lab"""

OFTEN = 5  # seconds between two runs that a playing page sends


class Student:
    """A kernel with a lab, and what their browser would see of it."""

    def __init__(self, engine="kernel"):
        self.engine = engine
        self.manager = KernelManager()
        self.manager.start_kernel(
            env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL
        )
        self.client = self.manager.client()
        self.client.start_channels(iopub=False, stdin=False, hb=False)
        self.iopub = self.client.connect_iopub()
        self.process = psutil.Process(self.manager.provisioner.pid)
        self.frame, self.frames, self.status, self.looks = 0, 0, {}, True

    def make_lab(self):
        self.client.wait_for_ready(timeout=120)
        code = f"ENGINE = {self.engine!r}\n{LAB}"
        asked = {"id": "lab.widget.model_id"}
        if self.engine == "browser":
            code += ".run(100)"  # so that there is a run as a page would send it
            asked["run"] = "lab.widget.run"
        reply = self.client.execute(code, user_expressions=asked, reply=True, timeout=300)
        found = reply["content"]["user_expressions"]
        self.lab = ast.literal_eval(found["id"]["data"]["text/plain"])
        if self.engine == "browser":
            self.run = ast.literal_eval(found["run"]["data"]["text/plain"])

    def send(self, **content):
        """A message to the lab, as its page sends it."""
        data = {"comm_id": self.lab, "data": {"method": "custom", "content": content}}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", data))

    def send_run(self):
        """A run to the kernel, as the page of a playing lab sends it."""
        state = {"method": "update", "state": {"sent": self.run}, "buffer_paths": []}
        data = {"comm_id": self.lab, "data": state}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", data))

    def hear(self):
        """Take what the kernel has sent: frames are counted, the status is kept."""
        while self.iopub.poll(0):
            parts = self.iopub.recv_multipart()
            content = json.loads(parts[parts.index(b"<IDS|MSG>") + 5])
            if content.get("comm_id") == self.lab:
                self.status = content["data"].get("state", {}).get("status", self.status)
                if ["frame"] in content["data"].get("buffer_paths", []) and parts[-1]:
                    self.frame, self.frames = (
                        int(np.frombuffer(parts[-1], "<f4", 1)[0]),
                        self.frames + 1,
                    )

    def cpu(self):
        used = self.process.cpu_times()
        return used.user + used.system


def attend(students, seconds):
    """For a while: hear everybody, acknowledge once a second.

    Returns (frames, steps, CPU seconds) a second of each.
    """
    before = [(s.frames, s.status.get("steps", 0), s.cpu()) for s in students]
    start, due = time.monotonic(), 0.0
    while time.monotonic() < start + seconds:
        if time.monotonic() >= due:
            due = time.monotonic() + 1
            for s in students:
                if s.looks:
                    s.send(kind="seen", frame=s.frame, drawn=s.frames)
        for s in students:
            s.hear()
        time.sleep(0.005)
    took = time.monotonic() - start
    return [
        ((s.frames - f) / took, (s.status.get("steps", 0) - n) / took, (s.cpu() - c) / took)
        for s, (f, n, c) in zip(students, before)
    ]


def say(name, value, unit):
    print(f"{name} = {value:.4g} {unit}", flush=True)


def lesson_in_pages(n, seconds):
    """All play in their browsers: what is left for the kernels."""
    students = []
    try:
        for _ in range(n):
            students.append(Student("browser"))
            students[-1].make_lab()
        attend(students, 3)
        before = [s.cpu() for s in students]
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            for s in students:
                s.send_run()
            attend(students, OFTEN)
        took = time.monotonic() - start
        busy = [(s.cpu() - cpu) / took for s, cpu in zip(students, before)]
        say(f"{n} students, all play in the browser: CPU, sum", 100 * sum(busy), "% of a core")
        say(f"{n} students, all play in the browser: CPU, most", 100 * max(busy), "% of a core")
        size = len(students[0].run) / 1000
        say(f"{n} students: a run that a page sends", size, "kB")
    finally:
        close(students)


def close(students):
    for s in students:
        s.client.stop_channels()
        s.iopub.close(0)
        s.manager.shutdown_kernel(now=True)


def lesson(n, seconds):
    students = []
    try:
        for _ in range(n):
            students.append(Student())
            students[-1].make_lab()
        attend(students, 3)  # let everything settle
        idle = attend(students, seconds)
        say(
            f"{n} students: idle CPU of an open lab, mean",
            100 * statistics.mean(cpu for *_, cpu in idle),
            "% of a core",
        )

        students[0].send(kind="play")
        attend(students, 2)
        frames, steps, cpu = attend(students, seconds)[0]
        say(f"{n} students, one plays: frames", frames, "1/s")
        say(f"{n} students, one plays: steps", steps, "1/s")
        say(f"{n} students, one plays: CPU", 100 * cpu, "% of a core")

        for s in students[1:]:
            s.send(kind="play")
        attend(students, 3)
        all_play = attend(students, seconds)
        for what, column, unit in (("frames", 0, "1/s"), ("steps", 1, "1/s")):
            values = [row[column] for row in all_play]
            say(f"{n} students, all play: {what}, slowest", min(values), unit)
            say(f"{n} students, all play: {what}, median", statistics.median(values), unit)
        say(
            f"{n} students, all play: CPU, sum",
            100 * sum(cpu for *_, cpu in all_play),
            "% of a core",
        )
        memory = [s.process.memory_full_info() for s in students]
        say(
            f"{n} students: resident memory of each, median",
            statistics.median(m.rss for m in memory) / 2**20,
            "MiB",
        )
        say(
            f"{n} students: private memory of each, median",
            statistics.median(m.uss for m in memory) / 2**20,
            "MiB",
        )
        say(f"{n} students: private memory, sum", sum(m.uss for m in memory) / 2**20, "MiB")
        if n >= 3:
            trouble(students, n, seconds)

        for s in students:
            s.looks = False
        attend(students, 12)  # a lab waits 5 s; the first seconds after play count double
        say(
            f"{n} students, nobody looks: labs still playing",
            sum(s.status["playing"] for s in students),
            "of " + str(n),
        )
        say(
            f"{n} students, nobody looks: CPU, sum",
            100 * sum(cpu for *_, cpu in attend(students, seconds)),
            "% of a core",
        )
    finally:
        close(students)


def trouble(students, n, seconds):
    """One lab diverges, in another kernel a cell loops for ever; the others play on."""
    wild, loop, *others = students
    for key, value in (
        ("anneal", False),
        ("loss", "least-squares"),
        ("optimiser", "sgd"),
        ("lr_G", 1.0),
        ("lr_D", 1.0),
    ):
        wild.send(kind="set", key=key, value=value)
    loop.client.execute("while True: pass")
    attend(students, 2)
    rows = attend(students, seconds)
    say(
        f"{n} students, one diverges, one loops: frames of the others, slowest",
        min(row[0] for row in rows[2:]),
        "1/s",
    )
    say(
        f"{n} students, one diverges, one loops: others who still play",
        sum(s.status["playing"] for s in others),
        f"of {n - 2}",
    )
    print(f"the diverging lab says: {wild.status.get('error') or wild.status.get('text')}")
    say(f"{n} students: frames of the student in the loop", rows[1][0], "1/s")
    loop.manager.interrupt_kernel()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "students",
        nargs="*",
        type=int,
        default=[1, 5, 10, 20],
        help="how many at once (default 1 5 10 20)",
    )
    parser.add_argument(
        "--seconds", type=float, default=10, help="of each measurement (default 10)"
    )
    parser.add_argument("--engine", choices=["kernel", "browser"], default="kernel")
    args = parser.parse_args()
    load = os.getloadavg()[0]
    free = psutil.virtual_memory().available / 2**30
    print(f"{os.cpu_count()} cores, load {load:.1f} before the start, {free:.1f} GiB free")
    for n in args.students:
        if n * 400 * 2**20 > psutil.virtual_memory().available:
            print(f"{n} students: left out, there is not memory enough")
            continue
        if args.engine == "browser":
            lesson_in_pages(n, args.seconds)
        else:
            lesson(n, args.seconds)


if __name__ == "__main__":
    main()
