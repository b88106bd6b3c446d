"""A lab in a page beside the same lab in Python: what both show, compared number by number."""

import math

import numpy as np

from ganlib.stage import wire

# The numbers of a frame, by mark and by axes, as the widget reads them.
DECODED = """
(lab) => {
  const { scene } = lab;
  const v = Array.from(lab.get("frame"));
  let at = 1;
  const limits = {};
  for (const axes of scene.axes) {
    const [x, y, x0, x1, y0, y1] = v.slice(at, at + 6); // these labs have their origin at 0
    limits[axes.key] = [x0 + x, x1 + x, y0 + y, y1 + y];
    at += 6;
  }
  const shapes = scene.marks.map((mark, i) => v.slice(at + 2 * i, at + 2 * i + 2));
  at += 2 * shapes.length;
  const marks = {};
  scene.marks.forEach((mark, i) => {
    const size = shapes[i][0] * shapes[i][1];
    const numbers = v.slice(at, at + size).map((x) => (Number.isFinite(x) ? x : null));
    marks[mark.key] = { shape: shapes[i], numbers };
    at += size;
  });
  return { limits, marks, words: lab.get("status").words };
}"""


def near(found, wanted, by=1e-5):
    np.testing.assert_allclose(np.array(found, float), np.array(wanted, float), rtol=by, atol=by)


def same_picture(lab, twin, by=1e-4):
    """lab: a handle of the lab in the page; twin: the lab in Python. Both have just been shown."""
    found = lab.evaluate(DECODED)
    arrays, words = wire.tables(twin.scene, twin.draw())
    assert found["words"] == words
    assert list(found["marks"]) == list(arrays)
    for key, array in arrays.items():
        shown = found["marks"][key]
        assert math.prod(shown["shape"]) == array.size, key
        near(shown["numbers"], np.where(np.isfinite(array), array, np.nan).ravel(), by)
    for key, ends in wire.limits(twin.scene, arrays).items():
        near(found["limits"][key], ends, by)
