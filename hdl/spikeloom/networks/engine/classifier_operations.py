"""The operations of the classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .bitmaps import Columns
from .code_storage import is_code
from .constants import fewest_doubled_rows
from .operation import Entry, Kind
from .phase_operations import classify_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..layers import Classifier
    from .constants import Row
    from .layer_operations import LayerOperations


def classify(build: LayerOperations, layer: Classifier) -> None:
    """Two operations for each group of classes: the first token with the bias, and the rest."""
    if is_code(build.network, layer.inputs[0]):
        classify_codes(build, layer)
        return
    source = build.read(layer, layer.inputs[0])
    steps, tokens = build.network.steps, build.network.tokens
    if source.window.shared and tokens > 1:
        raise layer.error(
            f"reads the sums of {tokens} windows; the engine sums one window, of all tokens"
        )
    bias = build.at_columns(layer.bias, Columns(1, layer.outputs, layer.outputs))
    before, after, doublings = _bias_rows(build, layer, bias)
    zero = build.weight_format.end(layer, source.values)
    base, pitch = build.matrix(
        layer,
        layer.outputs,
        source,
        [np.zeros_like(bias), *(row for _, row in (*before, *after))],
    )
    nothing = Entry(Kind.ADD, zero)
    head = build.added(before, zero + 1)
    head += [nothing, Entry(Kind.CAPTURE, zero)] * doublings
    head += build.added(after, zero + 1 + len(before))
    shared = {"rows": steps, "following": (nothing,), "w_pitch": pitch}
    for group in range(len(bias) // build.lanes):
        count = min(build.lanes, layer.outputs - group * build.lanes)
        if count <= 0:
            break
        shared["w_base"] = base + group * pitch
        alone = tokens == 1
        build.emit(
            layer,
            source,
            **shared,
            head=tuple(head) or (nothing,),
            tokens=1,
            logits=count if alone else 0,
        )
        if not alone:
            build.emit(
                layer,
                source,
                **shared,
                head=(nothing,),
                tokens=tokens - 1,
                first_token=1,
                keep=True,
                logits=count,
            )


def _bias_rows(
    build: LayerOperations, layer: Classifier, bias: NDArray
) -> tuple[list[Row], list[Row], int]:
    """Rows of the bias before and after some doublings, and these; the fewest entries."""
    choices = []
    for doublings in range(build.shift + build.bits + 1):
        rows = fewest_doubled_rows(bias, build.shift, build.bits, doublings)
        if rows is not None:
            choices.append((*rows, doublings))
    if not choices:
        raise layer.error(f"bias {np.abs(bias).max()} is too large for the engine; reduce it")
    return min(choices, key=lambda one: len(one[0]) + len(one[1]) + 2 * one[2])
