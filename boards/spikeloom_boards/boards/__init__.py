"""Board definitions, read from the TOML files in this folder."""

from __future__ import annotations

from pathlib import Path

from spikeloom.errors import InputError, unknown
from spikeloom.families import FAMILIES

from .board import Board as Board
from .board import Uart as Uart
from .board import read_boards as read_boards

BOARDS: dict[str, Board] = {}
"""Boards by id, family by family, in the order of their files."""


def add_boards(text: str, where: str) -> list[Board]:
    """Register the boards of a TOML text; see `read_boards`.

    Raises `InputError` also if a board's id is already used.
    """
    boards = read_boards(text, where)
    for board in boards:
        if board.id in BOARDS:
            raise InputError(f"{where}: {board.id}: the board already exists; choose another name")
    BOARDS.update({board.id: board for board in boards})
    order = list(FAMILIES.values())
    known = sorted(BOARDS.values(), key=lambda board: order.index(board.family))
    BOARDS.clear()
    BOARDS.update({board.id: board for board in known})
    return boards


def find_board(name: str) -> Board:
    """The board called `name`. Raises `InputError` that suggests one or lists them all."""
    if name not in BOARDS:
        raise unknown("board", name, BOARDS)
    return BOARDS[name]


def boards_with(usb: tuple[int, int], node: str | None = None) -> list[str]:
    """Ids of the boards programmed through USB device `usb`, a (vendor, product).

    `node` limits them to those that use a device file of that kind.
    """
    return [
        board.id
        for board in BOARDS.values()
        if any(one.usb == usb and node in (None, one.node) for one in board.programmers)
    ]


for _file in sorted(Path(__file__).parent.glob("*.toml")):
    add_boards(_file.read_text(encoding="utf-8"), _file.name)
