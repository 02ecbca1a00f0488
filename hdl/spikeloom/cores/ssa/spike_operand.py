"""Operand memory: spikes of one step are read while those of the next arrive."""

from amaranth.hdl import Cat, Module, ResetInserter
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...blocks.bank_memory import BankMemory
from ...blocks.loop_nest import LoopNest


class SpikeOperand(wiring.Component):
    """Double-buffered spikes of `tokens` x `width`, stored in the words the cells consume.

    A word holds `bits` spikes of each of `lanes` neighbouring tokens, token after token. Spikes
    arrive in blocks of `block_rows` tokens times `block_bits` spikes, along a token (or a block of
    tokens) first. One block per clock.

    Parameters
    ----------
    tokens, width : shape of the tensor.
    lanes, bits : shape of a word; `bits` divides `width`. Where `lanes` does not divide `tokens`,
        the last word's tokens beyond them hold anything (``block_rows == 1`` only).
    block_rows, block_bits : shape of an arriving block; they divide `lanes` and `bits`, and
        ``block_rows > 1`` needs ``block_bits == bits``.

    Members
    -------
    i : In(stream of ``block_rows * block_bits`` bits).
    full, release : as for `BankMemory`.
    group : In(range(ceil(tokens / lanes))), column : In(range(width / bits)): the word to read.
    o : Out(lanes * bits), that word a clock later.
    """

    def __init__(self, tokens, width, *, lanes, bits, block_rows, block_bits):
        self._groups = -(-tokens // lanes)
        self._partial = tokens % lanes  # tokens of the last group, 0: as many as in the others
        self._columns = width // bits
        self._blocks = (lanes // block_rows, bits // block_bits)
        super().__init__(
            {
                "i": In(stream.Signature(block_rows * block_bits)),
                "full": Out(1),
                "release": In(1),
                "group": In(range(self._groups)),
                "column": In(range(self._columns)),
                "o": Out(lanes * bits),
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
            self.i.ready.eq(~fill.group_first | memory.free),
            fill.step.eq(written),
            memory.reserve.eq(written & fill.group_first),
            memory.w_addr.eq(Cat(fill.column, fill.group)),
            memory.w_data.eq(self.i.payload.replicate(rows * parts)),
            memory.w_close.eq(close),
        ]
        for row in range(rows):
            for part in range(parts):
                here = (fill.row == row) & (fill.part == part)
                m.d.comb += memory.w_en[row * parts + part].eq(written & here)

        m.d.comb += [
            self.full.eq(memory.full),
            memory.release.eq(self.release),
            memory.r_addr.eq(Cat(self.column, self.group)),
            self.o.eq(memory.r_data),
        ]

        return m
