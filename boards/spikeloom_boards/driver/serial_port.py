"""A serial port."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import serial
from serial.tools import list_ports

from ..usb import permission_fix
from .errors import PortError

try:
    from termios import error as terminal_error  # not an OSError
except ImportError:  # systems other than POSIX report OSErrors alone
    terminal_error = OSError

LONGEST_FRAME = 600  # bytes, all of them escaped
PATIENCE = 2  # seconds that a port may take no byte, beyond the time of a frame


class SerialPort:
    """The port of the operating system called `name`, 8N1 at `baud`, for one program at a time.

    Whatever the system says against opening, reading or writing it is a `PortError`.

    `timeout`: seconds of silence that count as no answer.
    """

    def __init__(self, name: str, baud: int, timeout: float) -> None:
        self.name = name
        self._serial: serial.Serial | None = None
        try:
            self._serial = serial.Serial(
                name,
                baud,
                timeout=timeout,
                write_timeout=PATIENCE + 10 * LONGEST_FRAME / baud,
                exclusive=True,
            )
            _shorten_latency(self._serial)
            self._serial.reset_input_buffer()
        except (OSError, ValueError, OverflowError, terminal_error) as error:
            self.close()
            raise PortError(f"{name}: {_explain(name, baud, error)}") from None

    def write(self, data: bytes) -> None:
        """Send bytes; returns when they are out."""
        with self._present() as port:
            port.write(data)
            port.flush()

    def read(self) -> bytes:
        """Bytes that have come; none where nothing came for long."""
        with self._present() as port:
            return port.read(max(1, port.in_waiting))

    def now(self) -> float:
        """Seconds."""
        return time.monotonic()

    def close(self) -> None:
        """Give the port back; one that went away has nothing left to give."""
        if self._serial is not None:
            with suppress(OSError, terminal_error):
                self._serial.close()

    @contextmanager
    def _present(self) -> Iterator[serial.Serial]:
        if self._serial is None:
            raise PortError(f"{self.name}: the port is closed; open it again")
        try:
            yield self._serial
        except serial.SerialTimeoutException:
            raise PortError(
                f"{self.name}: the port takes no more bytes; plug the board in again"
            ) from None
        except (OSError, terminal_error) as error:
            raise PortError(
                f"{self.name}: the port went away ({_reason(error)}); plug it in again"
            ) from None


def _shorten_latency(port):
    """Ask the driver to pass on bytes at once; FTDI's waits 16 ms otherwise."""
    # Where the system or the cable cannot, it is slower and no worse.
    with suppress(AttributeError, ValueError, OSError, NotImplementedError):
        port.set_low_latency_mode(True)


def _explain(name, baud, error):
    """Why a port does not open, and what to do."""
    number = getattr(error, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        return f"permission denied; {permission_fix(Path(name))}"
    if number in (errno.EBUSY, errno.EAGAIN):
        return "another program has the port open; close it"
    there = ", ".join(sorted(port.device for port in list_ports.comports())) or "none"
    if number in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ENODEV):
        return f"no such port; ports there are: {there}"
    if number == errno.EISDIR:
        return f"a folder, not a serial port; ports there are: {there}"
    return f"not a serial port that does {baud} baud ({_reason(error)}); ports there are: {there}"


def _reason(error):
    """What the system calls an error, without the names and numbers around it."""
    number = getattr(error, "errno", None)
    if number is None and error.args and isinstance(error.args[0], int):
        number = error.args[0]  # as termios has it
    return os.strerror(number) if number else str(error)
