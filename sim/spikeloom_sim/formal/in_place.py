"""A circuit with one of its modules, beside the same with another module in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

from .and_graph import AndGraph


def differing(
    graph: AndGraph,
    gold: Mapping[str, str],
    gate: Mapping[str, str],
    shared: Mapping[str, str],
) -> int:
    """Make the only output of `graph` one that is 1 while a circuit with module ``gate`` differs
    from the same with module ``gold``.

    Both have the same registers around the modules, as they are equal as long as that output is 0:
    it compares their next values, and the outputs of the circuit, with the outputs of either
    module. So these may differ where the circuit around them does not heed them.

    Parameters
    ----------
    graph : the circuit and both modules. Inputs stand for the outputs of the module in the circuit.
    gold, gate : to the name of each of these inputs that of the output of `graph` with what the
        module gives.
    shared : to the name of each input of module ``gate`` from outside of the circuit that of the
        input of ``gold`` that is the same, and to the name of each output that of ``gate`` that
        of ``gold``. They are compared as well.

    Returns how many registers only the circuit with ``gate`` has. Raises `ValueError` if a signal
    depends on itself.
    """
    inputs = {name: literal for literal, name in graph.input_names.items()}
    outputs = {name: graph.outputs[n] for n, name in graph.output_names.items()}
    alike = {inputs[one]: inputs[other] for one, other in shared.items() if one in inputs}
    circuits = [
        _Circuit(graph, alike | {inputs[name]: outputs[one] for name, one in module.items()})
        for module in (gold, gate)
    ]
    used = {*gold.values(), *gate.values(), *shared}
    pairs = {one: one for one in outputs if one not in used | {*shared.values()}}
    pairs |= {other: one for one, other in shared.items() if one in outputs}
    compared = [
        (circuits[0].of(outputs[one]), circuits[1].of(outputs[other]))
        for one, other in pairs.items()
    ]
    reached = [
        circuit.registers(outputs[one] for one in names)
        for circuit, names in zip(circuits, (pairs, pairs.values()), strict=True)
    ]
    registers = []
    for register, following in graph.registers:
        of_gold, of_gate = (circuit.of(following) for circuit in circuits)
        if register in reached[0] and register in reached[1]:
            compared.append((of_gold, of_gate))
        registers.append((register, of_gold if register in reached[0] else of_gate))
    graph.registers[:] = registers
    graph.outputs[:] = [graph.any(graph.differ(*pair) for pair in compared)]
    graph.output_names = {0: "trigger"}
    return len(reached[1] - reached[0])


class _Circuit:
    """A graph in which signals take the place of some inputs, all as literals."""

    def __init__(self, graph: AndGraph, inputs: Mapping[int, int]) -> None:
        self._gates = {gate: operands for gate, *operands in graph.gates}
        self._following = dict(graph.registers)
        self._inputs = inputs
        needed = {node: [one & ~1 for one in self._needs(node)] for node in (*self._gates, *inputs)}
        self._found: dict[int, int] = {}
        for node in TopologicalSorter(needed).static_order():
            self._found[node] = self._made(graph, node)

    def of(self, literal: int) -> int:
        """What a signal becomes."""
        return self._found.get(literal & ~1, literal & ~1) ^ literal & 1

    def registers(self, literals: Iterable[int]) -> set[int]:
        """The registers that signals depend on, in any number of cycles."""
        waiting, seen = [one & ~1 for one in literals], set()
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                needed = [*self._needs(node), *filter(None, [self._following.get(node)])]
                waiting += [one & ~1 for one in needed]
        return seen & {*self._following}

    def _needs(self, node: int) -> list[int]:
        if node in self._inputs:
            return [self._inputs[node]]
        return self._gates.get(node, [])

    def _made(self, graph: AndGraph, node: int) -> int:
        found = [self.of(one) for one in self._needs(node)]
        if node in self._inputs:
            return found[0]
        if not found or found == self._gates[node]:
            return node
        return graph.add_gate(*found)
