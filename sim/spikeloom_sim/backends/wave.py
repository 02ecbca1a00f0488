"""GTKWave save files for recorded waveforms."""

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
_PIXELS = 850  # width of the waves in a window of that size
_FRAME = 200  # pixels per 2^-zoom units of time
_CONTROL = ("clk", "rst", "start", "busy", "done")


def save_file_of(wave: Path) -> Path:
    """Path of the save file of a waveform: ``run.gtkw`` for ``run.vcd``."""
    return Path(wave).with_suffix(".gtkw")


def write_gtkw(wave: Path, config: Core, module: VerilogModule, picoseconds: int) -> None:
    """Write the GTKWave save file of a recorded run: control, flags, input and output streams.

    A save file that was saved from GTKWave is not overwritten.

    Parameters
    ----------
    wave : the waveform; both files can be moved together.
    config : configuration of the core.
    module : the `VerilogModule` that ran.
    picoseconds : length of the run; the view shows all of it.
    """
    path = save_file_of(wave)
    if path.exists() and _OURS not in path.read_text(errors="replace"):
        return
    widths = {name: width for name, _, width in module.ports}
    flags = [name for name in widths if "_axis_" not in name and name not in (*_CONTROL, "seed")]
    streams = [f"s_axis_{name}" for name in (*config.loads, *config.inputs)]
    streams += [f"m_axis_{name}" for name in config.outputs]
    groups = {"control": [*_CONTROL, "seed"], "flags": flags} | {
        stream: [f"{stream}_{part}" for part in ("tvalid", "tready", "tlast", "tdata")]
        for stream in streams
    }
    with path.open("w") as file:
        save = GTKWSave(file)
        save.comment(_OURS)
        # GTKWave derives the relative path from two absolute ones: the same folder.
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
