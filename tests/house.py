"""How this project counts its code: lines, tokens, long lines, spans of functions.

The test of the house holds ganlib to these counts; `tests/benchmarks/style.py` prints them for any
package.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

WIDTH = 100

# What carries no meaning of its own: blank space, comments, and the ends of lines and files.
SILENT = {
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.COMMENT,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def docstrings(tree: ast.Module) -> list[ast.stmt]:
    """The statements that are docstrings: of the file, its classes and its functions."""
    holders = (ast.Module, ast.ClassDef, *FUNCTION)
    return [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, holders) and ast.get_docstring(node)
    ]


def lines(path: Path) -> int:
    """Lines of code: neither blank, nor a comment, nor part of a docstring.

    To explain costs nothing. In a script for the browser a comment is a line that begins with //.
    """
    text = read(path)
    comment = "//"
    explained = set()
    if path.suffix == ".py":
        comment = "#"
        for docstring in docstrings(ast.parse(text)):
            explained |= set(range(docstring.lineno, docstring.end_lineno + 1))

    code = 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare and not bare.startswith(comment) and number not in explained:
            code += 1
    return code


def long_lines(path: Path) -> list[int]:
    """The numbers of the lines over 100 columns, but for those of a table under `# fmt: off`."""
    found = []
    in_a_table = False
    for number, line in enumerate(read(path).splitlines(), 1):
        if re.match(r"\s*# fmt: (on|off)$", line):
            in_a_table = line.endswith("off")
        if len(line) > WIDTH and not in_a_table:
            found.append(number)
    return found


def tokens(path: Path) -> int:
    """Names, numbers, strings and signs of a Python file.

    Counted as `tokenize` reads them, without the ends of lines, indents, comments and docstrings.
    An f-string counts as one, however much is in it: before Python 3.12 `tokenize` does not look
    inside.
    """
    text = read(path)
    explained = {docstring.lineno for docstring in docstrings(ast.parse(text))}
    begins = getattr(tokenize, "FSTRING_START", None)
    ends = getattr(tokenize, "FSTRING_END", None)

    count = 0
    depth = 0  # of f-strings within each other
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == ends:
            depth -= 1
        elif depth == 0 and token.type not in SILENT:
            is_docstring = token.type == tokenize.STRING and token.start[0] in explained
            count += not is_docstring
        if token.type == begins:
            depth += 1
    return count


def spans(path: Path) -> dict[str, int]:
    """{function, with its line: how many lines it spans}, decorators left out."""
    return {
        f"{node.name}, line {node.lineno}": node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(read(path)))
        if isinstance(node, FUNCTION)
    }
