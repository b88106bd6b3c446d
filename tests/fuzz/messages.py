"""Strange messages to every lab: the form is that of the front end, what stands in it is not."""

import re
from functools import cache

from hypothesis import strategies as st

# As JSON brings them; the front end sends numbers, words and truth values.
# fmt: off
# ruff: disable[E501]
VALUES = st.one_of(
    st.sampled_from([
        None, True, False, "", "abc", "nan", "1e400", "-3", "\x00", "<b>", "🐈" * 300, -1, 0, 1, 2, 3.5,
        10**6, 10**12, 2**70, -(10**9), 1e308, -1e308, 1e-320, float("nan"), float("inf"), -float("inf"),
        [], {}, [1, 2], [None], {"a": 1}, [[float("nan")]], "{}", "[]", '{"format": "ganlib run 2"}',
    ]),
    st.floats(-10, 10),
    st.integers(-5, 100),
    st.text(max_size=9),
)
# ruff: enable[E501]
# fmt: on
PLACES = st.integers(0, 60)  # of a control, a mark, an axes: modulo how many there are
MESSAGES = st.one_of(
    st.tuples(st.just("set"), PLACES, VALUES),
    st.tuples(st.just("allowed"), PLACES, PLACES),
    st.tuples(st.just("press"), PLACES, VALUES),
    st.tuples(st.just("point"), PLACES, VALUES, VALUES),
    st.tuples(st.just("drag"), PLACES, VALUES, VALUES, VALUES),
    st.tuples(st.just("drag"), PLACES, st.integers(0, 3), VALUES, VALUES),
    st.tuples(
        st.sampled_from(["step", "reset", "pause", "play", "seen", "missing", "odd"]), VALUES
    ),
)
JOBS = st.tuples(PLACES, st.lists(MESSAGES, min_size=1, max_size=4))

# What the labs say of themselves when they did not foresee what happened: a name, and the place.
UNFORESEEN = re.compile(r"^\w*(Error|Exception|Warning|Iteration): .*\(\w+\)$", re.S)

# -- in the child ----------------------------------------------------------------------------------


def ready() -> None:
    """Make all labs."""
    labs()


@cache
def labs():
    import all_labs

    every = list(all_labs.make().items())
    for _, lab in every:
        lab._soon = lambda: None  # a burst of messages is drawn once: `work` draws at its end
    return every


def message(lab, what: str, *parts) -> object:
    """The message as the front end would send it."""

    def one_of(things, place):
        things = [*things]
        return things[place % len(things)] if things else "nothing"

    if what in ("set", "allowed"):
        key = one_of(lab.values, parts[0])
        value = allowed(lab, key, parts[1]) if what == "allowed" else parts[1]
        return {"kind": "set", "key": key, "value": value}
    if what == "press":
        keys = [c.key for c in lab.scene.controls if c.key not in lab.values]
        return {"kind": "press", "key": one_of(keys, parts[0]), "text": parts[1]}
    if what == "point":
        axes = one_of([axes.key for axes in lab.scene.axes], parts[0])
        return {"kind": "point", "axes": axes, "x": parts[1], "y": parts[2]}
    if what == "drag":
        marks = [mark.key for mark in lab.scene.marks if mark.kind == "handles"]
        _, index, x, y = parts
        return {"kind": "drag", "mark": one_of(marks, parts[0]), "index": index, "x": x, "y": y}
    if what == "seen":
        return {"kind": "seen", "frame": parts[0]}
    if what == "missing":
        return {"kind": "set"}
    if what == "odd":
        return parts[0]
    return {"kind": what}


def allowed(lab, key: str, place: int):
    """A value that the control allows, but for what would take minutes."""
    if key not in lab.values:
        return None
    control = lab.scene.control(key)
    if hasattr(control, "options"):
        return control.options[place % len(control.options)]
    if hasattr(control, "low"):
        return [control.low, control.value, min(control.high, control.low + 3)][place % 3]
    return bool(place % 2)


def work(job) -> tuple[str, str]:
    """("refused", "done", or what must not be, and why)."""
    place, messages = job
    every = labs()
    name, lab = every[place % len(every)]
    kind = "done"
    for parts in messages:
        told = message(lab, *parts)
        try:
            lab._do(told)
        except Exception as error:
            return "raised", f"{name}: {told} → {type(error).__name__}: {error}"
        said = lab.widget.status.get("error", "")
        if UNFORESEEN.match(said) and "play() needs" not in said:
            return "obscure", f"{name}: {told} → {said}"
        kind = "refused" if said else kind

    for after, needed in (("reset", "reset"), ("step", "advance")):
        if not hasattr(lab, needed):
            continue
        lab._do({"kind": after})
        lab._say()
        said = lab.widget.status.get("error", "")
        if said and "nothing to learn" not in said:
            return "broken", f"{name}: after {messages} the lab says to {after}: {said}"
    try:
        lab.show()
    except Exception as error:
        return "broken", f"{name}: after {messages} it cannot be drawn: {error!r}"
    return kind, ""
