"""Voilà's settings: `voila --Voila.config_file_paths=notebooks/voila notebooks/04_….ipynb`.

Voilà looks for the pictures of a text only below the folder it serves, and stops at the first one elsewhere, such as
`../images/landscape.png`. Here they are read relative to the notebook and put into the page.
"""

import base64
import mimetypes
from pathlib import Path

from nbconvert.filters.markdown_mistune import IPythonRenderer
from voila.exporter import VoilaMarkdownRenderer


class Renderer(VoilaMarkdownRenderer):
    """Text of a notebook as HTML, its pictures within."""

    def image(self, text, url, title=None):
        path = Path(__file__).parents[1] / url
        if path.is_file():
            url = f"data:{mimetypes.guess_type(url)[0]};base64,{base64.b64encode(path.read_bytes()).decode()}"
        return IPythonRenderer.image(self, text, url, title)


c = get_config()  # noqa: F821 (Voilà gives it)
c.VoilaExporter.markdown_renderer_class = Renderer
