"""The two sides of a memory of several banks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

if TYPE_CHECKING:
    from amaranth.hdl import ShapeLike
    from amaranth.lib.wiring import Member


class BankWriter(wiring.Signature):
    """Fills banks one after the other, as seen by the writer.

    It reserves a bank while `free` is high, writes it and closes it with its last write.

    Parameters
    ----------
    addr : shape of the address within a bank; 0 where the memory itself knows the place.
    data : shape of a word.
    en : write enables of a word, each for an equal part of it.
    more : further members.

    Members
    -------
    free : In(1), a bank may be reserved.
    reserve : Out(1), take it.
    addr : Out(addr).
    data : Out(data).
    en : Out(en).
    close : Out(1), this cycle's write, if any, is the bank's last.
    """

    def __init__(self, addr: ShapeLike, data: ShapeLike, en: ShapeLike = 1, **more: Member) -> None:
        super().__init__(
            {
                "free": In(1),
                "reserve": Out(1),
                "addr": Out(addr),
                "data": Out(data),
                "en": Out(en),
                "close": Out(1),
                **more,
            }
        )


class BankReader(wiring.Signature):
    """Reads closed banks in the order in which they were closed, as seen by the reader.

    It reads the oldest closed bank while `full` is high, in any order and as often as it likes, and
    hands it back.

    Parameters
    ----------
    addr : shape of the address within a bank.
    data : shape of a word.
    more : further members.

    Members
    -------
    full : In(1), a bank is there to read.
    addr : Out(addr).
    data : In(data), the word at last cycle's `addr`.
    release : Out(1), the bank is no longer needed after this cycle's read.
    """

    def __init__(self, addr: ShapeLike, data: ShapeLike, **more: Member) -> None:
        super().__init__(
            {"full": In(1), "addr": Out(addr), "data": In(data), "release": Out(1), **more}
        )


class BankRoom(wiring.Signature):
    """Reserves banks that something further on fills, as seen by the side that reserves.

    Members
    -------
    free : In(1), a bank may be reserved.
    reserve : Out(1), take it.
    """

    def __init__(self) -> None:
        super().__init__({"free": In(1), "reserve": Out(1)})
