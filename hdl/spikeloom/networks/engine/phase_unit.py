"""The cores `spiked` beside the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream

from ...blocks.component import Component
from ...blocks.skid_buffer import SkidBuffer
from .head_rows import READ, HeadRows, connect_operand, connect_rows, unit_members

if TYPE_CHECKING:
    from .phase_heads import PhaseHeads


class PhaseUnit(Component):
    """Computes one head of attention "spiked" by a core, which starts when it has all operands.

    Reads and writes as `HeadRows` does. `PhaseHeads.cycles` are exact.

    Parameters
    ----------
    heads : PhaseHeads.
    addr_bits : bits of the address of a word.
    read_delay : of the memory of codes.

    Members
    -------
    go : In(1), begin a head. The other inputs are constant until its last write.
    core : In, number of its core.
    k_base, v_base, q_base, o_base : In(addr_bits), its first word of each.
    busy : Out(1), high from the cycle after `go` to the last write: it reads the memory.
    r_addr : Out(addr_bits), r_en : Out(1), r_data : In, a word; as for `RowReader`.
    w_en : Out(1), w_addr : Out(addr_bits), w_data : Out, write a word.
    final : Out(1), the last one is written.
    """

    def __init__(self, heads: PhaseHeads, *, addr_bits: int, read_delay: int) -> None:
        self._heads = heads
        self._addr_bits = addr_bits
        self._read_delay = read_delay
        members = unit_members(
            "core", len(heads.cores), addr_bits=addr_bits, word_bits=heads.shape.word_bits
        )
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        heads = self._heads

        m.submodules.rows = rows = HeadRows(
            heads.shape, addr_bits=self._addr_bits, read_delay=self._read_delay
        )
        connect_rows(m, self, rows)

        # Rows of all operands wait for the core side by side.
        operands = {}
        for name in READ:
            read = getattr(rows, name)
            m.submodules[f"{name}_waiting"] = waiting = SkidBuffer(len(read.payload.as_value()))
            operands[name] = stream.Signature(read.payload.shape()).create(path=(name,))
            m.d.comb += [
                waiting.i.payload.eq(read.payload),
                waiting.i.valid.eq(read.valid),
                read.ready.eq(waiting.i.ready),
                operands[name].payload.eq(waiting.o.payload),
                operands[name].valid.eq(waiting.o.valid),
                waiting.o.ready.eq(operands[name].ready),
            ]

        # Operands are loaded after `go`.
        cycles = heads.load_cycles(self._read_delay)
        left, start = Signal(range(cycles)), Signal()
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.If(self.go):
            m.d.sync += left.eq(cycles - 1)
        m.d.comb += start.eq(left == 1)

        for n, config in enumerate(heads.cores):
            core: Any = config.create()
            m.submodules[f"core_{n}"] = core
            chosen = self.core == n
            for name in READ:
                connect_operand(m, operands[name], getattr(core, name), chosen)
            m.d.comb += core.start.eq(start & chosen)
            with m.If(chosen):
                m.d.comb += [
                    rows.o.payload.eq(core.o.payload.data),
                    rows.o.valid.eq(core.o.valid),
                    core.o.ready.eq(rows.o.ready),
                ]
        return m
