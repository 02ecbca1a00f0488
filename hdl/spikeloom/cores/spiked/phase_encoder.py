"""Phase encoder: converts a sum to a spike at the first step whose threshold it reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.pipeline import Pipeline
from .code import signed_code, unsigned_code
from .logarithm import Logarithm
from .tables import LOG_FRACTION, coarse_bits, log_fixed, threshold_log, thresholds

if TYPE_CHECKING:
    from amaranth.hdl import ShapeLike

    from .core import Spiked


class PhaseEncoder(Component):
    """``n = min {n : |i| >= threshold[n]}``; thresholds fall by a factor B per step.

    There is no spike if the last threshold is not reached. The step is a logarithm, rounded up. A
    coarse logarithm leaves two candidates, and one comparison with the table of thresholds selects
    the exact one. One sum per cycle, `delay` cycles of latency.

    Parameters
    ----------
    config : Spiked (steps, base, frac_bits).
    shape : shape of the sums, signed, `frac_bits` fraction bits.
    gain : the value of a spike at step 0.
    bipolar : whether negative sums cause negative spikes; otherwise they cause none.

    Members
    -------
    i : In(shape), i_valid : In(1).
    o : Out(signed_code), or Out(unsigned_code) where not bipolar; o_valid : Out(1).

    Source: "SpikedAttention", NeurIPS 2024, one-spike phase coding.
    """

    delay = Logarithm.delay + 5  # cycles from `i` to `o`

    def __init__(
        self, config: Spiked, shape: ShapeLike, *, gain: float, bipolar: bool = True
    ) -> None:
        self._config = config
        self._gain = gain
        self._bipolar = bipolar
        code = signed_code if bipolar else unsigned_code
        super().__init__(
            {
                "i": In(shape),
                "i_valid": In(1),
                "o": Out(code(config.steps)),
                "o_valid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        valid = Signal(self.delay)
        m.d.sync += valid.eq(Cat(self.i_valid, valid))
        m.d.comb += self.o_valid.eq(valid[-1])

        # Magnitude and sign, delayed to match the logarithm.
        magnitude = Signal(len(self.i), reset_less=True)
        minus = Signal(reset_less=True)
        m.d.sync += [magnitude.eq(abs(self.i)), minus.eq(self.i < 0)]
        m.submodules.log = log = Logarithm(config, len(self.i), coarse_bits(config))
        m.d.comb += log.i.eq(magnitude)
        beside = Pipeline(m).delay(Cat(magnitude, minus), Logarithm.delay + 2, "beside")
        magnitude, minus = beside[:-1], beside[-1]

        # The error of the logarithm is less than a third of a step: the spike is at `step` or the
        # next.
        unit = 1 << LOG_FRACTION
        top = log_fixed(config.base, 2**config.frac_bits) + threshold_log(config, self._gain)
        first = (top - unit // 3 + unit - 1 - log.o) >> LOG_FRACTION
        last = config.steps - 1
        step = Signal(range(config.steps), reset_less=True)
        m.d.sync += step.eq(Mux(first < 0, 0, Mux(first > last, last, first)))

        # The threshold of `step` decides.
        levels = thresholds(config, self._gain)
        m.submodules.levels = table = Memory(
            shape=range(levels[0] + 1), depth=config.steps, init=levels
        )
        level = table.read_port()
        m.d.comb += level.addr.eq(step)
        candidate = Signal.like(step, reset_less=True)
        decided = Signal.like(step, reset_less=True)
        reached, reached_later, negative = Signal(3, reset_less=True)
        m.d.sync += [
            candidate.eq(step),
            decided.eq(candidate),
            reached.eq(magnitude >= level.data),
            reached_later.eq((candidate != last) & (magnitude != 0)),
            negative.eq(minus),
        ]

        fires = reached | reached_later
        if not self._bipolar:
            fires &= ~negative
        m.d.sync += [
            self.o.step.eq(Mux(fires, decided + ~reached, 0)),
            self.o.spike.eq(fires),
        ]
        if self._bipolar:
            m.d.sync += self.o.sign.eq(fires & negative)

        return m
