"""Voilà's settings: `voila --Voila.config_file_paths=notebooks/voila notebooks/04_….ipynb`.

Voilà looks for the pictures of a text only below the folder it serves, and stops at the first one elsewhere, such as
`../images/landscape.png`. Here they are read relative to the notebook and put into the page. And it gives the figures
of the cells no words: here they get what the cell prints below them, by the template in share/.
"""

import base64
import mimetypes
import os
from html import escape
from pathlib import Path

from nbconvert.filters.markdown_mistune import IPythonRenderer
from voila.exporter import VoilaMarkdownRenderer

HERE = Path(__file__).parent


class Renderer(VoilaMarkdownRenderer):
    """Text of a notebook as HTML, its pictures within."""

    def image(self, text, url, title=None):
        path = HERE.parent / url
        if path.is_file():
            url = f"data:{mimetypes.guess_type(url)[0]};base64,{base64.b64encode(path.read_bytes()).decode()}"
        return IPythonRenderer.image(self, text, url, title)


def described(output, cell):
    """A figure as HTML, with what else its cell says as its words; any other output, a lab too, as it is."""
    data = output.get("data", {})
    if "image/png" not in data or any("widget" in kind for kind in data):
        return output
    said = [o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in cell.outputs]
    words = " ".join(" ".join(text for text in said if not text.startswith("<Figure")).split())
    image = f'<img alt="{escape(words) or "figure"}" src="data:image/png;base64,{data["image/png"].strip()}">'
    return {**output, "data": {"text/html": image}}


c = get_config()  # noqa: F821 (Voilà gives it)
os.environ["JUPYTER_PATH"] = os.pathsep.join(
    [str(HERE / "share"), *filter(None, [os.environ.get("JUPYTER_PATH")])]
)
c.VoilaConfiguration.template = "course"
c.VoilaExporter.markdown_renderer_class = Renderer
c.VoilaExporter.filters = {"described": described}
