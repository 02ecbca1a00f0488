"""Steps through the table of operations."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import BLOCK_RAM, small_memory
from .table import Table

LUT_WORDS = 1024  # of a table that may be in LUTs, two for a word of 16 bits


class Sequencer(Component):
    """Reads one operation after the other and starts it.

    For each operation: `operation_words` + `fetch_overhead` cycles to read it, the clearing of the
    attention state where it learns, its run, and the sending of its logits.

    Parameters
    ----------
    table : Table.

    Members
    -------
    begin : In(1), start with the first operation.
    image_full : In(1), an image is present, and the first operation may begin.
    image_used : Out(1), no further operation reads it.
    FIELD : Out, each field of `Table.fields` of the current operation.
    head, following, after : Out, addresses of its sequences of fixed entries.
    table_addr : In, table_en : In(1), table_data : Out, read port of the table for fixed entries.
    clear : Out(1), clear the state. clearing : In(1), it is being cleared.
    go : Out(1), run the operation. done : In(1), it ended.
    send : Out(1), send logits. sending : In(1), they are being sent.
    finish : Out(1), the last operation is done.
    """

    fetch_overhead = 4

    def __init__(self, table: Table) -> None:
        self._table = table
        self._words = table.words()
        self._addr_bits = (len(self._words) - 1).bit_length()
        addresses = ("head", "following", "after")
        super().__init__(
            {
                "begin": In(1),
                "image_full": In(1),
                "image_used": Out(1),
                **{name: Out(bits) for name, bits in table.shapes.items()},
                **{name: Out(self._addr_bits) for name in addresses},
                "table_addr": In(self._addr_bits),
                "table_en": In(1),
                "table_data": Out(table.entry_bits + 1),
                "clear": Out(1),
                "clearing": In(1),
                "go": Out(1),
                "done": In(1),
                "send": Out(1),
                "sending": In(1),
                "finish": Out(1),
            }
        )

    def _attributes(self, platform):
        """A short table is logic, whose outputs are earlier than those of block RAM."""
        short = len(self._words) <= LUT_WORDS
        return small_memory(platform, constant=True) if short else BLOCK_RAM

    def elaborate(self, platform):
        m = Module()
        table = self._table

        m.submodules.memory = memory = Memory(
            shape=table.word_bits,
            depth=len(self._words),
            init=self._words,
            attrs=self._attributes(platform),
        )
        read = memory.read_port()
        code = Signal(table.operation_words * table.word_bits, reset_less=True)
        for name, value in table.fields(code).items():
            m.d.comb += getattr(self, name).eq(value)

        place = Signal(self._addr_bits)
        left = Signal(range(table.operation_words + 2))
        fetching = Signal()
        m.d.comb += [
            read.addr.eq(Mux(fetching, place, self.table_addr)),
            read.en.eq(fetching | self.table_en),
            self.table_data.eq(read.data),
            self.head.eq(place),
        ]
        m.d.sync += [
            self.following.eq(place + self.following_offset),
            self.after.eq(place + self.after_offset),
        ]

        m.d.sync += self.go.eq(0)
        with m.FSM():
            with m.State("idle"):
                m.d.sync += [place.eq(0), left.eq(table.operation_words)]
                with m.If(self.begin):
                    m.next = "image"
            with m.State("image"), m.If(self.image_full):
                m.next = "fetch"
            with m.State("fetch"):
                # The word read in a cycle arrives in the next.
                m.d.comb += fetching.eq(1)
                m.d.sync += [code.eq(Cat(code, read.data)[table.word_bits :]), left.eq(left - 1)]
                with m.If(left == 0):
                    m.next = "decide"
                with m.Else():
                    m.d.sync += place.eq(place + 1)
            with m.State("decide"):
                m.d.comb += self.clear.eq(self.learn & ~self.state)
                m.next = "clear"
            with m.State("clear"), m.If(~self.clearing):
                m.d.sync += self.go.eq(1)
                m.next = "run"
            with m.State("run"), m.If(self.done):
                m.d.comb += [self.image_used.eq(self.image), self.send.eq(self.logits != 0)]
                m.next = "send"
            with m.State("send"):
                m.d.sync += left.eq(table.operation_words)
                with m.If(~self.sending):
                    m.d.sync += place.eq(place + self.literal_count)
                    m.next = "fetch"
                    with m.If(self.final):
                        m.d.comb += self.finish.eq(1)
                        m.next = "idle"

        return m
