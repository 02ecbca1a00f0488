"""Where the modules of a design are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spikeloom.export.verilog import VerilogModule

_INSTANCE = re.compile(r"^  (\w+) (\w+) \($", re.MULTILINE)
_MODULE = re.compile(r"^module (\w+)\(", re.MULTILINE)


def places_of_modules(module: VerilogModule) -> dict[str, str]:
    """Where the one instance of each module is: names of instances with dots, "" for the top."""
    inside = {}
    for part in module.text.split("endmodule\n"):
        if head := _MODULE.search(part):
            inside[head[1]] = _INSTANCE.findall(part)
    places, waiting, several = {module.name: ""}, [module.name], set()
    while waiting:
        parent = waiting.pop()
        for child, name in inside.get(parent, ()):
            if child not in inside:
                continue
            several |= {child} & places.keys()
            places[child] = f"{places[parent]}{name}."
            waiting.append(child)
    return {name: place for name, place in places.items() if name not in several}
