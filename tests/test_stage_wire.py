"""The buffer of a frame, read back by numpy, and by the module that reads it in the browser."""

import json

import numpy as np
import pytest
from stage_labs import SHAPES, Zoo

from ganlib.stage import wire


def test_a_frame_holds_exactly_what_was_drawn():
    lab = Zoo()
    lab.show()
    lab.show()
    numbers = np.frombuffer(lab.widget.frame, np.float32)
    assert numbers[0] == 3  # the third frame: one was drawn when it was made
    assert lab.widget.status["words"] == {"text": ["word", "ü"]}

    at = 19 + 2 * len(SHAPES)
    origins, limits = np.split(numbers[1:19].reshape(3, 6), [2], axis=1)
    assert (origins == 0).all()
    np.testing.assert_array_equal(limits[0], [0, 4, 0, 4])
    np.testing.assert_allclose(limits[1], [1, 100, 2, 200])
    shapes = numbers[19:at].reshape(-1, 2).astype(int)
    for mark, shape in zip(lab.scene.marks, shapes):
        assert tuple(shape) == SHAPES[mark.key], mark.key
        size = int(shape.prod())
        np.testing.assert_allclose(numbers[at : at + size], lab.numbers(mark.key), err_msg=mark.key)
        at += size
    assert at == len(numbers)


def test_the_browser_decodes_what_was_packed(node, tmp_path):
    lab = Zoo()
    lab.show()
    (tmp_path / "frame").write_bytes(lab.widget.frame)
    (tmp_path / "scene.json").write_text(json.dumps(lab.scene.describe()))
    found = node(
        "numbers.js",
        """
        import { readFileSync } from "node:fs";
        const scene = JSON.parse(readFileSync("scene.json"));
        const f = readFileSync("frame");
        const bytes = new DataView(f.buffer, f.byteOffset, f.byteLength);
        const { number, limits, data } = js.decode(scene, bytes);
        const plain = ([key, d]) => [key, [d.rows, d.columns, ...d.v].map(String)];
        say({
            number,
            right: [...limits.right],
            data: Object.fromEntries(Object.entries(data).map(plain)),
        });
        """,
    )
    assert found["number"] == 2
    assert found["right"] == pytest.approx([1, 100, 2, 200])
    for key, (rows, columns, *values) in found["data"].items():
        assert (int(rows), int(columns)) == SHAPES[key]
        np.testing.assert_allclose([float(v) for v in values], lab.numbers(key), err_msg=key)


FAR = 2.5e8  # from 0, where neighbouring float32 are 16 apart


class Far(Zoo):
    """All marks but the heat, as far from 0 as a column of large numbers."""

    def __init__(self):
        super().__init__()
        for axes in self.scene.axes:
            if not axes.log:
                x0, x1 = axes.x
                self.relabel(axes.key, x=(x0 + FAR, x1 + FAR))

    def draw(self):
        moved, words = wire.tables(self.scene, Zoo.frame)
        far = {axes.key for axes in self.scene.axes if not axes.log}
        for mark in self.scene.marks:
            if mark.axes in far and len(moved[mark.key]):
                moved[mark.key] = np.array(moved[mark.key])
                for column, side in enumerate(wire.SIDES[mark.kind]):
                    moved[mark.key][:, column] += FAR * (side == "x")
        moved["text"] = [(*row, word) for row, word in zip(moved["text"], words["text"])]
        return moved


def test_numbers_far_from_0_arrive_with_all_their_digits(node, tmp_path):
    lab = Far()
    lab.show()
    (tmp_path / "frame").write_bytes(lab.widget.frame)
    (tmp_path / "scene.json").write_text(json.dumps(lab.scene.describe()))
    script = """
        import { readFileSync } from "node:fs";
        import { decode } from "./js/numbers.js";
        const scene = JSON.parse(readFileSync("scene.json"));
        const f = readFileSync("frame");
        const plain = (bytes) => {
            const { limits, data } = decode(scene, bytes);
            const all = Object.entries(data).map(([key, d]) => [key, [...d.v].map(String)]);
            return { limits, data: Object.fromEntries(all) };
        };
        const read = decode(scene, new DataView(f.buffer, f.byteOffset, f.byteLength));
        const packed = js.pack(scene, 1, read.data);
        say({ kernel: plain(f), page: plain(new DataView(packed.buffer)) });
        """
    found = node("wire.js", script)
    arrays, _ = wire.tables(lab.scene, lab.draw())
    ends = wire.limits(lab.scene, arrays)
    for told in found.values():
        for key, numbers in arrays.items():
            values = [float(v) for v in told["data"][key]]
            np.testing.assert_allclose(values, numbers.ravel(), rtol=0, atol=1e-4, err_msg=key)
        for key, four in ends.items():
            np.testing.assert_allclose(told["limits"][key], four, rtol=1e-12, atol=1e-4)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"lines": [[0, 0]]}, "a key of what draw.. gives must be one of heat, line"),
        ({"line": None}, "draw.. gives nothing for mark 'line'"),
        ({"line": [[0, 0, 1]]}, "mark 'line' .line. needs 2 numbers a row, got 3"),
        ({"rug": [[0, 1]]}, "mark 'rug' .rug. needs 1 numbers a row, got 2"),
        ({"arrows": [[0, 1]]}, "needs 4"),
        ({"bars": [[0, 1]]}, "needs 4"),
        ({"area": [[0, 1]]}, "needs 3"),
        ({"points": [1, 2]}, "needs 2 numbers a row, got 1"),
    ],
)
def test_what_draw_gives_must_fit_the_scene_when_the_lab_is_made(change, words):
    class Wrong(Zoo):
        def draw(self):
            given = {**Zoo.frame, **change}
            return {key: data for key, data in given.items() if data is not None}

    with pytest.raises(ValueError, match=f"Zoo: .*{words}"):
        Wrong()
