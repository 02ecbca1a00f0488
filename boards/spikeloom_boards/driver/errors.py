"""Errors of the link between host and device."""

from spikeloom.errors import JobError


class LinkError(JobError):
    """The device or the line to it failed."""


class PortError(LinkError):
    """The port cannot be opened, or was disconnected."""


class NoAnswerError(LinkError):
    """The device sent no valid answer."""


class WrongBitstreamError(LinkError):
    """The device has a different core or configuration than requested."""


class SessionLostError(LinkError):
    """The device was reset, or used by another host."""
