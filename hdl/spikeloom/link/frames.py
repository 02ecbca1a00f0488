"""Frames in software: what goes over the line, RFC 1662 in short.

A frame is its content and the CRC-32 of that, lowest byte first, between two flags. Where content
or CRC hold a flag or an escape, an escape and the byte with bit 5 flipped stand for it, so that a
flag on the line is always the end of a frame, whatever was lost before.
"""

from __future__ import annotations

import binascii

from .protocol import CRC_BYTES, HEADER

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20


def encode_frame(content: bytes) -> bytes:
    """Bytes on the line for `content`."""
    whole = content + binascii.crc32(content).to_bytes(CRC_BYTES, "little")
    # Escapes first: those put in for flags must stay.
    for byte in (ESCAPE, FLAG):
        whole = whole.replace(bytes([byte]), bytes([ESCAPE, byte ^ FLIP]))
    return bytes([FLAG]) + whole + bytes([FLAG])


class FrameDecoder:
    """Takes bytes from the line as they come; gives the contents of the frames that are whole."""

    def __init__(self) -> None:
        self._line: bytes | None = None  # since the last flag; None before the first one

    def feed(self, data: bytes) -> list[bytes]:
        """Contents completed by `data`, which may begin and end anywhere: a list of bytes."""
        *ended, rest = data.split(bytes([FLAG]))
        contents = []
        for piece in ended:
            if self._line is not None:
                contents.append(_decode(self._line + piece))
            self._line = b""
        if self._line is not None:
            self._line += rest
        return [content for content in contents if content is not None]


def _decode(line):
    """Content of what stood between two flags, or None where it is damaged or empty."""
    first, *escaped = line.split(bytes([ESCAPE]))
    if b"" in escaped:
        return None
    whole = first + b"".join(bytes([piece[0] ^ FLIP]) + piece[1:] for piece in escaped)
    content, crc = whole[:-CRC_BYTES], whole[-CRC_BYTES:]
    if len(content) < HEADER or binascii.crc32(content).to_bytes(CRC_BYTES, "little") != crc:
        return None
    return content
