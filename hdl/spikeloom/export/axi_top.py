"""Top level with AXI4-Stream port names and whole-byte data."""

from __future__ import annotations

from amaranth.hdl import Module, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..errors import unknown


def whole_bytes(bits: int) -> int:
    """The fewest whole bytes that hold `bits`, in bits."""
    return -(-bits // 8) * 8


def power_of_two(bits: int) -> int:
    """The fewest whole bytes that hold `bits`, rounded up to a power of two, in bits."""
    return 1 << (whole_bytes(bits) - 1).bit_length()


TDATA = {"bytes": whole_bytes, "power-of-two": power_of_two}
"""Widths of ``tdata`` by name: function from the data bits of a beat. DMA engines and width
converters for AXI4-Stream take only powers of two."""


class AxiTop(Component):
    """Wraps a core with AXI4-Stream ports.

    Input stream NAME becomes ``s_axis_NAME_{tdata, tvalid, tready, tlast}``, output stream NAME
    ``m_axis_NAME_...``. Data is in the lowest bits; the padding above is ignored at inputs and 0 at
    outputs. Other ports (start, busy, done, ...) are passed through. They come first, then input
    streams, then output streams.

    Parameters
    ----------
    core : component whose streams carry {data, last}.
    tdata : width of ``tdata``, one of `TDATA`.
    """

    def __init__(self, core: Component, tdata: str = "bytes") -> None:
        if tdata not in TDATA:
            raise unknown("tdata", tdata, TDATA)
        self._core = core
        control, streams = {}, {In: {}, Out: {}}
        for name, member in core.signature.members.items():
            if not _is_stream(member):
                control[name] = member
                continue
            flow, back = (In, Out) if member.flow == In else (Out, In)
            bits = len(getattr(core, name).payload.data)
            prefix = _prefix(name, member)
            streams[member.flow] |= {
                f"{prefix}_tdata": flow(TDATA[tdata](bits)),
                f"{prefix}_tvalid": flow(1),
                f"{prefix}_tready": back(1),
                f"{prefix}_tlast": flow(1),
            }
        super().__init__(control | streams[In] | streams[Out])

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self._core

        for name, member in core.signature.members.items():
            inner = getattr(core, name)
            if not _is_stream(member):
                outer = getattr(self, name)
                m.d.comb += inner.eq(outer) if member.flow == In else outer.eq(inner)
                continue
            prefix = _prefix(name, member)
            data, valid, ready, last = (
                getattr(self, f"{prefix}_{part}") for part in ("tdata", "tvalid", "tready", "tlast")
            )
            if member.flow == In:
                m.d.comb += [
                    inner.payload.data.eq(data),
                    inner.payload.last.eq(last),
                    inner.valid.eq(valid),
                    ready.eq(inner.ready),
                ]
            else:
                m.d.comb += [
                    data.eq(Value.cast(inner.payload.data).as_unsigned()),  # padded with 0
                    last.eq(inner.payload.last),
                    valid.eq(inner.valid),
                    inner.ready.eq(ready),
                ]

        return m


def _is_stream(member):
    return member.is_signature and isinstance(member.signature, stream.Signature)


def _prefix(name, member):
    return f"{'s' if member.flow == In else 'm'}_axis_{name}"
