"""The component of a `Composition`: its parts and the streams that connect them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import wiring

from ..composition import bare_component
from .component import Component
from .control import control_of, core_members
from .framed_input import FramedInput
from .loop_nest import LoopNest
from .row_gatherer import RowGatherer
from .run_control import RunControl
from .unit_streams import RunGate, has_last, payload_data, seed_units

if TYPE_CHECKING:
    from ..composition import Composition
    from ..item import Item
    from ..port import Port


class Composed(Component):
    """Cores connected by streams and started together.

    Parameters
    ----------
    core : `Composition` with one output.

    Members
    -------
    start, busy, done, seed if the core takes one : see `Control`.
    misframed : Out(1), an input had ``last`` where no tensor ends; high until reset.
    a stream for each port of the core, and its other flags.
    """

    def __init__(self, core: Composition) -> None:
        self.config = core
        super().__init__(core_members(core))

    def elaborate(self, platform):
        m = Module()
        core = self.config

        self._parts = parts = {name: bare_component(part) for name, part in core.parts().items()}
        for name, part in parts.items():
            m.submodules[name] = part

        # A run ends with the last beat of the output.
        ((name, port),) = core.outputs.items()
        output = getattr(self, name)
        m.submodules.run = run = RunControl(port.beats // port.frame_beats)
        wiring.connect(m, run.control, control_of(self))
        m.d.comb += run.last.eq(output.valid & output.ready & output.payload.last)
        self._begin, self._ready = run.begin, Const(1)
        random = [parts[name] for name in core.random_units()]
        if random:
            self._ready = seed_units(m, random, begin=run.begin, seed=self.seed, busy=self.busy)
        for part in parts.values():
            if "start" in part.signature.members:
                m.d.comb += part.start.eq(run.begin)
            if "seed" in part.signature.members:
                m.d.comb += part.seed.eq(self.seed)
            if "run" in part.signature.members:
                m.d.comb += part.run.eq(self.busy & self._ready)

        # A misplaced `last` sets `misframed`; the parts receive one that is counted.
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
            start = sources[source] if source in sources else self._stream(source)
            self._join(m, sink, source, start)
        for name, source in core.lifted_flags().items():
            m.d.comb += getattr(self, name).eq(self._stream(source))

        return m

    def _stream(self, name: str) -> Any:
        part, _, member = name.rpartition(".")
        return getattr(self._parts[part] if part else self, member)

    def _join(self, m: Module, sink: str, source: str, start: Any) -> None:
        """Feed `sink` from stream `start`, the one called `source`."""
        core, end = self.config, self._stream(sink)
        prefix = sink.replace(".", "_")
        sent, taken = core.stream(source), core.stream(sink)
        chunks = core.beats_of_source(sink)
        outer: str | None = source
        last = start.payload.last if has_last(start) else Const(0)
        if chunks > 1:
            m.submodules[f"{prefix}_gathered"] = gatherer = RowGatherer(sent.bits, chunks)
            m.d.comb += [
                gatherer.i.payload.data.eq(payload_data(start)),
                gatherer.i.payload.last.eq(last),
            ]
            self._flow(m, source, start, gatherer.i)
            outer, start, last = None, gatherer.o, gatherer.o.payload.last
        if sink in core.recounted():
            m.submodules[f"{prefix}_last"] = count = LoopNest(beat=taken.frame_beats)
            m.d.comb += count.step.eq(end.valid & end.ready)
            last = count.beat_last

        m.d.comb += payload_data(end).eq(_extended(payload_data(start), sent.item, taken))
        if has_last(end):
            m.d.comb += end.payload.last.eq(last)
        self._flow(m, outer, start, end, sink)

    def _flow(
        self, m: Module, source: str | None, start: Any, end: Any, sink: str | None = None
    ) -> None:
        """Join `valid` and `ready` of two streams, through the gates of those that have one."""
        opened = Const(1)
        for name in sorted({str(source), str(sink)} & {*self.config.gated()}):
            gate = RunGate(self.config.stream(name))
            m.submodules[f"{name.replace('.', '_')}_gate"] = gate
            m.d.comb += [gate.begin.eq(self._begin), gate.step.eq(end.valid & end.ready)]
            opened &= gate.open & self._ready
        m.d.comb += [end.valid.eq(start.valid & opened), start.ready.eq(end.ready & opened)]


def _extended(beat: Value, item: Item, port: Port) -> Value:
    """A beat of elements of `item` as one of `port`, whose elements may have more bits."""
    if item.bits == port.item.bits:
        return beat
    elements = [beat.word_select(n, item.bits) for n in range(len(beat) // item.bits)]
    top = [x[-1] if item.low < 0 else Const(0) for x in elements]
    added = port.item.bits - item.bits
    return Cat(Cat(x, sign.replicate(added)) for x, sign in zip(elements, top, strict=True))
