"""GTKWave save files beside recorded waveforms."""

from pathlib import Path

from vcd.gtkw import GTKWSave

from spikeloom.export.verilog import module_name


def write_gtkw(path, wave, config):
    """Write a GTKWave save file for a recorded run: control, input streams, output stream.

    `wave` is the waveform's file name as seen from the save file's folder.
    """
    top = module_name(config)
    with Path(path).open("w") as file:
        save = GTKWSave(file)
        save.dumpfile(wave)
        save.treeopen(f"{top}.")
        with save.group("control"):
            for name in ("clk", "rst", "start", "busy", "done"):
                save.trace(f"{top}.{name}")
        streams = [f"s_axis_{name}" for name in config.inputs]
        streams += [f"m_axis_{name}" for name in config.outputs]
        for stream in streams:
            with save.group(stream):
                for part in ("tvalid", "tready", "tlast", "tdata"):
                    save.trace(f"{top}.{stream}_{part}", datafmt="hex")
