"""Make one file to hand out: both labs, training in whatever browser opens it.

    python notebooks/lecture/lab.py [--out FILE]

The file, `.cache/lab.html`, needs neither Python nor a network: open it by a double click, send it
by mail, or put it on any web server. A link may set the knobs:
`lab.html#target=two+modes&lr_G=0.004&seed=3`; "copy link" in a lab writes one. Where the file lies
on the web is `SITE` in `notebooks/book/conf.py`; links then begin there.
"""

import argparse
import re
from pathlib import Path

from ganlib.labs import in_page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def site(settings: str) -> str:
    """The address of lab.html on the web, from the text of the book's settings; "" if none."""
    found = re.search(r'^SITE = "(.*)"$', settings, re.M)
    if found is None:
        raise ValueError('notebooks/book/conf.py must have a line SITE = "…"')
    return f"{found[1].rstrip('/')}/lab.html" if found[1] else ""


def write(to: Path) -> None:
    """Write the file."""
    text = (HERE / "lab.html").read_text(encoding="utf-8")
    address = site((ROOT / "notebooks/book/conf.py").read_text(encoding="utf-8"))
    parts = {
        "script": in_page.script(),
        "line": in_page.html(in_page.made("GANLab"), first=True, site=address),
        "plane": in_page.html(in_page.made("PlaneLab"), site=address),
    }
    for name, part in parts.items():
        text = text.replace(f"<!-- {name} -->", part)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(text, encoding="utf-8")
    print(f"made {to}: {to.stat().st_size / 1000:.0f} kB")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / ".cache/lab.html",
        help="the file to write (default .cache/lab.html)",
    )
    write(parser.parse_args().out)


if __name__ == "__main__":
    main()
