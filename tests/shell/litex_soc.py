"""A LiteX SoC without a CPU: two designs with DMA, a RAM, and a bus master at its pins.

    python litex_soc.py OUT FOLDER=MODULE ...

Each FOLDER is written by `generate`. Writes OUT/soc.v with its memories, and OUT/soc.json: the
addresses of CSRs and memories, and the sources.
"""

import importlib.util
import inspect
import json
import os
import sys
from pathlib import Path

from litex.build.generic_platform import GenericPlatform, Pins, Subsignal
from litex.soc.integration.export import get_csr_json
from litex.soc.integration.soc_core import SoCMini
from litex.soc.interconnect import wishbone
from migen import ClockDomain

SIGNALS = {"adr": 30, "dat_w": 32, "dat_r": 32, "sel": 4, "cyc": 1, "stb": 1, "ack": 1, "we": 1}
SIGNALS |= {"err": 1}


def load(folder, module):
    """The class of the peripheral of a design."""
    path = Path(folder) / "instances" / f"{module}_litex.py"
    spec = importlib.util.spec_from_file_location(f"{module}_litex", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return getattr(found, f"{module.capitalize()}Peripheral")


class SoC(SoCMini):
    """`designs`: name of a peripheral to its class."""

    def __init__(self, platform, designs):
        SoCMini.__init__(self, platform, clk_freq=100e6, integrated_main_ram_size=0x4000)
        self.cd_sys = ClockDomain()
        self.comb += [
            self.cd_sys.clk.eq(platform.request("clk")),
            self.cd_sys.rst.eq(platform.request("rst")),
        ]
        master = wishbone.Interface(data_width=32, adr_width=30)
        pads = platform.request("tester")
        for name in SIGNALS:
            pad, signal = getattr(pads, name), getattr(master, name)
            back = name in ("dat_r", "ack", "err")
            self.comb += pad.eq(signal) if back else signal.eq(pad)
        self.bus.add_master("tester", master)
        add_designs(self, designs)


def add_designs(soc, designs):
    """The peripherals of `designs`, their names to their classes, and pins for their interrupts."""
    for number, (name, kind) in enumerate(designs.items()):
        shelled = "origin" in inspect.signature(kind).parameters
        place = {"origin": 0x80000000 + 0x1000 * number} if shelled else {}
        peripheral = kind(soc, name, **place)
        setattr(soc, name, peripheral)
        soc.comb += soc.platform.request(f"irq_{name}").eq(peripheral.ev.irq)


def main(out, *pairs):
    folders = dict(reversed(pair.split("=")) for pair in pairs)
    io = [("clk", 0, Pins(1)), ("rst", 0, Pins(1))]
    io += [(f"irq_{name}", 0, Pins(1)) for name in folders]
    tester = [Subsignal(name, Pins(" ".join(["X"] * bits))) for name, bits in SIGNALS.items()]
    platform = GenericPlatform("sim", [*io, ("tester", 0, *tester)], name="soc")
    soc = SoC(platform, {name: load(folder, name) for name, folder in folders.items()})
    soc.finalize()
    platform.finalize(soc)
    os.chdir(out)
    # Icarus does not settle the combinational blocks that LiteX writes for synthesis.
    platform.get_verilog(soc, name="soc", regular_comb=False).write("soc.v")
    described = json.loads(get_csr_json(soc.csr_regions, soc.constants, soc.mem_regions))
    sources = [str(source[0]) for source in platform.sources]
    Path("soc.json").write_text(json.dumps(described | {"sources": sources}))


if __name__ == "__main__":
    main(*sys.argv[1:])
