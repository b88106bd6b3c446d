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


def test_a_third_is_the_same_however_it_is_written():
    # Notebook 06 trains on one, its command line on the other.
    train, _ = images.digits().split(1 / 3, seed=0)
    assert torch.equal(images.digits().split(0.3333)[0].x, train.x)


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


NAMES = [
    ("images.idx3-ubyte", "labels.idx1-ubyte", False),
    ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", False),
    ("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte.gz", True),
    ("emnist-train-images-idx3-ubyte", "emnist-train-labels-idx1-ubyte.gz", False),
]


@pytest.mark.parametrize("name, of_labels, zipped", NAMES)
def test_idx_files_may_be_named_as_they_like(tmp_path, name, of_labels, zipped):
    """Whether they are gzipped, their first bytes say."""
    folder = tmp_path / "images-idx3"  # a name that must not be changed
    folder.mkdir()
    written = np.random.default_rng(0).integers(0, 256, (3, 28, 28))
    path = write_idx(folder / name, written)
    if zipped:
        path.write_bytes(gzip.compress(path.read_bytes()))
    write_idx(folder / of_labels, np.array([3, 1, 2]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x, labels = images.idx(path, size=np.int64(28))
    assert torch.equal(((x[:, 0] + 1) * 127.5).round(), torch.from_numpy(written).float())
    assert labels.tolist() == [3, 1, 2]


def test_without_labels_idx_says_so(tmp_path):
    path = write_idx(tmp_path / "pictures", np.zeros((3, 28, 28)))
    with pytest.warns(UserWarning, match="no labels were found beside"):
        assert images.idx(path).labels is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert images.idx(path, labels=False).labels is None


@pytest.mark.parametrize("shape, top, left", [((20, 28), 0, 4), ((28, 20), 4, 0), ((21, 24), 0, 1)])
@pytest.mark.parametrize("size", [20, 32])
def test_of_what_is_no_square_the_middle_is_taken(tmp_path, shape, top, left, size):
    written = np.random.default_rng(0).integers(0, 256, (2, *shape))
    side = min(shape)
    middle = written[:, top : top + side, left : left + side]
    x = images.idx(write_idx(tmp_path / "wide", written), labels=False, size=size).x
    square = images.idx(write_idx(tmp_path / "square", middle), labels=False, size=size).x
    assert x.shape == (2, 1, size, size)
    assert torch.equal(x, square)


def test_idx_files_that_are_not_whole_are_refused(tmp_path):
    path = write_idx(tmp_path / "images", np.zeros((3, 28, 28)))
    raw = path.read_bytes()
    damages = [
        (raw[:-1], "truncated"),
        (raw[:7], "magic"),
        (b"GIF89a" + raw, "magic 00 00 08 03, got 47"),
        (raw + b"x", "longer than it says: .* are 2352 bytes, it has 2353"),
        (b"", "magic"),
    ]
    for damaged, words in damages:
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=words):
            images.idx(path)

    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(raw)[:-9])
    with pytest.raises(ValueError, match=r"torn\.gz is truncated"):
        images.idx(torn)
    with pytest.raises(ValueError, match="empty"):
        images.idx(write_idx(tmp_path / "empty", np.zeros((0, 28, 28))))

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
    # What is transparent is seen on white.
    *colours, share = np.asarray(Image.open(album / "2019" / "c.png"), float).transpose(2, 0, 1)
    on_white = np.array(colours) * share / 255 + 255 - share
    if grey:
        on_white = np.array([[0.299, 0.587, 0.114]]) @ on_white.reshape(3, -1)
    exact = torch.from_numpy(on_white.reshape(channels, 32, 32)).float()
    torch.testing.assert_close((x[1] + 1) * 127.5, exact, atol=1.5, rtol=0)


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


RAMP = np.linspace(0, 255, 32).round().astype(np.uint8)
GREY = np.tile(RAMP, (32, 1))
COLOUR = np.stack([GREY, GREY.T, 255 - GREY], -1)
HIDDEN = np.dstack([COLOUR, np.where(GREY < 128, 0, 255).astype(np.uint8)])  # the left half
ON_WHITE = np.where(HIDDEN[..., 3:] == 0, 255, COLOUR)


def palette(picture):
    return picture.quantize(256)


def with_a_transparent_colour(picture):
    """A palette picture in which what is in the left half is transparent."""
    found = picture.quantize(255)
    pixels = np.asarray(found).copy()
    pixels[:, GREY[0] < 128] = 255
    out = Image.fromarray(pixels, "P")
    out.putpalette([*found.getpalette()[: 255 * 3], 255, 0, 0])
    return out


MODES = {
    # mode            the picture                              as a file    what is seen
    "1": (Image.fromarray(GREY > 127), "png", np.where(GREY > 127, 255, 0)),
    "L": (Image.fromarray(GREY), "png", GREY),
    "LA": (Image.fromarray(np.dstack([GREY, 255 - GREY])), "png", GREY * (1 - GREY / 255) + GREY),
    "16 bits": (Image.fromarray(GREY.astype(np.uint16) * 257), "png", GREY),
    "16 bits, TIFF": (Image.fromarray(GREY.astype(np.uint16) * 257), "tiff", GREY),
    "32 bits": (Image.fromarray(GREY.astype(np.int32) * 257), "tiff", GREY),
    "float": (Image.fromarray((GREY / 255).astype(np.float32)), "tiff", GREY),
    "RGB": (Image.fromarray(COLOUR), "png", COLOUR),
    "RGBA": (Image.fromarray(HIDDEN), "png", ON_WHITE),
    "RGBA, WebP": (Image.fromarray(HIDDEN), "webp", ON_WHITE),
    "P": (palette(Image.fromarray(GREY)), "png", GREY),
    "P, GIF": (palette(Image.fromarray(GREY)), "gif", GREY),
    "P, transparent": (with_a_transparent_colour(Image.fromarray(COLOUR)), "png", ON_WHITE),
    "CMYK": (Image.fromarray(COLOUR).convert("CMYK"), "tiff", COLOUR),
    "CMYK, JPEG": (Image.fromarray(COLOUR).convert("CMYK"), "jpeg", COLOUR),
    "YCbCr": (Image.fromarray(COLOUR).convert("YCbCr"), "tiff", COLOUR),
    "LAB": (Image.fromarray(np.dstack([GREY, 0 * GREY, 0 * GREY]), "LAB"), "tiff", None),
}
NEAR = {"P, transparent": 24, "CMYK, JPEG": 12, "YCbCr": 4}  # what the format itself loses


