"""Enumeration of the reachable states of a small circuit."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_INPUTS, MOST_REGISTERS, MOST_STATES = 8, 24, 4_000
PART = 256  # states at a time

# Yosys commands from a flat module to the text of a `Circuit`; the file's name follows. Nets
# without a driver are free.
TO_CIRCUIT = """
memory
zinit -all
opt -full
techmap
dfflegalize -cell $_DFF_P_ 0 -mince 99999 -minsrst 99999
setundef -undriven -anyseq
aigmap
opt_clean
write_aiger -ascii -symbols"""[1:]


class Circuit:
    """A circuit of AND gates and registers that begin with 0.

    Parameters
    ----------
    text : the circuit as ASCII AIGER, with names of the outputs.
    """

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

    @property
    def is_small(self) -> bool:
        """Whether its states can be enumerated."""
        return len(self._inputs) <= MOST_INPUTS and len(self._registers) <= MOST_REGISTERS

    def stages(self) -> int | None:
        """Registers on the longest path, after which an input has no effect; None if a register
        has an effect on itself."""
        inputs = {out: ands for out, *ands in self._gates}
        inputs |= {out: [data] for out, data, *_ in self._registers}
        registers = {out for out, *_ in self._registers}
        depths: dict[int, int] = {}
        opened: set[int] = set()
        waiting = [number & ~1 for number in self._outputs]
        while waiting:
            node = waiting[-1]
            before = [number & ~1 for number in inputs.get(node, [])]
            unknown = [one for one in before if one not in depths]
            if node in depths or not unknown:
                depths[waiting.pop()] = max((depths[one] for one in before), default=0) + (
                    node in registers
                )
            elif node in opened:
                return None
            else:
                opened.add(node)
                waiting.extend(unknown)
        return max(depths.values(), default=0)

    def values_of_outputs(self) -> dict[str, set[int]] | None:
        """The values of each named output in the reachable states, for any inputs in any cycle;
        None if there are too many states."""
        seen: dict[str, set[int]] = {name: set() for name in self._names.values()}
        known, new = np.zeros(1, np.int64), np.zeros(1, np.int64)
        while new.size:
            if known.size > MOST_STATES:
                return None
            reached = [self._step(part, seen) for part in np.array_split(new, -(-new.size // PART))]
            new = np.setdiff1d(np.concatenate(reached), known)
            known = np.union1d(known, new)
        return seen

    def _step(self, states: NDArray, seen: dict[str, set[int]]) -> NDArray:
        """The states after `states`; adds the values of outputs to `seen`."""
        nodes = self._evaluate(states)
        for number, name in self._names.items():
            seen[name] |= {int(one) for one in np.unique(_value(nodes, self._outputs[number]))}
        following = np.zeros(nodes[0].shape, np.int64)
        for place, register in enumerate(self._registers):
            following |= _value(nodes, register[1]).astype(np.int64) << place
        return np.unique(following)

    def _evaluate(self, states: NDArray) -> dict[int, NDArray]:
        """Every node for each state with each combination of inputs."""
        choices = 1 << len(self._inputs)
        state = np.repeat(states, choices)
        choice = np.tile(np.arange(choices), states.size)
        nodes: dict[int, NDArray] = {0: np.zeros(state.shape, np.uint8)}
        for place, literal in enumerate(self._inputs):
            nodes[literal] = (choice >> place & 1).astype(np.uint8)
        for place, register in enumerate(self._registers):
            nodes[register[0]] = (state >> place & 1).astype(np.uint8)
        for output, first, second in self._gates:
            nodes[output] = _value(nodes, first) & _value(nodes, second)
        return nodes


def _value(nodes, literal):
    return nodes[literal & ~1] ^ (literal & 1)
