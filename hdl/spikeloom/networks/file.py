"""Network files: safetensors with the graph as JSON in the metadata."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, echo
from ..memory import check_memory
from ..outputs import check_file, output_file
from .graph import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIX = ".safetensors"
FORMAT = "network/1"
DTYPES = {"I8": np.dtype("<i1"), "I16": np.dtype("<i2"), "I32": np.dtype("<i4")}
MAX_FILE = 2**26  # bytes; weights on a chip are much smaller
MAX_HEADER = 2**22
LENGTH = 8  # bytes of the header's length, at the beginning of a file
METADATA = "__metadata__"
WHAT_ELSE = {
    b"PK\x03\x04": "a PyTorch checkpoint or a zip archive",
    b"\x80": "a pickle",
    b"\x93NUMPY": "an .npy array",
}


def save(path: str | PathLike[str], graph: Graph) -> None:
    """Write a network as a file whose name ends in .safetensors, whole or not at all.

    The same network gives the same bytes.
    """
    if Path(path).suffix != SUFFIX:
        raise InputError(f"{path}: the name of a network file ends in {SUFFIX}; rename it")
    check_file(path)
    with output_file(path) as staging:
        staging.write_bytes(to_bytes(graph))


def load(path: str | PathLike[str]) -> Graph:
    """Read and check a network file.

    Raises `InputError`, one line that names the file, for anything that is not a valid network.
    Memory is limited by the size of the file.
    """
    try:
        return from_bytes(_read(Path(path)))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def digest(graph: Graph) -> str:
    """SHA-256 of the network's file, in hexadecimal digits."""
    return hashlib.sha256(to_bytes(graph)).hexdigest()


def to_bytes(graph: Graph) -> bytes:
    """The file of a network."""
    from safetensors.numpy import save as serialise

    description = json.dumps(graph.to_json(), separators=(",", ":"))
    data = serialise(graph.tensors(), {"spikeloom": FORMAT, "network": description})
    # The library writes the metadata in a different order each time.
    header, length = _header(data)
    metadata = dict(sorted(header.pop(METADATA).items()))
    text = json.dumps({METADATA: metadata} | header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH)
    return len(text).to_bytes(LENGTH, "little") + text + data[LENGTH + length :]


def from_bytes(data: bytes) -> Graph:
    """The network of a file's bytes."""
    header, _ = _header(data)
    metadata = header.get(METADATA)
    if not isinstance(metadata, dict) or not isinstance(metadata.get("spikeloom"), str):
        raise InputError(
            "is no network file: its metadata has no key 'spikeloom'; see docs/networks.md"
        )
    if metadata["spikeloom"] != FORMAT:
        raise InputError(
            f"has format {echo(metadata['spikeloom'])}, and this version of Spikeloom reads "
            f"{FORMAT}; update Spikeloom or save the network again"
        )
    if not isinstance(metadata.get("network"), str):
        raise InputError("is damaged: its metadata has no key 'network'; save it again")
    description = _json(metadata["network"], "the network in its metadata")
    tensors = _tensors(data)
    graph = Graph.from_json(description, tensors)
    _check_used(description, tensors)
    return graph


def _read(path: Path) -> bytes:
    """The bytes of a file on disk of allowed size."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"is a folder; give a {SUFFIX} file")
        if not stat.S_ISREG(mode):
            raise InputError(f"is a pipe or a device; give a {SUFFIX} file on disk")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE:
                raise InputError(f"has {size} bytes; a network file has at most {MAX_FILE}")
            check_memory(6 * size, "reading it", "the network")
            return file.read(MAX_FILE)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})") from None


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """The header, parsed, and its length in bytes."""
    length = int.from_bytes(data[:LENGTH], "little")
    if data[LENGTH : LENGTH + 1] != b"{":
        what = [what for magic, what in WHAT_ELSE.items() if data.startswith(magic)]
        raise InputError(
            f"is {what[0] if what else 'something else'}, not a {SUFFIX} file; give a network "
            "file, as spikeloom.networks.file.save writes it"
        )
    if length > MAX_HEADER:
        raise InputError(f"has a header of {length} bytes; a network file has at most {MAX_HEADER}")
    if length > len(data) - LENGTH:
        raise InputError(
            f"is damaged: its header has {length} bytes and {len(data) - LENGTH} follow; save it "
            "again"
        )
    try:
        text = data[LENGTH : LENGTH + length].decode()
    except UnicodeDecodeError:
        raise InputError("is damaged: its header is not UTF-8 text; save it again") from None
    header = _json(text, "its header")
    if not isinstance(header, dict):
        raise InputError("is damaged: its header is not an object; save it again")
    return header, length


def _tensors(data: bytes) -> dict[str, NDArray]:
    """The tensors by name, which must be integers."""
    from safetensors import SafetensorError, deserialize

    try:
        found = deserialize(data)
    except SafetensorError as error:
        why = " ".join(str(error).split())[:200]
        raise InputError(f"is damaged: {why}; save it again") from None
    tensors = {}
    for name, tensor in found:
        if tensor["dtype"] not in DTYPES:
            raise InputError(
                f"tensor {echo(name)} holds {tensor['dtype']}; a network holds "
                f"{', '.join(DTYPES)}, so quantise it to integers"
            )
        array = np.frombuffer(bytes(tensor["data"]), DTYPES[tensor["dtype"]])
        tensors[name] = array.reshape(tensor["shape"])
    return tensors


def _check_used(description: Mapping[str, Any], tensors: Mapping[str, NDArray]) -> None:
    """Raise `InputError` for a tensor that no layer names."""
    from .layers import KINDS

    used = {
        layer[field]
        for layer in description["layers"]
        for field in KINDS[layer["kind"]].TENSORS
        if field in layer
    }
    unused = sorted(tensors.keys() - used)
    if unused:
        raise InputError(f"tensor {echo(unused[0])} is not used by any layer; remove it")


def _json(text: str, what: str) -> Any:
    """A JSON document, without duplicate keys and without numbers that are none."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except RecursionError:
        raise InputError(f"is damaged: {what} is nested too deeply; save it again") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        why = " ".join(str(error).split())[:200]
        raise InputError(f"is damaged: {what} is not JSON ({why}); save it again") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(f"is damaged: key {echo(name)} comes twice; save it again")
        found[name] = value
    return found


def _no_number(text: str) -> Any:
    raise InputError(f"is damaged: {text} is not a number of JSON; save it again")
