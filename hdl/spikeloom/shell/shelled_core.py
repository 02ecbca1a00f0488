"""A core behind its registers: the design that a register shell adds to a core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..errors import InputError
from .axi_lite import AxiLite
from .buses import BUSES
from .load_merge import LoadMerge
from .register_file import RegisterFile
from .registers import WORD, core_registers, one_bit_flags, register_loads
from .wishbone import Wishbone

if TYPE_CHECKING:
    from ..contract import Core

STAYS = (1 << WORD) - 1  # of CYCLES


class ShelledCore(Component):
    """A core that is controlled by registers; its streams stay beside them.

    The registers are those of `core_registers`; `docs/use-a-core.md` describes them. Start is
    passed on in the second cycle after the write.

    Parameters
    ----------
    core : any core.
    bus : one of `BUSES`.

    Members
    -------
    irq : Out(1), an interrupt that is enabled is pending.
    the signals of the bus, each with the prefix of its port, as `BUSES` lists them.
    a stream for each port of the core, and for each that it loads once.

    Raises `InputError` if the component of the core has no control ports, or ports that no register
    stands for.
    """

    def __init__(self, core: Core, bus: str) -> None:
        self._config = core
        self._bus = bus
        self._core = core.create()
        check_ports(core, self._core)
        self._registers = core_registers(core)
        members = self._core.signature.members
        self._streams = {name: members[name] for name in members if _is_stream(members[name])}
        ports = {port.name: (In if port.into else Out)(port.bits) for port in BUSES[bus]}
        super().__init__({"irq": Out(1), **ports, **self._streams})

    def elaborate(self, platform):
        m = Module()
        core = self._core

        m.submodules.registers = registers = RegisterFile(self._registers)
        m.submodules.bus = bus = AxiLite() if self._bus == "axi-lite" else Wishbone()
        wiring.connect(m, bus.bus, registers.bus)
        self._connect_bus(m, bus)
        reset = registers.control_reset
        m.submodules.core = ResetInserter(reset)(core)

        loaded = self._connect_streams(m, registers, reset)
        start = Signal()
        refused = Signal()
        done = Signal()
        m.d.comb += [
            start.eq(registers.control_start & ~reset & ~core.busy & loaded),
            refused.eq(registers.control_start & ~start),
            core.start.eq(start),
            registers.status_busy.eq(core.busy | start),
            registers.status_done.eq((done | core.done) & ~start),
        ]
        m.d.sync += done.eq(registers.status_done & ~reset)
        if self._config.takes_seed:
            m.d.comb += core.seed.eq(Cat(registers.seed_low_seed, registers.seed_high_seed))

        cycles = registers.cycles_cycles
        counted = Signal(WORD)
        m.d.comb += cycles.eq(counted)
        with m.If(start | reset):
            m.d.sync += counted.eq(0)
        with m.Elif(core.busy):
            m.d.sync += counted.eq(Mux(counted == STAYS, STAYS, counted + 1))

        self._show_flags(m, registers)
        events = {"done": core.done, "refused": refused}
        for name in one_bit_flags(self._config):
            before = Signal(name=f"{name}_before")
            m.d.sync += before.eq(getattr(core, name))
            events[name] = getattr(core, name) & ~before
        raised = []
        for name, event in events.items():
            m.d.comb += getattr(registers, f"irq_pending_{name}_set").eq(event)
            pending = getattr(registers, f"irq_pending_{name}")
            raised.append(pending & getattr(registers, f"irq_enable_{name}"))
        m.d.sync += self.irq.eq(Cat(raised).any())

        return m

    def _connect_bus(self, m, bus):
        """The flat ports of the bus, and the signals of its component."""
        for port in BUSES[self._bus]:
            if port.path is not None:
                inner: Any = bus
                for name in port.path.split("."):
                    inner = getattr(inner, name)
                outer = getattr(self, port.name)
                m.d.comb += inner.eq(outer) if port.into else outer.eq(inner)

    def _connect_streams(self, m, registers, reset):
        """The streams of the core; returns whether it has what it loads once."""
        core = self._core
        loads = []
        for name, member in self._streams.items():
            outer, inner = getattr(self, name), getattr(core, name)
            if name in register_loads(self._config):
                self._load_by_register(m, registers, reset, name)
            elif member.flow == In:
                wiring.connect(m, wiring.flipped(outer), inner)
            else:
                wiring.connect(m, inner, wiring.flipped(outer))
            if name in self._config.loads:
                complete = Signal(name=f"{name}_complete")
                with m.If(inner.valid & inner.ready):
                    m.d.sync += complete.eq(inner.payload.last)
                with m.If(core.misframed):
                    m.d.sync += complete.eq(0)
                loads.append(complete)
        if not loads:
            return Const(1)
        m.d.comb += registers.status_loaded.eq(Cat(loads).all())
        return registers.status_loaded

    def _load_by_register(self, m, registers, reset, name):
        """Stream `name`, which a register may send as well."""
        port, _ = self._config.loads[name]
        merge = LoadMerge(port.bits, port.frame_beats)
        m.submodules[f"merge_{name}"] = ResetInserter(reset)(merge)
        register = f"load_{name}_{name}"
        m.d.comb += [
            merge.data.eq(getattr(registers, register)),
            merge.en.eq(getattr(registers, f"{register}_en")),
            getattr(registers, f"{register}_room").eq(merge.room),
        ]
        wiring.connect(m, wiring.flipped(getattr(self, name)), merge.i)
        wiring.connect(m, merge.o, getattr(self._core, name))

    def _show_flags(self, m, registers):
        """The flags in their registers."""
        for name, flag in self._config.flags.items():
            value = getattr(self._core, name)
            if flag.bits == 1:
                m.d.comb += getattr(registers, f"flags_{name}").eq(value)
                continue
            low = 0
            for part in self._registers:
                field = part.fields[0]
                if not part.name.startswith("FLAG_") or field.name != name:
                    continue
                shown = getattr(registers, f"{part.name.lower()}_{name}")
                m.d.comb += shown.eq(value[low : low + field.bits])
                low += field.bits


def check_ports(core: Core, component: Component) -> None:
    """Raise `InputError` unless registers can stand for every port of `component`, of `core`."""
    members = component.signature.members
    needed = ["start", "busy", "done", *core.flags]
    if core.takes_seed:
        needed.append("seed")
    if core.loads and "misframed" not in core.flags:
        needed.append("misframed")
    for name in needed:
        if name not in members:
            raise InputError(
                f"{core.NAME}: no port {name}, which a register shell needs; generate it without "
                "--shell"
            )
    streams = {*core.inputs, *core.outputs, *core.loads}
    for name, member in members.items():
        if name not in needed and not (name in streams and _is_stream(member)):
            raise InputError(
                f"{core.NAME}: no register stands for its port {name}; generate it without --shell"
            )


def _is_stream(member):
    return member.is_signature and isinstance(member.signature, stream.Signature)
