"""Adds the control ports of a core to a stream unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import wiring

from .component import Component
from .control import control_of, core_members
from .framed_input import FramedInput
from .loop_nest import LoopNest
from .run_control import RunControl
from .unit_streams import RunGate, has_last, payload_data, seed_units

if TYPE_CHECKING:
    from ..stream_unit import StreamUnit


class UnitShell(Component):
    """Admits the operands of one run at each start, and reports when its outputs are complete.

    Operands are stalled until a run starts. The shell counts `last` of inputs and outputs, so a
    unit need not have it. The first operand is accepted one cycle after `start`; the shell adds no
    other latency.

    A unit with a member ``seeding`` (In(Seeding())) receives the scrambled seed at each start, and
    its operands `random_plan.START_CYCLES` cycles later. A member ``run`` (In(1)) of a unit is high
    from then until the last output beat.

    Parameters
    ----------
    core : `StreamUnit` with one output.

    Members
    -------
    start, busy, done, seed if the core takes one : see `Control`.
    misframed : Out(1), an input had ``last`` where no tensor ends; high until reset.
    a stream for each port of the core, and its other flags.
    """

    def __init__(self, core: StreamUnit) -> None:
        self.config = core
        super().__init__(core_members(core))

    def elaborate(self, platform):
        m = Module()
        core = self.config

        m.submodules.unit = unit = core.component()
        m.submodules.run = run = RunControl(1)
        wiring.connect(m, run.control, control_of(self))
        for name in filter(unit.signature.members.__contains__, core.flags):
            m.d.comb += getattr(self, name).eq(getattr(unit, name))
        ready = Const(1)
        if "seeding" in unit.signature.members:
            ready = seed_units(m, [unit], begin=run.begin, seed=self.seed, busy=self.busy)
        if "run" in unit.signature.members:
            m.d.comb += unit.run.eq(self.busy & ready)

        # Inputs: accept exactly the beats of one run.
        misframed = []
        for name, port in core.inputs.items():
            outer, inner = getattr(self, name), getattr(unit, name)
            m.submodules[f"{name}_framed"] = framed = FramedInput(
                outer.payload.shape(), beat=port.frame_beats
            )
            m.submodules[f"{name}_gate"] = gate = RunGate(port)
            wiring.connect(m, wiring.flipped(outer), framed.i)
            if has_last(inner):
                m.d.comb += inner.payload.last.eq(framed.o.payload.last)
            m.d.comb += [
                payload_data(inner).eq(framed.o.payload.data),
                inner.valid.eq(framed.o.valid & gate.open & ready),
                framed.o.ready.eq(inner.ready & gate.open & ready),
                gate.begin.eq(run.begin),
                gate.step.eq(inner.valid & inner.ready),
            ]
            misframed.append(framed.misframed & gate.step)
        with m.If(Cat(misframed).any()):
            m.d.sync += self.misframed.eq(1)

        ((name, port),) = core.outputs.items()
        outer, inner = getattr(self, name), getattr(unit, name)
        frames = port.beats // port.frame_beats
        m.submodules.sent = sent = LoopNest(frame=frames, beat=port.frame_beats)
        m.d.comb += [
            outer.payload.data.eq(payload_data(inner)),
            outer.payload.last.eq(sent.beat_last),
            outer.valid.eq(inner.valid),
            inner.ready.eq(outer.ready),
            sent.step.eq(outer.valid & outer.ready),
            run.last.eq(sent.step & sent.frame_last),
        ]

        return m
