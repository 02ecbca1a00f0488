"""Equivalence check of a mutant and its original."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from spikeloom.errors import JobError
from spikeloom.tools import run_tool

# Both designs from the same inputs, as registers that begin with 0, and one output that is 1 where
# their outputs differ. ABC's `scorr` replaces it with 0 if that is inductive.
_CORRESPONDENCE = """
read_rtlil original.il
setattr -unset src w:* c:*
copy {top} gold
{fault}
rename {top} gate
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


def is_equivalent(top: str, design: Any, fault: Any, folder: Path) -> bool:
    """Whether a ``mutate`` command provably changes no output for any inputs after power-up.

    By signal correspondence (van Eijk, 2000): from the initial state on, which sets of signals of
    both designs are equal is proved by induction over the cycles; if the outputs are among them,
    the designs are equivalent. The proof is sound and unbounded but not complete.

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
    script = _CORRESPONDENCE.format(top=top, fault=fault)
    (folder / "correspondence.ys").write_text(script)
    try:
        run_tool("yosys", "-ql", "correspondence.log", "-s", "correspondence.ys", cwd=folder)
    except JobError:
        log = folder / "correspondence.log"
        if not log.exists() or "proof did fail" not in log.read_text(errors="replace"):
            raise
        return False
    return True
