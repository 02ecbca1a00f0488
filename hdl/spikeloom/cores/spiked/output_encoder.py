"""Output encoder: converts sums to spikes, with thresholds proportional to the softmax sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.pipeline import Pipeline
from .code import signed_code
from .logarithm import Logarithm
from .tables import LOG_FRACTION, threshold_log
from .trace_product import sum_shape

if TYPE_CHECKING:
    from .core import Spiked


class OutputEncoder(Component):
    """``n = min {n : |sum| >= z * threshold * B**-n}``: the code of ``sum / z`` without a division.

    Sums arrive line by line, with one sum per query in a line. The first line is z, the sum of each
    query's probabilities, which is stored as a logarithm. The step is the difference of two
    logarithms, rounded up.
    One block of sums per cycle, `delay` cycles of latency.

    Parameters
    ----------
    config : Spiked (tokens, value_dim, encoders, steps, base, frac_bits, log_bits, scales).
    queries : sums of a line.

    Members
    -------
    i : In(array of `encoders` sums), i_valid : In(1): ``1 + value_dim`` lines, each of
        ``ceil(queries / encoders)`` blocks.
    o : Out(array of `encoders` codes), o_valid : Out(1): all lines except the first.
    o_normaliser : Out(1), replaces `o_valid` for the first line, whose codes are silent.
    i_silent : In(1), o_silent : Out(1), replace a whole line of `i` or `o`: all sums are zero, all
        codes silent.

    Source: "SpikedAttention", NeurIPS 2024, winner-oriented spike shift.
    """

    delay = Logarithm.delay + 4  # cycles from `i` to `o`

    def __init__(self, config: Spiked, queries: int) -> None:
        self._config = config
        self._blocks = -(-queries // config.encoders)
        shape = sum_shape(config, config.tokens)
        super().__init__(
            {
                "i": In(data.ArrayLayout(shape, config.encoders)),
                "i_valid": In(1),
                "o": Out(data.ArrayLayout(signed_code(config.steps), config.encoders)),
                "o_valid": Out(1),
                "o_normaliser": Out(1),
                "i_silent": In(1),
                "o_silent": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        pipeline = Pipeline(m)
        arrived = Cat(self.i_valid, self.i_silent)
        valid, silent = pipeline.delay(arrived, Logarithm.delay + 1, "arrived", reset_less=False)

        # Position of the current logarithms, and the thresholds at step 0 of their block: the
        # logarithms of the normalisers, plus an addend that rounds steps up.
        m.submodules.loops = loops = LoopNest(line=config.value_dim + 1, block=self._blocks)
        normalises = loops.line == 0
        logs = [Logarithm(config, len(self.i[n]), config.log_bits) for n in range(config.encoders)]
        up = threshold_log(config, config.output_gain) + (1 << LOG_FRACTION) - 1
        lowest, highest = min(up, 0), max(up, 0) + (1 << len(logs[0].o))
        m.submodules.thresholds = thresholds = Memory(
            shape=data.ArrayLayout(range(lowest, highest), config.encoders),
            depth=self._blocks,
            init=[],
        )
        write = thresholds.write_port()
        read = thresholds.read_port(transparent_for=(write,))
        following = Mux(loops.block == self._blocks - 1, 0, loops.block + 1)
        m.d.comb += [
            loops.step.eq(valid | silent),
            loops.skip.eq(silent),
            write.addr.eq(loops.block),
            write.en.eq(valid & normalises),
            read.addr.eq(Mux(valid, following, loops.block)),
        ]
        kinds = Cat(valid & ~normalises, valid & normalises, silent)
        kinds = pipeline.delay(kinds, 2, "kinds", reset_less=False)
        m.d.sync += Cat(self.o_valid, self.o_normaliser, self.o_silent).eq(kinds)

        for n, log in enumerate(logs):
            m.submodules[f"log_{n}"] = log
            magnitude = Signal(len(log.i), name=f"magnitude_{n}", reset_less=True)
            sign = Cat(self.i[n] < 0, self.i[n] != 0)
            m.d.sync += magnitude.eq(abs(self.i[n]))
            m.d.comb += [log.i.eq(magnitude), write.data[n].eq(log.o + up)]
            minus, present = pipeline.delay(sign, Logarithm.delay + 3, f"sign_{n}")

            # A register, because block RAM has a long output delay and a subtraction follows.
            threshold = Signal.like(read.data[n], name=f"threshold_{n}", reset_less=True)
            logarithm = Signal.like(log.o, name=f"logarithm_{n}", reset_less=True)
            m.d.sync += [threshold.eq(read.data[n]), logarithm.eq(log.o)]
            above = (threshold - logarithm) >> LOG_FRACTION
            step = Signal.like(above, name=f"step_{n}", reset_less=True)
            m.d.sync += step.eq(above)
            fires = present & (step < config.steps) & ~kinds[1]
            m.d.sync += [
                self.o[n].step.eq(Mux(fires & (step >= 0), step, 0)),
                self.o[n].spike.eq(fires),
                self.o[n].sign.eq(fires & minus),
            ]

        return m
