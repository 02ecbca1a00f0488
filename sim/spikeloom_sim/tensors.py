"""Read and check input tensors, and write results."""

from __future__ import annotations

import math
import os
import stat
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikeloom.errors import InputError, echo
from spikeloom.memory import check_memory
from spikeloom.outputs import output_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.contract import Core

# Size of the length field and header reader, by format version. Version 3 differs from 2 only in
# the names of structured fields, which are refused.
HEADERS = {
    (1, 0): (2, np.lib.format.read_array_header_1_0),
    (2, 0): (4, np.lib.format.read_array_header_2_0),
    (3, 0): (4, np.lib.format.read_array_header_2_0),
}
MAX_HEADER = 10_000  # bytes; a plain array has a header of 118
MAX_AXES = 32
AGAIN = "save it again with numpy.save"


def load_tensor(path: Path, name: str) -> NDArray:
    """The array in .npy file `path`, in C order and native byte order; `name` is for messages.

    Raises `InputError` for anything but a readable .npy file of finite real numbers. Memory is
    allocated only if the header matches the file size; pickled data is refused without reading it.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{name}: {path} is a folder; give a .npy file")
        if not stat.S_ISREG(mode):
            raise InputError(f"{name}: {path} is a pipe or a device; give a .npy file on disk")
        with path.open("rb") as file:
            dtype, shape, fortran = _read_header(file, f"{name}: {path}")
            tensor = _read_numbers(file, dtype, shape, f"{name}: {path}")
    except OSError as error:
        raise InputError(f"{name}: {path} cannot be read ({error.strerror or error})") from None
    tensor = tensor.reshape(shape, order="F" if fortran else "C")
    with np.errstate(over="ignore"):  # conversion of longer floats; infinity is refused below
        tensor = np.asarray(tensor, _kept_as(dtype), order="C")
    if dtype.kind == "f" and not np.isfinite(tensor).all():
        where = _first(~np.isfinite(tensor))
        raise InputError(f"{name}: NaN or infinity at {where}; give finite numbers")
    return tensor


def _read_header(file, where):
    """Parse the header of a .npy file: dtype, shape and whether it is in Fortran order."""
    magic = file.read(6)
    if magic[:2] == b"PK":
        raise InputError(f"{where} is an .npz archive; save each array by itself with numpy.save")
    if magic != b"\x93NUMPY":
        what = "is not a .npy file" if magic else "is empty"
        raise InputError(f"{where} {what}; save it with numpy.save")
    version = tuple(file.read(2))
    if version not in HEADERS:
        raise InputError(f"{where} is damaged: unknown .npy format version; {AGAIN}")
    field, read = HEADERS[version]
    length = int.from_bytes(file.read(field), "little")
    if length > MAX_HEADER:
        raise InputError(
            f"{where} has a header of {length} bytes, more than {MAX_HEADER}; "
            "save plain numbers with numpy.save"
        )
    file.seek(-field, os.SEEK_CUR)
    try:
        with warnings.catch_warnings(action="ignore"):  # from Python's parser and old formats
            shape, fortran, dtype = read(file, max_header_size=MAX_HEADER)
            descr = str(dtype)
    except Exception:  # parsing Python literals can fail in many ways
        raise InputError(f"{where} is damaged: its header cannot be read; {AGAIN}") from None
    if dtype.hasobject:
        raise InputError(f"{where} holds pickled objects; save plain numbers with numpy.save")
    if dtype.kind not in "biuf" or dtype.shape:
        raise InputError(f"{where} holds {descr[:60]}, not real numbers")
    if len(shape) > MAX_AXES or any(type(size) is not int or size < 0 for size in shape):
        raise InputError(f"{where} is damaged: {echo(shape)} is not a shape; {AGAIN}")
    return dtype, shape, fortran


def _read_numbers(file, dtype, shape, where):
    """Read the numbers after the header, which must fill the rest of the file."""
    if 0 in shape:
        raise InputError(f"{where}: shape {echo(shape)} holds no numbers")
    needed = math.prod(shape) * dtype.itemsize
    left = os.fstat(file.fileno()).st_size - file.tell()
    if left < needed:
        raise InputError(
            f"{where} is damaged: shape {echo(shape)} of {dtype} needs {echo(needed)} bytes and "
            f"{left} follow the header; {AGAIN}"
        )
    if left > needed:
        raise InputError(
            f"{where} is damaged: {left - needed} bytes follow its array; save one array in a file"
        )
    check_memory(needed, f"{where}, of shape {shape},", "the tensor")
    numbers = np.fromfile(file, dtype)
    if numbers.size * dtype.itemsize != needed:
        raise InputError(f"{where} was truncated while it was read; try again")
    return numbers


def _kept_as(dtype):
    """`dtype` in native byte order; floats longer than double become double."""
    wide = dtype.kind == "f" and dtype.itemsize > 8
    return np.dtype(float) if wide else dtype.newbyteorder("=")


def check_shape(config: Core, shape: Mapping[str, int]) -> None:
    """Raise `InputError` if a key of `config` contradicts the tensors' `shape`."""
    for key, found in shape.items():
        if getattr(config, key) != found:
            raise InputError(
                f"{key} = {getattr(config, key)}, but the tensors have {found}; leave it out"
            )


def check_range(tensor: NDArray, name: str, low: float, high: float, what: str) -> None:
    """Raise `InputError` with the first element outside ``low..high``, if any."""
    wrong = (tensor < low) | (tensor > high)
    if wrong.any():
        where = _first(wrong)
        raise InputError(f"{name}: {tensor[where]} at {list(where)}; {what}")


def check_spikes(tensor: NDArray, name: str) -> NDArray:
    """`tensor` as uint8. Raises `InputError` with the first element other than 0 and 1."""
    wrong = (tensor != 0) & (tensor != 1)
    if wrong.any():
        where = _first(wrong)
        raise InputError(f"{name}: {tensor[where]} at {list(where)}; spikes are 0 or 1")
    return tensor.astype(np.uint8)


def save_tensor(path: Path, tensor: NDArray) -> None:
    """Write `tensor` as .npy file `path`; on failure no partial file is left."""
    with output_file(path) as staging, staging.open("wb") as file:
        np.save(file, tensor)


def _first(wrong):
    return tuple(int(n) for n in np.argwhere(wrong)[0])
