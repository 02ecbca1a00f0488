"""Framing in software: encoder and decoder of the frames on the line, after RFC 1662.

A frame consists of its content and the CRC-32 of the content, lowest byte first, between two flags.
A flag or an escape within content or CRC is replaced by an escape and the byte with bit 5 flipped.
A flag on the line is therefore always the end of a frame, whatever was lost before.
"""

from __future__ import annotations

import binascii

from .protocol import CRC_BYTES, HEADER

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
MOST_KEPT = 1 << 17  # bytes of a frame in progress; more without a flag are noise


def encode_frame(content: bytes) -> bytes:
    """Bytes on the line for `content`."""
    whole = content + binascii.crc32(content).to_bytes(CRC_BYTES, "little")
    # Replace escapes first, so that the escapes inserted for flags remain.
    for byte in (ESCAPE, FLAG):
        whole = whole.replace(bytes([byte]), bytes([ESCAPE, byte ^ FLIP]))
    return bytes([FLAG]) + whole + bytes([FLAG])


class FrameDecoder:
    """Decodes bytes from the line in pieces of any size into the contents of valid frames."""

    def __init__(self) -> None:
        self._line: bytearray | None = None  # bytes since the last flag; None before the first one

    def feed(self, data: bytes) -> list[bytes]:
        """The contents that `data` completes; `data` may begin and end anywhere in a frame."""
        *ended, rest = data.split(bytes([FLAG]))
        contents = []
        for piece in ended:
            if self._line is not None:
                contents.append(_decode(bytes(self._line + piece)))
            self._line = bytearray()
        if self._line is not None:
            self._line += rest
            if len(self._line) > MOST_KEPT:
                self._line = None
        return [content for content in contents if content is not None]


def _decode(line):
    """The content of the bytes between two flags, or None if they are damaged or empty."""
    first, *escaped = line.split(bytes([ESCAPE]))
    if b"" in escaped:
        return None
    whole = first + b"".join(bytes([piece[0] ^ FLIP]) + piece[1:] for piece in escaped)
    content, crc = whole[:-CRC_BYTES], whole[-CRC_BYTES:]
    if len(content) < HEADER or binascii.crc32(content).to_bytes(CRC_BYTES, "little") != crc:
        return None
    return content
