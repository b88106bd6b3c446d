"""A recorded lab as a piece of a page: it plays without a kernel and asks nothing of the network.

`images/record.py` makes recordings; js/recording.js says what is in one, and draws it as a live lab
is drawn.
"""

from ganlib.stage.bundle import join
from ganlib.stage.widget import CSS, JS


def html(recording: str, *, fallback: str = "This lab needs JavaScript.") -> str:
    """The HTML that plays a recording; several may stand on one page.

    recording: the text of a file that `images/record.py` made. fallback: HTML for a reader whose
    browser does not run it: a picture with its words, or a sentence.
    """
    if not recording.lstrip().startswith("{"):
        raise ValueError(f"a recording is the text of a JSON file, got {recording[:20]!r}")
    style = CSS.read_text(encoding="utf-8")
    script = join(JS / "recording.js")
    return (
        f"<style>{style}</style>\n"
        f'<div class="gl-recorded">{fallback}</div>\n'
        f"<script>(() => {{\n{script}\n"
        f"mount(document.currentScript.previousElementSibling, {recording.strip()});\n"
        "})();</script>"
    )
