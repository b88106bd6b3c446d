"""Image sets, each as one float32 tensor in [−1, 1], (n, channels, size, size).

Labels come with it where there are any. `digits` needs no network; `fetch` downloads known sets,
saying how much; `idx` and `folder` read your own files. Of a picture that is no square the middle
square is taken.
"""

import gzip
import hashlib
import math
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps
from sklearn import datasets
from torch import Tensor
from torch.nn.functional import interpolate, pad
from tqdm import tqdm

from ganlib.checks import count, one_of, place, seed_of, share, tensor

GZIP = b"\x1f\x8b"  # how a gzipped file begins, whatever its name
READ_BY = 2  # raised when pictures are read in another way, so that no older cache is taken


class Pictures(NamedTuple):
    """x is (n, channels, size, size), float32 in [−1, 1]; labels is None or (n,), whole numbers."""

    x: Tensor
    labels: Tensor | None = None

    def split(self, held_out=1 / 3, *, seed=0) -> list["Pictures"]:
        """Two disjoint random parts: to train on, and a share `held_out` of all to compare with."""
        held_out = share("held_out", held_out)
        generator = torch.Generator().manual_seed(seed_of(seed))
        order = torch.randperm(len(self.x), generator=generator, device="cpu")
        trained_on = round(len(order) * (1 - held_out))
        if not 0 < trained_on < len(order):
            raise ValueError(
                f"held_out must leave at least one picture on both sides, got {held_out} "
                f"of {len(order)}"
            )
        parts = order[:trained_on], order[trained_on:]
        return [self._at(rows) for rows in parts]

    def _at(self, rows) -> "Pictures":
        labels = self.labels
        if labels is not None:
            labels = labels[rows]
        return Pictures(self.x[rows], labels)


def digits(size=8) -> Pictures:
    """1,797 handwritten digits of 8×8 pixels, bundled with scikit-learn.

    Source: Alpaydın & Kaynak 1998, UCI.
    """
    size = _side(size)
    bunch = datasets.load_digits()
    pixels = bunch.images[:, None] * (255 / 16)
    x = _fit(pixels, size)
    return Pictures(x, torch.from_numpy(bunch.target))


class Fetched(NamedTuple):
    """A set to download: what a picture is, and scikit-learn's fetcher with what it is told."""

    megabytes: int
    shape: tuple[int, int, int]
    fetcher: Callable
    options: dict


_OPENML = {"version": 1, "as_frame": False, "parser": "liac-arff"}
_MIDDLE = slice(61, 189)
FETCHED = {
    # LeCun et al. 1998, 70,000 digits.
    "mnist": Fetched(
        megabytes=15,
        shape=(28, 28, 1),
        fetcher=datasets.fetch_openml,
        options={"name": "mnist_784", **_OPENML},
    ),
    # Xiao et al. 2017, arXiv:1708.07747, 70,000 articles of clothing.
    "fashion-mnist": Fetched(
        megabytes=30,
        shape=(28, 28, 1),
        fetcher=datasets.fetch_openml,
        options={"name": "Fashion-MNIST", **_OPENML},
    ),
    # Huang et al. 2007, Labeled Faces in the Wild, 13,233 faces: the middle 128 pixels, halved.
    "faces": Fetched(
        megabytes=233,
        shape=(64, 64, 3),
        fetcher=datasets.fetch_lfw_people,
        options={"resize": 0.5, "color": True, "slice_": (_MIDDLE, _MIDDLE)},
    ),
}


def fetch(name, *, size=32, home=None) -> Pictures:
    """One of the sets of `FETCHED`: downloaded once, after saying how much, and kept in `home`."""
    name = one_of("name", name, FETCHED)
    size = _side(size)
    home = Path(datasets.get_data_home(home))
    file = home / f"ganlib-{name}.npz"
    if not file.exists():
        _download(name, home, file)
    kept = np.load(file)
    x = _fit(kept["x"], size)
    return Pictures(x, torch.from_numpy(kept["labels"]))


def idx(path, labels=None, *, size=32) -> Pictures:
    """MNIST's own format (IDX), plain or gzipped, however the file is named.

    `labels`, if not given, is looked for beside it, by the names of `labels_of`; a warning says so
    if there are none. With `labels=False` nobody looks.
    """
    size = _side(size)
    path = _existing(path)
    if path.is_dir():
        raise ValueError(f"path must be an IDX file, but {path} is a folder")
    pixels = _read_idx(path, 3)

    if labels is None:
        labels = next((file for file in labels_of(path) if file.is_file()), None)
        if labels is None:
            warnings.warn(f"no labels were found beside {path}: labels is None", stacklevel=2)

    y = None
    if labels not in (None, False):
        found = _read_idx(_existing(labels), 1)
        y = torch.from_numpy(found).long()
        if len(y) != len(pixels):
            raise ValueError(f"{len(y)} labels do not fit the {len(pixels)} pictures of {path}")
    x = _fit(pixels[:, None], size)
    return Pictures(x, y)


