"""The base class of every hardware component of Spikeloom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module
from amaranth.lib import wiring


class Component(wiring.Component):
    """An Amaranth component, for type checkers.

    Amaranth turns the members of a signature that is passed to the constructor into attributes when
    the component is created. A type checker cannot see them, so this class declares that any
    attribute may exist. At run time it is equivalent to `wiring.Component`.

    The stubs still call the initial value of a member `reset`, so lines with ``init=`` need a
    ``pyright: ignore`` of that rule.
    """

    if TYPE_CHECKING:

        def elaborate(self, platform: Any) -> Module: ...

        def __getattr__(self, name: str) -> Any: ...
