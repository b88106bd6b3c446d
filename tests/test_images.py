"""Image sets: values, shapes, labels, and what happens to files that are not as they should be."""

import gzip
import struct
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from ganlib import images


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    raw = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


@pytest.fixture
def album(tmp_path):
    """A folder as people have them.

    Nested, in colour and grey, with a text, a torso of a picture and a tiny one.
    """
    root = tmp_path / "album"
    (root / "2019").mkdir(parents=True)
    shapes = {
        "a.png": (40, 60, 3),
        "2019/b.jpg": (50, 32),
        "2019/c.png": (32, 32, 4),
        "tiny.png": (9, 80, 3),
    }
    rng = np.random.default_rng(0)
    for name, shape in shapes.items():
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(root / name)

    (root / "notes.txt").write_text("not a picture")
    whole = (root / "a.png").read_bytes()
    (root / "torn.png").write_bytes(whole[: len(whole) // 2])
    return root


def test_digits_are_those_of_scikit_learn():
    x, labels = images.digits()
    assert x.shape == (1797, 1, 8, 8)
    assert x.dtype == torch.float32
    assert (float(x.min()), float(x.max())) == (-1, 1)
    torch.testing.assert_close((x[:, 0] + 1) * 8, torch.from_numpy(load_digits().images).float())
    assert labels.tolist() == load_digits().target.tolist()


@pytest.mark.parametrize("size", [4, 16, 32])
def test_digits_of_any_size_keep_their_brightness(size):
    x = images.digits(size).x
    assert x.shape[2:] == (size, size)
    brightness = x.mean((1, 2, 3))
    as_they_are = images.digits().x.mean((1, 2, 3))
    torch.testing.assert_close(brightness, as_they_are, atol=0.05, rtol=0)


def pixels(x):
    """The pictures of x as bytes, in an order that does not depend on theirs."""
    return sorted(picture.numpy().tobytes() for picture in x)


def test_the_parts_of_a_split_are_disjoint_and_complete():
    whole = images.digits()
    train, held = whole.split(0.25, seed=3)
    assert (len(train.x), len(held.x)) == (1348, 449)
    assert pixels(torch.cat([train.x, held.x])) == pixels(whole.x)
    assert torch.equal(torch.cat([train.labels, held.labels]).bincount(), whole.labels.bincount())
    assert not torch.equal(whole.split(0.25, seed=4)[1].x, held.x)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_reads_what_was_written(tmp_path, ending):
    written = np.random.default_rng(0).integers(0, 256, (5, 28, 28))
    path = write_idx(tmp_path / f"t-images-idx3-ubyte{ending}", written)
    write_idx(tmp_path / f"t-labels-idx1-ubyte{ending}", np.arange(5))
    x, labels = images.idx(path, size=28)
    torch.testing.assert_close((x[:, 0] + 1) * 127.5, torch.from_numpy(written).float())
    assert labels.tolist() == list(range(5))

    # 28 → 32 px widens the border and keeps every stroke.
    wide = images.load(path).x
    assert wide.shape == (5, 1, 32, 32)
    assert torch.equal(wide[..., 2:30, 2:30], x)
    assert bool((wide[..., :2] == -1).all())


def test_idx_files_that_are_not_whole_are_refused(tmp_path):
    path = write_idx(tmp_path / "images", np.zeros((3, 28, 28)))
    raw = path.read_bytes()
    damages = [
        (raw[:-1], "truncated"),
        (raw[:7], "magic"),
        (b"GIF89a" + raw, "magic 00 00 08 03, got 47"),
        (raw + b"x", "truncated"),
    ]
    for damaged, words in damages:
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=words):
            images.idx(path)

    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(raw)[:-9])
    with pytest.raises(ValueError, match="truncated or not gzipped"):
        images.idx(torn)

    path.write_bytes(raw)
    with pytest.raises(ValueError, match="4 labels do not fit the 3 pictures"):
        images.idx(path, write_idx(tmp_path / "labels", np.zeros(4)))


