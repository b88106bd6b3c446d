"""Image sets, each as one float32 tensor in [−1, 1], (n, channels, size, size), with labels where there are any.

`digits` needs no network; `fetch` downloads known sets, saying how much; `idx` and `folder` read your own files.
"""

import gzip
import hashlib
import math
import warnings
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from sklearn import datasets
from torch import Tensor
from torch.nn.functional import interpolate, pad
from tqdm import tqdm

from ganlib.checks import one_of


class Pictures(NamedTuple):
    """x is (n, channels, size, size), float32 in [−1, 1]; labels is (n,), whole numbers, or None."""

    x: Tensor
    labels: Tensor | None = None

    def split(self, held_out=1 / 3, *, seed=0) -> list["Pictures"]:
        """Two disjoint random parts: to train on, and `held_out` (a share of all) to compare with."""
        order = torch.randperm(len(self.x), generator=torch.Generator().manual_seed(seed))
        return [
            Pictures(self.x[rows], None if self.labels is None else self.labels[rows])
            for rows in order.tensor_split([round(len(order) * (1 - held_out))])
        ]


def digits(size=8) -> Pictures:
    """1,797 handwritten digits of 8×8 pixels, bundled with scikit-learn (Alpaydın & Kaynak 1998, UCI)."""
    bunch = datasets.load_digits()
    return Pictures(_fit(bunch.images[:, None] * (255 / 16), size), torch.from_numpy(bunch.target))


_OPENML = {"version": 1, "as_frame": False, "parser": "liac-arff"}
FETCHED = {  # name: megabytes, shape of a picture, scikit-learn's fetcher and what it is told
    # LeCun et al. 1998, 70,000 digits; Xiao et al. 2017, arXiv:1708.07747, 70,000 articles of clothing
    "mnist": (15, (28, 28, 1), datasets.fetch_openml, {"name": "mnist_784", **_OPENML}),
    "fashion-mnist": (30, (28, 28, 1), datasets.fetch_openml, {"name": "Fashion-MNIST", **_OPENML}),
    # Huang et al. 2007, Labeled Faces in the Wild, 13,233 faces: the middle 128 pixels, halved
    "faces": (
        233,
        (64, 64, 3),
        datasets.fetch_lfw_people,
        {"resize": 0.5, "color": True, "slice_": (slice(61, 189),) * 2},
    ),
}


def fetch(name, *, size=32, home=None) -> Pictures:
    """One of the sets of `FETCHED`: downloaded once, after saying what and how much, and kept in the folder `home`."""
    (megabytes, shape, fetcher, how), home = (
        FETCHED[one_of("name", name, FETCHED)],
        Path(datasets.get_data_home(home)),
    )
    file = home / f"ganlib-{name}.npz"
    if not file.exists():
        print(f"{name}: about {megabytes} MB will be downloaded once and kept in {home}.")
        with (
            ThreadPoolExecutor(1) as pool,
            tqdm(total=megabytes, unit="MB", bar_format="{l_bar}{bar}") as bar,
        ):
            task = pool.submit(fetcher, data_home=str(home), n_retries=1, **how)
            while not wait([task], timeout=0.5).done:
                bar.update(
                    sum(f.stat().st_size for f in home.rglob("*") if f.is_file()) / 1e6 - bar.n
                )
        if isinstance(task.exception(), OSError):
            raise ConnectionError(
                f"{name} could not be downloaded ({task.exception()}). Without a network take "
                "images.digits(), or idx(path) and folder(path) for files of your own."
            )
        x, labels = task.result().data.reshape(-1, *shape), task.result().target.astype(np.int64)
        x = np.moveaxis(x * (255 / x.max()), -1, 1).astype(np.uint8)
        np.savez(part := file.with_suffix(".part.npz"), x=x, labels=labels)
        part.replace(file)
    kept = np.load(file)
    return Pictures(_fit(kept["x"], size), torch.from_numpy(kept["labels"]))


def idx(path, labels=None, *, size=32) -> Pictures:
    """MNIST's own format (IDX), plain or gzipped; `labels` is found beside it by the usual name if not given."""
    beside = Path(str(path).replace("images-idx3", "labels-idx1"))
    labels = labels or (beside if beside != Path(path) and beside.exists() else None)
    x, y = (
        _read_idx(Path(path), 3),
        None if labels is None else torch.from_numpy(_read_idx(Path(labels), 1)).long(),
    )
    if y is not None and len(y) != len(x):
        raise ValueError(f"{len(y)} labels do not fit the {len(x)} pictures of {path}")
    return Pictures(_fit(x[:, None], size), y)


