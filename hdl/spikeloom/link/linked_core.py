"""A core and its host link: the design of a bitstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Module, ResetInserter
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from .host_link import HostLink
from .identity import Identity

if TYPE_CHECKING:
    from ..contract import Core


class LinkedCore(Component):
    """The core of a configuration, served over a UART.

    Members
    -------
    rx, tx : In(1), Out(1), the line.
    session : Out(1), a host has identified the device.
    misframed : Out(1), the core's.

    Parameters
    ----------
    config : the core's configuration.
    hz : the clock frequency.
    divisor : cycles per bit, see `uart_divisor`.
    """

    def __init__(self, config: Core, hz: int, divisor: int) -> None:
        self._config = config
        self._hz = hz
        self._divisor = divisor
        super().__init__(
            {
                "rx": In(1, init=1),  # pyright: ignore[reportCallIssue]
                "tx": Out(1, init=1),  # pyright: ignore[reportCallIssue]
                "session": Out(1),
                "misframed": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        core = self._config.create()
        identity = Identity.of(self._config, self._hz)
        m.submodules.link = link = HostLink(identity, self._divisor)
        m.submodules.core = ResetInserter(link.reset)(core)
        m.d.comb += [
            link.rx.eq(self.rx),
            self.tx.eq(link.tx),
            core.start.eq(link.start),
            link.busy.eq(core.busy),
            self.session.eq(link.session),
            self.misframed.eq(core.misframed),
        ]
        if self._config.takes_seed:
            m.d.comb += core.seed.eq(link.seed)
        for name in identity.flags:
            m.d.comb += getattr(link, f"flag_{name}").eq(getattr(core, name))
        for name in identity.inputs:
            _pass(m, getattr(link, f"o_{name}"), getattr(core, name))
        for name in identity.outputs:
            _pass(m, getattr(core, name), getattr(link, f"i_{name}"))

        return m


def _pass(m, source, sink):
    """Connect streams of {data, last} that agree in width but not in the layout of their data."""
    m.d.comb += [
        sink.payload.data.eq(source.payload.data),
        sink.payload.last.eq(source.payload.last),
        sink.valid.eq(source.valid),
        source.ready.eq(sink.ready),
    ]
