"""The component of `int8_linear`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Module
from amaranth.lib.wiring import connect, flipped

from ...blocks.component import Component
from ...blocks.control import control_of, core_members
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import NO_READ_WRITE_COLLISION, small_memory
from ...blocks.operand import READ, add_operands
from ...blocks.pipeline import Pipeline
from ...blocks.run_control import RunControl
from .requantiser import Requantiser
from .row_output import RowOutput
from .schedule import places
from .sum_stage import SumStage

if TYPE_CHECKING:
    from .core import Int8Linear

TOKENS = 2  # of x that are held, one being read


class Int8LinearComponent(Component):
    """A linear layer of signed 8-bit integers, the baseline that networks of spikes are compared
    with::

        y[n, o] = round((sum_i x[n, i] w[o, i] + bias[o]) scale[o] / 2^shift), limited to 8 bits

    The core holds weights, biases and scales of `weight_banks` runs, and two tokens, even before
    `start`.

    Parameters
    ----------
    config : Int8Linear.

    Members
    -------
    start, busy, done : see `Control`.
    misframed : Out(1), a ``last`` was not at the end of a tensor; high until reset.
    x, w : In(stream of {data: `lanes` signed values of 8 bits, last}), ceil(I / lanes) beats per
        token of x and per output of w.
    bias : In(stream of {data: signed sum_bits, last}). scale : In(stream of {data: scale_bits,
        last}). A beat for each output.
    y : Out(stream of {data: `lanes` signed values of 8 bits, last}), ceil(O / lanes) per token.
    """

    def __init__(self, config: Int8Linear) -> None:
        self.config = config
        super().__init__(core_members(config))

    def elaborate(self, platform):
        m = Module()
        config = self.config

        whole = (config.output_dim, config.weight_banks, NO_READ_WRITE_COLLISION)
        held = dict.fromkeys(config.inputs, whole) | {"x": (1, TOKENS, small_memory(platform))}
        operands = add_operands(m, self, held)
        m.submodules.sums = sums = SumStage(config)
        m.submodules.output = output = RowOutput(config, places(config))
        connect(m, sums.x, operands["x"].r)
        connect(m, sums.w, operands["w"].r)
        m.d.comb += [
            sums.constants.eq(operands["bias"].r.full & operands["scale"].r.full),
            sums.free.eq(output.free),
            output.issued.eq(sums.issued),
        ]
        connect(m, output.o, flipped(self.y))

        # The constants of each sum are read when it is complete, and meet it in a register.
        pipe = Pipeline(m)
        m.submodules.complete = complete = LoopNest(token=config.tokens, output=config.output_dim)
        m.submodules.requantiser = requantiser = Requantiser(config)
        m.d.comb += [
            complete.step.eq(sums.o_valid),
            requantiser.sum.eq(pipe.delay(sums.o, READ, "sum")),
        ]
        for name in ("bias", "scale"):
            read = operands[name].r
            m.d.comb += [
                read.addr.row.eq(complete.output),
                read.release.eq(sums.o_valid & complete.token_last),
                getattr(requantiser, name).eq(pipe.register(read.data, f"{name}_word")),
            ]
        valid = pipe.delay(sums.o_valid, READ + requantiser.delay, "valid", reset_less=False)
        m.d.comb += [output.i.eq(requantiser.o), output.i_valid.eq(valid)]

        m.submodules.run_control = run_control = RunControl(1)
        connect(m, control_of(self), run_control.control)
        m.d.comb += run_control.last.eq(self.y.valid & self.y.ready & self.y.payload.last)
        m.d.comb += sums.begin.eq(run_control.begin)

        return m
