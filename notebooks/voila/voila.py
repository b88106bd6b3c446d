"""Voilà's settings: `voila --Voila.config_file_paths=notebooks/voila notebooks/04_….ipynb`.

Voilà looks for the pictures of a text only below the folder it serves, and stops at the first one
elsewhere, such as `../images/landscape.png`. Here they are read relative to the notebook and put
into the page. And it gives the figures of the cells no words: here they get what the cell prints
below them, by the template in share/.
"""

import base64
import mimetypes
import os
from html import escape
from pathlib import Path

from nbconvert.filters.markdown_mistune import IPythonRenderer
from voila.exporter import VoilaMarkdownRenderer

from ganlib.words import words

HERE = Path(__file__).parent


class Renderer(VoilaMarkdownRenderer):
    """Text of a notebook as HTML, its pictures within."""

    def image(self, text, url, title=None):
        path = HERE.parent / url
        if path.is_file():
            data = base64.b64encode(path.read_bytes()).decode()
            url = f"data:{mimetypes.guess_type(url)[0]};base64,{data}"
        return IPythonRenderer.image(self, text, url, title)


def described(output, cell):
    """A figure as HTML, with its words; any other output, a lab too, as it is."""
    data = output.get("data", {})
    is_lab = any("widget" in kind for kind in data)
    if "image/png" not in data or is_lab:
        return output
    alt = escape(words(cell.outputs)) or "figure"
    image = f'<img alt="{alt}" src="data:image/png;base64,{data["image/png"].strip()}">'
    return {**output, "data": {"text/html": image}}


c = get_config()  # noqa: F821  Voilà gives it

# The template in share/ comes first; what the user has set stays behind it.
templates = [str(HERE / "share")]
if os.environ.get("JUPYTER_PATH"):
    templates.append(os.environ["JUPYTER_PATH"])
os.environ["JUPYTER_PATH"] = os.pathsep.join(templates)

c.VoilaConfiguration.template = "course"
c.VoilaExporter.markdown_renderer_class = Renderer
c.VoilaExporter.filters = {"described": described}
