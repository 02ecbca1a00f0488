"""Cores made of cores: parts, and streams between them."""

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
    """A core that is a graph of other cores, joined stream to stream.

    Hardware and golden model follow from `parts` and `wires`. A stream of narrow beats feeds one of
    wider beats through a `RowGatherer`. Parts that have a start begin with the composition; units
    work whenever beats come. Ports may shape a tensor otherwise than those of the parts, with the
    same elements in the same beats.
    """

    def parts(self) -> Mapping[str, Core]:
        """The parts by name, each one after those that feed it."""
        raise NotImplementedError

    def wires(self) -> Mapping[str, str]:
        """What feeds each input of each part, and each output of the composition: "part.port" or
        "port" (one of the composition's own) to the same."""
        raise NotImplementedError

    def lifted_flags(self) -> Mapping[str, str]:
        """Flags of the composition that are a part's: "flag" to "part.flag"."""
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
        """The tensor of every stream by "part.port", and flags that golden models give."""
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
    """The component of a part: of a unit, without the shell."""
    return core.component() if isinstance(core, StreamUnit) else core.create()
