"""Ctrl-C is noted where it must not cut, and acts as ever before and after."""

import signal
import threading

from ganlib.interrupts import CtrlC


def test_it_is_noted_and_interrupts_nothing():
    usual = signal.getsignal(signal.SIGINT)
    with CtrlC() as ctrl_c:
        assert not ctrl_c.pressed
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)  # a launcher may pass it on once more
        assert ctrl_c.pressed
    assert signal.getsignal(signal.SIGINT) is usual


def test_another_thread_does_not_hear_it_and_does_not_mind():
    seen = []

    def work():
        with CtrlC() as ctrl_c:
            seen.append((ctrl_c.hears, ctrl_c.pressed))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, False)]
