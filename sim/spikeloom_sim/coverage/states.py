"""Nets that keep one value in every reachable state of a small module."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..formal.pdr import run_script
from ..formal.reachable import TO_CIRCUIT, Circuit

if TYPE_CHECKING:
    from spikeloom.export.verilog import VerilogModule

_SCRIPT = """
design -push-copy
hierarchy -check -top {module}
select -set wanted {nets}
expose @wanted
select *
opt_clean
{to_circuit} {module}.aag
design -pop
"""
_INSTANCE = re.compile(r"^  \w+ \w+ \($", re.MULTILINE)


def settled_nets(
    module: VerilogModule, nets: Iterable[tuple[str, str]], folder: Path
) -> dict[tuple[str, str], int]:
    """Which of `nets`, (module, net or bit), keep one value in all reachable states, and which.

    Only of modules without submodules that have few registers and inputs. Their inputs may have any
    values in any cycle, so the result holds for any surroundings.
    """
    texts = {
        found[1]: part
        for part in module.text.split("endmodule\n")
        if (found := re.search(r"^module (\w+)\(", part, re.MULTILINE))
    }
    wanted: dict[str, list[str]] = {}
    for name, net in nets:
        if name in texts and not _INSTANCE.search(texts[name]):
            wanted.setdefault(name, []).append(net)
    if not wanted:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module.name}.v").write_text(module.text)
    script = f"read_verilog {module.name}.v\nproc\n"
    for name, bits in wanted.items():
        selected = " ".join(sorted({f"w:{bit.partition('[')[0]}" for bit in bits}))
        script += _SCRIPT.format(module=name, nets=selected, to_circuit=TO_CIRCUIT)
    run_script(script, "states", folder)
    found = {}
    for name, bits in wanted.items():
        circuit = Circuit((folder / f"{name}.aag").read_text())
        seen = circuit.values_of_outputs() if circuit.is_small else None
        if seen is None:
            continue
        for bit in bits:
            values = seen.get(bit) or seen.get(f"{bit}[0]") or set()
            if len(values) == 1:
                found[name, bit] = min(values)
    return found
