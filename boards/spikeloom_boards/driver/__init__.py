"""The host side of the link: one class for a core on a board, in simulation or in NumPy."""

from .device import Device
from .errors import LinkError, NoAnswerError, PortError, SessionLostError, WrongBitstreamError

__all__ = [
    "Device",
    "LinkError",
    "NoAnswerError",
    "PortError",
    "SessionLostError",
    "WrongBitstreamError",
]
