"""Cores composed of other cores, connected by streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from .contract import MISFRAMED, Core
from .errors import InputError
from .stream_unit import StreamUnit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .blocks.component import Component
    from .drawing import Drawing
    from .port import Flag, Port
    from .work import Work


@dataclass(frozen=True, kw_only=True)
class Composition(Core):
    """A core that is a graph of other cores, connected by streams.

    Hardware and golden model are derived from `parts` and `wires`. A stream of narrow beats feeds
    one of wider beats through a `RowGatherer`, integers are extended to the width of their sink,
    and `last` is generated where a sink frames its beats differently. A port may give its tensor
    another shape than the port of the part has, with the same elements in the same order.

    Parts that have a start are started with the composition. Units process beats as they arrive;
    those that draw random numbers wait for their seed. All parts take the composition's seed, so
    two random units of the same kind and size draw the same numbers.
    """

    def parts(self) -> Mapping[str, Core]:
        """The parts by name, in topological order: each one follows those that feed it."""
        raise NotImplementedError

    def wires(self) -> Mapping[str, str]:
        """The connections: for each input of a part and each output of the composition, its source.
        Both are named "part.port", or "port" for a port of the composition."""
        raise NotImplementedError

    def lifted_flags(self) -> Mapping[str, str]:
        """Flags of parts that the composition exposes: "flag" to "part.flag"."""
        return {}

    @property
    def flags(self) -> dict[str, Flag]:
        parts = self.parts()
        lifted = {}
        for name, source in self.lifted_flags().items():
            part, flag = source.split(".")
            lifted[name] = parts[part].flags[flag]
        return {"misframed": MISFRAMED} | lifted

    def stream(self, name: str) -> Port:
        """The port called "part.port", or "port" of the composition itself."""
        part, _, port = name.rpartition(".")
        owner = self.parts()[part] if part else self
        return (owner.inputs | owner.outputs)[port]

    def beats_of_source(self, sink: str) -> int:
        """Beats of the source of `sink` that make up one of its beats.

        Raises `InputError` where the two streams do not carry the same elements.
        """
        source = self.wires()[sink]
        start, end = self.stream(source), self.stream(sink)
        count = max(1, prod(end.beat) // prod(start.beat))
        fits = count * prod(start.beat) == prod(end.beat) and count * end.beats == start.beats
        if not fits or prod(start.shape) != prod(end.shape):
            raise InputError(
                f"{self.NAME}: {source} sends {start.shape} in beats of {prod(start.beat)}, "
                f"{sink} takes {end.shape} in beats of {prod(end.beat)}"
            )
        if start.item != end.item and not end.item.holds(start.item):
            raise InputError(
                f"{self.NAME}: {source} sends {start.item}, which {sink} ({end.item}) cannot take"
            )
        return count

    def frames(self) -> dict[str, int | None]:
        """Beats from one `last` to the next on every stream, by its source; None without any."""
        wires = self.wires()
        frames: dict[str, int | None] = {n: port.frame_beats for n, port in self.inputs.items()}
        for name, part in self.parts().items():
            for port_name, port in part.outputs.items():
                frame: int | None = port.frame_beats
                if isinstance(part, StreamUnit):
                    sinks = [f"{name}.{given}" for given in part.inputs]
                    passed = [self._arriving(sink, frames[wires[sink]]) for sink in sinks]
                    frame = passed[0] if part.PASSES_LAST else None
                frames[f"{name}.{port_name}"] = frame
        return frames

    def recounted(self) -> list[str]:
        """Sinks that need a `last` where that of their source does not fall."""
        frames, parts = self.frames(), self.parts()
        needing = [
            sink
            for sink in self.wires()
            if "." not in sink or not isinstance(parts[sink.split(".")[0]], StreamUnit)
        ]
        return [
            sink
            for sink in needing
            if self._arriving(sink, frames[self.wires()[sink]]) != self.stream(sink).frame_beats
        ]

    def _arriving(self, sink: str, frame: int | None) -> int | None:
        """Beats of `sink` from one `last` to the next, given those of its source."""
        count = self.beats_of_source(sink)
        return None if frame is None or frame % count else frame // count

    def random_units(self) -> list[str]:
        """Parts that take no beat before they have the seed of a run."""
        return [
            name
            for name, part in self.parts().items()
            if isinstance(part, StreamUnit) and part.takes_seed
        ]

    def gated(self) -> list[str]:
        """Streams that carry no beat before a run and none beyond it: into random units, out of
        units without inputs, and outputs that nothing else holds back before a start."""
        random, parts, wires = self.random_units(), self.parts(), self.wires()
        streams = [
            f"{name}.{port}"
            for name, part in parts.items()
            if name in random or (isinstance(part, StreamUnit) and not part.inputs)
            for port in part.inputs or part.outputs
        ]

        def waits(source: str) -> bool:
            """Whether `source` sends nothing before a start."""
            name, _, _ = source.rpartition(".")
            if not name:
                return False
            part = parts[name]
            if not isinstance(part, StreamUnit) or name in random or not part.inputs:
                return True
            return any(waits(wires[f"{name}.{port}"]) for port in part.inputs)

        return streams + [name for name in self.outputs if not waits(wires[name])]

    def create(self) -> Component:
        from .blocks.composed import Composed

        self._check_wires()
        random = [name for name, part in self.parts().items() if part.takes_seed]
        if random and not self.takes_seed:
            raise InputError(
                f"{self.NAME}: {random[0]} draws random numbers; give the composition a key `seed`"
            )
        return Composed(self)

    def _check_wires(self) -> None:
        """Raise `InputError` unless every stream has one source and one sink that fit."""
        wires, parts = self.wires(), self.parts()
        sources = [*self.inputs, *(f"{n}.{p}" for n, part in parts.items() for p in part.outputs)]
        sinks = [*self.outputs, *(f"{n}.{p}" for n, part in parts.items() for p in part.inputs)]
        found = [*wires, *wires.values()]
        wrong = [name for name in {*found, *sources, *sinks} if found.count(name) != 1]
        wrong += [name for name in (*sources, *sinks) if name not in found]
        if wrong or {*wires} != {*sinks}:
            name = min(wrong, default="wires")
            raise InputError(f"{self.NAME}: {name} must be wired once, from a source to a sink")
        for sink in wires:
            self.beats_of_source(sink)

    def golden(self, **operands: NDArray) -> dict[str, Any]:
        values = self.trace(**operands)
        wires = self.wires()
        outputs = {
            name: values[wires[name]].reshape(port.shape) for name, port in self.outputs.items()
        }
        return outputs | {
            name: values[source] for name, source in self.lifted_flags().items() if source in values
        }

    def trace(self, **operands: NDArray) -> dict[str, Any]:
        """The tensor of every stream by "part.port", and the flags of the golden models."""
        values: dict[str, Any] = dict(operands)
        wires = self.wires()
        seed = getattr(self, "seed", None)
        for name, part in self.parts().items():
            if seed is not None:
                part = part.with_seed(seed)
            given = {
                port: values[wires[f"{name}.{port}"]].reshape(one.shape)
                for port, one in part.inputs.items()
            }
            values |= {f"{name}.{port}": x for port, x in (given | part.golden(**given)).items()}
        return values

    def operands_of(self, part: str, **operands: NDArray) -> dict[str, NDArray]:
        """The operands of a part, by name, for operands of the composition."""
        streams = self.trace(**operands)
        return {name: streams[f"{part}.{name}"] for name in self.parts()[part].inputs}

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        """The work of all parts; `densities` are those of the operands of parts of these names."""
        from .work import joined

        self.densities_or_typical(densities)  # refuses unknown names
        streams = self.trace(**operands) if operands else {}
        parts = []
        for name, part in self.parts().items():
            given = {port: streams[f"{name}.{port}"] for port in part.inputs} if operands else {}
            known = {n: x for n, x in (densities or {}).items() if n in part.inputs}
            work = part.work(known, **given)
            if work is not None:
                parts.append((name, work))
        return joined("; ".join(f"{name}: {work.formula}" for name, work in parts), parts)

    def stages(self) -> Drawing:
        from .automatic_drawing import draw_composition

        return draw_composition(self)


def bare_component(core: Core) -> Component:
    """The component of a part; that of a stream unit without its shell."""
    return core.component() if isinstance(core, StreamUnit) else core.create()
