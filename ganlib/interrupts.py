"""Ctrl-C, and *interrupt* in a notebook, heard between two steps: none is ever cut in two."""

import signal
import threading


class CtrlC:
    """While it is open, Ctrl-C is only noted, in `pressed`, however often it comes.

    Only the main thread can hear it.
    """

    def __init__(self):
        self.pressed = False
        self.hears = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "CtrlC":
        if self.hears:
            self.before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_) -> None:
        if self.hears:
            signal.signal(signal.SIGINT, self.before)

    def _press(self, *_) -> None:
        self.pressed = True
