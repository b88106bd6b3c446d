"""The pacer, on a clock of our own: frames as often as asked, fewer where they are dear."""

import pytest

from ganlib.stage.pace import SLICE, Pacer


def frames_in_a_second(fps, cost, work):
    """Frames sent in a second and seconds spent on them: `cost` each, and `work` a step of work.

    It is the third second: the pacer learns first what a frame costs.
    """
    pacer = Pacer(fps)
    now = 8.0
    sent = 0
    drawing = 0.0
    while now < 11.0:
        end = pacer.slice_end(now)
        while now < end:
            now += work
        if now >= pacer.due:
            pacer.sent(cost)
            pacer.plan(now)
            now += cost
            if now >= 10.0:
                drawing += cost
                sent += 1
    return sent, drawing


@pytest.mark.parametrize("fps, work", [(10, 1e-3), (34, 1e-3), (34, 7e-3), (60, 2e-3)])
def test_cheap_frames_come_as_often_as_asked(fps, work):
    sent, _ = frames_in_a_second(fps, 0.0005, work)
    assert sent == pytest.approx(fps, abs=2)


def test_dear_frames_take_an_eighth_of_the_time():
    sent, drawing = frames_in_a_second(34, 0.02, 1e-3)
    assert sent < 10
    assert drawing == pytest.approx(1 / 8, abs=0.05)


def test_a_slice_ends_when_a_frame_is_due():
    pacer = Pacer(34)
    assert pacer.slice_end(5.0) == 5.0 + SLICE  # the first frame is due at once
    pacer.plan(5.0)
    assert pacer.slice_end(pacer.due - 1e-3) == pacer.due
