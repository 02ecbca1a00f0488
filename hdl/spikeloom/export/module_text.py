"""Layout of a Verilog module: its ports, one a line, and initial values apart from declarations."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADER = re.compile(r"^module (\w+)\(([^)]*)\);\n", re.MULTILINE)
_INITIALISED = re.compile(r"^  reg ((?:\[\d+:\d+\] )?)(\w+) = ([^;]+);$", re.MULTILINE)


def initial_statements(text: str) -> str:
    """A module that initialises registers in statements of their own. SystemVerilog evaluates
    initial values in declarations before any process, and linters report them."""
    return _INITIALISED.sub(r"  reg \1\2;\n  initial \2 = \3;", text)


def ports_in_header(text: str, order: Sequence[str]) -> str:
    """A module that declares each port once, in its header: those of `order`, then the others."""
    header = _HEADER.search(text)
    if header is None:
        return text
    names = re.findall(r"\w+", header[2])
    names.sort(key=lambda name: order.index(name) if name in order else len(order))
    head, body = text[: header.start()], text[header.end() :]
    lines = []
    for name in names:
        width = r"(?:\[\d+:\d+\] )?"
        declared = re.compile(
            rf"^  (input|output) ({width}){name};\n  (wire|reg) {width}{name};\n", re.MULTILINE
        )
        flow, width, kind = declared.search(body).groups()  # pyright: ignore[reportOptionalMemberAccess]
        body = declared.sub("", body)
        register = "reg " if kind == "reg" else ""
        lines.append(f"  {flow} {register}{width}{name}")
    ports = "\n" + ",\n".join(lines) + "\n" if lines else ""
    return f"{head}module {header[1]}({ports});\n{body}"