def labels_of(path: Path) -> list[Path]:
    """Where the labels of an IDX file may lie: beside it, with .gz or without.

    Those of `t10k-images-idx3-ubyte.gz` are in `t10k-labels-idx1-ubyte`, those of
    `images.idx3-ubyte` in `labels.idx1-ubyte`.
    """
    own = path.name.removesuffix(".gz")
    named = own.replace("images", "labels").replace("idx3", "idx1")
    if named == own:
        return []
    return [path.with_name(named), path.with_name(f"{named}.gz")]


def folder(path, *, size=32, grey=False, cache=None) -> Pictures:
    """All pictures under `path`, nested too: upright, the middle square of each, `size` px wide.

    Every mode is taken as it looks: 16 bits of grey, palettes, CMYK, and what is transparent on
    white. Files that are no pictures, broken or smaller than `size` are skipped, counted and named
    in a warning. With `cache`, a folder, the pixels lie in a file there and are mapped into memory:
    they may be more than it holds.
    """
    size = _side(size)
    path = _existing(path)
    one_of("grey", grey, (True, False))
    if not path.is_dir():
        raise ValueError(f"path must be a folder of pictures, but {path} is a file")
    files = sorted(f for f in path.rglob("*") if f.is_file())
    channels = 1 if grey else 3
    shape = (channels, size, size)

    # Other files, other name: a cache is never out of date.
    about: list = []
    for file in files:
        stat = file.stat()
        about.append((str(file), stat.st_size, stat.st_mtime_ns))
    told = repr([*about, shape, READ_BY])
    name = hashlib.sha256(told.encode()).hexdigest()[:16]

    with TemporaryDirectory() as scratch:
        store = place("cache", cache or scratch).expanduser() / name
        if not store.exists():
            _gather(files, path, size, grey, store)
        numbers = store.stat().st_size // 4
        x = torch.from_file(str(store), size=numbers).view(-1, *shape)
        if not cache:
            x = x.clone()
        return Pictures(x)


def load(source, *, grey=False, cache=None, **size) -> Pictures:
    """The set called digits, mnist, fashion-mnist or faces, else the folder or IDX file there."""
    if isinstance(source, str) and source == "digits":
        return digits(**size)
    if isinstance(source, str) and source in FETCHED:
        return fetch(source, **size)
    if not isinstance(source, str | Path) or not Path(source).expanduser().exists():
        names = ", ".join(FETCHED)
        raise ValueError(
            f"images must be digits, {names}, a folder or an IDX file, got {str(source)!r}"
        )
    if Path(source).expanduser().is_dir():
        return folder(source, grey=grey, cache=cache, **size)
    return idx(source, **size)


def mosaic(x: Tensor, columns: int = 8) -> np.ndarray:
    """Pictures side by side with white lines between, for `imshow` with cmap="gray".

    x is (n, 1 or 3, size, size) in [−1, 1]; the answer is (H, W), or (H, W, 3) in colour, in
    [0, 1].
    """
    columns = count("columns", columns)
    x = tensor("x", x)
    if x.ndim != 4 or x.shape[1] not in (1, 3) or x.numel() == 0:
        raise ValueError(f"x must be pictures (n, 1 or 3, size, size), got shape {tuple(x.shape)}")
    x = x.detach().float().cpu()
    x = x.clamp(-1, 1) / 2 + 0.5
    x = pad(x, (0, 1, 0, 1), value=1.0)
    blanks = x.new_ones(-len(x) % columns, *x.shape[1:])  # to fill the last row
    rows = torch.cat([x, blanks]).unflatten(0, (-1, columns))

    # (row, column, channel, y, x) → (row and y, column and x, channel)
    wall = rows.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
    return wall[:-1, :-1].squeeze(-1).numpy()


def _fit(x, size) -> Tensor:
    """Bytes (n, channels, h, w) as pictures in [−1, 1] of the size asked for."""
    x = torch.as_tensor(x, dtype=torch.float32) / 127.5 - 1
    height, width = x.shape[2:]
    side = min(height, width)
    top = (height - side) // 2
    left = (width - side) // 2
    x = x[:, :, top : top + side, left : left + side].contiguous()
    if side == size:
        return x
    if side == 28 and size == 32:
        # MNIST has a dark border: widen it rather than blur the strokes.
        return pad(x, (2, 2, 2, 2), value=-1.0)
    return interpolate(x, (size, size), mode="bilinear", antialias=True).clamp(-1, 1)


def _side(size) -> int:
    return count("size", size, 4, 256)


def _existing(path) -> Path:
    """The path, with the home folder in place of ~; ValueError if nothing is there."""
    if not isinstance(path, str | PathLike):
        raise TypeError(f"path must be the name of a file or folder, got {path!r}")
    there = Path(path).expanduser()
    if not there.exists():
        raise ValueError(f"path must be a file or folder that exists, got {str(path)!r}")
    return there


