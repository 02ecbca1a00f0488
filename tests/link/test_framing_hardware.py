"""Frame receiver and sender in the simulator against the software frames."""

import random

import pytest
from amaranth.sim import Simulator

from spikeloom.link.frame_receiver import FrameReceiver
from spikeloom.link.frame_sender import FrameSender
from spikeloom.link.frames import ESCAPE, FLAG, FrameDecoder, encode_frame

BYTE_CLOCKS = 10  # as far apart as a UART's bytes are at the least

CONTENTS = [b"\1\2\3", bytes([FLAG, ESCAPE, 0, 255]), bytes(range(100, 140)), bytes(5)]


def run(dut, *benches):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for bench in benches:
        simulator.add_testbench(bench)
    simulator.run()


def receive(line, broken=()):
    """Contents (without CRC) of the frames that the receiver accepts; bytes at places `broken` are
    dropped as if they had no stop bit."""
    dut = FrameReceiver()
    contents = []

    async def bench(ctx):
        content = bytearray()
        for place, byte in enumerate(line):
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, place not in broken)
            ctx.set(dut.framing_error, place in broken)
            await ctx.tick()
            if ctx.get(dut.o.valid):
                content.append(ctx.get(dut.o.payload))
            if ctx.get(dut.ended):
                if ctx.get(dut.good):
                    contents.append(bytes(content[:-4]))
                content.clear()
            ctx.set(dut.i.valid, 0)
            ctx.set(dut.framing_error, 0)
            await ctx.tick().repeat(BYTE_CLOCKS - 1)

    run(dut, bench)
    return contents


def test_receives_what_software_sends():
    assert receive(b"".join(map(encode_frame, CONTENTS))) == CONTENTS


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_software_on_damaged_lines(seed):
    rng = random.Random(seed)
    line = bytearray(b"".join(map(encode_frame, CONTENTS * 4)))
    for _ in range(12):
        place = rng.randrange(len(line))
        kind = rng.choice(("flip", "drop", "insert"))
        if kind == "flip":
            line[place] ^= 1 << rng.randrange(8)
        elif kind == "drop":
            del line[place]
        else:
            line.insert(place, rng.choice((FLAG, ESCAPE, 0x5E)))
    assert receive(line) == FrameDecoder().feed(bytes(line))


def test_a_broken_byte_spoils_its_frame_alone():
    line = encode_frame(b"abc") + encode_frame(b"def")
    assert receive(line, broken=[3]) == [b"def"]


@pytest.mark.parametrize("stall", [0, 0.7])
def test_sends_what_software_receives(stall):
    dut = FrameSender()
    rng = random.Random(7)
    line = bytearray()
    expected = b"".join(map(encode_frame, CONTENTS))

    async def source(ctx):
        for content in CONTENTS:
            for place, byte in enumerate(content):
                ctx.set(dut.i.payload, {"data": byte, "last": place == len(content) - 1})
                ctx.set(dut.i.valid, 1)
                await ctx.tick().until(dut.i.ready)
                ctx.set(dut.i.valid, 0)

    async def sink(ctx):
        offered = None
        while len(line) < len(expected):
            ready = rng.random() >= stall
            ctx.set(dut.o.ready, ready)
            valid, byte = ctx.get(dut.o.valid), ctx.get(dut.o.payload)
            assert offered in (None, (valid, byte))  # a stalled byte stays as it is
            offered = (valid, byte) if valid and not ready else None
            await ctx.tick()
            if ready and valid:
                line.append(byte)
                ctx.set(dut.o.ready, 0)
                await ctx.tick().repeat(BYTE_CLOCKS - 1)

    run(dut, source, sink)
    assert line == expected
