"""Backend `board`: the core on a device that is connected to a port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spikeloom.backend import Operands, Progress, Run, silent
from spikeloom.contract import Core
from spikeloom.footprint import check_streams
from spikeloom.link.protocol import DEFAULT_BAUD

from .device import Device
from .open_port import SIMULATED


@dataclass
class Board:
    """A board at serial port `port`, a simulated board ("sim"), or the golden model with the same
    protocol ("golden")."""

    port: str
    baud: int = DEFAULT_BAUD
    name = "board"

    @property
    def fixed(self) -> bool:
        """Whether the core is in a bitstream, so that no key can follow the operands."""
        return self.port not in SIMULATED

    def run(self, core: Core, batch: Sequence[Operands], progress: Progress = silent) -> list[Run]:
        with Device(self.port, core.settled(), baud=self.baud) as device:

            def count(done: int, total: int) -> None:
                progress(len(batch) * done // total, len(batch))

            return run_batch(device, core, batch, count)


def run_batch(
    device: Device, core: Core, batch: Sequence[Operands], progress: Progress = silent
) -> list[Run]:
    """Run `batch` on an open device, run n with ``core.seeded(n)``.

    `progress` is called with the bytes transferred and the total.
    """
    check_streams(core, len(batch))
    seeds = [getattr(core.seeded(n), "seed", 1) for n in range(len(batch))]
    return list(device.runs(batch, seeds, progress=progress))
