"""Parallel Bernoulli encoders with a common random source."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.seeding import Seeding
from ...random.bernoulli_encoder import BernoulliEncoder
from ...random.random_source import RandomSource


class BernoulliStream(Component):
    """Converts each beat of `lanes` thresholds to `lanes` spikes, with new random numbers.

    One beat per cycle, `delay` cycles of latency.

    Parameters
    ----------
    lanes : thresholds per beat.
    value_bits : a threshold is 0..2**value_bits.
    strategy : how encoders share random bits, one of `random_plan.STRATEGIES`.

    Members
    -------
    seeding : In(Seeding()).
    i : In(stream of `lanes` concatenated thresholds of ``value_bits + 1`` bits).
    o : Out(stream of `lanes` spikes).
    """

    delay = 1  # cycles from `i` to `o`

    def __init__(self, lanes: int, *, value_bits: int, strategy: str) -> None:
        self._lanes = lanes
        self._value_bits = value_bits
        self._strategy = strategy
        super().__init__(
            {
                "seeding": In(Seeding()),
                "i": In(stream.Signature(lanes * (value_bits + 1))),
                "o": Out(stream.Signature(lanes)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.source = source = RandomSource(
            self._lanes, 2**self._value_bits, strategy=self._strategy
        )
        taken = Signal()
        m.d.comb += [
            self.i.ready.eq(~self.o.valid | self.o.ready),
            taken.eq(self.i.valid & self.i.ready),
            source.step.eq(self.seeding.load | self.seeding.warm | taken),
        ]
        wiring.connect(m, wiring.flipped(self.seeding), source.seeding)
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
        for n in range(self._lanes):
            m.submodules[f"encoder_{n}"] = encoder = BernoulliEncoder(self._value_bits)
            m.d.comb += [
                encoder.threshold.eq(self.i.payload.word_select(n, self._value_bits + 1)),
                encoder.random.eq(source.number(n)),
            ]
            with m.If(taken):
                m.d.sync += self.o.payload[n].eq(encoder.spike)

        return m