def folder(path, *, size=32, grey=False, cache=None) -> Pictures:
    """All pictures under `path`, nested too: turned upright, cropped to the middle square, `size` pixels wide.

    Files that are no pictures, broken or smaller than `size` are skipped, counted and named in a warning. With
    `cache`, a folder, the pixels lie in a file there and are mapped into memory: they may be more than it holds.
    """
    files, shape = (
        sorted(f for f in Path(path).rglob("*") if f.is_file()),
        (1 if grey else 3, size, size),
    )
    about = repr([(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files] + [shape])
    with TemporaryDirectory() as scratch:
        store = Path(
            cache or scratch, hashlib.sha256(about.encode()).hexdigest()[:16]
        )  # other files, other name
        if not store.exists():
            _gather(files, path, size, grey, store)
        x = torch.from_file(str(store), size=store.stat().st_size // 4).view(-1, *shape)
        return Pictures(x if cache else x.clone())


def load(source, *, grey=False, cache=None, **size) -> Pictures:
    """The set called digits, mnist, fashion-mnist or faces, else the folder or the IDX file at that path."""
    if source == "digits" or source in FETCHED:
        return digits(**size) if source == "digits" else fetch(source, **size)
    if not Path(source).exists():
        raise ValueError(
            f"images must be digits, {', '.join(FETCHED)}, a folder or an IDX file, got {str(source)!r}"
        )
    return (
        folder(source, grey=grey, cache=cache, **size)
        if Path(source).is_dir()
        else idx(source, **size)
    )


def mosaic(x: Tensor, columns: int = 8) -> np.ndarray:
    """Pictures side by side with white lines between, for `imshow` with cmap="gray": (H, W) or (H, W, 3) in [0, 1]."""
    x = pad(x.detach().float().cpu().clamp(-1, 1) / 2 + 0.5, (0, 1, 0, 1), value=1.0)
    x = torch.cat([x, x.new_ones(-len(x) % columns, *x.shape[1:])])
    wall = (
        x.unflatten(0, (-1, columns)).permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
    )  # (H, W, channels)
    return wall[:-1, :-1].squeeze(-1).numpy()


def _fit(x, size) -> Tensor:
    """Bytes (n, channels, h, w) as pictures in [−1, 1] of the size asked for."""
    if not isinstance(size, int) or not 4 <= size <= 256:
        raise ValueError(f"size must be a whole number from 4 to 256, got {size!r}")
    x = torch.as_tensor(x, dtype=torch.float32) / 127.5 - 1
    if (x.shape[-1], size) == (
        28,
        32,
    ):  # MNIST has a dark border: widen it rather than blur the strokes
        return pad(x, (2, 2, 2, 2), value=-1.0)
    return (
        x
        if x.shape[-1] == size
        else interpolate(x, (size, size), mode="bilinear", antialias=True).clamp(-1, 1)
    )


def _gather(files, path, size, grey, store) -> None:
    """Write the pixels of all pictures into one file, float32, under another name until it is complete."""
    store.parent.mkdir(parents=True, exist_ok=True)
    skipped = []
    with open(store.with_suffix(".part"), "wb") as out:
        for file in tqdm(files, desc=f"reading {path}", disable=None):
            try:
                with Image.open(file) as opened:
                    picture = ImageOps.exif_transpose(opened).convert("L" if grey else "RGB")
                if min(picture.size) < size:
                    raise ValueError(f"{picture.width}×{picture.height}, smaller than {size}")
                pixels = np.asarray(
                    ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS), np.float32
                )
                out.write(((pixels if grey else pixels.transpose(2, 0, 1)) / 127.5 - 1).tobytes())
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                skipped.append(
                    f"{file.name} ({'not a picture' if 'cannot identify' in str(error) else error})"
                )
    if skipped:
        warnings.warn(
            f"{len(skipped)} of {len(files)} files in {path} skipped: {', '.join(skipped[:9])}",
            stacklevel=3,
        )
    if len(skipped) == len(files):
        raise ValueError(
            f"no picture of at least {size}×{size} pixels among the {len(files)} files in {path}"
        )
    store.with_suffix(".part").replace(store)


def _read_idx(path, dimensions) -> np.ndarray:
    head, magic = 4 + 4 * dimensions, bytes([0, 0, 8, dimensions])
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path.name} is truncated or not gzipped: {error}") from None
    if raw[:4] != magic or len(raw) < head:
        raise ValueError(
            f"{path.name} must begin with the IDX magic {magic.hex(' ')}, got {raw[:4].hex(' ')}"
        )
    shape = np.frombuffer(raw[4:head], ">u4").tolist()
    if len(raw) - head != math.prod(shape):
        raise ValueError(
            f"{path.name} is truncated: {shape} are {math.prod(shape)} bytes, it has {len(raw) - head}"
        )
    return np.frombuffer(bytearray(raw), np.uint8, offset=head).reshape(shape)
