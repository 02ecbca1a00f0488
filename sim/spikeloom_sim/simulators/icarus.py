"""Icarus Verilog, where the system has it."""

from pathlib import Path

from spikeloom.tools import locate, require, run_tool


class Icarus:
    """Builds with ``iverilog``; interprets, so it starts at once and runs slowly."""

    name = "icarus"

    @staticmethod
    def available():
        """Whether it is installed."""
        return locate("iverilog") is not None

    @staticmethod
    def build(sources, top, ports, folder, *, waves=None):
        """Compile Verilog files into ``folder/sim.vvp``; `waves` names a file to record."""
        require("iverilog")
        folder = Path(folder)
        (folder / "timescale.f").write_text("+timescale+1ns/1ps\n")
        options = ["-g2005", "-s", top, "-f", folder / "timescale.f"]
        sources = list(sources)
        if waves:
            dump = folder / "dump.v"
            dump.write_text(
                "module dump;\ninitial begin\n"
                f'$dumpfile("{Path(waves).resolve()}");\n$dumpvars(0, {top});\nend\nendmodule\n'
            )
            options += ["-s", "dump"]
            sources.append(dump)
        run_tool("iverilog", "-o", folder / "sim.vvp", *options, *sources)
        return []
