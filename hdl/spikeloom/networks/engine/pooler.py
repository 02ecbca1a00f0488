"""Pools spikes on their way from one bitmap to another."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from .operation import PIECE_BITS
from .row_reader import piece_layout


class Pooler(Component):
    """Writes a piece for each row of an operation: the bits that are set in any of its pieces.

    The pieces of the output follow each other. Each one is written again with every further piece
    of its row, so that a row needs no end.

    Parameters
    ----------
    part_bits : of `piece_layout`.
    addr_bits : bits of the address of a piece.
    token_bits : bits of the number of tokens, less 1.

    Members
    -------
    go : In(1), begin an operation. base : In(addr_bits), where the output begins.
    tokens : In(token_bits), of the operation, less 1.
    i : In(stream of `piece_layout`), always ready.
    w_en : Out(1), w_addr : Out(addr_bits), w_data : Out(16), write a piece.
    final : Out(1), the last one is written.
    """

    def __init__(self, *, part_bits: int, addr_bits: int, token_bits: int) -> None:
        super().__init__(
            {
                "go": In(1),
                "base": In(addr_bits),
                "tokens": In(token_bits),
                "i": In(stream.Signature(piece_layout(part_bits))),
                "w_en": Out(1),
                "w_addr": Out(addr_bits),
                "w_data": Out(PIECE_BITS),
                "final": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        piece = self.i.payload

        started = Signal()
        left = Signal.like(self.tokens, reset_less=True)
        m.d.comb += self.i.ready.eq(1)
        m.d.sync += [self.w_en.eq(self.i.valid), self.final.eq(0)]
        with m.If(self.i.valid):
            m.d.sync += [
                self.w_data.eq(Mux(piece.begins, 0, self.w_data) | piece.bits),
                self.w_addr.eq(self.w_addr + (piece.begins & started)),
                started.eq(1),
            ]
            with m.If(piece.last):
                m.d.sync += [left.eq(left - 1), self.final.eq(left == 0)]
        with m.If(self.go):
            m.d.sync += [started.eq(0), self.w_addr.eq(self.base), left.eq(self.tokens)]

        return m
