"""Put buttons that open the course in one click at the head of README.md.

    python notebooks/book/badges.py

They lead to `REPOSITORY` of conf.py, beside this file. While it is empty there are none. There is
none for Colab: a notebook that is opened there needs a cell first that fetches the course.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parent.parent / "README.md"
FIRST = "notebooks/00_start_here.ipynb"

BEGIN = "<!-- badges -->\n"
END = "<!-- /badges -->\n"
FORM = r"https://github\.com/([\w.-]+/[\w.-]+)"


def repository(settings: str) -> str:
    """The address of the repository, from the text of the book's settings; "" if none."""
    found = re.search(r'^REPOSITORY = "(.*)"$', settings, re.M)
    if found is None:
        raise ValueError('notebooks/book/conf.py must have a line REPOSITORY = "…"')
    return found[1].rstrip("/")


def badges(address: str) -> str:
    """The lines of the buttons for a repository on GitHub; nothing for none."""
    if not address:
        return ""
    match = re.fullmatch(FORM, address)
    if match is None:
        raise ValueError(f"REPOSITORY must be like https://github.com/NAME/COURSE, not {address!r}")

    name = match[1]
    binder = f"https://mybinder.org/v2/gh/{name}/main?urlpath=lab/tree/{FIRST}"
    codespaces = f"https://codespaces.new/{name}"
    tests = f"{address}/actions/workflows/tests.yml"
    lines = [
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})",
        f"[![Open in Codespaces](https://github.com/codespaces/badge.svg)]({codespaces})",
        f"[![Whether the tests pass]({tests}/badge.svg)]({tests})",
    ]
    return "\n".join(lines) + "\n"


def with_badges(text: str, address: str) -> str:
    """The text of README.md with the buttons for this repository, instead of those it has."""
    head, _, rest = text.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise ValueError(f"README.md must have the lines {BEGIN.strip()} and {END.strip()}")
    return head + BEGIN + badges(address) + END + tail


def main():
    address = repository((HERE / "conf.py").read_text(encoding="utf-8"))
    text = with_badges(README.read_text(encoding="utf-8"), address)
    README.write_text(text, encoding="utf-8")
    print(f"README.md has buttons for {address}" if address else "README.md has no buttons")


if __name__ == "__main__":
    main()
