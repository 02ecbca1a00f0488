"""Equivalence check of a mutant and its original."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from spikeloom.errors import JobError
from spikeloom.tools import run_tool

# Only registers, memory words and ports are compared: unused wires may differ.
_REGISTERS = """
memory_map
opt -full
select -set registers t:$*dff* %co1:+[Q]
rename -hide w:* @registers %d i:* %d o:* %d
"""

_INDUCTION = """
read_rtlil original.il
{registers}
copy {top} gold
delete {top}
read_rtlil original.il
{fault}
{registers}
rename {top} gate
equiv_make gold gate miter
hierarchy -top miter
opt_clean
equiv_induct -seq 1
equiv_status -assert
"""


def is_equivalent(top: str, design: Any, fault: Any, folder: Path) -> bool:
    """Whether a ``mutate`` command provably leaves every register and output unchanged.

    By induction: equal registers and arbitrary inputs lead to equal registers and outputs. The
    proof is sound but not complete: it fails for equivalent mutants that differ only in
    unreachable states or in an unused register.

    Parameters
    ----------
    top : name of the module.
    design : RTLIL file with the module, flat.
    folder : folder for script and log.

    Raises `JobError` if Yosys fails for another reason than an unproved equivalence.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(design, folder / "original.il")
    script = _INDUCTION.format(top=top, fault=fault, registers=_REGISTERS)
    (folder / "induction.ys").write_text(script)
    try:
        run_tool("yosys", "-ql", "induction.log", "-s", "induction.ys", cwd=folder)
    except JobError as error:
        if "unproven $equiv cells" not in str(error):
            raise
        return False
    return True
