"""The `a2os2a` core: spiking attention of additions and subtractions only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out, connect, flipped

from ...blocks.component import Component
from ...blocks.control import control_members, control_of
from ...blocks.loop_nest import LoopNest
from ...blocks.run_control import RunControl
from .operands import OperandRegister, beat, beat_data, output_data
from .scores_first import ScoresFirst
from .state_first import StateFirst

if TYPE_CHECKING:
    from .core import A2OS2A

ORDERS = {"qk": ScoresFirst, "kv": StateFirst}


class A2OS2AComponent(Component):
    """Accurate addition-only spiking attention, exact on integers, T times in a run.

    With spikes Q in {0, 1}, unsigned K (both N x D) and ternary spikes V in {-1, 0, 1} (N x Dv)::

        O = (Q K^T) V = Q (K^T V)

    The core buffers one beat of each operand, even before `start`. Without a mask it reads all of K
    and V before Q; a causal core reads K, V and Q token by token.

    Parameters
    ----------
    config : A2OS2A.

    Members
    -------
    start : In(1), begin a run of T steps; ignored while `busy` is high.
    busy : Out(1), high from the cycle after `start` to the last output beat.
    done : Out(1), high for one cycle, after the transfer of the last output beat.
    misframed : Out(1), a ``last`` was not at the end of a sequence; high until reset.
    saturated : Out(1), an element of the state saturated; high until reset. Only for open
        sequences.
    q : In(stream of {data: D bits, last}), a token per beat.
    k : In(stream of {data: `lanes` unsigned values, last}), D / lanes beats per token.
    v : In(stream of {data: Dv `Ternary`, last}), a token per beat.
    o : Out(stream of {data: `lanes` signed values, last}), Dv / lanes beats per token.

    Source: Guo et al., "Spiking Transformer: Introducing Accurate Addition-Only Spiking
    Self-Attention for Transformer", arXiv 2503.00226.
    """

    def __init__(self, config: A2OS2A) -> None:
        self.config = config
        super().__init__(
            {
                **control_members(),
                "misframed": Out(1),
                "saturated": Out(1),
                **{name: In(stream.Signature(beat(beat_data(config, name)))) for name in "qkv"},
                "o": Out(stream.Signature(beat(output_data(config)))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config

        m.submodules.attention = attention = ORDERS[config.chosen_order](config)
        connect(m, attention.o, flipped(self.o))
        m.d.comb += self.saturated.eq(attention.saturated)

        misframed = []
        for name in "qkv":
            register = OperandRegister(config, name)
            m.submodules[f"{name}_register"] = register
            connect(m, flipped(getattr(self, name)), register.i)
            connect(m, register.o, getattr(attention, name))
            misframed.append(register.misframed)
        with m.If(Cat(misframed).any()):
            m.d.sync += self.misframed.eq(1)

        # A run reads the tokens of T sequences and ends with the last output of the T-th.
        m.submodules.taken = taken = LoopNest(time=config.steps)
        m.submodules.run_control = run_control = RunControl(config.steps)
        connect(m, control_of(self), run_control.control)
        m.d.comb += [
            taken.step.eq(attention.ended),
            run_control.last.eq(self.o.valid & self.o.ready & self.o.payload.last),
        ]
        with m.If(run_control.begin):
            m.d.sync += attention.run.eq(1)
        with m.If(attention.ended & taken.time_last):
            m.d.sync += attention.run.eq(0)

        return m
