"""A core and its host link: the design of a bitstream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from .flash_loader import FlashContents, FlashLoader
from .host_link import HostLink
from .identity import Identity

if TYPE_CHECKING:
    from ..contract import Core


class LinkedCore(Component):
    """The core of a configuration, served over a UART.

    If the board has a flash memory for it, what the core loads comes from there after power-up. If
    the memory holds something else, the host loads it.

    Members
    -------
    rx, tx : In(1), Out(1), the line.
    session : Out(1), a host has identified the device.
    misframed : Out(1), the core's.
    cs, sck, copi, cipo : the flash memory, see `FlashLoader`; only with one.

    Parameters
    ----------
    config : the core's configuration.
    hz : the clock frequency.
    divisor : cycles per bit, see `uart_divisor`.
    flash : address of `FlashContents` in a flash memory; None without one.
    """

    def __init__(self, config: Core, hz: int, divisor: int, flash: int | None = None) -> None:
        self._config = config
        self._address = flash
        self._contents = None if flash is None else FlashContents.of(config)
        memory = {"cs": Out(1), "sck": Out(1), "copi": Out(1), "cipo": In(1)}
        self._hz = hz
        self._divisor = divisor
        super().__init__(
            {
                "rx": In(1, init=1),  # pyright: ignore[reportCallIssue]
                "tx": Out(1, init=1),  # pyright: ignore[reportCallIssue]
                "session": Out(1),
                "misframed": Out(1),
                **(memory if self._contents else {}),
            }
        )

    def elaborate(self, platform):
        m = Module()

        core = self._config.create()
        identity = Identity.of(self._config, self._hz)
        m.submodules.link = link = HostLink(identity, self._divisor)
        reset = link.reset if self._contents is None else Signal()
        m.submodules.core = ResetInserter(reset)(core)
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
            if self._contents is None or name != self._contents.name:
                connect_beats(m, getattr(link, f"o_{name}"), getattr(core, name))
        if self._contents is not None and self._address is not None:
            flash = FlashLoader(self._contents, self._address, self._hz)
            self._load(m, flash, self._contents.name, link, core, reset)
        for name in identity.outputs:
            connect_beats(m, getattr(core, name), getattr(link, f"i_{name}"))

        return m

    def _load(self, m, flash, name, link, core, reset):
        """Stream `name` of the core comes from the flash memory first, and then from the link."""
        m.submodules.flash = flash
        for pin in ("cs", "sck", "copi"):
            m.d.comb += getattr(self, pin).eq(getattr(flash, pin))
        m.d.comb += [flash.cipo.eq(self.cipo), link.preloaded.eq(flash.loaded)]
        # A reset while the core is loaded waits. Otherwise it is in the cycle in which the link
        # discards its results, so that no output of the core is left among them.
        waiting = Signal()
        m.d.sync += waiting.eq((waiting | link.reset) & flash.busy)
        m.d.comb += reset.eq((waiting | link.reset) & ~flash.busy)
        with m.If(flash.busy):
            connect_beats(m, flash.o, getattr(core, name))
        with m.Else():
            connect_beats(m, getattr(link, f"o_{name}"), getattr(core, name))


def connect_beats(m: Module, source: Any, sink: Any) -> None:
    """Connect streams of {data, last} that agree in width but not in the layout of their data."""
    m.d.comb += [
        sink.payload.data.eq(source.payload.data),
        sink.payload.last.eq(source.payload.last),
        sink.valid.eq(source.valid),
        source.ready.eq(sink.ready),
    ]
