"""Memory of an operand: beats are stored as they arrive, one a word."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..port import Port
from .bank_memory import BankMemory
from .banks import BankReader
from .component import Component
from .framed_input import FramedInput
from .loop_nest import LoopNest

READ = 2  # cycles from an address to its word in a register behind the memory


def word_address(port: Port, rows: int) -> data.StructLayout:
    """Address of a word: the beat within the row, and the row."""
    return data.StructLayout({"part": range(prod(port.grid[1:])), "row": range(rows)})


class Operand(Component):
    """Stores `rows` rows of a tensor in each bank of a memory, a beat of the stream in each word.

    Values beyond the width of the tensor, in the last beat of a row, are stored as zeros.

    Parameters
    ----------
    port : `Port` of the operand, with two axes and several values of a row in a beat, or with one
        axis and a value in a beat.
    rows : rows in a bank, a divisor of all.
    banks : 1, or 2 to fill a bank while the other is read.
    attrs : attributes of the memory for synthesis.

    Members
    -------
    i : In(the stream of `port`).
    r : In(BankReader(word_address, bits of a beat)).
    misframed : Out(1), the current beat has a wrong ``last``, as for `FramedInput`.
    """

    def __init__(self, port: Port, *, rows: int, banks: int, attrs: dict[str, Any]) -> None:
        self._port = port
        self._rows = rows
        self._banks = banks
        self._attrs = attrs
        super().__init__(
            {
                "i": In(port.signature()),
                "r": In(BankReader(word_address(port, rows), port.bits)),
                "misframed": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        rows, width = (*self._port.shape, 1)[:2]
        lanes = self._port.beat[-1]
        parts = prod(self._port.grid[1:])

        m.submodules.framed = framed = FramedInput(self.i.payload.shape(), row=rows, part=parts)
        wiring.connect(m, wiring.flipped(self.i), framed.i)
        m.d.comb += self.misframed.eq(framed.misframed)

        m.submodules.memory = memory = BankMemory(
            banks=self._banks,
            depth=1 << len(self.r.addr.as_value()),
            granule_bits=self._port.bits,
            attrs=self._attrs,
        )
        wiring.connect(m, wiring.flipped(self.r), memory.r)

        m.submodules.fill = fill = LoopNest(row=self._rows, part=parts)
        written = framed.o.valid & framed.o.ready
        values = framed.o.payload.data
        used = (width - (parts - 1) * lanes) * self._port.item.bits
        if used < len(values):
            mask = Mux(fill.part_last, 2**used - 1, 2 ** len(values) - 1)
            values = values & mask
        m.d.comb += [
            framed.o.ready.eq(~fill.row_first | memory.w.free),
            fill.step.eq(written),
            memory.w.reserve.eq(written & fill.row_first),
            memory.w.addr.eq(Cat(fill.part, fill.row)),
            memory.w.data.eq(values),
            memory.w.en.eq(written),
            memory.w.close.eq(written & fill.row_last),
        ]

        return m


def add_operands(
    m: Module, component: Any, held: Mapping[str, tuple[int, int, dict[str, Any]]]
) -> dict[str, Operand]:
    """An `Operand` for each input stream of a core's `component`, by name.

    `held` has the rows, banks and attributes of each one's memory. A ``last`` in the wrong place
    sets `misframed` of the component, until reset.
    """
    operands, misframed = {}, []
    for name, port in component.config.inputs.items():
        rows, banks, attrs = held[name]
        operand = Operand(port, rows=rows, banks=banks, attrs=attrs)
        m.submodules[f"{name}_memory"] = operands[name] = operand
        wiring.connect(m, wiring.flipped(getattr(component, name)), operand.i)
        misframed.append(operand.misframed)
    with m.If(Cat(misframed).any()):
        m.d.sync += component.misframed.eq(1)
    return operands
