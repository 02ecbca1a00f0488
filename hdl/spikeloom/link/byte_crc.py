"""CRC-32 of bytes, a bit at a time."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib.crc import catalog
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component


class ByteCrc(Component):
    """The CRC-32 of zlib over bytes that arrive at least ten cycles apart, as from a UART.

    Processing one bit per cycle takes a third of the logic of one byte per cycle.

    Members
    -------
    clear : In(1), restart.
    data : In(8), the next byte. valid : In(1), `data` is valid.
    crc : Out(32), CRC of the bytes so far, valid nine cycles after the last one.
    match : Out(1), the last four bytes are the CRC of the bytes before them.
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
        left = Signal(9)  # remaining bits, with a one above them
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
