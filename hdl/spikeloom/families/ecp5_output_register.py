"""Moves the flip-flops behind an ECP5 block RAM into the output register of that block RAM.

Yosys maps every read port with ``REGMODE = NOREG``: data leaves the RAM 5.83 ns after the clock
edge, and 0.96 ns after it with the output register (nextpnr, speed grade 6). The register is worth
its flip-flops too.

The output register of a port loads while OCE is high, whether CE is or not, and powers up as zeros.
It has no reset of its own: RST also clears the address and the output latch, and without OCE it
does not clear the register. A port is therefore converted if each of its outputs in use goes
to the data input of one flip-flop and to nothing else, and these flip-flops have one clock, which
is the port's, one enable, no reset, and power up as 0.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RAM, FLIP_FLOP = "DP16KD", "TRELLIS_FF"
WIDE = 36  # with this width both sides of the RAM are outputs of read port B

USED = "block RAM ports that use their output register"
SAVED = "flip-flops replaced by output registers"
LEFT = "block RAM ports without output register: "
IN_USE = "it is in use already"


def use_output_registers(netlist: Path) -> dict[str, int]:
    """Convert all ports that allow it, in a netlist of synth_ecp5 as JSON.

    Returns what was done, and the number of ports left for each reason.
    """
    design = json.loads(netlist.read_text())
    tops = [one for one in design["modules"].values() if "top" in one.get("attributes", {})]
    counts: Counter[str] = Counter()
    for top in tops:
        for port in _Pass(top).ports():
            counts += port
    if counts[USED]:
        netlist.write_text(json.dumps(design))
    return dict(sorted(counts.items()))


@dataclass(frozen=True)
class _ReadPort:
    """A read port: its outputs (DOA, DOB), and the side, A or B, of its clock and controls."""

    outputs: tuple[str, ...]
    side: str

    def of(self, cell: dict[str, Any]) -> dict[str, int]:
        """Bits of the netlist by name of the output."""
        return {
            name: bits[0]
            for name, bits in cell["connections"].items()
            if name.startswith(self.outputs) and bits
        }


class _Pass:
    """The conversion of one module."""

    def __init__(self, module: dict[str, Any]) -> None:
        self._cells = module["cells"]
        self._sinks = defaultdict(list)
        for name, cell in self._cells.items():
            for port, bits in cell["connections"].items():
                if cell["port_directions"][port] != "output":
                    for bit in bits:
                        self._sinks[bit].append((name, port))
        for name, port in module["ports"].items():
            if port["direction"] != "input":
                for bit in port["bits"]:
                    self._sinks[bit].append((None, name))

    def ports(self) -> Iterator[Counter[str]]:
        """Convert the module; yields the counts of each read port in use."""
        for cell in [cell for cell in self._cells.values() if cell["type"] == RAM]:
            for port in _read_ports(cell):
                used = {name: bit for name, bit in port.of(cell).items() if self._sinks[bit]}
                if not used:
                    continue
                reason, registers = self._registers(cell, port, used)
                if reason:
                    yield Counter({LEFT + reason: 1})
                    continue
                self._convert(cell, port, registers)
                yield Counter({USED: 1, SAVED: len(registers)})

    def _registers(self, cell, port, used):
        """Why the port cannot be converted, or "", and the flip-flop behind each of its outputs."""
        parameters, connections, side = cell["parameters"], cell["connections"], port.side
        if _text(parameters, f"REGMODE_{side}") == "OUTREG":
            return IN_USE, {}
        if _constant(connections.get(f"RST{side}", ["0"])) != "0":
            return "the memory has a reset", {}
        clock = (connections[f"CLK{side}"][0], _text(parameters, f"CLK{side}MUX") == "INV")
        registers, enables = {}, set()
        for output, bit in used.items():
            (name, pin), *others = self._sinks[bit]
            if others or name is None or self._cells[name]["type"] != FLIP_FLOP:
                return "the output goes elsewhere than to one register", {}
            register = self._cells[name]
            if pin not in ("DI", "M"):
                return "the output controls a register", {}
            if _is_reset(register):
                return "the register has a reset", {}
            if _text(register["parameters"], "REGSET") == "SET":
                return "the register powers up as 1", {}
            if _clock(register) != clock:
                return "the register has another clock", {}
            registers[output] = name
            enables.add(_enable(register))
        return ("the registers have several enables" if len(enables) > 1 else ""), registers

    def _convert(self, cell, port, registers):
        bit, inverted = _enable(self._cells[next(iter(registers.values()))])
        for side in {output[2] for output in port.outputs}:
            enable = f"OCE{side}"
            cell["parameters"][f"REGMODE_{side}"] = "OUTREG"
            cell["parameters"][f"{enable}MUX"] = "INV" if inverted else enable
            cell["connections"][enable] = [bit]
            cell["port_directions"][enable] = "input"
        for output, name in registers.items():
            cell["connections"][output] = self._cells.pop(name)["connections"]["Q"]


def _read_ports(cell):
    if int(_text(cell["parameters"], "DATA_WIDTH_B"), 2) == WIDE:
        return (_ReadPort(("DOA", "DOB"), "B"),)
    return _ReadPort(("DOA",), "A"), _ReadPort(("DOB",), "B")


def _text(parameters, name):
    """A parameter as text. Yosys appends a space to texts that look like numbers."""
    return parameters.get(name, "").strip()


def _constant(bits):
    return "0" if bits[0] in ("0", "x") else bits[0]


def _clock(register):
    """Bit of the clock, and whether its falling edge counts."""
    return register["connections"]["CLK"][0], _text(register["parameters"], "CLKMUX") == "INV"


def _enable(register):
    """Bit of the enable, and whether it is inverted; the constant "1" without enable."""
    mux = _text(register["parameters"], "CEMUX")
    if mux == "1" or "CE" not in register["connections"]:
        return "1", False
    return register["connections"]["CE"][0], mux == "INV"


def _is_reset(register):
    """Whether the flip-flop can be set or reset while running."""
    never = "1" if _text(register["parameters"], "LSRMUX") == "INV" else "0"
    bit = register["connections"].get("LSR", [never])[0]
    return bit not in (never, "x")
