"""Reading and checking tensors from users, and writing results whole or not at all."""

from pathlib import Path

import numpy as np

from spikeloom.errors import InputError
from spikeloom.outputs import output_file


def load_tensor(path, name):
    """The array in .npy file `path`, called `name` in messages.

    Raises `InputError` for anything but a readable .npy file of finite numbers; pickled data is
    refused unread.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{name}: {path} is a folder; give a .npy file")
    try:
        with path.open("rb") as file:
            magic = file.read(6)
    except OSError as error:
        raise InputError(f"{name}: {path} cannot be read ({error.strerror})") from None
    if magic != b"\x93NUMPY":
        raise InputError(f"{name}: {path} is not a .npy file; save it with numpy.save")
    try:
        tensor = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        what = "holds pickled objects" if "pickle" in str(error) else f"is damaged ({error})"
        raise InputError(f"{name}: {path} {what}; save plain numbers with numpy.save") from None
    if tensor.dtype.kind not in "biuf":
        raise InputError(f"{name}: {path} holds {tensor.dtype}, not real numbers")
    if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
        where = _first(~np.isfinite(tensor))
        raise InputError(f"{name}: NaN or infinity at {where}; give finite numbers")
    if 0 in tensor.shape:
        raise InputError(f"{name}: shape {tensor.shape} holds no numbers")
    return tensor


def check_shape(config, shape):
    """Raise `InputError` where a key of `config` is not what the tensors' `shape` makes it."""
    for key, found in shape.items():
        if getattr(config, key) != found:
            raise InputError(
                f"{key} = {getattr(config, key)}, but the tensors have {found}; leave it out"
            )


def check_range(tensor, name, low, high, what):
    """Raise `InputError` that names the first element outside ``low..high``."""
    wrong = (tensor < low) | (tensor > high)
    if wrong.any():
        where = _first(wrong)
        raise InputError(f"{name}: {tensor[where]} at {list(where)}; {what}")


def check_spikes(tensor, name):
    """`tensor` as uint8. Raises `InputError` that names the first element other than 0 and 1."""
    wrong = (tensor != 0) & (tensor != 1)
    if wrong.any():
        where = _first(wrong)
        raise InputError(f"{name}: {tensor[where]} at {list(where)}; spikes are 0 or 1")
    return tensor.astype(np.uint8)


def save_tensor(path, tensor):
    """Write `tensor` as .npy file `path`, whole or not at all."""
    with output_file(path) as staging, staging.open("wb") as file:
        np.save(file, tensor)


def _first(wrong):
    return tuple(int(n) for n in np.argwhere(wrong)[0])
