"""Operand memory: the spikes of one step are read while those of the next are written."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, ResetInserter
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In

from ...blocks.bank_memory import BankMemory
from ...blocks.banks import BankReader
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest


def word_address(groups: int, columns: int) -> data.StructLayout:
    """Address of a word: group of tokens and column of spikes."""
    return data.StructLayout({"column": range(columns), "group": range(groups)})


class SpikeOperand(Component):
    """Double-buffered spikes of `tokens` x `width`, stored in words as the cells read them.

    A word holds `bits` spikes of each of `lanes` neighbouring tokens, token by token. Spikes arrive
    in blocks of `block_rows` tokens times `block_bits` spikes, first along a token (or block of
    tokens). One block per cycle.

    Parameters
    ----------
    tokens, width : shape of the tensor.
    lanes, bits : shape of a word; `bits` divides `width`. If `lanes` does not divide `tokens`, the
        excess spikes of the last words are undefined (``block_rows == 1`` only).
    block_rows, block_bits : shape of an arriving block; they divide `lanes` and `bits`, and
        ``block_rows > 1`` needs ``block_bits == bits``.

    Members
    -------
    i : In(stream of ``block_rows * block_bits`` bits).
    o : In(BankReader(word_address(tokens / lanes, width / bits), lanes * bits)).
    """

    def __init__(
        self, tokens: int, width: int, *, lanes: int, bits: int, block_rows: int, block_bits: int
    ) -> None:
        self._groups = -(-tokens // lanes)
        self._partial = tokens % lanes  # tokens of a partial last group, or 0
        self._columns = width // bits
        self._blocks = (lanes // block_rows, bits // block_bits)
        super().__init__(
            {
                "i": In(stream.Signature(block_rows * block_bits)),
                "o": In(BankReader(word_address(self._groups, self._columns), lanes * bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        rows, parts = self._blocks
        column_bits = (self._columns - 1).bit_length()
        m.submodules.memory = memory = BankMemory(
            banks=2,
            depth=self._groups << column_bits,
            granules=rows * parts,
            granule_bits=len(self.i.payload),
        )

        fill = LoopNest(group=self._groups, row=rows, column=self._columns, part=parts)
        written = self.i.valid & self.i.ready
        close = written & fill.group_last
        if self._partial:
            last_token = (fill.group == self._groups - 1) & (fill.row == self._partial - 1)
            close = written & last_token & fill.column_last
            m.submodules.fill = ResetInserter(close)(fill)
        else:
            m.submodules.fill = fill
        m.d.comb += [
            self.i.ready.eq(~fill.group_first | memory.w.free),
            fill.step.eq(written),
            memory.w.reserve.eq(written & fill.group_first),
            memory.w.addr.eq(Cat(fill.column, fill.group)),
            memory.w.data.eq(self.i.payload.replicate(rows * parts)),
            memory.w.close.eq(close),
        ]
        for row in range(rows):
            for part in range(parts):
                here = (fill.row == row) & (fill.part == part)
                m.d.comb += memory.w.en[row * parts + part].eq(written & here)
        wiring.connect(m, wiring.flipped(self.o), memory.r)

        return m
