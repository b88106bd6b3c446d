"""`Canvas`, the widget of every lab: a description, a buffer for each frame, and a few words."""

from pathlib import Path

import anywidget
import traitlets

from ganlib.stage.bundle import join

JS = Path(__file__).with_name("js")
CSS = Path(__file__).with_name("canvas.css")


class Canvas(anywidget.AnyWidget):
    """What js/widget.js draws and hears; `scene.describe()` says what is in `scene`."""

    _esm = join(JS / "widget.js") + "\nexport default { render };\n"
    _css = CSS.read_text(encoding="utf-8")
    scene = traitlets.Dict().tag(sync=True)
    frame = traitlets.Bytes().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)

    def __repr__(self):
        return f"Canvas({self.scene.get('title', '')!r})"
