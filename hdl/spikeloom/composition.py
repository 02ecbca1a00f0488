"""Cores composed of other cores, connected by streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .contract import MISFRAMED, Core
from .stream_unit import StreamUnit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .blocks.component import Component
    from .drawing import Drawing
    from .port import Flag


@dataclass(frozen=True, kw_only=True)
class Composition(Core):
    """A core that is a graph of other cores, connected by streams.

    Hardware and golden model are derived from `parts` and `wires`. A stream of narrow beats feeds
    one of wider beats through a `RowGatherer`. Parts that have a start are started with the
    composition; stream units process beats as they arrive. A port may give its tensor another shape
    than the port of the part has, if the elements of each beat are the same.
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

    def create(self) -> Component:
        from .blocks.composed import Composed

        return Composed(self)

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
        for name, part in self.parts().items():
            given = {
                port: values[wires[f"{name}.{port}"]].reshape(one.shape)
                for port, one in part.inputs.items()
            }
            values |= {f"{name}.{port}": x for port, x in (given | part.golden(**given)).items()}
        return values

    def stages(self) -> Drawing:
        from .automatic_drawing import draw_composition

        return draw_composition(self)


def bare_component(core: Core) -> Component:
    """The component of a part; that of a stream unit without its shell."""
    return core.component() if isinstance(core, StreamUnit) else core.create()
