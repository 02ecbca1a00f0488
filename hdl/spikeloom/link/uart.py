"""UART, 8N1: asynchronous serial bytes, lowest bit first."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..errors import InputError, echo
from .protocol import MAX_BAUD

LEAST_DIVISOR = 4  # cycles per bit in which a receiver still finds the middle


def uart_divisor(hz: int, baud: int) -> int:
    """Clocks of `hz` per bit of `baud`, rounded to nearest.

    Raises `InputError` where that is off by more than 1 %, or below 4 cycles.
    """
    if not 1 <= baud <= MAX_BAUD:
        raise InputError(f"baud = {echo(baud)} is not allowed; baud must be 1..{MAX_BAUD}")
    divisor = max(LEAST_DIVISOR, round(hz / baud))
    error = hz / divisor / baud - 1
    if abs(error) > 0.01:
        raise InputError(
            f"baud = {baud}: {hz / 1e6:g} MHz / {divisor} is off by {100 * abs(error):.1f} %, more "
            f"than 1 %; choose {hz} divided by {LEAST_DIVISOR} or more"
        )
    return divisor


class UartReceiver(Component):
    """Bytes from a line, each bit sampled once in its middle.

    The middle is counted from the start bit's edge. Nothing is lost as long as the sender's baud is
    off by less than ``(1/2 - 1/divisor) / 9``: 4 % at 8 cycles per bit.

    Members
    -------
    rx : In(1), the line; goes through a synchroniser of two flip-flops.
    o : Out(stream of 8 bits, always ready).
    broken : Out(1), for one cycle in place of a byte that has no stop bit.

    Parameters
    ----------
    divisor : cycles per bit.
    """

    def __init__(self, divisor: int) -> None:
        self._divisor = divisor
        super().__init__(
            {
                "rx": In(1, init=1),  # pyright: ignore[reportCallIssue]
                "o": Out(stream.Signature(8, always_ready=True)),
                "framing_error": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        rx = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.rx, rx, init=1)

        clock = Signal(range(self._divisor))
        tick = Signal()
        m.d.comb += tick.eq(clock == self._divisor - 1)
        m.d.sync += clock.eq(clock + 1)
        with m.If(tick):
            m.d.sync += clock.eq(0)

        byte = Signal(8)
        m.d.comb += self.o.payload.eq(byte)
        m.d.sync += [self.o.valid.eq(0), self.framing_error.eq(0)]
        with m.FSM():
            with m.State("idle"):
                # Half a bit to go, but for the two cycles since the edge and one until it counts.
                m.d.sync += clock.eq(self._divisor - self._divisor // 2 + 1)
                with m.If(~rx):
                    m.next = "start bit"
            with m.State("start bit"), m.If(tick):
                m.d.sync += byte.eq(0x80)  # the one falls out with the eighth bit
                m.next = "data bits"
                with m.If(rx):
                    m.next = "idle"
            with m.State("data bits"), m.If(tick):
                m.d.sync += byte.eq(Cat(byte[1:], rx))
                with m.If(byte[0]):
                    m.next = "stop bit"
            with m.State("stop bit"), m.If(tick):
                m.d.sync += [self.o.valid.eq(rx), self.framing_error.eq(~rx)]
                m.next = "release"
                with m.If(rx):
                    m.next = "idle"
            with m.State("release"), m.If(rx):
                m.next = "idle"

        return m


class UartTransmitter(Component):
    """Bytes onto a line, without a gap where they come in time.

    Members
    -------
    i : In(stream of 8 bits).
    tx : Out(1), the line, straight from a flip-flop.

    Parameters
    ----------
    divisor : cycles per bit.
    """

    def __init__(self, divisor: int) -> None:
        self._divisor = divisor
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})  # pyright: ignore[reportCallIssue]

    def elaborate(self, platform):
        m = Module()

        clock = Signal(range(self._divisor))
        tick = Signal()
        m.d.sync += [tick.eq(clock == self._divisor - 2), clock.eq(clock + 1)]
        with m.If(tick):
            m.d.sync += clock.eq(0)

        # Bits end with the tick, wherever the line is: a byte may wait for it.
        bits = Signal(9)  # what is still to send, a one on top; nothing at 0
        over = Signal()
        m.d.sync += over.eq(bits == 0)
        m.d.comb += self.i.ready.eq(tick & over)
        with m.If(tick & ~over):
            m.d.sync += Cat(self.tx, bits).eq(bits)
        with m.Elif(tick & self.i.valid):
            m.d.sync += Cat(self.tx, bits).eq(Cat(Const(0, 1), self.i.payload, Const(1, 1)))

        return m
