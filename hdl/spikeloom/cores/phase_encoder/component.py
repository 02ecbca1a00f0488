"""Parallel phase encoders."""

from amaranth.hdl import Module, Shape
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ..spiked.core import Spiked
from ..spiked.phase_encoder import PhaseEncoder


class PhaseEncoderBank(Component):
    """A `PhaseEncoder` for each of `lanes` sums.

    One beat per cycle, `delay` cycles of latency, no backpressure.

    Parameters
    ----------
    config : Spiked (steps, base, frac_bits).
    lanes : sums per beat.
    shape : shape of a sum, signed.
    scale : the value of a spike at step 0.
    bipolar : whether negative sums cause negative spikes; otherwise they cause none.

    Members
    -------
    i : In(array of `lanes` sums), i_valid : In(1).
    o : Out(array of `lanes` codes), o_valid : Out(1).
    """

    delay = PhaseEncoder.delay  # cycles from `i` to `o`

    def __init__(
        self, config: Spiked, *, lanes: int, shape: Shape, scale: float, bipolar: bool
    ) -> None:
        self._encoders = [
            PhaseEncoder(config, shape, gain=scale, bipolar=bipolar) for _ in range(lanes)
        ]
        code = self._encoders[0].signature.members["o"].shape
        super().__init__(
            {
                "i": In(data.ArrayLayout(shape, lanes)),
                "i_valid": In(1),
                "o": Out(data.ArrayLayout(code, lanes)),
                "o_valid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        for n, encoder in enumerate(self._encoders):
            m.submodules[f"encoder_{n}"] = encoder
            m.d.comb += [
                encoder.i.eq(self.i[n]),
                encoder.i_valid.eq(self.i_valid),
                self.o[n].eq(encoder.o),
            ]
        m.d.comb += self.o_valid.eq(self._encoders[0].o_valid)

        return m
