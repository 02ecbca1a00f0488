"""Verilog of a configured core, and its ports."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  # no stub
from amaranth.hdl import Value
from amaranth.lib.wiring import In

from ..blocks.memory_attributes import LOADED_RAM
from ..tools import run_tool
from .axi_top import AxiTop
from .readable_names import ONCE, free_name, readable_names

if TYPE_CHECKING:
    from ..contract import Core

COLLECT = (
    "proc -nomux -norom; memory_collect; "
    "attrmap -remove generator -remove top -remove src; "
    "attrmap -modattr -remove generator -remove top -remove src"
)
"""Yosys' passes before names are given: registers and memories become cells, blocks stay."""


def module_name(core: Core) -> str:
    """Name of the generated top module."""
    return f"spikeloom_{core.NAME}".replace("-", "_")


@dataclass(frozen=True)
class VerilogModule:
    """A generated module: its name, source text and ports (name, "input" or "output", width)."""

    name: str
    text: str
    ports: tuple

    @property
    def flags(self) -> list[str]:
        """Names of the core's flags: all outputs except busy, done and streams."""
        return [
            name
            for name, flow, _ in self.ports
            if flow == "output" and name not in ("busy", "done") and "_axis_" not in name
        ]


def to_verilog(core: Core) -> VerilogModule:
    """The core as a `VerilogModule` with AXI4-Stream ports; the same text for the same `core`.

    Ports are ``clk``, ``rst`` (synchronous, active high) and those of `AxiTop`.
    """
    return component_to_verilog(AxiTop(core.create()), module_name(core))


def component_to_verilog(component: Any, name: str) -> VerilogModule:
    """Any component as the `VerilogModule` called `name`."""
    ports = [("clk", "input", 1), ("rst", "input", 1)]
    for path, member, value in component.signature.flatten(component):
        flow = "input" if member.flow == In else "output"
        ports.append(("__".join(map(str, path)), flow, len(Value.cast(value))))
    design = without_initial_contents(rtlil.convert(component, name=name, emit_src=False))
    text = _rtlil_to_verilog(design)
    return VerilogModule(name, text, tuple(ports))


_ATTRIBUTES = r"(?:  attribute .*\n)*"
_LOADED = re.compile(
    rf'^  attribute \\ram_style "{LOADED_RAM["ram_style"]}"\n{_ATTRIBUTES}  memory .* (\S+)$',
    re.MULTILINE,
)
_CONTENTS = re.compile(
    rf'^{_ATTRIBUTES}  cell \$meminit_v2 .*\n    parameter \\MEMID "\\(\S+)"\n(?:    .*\n)*  end\n',
    re.MULTILINE,
)


def without_initial_contents(text: str) -> str:
    """Amaranth's RTLIL, in which memories that are loaded after reset have no initial contents.

    Amaranth gives every memory contents. The RAM to which a loaded one is mapped has none.
    """
    return "\nend\n".join(map(_drop_contents, text.split("\nend\n")))


def _drop_contents(module):
    loaded = _LOADED.findall(module)
    if not loaded:
        return module
    return _CONTENTS.sub(lambda cell: "" if cell[1] in loaded else cell[0], module)


def _rtlil_to_verilog(text):
    """Verilog of Amaranth's RTLIL, with readable names."""
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as folder:
        design, verilog = Path(folder) / "design.il", Path(folder) / "design.v"
        design.write_text(text)
        _yosys(folder, f"read_rtlil {design.name}; {COLLECT}; write_rtlil {design.name}")
        design.write_text(readable_names(design.read_text()))
        _yosys(folder, f"read_rtlil {design.name}; write_verilog -norename {verilog.name}")
        modules = verilog.read_text().split("endmodule\n")
        return "endmodule\n".join(map(_complete_memories, map(settle_at_time_0, modules)))


def _yosys(folder, script):
    # Processes are kept, and Yosys warns about each module that has one.
    run_tool("yosys", "-qq", "-p", script, cwd=folder)


# Registers that Yosys adds to a memory: the word read and, for a transparent port, the word written
# and the bits taken from it.
_READ = re.compile(r"^ +(_\d+_) <= (\w+)\[", re.MULTILINE)
_WRITTEN = re.compile(r" = \((_\d+_) & (_\d+_)\) \| \(~\1 & (\w+)_read(?:_\d+)?\);$", re.MULTILINE)


_INITIAL = """  // A block RAM gives 0 before it is read; synthesis must not build that of logic.
  // synthesis translate_off
  initial begin
{}  end
  // synthesis translate_on
"""


def _complete_memories(text):
    """A module in which the registers that Yosys adds are named after their memory, and are 0 in
    simulation until the first read."""
    registers = []

    def name_register(old, wanted):
        registers.append(free_name(wanted, set(re.findall(r"\w+", text))))
        return re.sub(rf"\b{old}\b", registers[-1], text)

    for register, memory in _READ.findall(text):
        text = name_register(register, f"{memory}_read")
    for bits, word, memory in _WRITTEN.findall(text):
        text = name_register(bits, f"{memory}_written_bits")
        text = name_register(word, f"{memory}_written")
    values = "".join(f"    {name} = 0;\n" for name in registers)
    return text + (_INITIAL.format(values) if registers else "")


def settle_at_time_0(text: str) -> str:
    """A module whose combinational blocks all run at time 0, in every simulator and language mode.

    ``always @*`` waits for a change, but an input that is constant from the start never changes.
    Yosys therefore lets every block read a register that changes from x to 0, but it does so in the
    declaration, which SystemVerilog evaluates before any block waits. A non-blocking assignment
    takes effect after all blocks wait.
    """
    text = re.sub(
        r"^  reg (\\\$auto\$verilog_backend\S+)  = 0;$",
        f"  // Changes at time 0, for every always @* to run once.\n"
        f"  reg {ONCE};\n  initial {ONCE} <= 1'b0;",
        text,
        flags=re.MULTILINE,
    )
    text = re.sub(r"\\\$auto\$verilog_backend\S+ ", ONCE, text)
    return re.sub(r"\\(\w+) ", r"\1_", text)  # keywords, which Yosys has to escape
