"""Base class of harnesses: the component under proof, its internal signals and its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Const, Fragment, Module, Shape, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In

from spikeloom.blocks.component import Component
from spikeloom.blocks.loop_nest import LoopNest

from .properties import assume, prove

if TYPE_CHECKING:
    from amaranth.lib import wiring


class Harness(Component):
    """A component whose inputs are top-level ports, driven by the solver.

    Input streams are arbitrary but follow the protocol: a waiting beat is stable. Reset may occur
    at any time, and resets the harness and the component. Subclasses add properties in `check`.
    Outputs are not ports, so that logic without a property is removed.

    Parameters
    ----------
    component : the component under proof, called `dut` inside.
    chosen : bits of numbers, by name, that the solver chooses once.
    """

    def __init__(self, component: Component, **chosen: int) -> None:
        self._chosen = chosen
        self.dut = component
        self._driven = {
            "__".join(map(str, path)): Value.cast(value)
            for path, member, value in component.signature.flatten(component)
            if member.flow == In
        }
        ports = {name: value.shape() for name, value in self._driven.items()} | chosen
        super().__init__({name: In(shape) for name, shape in ports.items()})

    def elaborate(self, platform):
        m = Module()
        self._fragment = Fragment.get(self.dut, platform)
        m.submodules.dut = self._fragment
        m.d.comb += [value.eq(getattr(self, name)) for name, value in self._driven.items()]

        for name, port in self.streams(In).items():
            m.d.comb += assume(steady(m, port, name))
        begun = Signal(reset_less=True)
        m.d.sync += begun.eq(1)
        for name in self._chosen:
            before = Signal.like(getattr(self, name), name=f"{name}_before", reset_less=True)
            m.d.sync += before.eq(getattr(self, name))
            m.d.comb += assume(~begun | (getattr(self, name) == before))
        m.d.comb += [prove(kept) for kept in self._loops_in_step(self._fragment)]
        self.check(m)
        return m

    def _loops_in_step(self, fragment):
        """Invariants of every `LoopNest` in the component: its flags and indices."""
        for nest in fragment.origins or ():
            if isinstance(nest, LoopNest):
                for name, extent in nest.extents.items():
                    if extent > 1:
                        index = getattr(nest, name)
                        yield index < extent
                        yield self._driven_in(fragment, f"{name}_at_first") == (index == 0)
                        yield self._driven_in(fragment, f"{name}_at_last") == (index == extent - 1)
        for part, _, _ in fragment.subfragments:
            yield from self._loops_in_step(part)

    def check(self, m: Module) -> None:
        """Add the properties to module `m`."""
        raise NotImplementedError

    def streams(self, flow: wiring.Flow) -> dict[str, Any]:
        """Input (`In`) or output (`Out`) streams of the component, by name."""
        return {
            name: getattr(self.dut, name)
            for name, member in self.dut.signature.members.items()
            if member.is_signature
            and isinstance(member.signature, stream.Signature)
            and member.flow == flow
        }

    def inside(self, path: str) -> Any:
        """An internal signal of the component, "submodule.submodule.name", for invariants."""
        *folders, name = path.split(".")
        fragment = self._fragment
        for folder in folders:
            fragment = fragment.find_subfragment(folder)
        for origin in fragment.origins or ():
            if hasattr(origin, name):
                return getattr(origin, name)
        return self._driven_in(fragment, name)

    def _driven_in(self, fragment, name):
        """The signal `name` that is driven in `fragment`."""
        for statements in fragment.statements.values():
            for signal in statements._lhs_signals():
                if signal.name == name:
                    return signal
        raise NameError(f"{type(self.dut).__name__} has no signal {name!r}")

    def stored_words(self, path: str, depth: int) -> list[Signal]:
        """The first `depth` words of a memory in the component, for invariants."""
        fragment = self._fragment
        for folder in path.split("."):
            fragment = fragment.find_subfragment(folder)
        words = []
        for address in range(depth):
            word = Signal(Shape.cast(fragment._data.shape).width, name=f"word_{address}")
            fragment.read_port(
                domain="comb",
                addr=Const(address, max(1, (depth - 1).bit_length())),
                data=word,
                en=Const(1),
                transparent_for=(),
            )
            words.append(word)
        return words


def steady(m: Module, port: Any, name: str) -> Value:
    """Whether a beat that waited on stream `port` in the last cycle is valid and unchanged."""
    waited = Signal(name=f"{name}_waited")
    payload = Signal.like(port.payload, name=f"{name}_before", reset_less=True)
    m.d.sync += [waited.eq(port.valid & ~port.ready), payload.eq(port.payload)]
    return ~waited | (port.valid & (Value.cast(port.payload) == Value.cast(payload)))


def moved(port: Any) -> Value:
    """Whether a beat is transferred on stream `port` in this cycle."""
    return port.valid & port.ready
