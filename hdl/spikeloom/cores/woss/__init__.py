"""Winner-oriented spike shift (`woss`): a softmax of one-spike codes without the division."""

from .core import WossUnit

__all__ = ["WossUnit"]
