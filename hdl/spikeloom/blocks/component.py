"""The base class of every hardware component of Spikeloom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module
from amaranth.lib import wiring


class Component(wiring.Component):
    """An Amaranth component, for type checkers.

    Amaranth turns the members of a signature that is passed to the constructor into attributes when
    the component is made. A type checker cannot see them, so this class tells it that any attribute
    may exist. At run time it is `wiring.Component` and no more.

    The stubs know the initial value of a member by its former name, `reset`; a line with ``init=``
    carries a ``pyright: ignore`` of that one rule.
    """

    if TYPE_CHECKING:

        def elaborate(self, platform: Any) -> Module: ...

        def __getattr__(self, name: str) -> Any: ...
