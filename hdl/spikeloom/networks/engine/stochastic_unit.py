"""The core `ssa` beside the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Array, Const, Module

from ...blocks.component import Component
from .head_rows import READ, HeadRows, connect_operand, connect_rows, unit_members
from .operation import PIECE_BITS

if TYPE_CHECKING:
    from .stochastic_heads import StochasticHeads


class StochasticUnit(Component):
    """Computes one head of attention "ssa" by the core of engine "sampled".

    Reads and writes as `HeadRows` does. The core has the spikes of a token behind the reading of Q,
    so that they may replace it. `StochasticHeads.cycles` are exact.

    Parameters
    ----------
    heads : StochasticHeads.
    addr_bits : bits of the address of a piece.
    read_delay : of the bitmap memory.

    Members
    -------
    go : In(1), begin a head. The other inputs are constant until its last write.
    seed : In, number of its seed.
    k_base, v_base, q_base, o_base : In(addr_bits), its first piece in each bitmap.
    busy : Out(1), high from the cycle after `go` to the last write: it reads the memory.
    r_addr : Out(addr_bits), r_en : Out(1), r_data : In(16), as for `RowReader`.
    w_en : Out(1), w_addr : Out(addr_bits), w_data : Out(16), write a piece.
    final : Out(1), the last one is written.
    """

    def __init__(self, heads: StochasticHeads, *, addr_bits: int, read_delay: int) -> None:
        self._heads = heads
        self._addr_bits = addr_bits
        self._read_delay = read_delay
        members = unit_members("seed", len(heads.seeds), addr_bits=addr_bits, word_bits=PIECE_BITS)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        heads = self._heads

        core: Any = heads.core.create()
        m.submodules.core = core
        seeds = Array(Const(seed, 64) for seed in heads.seeds)
        m.d.comb += [core.start.eq(self.go), core.seed.eq(seeds[self.seed])]

        m.submodules.rows = rows = HeadRows(
            heads.shape, addr_bits=self._addr_bits, read_delay=self._read_delay
        )
        connect_rows(m, self, rows)
        for name in READ:
            connect_operand(m, getattr(rows, name), getattr(core, name))
        m.d.comb += [
            rows.o.payload.eq(core.o.payload.data),
            rows.o.valid.eq(core.o.valid),
            core.o.ready.eq(rows.o.ready),
        ]
        return m
