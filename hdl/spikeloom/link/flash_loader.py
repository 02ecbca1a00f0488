"""Loads a stream of a core from an SPI flash memory after power-up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component

if TYPE_CHECKING:
    from ..contract import Core

WAKE, READ = 0xAB, 0x03  # commands: leave the state of low power, and read from an address
WAKE_SECONDS = 50e-6  # until a memory takes commands again
HASH_BYTES = 8


@dataclass(frozen=True)
class FlashContents:
    """What a flash memory holds for a core: a hash of the beats, then the beats.

    Parameters
    ----------
    name : of the core's stream. data : its beats, as they are sent over the link.
    beat_bytes : bytes of a beat, the lowest first.
    frames : equal parts of the data, each of which ``last`` closes.
    """

    name: str
    data: bytes
    beat_bytes: int
    frames: int = 1

    @classmethod
    def of(cls, core: Core) -> FlashContents | None:
        """The contents for a core that loads a single stream; None for others."""
        if len(core.loads) != 1:
            return None
        ((name, (port, tensor)),) = core.loads.items()
        return cls(name, port.to_bytes(tensor), port.beat_bytes)

    @property
    def hash(self) -> bytes:
        """The first bytes of SHA-256 of the data."""
        return hashlib.sha256(self.data).digest()[:HASH_BYTES]

    def to_bytes(self) -> bytes:
        """The bytes to write to the flash memory."""
        return self.hash + self.data


class FlashLoader(Component):
    """Reads the beats of a `FlashContents` once and sends them, if the hash in front of them is the
    right one.

    SPI mode 0, with a quarter of the clock's frequency. The clock of the memory stops while a beat
    waits, so that `o` may stall.

    An endless loader begins again at the end.

    Parameters
    ----------
    contents : `FlashContents`.
    address : of their first byte in the flash memory.
    hz : the clock frequency.
    endless : whether the beats are sent again and again.

    Members
    -------
    cs : Out(1), chip select, active high. sck, copi : Out(1). cipo : In(1).
    busy : Out(1), high from reset on until all beats are sent, or the hash is wrong.
    loaded : Out(1), all beats are sent, once at least.
    o : Out(stream of {data: bits of a beat, last}).
    """

    def __init__(
        self, contents: FlashContents, address: int, hz: int, *, endless: bool = False
    ) -> None:
        self._endless = endless
        bits = 8 * contents.beat_bytes
        beat = data.StructLayout({"data": bits, "last": 1})
        self._word_bits = bits
        self._hash = [
            int.from_bytes(contents.hash[n : n + contents.beat_bytes], "little")
            for n in range(0, HASH_BYTES, contents.beat_bytes)
        ]
        self._frames = contents.frames
        self._beats = len(contents.data) // contents.beat_bytes // contents.frames
        self._address = address
        self._pause = round(WAKE_SECONDS * hz)
        super().__init__(
            {
                "cs": Out(1),
                "sck": Out(1),
                "copi": Out(1),
                "cipo": In(1),
                "busy": Out(1, init=1),  # pyright: ignore[reportCallIssue]
                "loaded": Out(1),
                "o": Out(stream.Signature(beat)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # A bit takes four cycles: `copi` changes when `sck` falls, after the first of them.
        sent, received = Signal(32, init=WAKE << 24), Signal(self._word_bits, reset_less=True)
        left, phase = Signal(range(33), init=8), Signal(2)
        select, shift, over = Signal(), Signal(), Signal()
        m.d.comb += [self.copi.eq(sent[-1]), over.eq(shift & (phase == 3) & (left == 1))]
        m.d.sync += [self.cs.eq(select), self.sck.eq(shift & (phase[0] ^ phase[1]))]
        with m.If(shift):
            m.d.sync += phase.eq(phase + 1)
            with m.If(phase == 3):
                m.d.sync += [
                    sent.eq(sent << 1),
                    received.eq(Cat(self.cipo, received)),
                    left.eq(left - 1),
                ]

        # Beats of a frame, words of the hash, or cycles of a pause.
        count, frame = Signal(range(max(self._pause, self._beats) + 1)), Signal(range(self._frames))
        swapped = Cat(received[n : n + 8] for n in reversed(range(0, self._word_bits, 8)))
        # Registers between the comparisons and the states, to shorten these paths; the count is
        # settled when they are used.
        last, paused, wrong = Signal(), Signal(), Signal()
        expected = Array([Const(word, self._word_bits) for word in self._hash])
        m.d.sync += [
            last.eq(count == self._beats - 1),
            wrong.eq(swapped != expected[count[: (len(self._hash) - 1).bit_length()]]),
        ]
        m.d.comb += [self.o.payload.data.eq(swapped), self.o.payload.last.eq(last)]
        with m.FSM():
            with m.State("wake"):
                m.d.comb += [select.eq(1), shift.eq(1)]
                with m.If(over):
                    m.next = "pause"
            with m.State("pause"):
                m.d.sync += [count.eq(count + 1), paused.eq(count == self._pause)]
                with m.If(paused):
                    m.d.sync += [
                        paused.eq(0),
                        count.eq(0),
                        left.eq(32),
                        sent.eq(READ << 24 | self._address),
                    ]
                    m.next = "address"
            with m.State("address"):
                m.d.comb += [select.eq(1), shift.eq(1)]
                with m.If(over):
                    m.d.sync += left.eq(self._word_bits)
                    m.next = "hash"
            with m.State("hash"):
                m.d.comb += [select.eq(1), shift.eq(1)]
                with m.If(over):
                    m.next = "compare"
            with m.State("compare"):
                m.d.comb += select.eq(1)
                m.next = "compared"
            with m.State("compared"):
                m.d.comb += select.eq(1)
                m.d.sync += [left.eq(self._word_bits), count.eq(count + 1)]
                m.next = "hash"
                with m.If(count == len(self._hash) - 1):
                    m.d.sync += count.eq(0)
                    m.next = "beat"
                with m.If(wrong):
                    m.next = "end"
            with m.State("beat"):
                m.d.comb += [select.eq(1), shift.eq(1)]
                with m.If(over):
                    m.next = "send"
            with m.State("send"):
                m.d.comb += [select.eq(1), self.o.valid.eq(1)]
                m.d.sync += left.eq(self._word_bits)
                with m.If(self.o.ready):
                    m.d.sync += count.eq(count + 1)
                    m.next = "beat"
                    with m.If(last):
                        m.d.sync += [count.eq(0), frame.eq(frame + 1)]
                        with m.If(frame == self._frames - 1):
                            m.d.sync += [self.loaded.eq(1), frame.eq(0)]
                            m.next = "pause" if self._endless else "end"
            with m.State("end"):
                m.d.sync += self.busy.eq(0)

        return m
