"""Accesses to a register file, as the bus interfaces pass them on."""

from __future__ import annotations

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .registers import ADDRESS_BITS, WORD

WORD_ADDRESS_BITS = ADDRESS_BITS - 2
BYTES = WORD // 8


class RegisterBus(wiring.Signature):
    """Writes and reads of whole words, answered in the same cycle; as seen by the bus interface.

    Members
    -------
    w_en : Out(1), write now. w_addr : Out(10), the word. w_data : Out(32). w_mask : Out(4), the
    bytes to write. w_error : In(1), the write is not allowed and changes nothing.
    r_addr : Out(10), the word to read. r_data : In(32). r_error : In(1), there is none.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "w_en": Out(1),
                "w_addr": Out(WORD_ADDRESS_BITS),
                "w_data": Out(WORD),
                "w_mask": Out(BYTES),
                "w_error": In(1),
                "r_addr": Out(WORD_ADDRESS_BITS),
                "r_data": In(WORD),
                "r_error": In(1),
            }
        )