@pytest.mark.filterwarnings("ignore:.mode. parameter is deprecated")
@pytest.mark.parametrize("name", MODES)
def test_pictures_of_any_mode_are_taken_as_they_look(tmp_path, name):
    picture, ending, seen = MODES[name]
    more = {"transparency": 255} if name == "P, transparent" else {}
    more |= {"lossless": True} if ending == "webp" else {"quality": 100} if ending == "jpeg" else {}
    picture.save(tmp_path / f"a.{ending}", **more)
    x = images.folder(tmp_path, size=32).x[0]
    found = ((x + 1) * 127.5).permute(1, 2, 0).numpy()
    if seen is None:  # greys of L*: mid grey is 119
        assert found[0, 16] == pytest.approx(np.full(3, 122), abs=4)
        return
    expected = np.broadcast_to(seen if seen.ndim == 3 else seen[..., None], (32, 32, 3))
    assert np.abs(found - expected).max() <= NEAR.get(name, 2)


def test_pictures_stand_upright_and_the_first_of_moving_ones_counts(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by a quarter, clockwise
    Image.fromarray(COLOUR).save(tmp_path / "a.png", exif=turned)
    Image.fromarray(GREY).save(
        tmp_path / "b.gif", save_all=True, append_images=[Image.fromarray(255 - GREY)]
    )
    upright, first = ((images.folder(tmp_path, size=32).x + 1) * 127.5).permute(0, 2, 3, 1).numpy()
    assert np.abs(upright - np.rot90(COLOUR, -1)).max() <= 1
    assert np.abs(first - GREY[..., None]).max() <= 1


def test_grey_numbers_without_a_scale_are_skipped(tmp_path):
    Image.fromarray(GREY.astype(np.float32)).save(tmp_path / "a.tiff")
    refused = pytest.raises(ValueError, match="no picture")
    with refused, pytest.warns(UserWarning, match="mode F with numbers outside 0 to 1"):
        images.folder(tmp_path)


WRONG = [
    (lambda there: images.folder(there / "typo"), ValueError, "path must be .* exists, got"),
    (lambda there: images.folder("~/no such folder"), ValueError, "path must be .* exists"),
    (
        lambda there: images.folder(there / "a"),
        ValueError,
        "path must be a folder of pictures, but",
    ),
    (lambda there: images.folder(3), TypeError, "path must be the name of a file or folder, got 3"),
    (lambda there: images.folder(there, size=0), ValueError, "size must be .* 4 to 256, got 0"),
    (lambda there: images.folder(there, size="16"), ValueError, "size must be .*, got '16'"),
    (lambda there: images.folder(there, size=3), ValueError, "size must be .*, got 3"),
    (lambda there: images.idx(there), ValueError, "path must be an IDX file, but"),
    (lambda there: images.idx(there / "typo"), ValueError, "path must be .* exists"),
    (lambda there: images.idx(there / "a", size=3), ValueError, "size must be .*, got 3"),
    (lambda there: images.idx(None), TypeError, "path must be the name"),
    (lambda there: images.load(3), ValueError, "images must be digits, .*, got '3'"),
    (lambda there: images.load(["digits"]), ValueError, "images must be digits"),
    (lambda there: images.digits(8.0), ValueError, "size must be a whole number"),
    (lambda there: images.fetch("mnist", size=3), ValueError, "size must be"),
    (lambda there: images.fetch(["mnist"]), ValueError, "name must be one of"),
    (lambda there: images.digits().split(1.5), ValueError, "held_out must be a number"),
    (lambda there: images.digits().split(0), ValueError, "held_out must leave at least one"),
    (lambda there: images.digits().split(seed=-1), ValueError, "seed must be"),
    (
        lambda there: images.mosaic(torch.zeros(3, 8, 8)),
        ValueError,
        r"x must be pictures .* 8, 8\)",
    ),
    (lambda there: images.mosaic(torch.zeros(3, 2, 8, 8)), ValueError, "x must be pictures"),
    (lambda there: images.mosaic(torch.zeros(3, 1, 8, 8), 0), ValueError, "columns must be"),
]


@pytest.mark.parametrize("call, kind, words", WRONG)
def test_wrong_files_and_sizes_are_named(call, kind, words, tmp_path, capsys):
    (tmp_path / "a").write_text("no picture")
    with pytest.raises(kind, match=words):
        call(tmp_path)
    assert "downloaded" not in capsys.readouterr().out


def test_a_path_may_begin_at_home(album, monkeypatch):
    monkeypatch.setenv("HOME", str(album.parent))
    monkeypatch.setenv("USERPROFILE", str(album.parent))
    with pytest.warns(UserWarning, match="3 of 6 files"):
        assert len(images.load("~/album").x) == 3


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
