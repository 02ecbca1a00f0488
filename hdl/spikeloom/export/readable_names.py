r"""Plain names for everything in a generated design.

Amaranth and Yosys generate names such as ``$5``, ``\busy$25`` or ``\port$986$0``, and names with
dots and brackets. Verilog has to escape them, and waveform viewers reject some. This module
replaces each by a plain identifier, derived from the source of the net.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ONCE = "at_time_0"
"""Name kept free in every module, see `verilog.settle_at_time_0`."""

_NAME = re.compile(r"[\\$]\S+")
_WIRE = re.compile(r"  wire (?:.* )?(\S+)$")
_CELL = re.compile(r"  cell (\S+) (\S+)$")
_CONNECT = re.compile(r"    connect (\S+) (.*)$")
_EMPTY = re.compile(r"  wire width 0 (?!input|output)")
_TARGET = re.compile(r"  connect (\\\S+) (\$\S+)$")
_TO_ITSELF = re.compile(r"  connect (.+) \1$")
_IS_TEXT = re.compile(r" *(attribute|parameter) ")
_SOURCE = re.compile(r"  connect (\$\S+) ([^\s[].*)$")
_MEMORY = re.compile(r'    parameter \\MEMID "\\\\(.*)"$')
_ALIAS = re.compile(r"  connect ([\\$]\S+) [^\s[]")


@dataclass
class _Cell:
    """An instance or operator, with the net connected to each port."""

    kind: str
    name: str
    ports: dict = field(default_factory=dict)
    memory: str = ""

    @property
    def is_module(self) -> bool:
        return self.kind.startswith("\\")


class _Module:
    """One module of RTLIL: its lines, and the sources of its names."""

    def __init__(self, text: str) -> None:
        lines = text.splitlines()
        head = next(n for n, line in enumerate(lines) if line.startswith("module "))
        self.name = lines[head].split()[1]
        self.head = lines[:head]
        # Yosys writes the signedness of every operator, so declared signedness is removed.
        self.body = [line.replace(" signed ", " ") for line in lines[head + 1 :]]
        self._drop_empty()
        self._use_sources()
        self._drop_aliases()
        self.wires, self.ports, self.memories, self.cells = [], [], [], []
        for line in self.body:
            if wire := _WIRE.match(line):
                is_port = re.search(r" (input|output|inout) \d+ ", line)
                (self.ports if is_port else self.wires).append(wire[1])
            elif line.startswith("  memory "):
                self.memories.append(line.split()[-1])
            elif cell := _CELL.match(line):
                self.cells.append(_Cell(cell[1], cell[2]))
            elif connected := _CONNECT.match(line):
                self.cells[-1].ports[connected[1]] = connected[2]
            elif memory := _MEMORY.match(line):
                self.cells[-1].memory = memory[1]

    def _drop_empty(self):
        """Remove wires of zero bits, which Verilog does not support."""
        empty = {
            wire[1] for line in self.body if _EMPTY.match(line) and (wire := _WIRE.match(line))
        }
        self._replace(dict.fromkeys(empty, "{ }"))

    def _use_sources(self):
        """Replace unnamed wires by the nets they are connected to."""
        sources = {}
        for line in self.body:
            if same := _SOURCE.match(line):
                sources[same[1]] = same[2]
        while nested := {
            name: source
            for name, source in sources.items()
            if any(part in sources for part in _NAME.findall(source))
        }:
            sources |= {name: _renamed(source, sources) for name, source in nested.items()}
        self._replace(sources)
        targets = {}
        for line in self.body:
            if same := _TARGET.match(line):
                targets.setdefault(same[2], same[1])
        self._replace(targets)

    def _replace(self, nets):
        """Replace the wires that are the keys of `nets` by their values."""
        self.body = [_with_nets(line, nets) for line in _without_wires(self.body, nets)]
        self.body = [line for line in self.body if not _TO_ITSELF.match(line)]

    def _drop_aliases(self):
        """Remove numbered aliases of a net that nothing reads."""
        while True:
            uses = Counter(name for line in self.body for name in _NAME.findall(line))
            aliases = {
                alias[1]
                for alias in map(_ALIAS.match, self.body)
                if alias and "$" in alias[1] and uses[alias[1]] == 2
            }
            aliases -= {line.split()[-1] for line in self.body if _is_port(line)}
            if not aliases:
                return
            kept = _without_wires(self.body, aliases)
            self.body = [line for line in kept if not _connects(line, aliases)]


def _is_port(line):
    return re.match(r"  wire .*(input|output|inout) \d+ ", line)


def _connects(line, aliases):
    found = _ALIAS.match(line)
    return found and found[1] in aliases


def _without_wires(lines, names):
    """The lines of a module without the wires `names` and their attributes, which would otherwise
    be those of the next wire."""
    kept, attributes = [], []
    for line in lines:
        if line.startswith("  attribute "):
            attributes.append(line)
            continue
        wire = _WIRE.match(line)
        if not wire or wire[1] not in names:
            kept += [*attributes, line]
        attributes = []
    return kept + attributes


def readable_names(text: str) -> str:
    r"""RTLIL, after Yosys' ``proc`` and ``memory_collect``, with plain names only.

    Ports of the top module, which has ``attribute \top 1`` or is not instantiated, keep their
    names. Names of submodules are those of the top module, two underscores and their place in it.

    * Separators become underscores: ``\i[0].step`` is ``i_0_step``.
    * Numbers that distinguish equal names count from 2: ``\busy$25`` is ``busy_2``; aliases that
      nothing reads are removed.
    * A net that only passes through a module has its outer name.
    * The next value of register ``busy`` is ``busy_next``; other results are named after their
      operator: ``and_5``, ``eq_7``.

    The same text gives the same names.
    """
    *texts, tail = text.split("\nend\n")
    modules = {module.name: module for module in map(_Module, texts)}
    parents = {
        cell.kind: (module, cell)
        for module in modules.values()
        for cell in module.cells
        if cell.kind in modules  # others are cells of the FPGA
    }
    names = _Names(modules, parents)
    return "".join(names.rewrite(module) for module in modules.values()) + tail


class _Names:
    """New names of all modules, assigned from the top module down."""

    def __init__(self, modules: Mapping[str, _Module], parents: Mapping[str, Any]) -> None:
        self._modules = modules
        self._parents = parents
        self.module_names = {name: name for name in modules if name not in parents}
        taken = {name[1:] for name in self.module_names}
        for name in parents:
            top, _, place = name.partition(".")
            self.module_names[name] = "\\" + free_name(f"{_plain(top)}__{_plain(place)}", taken)
        self._maps: dict[str, dict[str, str]] = {}

    def of(self, module: _Module) -> dict[str, str]:
        """Old name to new name, for wires, memories and parts of `module`."""
        if module.name not in self._maps:
            self._maps[module.name] = self._decide(module)
        return self._maps[module.name]

    def _decide(self, module):
        wanted = _names_of_results(module)
        taken, names = {ONCE}, {}

        def give(name):
            if name not in names:
                names[name] = "\\" + free_name(wanted.get(name) or _plain(name), taken)

        if module.name in self._parents:
            wanted |= self._names_outside(module)
        else:
            taken |= {port[1:] for port in module.ports}
            names = {port: port for port in module.ports}
        for port in sorted(module.ports, key=lambda port: "$" in port):
            give(port)
        parts = [cell.name for cell in module.cells if cell.name.startswith("\\")]
        for part in parts + module.memories:
            give(part)
        for wire in sorted(module.wires, key=lambda wire: "$" in wire):
            give(wire)
        return names

    def _names_outside(self, module):
        """The outer names of nets that enter through ports and have no name here."""
        parent, cell = self._parents[module.name]
        outside = self.of(parent)
        names = {}
        for port in module.ports:
            if re.fullmatch(r"\\port\$\d+\$\d+", port):
                nets = _NAME.findall(cell.ports.get(port, ""))
                names[port] = outside[nets[0]][1:] if nets else "unconnected"
        return names

    def rewrite(self, module: _Module) -> str:
        """The text of `module` with its new names."""
        names = self.of(module)
        lines = [*module.head, f"module {self.module_names[module.name]}"]
        ports: dict[str, str] = {}  # ports of the current instance
        for line in module.body:
            if line.startswith("  cell "):
                _, kind, name = line.split()
                ports = self.of(self._modules[kind]) if kind in self._modules else {}
                kind = self.module_names.get(kind, kind)
                lines.append(f"  cell {kind} {names.get(name, name)}")
            elif connected := _CONNECT.match(line):
                port = ports.get(connected[1], connected[1])
                lines.append(_with_nets(f"    connect {port} {connected[2]}", names))
            elif memory := _MEMORY.match(line):
                name = names["\\" + memory[1]]
                lines.append(f'    parameter \\MEMID "\\\\{name[1:]}"')
            else:
                lines.append(_with_nets(line, names))
        return "\n".join([*lines, "end", ""])


def _with_nets(line, nets):
    """A line of a module with its nets replaced, except for port names of instances."""
    if _IS_TEXT.match(line):
        return line
    if connected := _CONNECT.match(line):
        return f"    connect {connected[1]} {_renamed(connected[2], nets)}"
    return _renamed(line, nets)


def _renamed(text, names):
    return _NAME.sub(lambda name: names.get(name[0], name[0]), text)


def _names_of_results(module):
    """Names for unnamed nets, after the register they drive or the cell that drives them."""
    wanted = {}
    for cell in module.cells:
        if cell.kind in ("$memrd_v2", "$memwr_v2"):
            memory = _plain(cell.memory)
            access = "read" if "rd" in cell.kind else "write"
            for port in ("ADDR", "DATA", "EN"):
                for net in _NAME.findall(cell.ports["\\" + port])[:1]:
                    if net.startswith(("$", "\\$signature__")):
                        wanted[net] = f"{memory}_{access}_{port.lower()}"
    for cell in module.cells:
        if cell.kind == "$dff" and cell.ports["\\D"].startswith("$"):
            register = cell.ports["\\Q"].split()[0]
            wanted[cell.ports["\\D"]] = (wanted.get(register) or _plain(register)) + "_next"
    for cell in module.cells:
        if not cell.is_module and (net := cell.ports.get("\\Y", "")).startswith("$"):
            wanted.setdefault(net, f"{cell.kind[1:]}_{_number(net)}")
    for wire in module.wires:
        if wire.startswith("$"):
            wanted.setdefault(wire, f"value_{_number(wire)}")
    return wanted


def _number(name):
    """The digits at the end of `name`."""
    return name[len(name.rstrip("0123456789")) :]


def _plain(name):
    r"""A Verilog identifier for a name in RTLIL."""
    name = re.sub(r"(?<=.)\$\d+(?=$|\.)", "", name)  # the distinguishing number
    name = name.replace("$signature__", "port__")
    name = re.sub(r"\W+", "_", name).strip("_")
    return name if name[:1].isalpha() else f"n{name}"


def free_name(name: str, taken: set[str]) -> str:
    """`name`, with the first free number appended if it is taken; the result is added to
    `taken`."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    taken.add(found)
    return found
