"""The hardware of a list of registers: address decoder, storage, interrupts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Value
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from .register_bus import RegisterBus
from .registers import Access, Field, Register

if TYPE_CHECKING:
    from amaranth.lib.wiring import Member


class RegisterFile(Component):
    """Registers behind a `RegisterBus`.

    A write to an address without a register, or to one that is read-only, is an error; so is a read
    where there is none. Bytes that a write leaves out keep their value, and count as 0 for fields
    that act on a 1. A field `Access.PUSH` takes a write only with all its bytes, and while it has
    room; another write to it is an error.

    Parameters
    ----------
    registers : of different addresses.

    Members
    -------
    bus : In(RegisterBus()).
    For each field FIELD of a register NAME, in lower case:
    name_field : In, the value of `Access.READ`; Out, that of `Access.STORE`; Out, `Access.PULSE`
        in the cycle after the write; Out, the pending events of `Access.EVENT`; Out, the data of
        `Access.PUSH` in the cycle of the write.
    name_field_set : In, events of `Access.EVENT`.
    name_field_en, name_field_room : Out(1), In(1), a write to `Access.PUSH`, and whether it is
        possible.
    """

    def __init__(self, registers: Sequence[Register]) -> None:
        self._registers = registers
        members: dict[str, Member] = {"bus": In(RegisterBus())}
        for register in registers:
            for field in register.fields:
                members |= _members(register, field)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        bus = self.bus

        # Reads.
        m.d.comb += bus.r_error.eq(1)
        with m.Switch(bus.r_addr):
            for register in self._registers:
                with m.Case(register.offset // 4):
                    m.d.comb += bus.r_error.eq(0)
                    for field in register.fields:
                        place = bus.r_data[field.low : field.low + field.bits]
                        m.d.comb += place.eq(self._read(register, field))

        # What happens without a write.
        for register in self._registers:
            for field in register.fields:
                name = member_name(register, field)
                if field.access is Access.PULSE:
                    m.d.sync += getattr(self, name).eq(0)
                elif field.access is Access.EVENT:
                    pending = getattr(self, name)
                    m.d.sync += pending.eq(pending | getattr(self, f"{name}_set"))

        # Writes.
        m.d.comb += bus.w_error.eq(1)
        with m.Switch(bus.w_addr):
            for register in self._registers:
                if register.writable:
                    with m.Case(register.offset // 4):
                        m.d.comb += bus.w_error.eq(0)
                        for field in register.fields:
                            self._write(m, register, field)

        return m

    def _read(self, register: Register, field: Field) -> Value | int:
        if field.access is Access.FIXED:
            return field.reset
        if field.access in (Access.PULSE, Access.PUSH):
            return 0
        return getattr(self, member_name(register, field))

    def _write(self, m: Module, register: Register, field: Field) -> None:
        """The effect of a write to `register`, whose address is decoded."""
        bus = self.bus
        name = member_name(register, field)
        place = slice(field.low, field.low + field.bits)
        mask = Cat(bit.replicate(8) for bit in bus.w_mask)[place]
        value = bus.w_data[place]
        if field.access is Access.PUSH:
            bytes_ = bus.w_mask[field.low // 8 : -(-(field.low + field.bits) // 8)]
            taken = bytes_.all() & getattr(self, f"{name}_room")
            m.d.comb += [
                getattr(self, name).eq(value),
                getattr(self, f"{name}_en").eq(bus.w_en & taken),
                bus.w_error.eq(~taken),
            ]
            return
        if field.access in (Access.FIXED, Access.READ):
            return
        stored = getattr(self, name)
        with m.If(bus.w_en):
            if field.access is Access.STORE:
                m.d.sync += stored.eq((stored & ~mask) | (value & mask))
            elif field.access is Access.PULSE:
                m.d.sync += stored.eq(value & mask)
            else:
                kept = stored & ~(value & mask)
                m.d.sync += stored.eq(kept | getattr(self, f"{name}_set"))


def member_name(register: Register, field: Field) -> str:
    """Name of the member of a `RegisterFile` for `field` of `register`."""
    return f"{register.name}_{field.name}".lower()


def _members(register: Register, field: Field) -> dict[str, Member]:
    name = member_name(register, field)
    match field.access:
        case Access.FIXED:
            return {}
        case Access.READ:
            return {name: In(field.bits)}
        case Access.EVENT:
            return {name: Out(field.bits), f"{name}_set": In(field.bits)}
        case Access.PUSH:
            return {name: Out(field.bits), f"{name}_en": Out(1), f"{name}_room": In(1)}
        case _:
            return {name: Out(field.bits, init=field.reset)}  # pyright: ignore[reportCallIssue]
