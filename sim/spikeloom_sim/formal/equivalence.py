"""Equivalence check of a mutant and its original."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .miter import FEW_SECONDS, SECONDS, Miter
from .module_pair import module_pairs
from .only_logic import MEMORY_BITS, memory_bits, only_logic, only_valid
from .pdr import run_script

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
# Both designs from the same inputs, and an output that is 1 where their outputs differ.
_BOTH = """
read_rtlil original-{name}.il
setattr -unset src w:* c:*
rename {top} gold
read_rtlil -overwrite gate-{name}.il
setattr -unset src w:* c:*
rename {top} gate
setattr -mod -unset keep_hierarchy *
miter -equiv -flatten gold gate miter
hierarchy -top miter
flatten
"""


def is_equivalent(
    module: VerilogModule, design: Path, fault: str, folder: Path, apart: Iterable[str] = ()
) -> bool:
    """Whether a ``mutate`` command of a design provably changes no output for any inputs after
    power-up.

    The payload of a stream does not count while it is not valid. The proofs are those of `Miter`,
    and of pipelines. They are tried, the quicker ones first, on

    * the whole design beside the one with the fault, for any answers of memories and of modules
      `apart`, and with the contents of memories if these have up to `MEMORY_BITS`;
    * the design with each module in which the fault is, with and without it.

    They are sound but not complete.

    Parameters
    ----------
    module : Verilog of the design.
    design : the same in RTLIL as one module; modules `apart` are in it as they are.
    fault : ``mutate`` command for `design`.
    folder : folder for scripts and logs.

    Raises `JobError` if Yosys fails for another reason than an unproved equivalence.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    whole = list(_whole(module.name, design, fault, folder))
    if whole[0].corresponds():
        return True
    pairs = list(module_pairs(module, fault, folder, apart))
    for pair in pairs:
        equal = pair.is_equal_pipeline()
        if equal:
            return True
        if equal is None:
            break  # no module around it is a pipeline
    inside = []
    for pair in pairs:
        if "." in pair.place:  # or else it is the whole core
            for miter in pair.in_place():
                if miter.corresponds():
                    return True
                inside.append(miter)
    if any(miter.corresponds() for miter in whole[1:]):
        return True
    undecided = []
    for miter in inside + whole:
        differs = miter.differs(FEW_SECONDS)
        if differs is False:
            return True
        if differs is None:
            undecided.append(miter)
    return any(miter.corresponds_with_lemmas() for miter in undecided) or any(
        miter.differs(SECONDS) is False for miter in undecided
    )


def _whole(top: str, design: Path, fault: str, folder: Path) -> Iterator[Miter]:
    """The design beside the one with the fault, without and with contents of memories."""
    original = Path(design).read_text()
    (folder / "original.il").write_text(original)
    run_script(_GATE.format(fault=fault), "gate", folder)
    original = only_valid(original, top)
    gate = only_valid((folder / "gate.il").read_text(), top)
    pairs = {"ports": (only_logic(original, top), only_logic(gate, top))}
    if 0 < memory_bits(original) <= MEMORY_BITS:
        pairs["contents"] = original, gate
    for name, (one, other) in pairs.items():
        (folder / f"original-{name}.il").write_text(one)
        (folder / f"gate-{name}.il").write_text(other)
        yield Miter(name, folder, _BOTH.format(top=top, name=name))
