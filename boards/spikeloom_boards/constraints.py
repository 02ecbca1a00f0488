"""Pin and timing constraints of a board as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.build import Attrs, DiffPairs, Pins, Subsignal

from .raw_top import light_ports, tied_ports

if TYPE_CHECKING:
    from .boards.board import Board


def constraints_name(board: Board) -> str:
    """File name of the board's constraints."""
    return f"{board.id}.{board.family.CONSTRAINTS}"


def constraints_text(board: Board) -> str:
    """Constraints for a top module with ports board_clk, led_pass, led_fail, uart_rx, uart_tx, and
    tied_0... for pins that must be driven to a level.

    nextpnr ignores ports that a design does not have.
    """
    family = board.family
    lines = [f"{board.title}: clock, lights and UART"]
    lines += [f"tied_{n}: hold at {level}" for n, level in enumerate(board.tied.values())]
    if board.uart.on_light:
        lines.append("led_pass and uart_tx share a pin: use one of them")
    lines = [f"{family.COMMENT} {line}" for line in lines]
    for port, (pin, attributes) in _pins(board):
        lines += family.constrain_pin(port, pin, attributes)
    lines.append(family.constrain_clock("board_clk", board.oscillator / 1e6))
    return "\n".join(lines) + "\n"


def _pins(board):
    """Ports with their (pin, attributes) on the board."""
    resources = board.make_platform().resources
    yield "board_clk", _pin(resources[board.clock, 0])
    for n, port in enumerate(light_ports(board)):
        yield port, _pin(resources["light", n])
    for n, port in enumerate(tied_ports(board)):
        yield port, _pin(resources["tied", n])
    for part in ("rx", "tx"):
        yield f"uart_{part}", _pin(resources["serial", 0], part)


def _pin(resource: Any, part: str | None = None) -> tuple[str, dict[str, Any]]:
    """(pin name, attributes) of a resource of one pin, or of one part of a resource.

    For a differential pair, nextpnr expects the positive pin.
    """
    io = resource
    if part is not None:
        parts: list[Any] = [io for io in resource.ios if isinstance(io, Subsignal)]
        io = next(io for io in parts if io.name == part)
    pins: Any = next(entry for entry in io.ios if not isinstance(entry, Attrs))
    if isinstance(pins, DiffPairs):
        pins = pins.p  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
    assert isinstance(pins, Pins)
    names = pins.names  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
    return names[0], dict(resource.attrs) | dict(io.attrs)
