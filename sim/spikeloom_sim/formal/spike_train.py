"""`CodesToSpikes` and `SpikesToCodes`: T beats of spikes per vector of codes, and the reverse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Mux, Signal, Value

from spikeloom.cores.spiked.code import signed_code
from spikeloom.cores.spiked.spike_train import CodesToSpikes, SpikesToCodes

from .harness import Harness, moved, steady
from .properties import cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module


class CodesToSpikesContract(Harness):
    """T beats for every vector, in order: neuron n fires exactly in the beat given by its code.

    The next vector is accepted with the last beat. Use mode "prove" (unbounded).

    Parameters
    ----------
    width, steps : of the `CodesToSpikes`.
    """

    def __init__(self, width: int, steps: int) -> None:
        self._width = width
        self._steps = steps
        super().__init__(CodesToSpikes(width, steps))

    def check(self, m: Module) -> None:
        i, o, steps = self.dut.i, self.dut.o, self._steps
        owed = Signal(range(steps + 1))
        codes = Signal.like(i.payload)
        m.d.sync += owed.eq(owed + Mux(moved(i), steps, 0) - moved(o))
        with m.If(moved(i)):
            m.d.sync += codes.eq(i.payload)
        time = Mux(owed == 0, 0, steps - owed)
        m.d.comb += [
            prove(steady(m, o, "o")),
            prove(owed <= steps),
            prove(o.valid == (owed != 0)),
            prove(i.ready == ((owed == 0) | ((owed == 1) & moved(o)))),
            cover(moved(i) & moved(o)),
        ]
        for n in range(self._width):
            fires = codes[n].spike & (codes[n].step == time)
            m.d.comb += [
                prove(~o.valid | (o.payload.spike[n] == fires)),
                prove(~o.valid | (o.payload.sign[n] == (fires & codes[n].sign))),
            ]

        # Invariants for induction: position and register agree with the beats still to send.
        held = self.inside("codes")
        m.d.comb += prove((owed == 0) | (Value.cast(held) == Value.cast(codes)))
        if steps > 1:
            m.d.comb += prove(self.inside("loops.time") == time)


class SpikesToCodesContract(Harness):
    """One vector of codes for every T beats; each code is that of the neuron's first spike.

    A waiting vector stalls the first beat of the next one. Use mode "prove" (unbounded).

    Parameters
    ----------
    width, steps : of the `SpikesToCodes`.
    """

    def __init__(self, width: int, steps: int) -> None:
        self._width = width
        self._steps = steps
        super().__init__(SpikesToCodes(width, steps))

    def check(self, m: Module) -> None:
        i, o, steps = self.dut.i, self.dut.o, self._steps
        heard = Signal(range(steps))
        waiting = Signal()
        with m.If(moved(o)):
            m.d.sync += waiting.eq(0)
        with m.If(moved(i)):
            m.d.sync += heard.eq(Mux(heard == steps - 1, 0, heard + 1))
            with m.If(heard == steps - 1):
                m.d.sync += waiting.eq(1)
        m.d.comb += [
            prove(steady(m, o, "o")),
            prove(heard < steps),
            prove(o.valid == waiting),
            prove(i.ready == (~waiting | o.ready)),
            cover(moved(i) & moved(o)),
        ]
        for n in range(self._width):
            first = Signal(signed_code(steps), name=f"first_{n}")
            with m.If(moved(i)), m.If((heard == 0) | ~first.spike):
                spike = i.payload.spike[n]
                m.d.sync += [
                    first.spike.eq(spike),
                    first.step.eq(Mux(spike, heard, 0)),
                    first.sign.eq(spike & i.payload.sign[n]),
                ]
            m.d.comb += prove(
                ((heard == 0) & ~waiting) | (o.payload[n].as_value() == first.as_value())
            )

        if steps > 1:
            m.d.comb += prove(self.inside("loops.time") == heard)
        m.d.comb += prove(~waiting | (heard == 0))
