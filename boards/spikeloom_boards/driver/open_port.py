"""Open a port by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeloom.errors import InputError, echo
from spikeloom.link.protocol import DEFAULT_BAUD, MAX_BAUD

if TYPE_CHECKING:
    from spikeloom.contract import Core

    from .golden_port import GoldenPort
    from .serial_port import SerialPort
    from .sim_port import SimPort

SIMULATED = ("sim", "golden")  # devices generated from a configuration
TIMEOUT = 0.25  # seconds to wait for device, cable and operating system


def open_port(
    name: str, config: Core | None, baud: int = DEFAULT_BAUD, timeout: float = TIMEOUT
) -> SerialPort | GoldenPort | SimPort:
    """The port called `name`: "sim", "golden" or a serial port.

    Raises `InputError` if a simulated device has no configuration, `PortError` if a serial port
    cannot be opened.
    """
    if name not in SIMULATED:
        from .serial_port import SerialPort

        if not 1 <= baud <= MAX_BAUD:
            raise InputError(f"baud = {echo(baud)} is not allowed; baud must be 1..{MAX_BAUD}")
        return SerialPort(name, baud, timeout)
    if config is None:
        raise InputError(f"--port {name} simulates a device: name its core and keys")
    if name == "golden":
        from .golden_port import GoldenPort

        return GoldenPort(config)
    from .sim_port import SimPort

    return SimPort(config)
