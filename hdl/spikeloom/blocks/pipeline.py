"""Pipeline registers with a common clock enable."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from amaranth.hdl import Signal, Value

if TYPE_CHECKING:
    from amaranth.hdl import Module, ValueLike


class Pipeline:
    """Creates registers in module `m` that load while `advance` is high and hold otherwise.

    Without `advance` they load in every cycle.
    """

    def __init__(self, m: Module, advance: ValueLike | None = None) -> None:
        self._m = m
        self.advance = advance

    def register(self, value: Value, name: str, *, reset_less: bool = True) -> Signal:
        """`value` delayed by one cycle, in a register called `name`."""
        register = Signal(len(Value.cast(value)), name=name, reset_less=reset_less)
        with nullcontext() if self.advance is None else self._m.If(self.advance):
            self._m.d.sync += register.eq(value)
        return register

    def delay(self, value: Value, cycles: int, name: str, *, reset_less: bool = True) -> Value:
        """`value` delayed by any number of cycles."""
        for n in range(cycles):
            value = self.register(value, f"{name}_{n}", reset_less=reset_less)
        return value
