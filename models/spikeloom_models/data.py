"""Labelled images: IDX files (MNIST, Fashion-MNIST), ``.npz`` files, the shipped samples."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import InputError

FASHION_CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
PARTS = {"train": "train", "test": "t10k"}
MAX_BYTES = 2**31


@dataclass(frozen=True)
class Labelled:
    """`images` ``[n, Y, X, C]`` of uint8 and `labels` ``[n]`` of int64."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, images: int | None) -> Labelled:
        """The first images (None: all)."""
        return Labelled(self.images[:images], self.labels[:images])


def read_data(path: str | PathLike[str], part: str, classes: int) -> Labelled:
    """The "train" or "test" images below `path`.

    A folder holds the four IDX files of MNIST or Fashion-MNIST, plain or compressed by gzip. An
    ``.npz`` file holds ``x_train``, ``y_train``, ``x_test`` and ``y_test``. Raises `InputError`.
    """
    path = Path(path)
    if path.is_dir():
        stem = path / PARTS[part]
        images = read_idx(_existing(f"{stem}-images-idx3-ubyte"))
        labels = read_idx(_existing(f"{stem}-labels-idx1-ubyte"))
    elif path.suffix == ".npz" and path.is_file():
        images, labels = _read_npz(path, part)
    elif path.exists():
        raise InputError(f"{path} is neither a folder of IDX files nor an .npz file")
    else:
        raise InputError(f"{path} does not exist; give a folder of IDX files, or an .npz file")
    return _labelled(images, labels, f"{path} ({part})", classes)


def read_idx(path: str | PathLike[str]) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, plain or compressed by gzip."""
    path = Path(path)
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if compressed else path.open("rb") as file:
            return _read_idx(file, path)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: damaged gzip file ({error}); fetch it again") from None


def _read_idx(file: IO[bytes] | gzip.GzipFile, path: Path) -> NDArray[np.uint8]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or not 1 <= head[3] <= 4:
        raise InputError(f"{path} is not an IDX file: it begins with {head.hex() or 'nothing'}")
    if head[2] != 0x08:
        raise InputError(
            f"{path}: values of type 0x{head[2]:02x}; give an IDX file of bytes (0x08)"
        )
    text = file.read(4 * head[3])
    shape = tuple(int.from_bytes(text[i : i + 4]) for i in range(0, len(text), 4))
    size = int(np.prod(shape, dtype=object)) if len(text) == 4 * head[3] else MAX_BYTES + 1
    if not 0 < size <= MAX_BYTES:
        raise InputError(f"{path}: impossible sizes {shape}; the file is damaged")
    values = file.read(size + 1)
    if len(values) != size:
        kind = "more" if len(values) > size else f"{len(values):,}"
        raise InputError(f"{path}: {kind} bytes where the header says {size:,}; fetch it again")
    return np.frombuffer(values, np.uint8).reshape(shape)


def _existing(stem):
    """The file `stem`, or compressed, or with the dot that some copies have for the last dash."""
    head, _, tail = stem.rpartition("-idx")
    names = [name + suffix for name in (stem, f"{head}.idx{tail}") for suffix in ("", ".gz")]
    for name in names:
        if Path(name).is_file():
            return name
    raise InputError(f"{stem} (or .gz) does not exist; give the folder with the four IDX files")


def _read_npz(path: Path, part: str) -> tuple[Any, Any]:
    keys = f"x_{part}", f"y_{part}"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            missing = [key for key in keys if key not in arrays]
            if missing:
                found = ", ".join(arrays.files) or "nothing"
                raise InputError(f"{path} lacks {missing[0]}; it holds {found}")
            return arrays[keys[0]], arrays[keys[1]]
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a readable .npz file ({error})") from None


def _labelled(images: NDArray[Any], labels: NDArray[Any], where: str, classes: int) -> Labelled:
    """Checked images and labels."""
    if images.ndim not in (3, 4) or images.dtype != np.uint8:
        raise InputError(
            f"{where}: images are {images.dtype} of shape {images.shape}; give uint8 of shape "
            "(n, height, width) or (n, height, width, channels)"
        )
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"{where}: labels are {labels.dtype} of shape {labels.shape}; give integers of shape "
            "(n,)"
        )
    if len(images) != len(labels):
        raise InputError(f"{where}: {len(images):,} images but {len(labels):,} labels")
    if not len(images):
        raise InputError(f"{where}: no images")
    bad = (labels < 0) | (labels >= classes)
    if bad.any():
        first = int(np.argmax(bad))
        raise InputError(
            f"{where}: label {labels[first]} of image {first:,} is not a class; classes are 0 to "
            f"{classes - 1}"
        )
    images = images if images.ndim == 4 else images[..., None]
    return Labelled(images, labels.astype(np.int64))


def fashion_sample() -> Labelled:
    """The first 1,000 test images of Fashion-MNIST, which are part of this package."""
    return _shipped("fashion-mnist-1000.npz", len(FASHION_CLASSES))


def mnist_sample() -> Labelled:
    """The first 100 test images of MNIST, which are part of this package."""
    return _shipped("mnist-100.npz", 10)


def _shipped(name: str, classes: int) -> Labelled:
    sample = resources.files("spikeloom_models") / "datasets" / name
    with sample.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return _labelled(arrays["images"], arrays["labels"], "sample", classes)
