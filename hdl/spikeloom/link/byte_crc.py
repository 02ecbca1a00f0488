"""CRC-32 of bytes, a bit at a time."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib.crc import catalog
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component


class ByteCrc(Component):
    """The CRC-32 of zlib over bytes that come at least ten cycles apart, as a UART's do.

    A bit per cycle takes a third of the logic of a byte per cycle.

    Members
    -------
    clear : In(1), begin anew.
    data : In(8), valid : In(1), a byte.
    crc : Out(32), of the bytes so far, nine cycles after the last one.
    match : Out(1), the last four of them were the CRC of those before.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "clear": In(1),
                "data": In(8),
                "valid": In(1),
                "crc": Out(32),
                "match": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.bits = bits = ResetInserter(self.clear)(catalog.CRC32_ISO_HDLC(1).create())
        left = Signal(9)  # bits to come, a one on top
        m.d.comb += [
            bits.start.eq(0),
            bits.data.eq(left[0]),
            bits.valid.eq(left[1:] != 0),
            self.crc.eq(bits.crc),
            self.match.eq(bits.match_detected),
        ]
        with m.If(self.valid):
            m.d.sync += left.eq(self.data | 0x100)
        with m.Else():
            m.d.sync += left.eq(left >> 1)

        return m
