"""The output encoder (`output_encoder`): codes of sums divided by a normaliser, without a
divider."""

from .core import OutputEncoderUnit

__all__ = ["OutputEncoderUnit"]
