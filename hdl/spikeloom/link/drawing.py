"""Datapath of the host link, and the fields of a frame."""

from ..drawing import Drawing

FIELDS = {
    "sequence": 1.0,
    "command\n(code)": 1.0,
    "argument\n(state)": 1.0,
    "payload": 3.4,
    "CRC-32": 1.3,
}


def link() -> Drawing:
    """The line, framing, requests and answers, buffers, and a core with inputs q, k and v."""
    d = Drawing("link", 12.4, 4.2)
    d.box(0.7, 3.5, "rx", "stream", 0.8, 0.5, ".")
    d.box(0.7, 1.9, "tx", "stream", 0.8, 0.5, ".")
    d.box(2.1, 3.5, "UART\nreceiver", "logic", 1.3, 0.7, "link.uart_in")
    d.box(3.9, 3.5, "escapes out,\nCRC-32 checked", "logic", 1.3, 0.7, "link.receiver")
    d.box(5.9, 3.5, "request:\nfields, payload", "logic", 1.3, 0.7, "link.request")
    d.box(2.1, 1.9, "UART\ntransmitter", "logic", 1.3, 0.7, "link.uart_out")
    d.box(3.9, 1.9, "escapes in,\nCRC-32 added", "logic", 1.3, 0.7, "link.sender")
    d.box(5.9, 1.9, "answer:\nfields, payload", "logic", 1.3, 0.7, "link.answer")
    for left, right in ((1.15, 1.4), (2.8, 3.2), (4.6, 5.2)):
        d.arrow((left, 3.5), (right, 3.5))
        d.arrow((right, 1.9), (left, 1.9))
    d.box(5.9, 2.7, "sequence, code", "logic", 1.3, 0.4, "link.")
    d.arrow((5.9, 3.12), (5.9, 2.94))
    d.arrow((5.9, 2.46), (5.9, 2.28))

    # Two chunks share a memory.
    for name, y, *memory in (("q", 3.8, "chunks_0"), ("k", 3.2), ("v", 2.6, "chunks_1")):
        parts = [f"link.{part}" for part in (f"buffer_{name}", *memory)]
        d.box(8.2, y, f"chunk of {name}, 256 bytes", "memory", 1.9, 0.4, *parts)
        d.arrow((6.6, 3.5 if y > 2.7 else 3.4), (7.2, y))
        d.arrow((9.2, y), (10.2, y))
    d.box(8.2, 1.9, "output bytes, queue of 512", "memory", 1.9, 0.4, "link.results")
    d.box(8.2, 1.3, "identity, cycle counter", "memory", 1.9, 0.4, "link.identity", "link.")
    d.arrow((7.2, 1.9), (6.6, 1.9))
    d.arrow((10.2, 1.9), (9.2, 1.9))
    d.arrow((7.2, 1.3), (6.6, 1.7))
    d.box(11.1, 2.85, "core", "logic", 1.7, 2.3, "core")

    edge = 1.9
    for text, width in (("7E", 0.5), *FIELDS.items(), ("7E", 0.5)):
        d.box(edge + width / 2, 0.45, text, "field", width, 0.5)
        edge += width + 0.08
    return d
