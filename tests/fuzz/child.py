"""A child process that does what may crash or never end; and the parent's side of it.

The child answers one job after the other. If no answer comes in time, or the process dies, it is
ended and another begins: that costs a second, not the test.
"""

import contextlib
import importlib
import multiprocessing
import os
import tempfile
import time
import warnings

import psutil
from hypothesis import HealthCheck, given, settings

PATIENCE = 10.0  # seconds of work for one answer; on a machine that others use, too, it takes more
LONGEST = 6 * PATIENCE  # seconds for one answer, worked or slept
MEMORY = 6 * 2**30  # bytes of addresses: a huge array is refused, and this machine lives on


class Child:
    """`ask(job)` gives what `work(job)` of the module `fuzz.<name>` gives in another process.

    That is (kind, why); no worker says by itself what stands here for the lack of an answer: "hang"
    or "crash", and no reason.
    """

    def __init__(self, name: str):
        self.name = name
        self.begun = 0
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *failed):
        self.end()

    def ask(self, job) -> tuple[str, str]:
        if self.process is None:
            self._begin()
        try:
            self.pipe.send(job)
            if self._answers():
                return self.pipe.recv()
            kind = "hang"
        except (EOFError, OSError):
            kind = "crash"
        self.end()
        return kind, ""

    def _answers(self) -> bool:
        """Whether there is an answer before the child has worked, or slept, for too long."""
        end = time.monotonic() + LONGEST
        worked = self._worked()
        while time.monotonic() < end:
            if self.pipe.poll(0.5):
                return True
            if self._worked() - worked > PATIENCE:
                break
        return False

    def _worked(self) -> float:
        """How many seconds the child has worked in all."""
        try:
            return sum(psutil.Process(self.process.pid).cpu_times()[:2])
        except psutil.Error:  # it is gone, which the pipe will say
            return 0.0

    def _begin(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["fuzz.child", "fuzz.props", "all_labs"])
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_answer, args=(self.name, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.begun += 1
        if not self.pipe.poll(300):  # it says hello when all is there that its jobs need
            raise RuntimeError("the child process does not begin")
        self.pipe.recv()

    def end(self) -> None:
        """End the process; the next job begins another."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
        self.process = None


def findings(child: Child, jobs, cases: int, fine: set[str], counts) -> list[str]:
    """What came of so many jobs, drawn from a strategy, but for the kinds that are fine.

    Each in a line; `counts` counts all.
    """
    found = set()

    @settings(
        max_examples=cases,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(jobs)
    def one(job):
        kind, why = child.ask(job)
        counts[kind] += 1
        if kind not in fine:
            found.add(f"{kind}: {job} → {why}")

    one()
    return sorted(found)


def _answer(name: str, pipe) -> None:
    """The child's own loop."""
    import resource  # Windows has none, and no forkserver either

    import torch

    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    with (
        tempfile.TemporaryDirectory() as scratch,
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        os.chdir(scratch)
        module = importlib.import_module(f"fuzz.{name}")
        module.ready()
        pipe.send("hello")
        while True:
            try:
                job = pipe.recv()
            except EOFError:
                return
            pipe.send(module.work(job))
