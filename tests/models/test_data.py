"""Labelled images: files that are read, and files that are refused in one line."""

import gzip

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks.position import position_channel, with_position
from spikeloom_models.data import FASHION_CLASSES, fashion_sample, read_data, read_idx

RNG = np.random.default_rng(7)
IMAGES = RNG.integers(0, 256, (6, 8, 12), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 2, 1, 0], np.uint8)


def idx(array):
    """The bytes of an IDX file."""
    sizes = b"".join(size.to_bytes(4) for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def idx_folder(folder, images=IMAGES, labels=LABELS):
    """The two files of the training part, one of them compressed."""
    folder.mkdir(exist_ok=True)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(labels))
    return folder


def test_idx_folder(tmp_path):
    data = read_data(idx_folder(tmp_path), "train", 3)
    assert np.array_equal(data.images, IMAGES[..., None])
    assert np.array_equal(data.labels, LABELS)
    assert (data.images.dtype, data.labels.dtype, len(data)) == (np.uint8, np.int64, 6)


def test_npz(tmp_path):
    path = tmp_path / "images.npz"
    np.savez(path, x_test=IMAGES, y_test=LABELS.astype(int))
    data = read_data(path, "test", 3)
    assert np.array_equal(data.images[..., 0], IMAGES)
    assert np.array_equal(data.labels, LABELS)


def test_names_with_a_dot(tmp_path):
    (tmp_path / "t10k-images.idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "t10k-labels.idx1-ubyte").write_bytes(idx(LABELS))
    assert len(read_data(tmp_path, "test", 3)) == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"PK\x03\x04" * 9, "is not an IDX file: it begins with 504b0304"),
        (idx(IMAGES)[:-1], "575 bytes where the header says 576"),
        (idx(IMAGES) + b"x", "more bytes where the header says 576"),
        (b"\0\0\x0d\x01\0\0\0\x01" + bytes(4), "values of type 0x0d"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "impossible sizes"),
        (b"\0\0\x08\x03\0\0", "impossible sizes"),
        (b"\0\0\x08\x01\0\0\0\0", "impossible sizes (0,)"),
        (gzip.compress(idx(IMAGES))[:-9], "damaged gzip file"),
        (b"\x1f\x8b" + bytes(30), "damaged gzip file"),
    ],
)
def test_damaged_idx(tmp_path, content, message):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^[^\n]+$") as refusal:
        read_idx(path)
    assert message in str(refusal.value)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES[:5], LABELS, "5 images but 6 labels"),
        (IMAGES, LABELS + 1, "label 3 of image 2 is not a class; classes are 0 to 2"),
        (IMAGES.astype(float), LABELS, "images are float64 of shape (6, 8, 12)"),
        (IMAGES[0], LABELS, "images are uint8 of shape (8, 12)"),
        (IMAGES, LABELS.astype(float), "labels are float64"),
        (IMAGES, LABELS.astype(int) - 1, "label -1 of image 0"),
        (IMAGES, LABELS[:, None], "of shape (6, 1)"),
        (IMAGES[:0], LABELS[:0], "no images"),
        (IMAGES.astype(object), LABELS, "not a readable .npz file"),
    ],
)
def test_arrays_that_are_refused(tmp_path, images, labels, message):
    path = tmp_path / "images.npz"
    np.savez(path, x_train=images, y_train=labels)
    with pytest.raises(InputError, match=r"^[^\n]+$") as refusal:
        read_data(path, "train", 3)
    assert message in str(refusal.value)


def test_paths_that_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "images.txt").write_text("no archive")
    np.savez(tmp_path / "other.npz", images=IMAGES)
    for name, message in {
        "missing": "does not exist",
        "empty": "train-images-idx3-ubyte (or .gz) does not exist",
        "images.txt": "neither a folder of IDX files nor an .npz file",
        "text.npz": "not a readable .npz file",
        "other.npz": "lacks x_train; it holds images",
    }.items():
        with pytest.raises(InputError, match=r"^[^\n]+$") as refusal:
            read_data(tmp_path / name, "train", 3)
        assert message in str(refusal.value)


def test_the_shipped_sample():
    sample = fashion_sample()
    assert sample.images.shape == (1000, 28, 28, 1)
    assert set(sample.labels) == set(range(len(FASHION_CLASSES)))


def test_each_patch_has_a_position_of_its_own():
    channel = position_channel((8, 12), (4, 4))
    patches = channel.reshape(2, 4, 3, 4).swapaxes(1, 2).reshape(6, 16)
    assert len(np.unique(patches, axis=0)) == 6
    assert all(np.bitwise_count(patch).sum() == 2 for patch in patches)
    images = with_position(IMAGES[..., None], (4, 4))
    assert np.array_equal(images[..., 0], IMAGES)
    assert all(np.array_equal(image[..., 1], channel) for image in images)
    with pytest.raises(InputError, match="no room for the position among 14 rows and 14 columns"):
        position_channel((28, 28), (2, 2))
