"""docs/boards.md says of every board what its data says."""

from pathlib import Path
from textwrap import dedent

import pytest

from spikeloom_boards.boards import BOARDS, read_boards
from spikeloom_boards.constraints import constraints_text
from spikeloom_boards.usb import udev_rule

PAGE = (Path(__file__).parents[2] / "docs" / "boards.md").read_text()


def board_row(board):
    """The board's row in the page's first table."""
    ways = " or ".join(f"`{' '.join((one.tool, *one.arguments))}`" for one in board.programmers)
    into = ", ".join(dict.fromkeys(one.into for one in board.programmers))
    return f"| `{board.id}` | {board.title} | {board.device.name} | {ways} | {into} |"


def serial_row(board):
    """The board's row in the table of serial ports; pins are those of the constraints."""
    lines = constraints_text(board).replace('"', "").replace(";", "").splitlines()
    words = " ".join(line for line in lines if not line.startswith("#")).split()
    rx, tx = (
        words[words.index(port) + (2 if words[words.index(port) + 1] == "SITE" else 1)]
        for port in ("uart_rx", "uart_tx")
    )
    notes = " ".join(filter(None, (board.before_flash, board.notes))) or "-"
    return f"| `{board.id}` | {rx} | {tx} | {board.uart.note} | {notes} |"


@pytest.mark.parametrize("board", BOARDS)
def test_rows(board):
    assert board_row(BOARDS[board]) in PAGE
    assert serial_row(BOARDS[board]) in PAGE


def test_udev_rules():
    devices = {one.usb for board in BOARDS.values() for one in board.programmers}
    for usb in devices:
        assert udev_rule(usb) in PAGE


def test_board_of_ones_own():
    """The example is a board that can be built for."""
    table = PAGE.partition("    [my-board]\n")[2].partition("\n## ")[0]
    (board,) = read_boards("[my-board]\n" + dedent(table), "docs/boards.md")
    assert constraints_text(board).count("set_io") == 5
