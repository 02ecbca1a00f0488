"""Equivalence check of a mutant and its original."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.errors import JobError
from spikeloom.tools import run_tool

from .and_graph import AndGraph
from .lemmas import add_lemmas
from .only_logic import memory_bits, only_logic, only_valid
from .pdr import verdict_of
from .places import places_of_modules
from .reachable import TO_CIRCUIT, Circuit

if TYPE_CHECKING:
    from spikeloom.export.verilog import VerilogModule

# The design with the fault. All registers begin with 0, also one whose output has a new name.
_GATE = """
read_rtlil original.il
{fault}
setattr -unset init w:*
zinit -all
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
write_rtlil {gold}-miter.il
abc -dff -g AND -script +strash;scorr;scorr;map
opt_clean -purge
setattr -unset init w:*
sat -seq 1 -prove trigger 0 -verify
"""
# The same miter as a graph, with names.
_GRAPH = """
read_rtlil {gold}-miter.il
zinit -all
setundef -undriven -zero
aigmap
opt_clean -purge
write_aiger -symbols -zinit miter.aig
"""
# Commands of ABC that read and write files. Yosys gets back the gate that it hands over.
_ABC = """
design -reset
read_verilog <<END
module gate(input a, input b, output y); assign y = a & b; endmodule
END
techmap
abc -g AND -script +write_blif,gate.blif;{commands};read_blif,gate.blif;strash;map
"""
_REDUCE = "read_aiger,miter.aig;strash;scorr;scorr;write_aiger,-s,reduced.aig"
_PROVE = "read_aiger,lemmas.aig;strash;scorr;write_aiger,proved.aig"
# Whether that output is 1 in no cycle, for any inputs.
_NO_DIFFERENCE = """
read_rtlil {gold}-miter.il
abc -dff -g AND -script +strash;scorr;scorr;pdr,-T,{seconds};write_status,miter.status;map
"""
MEMORY_BITS = 4096  # of memories whose contents take part in a proof


# A module and its submodules, with and without a fault, and an output that is 1 where their outputs
# differ.
_MODULE = """
read_verilog rtl.v
hierarchy -check -top {top}
proc
hierarchy -check -top {module}
flatten
rename {module} gold
copy gold gate
{fault}
miter -equiv -flatten gold gate miter
hierarchy -top miter
flatten
{to_circuit} miter.aag
"""
_CELL = re.compile(r"-module \S+ -cell \$flatten((?:\\\w+\.)+)(\$\S+)")

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
SECONDS = 30  # of each proof that searches for a difference


def is_equivalent_in_its_module(module: VerilogModule, fault: str, folder: Path) -> bool:
    """Whether a ``mutate`` command of the flattened `module` provably changes no output of a
    submodule that contains the fault, for any inputs after power-up.

    If such a submodule has few registers and inputs, all states are enumerated that it and its
    mutant reach together; a mutant that counts in another order is found to be equivalent. If its
    registers form a pipeline, no input has an effect after some cycles, and the search for a
    difference ends with these. False if neither decides.
    """
    found = _CELL.search(fault)
    if not found:
        return False
    names = {place: name for name, place in places_of_modules(module).items()}
    path = found[1].split("\\")[1:]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rtl.v").write_text(module.text)
    for depth in range(len(path), 0, -1):
        name = names.get("".join(path[:depth]))
        if name is None:
            continue
        place = "$flatten" + "".join(f"\\{part}" for part in path[depth:])
        cell = (place if path[depth:] else "") + found[2]
        command = f"{fault[: found.start()]}-module gate -cell {cell}{fault[found.end() :]}"
        script = _MODULE.format(top=module.name, module=name, fault=command, to_circuit=TO_CIRCUIT)
        (folder / "module.ys").write_text(script)
        run_tool("yosys", "-ql", "module.log", "-s", "module.ys", cwd=folder)
        circuit = Circuit((folder / "miter.aag").read_text())
        if circuit.is_small:
            values = circuit.values_of_outputs()
            if values is not None and values["trigger"] == {0}:
                return True
        stages = circuit.stages()
        if stages is None:
            return False  # nor do the modules around it form a pipeline
        if _never_differs(folder, stages):
            return True
    return False


def _never_differs(folder: Path, stages: int) -> bool:
    """Whether the circuit in ``miter.aag`` provably has no difference in any cycle, which the first
    ones show."""
    if not stages:
        return _proves(_NEVER.format(seconds=SECONDS), "never", folder)
    search = _FIRST_CYCLES.format(cycles=stages + 1, seconds=SECONDS)
    verdict, last = verdict_of(search, "miter", folder)
    return verdict == "snl_UNSAT" or (verdict == "snl_UNK" and last == stages)


def is_equivalent(top: str, design: Any, fault: Any, folder: Path) -> bool:
    """Whether a ``mutate`` command provably changes no output for any inputs after power-up.

    The payload of a stream does not count while it is not valid.

    By signal correspondence (van Eijk, 2000): from the initial state on, which sets of signals of
    both designs are equal is proved by induction over the cycles; if the outputs are among them,
    the designs are equivalent. Where that fails, with `add_lemmas`, and then by property directed
    reachability, for `SECONDS`. Each first for any answers of the memories and of submodules; where
    that fails, and memories have up to `MEMORY_BITS`, with their contents. The proofs are sound and
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
    original = only_valid(original, top)
    gate = only_valid((folder / "gate.il").read_text(), top)
    (folder / "original.il").write_text(original)
    (folder / "gate.il").write_text(gate)
    (folder / "original-ports.il").write_text(only_logic(original, top))
    (folder / "gate-ports.il").write_text(only_logic(gate, top))
    pairs = [("original-ports.il", "gate-ports.il")]
    if 0 < memory_bits(original) <= MEMORY_BITS:
        pairs.append(("original.il", "gate.il"))
    return (
        any(_corresponds(top, folder, gold, gate) for gold, gate in pairs)
        or any(_corresponds_with_lemmas(folder, gold) for gold, _ in pairs)
        or any(_never_reached(folder, gold) for gold, _ in pairs)
    )


