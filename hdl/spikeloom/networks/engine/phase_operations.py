"""The operations of layers that read phase codes, and of neurons that write them.

The sums of a phase code are added step by step, from the last step to the first, by Horner's rule;
between two steps FADE divides them by the base. Codes are encoded beside the lanes while the next
group of outputs is added, see `CodeEncoder`: an event list is at least as long as that takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..signals import Spikes
from .bitmaps import Columns
from .code_encoder import load_cycles
from .operation import Entry, Kind, Target

if TYPE_CHECKING:
    from ..layers import Classifier, Linear, Neurons
    from .layer_operations import LayerOperations
    from .source import Source


def filling(build: LayerOperations, target: Target, fixed: int, row: int) -> tuple[Entry, ...]:
    """Entries that add the zeros of `row`, so that a list with `fixed` entries takes as long as the
    encoding of a group."""
    short = load_cycles(build.lanes) - fixed if target == Target.CODES else 0
    return (Entry(Kind.ADD, row),) * short


def sum_codes(build: LayerOperations, layer: Linear, target: Target, signal: str) -> None:
    """A linear layer of phase codes."""
    source = build.read(layer, layer.inputs[0])
    columns = build.columns_of(layer, target, signal)
    constants = build.step_rows(layer, columns)
    bias = [row for _, row in constants]
    base, pitch = build.matrix(layer, columns, source, [np.zeros_like(bias[0]), *bias])
    zero = build.weight_format.end(layer, source.values)
    shift, steps = _code(build, layer)
    tail = (
        Entry(Kind.OPEN, zero + 1),
        *build.added(constants[1:], zero + 2),
        *build.halving(layer, zero),
    )
    fixed = steps + len(tail)
    build.emit(
        layer,
        source,
        rows=steps,
        head=(Entry(Kind.ADD, zero), *filling(build, target, fixed, zero)),
        following=(Entry(Kind.FADE, zero),),
        tail=tail,
        tokens=build.tokens_of(layer),
        w_base=base,
        w_pitch=pitch,
        codes=True,
        fine=True,
        fade=shift,
        **build.neuron_fields(layer),
        **build.output(layer, columns, target, signal),
    )


def encode(
    build: LayerOperations, layer: Neurons, source: Source, base: int, output: dict[str, Any]
) -> None:
    """Neurons of currents that are the same in all steps; `base` is the address of zeros."""
    fill = filling(build, Target.CODES, 2, 0)
    build.emit(
        layer,
        source,
        rows=1,
        head=(Entry(Kind.OPEN, 0), *fill),
        tokens=build.tokens_of(layer),
        w_base=base,
        w_pitch=1,
        currents=True,
        **build.neuron_fields(layer),
        **output,
    )


def classify_codes(build: LayerOperations, layer: Classifier) -> None:
    """Three operations for each group of classes: zeros, the sums of all tokens step by step, and
    the bias. Each token of a step has an event list of its own."""
    source = build.read(layer, layer.inputs[0])
    columns = Columns(1, layer.outputs, layer.outputs)
    constants = build.rows(layer, build.at_columns(layer.bias, columns))
    bias = [row for _, row in constants]
    base, pitch = build.matrix(layer, columns, source, [np.zeros_like(bias[0]), *bias])
    zero = build.weight_format.end(layer, source.values)
    nothing = Entry(Kind.ADD, zero)
    shift, steps = _code(build, layer)
    alone: dict[str, Any] = {"rows": 1, "tokens": 1, "dims": (0, 0), "blank": True}
    for group in range(len(bias[0]) // build.lanes):
        count = min(build.lanes, layer.outputs - group * build.lanes)
        if count <= 0:
            break
        shared = {"w_base": base + group * pitch, "w_pitch": pitch}
        build.emit(layer, source, **shared, **alone, head=(nothing,))
        build.emit(
            layer,
            source,
            **shared,
            rows=build.network.tokens,
            tokens=steps,
            head=(Entry(Kind.FADE, zero),),
            following=(nothing,),
            codes=True,
            by_row=True,
            fade=shift,
            keep=True,
        )
        build.emit(
            layer,
            source,
            **shared,
            **alone,
            head=tuple(build.added(constants, zero + 1)),
            keep=True,
            logits=count,
        )


def _code(build: LayerOperations, layer: Linear | Classifier) -> tuple[int, int]:
    """The shift of the phase code that a layer reads, and its steps: later ones add nothing."""
    (signal,) = build.network.sources(layer)
    assert isinstance(signal, Spikes)
    return signal.shift, signal.spiking_steps
