"""Nets of a design that provably never change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..formal.pdr import run_script
from ..formal.places import places_of_modules

if TYPE_CHECKING:
    from spikeloom.export.verilog import VerilogModule

# The nets in question become outputs. ABC's `scorr` finds those that are constant from power-up on,
# for any inputs, by induction. Registers begin with 0, so others are inverted.
_SCRIPT = """
read_verilog {name}.v
hierarchy -check -top {name}
proc
flatten
select -set wanted {nets}
expose @wanted
select *
opt_clean
memory
memory_map
zinit -all
opt -full
techmap
dfflegalize -cell $_DFF_P_ 0 -mince 99999 -minsrst 99999
opt_clean
abc -dff -g AND -script +strash;scorr;scorr;map
opt_clean
write_json constants.json
"""


def constants(
    module: VerilogModule, nets: Iterable[tuple[str, str]], folder: Path
) -> dict[tuple[str, str], int]:
    """Which of `nets`, (module, net or bit such as ``sum[3]``), provably keep one value, and which.

    The value holds after power-up for any inputs, resets among them. The proof is not complete:
    another net may be constant as well.
    """
    places = places_of_modules(module)
    known = {(name, net): _flat(places[name], net) for name, net in nets if name in places}
    if not known:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module.name}.v").write_text(module.text)
    names = sorted({name for name, _ in known.values()})
    script = _SCRIPT.format(name=module.name, nets=" ".join(f"w:{name}" for name in names))
    run_script(script, "constants", folder)
    design = json.loads((folder / "constants.json").read_text())["modules"][module.name]
    found = {}
    for key, (name, bit) in known.items():
        port = design["ports"].get(name)
        if port and bit < len(port["bits"]) and port["bits"][bit] in ("0", "1"):
            found[key] = int(port["bits"][bit])
    return found


def _flat(place, net):
    """Name and bit of a net after flattening."""
    name, _, rest = net.partition("[")
    return f"{place}{name}", int(rest.rstrip("]")) if rest else 0
