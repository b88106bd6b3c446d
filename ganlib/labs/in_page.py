"""A lab that trains in the reader's browser: in a page without a kernel, or beside one.

What the page must know (scene, knobs, presets, laws, first weights) is described here once, from
the lab itself; `ganlib/engine` trains it and `ganlib/stage/js` draws it.
"""

import base64
import json
from contextlib import contextmanager
from functools import cache
from html import escape
from io import BytesIO

import traitlets
from PIL import Image

from ganlib.checks import one_of
from ganlib.engine import export
from ganlib.games import quadrature
from ganlib.labs import discriminator, slow_motion
from ganlib.labs.games import ALL_RULES
from ganlib.stage.bundle import join
from ganlib.stage.poster import png
from ganlib.stage.widget import CSS, Canvas

# Of the picture that stands where a lab cannot run: what keeps its page small.
COLOURS = 32
DPI = 60

# The labs that are handed out, as the Python that makes them: a page can copy it for a notebook.
MADE = {
    "GANLab": """\
from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import GANLab
from ganlib.networks import mlp

G = mlp(1, 32, 32, 1, seed=0)
D = mlp(1, 48, 48, 1, seed=1, cover=(-3, 3))
gan = GAN(G, D, targets.gaussian(), lr_G=2e-3, lr_D=2e-2, betas=(0.0, 0.9),
          penalty="r1", penalty_weight=0.02, seed=0)
lab = GANLab(gan)""",
    "PlaneLab": """\
from ganlib import targets
from ganlib.gan import GAN
from ganlib.labs import PlaneLab
from ganlib.networks import mlp

G = mlp(2, 48, 48, 2, seed=0)
D = mlp(2, 48, 48, 1, seed=1)
gan = GAN(G, D, targets.gaussian(dim=2), lr_G=1e-3, lr_D=1e-3, betas=(0.5, 0.999), seed=0)
lab = PlaneLab(gan, batch=64)""",
    "Detective": "from ganlib.labs import Detective\n\nlab = Detective(seed=1)",
    "TwoTerms": "from ganlib.labs import TwoTerms\n\nlab = TwoTerms()",
    "Knots": "from ganlib.labs import Knots\n\nlab = Knots()",
    "Players": "from ganlib.labs import Players\n\nlab = Players()",
}

# Below which cell of a notebook, by its id, a page shows which of them.
CELLS = {
    "lab-detective": "Detective",
    "players-lab": "Players",
    "lab-two-terms": "TwoTerms",
    "lab-knots": "Knots",
    "lab-live": "GANLab",
    "plane-lab": "PlaneLab",
}


def made(name: str):
    """The lab that the code of this name makes, as a notebook would."""
    names: dict = {}
    exec(MADE[name], names)
    return names["lab"]


# -- what a page must know -------------------------------------------------------------------------


def describe(lab, *, first: bool = False, site: str = "") -> dict:
    """All that the page must know of a lab, as JSON can hold it.

    ValueError if it is of another kind than those in `MADE`, or if its networks, loss, penalty or
    targets are not ones that the engine knows. first: whether a link that names no lab means this
    one. site: the address that links begin with, by default that of the page.
    """
    name = one_of("a lab in a page", type(lab).__name__, MADE)
    scene = lab.scene.describe()
    for control in scene["controls"]:
        if control["key"] in lab.values:
            control["value"] = lab.values[control["key"]]  # a knob may have been turned
    return {"lab": name, "first": first, "site": site, "scene": scene, **MORE[name](lab)}


@cache
def usual(name: str) -> dict:
    """The values of all knobs of the lab that pages have under this name."""
    return dict(made(name).values)


def _session(lab) -> dict:
    session = lab.session
    described = export.gan(lab.gan)
    for player, seed in (("G", 0), ("D", 1)):
        described[player] = export.network(getattr(lab.gan, player), player, seed=seed)
    # What was asked for: those of the GAN may have fallen.
    described["settings"] |= {"lr_G": session.lr_G, "lr_D": session.lr_D}
    return {
        "presets": {
            preset: {"note": note, "knobs": knobs} for preset, (note, knobs) in lab.presets.items()
        },
        "laws": {law: export.law(lab.laws[law]()) for law in lab.laws if law != lab.by_hand},
        "by_hand": lab.by_hand,
        "gan": described,
        "session": {
            "batch": session.batch,
            "anneal": session.anneal,
            "horizon": session.horizon,
            "seed": session.seed,
        },
        "slow": {
            "flow": slow_motion.FLOW.tolist(),
            "boxes": slow_motion.BOXES,
            "phases": slow_motion.PHASES,
            "not_yet": slow_motion.NOT_YET,
        },
        "usual": usual(type(lab).__name__),
        "targets": list(lab.pages_targets),
        "code": MADE[type(lab).__name__].splitlines(),
    }


def _judged(lab) -> dict:
    return {"real": export.law(discriminator.REAL), "fake": export.law(discriminator.FAKE)}


def _detective(lab) -> dict:
    return {**_judged(lab), "seed": lab.seed}


def _knots(lab) -> dict:
    return {**_judged(lab), "at": lab.at.tolist()}


