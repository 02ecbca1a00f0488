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
except ImportError:  # systems other than POSIX raise only OSError
    terminal_error = OSError

LONGEST_FRAME = 600  # bytes, all of them escaped
PATIENCE = 2  # seconds without a byte written, beyond the time of a frame


class SerialPort:
    """The operating system's port `name`, 8N1 at `baud`, opened for exclusive use.

    Every system error from opening, reading or writing is raised as a `PortError`.

    `timeout`: seconds to wait for a byte.
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
        """Send bytes; returns after they have been transmitted."""
        with self._present() as port:
            port.write(data)
            port.flush()

    def read(self) -> bytes:
        """Received bytes; empty after a timeout."""
        with self._present() as port:
            return port.read(max(1, port.in_waiting))

    def now(self) -> float:
        """Time in seconds."""
        return time.monotonic()

    def close(self) -> None:
        """Close the port; errors of a disconnected port are ignored."""
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
                f"{self.name}: the port accepts no more bytes; plug the board in again"
            ) from None
        except (OSError, terminal_error) as error:
            raise PortError(
                f"{self.name}: the port was disconnected ({_reason(error)}); plug it in again"
            ) from None


def _shorten_latency(port):
    """Ask the driver to deliver bytes at once; the default of FTDI's is to wait 16 ms."""
    # Optional: without it, the link is only slower.
    with suppress(AttributeError, ValueError, OSError, NotImplementedError):
        port.set_low_latency_mode(True)


def _explain(name, baud, error):
    """Why a port cannot be opened, and what to do."""
    number = getattr(error, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        return f"permission denied; {permission_fix(Path(name))}"
    if number in (errno.EBUSY, errno.EAGAIN):
        return "another program has the port open; close it"
    available = ", ".join(sorted(port.device for port in list_ports.comports())) or "none"
    if number in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ENODEV):
        return f"no such port; available ports: {available}"
    if number == errno.EISDIR:
        return f"a folder, not a serial port; available ports: {available}"
    reason = f"not a serial port that supports {baud} baud ({_reason(error)})"
    return f"{reason}; available ports: {available}"


def _reason(error):
    """The system's text of an error, without file name and number."""
    number = getattr(error, "errno", None)
    if number is None and error.args and isinstance(error.args[0], int):
        number = error.args[0]  # as termios has it
    return os.strerror(number) if number else str(error)
