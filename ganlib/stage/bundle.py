"""Joins ES modules into one script without a bundler, for pages that may not import from disk.

Each module becomes a function of its own, so that private names cannot clash; what it exports is
what the function returns, and an import takes from there. It knows two forms, the only ones that we
write: `import { a, b } from "./file.js";`, or "../", and `export const name`, or `let`, `function`,
`class`. Comments that have lines of their own are left out: a reader finds them in the files.
"""

import re
from pathlib import Path

IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.\.?/[\w./-]+\.js)";\n', re.M)
EXPORT = re.compile(r"^export ((?:const|let|async function|function|class) (\w+))", re.M)
COMMENT = re.compile(r"^ *(?:/\*\*.*?\*/|//[^\n]*)\n", re.M | re.S)
OTHER = re.compile(r"^(import|export)\b.*", re.M)


def join(entry: Path) -> str:
    """The module `entry` with all that it imports, in one piece; its exports are names at the top.

    ValueError for a form of import or export that is not known here.
    """
    modules: dict[Path, str] = {}
    _collect(entry.resolve(), modules)
    joined = "\n".join(modules.values())
    names = ", ".join(_exports(entry.read_text(encoding="utf-8")))
    return f"{joined}\nconst {{ {names} }} = {_name(entry)};\n"


def _collect(path: Path, modules: dict[Path, str]) -> None:
    """Add the module at `path`, after those that it needs."""
    if path in modules:
        return
    text = path.read_text(encoding="utf-8")
    for _, source in IMPORT.findall(text):
        needed = path.parent / source
        _collect(needed.resolve(), modules)

    exports = ", ".join(_exports(text))
    body = IMPORT.sub(lambda found: _taken(path, *found.groups()), text)
    body = EXPORT.sub(r"\1", body)
    body = COMMENT.sub("", body)
    unknown = OTHER.search(body)
    if unknown:
        raise ValueError(f"{path.name}: this form is not joined: {unknown[0]!r}")
    modules[path] = f"const {_name(path)} = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();"


def _exports(text: str) -> list[str]:
    return [name for _, name in EXPORT.findall(text)]


def _taken(path: Path, names: str, source: str) -> str:
    """An import as a line that takes the names from the module that was joined before."""
    taken = names.replace(" as ", ": ")
    module = _name(path.parent / source)
    return f"const {{{taken}}} = {module};\n"


def _name(path: Path) -> str:
    """The name of a joined module: its folder and file, as an identifier."""
    path = path.resolve()
    name = f"{path.parent.name}_{path.stem}_module"
    return re.sub(r"\W", "_", name)
