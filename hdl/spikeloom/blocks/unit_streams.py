"""What `UnitShell` and `Composed` share: units whose streams have ``last`` or not, and which draw
random numbers or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..random.seed_scrambler import SeedScrambler
from .component import Component
from .loop_nest import LoopNest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..port import Port


class RunGate(Component):
    """Lets the beats of one run by.

    Parameters
    ----------
    port : `Port` of the stream.

    Members
    -------
    begin : In(1), a run starts in this cycle.
    step : In(1), a beat is transferred.
    open : Out(1), high from the cycle after `begin` to the last beat of the run.
    """

    def __init__(self, port: Port) -> None:
        self._beats = port.beats
        super().__init__({"begin": In(1), "step": In(1), "open": Out(1)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()

        m.submodules.count = count = LoopNest(beat=self._beats)
        m.d.comb += count.step.eq(self.step)
        with m.If(self.begin):
            m.d.sync += self.open.eq(1)
        with m.Elif(self.step & count.beat_last):
            m.d.sync += self.open.eq(0)

        return m


def payload_data(stream: Any) -> Value:
    """The data of a stream whose payload is {data, last}, or data alone."""
    payload = stream.payload.data if has_last(stream) else stream.payload
    return payload.as_value() if isinstance(payload, data.View) else payload


def has_last(stream: Any) -> bool:
    """Whether the payload of a stream is {data, last}."""
    payload = stream.payload
    shape = payload.shape() if isinstance(payload, data.View) else None
    return isinstance(shape, data.StructLayout) and "last" in shape.members


def seed_units(m: Module, units: Iterable[Any], *, begin: Value, seed: Value, busy: Value) -> Value:
    """Give `units` the scrambled `seed` at `begin`; returns whether their random numbers are
    ready."""
    m.submodules.scrambler = scrambler = SeedScrambler()
    m.d.comb += [
        scrambler.start.eq(begin),
        scrambler.seed.eq(seed),
        scrambler.keep.eq(busy),
    ]
    for unit in units:
        wiring.connect(m, scrambler.seeding, unit.seeding)
    return ~scrambler.busy
