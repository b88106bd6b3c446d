"""A lab as a piece of a page: it trains in the reader's browser, without a kernel or a network.

What the page must know (scene, knobs, presets, laws, first weights) is described here once, from
the lab itself; `ganlib/engine` trains it and `ganlib/stage/js` draws it.
"""

import base64
import json
from functools import cache
from html import escape
from io import BytesIO

from PIL import Image

from ganlib.engine import export
from ganlib.labs import gan_lab, plane, slow_motion
from ganlib.labs.session_lab import SessionLab
from ganlib.stage.bundle import join
from ganlib.stage.widget import CSS

COLOURS = 32  # of the picture that stands where a lab cannot run

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
}


def made(name: str) -> SessionLab:
    """The lab that the code of this name makes, as a notebook would."""
    names: dict = {}
    exec(MADE[name], names)
    return names["lab"]


def describe(lab: SessionLab, *, first: bool = False, site: str = "") -> dict:
    """All that the page must know of a lab, as JSON can hold it.

    ValueError if its networks, loss, penalty or targets are not ones that the engine knows. first:
    whether a link that names no lab means this one. site: the address that links begin with, by
    default that of the page.
    """
    session = lab.session
    described = export.gan(lab.gan)
    for player, seed in (("G", 0), ("D", 1)):
        described[player] = export.network(getattr(lab.gan, player), player, seed=seed)

    drawn = {plane.DRAWN} & set(lab.laws)
    return {
        "lab": type(lab).__name__,
        "first": first,
        "site": site,
        "scene": lab.scene.describe(),
        "presets": {
            name: {"note": note, "knobs": knobs} for name, (note, knobs) in lab.presets.items()
        },
        "laws": {name: export.law(lab.laws[name]()) for name in lab.laws if name not in drawn},
        "drawn": plane.DRAWN,
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
        "arrows": gan_lab.ARROWS,
        "code": MADE.get(type(lab).__name__, "").splitlines(),
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


def html(lab: SessionLab, **how) -> str:
    """The lab as HTML, for a page that holds `script()` above it. how: as in `describe`.

    Until it runs, and where it cannot, its picture stands there with its sentence.
    """
    told = json.dumps(describe(lab, **how), ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<div class="gl-page">{_poster(lab)}</div>\n'
        "<script>ganlib_page.mount(document.currentScript.previousElementSibling,\n"
        f"{told}, ganlib_page.wasm);</script>"
    )


def _poster(lab: SessionLab) -> str:
    """The picture of a lab with its words: a small PNG of few colours."""
    picture = BytesIO()
    lab.figure().savefig(picture, format="png", dpi=72)
    few = Image.open(picture).convert("RGB").quantize(COLOURS)
    small = BytesIO()
    few.save(small, format="png", optimize=True)
    data = base64.b64encode(small.getvalue()).decode()
    words = escape(f"{lab.scene.title}: {lab.text()}")
    return f'<img src="data:image/png;base64,{data}" alt="{words}"><p>{words}</p>'