def _download(name, home: Path, file: Path) -> None:
    """Fetch the set called `name` into `home` and keep its pixels and labels as `file`."""
    source = FETCHED[name]
    print(f"{name}: about {source.megabytes} MB will be downloaded once and kept in {home}.")
    with (
        ThreadPoolExecutor(1) as pool,
        tqdm(total=source.megabytes, unit="MB", bar_format="{l_bar}{bar}") as bar,
    ):
        task = pool.submit(source.fetcher, data_home=str(home), n_retries=1, **source.options)
        while not wait([task], timeout=0.5).done:
            arrived = sum(f.stat().st_size for f in home.rglob("*") if f.is_file()) / 1e6
            bar.update(arrived - bar.n)

    error = task.exception()
    if isinstance(error, OSError):
        raise ConnectionError(
            f"{name} could not be downloaded ({error}). Without a network take "
            "images.digits(), or idx(path) and folder(path) for files of your own."
        )

    found = task.result()
    x = found.data.reshape(-1, *source.shape)
    x = x * (255 / x.max())
    x = np.moveaxis(x, -1, 1).astype(np.uint8)
    labels = found.target.astype(np.int64)

    # Under another name until it is complete.
    part = file.with_suffix(".part.npz")
    np.savez(part, x=x, labels=labels)
    part.replace(file)


def _gather(files, path, size, grey, store) -> None:
    """Write the pixels of all pictures into one file, float32.

    It has another name until it is complete.
    """
    store.parent.mkdir(parents=True, exist_ok=True)
    part = store.with_suffix(".part")
    skipped = []
    with open(part, "wb") as out:
        for file in tqdm(files, desc=f"reading {path}", disable=None):
            try:
                out.write(_pixels(file, size, grey).tobytes())
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                why = "not a picture" if "cannot identify" in str(error) else error
                skipped.append(f"{file.name} ({why})")

    if skipped:
        named = ", ".join(skipped[:9])
        warnings.warn(
            f"{len(skipped)} of {len(files)} files in {path} skipped: {named}", stacklevel=3
        )
    if len(skipped) == len(files):
        raise ValueError(
            f"no picture of at least {size}×{size} pixels among the {len(files)} files in {path}"
        )
    part.replace(store)


def _pixels(file, size, grey) -> np.ndarray:
    """The middle square of one picture, (channels, size, size) in [−1, 1], float32."""
    with Image.open(file) as opened:
        upright = ImageOps.exif_transpose(opened)
        picture = _seen(upright).convert("L" if grey else "RGB")
    if min(picture.size) < size:
        raise ValueError(f"{picture.width}×{picture.height}, smaller than {size}")

    square = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    pixels = np.asarray(square, np.float32)
    if grey:
        pixels = pixels[None]
    else:
        pixels = pixels.transpose(2, 0, 1)
    return pixels / 127.5 - 1


def _seen(picture: Image.Image) -> Image.Image:
    """The picture in a mode of 8 bits without transparency, as it looks on white paper."""
    mode = picture.mode
    if mode.startswith("I") or mode == "F":
        # Of 16 bits in "I", which has room for 32; the numbers of "F" are shares by custom.
        white = 1.0 if mode == "F" else 65535.0
        grey = np.asarray(picture, np.float64) / white
        if not (grey.min() >= 0 and grey.max() <= 1):  # put so that nan fails too
            raise ValueError(f"mode {mode} with numbers outside 0 to {white:g}")
        pixels = np.rint(grey * 255)
        return Image.fromarray(pixels.astype(np.uint8))
    if mode == "LAB":
        profiles = [ImageCms.createProfile(name) for name in ("LAB", "sRGB")]
        return ImageCms.profileToProfile(picture, *profiles, outputMode="RGB")  # type: ignore
    if picture.has_transparency_data:
        if mode in ("La", "RGBa"):  # colours that are multiplied by their share already
            picture = picture.convert({"La": "LA", "RGBa": "RGBA"}[mode])
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture


def _read_idx(path, dimensions) -> np.ndarray:
    try:
        raw = path.read_bytes()
        if raw[:2] == GZIP:
            raw = gzip.decompress(raw)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path.name} is truncated: {error}") from None

    magic = bytes([0, 0, 8, dimensions])
    head = 4 + 4 * dimensions  # the magic, then each side as four bytes
    if raw[:4] != magic or len(raw) < head:
        raise ValueError(
            f"{path.name} must begin with the IDX magic {magic.hex(' ')}, got {raw[:4].hex(' ')}"
        )

    shape = np.frombuffer(raw[4:head], ">u4").tolist()
    asked = math.prod(shape)
    there = len(raw) - head
    if there != asked:
        wrong = "truncated" if there < asked else "longer than it says"
        raise ValueError(f"{path.name} is {wrong}: {shape} are {asked} bytes, it has {there}")
    if asked == 0:
        raise ValueError(f"{path.name} is empty: {shape}")
    pixels = np.frombuffer(bytearray(raw), np.uint8, offset=head)
    return pixels.reshape(shape)
