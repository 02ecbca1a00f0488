"""A LiteX SoC with a PicoRV32, whose program is in ROM, and designs with DMA.

    python riscv_soc.py OUT COMPILER FOLDER=MODULE ...

Each FOLDER is written by `generate`. Compiles riscv/program.c with OUT/vectors.h and the headers of
LiteX and of the designs; writes OUT/soc.v with its memories, and OUT/soc.json: the sources.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import litex
from litex.build.generic_platform import GenericPlatform, Pins
from litex.gen import LiteXModule
from litex.soc.integration import export
from litex.soc.integration.common import get_mem_data
from litex.soc.integration.soc_core import SoCCore
from litex.soc.interconnect.csr import CSRStorage
from litex_soc import add_designs, load
from migen import ClockDomain

PROGRAM = Path(__file__).with_name("riscv")
FLAGS = ["-march=rv32i", "-mabi=ilp32", "-Os", "-Wall", "-Wextra", "-Werror"]
FLAGS += ["-ffreestanding", "-fno-builtin", "-fno-tree-loop-distribute-patterns", "-nostdlib"]


class Verdict(LiteXModule):
    """What the program tells the simulation."""

    def __init__(self, pads):
        self.code = CSRStorage(8)
        self.comb += pads.eq(self.code.storage)


class SoC(SoCCore):
    """`designs`: name of a peripheral to its class."""

    def __init__(self, platform, designs):
        SoCCore.__init__(
            *(self, platform),
            clk_freq=100e6,
            cpu_type="picorv32",
            cpu_variant="minimal",
            integrated_rom_size=0x4000,
            integrated_sram_size=0x1000,
            with_uart=False,
            with_timer=False,
        )
        self.cd_sys = ClockDomain()
        self.comb += [
            self.cd_sys.clk.eq(platform.request("clk")),
            self.cd_sys.rst.eq(platform.request("rst")),
        ]
        self.verdict = Verdict(platform.request("verdict"))
        add_designs(self, designs)


def compile_program(soc, compiler, folders):
    """The words of the program, compiled in the current folder."""
    Path("generated").mkdir()
    headers = {
        "generated/soc.h": export.get_soc_header(soc.constants),
        "generated/csr.h": export.get_csr_header(soc.csr_regions, soc.constants),
        "generated/mem.h": export.get_mem_header(soc.mem_regions),
        "regions.ld": export.get_linker_regions(soc.mem_regions),
    }
    for name, text in headers.items():
        Path(name).write_text(text)
    package = Path(litex.__file__).parent / "soc"
    searched = [Path(), *(Path(folder) / "registers" for folder in folders)]
    searched += [package / "software" / "include", package / "cores" / "cpu" / "picorv32"]
    subprocess.run(
        [
            *(compiler, *FLAGS, *(f"-I{folder}" for folder in searched), "-L."),
            *("-T", PROGRAM / "program.ld", PROGRAM / "program.c", "-o", "program.elf"),
        ],
        check=True,
    )
    objcopy = compiler.removesuffix("gcc") + "objcopy"
    subprocess.run([objcopy, "-O", "binary", "program.elf", "program.bin"], check=True)
    return get_mem_data("program.bin", data_width=32, endianness="little")


def settled(text):
    """Verilog of LiteX whose combinational blocks run at the start: Icarus runs one only when an
    input of it changes."""
    ports, separator, rest = text.partition("\n);\n")
    start = "reg at_time_0 = 1'd0;\ninitial at_time_0 <= 1'd1;\n"
    blocks = rest.replace("always @(*) begin", "always @(*) begin\n    if (at_time_0) begin end")
    return ports + separator + start + blocks


def main(out, compiler, *pairs):
    folders = dict(reversed(pair.split("=")) for pair in pairs)
    io = [("clk", 0, Pins(1)), ("rst", 0, Pins(1)), ("verdict", 0, Pins(8))]
    io += [(f"irq_{name}", 0, Pins(1)) for name in folders]
    platform = GenericPlatform("sim", io, name="soc")
    soc = SoC(platform, {name: load(folder, name) for name, folder in folders.items()})
    soc.finalize()
    platform.finalize(soc)
    os.chdir(out)
    soc.init_rom("rom", compile_program(soc, compiler, folders.values()), auto_size=False)
    # Icarus does not settle the combinational blocks that LiteX writes for synthesis.
    platform.get_verilog(soc, name="soc", regular_comb=False).write("soc.v")
    Path("soc.v").write_text(settled(Path("soc.v").read_text()))
    sources = [str(source[0]) for source in platform.sources]
    Path("soc.json").write_text(json.dumps({"sources": sources}))


if __name__ == "__main__":
    main(*sys.argv[1:])
