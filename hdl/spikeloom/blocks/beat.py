"""Payload of every stream that carries tensors."""

from amaranth.lib import data


def beat(shape):
    """Payload of a stream beat: data and the mark of a tensor's last beat."""
    return data.StructLayout({"data": shape, "last": 1})


def drop_last(m, beats, o):
    """Connect a stream of beats to the stream `o` of their data alone."""
    m.d.comb += [
        o.payload.eq(beats.payload.data),
        o.valid.eq(beats.valid),
        beats.ready.eq(o.ready),
    ]
