"""Payload of every stream that carries tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.lib import data

if TYPE_CHECKING:
    from amaranth.hdl import Module, ShapeLike


def beat(shape: ShapeLike) -> data.StructLayout:
    """Payload of a stream beat: data, and `last` for the last beat of a tensor."""
    return data.StructLayout({"data": shape, "last": 1})


def drop_last(m: Module, beats: Any, o: Any) -> None:
    """Connect a stream of beats to the stream `o`, which carries only their data."""
    m.d.comb += [
        o.payload.eq(beats.payload.data),
        o.valid.eq(beats.valid),
        beats.ready.eq(o.ready),
    ]
