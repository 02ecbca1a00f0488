"""A simulated device: the RTL of a core with its link in Verilator, driven at its UART pins."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from spikeloom.environment import child_environment
from spikeloom.export.verilog import component_to_verilog
from spikeloom.link.frames import FLAG
from spikeloom.link.linked_core import LinkedCore
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom_sim import simulators
from spikeloom_sim.simulators import Verilator

from .errors import PortError

if TYPE_CHECKING:
    from spikeloom.contract import Core

DIVISOR = 8  # cycles per bit; small, for a fast simulation
SILENCE = 100
PORTS = ("clk", "rst", "rx", "tx")  # that the simulation drives and reads

MAIN = Path(simulators.__file__).with_name("uart_bridge.cpp")


class SimPort:
    """Replaces a serial port; time is simulated time.

    Parameters
    ----------
    config : the core's configuration.
    divisor : cycles per bit.
    silence : timeout in byte times.
    """

    name = "sim"

    def __init__(self, config: Core, divisor: int = DIVISOR, silence: int = SILENCE) -> None:
        self._hz = divisor * DEFAULT_BAUD
        self.divisor = divisor
        self._silence = 10 * divisor * silence
        self._process: subprocess.Popen[bytes] | None = None
        self._clock = 0
        self._folder = Path(tempfile.mkdtemp(prefix="spikeloom-"))
        try:
            source = self._folder / "device.v"
            source.write_text(self._verilog(config))
            Verilator.build([source], "device", PORTS, self._folder, main=MAIN)
            self._process = subprocess.Popen(
                [self._folder / "device", str(divisor)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=child_environment(),
            )
        except BaseException:
            self.close()
            raise

    def _verilog(self, config: Core) -> str:
        """The module `device`, with `PORTS`."""
        return component_to_verilog(LinkedCore(config, self._hz, self.divisor), "device").text

    def write(self, data: bytes, period: float | None = None) -> None:
        """Send bytes; `period` is the number of cycles per bit (default: the device's)."""
        bit = round(256 * (period or self.divisor))
        self._send(struct.pack("<cII", b"w", bit, len(data)) + data)

    def read(self) -> bytes:
        """Received bytes, up to a flag; empty after a timeout."""
        return self._run(struct.pack("<cII", b"r", self._silence, FLAG))

    def let_pass(self, cycles: int) -> bytes:
        """Run for a number of cycles; returns the received bytes."""
        return self._run(struct.pack("<cI", b"t", cycles))

    def reset(self, cycles: int = 2) -> bytes:
        """Reset the whole device, including the link; returns the received bytes."""
        return self._run(struct.pack("<cI", b"x", cycles))

    def now(self) -> float:
        """Simulated seconds since the start of the device."""
        return self._clock / self._hz

    @property
    def clock(self) -> int:
        """Clock cycles since the start of the device."""
        return self._clock

    def close(self) -> None:
        """End the simulation and delete its files."""
        if self._process is not None:
            process, stdin, stdout = self._running()
            with suppress(BrokenPipeError):
                stdin.close()
            stdout.close()
            process.wait(10)
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _running(self) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
        """The simulation, its standard input and its standard output."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise PortError("sim: the port is closed; open it again")
        return process, process.stdin, process.stdout

    def _send(self, command):
        _, stdin, _ = self._running()
        with suppress(BrokenPipeError):  # `_run` reports the missing answer
            stdin.write(command)
            stdin.flush()

    def _run(self, command):
        self._send(command)
        process, _, stdout = self._running()
        head = stdout.read(12)
        if len(head) < 12:
            raise PortError(f"sim: the simulation died (exit code {process.wait(10)})")
        self._clock, count = struct.unpack("<QI", head)
        return stdout.read(count)
