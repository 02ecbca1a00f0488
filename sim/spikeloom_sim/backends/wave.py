"""GTKWave save files beside recorded waveforms."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from vcd.gtkw import GTKWSave

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.export.verilog import VerilogModule

_OURS = "written by spikeloom"
_WINDOW = 1400, 1000
_PIXELS = 850  # of the waves in a window of that size
_FRAME = 200  # pixels that 2^-zoom units of time take
_CONTROL = ("clk", "rst", "start", "busy", "done")


def save_file_of(wave: Path) -> Path:
    """Path of the save file that goes with a waveform: ``run.gtkw`` beside ``run.vcd``."""
    return Path(wave).with_suffix(".gtkw")


def write_gtkw(wave: Path, config: Core, module: VerilogModule, picoseconds: int) -> None:
    """Write a GTKWave save file beside a recorded run: control, flags, input and output streams.

    A save file that the user saved from GTKWave stays as it is.

    Parameters
    ----------
    wave : the waveform; both files may move together.
    config : configuration of the core.
    module : the `VerilogModule` that ran.
    picoseconds : length of the run, all of which the view shows.
    """
    path = save_file_of(wave)
    if path.exists() and _OURS not in path.read_text(errors="replace"):
        return
    widths = {name: width for name, _, width in module.ports}
    flags = [name for name in widths if "_axis_" not in name and name not in (*_CONTROL, "seed")]
    streams = [f"s_axis_{name}" for name in config.inputs]
    streams += [f"m_axis_{name}" for name in config.outputs]
    groups = {"control": [*_CONTROL, "seed"], "flags": flags} | {
        stream: [f"{stream}_{part}" for part in ("tvalid", "tready", "tlast", "tdata")]
        for stream in streams
    }
    with path.open("w") as file:
        save = GTKWSave(file)
        save.comment(_OURS)
        # From two absolute paths GTKWave concludes how one file lies to the other: side by side.
        save.dumpfile(f"/{Path(wave).name}", abspath=False)
        save.savefile(f"/{path.name}", abspath=False)
        save.timestart(0)
        save.size(*_WINDOW)
        save.zoom_markers(-math.log2(picoseconds / _PIXELS * _FRAME))
        save.signals_width(220)
        save.treeopen(f"{module.name}.")
        for label, names in groups.items():
            with save.group(label):
                for name in names:
                    bits = f"[{widths[name] - 1}:0]" if widths[name] > 1 else ""
                    save.trace(f"{module.name}.{name}{bits}", datafmt="hex")
