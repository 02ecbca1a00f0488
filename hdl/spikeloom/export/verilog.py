"""Verilog of a configured core, and its ports."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  # no stub
from amaranth.hdl import Value
from amaranth.lib.wiring import In

from ..blocks.memory_attributes import LOADED_RAM
from ..errors import unknown
from ..shell.buses import BUSES
from ..shell.shelled_core import ShelledCore
from ..tools import run_tool
from .axi_top import AxiTop
from .comments import Elaborated, contract_comments, mark_contracts
from .design_name import check_keyword, check_name
from .interfaces import RESETS, interface_attributes, reset_called
from .module_text import initial_statements, ports_in_header
from .readable_names import ONCE, free_name, readable_names

if TYPE_CHECKING:
    from ..contract import Core
    from ..families import Family, Part

COLLECT = (
    "proc -nomux -norom; memory_collect; "
    "attrmap -remove generator -remove top -remove src; "
    "attrmap -modattr -remove generator -remove top -remove src"
)
"""Yosys' passes before names are given: registers and memories become cells, blocks stay."""


def module_name(core: Core) -> str:
    """Name of the generated top module, if the user gives none."""
    return re.sub(r"[\W_]+", "_", f"spikeloom_{core.NAME}").strip("_")


@dataclass(frozen=True)
class VerilogModule:
    """A generated module: its name, source text, ports (name, "input" or "output", width), and the
    tool that wrote the text."""

    name: str
    text: str
    ports: tuple
    tool: str = "Yosys"

    @property
    def flags(self) -> list[str]:
        """Names of the core's flags: all outputs except busy, done and streams."""
        return [
            name
            for name, flow, _ in self.ports
            if flow == "output" and name not in ("busy", "done") and "_axis_" not in name
        ]


def to_verilog(
    core: Core,
    tdata: str = "bytes",
    name: str | None = None,
    reset: str = "rst",
    *,
    initial: bool = True,
    family: Family | Part | None = None,
    shell: str | None = None,
) -> VerilogModule:
    """The core as a `VerilogModule` with AXI4-Stream ports; the same text for the same arguments.

    Ports are ``clk``, the synchronous reset and those of `AxiTop`, with ``tdata`` of the widths
    `tdata`. The top module is called `name`, and every submodule ``NAME__...``. `reset` is a name
    in `interfaces.RESETS`, which tells its polarity. Without `initial` values, registers have none,
    only constant memories do, and the design needs a reset. `family`: see `component_to_verilog`.
    With a `shell`, a bus in `shell.buses.BUSES`, registers on it take the place of the control
    ports; see `ShelledCore`.

    Raises `InputError` if `name` is a keyword or not an identifier, a port a keyword, `reset` or
    `shell` unknown, or the core not fit for a shell.
    """
    if reset not in RESETS:
        raise unknown("reset", reset, RESETS)
    if shell is not None and shell not in BUSES:
        raise unknown("shell", shell, BUSES)
    name = module_name(core) if name is None else check_name(name)
    component = core.create() if shell is None else ShelledCore(core, shell)
    top = AxiTop(component, tdata)
    for port in top.signature.members:
        check_keyword(port, f"{core.NAME}: port {port!r}")
    module = component_to_verilog(top, name, family, initial=initial)
    ports = tuple((reset if n == "rst" else n, flow, width) for n, flow, width in module.ports)
    parts = module.text.split("endmodule\n")
    (place,) = [n for n, part in enumerate(parts) if re.search(rf"^module {name}\(", part, re.M)]
    parts[place] = interface_attributes(reset_called(parts[place], reset), reset, ports)
    return VerilogModule(name, "endmodule\n".join(parts), ports, module.tool)


def component_to_verilog(
    component: Any, name: str, family: Family | Part | None = None, *, initial: bool = True
) -> VerilogModule:
    """Any component as the `VerilogModule` called `name`; `initial`: see `to_verilog`.

    The component uses the memories and multipliers that suit `family`, or a part of one; without,
    it suits any FPGA.
    """
    ports = [("clk", "input", 1), ("rst", "input", 1)]
    for path, member, value in component.signature.flatten(component):
        flow = "input" if member.flow == In else "output"
        ports.append(("__".join(map(str, path)), flow, len(Value.cast(value))))
    elaborated = Elaborated(component, name, family)
    design = without_initial_contents(rtlil.convert(elaborated, name=name, emit_src=False))
    if not initial:
        design = without_initial_values(design)
    if family is not None and not family.has_large_ram:
        design = without_large_ram(design)
    text = _rtlil_to_verilog(design, [name for name, _, _ in ports], elaborated.contracts)
    tool = re.match(r"/\* Generated by (Yosys \S+).*\n+", text)
    if tool is None:
        return VerilogModule(name, text, tuple(ports))
    return VerilogModule(name, text[tool.end() :], tuple(ports), tool[1])


_ATTRIBUTES = r"(?:  attribute .*\n)*"
_LOADED = re.compile(
    rf'^  attribute \\ram_style "{LOADED_RAM["ram_style"]}"\n{_ATTRIBUTES}  memory .* (\S+)$',
    re.MULTILINE,
)
_CONTENTS = re.compile(
    rf'^{_ATTRIBUTES}  cell \$meminit_v2 .*\n    parameter \\MEMID "\\(\S+)"\n(?:    .*\n)*  end\n',
    re.MULTILINE,
)

