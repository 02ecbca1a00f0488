"""Program that runs the cocotb suite on a mutant: TOP FOLDER NUMBER; exit code 0 if it passes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..regression import SUITE
from ..simulators.cocotb_run import run_cocotb
from .design import PLUSARG


def main(top: str, folder: str, number: str) -> int:
    environment = {name: os.environ[name] for name in ("SPIKELOOM_CONFIG", "SPIKELOOM_RESETS")}
    arguments = [f"+{PLUSARG}={number}"]
    _, failures = run_cocotb(
        "verilator", top, Path(folder), SUITE, environment=environment, arguments=arguments
    )
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
