"""How training and drawing share the kernel's time: slices of work, and frames when due."""

SLICE = 0.010  # seconds of work at a time; a slider is heard between slices
SHARE = 8  # drawing takes one part in so many of the time at most, also on a busy machine


class Pacer:
    """When the next frame is due: `fps` frames a second, fewer where a frame is dear.

    All times are seconds of one clock, `time.perf_counter`.
    """

    def __init__(self, fps: int):
        self.fps = fps
        self.due = 0.0  # of the next frame
        self.cost = 0.0  # of a frame: the mean of the last few

    def slice_end(self, now: float) -> float:
        """When the slice of work that begins now ends: a frame that is due does not wait for it."""
        end = now + SLICE
        if self.due > now:
            end = min(end, self.due)
        return end

    def sent(self, seconds: float) -> None:
        """A frame took so long."""
        self.cost += (seconds - self.cost) / 8

    def plan(self, now: float) -> None:
        """Set when the next frame is due. Late once is made up for, late always is not."""
        wait = max(1 / self.fps, (SHARE - 1) * self.cost)
        self.due = max(self.due, now - wait / 2) + wait
