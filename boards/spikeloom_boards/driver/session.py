"""Requests to a device and its answers."""

from __future__ import annotations

from typing import Any

from spikeloom.link.frames import FrameDecoder, encode_frame
from spikeloom.link.protocol import HEADER, Code, Command, State

from .errors import LinkError, NoAnswerError, SessionLostError

TRIES = 8  # number of times a request is sent before giving up
MAY_BE_BUSY = (Command.WRITE, Command.START, Command.READ)
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

    def ask(
        self,
        command: Command,
        argument: int = 0,
        payload: bytes = b"",
        *,
        answer: int | None = 0,
    ) -> tuple[Code, bytes]:
        """Send a request until it is answered; returns the code, OK or BUSY, and the payload, which
        has `answer` bytes if the code is OK (None: any number), else none.

        Raises `LinkError` for any other code or size, and where there is no answer.
        """
        self._sequence = (self._sequence + 1) % 256
        frame = encode_frame(bytes([self._sequence, command, argument]) + payload)
        for _ in range(TRIES):
            self._port.write(frame)
            content = self._answer()
            if content is not None:
                break
        else:
            raise NoAnswerError(
                f"{self.name}: no answer to {TRIES} requests; is a bitstream with the host "
                "link loaded (spikeloom build, spikeloom flash), and is the baud rate the same as "
                "in its build?"
            )
        code, self.state = content[1], State(content[2])
        if code == Code.SEQUENCE:
            raise SessionLostError(
                f"{self.name}: the device was reset, or another program uses it; run again"
            )
        if code != Code.OK and (code != Code.BUSY or command not in MAY_BE_BUSY):
            raise LinkError(f"{self.name}: {command.name} was refused (code {code})")
        data, size = content[HEADER:], answer if code == Code.OK else 0
        if size not in (None, len(data)):
            raise LinkError(
                f"{self.name}: {command.name} was answered with {len(data)} bytes, not {size}; "
                "build the bitstream anew with this version of Spikeloom"
            )
        return Code(code), data

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
