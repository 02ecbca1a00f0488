"""Writes an image to the bitmap memory while no operation reads it."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.framed_input import FramedInput
from .operation import PIECE_BITS

IMAGE_BEAT = data.StructLayout({"data": PIECE_BITS, "last": 1})


class ImageWriter(Component):
    """Takes the beats of one image, and the next ones once the image was used.

    Parameters
    ----------
    base : address of the first piece.
    patches, planes : of an image; it has a row for each plane of a patch.
    pixels : bits of a row. beat_planes : rows that a beat holds, or begins, see `ImagePort`.
    row_pieces : pieces of a row, the first `sent` of which are sent.
    addr_bits : bits of an address.

    Members
    -------
    i : In(stream of {data: 16 bits, last}).
    misframed : Out(1), ``last`` is wrong, while its beat is transferred.
    full : Out(1), an image is present. used : In(1), it is no longer needed.
    w_en : Out(1), w_addr : Out(addr_bits), w_data : Out(16), a write. w_ready : In(1), it is done.
    """

    def __init__(
        self,
        *,
        base: int,
        patches: int,
        planes: int,
        pixels: int,
        beat_planes: int,
        row_pieces: int,
        sent: int,
        addr_bits: int,
    ) -> None:
        self._base = base
        self._planes = planes
        self._pixels = pixels
        self._together = beat_planes
        self._beats = patches * -(-planes // beat_planes) * sent
        self._sent = sent
        self._skip = row_pieces - sent
        super().__init__(
            {
                "i": In(stream.Signature(IMAGE_BEAT)),
                "misframed": Out(1),
                "full": Out(1),
                "used": In(1),
                "w_en": Out(1),
                "w_addr": Out(addr_bits, init=base),  # pyright: ignore[reportCallIssue]
                "w_data": Out(PIECE_BITS),
                "w_ready": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # A beat waits in a register while spikes are written.
        m.submodules.framed = framed = FramedInput(IMAGE_BEAT, image=self._beats)
        beat = framed.o.payload
        last, held = Signal(reset_less=True), Signal(PIECE_BITS, reset_less=True)
        over = self._divide(m, held)
        m.d.comb += [
            framed.i.valid.eq(self.i.valid),
            framed.i.payload.eq(self.i.payload),
            self.i.ready.eq(framed.i.ready),
            framed.o.ready.eq(~self.full & (~self.w_en | (self.w_ready & over & ~last))),
            self.misframed.eq(framed.misframed & framed.o.ready),
        ]
        with m.If(self.w_en & self.w_ready):
            m.d.sync += [self.w_en.eq(~over), self.w_addr.eq(self.w_addr + 1)]
            if self._skip:
                place = Signal(range(self._sent))
                m.d.sync += place.eq(place + 1)
                with m.If(place == self._sent - 1):
                    m.d.sync += [place.eq(0), self.w_addr.eq(self.w_addr + 1 + self._skip)]
            with m.If(last & over):
                m.d.sync += [self.full.eq(1), self.w_addr.eq(self._base)]
        with m.If(framed.o.valid & framed.o.ready):
            m.d.sync += [self.w_en.eq(1), held.eq(beat.data), last.eq(beat.last)]
        with m.If(self.used):
            m.d.sync += self.full.eq(0)

        return m

    def _divide(self, m, held):
        """Write the planes of a beat, which is `held`, one after the other. Returns whether the
        current one is the last of them."""
        if self._together == 1:
            m.d.comb += self.w_data.eq(held)
            return Const(1)
        plane, part = Signal(range(self._planes)), Signal(range(self._together))
        over = (part == self._together - 1) | (plane == self._planes - 1)
        m.d.comb += self.w_data.eq(held[: self._pixels])
        with m.If(self.w_en & self.w_ready):
            m.d.sync += [
                held.eq(held >> self._pixels),
                part.eq(Mux(over, 0, part + 1)),
                plane.eq(Mux(plane == self._planes - 1, 0, plane + 1)),
            ]
        return over
