"""What can go wrong between a host and a device."""

from spikeloom.errors import JobError


class LinkError(JobError):
    """The device or the line to it failed."""


class PortError(LinkError):
    """The port cannot be opened, or went away."""


class NoAnswerError(LinkError):
    """Nothing, or nothing that makes sense, came back."""


class WrongBitstreamError(LinkError):
    """The device is not configured as the host asks for."""


class SessionLostError(LinkError):
    """The device was reset, or another host has talked to it."""
