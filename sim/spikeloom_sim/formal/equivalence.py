"""Equivalence check of a mutant and its original."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.errors import JobError
from spikeloom.tools import run_tool

from .only_logic import memory_bits, only_logic
from .places import places_of_modules
from .reachable import TO_CIRCUIT, Circuit

if TYPE_CHECKING:
    from spikeloom.export.verilog import VerilogModule

# The design with the fault.
_GATE = """
read_rtlil original.il
{fault}
write_rtlil gate.il
"""

# Both designs from the same inputs, as registers that begin with 0, and one output that is 1 where
# their outputs differ. ABC's `scorr` replaces it with 0 if that is inductive.
_CORRESPONDENCE = """
read_rtlil {gold}
setattr -unset src w:* c:*
rename {top} gold
read_rtlil -overwrite {gate}
setattr -unset src w:* c:*
rename {top} gate
setattr -mod -unset keep_hierarchy *
miter -equiv -flatten gold gate miter
hierarchy -top miter
flatten
memory_map
opt -full
techmap
dfflegalize -cell $_DFF_P_ 0 -mince 99999 -minsrst 99999
opt_clean
abc -dff -g AND -script +strash;scorr;scorr;map
opt_clean -purge
setattr -unset init w:*
sat -seq 1 -prove trigger 0 -verify
"""
MEMORY_BITS = 4096  # of memories whose contents take part in a proof


# The module of a fault, with and without it, and one output that is 1 where their outputs differ.
_MODULE = """
read_verilog rtl.v
hierarchy -check -top {top}
proc
hierarchy -check -top {module}
copy {module} gold
{fault}
rename {module} gate
miter -equiv -flatten gold gate miter
hierarchy -top miter
flatten
{to_circuit} miter.aag
"""
_CELL = re.compile(r"-module \S+ -cell \$flatten((?:\\\w+\.)+)(\$\S+)")


def is_equivalent_in_its_module(module: VerilogModule, fault: str, folder: Path) -> bool:
    """Whether a ``mutate`` command of the flattened `module` provably changes no output of the
    submodule in which it is, for any inputs after power-up.

    All states are enumerated that the submodule and its mutant reach together; a mutant that counts
    in another order is found to be equivalent. Only submodules of few registers and inputs can be
    decided; False for others.
    """
    found = _CELL.search(fault)
    if not found:
        return False
    names = {place: name for name, place in places_of_modules(module).items()}
    name = names.get(found[1].replace("\\", ""))
    if name is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rtl.v").write_text(module.text)
    fault = fault[: found.start()] + f"-module {name} -cell {found[2]}" + fault[found.end() :]
    script = _MODULE.format(top=module.name, module=name, fault=fault, to_circuit=TO_CIRCUIT)
    (folder / "module.ys").write_text(script)
    run_tool("yosys", "-ql", "module.log", "-s", "module.ys", cwd=folder)
    circuit = Circuit((folder / "miter.aag").read_text())
    values = circuit.values_of_outputs() if circuit.is_small else None
    return values is not None and values["trigger"] == {0}


def is_equivalent(top: str, design: Any, fault: Any, folder: Path) -> bool:
    """Whether a ``mutate`` command provably changes no output for any inputs after power-up.

    By signal correspondence (van Eijk, 2000): from the initial state on, which sets of signals of
    both designs are equal is proved by induction over the cycles; if the outputs are among them,
    the designs are equivalent. First for any answers of the memories and of submodules; where that
    fails, and memories have up to `MEMORY_BITS`, with their contents. The proof is sound and
    unbounded but not complete.

    Parameters
    ----------
    top : name of the module.
    design : RTLIL file with the module; submodules are in it if they stay as they are.
    folder : folder for scripts and logs.

    Raises `JobError` if Yosys fails for another reason than an unproved equivalence.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    original = Path(design).read_text()
    (folder / "original.il").write_text(original)
    (folder / "gate.ys").write_text(_GATE.format(fault=fault))
    run_tool("yosys", "-ql", "gate.log", "-s", "gate.ys", cwd=folder)
    gate = (folder / "gate.il").read_text()
    (folder / "original-ports.il").write_text(only_logic(original, top))
    (folder / "gate-ports.il").write_text(only_logic(gate, top))
    if _corresponds(top, folder, "original-ports.il", "gate-ports.il"):
        return True
    small = 0 < memory_bits(original) <= MEMORY_BITS
    return small and _corresponds(top, folder, "original.il", "gate.il")


def _corresponds(top: str, folder: Path, gold: str, gate: str) -> bool:
    """Whether signal correspondence proves two files of one module equivalent."""
    script = _CORRESPONDENCE.format(top=top, gold=gold, gate=gate)
    (folder / "correspondence.ys").write_text(script)
    try:
        run_tool("yosys", "-ql", "correspondence.log", "-s", "correspondence.ys", cwd=folder)
    except JobError:
        log = folder / "correspondence.log"
        if not log.exists() or "proof did fail" not in log.read_text(errors="replace"):
            raise
        return False
    return True