_WRITER = re.compile(r'^  cell \$memwr_v2 .*\n    parameter \\MEMID "\\(\S+)"\n', re.MULTILINE)


def without_initial_contents(text: str) -> str:
    """Amaranth's RTLIL, in which memories that are loaded after reset have no initial contents.

    Amaranth gives every memory contents. The RAM to which a loaded one is mapped has none.
    """
    return "\nend\n".join(map(_drop_contents, text.split("\nend\n")))


def without_large_ram(text: str) -> str:
    """Verilog or RTLIL in which memories that are loaded after reset do not ask for the large RAM,
    for devices that have none."""
    style = LOADED_RAM["ram_style"]
    line = rf'^ *(?:\(\* ram_style = "{style}" \*\)|attribute \\ram_style "{style}")\n'
    return re.sub(line, "", text, flags=re.MULTILINE)


def without_initial_values(text: str) -> str:
    """Amaranth's RTLIL, in which neither registers nor memories that are written have initial
    values; memories that are only read are constants and keep theirs."""
    text = re.sub(r"^ *attribute \\init .*\n", "", text, flags=re.MULTILINE)
    return "\nend\n".join(map(_drop_written_contents, text.split("\nend\n")))


def _drop_written_contents(module):
    written = set(_WRITER.findall(module))
    return _CONTENTS.sub(lambda cell: "" if cell[1] in written else cell[0], module)


def _drop_contents(module):
    loaded = _LOADED.findall(module)
    if not loaded:
        return module
    return _CONTENTS.sub(lambda cell: "" if cell[1] in loaded else cell[0], module)


def _rtlil_to_verilog(text, ports, contracts):
    """Verilog of Amaranth's RTLIL, with readable names, the `ports` of the top module in order and
    the `contracts` of the modules as comments."""
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as folder:
        design, verilog = Path(folder) / "design.il", Path(folder) / "design.v"
        design.write_text(mark_contracts(text, contracts))
        _yosys(folder, f"read_rtlil {design.name}; {COLLECT}; write_rtlil {design.name}")
        design.write_text(readable_names(design.read_text()))
        _yosys(folder, f"read_rtlil {design.name}; write_verilog -norename {verilog.name}")
        modules = verilog.read_text().split("endmodule\n")
        for pass_ in (
            settle_at_time_0,
            _complete_memories,
            loop_over_equal_words,
            initial_statements,
            partial(ports_in_header, order=ports),
            partial(contract_comments, contracts=contracts),
        ):
            modules = [pass_(text) for text in modules]
        return "endmodule\n".join(modules)


def _yosys(folder, script):
    # Processes are kept, and Yosys warns about each module that has one.
    run_tool("yosys", "-qq", "-p", script, cwd=folder)


# Registers that Yosys adds to a memory: the word read and, for a transparent port, the word written
# and the bits taken from it.
_READ = re.compile(r"^ +(_\d+_) <= (\w+)\[", re.MULTILINE)
_MEMORY = re.compile(r"^ +reg (?:\[\d+:\d+\] )?(\w+) \[\d+:\d+\];$", re.MULTILINE)
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

    memories = set(_MEMORY.findall(text))
    for register, memory in _READ.findall(text):
        if memory not in memories:  # part of a word that is written
            continue
        text = name_register(register, f"{memory}_read")
    for bits, word, memory in _WRITTEN.findall(text):
        text = name_register(bits, f"{memory}_written_bits")
        text = name_register(word, f"{memory}_written")
    values = "".join(f"    {name} = 0;\n" for name in registers)
    return text + (_INITIAL.format(values) if registers else "")


_WORD = re.compile(r"    (\w+)\[(\d+)\] = (\d+'h[0-9a-f]+);\n")
_WORDS = re.compile(rf"^  initial begin\n(?:{_WORD.pattern})+  end\n", re.MULTILINE)
LONG = 4  # equal words that are worth a loop


def loop_over_equal_words(text: str) -> str:
    """A module that initialises its memories in loops where neighbouring words are equal."""
    taken = set(re.findall(r"\w+", text))

    def shorten(block):
        runs: list[tuple[str, int, int, str]] = []  # memory, first and last word, value
        for name, number, value in _WORD.findall(block[0]):
            if runs and runs[-1] == (name, runs[-1][1], int(number) - 1, value):
                runs[-1] = (name, runs[-1][1], int(number), value)
            else:
                runs.append((name, int(number), int(number), value))
        if all(last - first + 1 < LONG for _, first, last, _ in runs):
            return block[0]

        index = free_name("word", taken)  # of this block only, as all blocks run at time 0
        lines = [f"  integer {index};\n", "  initial begin\n"]
        for name, first, last, value in runs:
            if last - first + 1 < LONG:
                lines += [f"    {name}[{n}] = {value};\n" for n in range(first, last + 1)]
            else:
                loop = f"for ({index} = {first}; {index} <= {last}; {index} = {index} + 1)"
                lines.append(f"    {loop} {name}[{index}] = {value};\n")
        return "".join([*lines, "  end\n"])

    return _WORDS.sub(shorten, text)


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
