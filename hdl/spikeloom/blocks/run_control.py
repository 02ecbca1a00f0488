"""Status of a run, from its start to its last output beat."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from .component import Component
from .control import Control
from .loop_nest import LoopNest


class RunControl(Component):
    """Generates `busy` and `done` for a core that sends a fixed number of tensors per run.

    `begin` is combinational; `busy` and `done` are registers, so that the ready of the output does
    not reach a port.

    Parameters
    ----------
    tensors : output tensors of a run, at least 1.

    Members
    -------
    control : In(Control()).
    begin : Out(1), a run starts in this cycle.
    last : In(1), the last beat of an output tensor is transferred in this cycle.
    """

    def __init__(self, tensors: int) -> None:
        self._tensors = tensors
        super().__init__({"control": In(Control()), "begin": Out(1), "last": In(1)})

    def elaborate(self, platform):
        m = Module()
        control = self.control

        m.submodules.sent = sent = LoopNest(tensor=self._tensors)
        m.d.comb += [
            self.begin.eq(control.start & ~control.busy),
            sent.step.eq(self.last),
        ]
        m.d.sync += control.done.eq(self.last & sent.tensor_last)
        with m.If(self.begin):
            m.d.sync += control.busy.eq(1)
        with m.If(self.last & sent.tensor_last):
            m.d.sync += control.busy.eq(0)

        return m
