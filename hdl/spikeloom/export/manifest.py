"""What a generated design is: configuration, ports, layout of its streams, cycles, reset."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..link.identity import config_hash, input_ports
from ..port import AXES, Port
from ..shell.buses import BUSES
from .interfaces import RESETS

if TYPE_CHECKING:
    from ..contract import Core
    from .files import Options
    from .verilog import VerilogModule

SCHEMA = "spikeloom/manifest/1"
LICENCE = "Apache-2.0"

MEANINGS = {
    "clk": "clock; everything happens at its rising edge",
    "start": "begins a run; taken while busy is low",
    "seed": "seed of every LFSR, loaded with start; any number",
    "busy": "high from start to the last output beat",
    "done": "high for one clock, when busy falls after the last output beat",
    "irq": "high while an interrupt that is enabled is pending",
}
PARTS = {
    "tdata": "data",
    "tvalid": "a beat is offered; it stays until it is taken",
    "tready": "the beat is taken at this edge, if tvalid is high",
    "tlast": "last beat of a frame",
}


def manifest_of(core: Core, module: VerilogModule, options: Options) -> dict[str, Any]:
    """The manifest of `core` as `module`; `manifest.schema.json` describes it."""
    widths = {name: width for name, _, width in module.ports}
    meanings = MEANINGS | {name: flag.meaning for name, flag in core.flags.items()}
    active = RESETS[options.reset]
    if options.shell is not None:
        meanings |= {port.name: port.meaning for port in BUSES[options.shell]}
    meanings[options.reset] = f"synchronous reset, active {active}; drops a run and all operands"
    return {
        "schema": SCHEMA,
        "generator": f"spikeloom {__version__}",
        "licence": LICENCE,
        "core": core.NAME,
        "summary": " ".join(core.describe().split()),
        "source": core.SOURCE,
        "module": module.name,
        "config": core.settled().as_dict(),
        "config_hash": config_hash(core),
        "cycles": core.cycles(),
        "cycles_are": "maximum" if core.CYCLES_FOLLOW_DATA else "exact",
        "cycle_formula": core.cycle_formula(),
        "clock": {"port": "clk", "edge": "rising"},
        "reset": {
            "port": options.reset,
            "active": active,
            "kind": "synchronous",
            "needed": not options.initial,
        },
        "tdata": options.tdata,
        "shell": options.shell,
        "ports": [
            {
                "name": name,
                "direction": direction,
                "width": width,
                "meaning": meanings.get(name) or PARTS[name.rpartition("_")[2]],
            }
            for name, direction, width in module.ports
        ],
        "streams": [
            *(
                _stream(name, port, "input", widths, loaded=name in core.loads)
                for name, port in input_ports(core).items()
            ),
            *(_stream(name, port, "output", widths) for name, port in core.outputs.items()),
        ],
    }


def _stream(
    name: str, port: Port, direction: str, widths: dict[str, int], *, loaded: bool = False
) -> dict[str, Any]:
    prefix = f"{'s' if direction == 'input' else 'm'}_axis_{name}"
    special = type(port) is not Port
    return {
        "name": name,
        "direction": direction,
        "prefix": prefix,
        "once": loaded,
        "axes": port.axes,
        "shape": list(port.shape),
        "element": {
            "type": repr(port.item),
            "bits": port.item.bits,
            "coding": _contract(type(port.item)),
        },
        "beat": None if special else list(port.beat),
        "order": _contract(type(port)) if special else _order(port),
        "data_bits": port.bits,
        "tdata_bits": widths[f"{prefix}_tdata"],
        "beats": port.beats,
        "beats_per_tlast": port.frame_beats,
        "tlast_closes": AXES.get(port.closes, "the element"),
    }


def _order(port: Port) -> str:
    """The elements of a beat, and the order of the beats, in words."""
    if not port.axes:
        return "one element"
    extents = " x ".join(map(str, port.beat))
    names = " x ".join(AXES[axis] for axis in port.axes)
    padded = any(n % block for n, block in zip(port.shape, port.beat, strict=True))
    return (
        f"a beat holds {extents} ({names}); beats, and the elements in them, follow the axes "
        f"{port.axes}, the last fastest, the first element in the lowest bits"
        + ("; what a beat has beyond the tensor is 0" if padded else "")
    )


def _contract(kind: type) -> str:
    """The docstring of a class up to its parameters or its source, in one line."""
    text = re.split(r"\n(?:Parameters|Source:|Members|Raises)", inspect.getdoc(kind) or "")[0]
    return " ".join(text.split())
