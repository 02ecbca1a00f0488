"""The output encoder (`output_encoder`): codes of sums divided by a normaliser, no division."""

from .core import OutputEncoderUnit

__all__ = ["OutputEncoderUnit"]
