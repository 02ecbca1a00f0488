"""A complete run of any core, observed at its ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import ResetSignal, Signal

from .harness import Harness, moved
from .properties import assume, cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module

    from spikeloom.contract import Core


class RunContract(Harness):
    """Every run produces exactly its output beats and then ends.

    Start is accepted while `busy` is low. Between start and `done` there are exactly the run's
    output beats, with `last` exactly on the last beat of every tensor. After the last beat
    `busy` falls and `done` is high for a cycle, and no beat occurs outside a run. Start, seed,
    operands and stalls are arbitrary.

    Parameters
    ----------
    config : any core with one output, `o`.
    """

    def __init__(self, config: Core) -> None:
        port = config.outputs["o"]
        self._tensor = port.frame_beats
        self._beats = port.beats
        super().__init__(config.create())

    def check(self, m: Module) -> None:
        dut, o = self.dut, self.dut.o
        m.d.comb += assume(~ResetSignal())

        running = Signal()
        beat = Signal(range(self._beats))
        place = Signal(range(self._tensor))
        final = beat == self._beats - 1
        with m.If(moved(o)):
            m.d.sync += [
                beat.eq(beat + 1),
                place.eq(place + 1),
            ]
            with m.If(place == self._tensor - 1):
                m.d.sync += place.eq(0)
            with m.If(final):
                m.d.sync += [beat.eq(0), running.eq(0)]
        with m.If(dut.start & ~dut.busy):
            m.d.sync += running.eq(1)

        ended = Signal()
        m.d.sync += ended.eq(moved(o) & final)
        m.d.comb += [
            prove(dut.busy == running),
            prove(~o.valid | running),
            prove(dut.done == ended),
            prove(~o.valid | (o.payload.last == (place == self._tensor - 1))),
            cover(dut.done),
        ]


def cycles_of_a_run(config: Core) -> int:
    """Cycles from start to done without stalls: the depth that covers a complete run."""
    return config.cycles() + config.preload_cycles()
