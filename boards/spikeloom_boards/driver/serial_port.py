"""A serial port."""

import errno
import time
from contextlib import contextmanager, suppress

import serial
from serial.tools import list_ports

from .errors import PortError

try:
    import termios

    REFUSED = termios.error  # a driver's, of settings; this is no OSError
except ImportError:  # Windows
    REFUSED = OSError


class SerialPort:
    """The port of the operating system called `name`, 8N1 at `baud`.

    `timeout`: seconds of silence that count as no answer.
    """

    def __init__(self, name, baud, timeout):
        self.name = name
        try:
            self._serial = serial.Serial(name, baud, timeout=timeout, exclusive=True)
            _shorten_latency(self._serial)
            self._serial.reset_input_buffer()
        except (OSError, ValueError, OverflowError, REFUSED) as error:
            raise PortError(_explain(name, baud, error)) from None

    def write(self, data):
        """Send bytes; returns when they are out."""
        with self._present():
            self._serial.write(data)
            self._serial.flush()

    def read(self):
        """Bytes that have come; none where nothing came for long."""
        with self._present():
            return self._serial.read(max(1, self._serial.in_waiting))

    def now(self):
        """Seconds."""
        return time.monotonic()

    def close(self):
        self._serial.close()

    @contextmanager
    def _present(self):
        try:
            yield
        except (OSError, serial.SerialException) as error:
            raise PortError(
                f"{self.name}: the port went away ({error}); plug it in again"
            ) from None


def _shorten_latency(port):
    """Ask the driver to pass on bytes at once; FTDI's waits 16 ms otherwise."""
    # Where the system or the cable cannot, it is slower and no worse.
    with suppress(AttributeError, ValueError, OSError, NotImplementedError):
        port.set_low_latency_mode(True)


def _explain(name, baud, error):
    """One line for a port that does not open."""
    there = ", ".join(sorted(port.device for port in list_ports.comports())) or "none"
    why = {
        errno.ENOENT: f"no such port; ports there are: {there}",
        errno.EACCES: "permission denied; add yourself to the port's group and log in again: "
        "sudo usermod -aG dialout $USER",
        errno.EBUSY: "another program has the port open; close it",
        errno.EAGAIN: "another program has the port open; close it",
    }
    return f"{name}: " + why.get(
        getattr(error, "errno", None), f"not a serial port that does {baud} baud ({error})"
    )
