"""Interfaces of the writer and the reader of a memory with several banks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

if TYPE_CHECKING:
    from amaranth.hdl import ShapeLike
    from amaranth.lib.wiring import Member


class BankWriter(wiring.Signature):
    """Fills banks one after the other, as seen by the writer.

    The writer reserves a bank while `free` is high, writes it and closes it with its last write.

    Parameters
    ----------
    addr : shape of the address within a bank; 0 if the memory generates the address.
    data : shape of a word.
    en : shape of the write enables; each enables an equal part of the word.
    more : further members.

    Members
    -------
    free : In(1), a bank is available.
    reserve : Out(1), take the available bank.
    addr : Out(addr), address to write.
    data : Out(data), word to write.
    en : Out(en), write enables.
    close : Out(1), the bank is complete with the write of this cycle, if there is one.
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

    The reader reads the oldest closed bank while `full` is high, in any order and any number of
    times, then releases it.

    Parameters
    ----------
    addr : shape of the address within a bank.
    data : shape of a word.
    more : further members.

    Members
    -------
    full : In(1), a closed bank is available.
    addr : Out(addr), address to read.
    data : In(data), the word at the `addr` of the previous cycle.
    release : Out(1), the read of this cycle is the last one of the bank.
    """

    def __init__(self, addr: ShapeLike, data: ShapeLike, **more: Member) -> None:
        super().__init__(
            {"full": In(1), "addr": Out(addr), "data": In(data), "release": Out(1), **more}
        )


class BankRoom(wiring.Signature):
    """Reserves banks that a later stage fills, as seen by the side that reserves.

    Members
    -------
    free : In(1), a bank is available.
    reserve : Out(1), take the available bank.
    """

    def __init__(self) -> None:
        super().__init__({"free": In(1), "reserve": Out(1)})
