"""Frames in software: known bytes, errors that the CRC must detect, resynchronisation."""

import binascii
import itertools
import random

import pytest

from spikeloom.link.frames import ESCAPE, FLAG, FrameDecoder, encode_frame
from spikeloom.link.protocol import CRC_BYTES, HEADER, MAX_PAYLOAD

LONGEST = HEADER + MAX_PAYLOAD
CRC_BITS = 8 * 1024  # of the longest answer to IDENTIFY, and some


def test_known_frame():
    """STATUS with sequence number 5, with the CRC by its definition, without zlib."""
    content = bytes([5, 5, 0])
    crc = 0xFFFFFFFF
    for bit in itertools.chain.from_iterable((byte >> n & 1 for n in range(8)) for byte in content):
        crc = (crc >> 1) ^ (0xEDB88320 if (crc ^ bit) & 1 else 0)
    crc ^= 0xFFFFFFFF
    assert encode_frame(content) == b"\x7e" + content + crc.to_bytes(4, "little") + b"\x7e"


def test_escapes():
    assert encode_frame(b"\x7d\x7e\x00")[1:6] == b"\x7d\x5d\x7d\x5e\x00"


@pytest.mark.parametrize("content", [bytes(3), b"\x7e\x7d\x5e\x5d", bytes(range(256)), b"}" * 259])
def test_round_trip_in_pieces(content):
    line = encode_frame(content)
    assert line.count(FLAG) == 2
    for size in (1, 2, 7, len(line)):
        decoder = FrameDecoder()
        pieces = [line[n : n + size] for n in range(0, len(line), size)]
        assert [whole for piece in pieces for whole in decoder.feed(piece)] == [content]


def test_all_errors_of_one_and_two_bits_change_the_crc():
    """At the largest frame length, by the syndrome of each bit: the CRC is linear, so an error of
    two bits goes unseen only where two syndromes are equal, one of one bit where it is zero."""
    whole = bytearray(CRC_BITS // 8)
    clean = binascii.crc32(whole[:-CRC_BYTES])
    syndromes = set()
    for bit in range(CRC_BITS):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        received = int.from_bytes(damaged[-CRC_BYTES:], "little")
        syndromes.add(binascii.crc32(damaged[:-CRC_BYTES]) ^ clean ^ received)
    assert len(syndromes) == CRC_BITS
    assert 0 not in syndromes


def survives(line):
    """Whether a damaged frame is still decoded as a frame."""
    return bool(FrameDecoder().feed(bytes(line)))


def test_every_flipped_bit_on_the_line_is_caught():
    """Including flips that create or remove a flag or an escape."""
    content = bytes(random.Random(1).choices([FLAG, ESCAPE, 0, 0x5D, 0x5E, 255], k=LONGEST))
    line = bytearray(encode_frame(content))
    for place in range(8, 8 * (len(line) - 1)):  # all but the flags around it
        line[place // 8] ^= 1 << place % 8
        assert not survives(line), place
        line[place // 8] ^= 1 << place % 8
    assert survives(line)


@pytest.mark.slow
def test_every_two_flipped_bits_on_the_line_are_caught():
    """For the longest frame without escapes, so that the bytes on the line are the codeword."""
    content = bytes(range(0x80, 0x80 + 125)) * 2 + bytes(LONGEST - 250)
    line = bytearray(encode_frame(content))
    assert len(line) == LONGEST + CRC_BYTES + 2
    for one, two in itertools.combinations(range(8, 8 * (len(line) - 1)), 2):
        line[one // 8] ^= 1 << one % 8
        line[two // 8] ^= 1 << two % 8
        assert not survives(line), (one, two)
        line[one // 8] ^= 1 << one % 8
        line[two // 8] ^= 1 << two % 8


def test_in_step_again_after_the_next_flag():
    first, second, third = (encode_frame(bytes([n, n, n])) for n in (1, 2, 3))
    decoder = FrameDecoder()
    assert decoder.feed(b"rubbish" + first) == [b"\1\1\1"]
    assert decoder.feed(first[:4] + second) == [b"\2\2\2"]
    assert decoder.feed(first[:-1] + second[1:]) == []  # both flags between two frames lost
    assert decoder.feed(second) == [b"\2\2\2"]
    assert decoder.feed(first[:3] + bytes([ESCAPE]) + second + third) == [b"\2\2\2", b"\3\3\3"]
