"""The component of a `Composition`: its parts and the streams that connect them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..composition import bare_component
from .component import Component
from .control import control_members, control_of
from .framed_input import FramedInput
from .row_gatherer import RowGatherer
from .run_control import RunControl

if TYPE_CHECKING:
    from ..composition import Composition


class Composed(Component):
    """Cores connected by streams and started together.

    Parameters
    ----------
    core : `Composition` with one output.

    Members
    -------
    start, seed, busy, done : see `Control`.
    misframed : Out(1), an input had ``last`` where no tensor ends; high until reset.
    a stream for each port of the core, and its other flags.
    """

    def __init__(self, core: Composition) -> None:
        self.config = core
        super().__init__(
            {
                **control_members(),
                **{name: Out(flag.bits) for name, flag in core.flags.items()},
                **{name: In(port.signature()) for name, port in core.inputs.items()},
                **{name: Out(port.signature()) for name, port in core.outputs.items()},
            }
        )

    def elaborate(self, platform):
        m = Module()
        core = self.config
        ports = core.inputs | core.outputs

        parts = {name: bare_component(part) for name, part in core.parts().items()}
        for name, part in parts.items():
            m.submodules[name] = part

        # A misplaced `last` sets `misframed`; the parts receive a `last` counted here.
        sources, misframed = {}, []
        for name, port in core.inputs.items():
            outer = getattr(self, name)
            m.submodules[f"{name}_framed"] = framed = FramedInput(
                outer.payload.shape(), beat=port.frame_beats
            )
            wiring.connect(m, wiring.flipped(outer), framed.i)
            sources[name] = framed.o
            misframed.append(framed.misframed & outer.ready)
        with m.If(Cat(misframed).any()):
            m.d.sync += self.misframed.eq(1)

        for sink, source in core.wires().items():
            start = sources.get(source)
            if start is None:
                start = _stream(parts, source)
            end = wiring.flipped(getattr(self, sink)) if sink in ports else _stream(parts, sink)
            width = len(start.payload.data)
            chunks = len(end.payload.data) // width
            if chunks > 1:
                m.submodules[f"{sink.replace('.', '_')}_gathered"] = gatherer = RowGatherer(
                    width, chunks
                )
                wiring.connect(m, start, gatherer.i)
                start = gatherer.o
            wiring.connect(m, start, end)
        for name, source in core.lifted_flags().items():
            m.d.comb += getattr(self, name).eq(_stream(parts, source))

        # A run ends with the last beat of the output.
        ((name, port),) = core.outputs.items()
        output = getattr(self, name)
        m.submodules.run = run = RunControl(port.beats // port.frame_beats)
        wiring.connect(m, run.control, control_of(self))
        m.d.comb += run.last.eq(output.valid & output.ready & output.payload.last)
        for part in parts.values():
            if "start" in part.signature.members:
                m.d.comb += [part.start.eq(run.begin), part.seed.eq(self.seed)]

        return m


def _stream(parts, name):
    part, member = name.split(".")
    return getattr(parts[part], member)
