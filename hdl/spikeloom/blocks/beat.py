"""Payload of every stream that carries tensors."""

from amaranth.lib import data


def beat(shape):
    """Payload of a stream beat: data and the mark of a tensor's last beat."""
    return data.StructLayout({"data": shape, "last": 1})
