"""Cores that process streams without a schedule of their own: neurons, quantisers, encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .contract import Core

if TYPE_CHECKING:
    from .blocks.component import Component
    from .drawing import Drawing


@dataclass(frozen=True, kw_only=True)
class StreamUnit(Core):
    """A core whose component has streams but no start: it processes beats as they arrive.

    `create` wraps the component in a `UnitShell`, which adds the control ports of a core. A
    `Composition` connects the bare components of several units.
    """

    def component(self) -> Component:
        """The bare component: a stream for each port, and all flags except `misframed`."""
        raise NotImplementedError

    def create(self) -> Component:
        from .blocks.unit_shell import UnitShell

        return UnitShell(self)

    def preload_cycles(self) -> int:
        return 0  # a shell accepts operands only during a run

    def stages(self) -> Drawing:
        from .automatic_drawing import draw_unit

        return draw_unit(self)
