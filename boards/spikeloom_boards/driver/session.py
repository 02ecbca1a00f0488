"""Requests to a device and its answers."""

from __future__ import annotations

from typing import Any

from spikeloom.link.frames import FrameDecoder, encode_frame
from spikeloom.link.protocol import HEADER, Code, Command, State

from .errors import LinkError, NoAnswerError, SessionLostError

TRIES = 8  # number of times a request is sent before giving up
JUNK = 65536  # bytes without a valid answer after which the input is treated as noise


class Session:
    """Sends requests over a port, in order, each until it is answered.

    Members
    -------
    state : of the device, in its last answer. name : of the port.
    """

    def __init__(self, port: Any) -> None:
        self._port = port
        self._decoder = FrameDecoder()
        self._sequence = 0
        self.state = State(0)

    @property
    def name(self) -> str:
        return self._port.name

    def now(self) -> float:
        """Time in seconds, in the port's own time."""
        return self._port.now()

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def ask(self, command: Command, argument: int = 0, payload: bytes = b"") -> tuple[Code, bytes]:
        """Send a request until it is answered; returns the code, OK or BUSY, and the payload.

        Raises `LinkError` for any other code, and where there is no answer.
        """
        self._sequence = (self._sequence + 1) % 256
        frame = encode_frame(bytes([self._sequence, command, argument]) + payload)
        for _ in range(TRIES):
            self._port.write(frame)
            answer = self._answer()
            if answer is not None:
                break
        else:
            raise NoAnswerError(
                f"{self.name}: no answer to {TRIES} requests; is a bitstream with the host "
                "link loaded (spikeloom build, spikeloom flash), and is the baud rate the same as "
                "in its build?"
            )
        code, self.state = answer[1], State(answer[2])
        if code == Code.SEQUENCE:
            raise SessionLostError(
                f"{self.name}: the device was reset, or another program uses it; run again"
            )
        if code not in (Code.OK, Code.BUSY):
            raise LinkError(f"{self.name}: {command.name} was refused (code {code})")
        return Code(code), answer[HEADER:]

    def _answer(self) -> bytes | None:
        """The answer to the latest request, or None on a timeout."""
        junk = 0
        while junk < JUNK:
            data = self._port.read()
            if not data:
                return None
            junk += len(data)
            for content in self._decoder.feed(data):
                if content[0] == self._sequence:
                    return content
        return None
