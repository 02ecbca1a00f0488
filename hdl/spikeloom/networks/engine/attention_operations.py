"""The operations of each form of attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..layers import Attention
from .bitmaps import padded
from .operands import STATE_WRITE_DELAY
from .operation import PIECE_BITS, Entry, Kind, Target
from .phase_attention import compute_heads
from .stochastic_operations import draw

if TYPE_CHECKING:
    from .constants import Row
    from .layer_operations import LayerOperations


def attend(build: LayerOperations, layer: Attention, target: Target, signal: str) -> None:
    """Emit the operations of an attention."""
    if layer.form == "spiked":
        compute_heads(build, layer, signal)
        return
    if target != Target.WRITE:
        where = "the branch of a residual" if target == Target.CLEAR else "an operand of attention"
        raise layer.error(f"is {where}; the engine takes the output of a linear layer there")
    if layer.form == "spike-driven":
        _mask(build, layer, signal)
    elif layer.form == "ssa":
        draw(build, layer, signal)
    else:
        _products(build, layer, signal)


def state_words(build: LayerOperations, layer: Attention) -> int:
    """Words of the attention state of a step."""
    if layer.form == "spike-driven":
        return build.storage.value_groups(layer)
    columns = build.storage.columns_of_attention(layer)[2]
    q = layer.qkv(build.network.sources(layer))[0]
    return max(1, columns.pitch // build.lanes) * (q.dims // layer.heads)


def _products(build: LayerOperations, layer: Attention, signal: str) -> None:
    """Forms spikformer and a2os2a: V, then for each head: learn the state, a bit of K after the
    other, and answer."""
    columns = build.storage.columns_of_attention(layer)[2]
    build.compute(build.neurons(layer, layer.inputs[2]), Target.VALUES, layer.name)
    q, k = (build.read(layer, name) for name in layer.inputs[:2])
    dims = len(q.columns.places) // layer.heads
    groups = max(1, columns.pitch // build.lanes)
    base, constants = _constants(build, layer, groups, dims)
    first, later = build.opening(layer, constants, groups * dims, groups * dims)
    learning = (Entry(Kind.OPEN, 0), *_pause(build, groups))
    shared = {
        "rows": build.network.steps,
        "tokens": build.tokens_of(layer),
        "w_pitch": dims,
        "groups": groups,
    }
    for head in range(layer.heads):
        part = {
            "dims": (head * dims, head * dims + dims),
            "piece": head * padded(dims, PIECE_BITS),
        }
        for plane in range(k.bitmap.planes if k.bitmap else 1):
            build.emit(
                layer,
                k,
                **shared,
                **part,
                learn=True,
                state=plane > 0,
                plane=plane,
                rest=1 << plane if build.signed_state else 0,
                head=learning,
                following=learning,
                o_base=0,
                o_row=build.storage.value_groups(layer),
                o_group=head * groups,
            )
        output = build.output(layer, columns, Target.WRITE, signal)
        output |= {"o_group": head * groups, "groups": groups}
        build.emit(
            layer,
            q,
            **{**shared, **output},
            **part,
            w_base=base,
            state=True,
            head=first,
            following=later,
            **build.neuron_fields(layer),
        )


def _mask(build: LayerOperations, layer: Attention, signal: str) -> None:
    """Form spike-driven: K and V to the memory of V, where V masks K; their sum over tokens, which
    has one word of the state for each group; and its spikes, for every token again, mask q.

    No operation lists events: the word of the state is a fixed entry.
    """
    _, k, v = layer.inputs
    build.compute(build.neurons(layer, k), Target.VALUES, layer.name)
    build.compute(build.neurons(layer, v), Target.MASK_VALUES, layer.name)
    q = build.read(layer, layer.inputs[0])
    groups = build.storage.value_groups(layer)
    base, constants = _constants(build, layer, groups, 1)
    first, later = build.opening(layer, constants, groups, groups)
    word = Entry(Kind.EVENT, 0)
    learning = (Entry(Kind.OPEN, 0), word, *_pause(build, groups))
    shared = {
        "rows": build.network.steps,
        "tokens": build.tokens_of(layer),
        "w_pitch": 1,
        "groups": groups,
        "dims": (0, 0),
        "blank": True,
    }
    build.emit(
        layer,
        q,
        **shared,
        learn=True,
        rest=int(build.signed_state),
        head=learning,
        following=learning,
        o_base=0,
        o_row=groups,
    )
    output = build.output(layer, build.storage.columns(signal), Target.MASK, signal)
    build.emit(
        layer,
        q,
        **{**output, **shared},
        w_base=base,
        state=True,
        head=(*first, word),
        following=(*later, word),
        **build.neuron_fields(layer),
    )


def _constants(build: LayerOperations, layer: Any, groups: int, dims: int) -> tuple[int, list[Row]]:
    """The address of the constants of an operation that reads the state, and their rows."""
    constants = build.step_rows(layer, None)
    values = [int(row.flat[0]) for _, row in constants]
    key = ("attention", groups, dims, *values)
    align = 1 << build.index_bits
    return build.weights.place_constants(key, values, groups, dims, align), constants


def _pause(build: LayerOperations, groups: int) -> list[Entry]:
    """Entries that wait, so that no word of the state is read before its last change is
    written: besides the entries that begin a step, a cycle between two lists is in between."""
    slots = build.network.steps * groups
    return [Entry(Kind.ADD, 0)] * (-(-(STATE_WRITE_DELAY - 2) // slots) - 1)
