"""Cores that are a building block between streams: neurons, quantisers, encoders, products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .contract import Core

if TYPE_CHECKING:
    from .blocks.component import Component
    from .drawing import Drawing


@dataclass(frozen=True, kw_only=True)
class StreamUnit(Core):
    """A core whose component has streams but no start: it works whenever beats come.

    `create` puts it into a `UnitShell`, which gives it the control ports that every core has; a
    `Composition` joins several units as they are.

    Class members
    -------------
    PASSES_LAST : the component's only input and its output have `last`, handed on with each beat.
    """

    PASSES_LAST: ClassVar[bool] = False

    def component(self) -> Component:
        """The bare component: a stream for each port, with or without `last`, and the flags but for
        `misframed`.

        With a member ``seeding`` (In(Seeding())) it is given the scrambled seed at each start, and
        operands after that. A member ``run`` (In(1)) is high from then on to the end of the run. In
        a composition, inputs have `last` where their sources do.
        """
        raise NotImplementedError

    def create(self) -> Component:
        from .blocks.unit_shell import UnitShell

        return UnitShell(self)

    def preload_cycles(self) -> int:
        return 0  # a shell takes operands while a run is on

    def stages(self) -> Drawing:
        from .automatic_drawing import draw_unit

        return draw_unit(self)