@pytest.mark.parametrize("grey, channels", [(True, 1), (False, 3)])
def test_a_folder_names_what_it_skips(album, grey, channels):
    with pytest.warns(UserWarning, match="3 of 6 files") as seen:
        x, labels = images.folder(album, size=32, grey=grey)
    words = str(seen[0].message)
    assert "notes.txt (not a picture)" in words
    assert "torn.png" in words
    assert "tiny.png (80×9, smaller than 32)" in words

    assert x.shape == (3, channels, 32, 32)
    assert labels is None
    assert float(x.abs().max()) <= 1
    picture = Image.open(album / "2019" / "c.png").convert("L" if grey else "RGB")
    exact = np.asarray(picture, float) / 127.5 - 1
    torch.testing.assert_close(x[1].permute(1, 2, 0).squeeze(-1), torch.from_numpy(exact).float())


def test_the_cache_maps_the_same_pixels_and_sees_new_files(album, tmp_path):
    cache = tmp_path / "cache"
    with pytest.warns(UserWarning):
        plain = images.folder(album).x
    with pytest.warns(UserWarning):
        cached = images.folder(album, cache=cache).x
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = images.load(album, cache=cache).x  # from the file: no warning now
    assert torch.equal(plain, cached)
    assert torch.equal(plain, again)
    assert not list(cache.glob("*.part"))

    Image.new("RGB", (64, 64)).save(album / "new.png")
    with pytest.warns(UserWarning):
        assert len(images.folder(album, cache=cache).x) == 4


def test_folders_without_a_picture_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no picture of at least 32×32 pixels among the 0 files"):
        images.folder(tmp_path)
    (tmp_path / "notes.txt").write_text("words")
    refused = pytest.raises(ValueError, match="among the 1 files")
    with refused, pytest.warns(UserWarning, match="1 of 1"):
        images.folder(tmp_path)


def test_a_set_that_is_not_there_is_refused(tmp_path):
    known = "images must be digits, mnist, fashion-mnist, faces, a folder or an IDX file"
    with pytest.raises(ValueError, match=known):
        images.load(tmp_path / "nowhere")
    known = "name must be one of mnist, fashion-mnist, faces, got 'cifar'"
    with pytest.raises(ValueError, match=known):
        images.fetch("cifar")
    with pytest.raises(ValueError, match="size must be a whole number from 4 to 256, got 0"):
        images.digits(0)


@pytest.mark.parametrize("name", ["mnist", "faces"])
def test_without_a_network_the_offline_choice_is_named(name, tmp_path, monkeypatch, capsys):
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(ConnectionError, match=r"take images\.digits\(\), or idx"):
        images.fetch(name, home=tmp_path)
    announced = f"{name}: about {images.FETCHED[name].megabytes} MB will be downloaded once"
    assert announced in capsys.readouterr().out
    assert not list(tmp_path.glob("ganlib-*"))


def test_a_set_fetched_before_is_read_without_a_network(tmp_path):
    kept = np.random.default_rng(0).integers(0, 256, (4, 3, 64, 64), dtype=np.uint8)
    np.savez(tmp_path / "ganlib-faces.npz", x=kept, labels=np.arange(4))
    x, labels = images.fetch("faces", size=64, home=tmp_path)
    torch.testing.assert_close((x + 1) * 127.5, torch.from_numpy(kept).float(), atol=1e-3, rtol=0)
    assert labels.tolist() == [0, 1, 2, 3]


def test_a_mosaic_puts_pictures_in_reading_order():
    x = torch.linspace(-1, 1, 5)[:, None, None, None].expand(5, 1, 2, 2)
    wall = images.mosaic(x, columns=3)
    assert wall.shape == (5, 8)
    assert wall[0, ::3].tolist() == [0, 0.25, 0.5]
    assert wall[3, 0] == 0.75
    assert wall[4, 3] == 1
    assert bool((wall[2] == 1).all())

    in_colour = x.expand(5, 3, 2, 2)
    assert images.mosaic(in_colour, 5).shape == (2, 14, 3)
