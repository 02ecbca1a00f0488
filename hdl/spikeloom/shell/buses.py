"""The ports of a register shell on each bus."""

from __future__ import annotations

from dataclasses import dataclass

from .registers import ADDRESS_BITS, WORD

BYTES = WORD // 8


@dataclass(frozen=True)
class BusPort:
    """A port of the bus.

    name : of the port. bits : its width. into : whether it is an input. meaning : for documents.
    path : member of the bus interface; None if the port is not used.
    """

    name: str
    bits: int
    into: bool
    meaning: str
    path: str | None


_Row = tuple[str, int, bool, str, str | None]
_ADDRESS = "byte address; the low two bits are ignored"
_RESPONSE = "0: okay, 2: no such register, or the access is not allowed"
_AXI_LITE: tuple[_Row, ...] = (
    ("awaddr", ADDRESS_BITS, True, _ADDRESS, "aw.payload"),
    ("awprot", 3, True, "ignored", None),
    ("awvalid", 1, True, "a write address is offered", "aw.valid"),
    ("awready", 1, False, "it is taken, if valid", "aw.ready"),
    ("wdata", WORD, True, "word to write", "w.payload.data"),
    ("wstrb", BYTES, True, "bytes to write", "w.payload.strb"),
    ("wvalid", 1, True, "write data is offered", "w.valid"),
    ("wready", 1, False, "it is taken, if valid", "w.ready"),
    ("bresp", 2, False, _RESPONSE, "b.payload"),
    ("bvalid", 1, False, "the response to a write is offered", "b.valid"),
    ("bready", 1, True, "it is taken, if valid", "b.ready"),
    ("araddr", ADDRESS_BITS, True, _ADDRESS, "ar.payload"),
    ("arprot", 3, True, "ignored", None),
    ("arvalid", 1, True, "a read address is offered", "ar.valid"),
    ("arready", 1, False, "it is taken, if valid", "ar.ready"),
    ("rdata", WORD, False, "word read", "r.payload.data"),
    ("rresp", 2, False, _RESPONSE, "r.payload.resp"),
    ("rvalid", 1, False, "read data is offered", "r.valid"),
    ("rready", 1, True, "it is taken, if valid", "r.ready"),
)
_WISHBONE: tuple[_Row, ...] = (
    ("cyc", 1, True, "a bus cycle", "cyc"),
    ("stb", 1, True, "a request, held until ack or err", "stb"),
    ("we", 1, True, "the request is a write", "we"),
    ("adr", ADDRESS_BITS - 2, True, "address of a word (byte address / 4)", "adr"),
    ("dat_w", WORD, True, "word to write", "dat_w"),
    ("sel", BYTES, True, "bytes to write", "sel"),
    ("dat_r", WORD, False, "word read, with ack", "dat_r"),
    ("ack", 1, False, "the request is done", "ack"),
    ("err", 1, False, "no such register, or the access is not allowed", "err"),
)


def _ports(prefix: str, rows: tuple[_Row, ...]) -> tuple[BusPort, ...]:
    return tuple(
        BusPort(f"{prefix}_{name}", bits, into, meaning, path)
        for name, bits, into, meaning, path in rows
    )


BUSES = {"axi-lite": _ports("s_axi", _AXI_LITE), "wishbone": _ports("wb", _WISHBONE)}
"""The ports of each bus by its name, in order."""
