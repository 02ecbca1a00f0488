"""The tensors of a NIR graph that is a chain of nodes."""

# pyright: reportMissingImports=false

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikeloom.errors import InputError, echo

ENDS = ("Input", "Output", "Flatten")  # nodes that change no value
READ = {
    "Linear": ("weight",),
    "Affine": ("weight", "bias"),
    "IF": ("r", "v_threshold", "v_reset"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLIF": ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
}


def read_chain(path: Path) -> dict[str, Tensor]:
    """The parameters of each node, called ``node.parameter``, in the order of the chain. Raises
    `InputError` for a file that cannot be read, another graph, or nodes that are not imported."""
    if find_spec("nir") is None:
        raise InputError(f"{path}: reading NIR needs its package; install it with: pip install nir")
    import nir

    try:
        graph = nir.read(path)
        nodes, edges = dict(graph.nodes), [(a, b) for a, b in graph.edges]
    except Exception as error:  # the package raises what its parts do, of any type
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: not a readable NIR graph ({why})") from None
    found: dict[str, Tensor] = {}
    for name in _order(nodes, edges, path):
        kind = type(nodes[name]).__name__
        if kind in ENDS:
            continue
        if kind not in READ:
            raise InputError(
                f"{path}: node {echo(name)} is of type {kind}; chains of {', '.join(READ)} are "
                "imported"
            )
        for part in READ[kind]:
            found[f"{name}.{part}"] = _tensor(getattr(nodes[name], part), path, f"{name}.{part}")
    if not found:
        raise InputError(f"{path}: the graph has no layers")
    return found


def _order(nodes: dict[str, Any], edges: list[tuple[str, str]], path: Path) -> list[str]:
    """The nodes from the input on. Raises `InputError` unless they form a chain."""
    following = dict(edges)
    sources = [name for name in nodes if name not in {end for _, end in edges}]
    order = sources[:1]
    while order and order[-1] in following and len(order) <= len(nodes):
        order.append(following[order[-1]])
    if len(sources) != 1 or len(order) != len(nodes) or len(following) != len(edges):
        raise InputError(
            f"{path}: the graph branches or has a cycle; chains are imported, of one input, one "
            "node after the other and one output"
        )
    return order


def _tensor(value: Any, path: Path, name: str) -> Tensor:
    try:
        return torch.from_numpy(np.array(value, np.float64))
    except (TypeError, ValueError):
        raise InputError(f"{path}: {name} holds no numbers") from None
