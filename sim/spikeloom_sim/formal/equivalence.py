"""Is a mutant the same circuit as the original?"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from spikeloom.errors import JobError
from spikeloom.tools import run_tool

# Only registers, memory words and ports are compared: a wire may differ where nobody looks at it.
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
    """Whether a ``mutate`` command is proved to leave every register and output as it was.

    By induction: from equal registers, under any inputs, come equal registers and outputs. That
    proves equivalence for good, but not every equivalent mutant can be proved so: one that differs
    only in states out of reach, or in a register nobody reads, is not.

    Parameters
    ----------
    top : name of the module.
    design : RTLIL file with the module, flat.
    folder : where script and log go.

    Raises `JobError` where Yosys fails in any other way than by an open proof.
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
