"""`spikeloom selftest`: run golden vectors on a board."""

from __future__ import annotations

from typing import Annotated

import typer

from spikeloom.cores import find_core
from spikeloom.errors import InputError
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom_boards.boards import find_board
from spikeloom_boards.driver import Device
from spikeloom_boards.driver.jobs import VECTORS, self_test
from spikeloom_boards.driver.open_port import SIMULATED
from spikeloom_boards.presets import preset_config
from spikeloom_boards.rates import microseconds, number, waiting

from . import completion
from .options import (
    Assignments,
    Baud,
    BoardName,
    ConfigFile,
    Json,
    Port,
    console,
    print_flags,
    print_json,
    settings_of,
    steps,
)


def selftest(
    core: Annotated[
        str | None,
        typer.Argument(
            metavar="CORE",
            help="Core that the board must contain (default: any).",
            show_default=False,
            autocompletion=completion.cores,
        ),
    ] = None,
    port: Port = None,
    board: BoardName = None,
    config: ConfigFile = None,
    set_: Assignments = None,
    baud: Baud = DEFAULT_BAUD,
    json: Json = False,
) -> None:
    """Run golden vectors on a board and compare every bit.

    The core and its keys are read from the board; if you give them, they are checked. A simulated
    board (--port sim) is generated from them.
    """
    if port is None:
        raise InputError("--port is missing; name a serial port, or sim")
    settings = settings_of(config, set_)
    wanted = None
    if core is None and (board or settings):
        raise InputError("--set, --config and --board need a CORE; name it first")
    if core is not None:
        find_core(core)
        if board:
            wanted = preset_config(core, find_board(board), settings)
        elif settings or port in SIMULATED:
            wanted = find_core(core).from_settings(settings)
    with steps(len(VECTORS) + 1, quiet=json) as begin:
        begin(f"open {port}")
        with Device(port, wanted, baud=baud) as device:
            if core is not None:
                device.check_core(find_core(core).NAME)
            if device.config.loads:
                begin(f"load {' and '.join(device.config.loads)}")
                device.load()
            verdicts = self_test(device, begin)
    if json:
        print_json(
            {
                "core": device.config.NAME,
                "config": device.config.as_dict(),
                "mhz": device.hz / 1e6,
                "core_cycles_include": waiting(device.config),
                "runs": [verdict.as_dict() for verdict in verdicts],
            }
        )
        return
    out = console()
    out.print(
        f"{device.config.NAME} at {device.hz / 1e6:g} MHz, built by Spikeloom {device.version}"
    )
    for verdict in verdicts:
        out.print(
            f"  {verdict.name}: {verdict.values:,} values equal; core {verdict.cycles:,} cycles, "
            f"{microseconds(verdict.cycles / device.hz * 1e6)}; with the line "
            f"{microseconds(verdict.seconds * 1e6)}, {number(1 / verdict.seconds)} "
            f"{device.config.RUN}s/s"
        )
    out.print(f"core: {waiting(device.config)}")
    print_flags(verdicts[-1].flags)
