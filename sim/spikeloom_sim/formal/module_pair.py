"""A module with a fault beside the one without it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .miter import SECONDS, Miter, proves
from .only_logic import MEMORY_BITS, is_written, memory_bits, only_logic
from .pdr import run_script, verdict_of
from .places import places_of_modules
from .reachable import TO_CIRCUIT, Circuit

if TYPE_CHECKING:
    from spikeloom.export.verilog import VerilogModule

# A hierarchy as one module. Memories stay memories, with the write ports that they have, whose data
# and addresses are chosen from no x, as in hardware. All registers begin with 0.
TO_NETLIST = """
flatten
opt_expr -mux_undef
opt_clean
memory_dff
opt_clean
memory_collect
zinit -all
opt_clean"""[1:]

_MODULES = """
read_verilog rtl.v
hierarchy -check -top {top}
setattr -mod -set keep_hierarchy 1 {apart}
proc
write_rtlil modules.il
"""
# A module beside itself with the fault, from the same inputs. The outputs are those of the former,
# and one that is 1 where they differ.
_PAIR = """
read_rtlil modules.il
hierarchy -top {module}
{to_netlist}
rename {module} gold
copy gold gate
{fault}
setattr -unset init gate/w:*
zinit -all
miter -equiv -make_outputs gold gate {module}
hierarchy -top {module}
flatten
write_rtlil {module}-pair.il
"""
_ALONE = """
read_rtlil {module}-pair.il
{only_trigger}
{to_circuit} miter.aag
"""
# The design with that pair in the place of the module.
_IN_CONTEXT = """
read_rtlil modules.il
read_rtlil -overwrite {module}-pair.il
cd {module}
{ports}
cd ..
{contents}
hierarchy -top {top}
flatten
cd {top}
expose w:{place}.trigger
rename {place}.trigger trigger
cd ..
{only_trigger}
{to_netlist}
opt_clean -purge
write_rtlil context.il
"""
_ONLY_TRIGGER = "delete -output {top}/o:* {top}/o:trigger %d"
_PORT = re.compile(r"^  wire (?:width \d+ )?(?:input|output) \d+ \\((?:in|gold)_(\S+))$", re.M)
# The cell of a fault: one that Yosys named, or a memory.
_CELL = re.compile(r"-module \S+ -cell (?:\$flatten((?:\\\w+\.)+)(\$\S+)|((?:\w+\.)+)(\w+)) ")

# Whether the output is 1 in any of the first cycles, for any inputs.
_FIRST_CYCLES = """
read_aiger -clk_name clk miter.aag
simplemap
opt_clean -purge
abc -dff -g AND -script +strash;dc2;bmc3,-F,{cycles},-T,{seconds};write_status,miter.status;map
"""
# The same without registers.
_NEVER = """
read_aiger miter.aag
sat -timeout {seconds} -prove trigger 0 -verify
"""


@dataclass(frozen=True)
class ModulePair:
    """A module of a design and itself with a fault, from the same inputs.

    Parameters
    ----------
    top : name of the design.
    module, place : name of the module, and of its instance in the design.
    folder : of ``modules.il``, the hierarchy, and of the pair.
    """

    top: str
    module: str
    place: str
    folder: Path

    def in_context(self) -> Miter:
        """Both with the inputs that the design gives to the one without the fault.

        If they never differ, the design with the fault is equivalent: as long as they do not, it
        gives the same inputs to the faulty one, and so on from power-up. Memories outside may
        answer anything, and those of the pair as well if they have more than `MEMORY_BITS`.
        """
        pair = self._rtlil()
        only_trigger = _ONLY_TRIGGER.format(top=self.top)
        script = _IN_CONTEXT.format(
            top=self.top,
            module=self.module,
            place=self.place,
            ports="\n".join(f"rename {port} {inside}" for port, inside in _PORT.findall(pair)),
            contents=f"memory_map {self.module}" if memory_bits(pair) <= MEMORY_BITS else "",
            only_trigger=only_trigger,
            to_netlist=TO_NETLIST,
        )
        run_script(script, "context", self.folder)
        logic = only_logic((self.folder / "context.il").read_text(), self.top)
        (self.folder / f"{self.module}-logic.il").write_text(logic)
        return Miter(
            f"{self.module}-miter",
            self.folder,
            f"read_rtlil {self.module}-logic.il\n{only_trigger}",
        )

    def is_equal_pipeline(self) -> bool | None:
        """Whether the two provably do not differ for any inputs, if their registers form a
        pipeline: no input has an effect after some cycles, and the search for a difference ends
        with these. None if they do not."""
        if is_written(self._rtlil()):
            return None
        only_trigger = _ONLY_TRIGGER.format(top=self.module)
        script = _ALONE.format(module=self.module, only_trigger=only_trigger, to_circuit=TO_CIRCUIT)
        run_script(script, "alone", self.folder)
        stages = Circuit((self.folder / "miter.aag").read_text()).stages()
        if stages is None:
            return None
        if not stages:
            return proves(_NEVER.format(seconds=SECONDS), "never", self.folder)
        search = _FIRST_CYCLES.format(cycles=stages + 1, seconds=SECONDS)
        verdict, last = verdict_of(search, "miter", self.folder)
        return verdict == "snl_UNSAT" or (verdict == "snl_UNK" and last == stages)

    def _rtlil(self) -> str:
        return (self.folder / f"{self.module}-pair.il").read_text()


def module_pairs(
    module: VerilogModule, fault: str, folder: Path, apart: Iterable[str] = ()
) -> Iterator[ModulePair]:
    """The modules of a design in which the fault of a ``mutate`` command for the flattened design
    is, the smallest first. Modules `apart` stay as they are."""
    found = _CELL.search(fault)
    if not found:
        return
    path = (found[1] or found[3]).replace("\\", "").split(".")[:-1]
    (folder / "rtl.v").write_text(module.text)
    script = _MODULES.format(top=module.name, apart=" ".join(apart) or "none")
    run_script(script, "modules", folder)
    names = {place: name for name, place in places_of_modules(module).items()}
    for depth in range(len(path), 0, -1):
        place = ".".join(path[:depth])
        if name := names.get(f"{place}."):
            cell = _cell(path[depth:], found)
            command = f"{fault[: found.start()]}-module gate -cell {cell} {fault[found.end() :]}"
            script = _PAIR.format(module=name, fault=command, to_netlist=TO_NETLIST)
            run_script(script, "pair", folder)
            yield ModulePair(module.name, name, place, folder)


def _cell(path: list[str], found: re.Match) -> str:
    """The name that a cell has inside the module which is `path` above it."""
    if found[3]:
        return ".".join([*path, found[4]])
    return "".join(["$flatten" if path else "", *(f"\\{part}." for part in path), found[2]])
