"""The operations of layers that read currents: sums without neurons.

Layers with neurons of kind none store what their accumulators hold at the end of each step in the
memory of currents, and so do the operations of this module, other than neurons. They read a word
of the memory by an EVENT whose row is its address: the row reader goes through windows and
summands of currents as through those of spikes, but lists one EVENT for each place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..layers import Neurons, Pooling, Residual
from .operation import Entry, Kind, Target
from .phase_operations import encode

if TYPE_CHECKING:
    from .constants import Row
    from .layer_operations import LayerOperations
    from .storage import Source


def add_currents(build: LayerOperations, layer: Residual) -> None:
    """A membrane shortcut: one operation for each further summand, to the place of the first one if
    nothing else needs that."""
    name = layer.inputs[0]
    for other in layer.inputs[1:]:
        source = build.storage.currents.read(build.number, name, other)
        _store(build, layer, source)
        name = layer.name


def pool_currents(build: LayerOperations, layer: Pooling) -> None:
    """The largest current of each window, or the sum."""
    source = build.storage.currents.read(build.number, layer.inputs[0], window=layer)
    low = build.network.bounds[layer.name].current.low
    largest = layer.form == "max"
    _store(build, layer, source, largest=largest, rest=low if largest else 0)


def fire(build: LayerOperations, layer: Neurons, target: Target, signal: str) -> None:
    """Neurons of currents."""
    source = build.storage.currents.read(build.number, layer.inputs[0])
    columns = build.columns_of(layer, target, signal)
    output = build.output(layer, columns, target, signal)
    groups = build.storage.currents.groups(layer.inputs[0])
    plain = build.storage.columns(layer.inputs[0])
    if output["groups"] != groups or columns.places != plain.places:
        raise layer.error("its heads have gaps in memory; the engine then takes a linear layer")
    if layer.neuron.kind == "phase":
        zeros = _place(build, [(1, np.zeros(1, np.int64))], groups)
        encode(build, layer, source, zeros, output)
        return
    constants = build.step_rows(layer, None)
    first, later = build.opening(layer, constants, 0, groups)
    build.emit(
        layer,
        source,
        rows=build.network.steps,
        head=first,
        following=later,
        tokens=build.tokens_of(layer),
        w_base=_place(build, constants, groups),
        w_pitch=1,
        currents=True,
        **build.neuron_fields(layer),
        **output,
    )


def _store(build: LayerOperations, layer: Residual | Pooling, source: Source, **fields) -> None:
    """An operation whose sums are currents; each step begins with `rest`."""
    zero = [(1, np.zeros(1, np.int64))]
    opening = (Entry(Kind.OPEN, 0),)
    columns = build.storage.columns(layer.name)
    output = build.output(layer, columns, Target.CURRENTS, layer.name)
    build.emit(
        layer,
        source,
        rows=build.storage.currents.rows(layer.name),
        head=opening,
        following=opening,
        tokens=build.tokens_of(layer),
        w_base=_place(build, zero, output["groups"]),
        w_pitch=1,
        currents=True,
        leak=0,
        **fields,
        **output,
    )


def _place(build: LayerOperations, constants: list[Row], groups: int) -> int:
    """The address of constants that all outputs share: each one for all groups, one group after the
    other, as their currents lie in memory."""
    values = [int(row.flat[0]) for _, row in constants]
    rows = np.repeat(np.array(values, np.int64), groups)[:, None].repeat(build.lanes, 1)
    return build.weights.place(("currents", groups, *values), rows)
