"""Cores that process streams without a schedule of their own: neurons, quantisers, encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .contract import Core

if TYPE_CHECKING:
    from .blocks.component import Component
    from .drawing import Drawing


@dataclass(frozen=True, kw_only=True)
class StreamUnit(Core):
    """A core whose component has streams but no start: it processes beats as they arrive.

    `create` wraps the component in a `UnitShell`, which adds the control ports of a core. A
    `Composition` connects the bare components of several units.

    Class members
    -------------
    PASSES_LAST : whether the component passes `last` from its only input to its output.
    """

    PASSES_LAST: ClassVar[bool] = False

    def component(self) -> Component:
        """The bare component: a stream for each port, with or without `last`, and all flags except
        `misframed`.

        A component with a member ``seeding`` (In(Seeding())) receives the scrambled seed at each
        start, and operands after it. A member ``run`` (In(1)) is high from then until the run ends.
        In a composition, an input has `last` if its source has one.
        """
        raise NotImplementedError

    def create(self) -> Component:
        from .blocks.unit_shell import UnitShell

        return UnitShell(self)

    def preload_cycles(self) -> int:
        return 0  # a shell accepts operands only during a run

    def stages(self) -> Drawing:
        from .automatic_drawing import draw_unit

        return draw_unit(self)