def _corresponds(top: str, folder: Path, gold: str, gate: str) -> bool:
    """Whether signal correspondence proves two files of one module equivalent."""
    script = _CORRESPONDENCE.format(top=top, gold=gold, gate=gate)
    return _proves(script, "correspondence", folder)


def _corresponds_with_lemmas(folder: Path, gold: str) -> bool:
    """Whether signal correspondence proves the miter of `gold`, which `_corresponds` has left, once
    it has more signals than those of the designs."""
    _run(_GRAPH.format(gold=gold) + _ABC.format(commands=_REDUCE), "reduced", folder)
    graph = AndGraph((folder / "reduced.aig").read_bytes())
    outputs = graph.outputs + add_lemmas(graph)
    (folder / "lemmas.aig").write_bytes(graph.aiger(outputs))
    _run(_ABC.format(commands=_PROVE), "lemmas", folder)
    return AndGraph((folder / "proved.aig").read_bytes()).outputs[0] == 0


def _proves(script: str, name: str, folder: Path) -> bool:
    """Whether the proof at the end of a script of Yosys, `sat -verify`, succeeds."""
    try:
        _run(script, name, folder)
    except JobError:
        log = folder / f"{name}.log"
        if not log.exists() or "-verify and proof did" not in log.read_text(errors="replace"):
            raise
        return False
    return True


def _run(script: str, name: str, folder: Path) -> None:
    (folder / f"{name}.ys").write_text(script)
    run_tool("yosys", "-ql", f"{name}.log", "-s", f"{name}.ys", cwd=folder)


def _never_reached(folder: Path, gold: str) -> bool:
    """Whether property directed reachability finds no difference in the miter of `gold`, which
    `_corresponds` has left."""
    search = _NO_DIFFERENCE.format(gold=gold, seconds=SECONDS)
    return verdict_of(search, "miter", folder)[0] == "snl_UNSAT"
