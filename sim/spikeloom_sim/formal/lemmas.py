"""Candidates of invariants that help a proof of equivalence, found by simulation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from .and_graph import values_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .and_graph import AndGraph

CYCLES, WORDS = 600, 16  # of each simulation: in all, 614,400 cycles
MOST_REGISTERS = 1_200  # of a graph that is not left as it is
MOST_PAIRS = 80
WIDEST = 8  # bits of a register whose bits exclude each other's values; wider ones hold data


def add_lemmas(graph: AndGraph) -> list[int]:
    """Gates that were 0 in simulations of a miter, and if they always are, tell more about it than
    its own signals do:

    * a signal and a difference between two registers of the same name, in ``gold`` and in ``gate``:
      they differ only while that signal is 0, for instance while a place is not valid;
    * the values of two bits of registers, which exclude each other.

    Induction over the cycles decides together which of them always are 0.
    """
    if not 0 < len(graph.registers) <= MOST_REGISTERS:
        return []
    pairs = _different(graph, _pairs(graph))
    together = _exclusive(graph)
    whiles = _conditions(graph, pairs) if 0 < len(pairs) <= MOST_PAIRS else []
    gates = []
    for one, other, signals in whiles:
        differ = graph.differ(one, other)
        gates += [graph.add_gate(signal, differ) for signal in signals]
    return gates + [graph.add_gate(one, other) for one, other in together]


def _pairs(graph):
    """Literals of registers with the same name in both designs."""
    literals = {name: graph.registers[n][0] for n, name in graph.register_names.items()}
    gates = {name: re.sub(r"(^|\.)gold\.", r"\1gate.", name, count=1) for name in literals}
    return [
        (literals[name], literals[gate])
        for name, gate in gates.items()
        if gate != name and gate in literals
    ]


def _different(graph, pairs):
    """The pairs that differ in a simulation."""
    one, other = (np.array([pair[n] for pair in pairs], int) >> 1 for n in (0, 1))
    differ = np.zeros(len(pairs), bool)
    for values in graph.simulate(CYCLES, WORDS, seed=1):
        differ |= (values[one] != values[other]).any(1)
    return [pair for pair, differs in zip(pairs, differ, strict=True) if differs]


def _conditions(graph, pairs):
    """Of each pair, the signals that are 1 in a simulation, but never while the pair differs."""
    nodes = np.array([one for one, *_ in (*graph.registers, *graph.gates)], int) >> 1
    left = np.ones((2, len(nodes), len(pairs)), bool)  # inverted or not
    seen = np.zeros((2, len(nodes)), bool)
    traces = np.zeros(len(nodes), np.uint64)  # nodes that are always alike are one
    rng = np.random.default_rng(2)
    for values in graph.simulate(CYCLES, WORDS, seed=3):
        signals = values[nodes]
        seen |= [(~signals).any(1), signals.any(1)]
        traces = traces * np.uint64(6364136223846793005) + (
            signals * rng.integers(0, 2**63, WORDS, np.uint64)
        ).sum(1, np.uint64)
        for n, (one, other) in enumerate(pairs):
            differ = values[one >> 1] ^ values[other >> 1]
            if differ.any():
                left[0, :, n] &= ~(~signals & differ).any(1)
                left[1, :, n] &= ~(signals & differ).any(1)
    _, first = np.unique(traces, return_index=True)
    alone = np.isin(np.arange(len(nodes)), first)
    left &= (seen & alone)[:, :, None]
    return [
        (*pair, [int(2 * nodes[node]) ^ (not level) for level, node in np.argwhere(left[:, :, n])])
        for n, pair in enumerate(pairs)
    ]


def _exclusive(graph):
    """Pairs of literals of register bits that are never 1 together in a simulation."""
    widths: dict[str, list[int]] = {}
    for place in range(len(graph.registers)):
        name = re.sub(r"(\[\d+\])+$", "", graph.register_names.get(place, str(place)))
        widths.setdefault(name, []).append(graph.registers[place][0])
    narrow = [one for bits in widths.values() if len(bits) <= WIDEST for one in bits]
    literals = np.array([one ^ level for one in narrow for level in (0, 1)], int)
    apart: NDArray = np.ones((len(literals), len(literals)), bool)
    for values in graph.simulate(CYCLES, WORDS, seed=4):
        bits = values_of(values, literals)
        left, right = np.nonzero(np.triu(apart, 1))
        apart[left, right] = ~(bits[left] & bits[right]).any(1)
    left, right = np.nonzero(np.triu(apart, 1))
    return [
        (int(literals[one]), int(literals[other]))
        for one, other in zip(left, right, strict=True)
        if literals[one] >> 1 != literals[other] >> 1
    ]
