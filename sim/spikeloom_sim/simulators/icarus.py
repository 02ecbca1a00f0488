"""Icarus Verilog, if installed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from spikeloom.tools import locate, require, run_program, temporary_files_in


class Icarus:
    """Builds with ``iverilog``; interpreted, so it starts quickly and runs slowly."""

    name = "icarus"

    @staticmethod
    def available() -> bool:
        """Whether it is installed."""
        return locate("iverilog") is not None

    @staticmethod
    def build(
        sources: Sequence[Path],
        top: str,
        ports: Sequence[str],
        folder: Path,
        *,
        waves: Path | None = None,
    ) -> list[str]:
        """Compile Verilog files into ``folder/sim.vvp``; `waves` names a file to record."""
        folder = Path(folder)
        (folder / "timescale.f").write_text("+timescale+1ns/1ps\n")
        options = ["-g2005", "-s", top, "-f", "timescale.f"]
        # Relative names: iverilog passes paths through a shell, which could misread absolute ones.
        files = [os.path.relpath(source, folder) for source in sources]
        if waves:
            dump = folder / "dump.v"
            path = str(Path(waves).resolve()).replace("\\", "\\\\").replace('"', '\\"')
            dump.write_text(
                "module dump;\ninitial begin\n"
                f'$dumpfile("{path}");\n$dumpvars(0, {top});\nend\nendmodule\n'
            )
            options += ["-s", "dump"]
            files.append(dump.name)
        command = [require("iverilog"), "-o", "sim.vvp", *options, *files]
        run_program("iverilog", command, cwd=folder, variables=temporary_files_in("."))
        return []
