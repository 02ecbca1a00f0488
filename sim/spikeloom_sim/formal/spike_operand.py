"""`SpikeOperand`: a bank for every tensor, no more and no fewer."""

from amaranth.hdl import Assert, Assume, Cover, Signal

from spikeloom.cores.ssa.spike_operand import SpikeOperand

from .harness import Harness, moved


class SpikeOperandContract(Harness):
    """One bank is closed by every ``tokens * width / block`` beats, and none otherwise.

    Beats are taken unless both banks are in use and a tensor would begin. The reader releases only
    while `full`. For "prove", any number of clocks.

    Parameters
    ----------
    tokens, width, shape : of the `SpikeOperand`; `shape` are its further keywords.
    """

    def __init__(self, tokens, width, **shape):
        self._beats = tokens * width // (shape["block_rows"] * shape["block_bits"])
        self._rows = shape["lanes"] // shape["block_rows"]
        self._parts = shape["bits"] // shape["block_bits"]
        self._columns = width // shape["bits"]
        super().__init__(SpikeOperand(tokens, width, **shape))

    def check(self, m):
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
            Assume(~dut.o.release | dut.o.full),
            Assert((tensors >= 0) & (tensors + begun <= 2)),
            Assert(dut.o.full == (tensors > 0)),
            Cover((tensors == 2) & dut.o.release),
            Assert(self.inside("memory.w").close == complete),
            Assert(dut.i.ready == (begun | (tensors + begun < 2))),
        ]

        # The loops of the writer are at this beat, and the ring counts these tensors.
        fill = {name: self.inside(f"fill.{name}") for name in ("group", "row", "column", "part")}
        place = (fill["group"] * self._rows + fill["row"]) * self._columns + fill["column"]
        m.d.comb += [
            Assert(place * self._parts + fill["part"] == beat),
            Assert(fill["row"] < self._rows),
            Assert(fill["column"] < self._columns),
            Assert(fill["part"] < self._parts),
            Assert(beat < self._beats),
            Assert(self.inside("memory.ring.closed") == tensors),
            Assert(self.inside("memory.ring.reserved") == tensors + begun),
        ]
