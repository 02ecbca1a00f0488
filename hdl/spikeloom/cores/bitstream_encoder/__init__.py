"""The bitstream encoder (`bitstream_encoder`): values once in, spikes of T time steps out."""

from .core import BitstreamEncoderUnit

__all__ = ["BitstreamEncoderUnit"]