def _players(lab) -> dict:
    nodes, weights = quadrature()
    return {"nodes": nodes.tolist(), "weights": weights.tolist(), "all": ALL_RULES}


MORE = {
    "GANLab": _session,
    "PlaneLab": _session,
    "Detective": _detective,
    "TwoTerms": _judged,
    "Knots": _knots,
    "Players": _players,
}


@cache
def script() -> str:
    """What every page with labs needs once: the style, and the engine as `ganlib_page`."""
    style = CSS.read_text(encoding="utf-8")
    module = join(export.ROOM / "page.js")
    return (
        f"<style>{style}</style>\n"
        f"<script>const ganlib_page = (() => {{\n{module}\nreturn {{ mount }};\n}})();\n"
        f'ganlib_page.wasm = "{export.wasm()}";</script>'
    )


def html(lab, *, fallback: str = "", **how) -> str:
    """The lab as HTML, for a page that holds `script()` above it. how: as in `describe`.

    fallback: HTML that stands there until the lab runs, and where it cannot; by default its picture
    with its sentence.
    """
    told = json.dumps(describe(lab, **how), ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<div class="gl-page" data-lab="{type(lab).__name__}">{fallback or _poster(lab)}</div>\n'
        "<script>ganlib_page.mount(document.currentScript.previousElementSibling,\n"
        f"{told}, ganlib_page.wasm);</script>"
    )


def _poster(lab) -> str:
    """The picture of a lab with its words: a small PNG of few colours."""
    picture = BytesIO(png(lab.figure(), dpi=DPI))
    few = Image.open(picture).convert("RGB").quantize(COLOURS)
    small = BytesIO()
    few.save(small, format="png", optimize=True)
    data = base64.b64encode(small.getvalue()).decode()
    words = escape(f"{lab.scene.title}: {lab.text()}")
    return f'<img src="data:image/png;base64,{data}" alt="{words}"><p>{words}</p>'


# -- beside a kernel -------------------------------------------------------------------------------


class PageCanvas(Canvas):
    """The widget of a lab that trains in the page (engine/notebook.js).

    told: `describe`, and the state to `start` in. run: what the kernel hands to the page; sent:
    what the page has sent; both as `save` of session_lab.js writes it, with a `number`.
    """

    _esm = join(export.ROOM / "notebook.js") + "\nexport default { render };\n"
    told = traitlets.Dict().tag(sync=True)
    wasm = traitlets.Unicode(export.wasm()).tag(sync=True)
    run = traitlets.Unicode().tag(sync=True)
    sent = traitlets.Unicode().tag(sync=True)


class Remote:
    """The lab in the browser that a `SessionLab` of the kernel is a copy of.

    Runs go both ways. Each that the kernel hands over has a number, and what the page sends says
    which of them it has seen, so that neither takes an old one for new. ValueError if the engine
    does not know a part of the lab.
    """

    def __init__(self, lab):
        self.lab = lab
        self.number = 0  # of the last run that was handed over
        self.seen = ""  # the last run that was pulled
        self.depth = 0  # of calls that share
        told = {
            **describe(lab, site="lab.html"),
            "start": export.packed(export.state(lab.gan)),
            "code": [],
        }
        self.widget = PageCanvas(
            scene=lab.scene.describe(), values=dict(lab.values), status={}, told=told
        )

    def ask(self, kind: str) -> None:
        """Ask the page to play or to pause."""
        self.widget.send({"kind": kind})

    @contextmanager
    def share(self):
        """Do something to the last state of the page, and hand over what comes of it."""
        if self.depth == 0:
            self.pull()
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1
            if self.depth == 0:
                self.number += 1
                self.widget.run = json.dumps(self._given())

    def pull(self) -> None:
        """Adopt the last run that the page has sent, if it is new: all of it, or nothing."""
        sent = self.widget.sent
        if not sent or sent == self.seen:
            return
        self.seen = sent
        before = self.lab.snapshot()
        try:
            run = json.loads(sent)
            if run["number"] < self.number:
                return  # it was sent before the page had what the kernel handed over
            self._adopt(run)
            self.lab.draw()
        except Exception as error:
            self.lab.put_back(before)
            raise ValueError(f"what the page sent does not fit this lab: {error}") from None
        self.lab.session.forget()

    def _given(self) -> dict:
        lab = self.lab
        session = lab.session
        return {
            **lab.kept(),
            "lab": type(lab).__name__,
            "number": self.number,
            "knobs": dict(lab.values),
            "note": lab.note,
            "horizon": session.horizon,
            "values": session.settings,
            "past": session.past.tolist(),
            "every": session.every,
            "data": export.generator_state(session.data),
            "state": export.packed(export.state(lab.gan)),
        }

    def _adopt(self, run: dict) -> None:
        lab = self.lab
        values = lab.checked_values(run["knobs"])
        lab.take_kept(run)
        lab.session.set_law(lab.laws[values["target"]]())
        lab.session.tune(**{key: values[key] for key in lab.session.settings})
        export.adopt(lab.gan, export.unpacked(run["state"]))
        lab.session.tune()  # the rates of this step
        lab.session.go_on(run["past"], run["every"], export.generator_bytes(run["data"]))
        lab.show_run(values)
