"""A sequential circuit of AND gates, simulated with many random inputs at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAME = re.compile(r"([ilo])(\d+) (\S+).*")  # a signal may have several, of which one is enough


class AndGraph:
    """Inputs, registers that begin with 0, AND gates and outputs.

    A signal is a literal of AIGER: twice the number of a node, plus 1 if it is inverted; 0 and 1
    are the constants. Gates come after what they need.

    Parameters
    ----------
    aiger : the graph in the binary form of AIGER, with names or without.

    Members
    -------
    registers : of each, its literal and that of its next value.
    gates : of each, its literal and those of its operands.
    outputs : literals.
    input_names : by the literal. register_names, output_names : by the place among them.
    """

    def __init__(self, aiger: bytes) -> None:
        head, _, rest = aiger.partition(b"\n")
        self.nodes, self._inputs, registers, outputs, gates = map(int, head.split()[1:6])
        lines = rest.split(b"\n", registers + outputs)
        first = self._inputs + 1
        following = [int(line.split()[0]) for line in lines[:registers]]
        self.registers = [(2 * (first + n), one) for n, one in enumerate(following)]
        self.outputs = [int(line) for line in lines[registers : registers + outputs]]
        self.gates: list[tuple[int, int, int]] = []
        numbers = _Numbers(lines[-1])
        for node in range(first + registers, first + registers + gates):
            one = 2 * node - numbers.next()
            self.gates.append((2 * node, one, one - numbers.next()))
        names: dict[str, dict[int, str]] = {"i": {}, "l": {}, "o": {}}
        for line in numbers.rest().decode().splitlines():
            if not (found := _NAME.fullmatch(line)):
                break
            names[found[1]][int(found[2])] = found[3]
        self.input_names = {2 * n + 2: name for n, name in names["i"].items()}
        self.register_names, self.output_names = names["l"], names["o"]

    def add_gate(self, one: int, other: int) -> int:
        """The literal of a new gate."""
        self.nodes += 1
        gate = 2 * self.nodes
        self.gates.append((gate, max(one, other), min(one, other)))
        return gate

    def differ(self, one: int, other: int) -> int:
        """The literal that is 1 while two signals differ."""
        if one == other:
            return 0
        only_one, only_other = self.add_gate(one, other ^ 1), self.add_gate(one ^ 1, other)
        return self.add_gate(only_one ^ 1, only_other ^ 1) ^ 1

    def any(self, literals: Iterable[int]) -> int:
        """The literal that is 1 while any of some signals is."""
        return reduce(lambda one, other: self.add_gate(one ^ 1, other ^ 1) ^ 1, literals, 0)

    def aiger(self, outputs: Iterable[int]) -> bytes:
        """The graph in the binary form of AIGER, with names."""
        outputs = list(outputs)
        counts = (self.nodes, self._inputs, len(self.registers), len(outputs), len(self.gates))
        lines = [f"aig {' '.join(map(str, counts))}"]
        lines += [str(following) for _, following in self.registers]
        lines += map(str, outputs)
        text = bytearray("\n".join(lines).encode() + b"\n")
        for gate, one, other in self.gates:
            for number in (gate - one, one - other):
                while number >= 128:
                    text.append(number & 127 | 128)
                    number >>= 7
                text.append(number)
        inputs = {literal // 2 - 1: name for literal, name in self.input_names.items()}
        names = {"i": inputs, "l": self.register_names, "o": self.output_names}
        for kind, known in names.items():
            for n, name in known.items():
                text += f"{kind}{n} {name}\n".encode()
        return bytes(text)

    def simulate(self, cycles: int, words: int, seed: int) -> Iterator[NDArray[np.uint64]]:
        """The values of all nodes in each cycle from power-up, 64 `words` simulations at once, each
        a bit. Each input has a density of ones of its own in each word; resets, the inputs ``rst``
        or ``NAME_rst``, are rare."""
        rng = np.random.default_rng(seed)
        resets = [
            literal // 2 - 1
            for literal, name in self.input_names.items()
            if re.search(r"(^|_)rst$", name)
        ]
        density = rng.integers(0, 5, (self._inputs, words))
        values = np.zeros((self.nodes + 1, words), np.uint64)
        state = np.zeros((len(self.registers), words), np.uint64)
        following = np.array([one for _, one in self.registers], int)
        levels = self._levels()
        first = self._inputs + 1
        for cycle in range(cycles):
            a, b, c = rng.integers(0, 2**64, (3, self._inputs, words), np.uint64)
            inputs = np.choose(density, [a, a & b, a | b, a & b & c, a | b | c])
            rare = rng.integers(0, 2**64, (8, len(resets), words), np.uint64)
            inputs[resets] = np.bitwise_and.reduce(rare) if cycle % 4 == 0 else 0
            values[1:first] = inputs
            values[first : first + len(state)] = state
            for gates in levels:
                one, other = (values_of(values, gates[:, n]) for n in (1, 2))
                values[gates[:, 0] >> 1] = one & other
            yield values
            state = values_of(values, following)

    def _levels(self) -> list[NDArray]:
        """The gates, those first that need no others."""
        level = np.zeros(self.nodes + 1, int)
        for gate, one, other in self.gates:
            level[gate >> 1] = 1 + max(level[one >> 1], level[other >> 1])
        gates = np.array(self.gates, int).reshape(-1, 3)
        depth = level[gates[:, 0] >> 1]
        return [gates[depth == one] for one in range(1, level.max() + 1)]


def values_of(values: NDArray[np.uint64], literals: NDArray) -> NDArray[np.uint64]:
    """The values of literals, from those of all nodes."""
    return values[literals >> 1] ^ np.where(literals & 1, ~np.uint64(0), np.uint64(0))[:, None]


class _Numbers:
    """Numbers of variable length, seven bits a byte, one after the other."""

    def __init__(self, text: bytes) -> None:
        self._text, self._place = text, 0

    def next(self) -> int:
        number = shift = 0
        while True:
            byte = self._text[self._place]
            self._place += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def rest(self) -> bytes:
        return self._text[self._place :]
