"""Winner-oriented spike shift (`woss`): a softmax of one-spike codes without its division."""

from .core import WossUnit

__all__ = ["WossUnit"]
