"""The operations of attention "ssa"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..layers.stochastic import head_core, head_seed
from .bitmap_memory import word_bits
from .bitmaps import Bitmap
from .operation import PIECE_BITS, Operation, Target, head_operation
from .stochastic_heads import StochasticHeads

if TYPE_CHECKING:
    from ..layers import Attention
    from .layer_operations import LayerOperations

    Places = Mapping[str, tuple[Bitmap, int]]  # of q, k, v and o: a bitmap, and the part of it


def draw(build: LayerOperations, layer: Attention, signal: str) -> None:
    """One operation for each head."""
    columns = build.storage.columns_of_attention(layer)[2]
    places: dict[str, tuple[Bitmap, int]] = {}
    for name, operand in zip("qkv", layer.inputs, strict=True):
        source = build.read(layer, operand)
        assert source.bitmap is not None  # as the form takes no image
        places[name] = source.bitmap, source.part
    places["o"] = build.output(layer, columns, Target.DRAW, signal)["output"]
    heads = _with_heads(build, layer, places)
    first = len(build.heads.seeds) if build.heads else 0
    build.heads = heads
    for head in range(layer.heads):
        for bitmap, _ in places.values():
            bitmap.used(build.number)
        build.operations.append(
            lambda head=head: _operation(build, layer, heads, places, head, first + head)
        )


def _operation(
    build: LayerOperations,
    layer: Attention,
    heads: StochasticHeads,
    places: Places,
    head: int,
    seed: int,
) -> Operation:
    """The operation of a head, once bitmaps have addresses."""
    per_word = word_bits(build.lanes) // PIECE_BITS
    bases = {
        name: (bitmap.base + part * bitmap.words) * per_word + head * heads.pieces(name)
        for name, (bitmap, part) in places.items()
    }
    core = heads.core
    fields = {"seed": seed, "rows": core.steps, "tokens": core.tokens, "target": Target.DRAW}
    return head_operation(build, layer, head, core.head_dim, bases, **fields)


def _with_heads(build: LayerOperations, layer: Attention, places: Places) -> StochasticHeads:
    """The heads of the layers before and those of `layer`. Raises `InputError` unless they have the
    same shape."""
    q, _, v = layer.qkv(build.network.sources(layer))
    dims, values = q.dims // layer.heads, v.dims // layer.heads
    per_word = word_bits(build.lanes) // PIECE_BITS
    assert layer.seed is not None
    heads = StochasticHeads(
        replace(head_core(layer.seed, 0, q.steps, q.tokens, dims, values), seed=1),
        {name: bitmap.row_words * per_word for name, (bitmap, _) in places.items()},
        tuple(head_seed(layer.seed, head) for head in range(layer.heads)),
    )
    before = build.heads
    if before is None:
        return heads
    if (before.core, before.pitches) != (heads.core, heads.pitches):
        raise layer.error(
            f"has {layer.heads} heads of {q.tokens} tokens, {dims} dims and {values} of v, unlike "
            "the layers of form ssa before it; the engine has one core for all, make them equal"
        )
    return replace(before, seeds=before.seeds + heads.seeds)
