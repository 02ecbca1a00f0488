"""The host's end of the link: a core on a board, in simulation or in NumPy behind one class."""

from .device import Device
from .errors import LinkError, NoAnswer, PortError, SessionLost, WrongBitstream

__all__ = ["Device", "LinkError", "NoAnswer", "PortError", "SessionLost", "WrongBitstream"]
