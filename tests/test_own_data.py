"""The page on your own data: every line of its code does what it says."""

import ast
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_images import write_idx

from ganlib import images, targets
from ganlib.gan import GAN
from ganlib.networks import mlp

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "notebooks/book/data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the files that the page names."""
    monkeypatch.chdir(tmp_path)
    Path("length.csv").write_text("length\n1.0\n4.0\n4.5\n2.0\n")
    Path("album").mkdir()
    Image.new("CMYK", (40, 60), (9, 99, 0, 50)).save("album/a.jpg")
    three = np.zeros((3, 28, 28))
    for name in ("train-images-idx3-ubyte.gz", "images.idx3-ubyte"):
        write_idx(tmp_path / name, three)
    for name in ("train-labels-idx1-ubyte", "labels.idx1-ubyte"):
        write_idx(tmp_path / name, np.arange(3))


def statements(block):
    """(comment, code) of each statement: its comment is the line above."""
    lines = block.splitlines()
    for node in ast.parse(block).body:
        above = lines[node.lineno - 2] if node.lineno > 1 else ""
        comment = above.removeprefix("# ") if above.startswith("# ") else ""
        yield comment, ast.get_source_segment(block, node)


def run(comment, code, names):
    """Carry out one statement; what it gives, if it is an expression."""
    if not isinstance(ast.parse(code).body[0], ast.Expr):
        return exec(code, names)
    if not comment.startswith("ValueError: "):
        return eval(code, names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=re.escape(comment.removeprefix("ValueError: "))):
            eval(code, names)
    return None


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_every_line_of_the_page(number, here):
    if "pandas" in BLOCKS[number]:
        pytest.importorskip("pandas")
    names = {
        "GAN": GAN,
        "images": images,
        "mlp": mlp,
        "np": np,
        "numbers": [1.0, 4.0, 4.5, 2.0],
        "targets": targets,
        "torch": torch,
    }
    same = targets.from_samples(names["numbers"]).means
    for comment, code in statements(BLOCKS[number]):
        found = run(comment, code, names)
        if comment.startswith("ValueError"):
            continue
        if code.startswith("targets."):
            assert torch.equal(found.means, same), code
        if code.startswith("images."):
            channels = 1 if "grey" in code or "idx" in code else 3
            assert found.x.shape[1:] == (channels, 32, 32)
            assert (found.labels is None) == ("idx" not in code or "labels=False" in code)


def test_the_page_has_examples_of_each_kind():
    assert len(BLOCKS) == 7
    assert sum("ValueError" in block for block in BLOCKS) == 4
