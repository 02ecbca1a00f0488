"""A module with a fault beside the one without it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .and_graph import AndGraph
from .in_place import differing
from .miter import SECONDS, Miter, proves
from .only_logic import MEMORY_BITS, is_written, memories, memory_bits, only_logic, only_valid
from .pdr import run_script, verdict_of
from .places import places_of_modules
from .reachable import TO_CIRCUIT, Circuit

if TYPE_CHECKING:
    from spikeloom.export.verilog import VerilogModule

# A hierarchy as one module. Memories stay memories, with the write ports that they have. Nothing is
# x, as in hardware: a fault may write what nothing else does. All registers begin with 0.
TO_NETLIST = """
flatten
opt_expr -mux_undef
opt_clean
memory_dff
opt_clean
memory_collect
zinit -all
setundef -zero
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
# The design with that pair in the place of the module, whose outputs become inputs of the design,
# and those of the pair outputs.
_IN_PLACE = """
read_rtlil modules.il
read_rtlil -overwrite {module}-pair.il
cd {module}
{ports}
cd ..
{contents}
hierarchy -top {top}
flatten
cd {top}
{exposed}
cd ..
{to_netlist}
opt_clean -purge
write_rtlil in-place.il
"""
# As a graph, with names.
_GRAPH = """
read_rtlil {name}.il
memory_map
opt -full
techmap
dfflegalize -cell $_DFF_P_ 0 -mince 99999 -minsrst 99999
zinit -all
setundef -undriven -zero
aigmap
opt_clean -purge
write_aiger -symbols -zinit {name}.aig
"""
_ONLY_TRIGGER = "delete -output {top}/o:* {top}/o:trigger %d"
_PORT = re.compile(r"^  wire (?:width (\d+) )?(input|output) \d+ \\(in|gold)_(\S+)$", re.M)
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

    def in_place(self) -> Iterator[Miter]:
        """The design beside the same with the faulty module in the place of the other, as
        `differing` has it: where memories of the module, as those around it, may answer anything as
        long as both designs ask and write the same; and with their contents if they have up to
        `MEMORY_BITS`. Nothing if the module has most of the design's registers: such a proof is as
        hard as that of the whole design."""
        bits = memory_bits(self._rtlil())
        for contents in (False, True) if 0 < bits <= MEMORY_BITS else (False,):
            name = f"{self.module}-{'contents' if contents else 'ports'}"
            design = self._put_in_place(contents)
            (self.folder / f"{name}.il").write_text(only_logic(design, self.top))
            run_script(_GRAPH.format(name=name), "graph", self.folder)
            graph = AndGraph((self.folder / f"{name}.aig").read_bytes())
            gold, gate = (self._bits_of(side) for side in ("gold_", "gate_"))
            inputs = self._bits_of("")
            try:
                added = differing(
                    graph,
                    dict(zip(inputs, gold, strict=True)),
                    dict(zip(inputs, gate, strict=True)),
                    self._shared(graph, memories(design)),
                )
            except ValueError:  # the fault makes a loop, or memories of another kind
                return
            if 2 * added > len(graph.registers) - added:
                return
            (self.folder / f"{name}-miter.aig").write_bytes(graph.aiger(graph.outputs))
            read = f"read_aiger -clk_name clock -module_name miter {name}-miter.aig"
            yield Miter(f"{name}-miter", self.folder, read)

    def _put_in_place(self, contents: bool) -> str:
        """The design with the pair as RTLIL, with the contents of the pair's memories or not."""
        outputs = [port for port, _, side in self._ports if side == "gold"]
        results = [f"{side}_{port}" for port in outputs for side in ("gold", "gate")]
        script = _IN_PLACE.format(
            top=self.top,
            module=self.module,
            ports="\n".join(
                f"rename in_{port} {port}" if side == "in" else f"add -output {port} {bits}"
                for port, bits, side in self._ports
            ),
            exposed="\n".join(
                [f"expose w:{self.place}.{one}" for one in results]
                + [f"expose -input w:{self.place}.{one}" for one in outputs]
            ),
            contents=f"memory_map {self.module}" if contents else "",
            to_netlist=TO_NETLIST,
        )
        run_script(script, "in-place", self.folder)
        return only_valid((self.folder / "in-place.il").read_text(), self.top)

    def _bits_of(self, side: str) -> list[str]:
        """The names of the module's output bits in the design; `side`: of which module."""
        return [
            f"{self.place}.{side}{port}{bit}"
            for port, bits, of in self._ports
            if of == "gold"
            for bit in ([""] if bits == 1 else [f"[{n}]" for n in range(bits)])
        ]

    def _shared(self, graph: AndGraph, found: Mapping[str, dict[str, int]]) -> dict[str, str]:
        """The ports of memories in the faulty module to those of the other one."""
        gold, gate = (f"\\{self.place}.{side}." for side in ("gold", "gate"))
        kinds = [
            {name.removeprefix(side): kind for name, kind in found.items() if name.startswith(side)}
            for side in (gold, gate)
        ]
        if kinds[0] != kinds[1]:
            raise ValueError("memories of different kinds")
        names = (*graph.input_names.values(), *graph.output_names.values())
        return {name: name.replace(f":{gate}", f":{gold}") for name in names if f":{gate}" in name}

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

    @cached_property
    def _ports(self) -> list[tuple[str, int, str]]:
        """Name and bits of the module's ports, and ``in`` for an input or ``gold``."""
        found = _PORT.finditer(self._rtlil())
        return [(port[4], int(port[1] or 1), port[3]) for port in found]

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
