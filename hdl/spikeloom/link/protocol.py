"""Constants and formats of the link protocol, shared by host and device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass

# 2 had one output stream, and no stream that is loaded once; 1 had two flags in the state byte and
# none in the answer to STATUS.
PROTOCOL = 3
MAX_PAYLOAD = 256  # bytes of a tensor in one frame, either way
HEADER = 3  # bytes before the payload: sequence, command, argument, or sequence, code, state
CRC_BYTES = 4
CYCLE_BYTES = 5
SEED_BYTES = 8
MAX_STREAMS = 4
LAST = 0x80  # in the argument of WRITE: the chunk ends a tensor
DEFAULT_BAUD = 1_000_000
MAX_BAUD = 12_000_000  # the fastest USB serial ports


class Command(IntEnum):
    """Command of a request."""

    IDENTIFY = 1
    RESET = 2
    WRITE = 3
    START = 4
    STATUS = 5
    READ = 6


class Code(IntEnum):
    """Status code of an answer. Only a request answered with OK has been executed."""

    OK = 0
    BUSY = 1
    SEQUENCE = 2
    UNKNOWN = 3
    LENGTH = 4


class State(IntFlag):
    """State of the device during the answer; bit n is set if input stream n has room."""

    ROOM = 0x0F
    RUNNING = 0x10
    LOADED = 0x20  # of a core with streams that are loaded once: all are complete

    def has_room(self, stream: Any) -> bool:
        """Whether the buffer of input stream number `stream` can accept a chunk."""
        return bool(self >> stream & 1)


def chunks_of(beats: Iterable[tuple[int, int]], bits: int) -> Iterator[tuple[bytes, bool]]:
    """Beats (data, last) of `bits` bits as chunks: pairs of at most `MAX_PAYLOAD` bytes, and
    whether they end a tensor."""
    tensor = bytearray()
    for data, last in beats:
        tensor += data.to_bytes(bytes_of(bits), "little")
        if last:
            for at in range(0, len(tensor), MAX_PAYLOAD):
                piece = bytes(tensor[at : at + MAX_PAYLOAD])
                yield piece, at + len(piece) == len(tensor)
            tensor.clear()


def bytes_of(bits: int) -> int:
    """Bytes of a beat or flag of `bits` bits, rounded up."""
    return -(-bits // 8)


def slot_bytes(outputs: Iterable[int]) -> int:
    """Bytes of an output beat in the answers to READ, from the bits of a beat of each output. With
    several outputs, the number of the stream is in front, and all beats are as long as the
    widest."""
    sizes = [bytes_of(bits) for bits in outputs]
    return sizes[0] if len(sizes) == 1 else 1 + max(sizes)


def status_bytes(flags: Mapping[str, int]) -> int:
    """Payload bytes of the answer to STATUS: cycles, then each of `flags` (name to bits)."""
    return CYCLE_BYTES + sum(bytes_of(bits) for bits in flags.values())


def read_status(data: bytes, flags: Mapping[str, int]) -> tuple[int, dict[str, int]]:
    """The cycle count and the value of each flag by name, from the payload of STATUS."""
    cycles, values, place = int.from_bytes(data[:CYCLE_BYTES], "little"), {}, CYCLE_BYTES
    for name, bits in flags.items():
        end = place + bytes_of(bits)
        values[name] = int.from_bytes(data[place:end], "little")
        place = end
    return cycles, values


def line_bytes(writes: int, operands: int, output: int, flags: Mapping[str, int]) -> int:
    """Bytes on the line in both directions for one run, without escapes and repetitions.

    Requests do not overlap, so that the minimum time is ``10 * line_bytes / baud``. Escapes,
    answers BUSY and delays of a USB adapter add to it.

    Parameters
    ----------
    writes : number of WRITEs. operands, output : bytes of either. flags : the core's, name to bits.
    """
    empty = HEADER + CRC_BYTES + 2  # a frame without payload, its two flags included
    reads = -(-output // MAX_PAYLOAD)
    requests = writes + reads + 3  # STATUS before and after the run, and START
    payload = operands + output + SEED_BYTES + 2 * status_bytes(flags)
    return 2 * empty * requests + payload
