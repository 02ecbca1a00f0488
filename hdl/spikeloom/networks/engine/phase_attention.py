"""The operations of attention "spiked"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..layers.phase_coded import PhaseCoded
from .bitmaps import Bitmap
from .operation import Operation, Target, head_operation
from .phase_heads import PhaseHeads

if TYPE_CHECKING:
    from ...cores.spiked.core import Spiked
    from ..layers import Attention
    from .layer_operations import LayerOperations

    Places = Mapping[str, Bitmap]  # of q, k, v and o

# Lanes of the engine for one of the core, so that heads take about as long as layers.
LANES_EACH = 4


def compute_heads(build: LayerOperations, layer: Attention, signal: str) -> None:
    """One operation for each head."""
    for operand in layer.inputs:
        build.read(layer, operand)
    build.storage.columns_of_attention(layer)  # raises an error unless heads begin words
    names = (*layer.inputs, signal)
    regions = {
        name: build.storage.codes.region(one, build.number)
        for name, one in zip("qkvo", names, strict=True)
    }
    heads, core = _with_heads(build, layer, regions)
    build.phase_heads = heads
    for head in range(layer.heads):
        for region in regions.values():
            region.used(build.number)
        build.operations.append(
            lambda head=head: _operation(build, layer, heads, regions, head, core)
        )


def _operation(
    build: LayerOperations,
    layer: Attention,
    heads: PhaseHeads,
    regions: Places,
    head: int,
    core: int,
) -> Operation:
    """The operation of a head, once regions have addresses."""
    words, dims = heads.shape.words, heads.cores[0].head_dim
    bases = {name: region.base + head * words[name] for name, region in regions.items()}
    fields = {"core": core, "rows": 1, "tokens": heads.cores[0].tokens, "target": Target.HEAD}
    return head_operation(build, layer, head, dims, bases, **fields)


def core_of(layer: Attention, build: LayerOperations) -> Spiked:
    """The core of a head, whose lanes follow those of the engine."""
    core = PhaseCoded().config(layer, layer.qkv(build.network.sources(layer)))
    most = max(1, min(core.tokens, build.lanes // LANES_EACH))
    groups = -(-core.tokens // most)
    return replace(core, lanes=-(-core.tokens // groups), encoders=None)


def _with_heads(
    build: LayerOperations, layer: Attention, regions: Places
) -> tuple[PhaseHeads, int]:
    """The heads of the layers before and those of `layer`, and the number of its core. Raises
    `InputError` unless they have the same shape."""
    core = core_of(layer, build)
    pitches = {name: region.row_words for name, region in regions.items()}
    before = build.phase_heads or PhaseHeads((core,), pitches)
    shapes = [(one.tokens, one.head_dim, one.value_dim) for one in (before.cores[0], core)]
    if shapes[0] != shapes[1] or before.pitches != pitches:
        raise layer.error(
            f"has {layer.heads} heads of {core.tokens} tokens, {core.head_dim} dims and "
            f"{core.value_dim} of v, unlike the layers of form spiked before it; the engine reads "
            "all heads alike, make them equal"
        )
    cores = before.cores if core in before.cores else (*before.cores, core)
    return replace(before, cores=cores), cores.index(core)
