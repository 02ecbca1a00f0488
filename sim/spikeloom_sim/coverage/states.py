"""Nets that keep one value in every reachable state of a small module."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikeloom.tools import run_tool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.export.verilog import VerilogModule

MOST_REGISTERS, MOST_INPUTS = 16, 8  # bits of a module whose states are enumerated

_SCRIPT = """
design -push-copy
hierarchy -check -top {module}
select -set wanted {nets}
expose @wanted
select *
opt_clean
zinit -all
opt -full
techmap
dfflegalize -cell $_DFF_P_ 0 -mince 99999 -minsrst 99999
aigmap
opt_clean
write_aiger -ascii -symbols {module}.aag
design -pop
"""
_INPUT = re.compile(r"^  input (?:\[(\d+):0\] )?(?!clk\b)\w+,?$", re.MULTILINE)
_REGISTER = re.compile(r"^  initial (\w+) = (\d+)'h", re.MULTILINE)
_INSTANCE = re.compile(r"^  spikeloom_\w+ \w+ \($", re.MULTILINE)


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
        if name in texts and _is_small(texts[name]):
            wanted.setdefault(name, []).append(net)
    if not wanted:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module.name}.v").write_text(module.text)
    script = f"read_verilog {module.name}.v\nproc\n"
    for name, bits in wanted.items():
        selected = " ".join(sorted({f"w:{bit.partition('[')[0]}" for bit in bits}))
        script += _SCRIPT.format(module=name, nets=selected)
    (folder / "states.ys").write_text(script)
    run_tool("yosys", "-ql", "states.log", "-s", "states.ys", cwd=folder)
    found = {}
    for name, bits in wanted.items():
        seen = _Graph((folder / f"{name}.aag").read_text()).values_of_outputs()
        for bit in bits:
            values = seen.get(bit) or seen.get(f"{bit}[0]") or set()
            if len(values) == 1:
                found[name, bit] = min(values)
    return found


def _is_small(text):
    inputs = sum(int(found[1] or 0) + 1 for found in _INPUT.finditer(text))
    registers = sum(int(width) for _, width in _REGISTER.findall(text))
    small = inputs <= MOST_INPUTS and registers <= MOST_REGISTERS
    return small and not _INSTANCE.search(text) and "memory" not in text


class _Graph:
    """A circuit of AND gates and registers that begin with 0, as ASCII AIGER."""

    def __init__(self, text: str) -> None:
        lines = iter(text.splitlines())
        _, _, inputs, registers, outputs, gates = next(lines).split()[:6]

        def numbers(count):
            return [list(map(int, line.split())) for line in islice(lines, int(count))]

        self._inputs = [one for (one,) in numbers(inputs)]
        self._registers = numbers(registers)
        self._outputs = [one for (one,) in numbers(outputs)]
        self._gates = numbers(gates)
        symbols = (re.match(r"o(\d+) (\S+)$", line) for line in lines)
        self._names = {int(found[1]): found[2] for found in symbols if found}

    def values_of_outputs(self) -> dict[str, set[int]]:
        """The values of each named output in the reachable states, for any inputs."""
        seen: dict[str, set[int]] = {name: set() for name in self._names.values()}
        known, new = np.zeros(1, np.int64), np.zeros(1, np.int64)
        while new.size:
            nodes = self._evaluate(new)
            for number, name in self._names.items():
                seen[name] |= {int(one) for one in np.unique(_value(nodes, self._outputs[number]))}
            following = np.zeros(nodes[0].shape, np.int64)
            for place, register in enumerate(self._registers):
                following |= _value(nodes, register[1]).astype(np.int64) << place
            new = np.setdiff1d(following, known)
            known = np.union1d(known, new)
        return seen

    def _evaluate(self, states: NDArray) -> dict[int, NDArray]:
        """Every node for each state with each combination of inputs."""
        choices = 1 << len(self._inputs)
        state = np.repeat(states, choices)
        choice = np.tile(np.arange(choices), states.size)
        nodes = {0: np.zeros(state.shape, np.uint8)}
        for place, literal in enumerate(self._inputs):
            nodes[literal] = (choice >> place & 1).astype(np.uint8)
        for place, register in enumerate(self._registers):
            nodes[register[0]] = (state >> place & 1).astype(np.uint8)
        for output, first, second in self._gates:
            nodes[output] = _value(nodes, first) & _value(nodes, second)
        return nodes


def _value(nodes, literal):
    return nodes[literal & ~1] ^ (literal & 1)
