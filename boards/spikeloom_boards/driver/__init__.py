"""The host's end of the link: a core on a board, in simulation or in NumPy behind one class."""

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
