"""The top module as other tools want it: reset polarity, and Vivado's interface attributes."""

from __future__ import annotations

import re
from collections.abc import Sequence

RESETS = {"rst": "high", "aresetn": "low"}
"""Name of the reset port to the level that resets; it is synchronous in either case."""


def reset_called(text: str, name: str) -> str:
    """The top module with its reset port ``rst`` called `name`, of the polarity in `RESETS`."""
    if RESETS[name] == "high":
        return text
    text = re.sub(r"^  input rst(,?)$", rf"  input {name}\1", text, flags=re.MULTILINE)
    return text.replace("\n);\n", f"\n);\n  wire rst = !{name};\n", 1)


def interface_attributes(text: str, reset: str, ports: Sequence[tuple[str, str, int]]) -> str:
    """The top module with attributes by which Vivado's block design recognises clock, reset,
    streams, AXI4-Lite and interrupt; other tools ignore them."""
    names = [name for name, _, _ in ports]
    streams = dict.fromkeys(name.rpartition("_")[0] for name in names if "_axis_" in name)
    registers = ["s_axi"] if any(name.startswith("s_axi_") for name in names) else []
    buses = ":".join([*registers, *streams])
    attributes = {
        "clk": [
            _info("signal:clock", "clk", "CLK"),
            _parameter(f"ASSOCIATED_BUSIF {buses}, ASSOCIATED_RESET {reset}"),
        ],
        reset: [
            _info("signal:reset", reset, "RST"),
            _parameter(f"POLARITY ACTIVE_{RESETS[reset].upper()}"),
        ],
    }
    for stream in streams:
        for part in ("tdata", "tvalid", "tready", "tlast"):
            attributes[f"{stream}_{part}"] = [_info("interface:axis", stream, part.upper())]

    for name in names:
        if name.startswith("s_axi_"):
            part = name.removeprefix("s_axi_").upper()
            attributes[name] = [_info("interface:aximm", "s_axi", part)]
    if "irq" in names:
        irq = [_info("signal:interrupt", "irq", "INTERRUPT"), _parameter("SENSITIVITY LEVEL_HIGH")]
        attributes["irq"] = irq

    head, end, body = text.partition("\n);\n")

    def attribute(port):
        lines = "".join(f"  {line}\n" for line in attributes.get(port[1], []))
        return lines + port[0]

    head = re.sub(r"^  (?:input|output).* (\w+),?$", attribute, head, flags=re.MULTILINE)
    return head + end + body


def _info(kind, name, part):
    return f'(* X_INTERFACE_INFO = "xilinx.com:{kind}:1.0 {name} {part}" *)'


def _parameter(text):
    return f'(* X_INTERFACE_PARAMETER = "{text}" *)'
