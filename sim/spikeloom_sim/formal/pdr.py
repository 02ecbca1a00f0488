"""Unbounded proofs by property directed reachability (PDR), with the ABC inside Yosys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  # no stub

from spikeloom.errors import JobError
from spikeloom.tools import run_tool

if TYPE_CHECKING:
    from .harness import Harness

# The harness as an and-inverter graph whose single output is 1 when an assertion fails and every
# assumption has held so far. All registers begin with 0; memories are registers.
_GRAPH = """
read_rtlil {name}.il
prep -flatten -top {name}
delete -port s:0
chformal -lower
chformal -cover -remove
memory_map
opt -full
miter -assert -flatten {name}
hierarchy -top {name}
opt -full
techmap
async2sync
dffunmap
aigmap
opt_clean -purge
write_aiger -zinit {name}.aig
"""
_SEARCH = """
read_aiger -clk_name clk {name}.aig
simplemap
opt_clean -purge
abc -dff -g AND -script +strash;{simplify};pdr,-T,{seconds};write_status,{name}.status;map
"""
# Signal correspondence merges equal registers. It may leave none, for which `pdr` has no verdict.
_SIMPLIFY = ("scorr;dc2;scorr", "dc2")


def prove_always(harness: Harness, name: str, folder: Path, seconds: int = 600) -> int:
    """Prove every `Assert` of a harness in all states that it reaches from power-up.

    Unlike k-induction, property directed reachability finds the invariants that the proof needs, so
    a whole core can be proved without invariants written by hand. The proof is unbounded. It costs
    seconds to minutes for a hundred registers after simplification, and may not end for more.

    Parameters
    ----------
    harness : component; its inputs are arbitrary, except for its `Assume` statements.
    name : name of the proof and of its files.
    folder : folder for these files.
    seconds : time limit of each of two searches.

    Returns the number of frames, cycles from power-up that the invariant needs at most. Raises
    `JobError` if an assertion fails, with the cycle, or if the time limit ends the search.

    Source: Een, Mishchenko, Brayton, "Efficient implementation of property directed reachability",
    FMCAD 2011.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = rtlil.convert(harness, name=name, platform="formal", emit_src=False)
    (folder / f"{name}.il").write_text(text)
    run_script(_GRAPH.format(name=name), f"{name}_graph", folder)
    frame = 0
    for simplify in _SIMPLIFY:
        search = _SEARCH.format(name=name, simplify=simplify, seconds=seconds)
        verdict, frame = verdict_of(search, name, folder)
        if verdict == "snl_UNSAT":
            return frame
        if verdict == "snl_SAT":
            raise JobError(f"{name}: an assertion fails in cycle {frame} after power-up")
    raise JobError(f"{name}: no proof in {seconds} s ({frame} cycles searched)")


def verdict_of(search: str, name: str, folder: Path) -> tuple[str, int]:
    """Run a script of Yosys in which ABC writes its status to ``NAME.status``. Returns ABC's
    verdict, such as "snl_UNSAT" where an output is never 1, and the last frame it looked at;
    "none", -1 for a circuit without registers, which Yosys does not hand to ABC."""
    status = folder / f"{name}.status"
    status.unlink(missing_ok=True)  # that of another search
    run_script(search, f"{name}_search", folder)
    if not status.exists():
        return "none", -1
    verdict, frame, *_ = status.read_text().split()
    return verdict, int(frame)


def run_script(script: str, name: str, folder: Path) -> None:
    """Run a script of Yosys in a folder that keeps it, and its log."""
    (folder / f"{name}.ys").write_text(script)
    run_tool("yosys", "-ql", f"{name}.log", "-s", f"{name}.ys", cwd=folder)
