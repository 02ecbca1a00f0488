"""A whole run of any core, seen from outside."""

from amaranth.hdl import Assert, Assume, Cover, ResetSignal, Signal

from spikeloom.catalog import CORES

from ..adapters import adapter
from .harness import Harness, moved


class RunContract(Harness):
    """Every run gives its output beats, no more and no fewer, and then ends.

    Start is taken while `busy` is low. Between it and `done` come exactly the run's output beats,
    `last` on the last of every tensor and on no other; `done` goes with the last beat, `busy` falls
    after it, and no beat comes outside a run. Start, seed, operands and stalls are arbitrary.

    Parameters
    ----------
    config : configuration of any core.
    token_beats : output beats of a token.
    """

    def __init__(self, config, token_beats=1):
        self._tensor = config.tokens * token_beats
        self._beats = adapter(config.core).output_beats(config)
        super().__init__(CORES[config.core].build(config))

    def check(self, m):
        dut, o = self.dut, self.dut.o
        m.d.comb += Assume(~ResetSignal())

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

        m.d.comb += [
            Assert(dut.busy == running),
            Assert(~o.valid | running),
            Assert(dut.done == (moved(o) & final)),
            Assert(~o.valid | (o.payload.last == (place == self._tensor - 1))),
            Cover(dut.done),
        ]


def clocks_of_a_run(config):
    """Clocks from start to done when operands come at once: the depth at which a run is whole."""
    model = adapter(config.core)
    return CORES[config.core].cycles(config) + model.preload_clocks(config)
