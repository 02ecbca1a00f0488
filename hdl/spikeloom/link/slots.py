"""Output beats in the answers to READ: all beats of one stream, or slots with a stream number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import JobError
from .protocol import slot_bytes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ..port import Port


def output_bytes(ports: Mapping[str, Port]) -> int:
    """Bytes of the outputs of a run."""
    slot = slot_bytes(port.bits for port in ports.values())
    return slot * sum(port.beats for port in ports.values())


def join_outputs(ports: Mapping[str, Port], tensors: Mapping[str, ArrayLike]) -> bytes:
    """The bytes of a run, stream after stream."""
    size = slot_bytes(port.bits for port in ports.values())
    data = b""
    for number, (name, port) in enumerate(ports.items()):
        beats = np.frombuffer(port.to_bytes(tensors[name]), np.uint8).reshape(port.beats, -1)
        slots = np.zeros((port.beats, size), np.uint8)
        slots[:, :1] = number
        slots[:, size - slot_data(ports) :][:, : port.beat_bytes] = beats
        data += slots.tobytes()
    return data


def split_outputs(ports: Mapping[str, Port], data: bytes) -> dict[str, NDArray]:
    """The outputs of a run by name, from its bytes; streams may alternate in any order.

    Raises `JobError` unless every stream has all its beats.
    """
    size = slot_bytes(port.bits for port in ports.values())
    slots = np.frombuffer(data, np.uint8).reshape(-1, size)
    first = size - slot_data(ports)
    outputs = {}
    for number, (name, port) in enumerate(ports.items()):
        own = slots[slots[:, 0] == number] if first else slots
        if len(own) != port.beats:
            raise JobError(f"the device sent {len(own)} beats of {name}, not {port.beats}")
        outputs[name] = port.from_bytes(own[:, first : first + port.beat_bytes].tobytes())
    return outputs


def slot_data(ports: Mapping[str, Port]) -> int:
    """Bytes of a slot behind the number of its stream."""
    return max(port.beat_bytes for port in ports.values())
