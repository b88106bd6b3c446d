"""Image sets: values, shapes, labels, and what happens to files that are not what they should be."""

import gzip
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from ganlib import images


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    (gzip.open if path.suffix == ".gz" else open)(path, "wb").write(
        head + array.astype(np.uint8).tobytes()
    )
    return path


@pytest.fixture
def album(tmp_path):
    """A folder as people have them: nested, in colour and grey, with a text, a torso of a picture and a tiny one."""
    rng = np.random.default_rng(0)
    (tmp_path / "album" / "2019").mkdir(parents=True)
    for name, shape in [
        ("a.png", (40, 60, 3)),
        ("2019/b.jpg", (50, 32)),
        ("2019/c.png", (32, 32, 4)),
        ("tiny.png", (9, 80, 3)),
    ]:
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / "album" / name)
    (tmp_path / "album" / "notes.txt").write_text("not a picture")
    whole = (tmp_path / "album" / "a.png").read_bytes()
    (tmp_path / "album" / "torn.png").write_bytes(whole[: len(whole) // 2])
    return tmp_path / "album"


def test_digits_are_those_of_scikit_learn():
    x, labels = images.digits()
    assert (
        x.shape == (1797, 1, 8, 8)
        and x.dtype == torch.float32
        and (float(x.min()), float(x.max())) == (-1, 1)
    )
    torch.testing.assert_close((x[:, 0] + 1) * 8, torch.from_numpy(load_digits().images).float())
    assert labels.tolist() == load_digits().target.tolist()


@pytest.mark.parametrize("size", [4, 16, 32])
def test_digits_of_any_size_keep_their_brightness(size):
    x = images.digits(size).x
    assert x.shape[2:] == (size, size)
    torch.testing.assert_close(
        x.mean((1, 2, 3)), images.digits().x.mean((1, 2, 3)), atol=0.05, rtol=0
    )


def test_the_parts_of_a_split_are_disjoint_and_complete():
    whole = images.digits()
    train, held = whole.split(0.25, seed=3)
    assert (len(train.x), len(held.x)) == (1348, 449)
    assert sorted(map(hash, (t.numpy().tobytes() for t in torch.cat([train.x, held.x])))) == sorted(
        map(hash, (t.numpy().tobytes() for t in whole.x))
    )
    assert torch.equal(torch.cat([train.labels, held.labels]).bincount(), whole.labels.bincount())
    assert not torch.equal(whole.split(0.25, seed=4)[1].x, held.x)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_reads_what_was_written(tmp_path, ending):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 28, 28))
    path = write_idx(tmp_path / f"t-images-idx3-ubyte{ending}", pixels)
    write_idx(tmp_path / f"t-labels-idx1-ubyte{ending}", np.arange(5))
    x, labels = images.idx(path, size=28)
    torch.testing.assert_close((x[:, 0] + 1) * 127.5, torch.from_numpy(pixels).float())
    assert labels.tolist() == list(range(5))
    wide = images.load(path).x  # 28 → 32 px widens the border and keeps every stroke
    assert (
        wide.shape == (5, 1, 32, 32)
        and torch.equal(wide[..., 2:30, 2:30], x)
        and bool((wide[..., :2] == -1).all())
    )


def test_idx_files_that_are_not_whole_are_refused(tmp_path):
    path = write_idx(tmp_path / "images", np.zeros((3, 28, 28)))
    raw = path.read_bytes()
    for damaged, words in [
        (raw[:-1], "truncated"),
        (raw[:7], "magic"),
        (b"GIF89a" + raw, "magic 00 00 08 03, got 47"),
        (raw + b"x", "truncated"),
    ]:
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
    assert (
        "notes.txt (not a picture)" in words
        and "torn.png" in words
        and "tiny.png (80×9, smaller than 32)" in words
    )
    assert x.shape == (3, channels, 32, 32) and labels is None and float(x.abs().max()) <= 1
    exact = (
        np.asarray(Image.open(album / "2019" / "c.png").convert("L" if grey else "RGB"), float)
        / 127.5
        - 1
    )
    torch.testing.assert_close(x[1].permute(1, 2, 0).squeeze(-1), torch.from_numpy(exact).float())


def test_the_cache_maps_the_same_pixels_and_sees_new_files(album, tmp_path):
    with pytest.warns(UserWarning):
        plain, cached = (images.folder(album, cache=c).x for c in (None, tmp_path / "cache"))
    again = images.load(album, cache=tmp_path / "cache").x  # from the file: no warning now
    assert torch.equal(plain, cached) and torch.equal(plain, again)
    assert not list((tmp_path / "cache").glob("*.part"))
    Image.new("RGB", (64, 64)).save(album / "new.png")
    with pytest.warns(UserWarning):
        assert len(images.folder(album, cache=tmp_path / "cache").x) == 4


def test_folders_without_a_picture_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no picture of at least 32×32 pixels among the 0 files"):
        images.folder(tmp_path)
    (tmp_path / "notes.txt").write_text("words")
    with (
        pytest.raises(ValueError, match="among the 1 files"),
        pytest.warns(UserWarning, match="1 of 1"),
    ):
        images.folder(tmp_path)
    with pytest.raises(
        ValueError,
        match="images must be digits, mnist, fashion-mnist, faces, a folder or an IDX file",
    ):
        images.load(tmp_path / "nowhere")
    with pytest.raises(
        ValueError, match="name must be one of mnist, fashion-mnist, faces, got 'cifar'"
    ):
        images.fetch("cifar")
    with pytest.raises(ValueError, match="size must be a whole number from 4 to 256, got 0"):
        images.digits(0)


@pytest.mark.parametrize("name", ["mnist", "faces"])
def test_without_a_network_the_offline_choice_is_named(name, tmp_path, monkeypatch, capsys):
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(ConnectionError, match=r"take images\.digits\(\), or idx"):
        images.fetch(name, home=tmp_path)
    assert (
        f"{name}: about {images.FETCHED[name][0]} MB will be downloaded once"
        in capsys.readouterr().out
    )
    assert not list(tmp_path.glob("ganlib-*"))


def test_a_set_fetched_before_is_read_without_a_network(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 64, 64), dtype=np.uint8)
    np.savez(tmp_path / "ganlib-faces.npz", x=pixels, labels=np.arange(4))
    x, labels = images.fetch("faces", size=64, home=tmp_path)
    torch.testing.assert_close((x + 1) * 127.5, torch.from_numpy(pixels).float(), atol=1e-3, rtol=0)
    assert labels.tolist() == [0, 1, 2, 3]


def test_a_mosaic_puts_pictures_in_reading_order():
    x = torch.linspace(-1, 1, 5)[:, None, None, None].expand(5, 1, 2, 2)
    wall = images.mosaic(x, columns=3)
    assert (
        wall.shape == (5, 8)
        and wall[0, ::3].tolist() == [0, 0.25, 0.5]
        and wall[3, 0] == 0.75
        and wall[4, 3] == 1
    )
    assert bool((wall[2] == 1).all()) and images.mosaic(x.expand(5, 3, 2, 2), 5).shape == (2, 14, 3)
