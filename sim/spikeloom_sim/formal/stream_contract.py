"""Stream properties of any component: stable outputs, and inputs that become ready again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import ResetSignal, Signal
from amaranth.lib.wiring import In, Out

from .harness import Harness, steady
from .properties import assume, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module

    from spikeloom.blocks.component import Component


class StreamContract(Harness):
    """Payload and valid of every output stream are stable until the beat is accepted.

    Holds if the peers follow the protocol, for any values of the other inputs. Use mode "prove".

    Parameters
    ----------
    component : the component under proof.
    resets : whether a reset may occur at any time.
    """

    def __init__(self, component: Component, *, resets: bool = True) -> None:
        super().__init__(component)
        self._resets = resets

    def check(self, m: Module) -> None:
        if not self._resets:
            m.d.comb += assume(~ResetSignal())
        for name, port in self.streams(Out).items():
            m.d.comb += prove(steady(m, port, name))


class ReadyComesBack(Harness):
    """If all peers are always valid and ready, no input stream waits for `bound` cycles.

    Parameters
    ----------
    component : the component under proof.
    bound : cycles.
    held : other inputs that are held high, such as "start".
    """

    def __init__(self, component: Component, bound: int, held: Any = ()) -> None:
        super().__init__(component)
        self._bound = bound
        self._held = held

    def check(self, m: Module) -> None:
        m.d.comb += [assume(getattr(self.dut, name)) for name in self._held]
        m.d.comb += assume(~ResetSignal())
        m.d.comb += [assume(port.ready) for port in self.streams(Out).values()]
        for name, port in self.streams(In).items():
            m.d.comb += assume(port.valid)
            waiting = Signal(range(self._bound + 1), name=f"{name}_waiting")
            with m.If(port.ready):
                m.d.sync += waiting.eq(0)
            with m.Elif(waiting != self._bound):
                m.d.sync += waiting.eq(waiting + 1)
            m.d.comb += prove(waiting != self._bound)
