"""Proofs that two designs never differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spikeloom.errors import JobError

from .and_graph import AndGraph
from .lemmas import add_lemmas
from .pdr import run_script, verdict_of

SECONDS = 30  # of each proof that searches for a difference
FEW_SECONDS = 3  # which are enough for most that succeed

# The miter as registers that begin with 0 and gates. ABC's `scorr` replaces its output with 0 if
# that is inductive.
_CORRESPONDENCE = """
{script}
memory_map
opt -full
techmap
dfflegalize -cell $_DFF_P_ 0 -mince 99999 -minsrst 99999
opt_clean
write_rtlil {name}.il
abc -dff -g AND -script +strash;scorr;scorr;map
opt_clean -purge
setattr -unset init w:*
sat -seq 1 -prove trigger 0 -verify
"""
# The same as a graph, with names.
_GRAPH = """
read_rtlil {name}.il
zinit -all
setundef -undriven -zero
aigmap
opt_clean -purge
write_aiger -symbols -zinit {name}.aig
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
_REDUCE = "read_aiger,{name}.aig;strash;scorr;scorr;write_aiger,-s,reduced.aig"
_PROVE = "read_aiger,lemmas.aig;strash;scorr;write_aiger,proved.aig"
# Whether that output is 1 in no cycle, for any inputs.
_NO_DIFFERENCE = """
read_rtlil {name}.il
abc -dff -g AND -script +strash;scorr;scorr;pdr,-T,{seconds};write_status,{name}.status;map
"""


@dataclass(frozen=True)
class Miter:
    """A circuit whose output ``trigger`` is 1 while two designs differ.

    Parameters
    ----------
    name : of the files.
    folder : of the files.
    script : commands of Yosys that make the circuit, one flat module.
    """

    name: str
    folder: Path
    script: str

    def corresponds(self) -> bool:
        """Whether signal correspondence proves that the output is always 0: from the initial state
        on, which sets of signals are equal is proved by induction over the cycles (van Eijk, 2000).

        Leaves the circuit for the other proofs.
        """
        script = _CORRESPONDENCE.format(name=self.name, script=self.script)
        return proves(script, "correspondence", self.folder)

    def corresponds_with_lemmas(self) -> bool:
        """The same with the signals that `add_lemmas` adds."""
        script = _GRAPH + _ABC.format(commands=_REDUCE)
        run_script(script.format(name=self.name), "reduced", self.folder)
        graph = AndGraph((self.folder / "reduced.aig").read_bytes())
        outputs = graph.outputs + add_lemmas(graph)
        (self.folder / "lemmas.aig").write_bytes(graph.aiger(outputs))
        run_script(_ABC.format(commands=_PROVE), "lemmas", self.folder)
        return AndGraph((self.folder / "proved.aig").read_bytes()).outputs[0] == 0

    def differs(self, seconds: int) -> bool | None:
        """Whether the output is ever 1, by property directed reachability; None if some seconds are
        not enough."""
        search = _NO_DIFFERENCE.format(name=self.name, seconds=seconds)
        verdict, _ = verdict_of(search, self.name, self.folder)
        return {"snl_UNSAT": False, "snl_SAT": True}.get(verdict)


def proves(script: str, name: str, folder: Path) -> bool:
    """Whether the proof at the end of a script of Yosys, `sat -verify`, succeeds."""
    try:
        run_script(script, name, folder)
    except JobError:
        log = folder / f"{name}.log"
        if not log.exists() or "-verify and proof did" not in log.read_text(errors="replace"):
            raise
        return False
    return True
