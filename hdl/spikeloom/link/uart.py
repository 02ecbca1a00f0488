"""UART, 8N1: asynchronous serial bytes, lowest bit first."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..errors import InputError, echo
from .protocol import MAX_BAUD

LEAST_DIVISOR = 4  # cycles per bit that a receiver needs to find the middle


def uart_divisor(hz: int, baud: int) -> int:
    """Cycles of a clock of `hz` per bit at `baud`, rounded to nearest.

    Raises `InputError` if the resulting rate is wrong by more than 1 %, or for less than 4 cycles.
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
    """Receives bytes from a line and samples each bit once, in its middle.

    The position of the middle is counted from the edge of the start bit. The receiver tolerates an
    error of the baud rate of up to ``(1/2 - 1/divisor) / 9``: 4 % at 8 cycles per bit.

    Members
    -------
    rx : In(1), the line; synchronised by two flip-flops.
    o : Out(stream of 8 bits, always ready).
    framing_error : Out(1), high for one cycle in place of a byte without a stop bit.

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
                # Wait half a bit, less the two cycles since the edge and one until the counter
                # runs.
                m.d.sync += clock.eq(self._divisor - self._divisor // 2 + 1)
                with m.If(~rx):
                    m.next = "start bit"
            with m.State("start bit"), m.If(tick):
                m.d.sync += byte.eq(0x80)  # the one is shifted out with the eighth bit
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
    """Sends bytes over a line, without gaps while the input is valid.

    Members
    -------
    i : In(stream of 8 bits).
    tx : Out(1), the line, driven by a flip-flop.

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

        # The tick runs freely; a byte starts with the next tick.
        bits = Signal(9)  # bits still to send, with a one above them; 0 if there are none
        over = Signal()
        m.d.sync += over.eq(bits == 0)
        m.d.comb += self.i.ready.eq(tick & over)
        with m.If(tick & ~over):
            m.d.sync += Cat(self.tx, bits).eq(bits)
        with m.Elif(tick & self.i.valid):
            m.d.sync += Cat(self.tx, bits).eq(Cat(Const(0, 1), self.i.payload, Const(1, 1)))

        return m
