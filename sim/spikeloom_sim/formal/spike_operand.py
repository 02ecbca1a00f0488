"""`SpikeOperand`: exactly one bank for every tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Signal

from spikeloom.cores.ssa.spike_operand import SpikeOperand

from .harness import Harness, moved
from .properties import assume, cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module


class SpikeOperandContract(Harness):
    """One bank is closed after every ``tokens * width / block`` beats, and at no other time.

    Beats are accepted unless both banks are in use and a new tensor would begin. The reader
    releases only while `full`. Use mode "prove" (unbounded).

    Parameters
    ----------
    tokens, width, shape : of the `SpikeOperand`; `shape` are its other keyword arguments.
    """

    def __init__(self, tokens: int, width: int, **shape: int) -> None:
        self._beats = tokens * width // (shape["block_rows"] * shape["block_bits"])
        self._rows = shape["lanes"] // shape["block_rows"]
        self._parts = shape["bits"] // shape["block_bits"]
        self._columns = width // shape["bits"]
        super().__init__(SpikeOperand(tokens, width, **shape))

    def check(self, m: Module) -> None:
        dut = self.dut
        beat = Signal(range(self._beats))
        tensors = Signal(range(-1, 4))  # complete and not yet released
        begun = beat != 0
        complete = moved(dut.i) & (beat == self._beats - 1)
        with m.If(moved(dut.i)):
            m.d.sync += beat.eq(beat + 1)
        with m.If(complete):
            m.d.sync += beat.eq(0)
        m.d.sync += tensors.eq(tensors + complete - dut.o.release)

        m.d.comb += [
            assume(~dut.o.release | dut.o.full),
            prove((tensors >= 0) & (tensors + begun <= 2)),
            prove(dut.o.full == (tensors > 0)),
            cover((tensors == 2) & dut.o.release),
            prove(self.inside("memory.w").close == complete),
            prove(dut.i.ready == (begun | (tensors + begun < 2))),
        ]

        # Invariants: the writer's loops are at this beat, and the ring counts these tensors.
        fill = {name: self.inside(f"fill.{name}") for name in ("group", "row", "column", "part")}
        place = (fill["group"] * self._rows + fill["row"]) * self._columns + fill["column"]
        m.d.comb += [
            prove(place * self._parts + fill["part"] == beat),
            prove(fill["row"] < self._rows),
            prove(fill["column"] < self._columns),
            prove(fill["part"] < self._parts),
            prove(beat < self._beats),
            prove(self.inside("memory.ring.closed") == tensors),
            prove(self.inside("memory.ring.reserved") == tensors + begun),
            prove(self.inside("memory.ring.free") == (tensors + begun < 2)),
        ]
