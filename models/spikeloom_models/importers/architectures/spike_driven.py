"""Spike-driven Transformer, by the keys of its authors' code.

The residual stream holds membrane currents: neurons come before each layer, normalisation behind.

Source: Yao et al., "Spike-driven Transformer", NeurIPS 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...floating import Add, FloatNetwork, MeanPool, Neurons, SpikeDriven
from ..builder import COMMON, STAGES, Builder
from ..registry import Keys, architecture

# Neither takes part in the forward pass of the authors' code.
UNUSED = ("talking_heads.weight", "rpe_lif.w", "attn_lif.w")


@architecture("spike-driven", "Spike-driven Transformer (BICLab)", *COMMON)
def build(keys: Keys, values: Mapping[str, Any]) -> FloatNetwork:
    """The network of a checkpoint."""
    keys.ignore(*UNUSED)
    builder = Builder(keys, values, "patch_embed.proj_conv.weight")
    _stem(builder)
    for number in range(keys.count("block.{}.")):
        _block(builder, number)
    pooled = builder.add(MeanPool(name="mean", inputs=(builder.x,), grid=builder.grid))
    builder.x = _fire(builder, "head.x", pooled)
    builder.head(tokens=1)
    return FloatNetwork("spike-driven", values["steps"], builder.image, tuple(builder.layers))


def _fire(builder: Builder, name: str, x: str) -> str:
    """The neurons of the currents of layer `x`."""
    return builder.add(Neurons(name=name, inputs=(x,), neuron=builder.neuron))


def _stem(builder: Builder) -> None:
    """Convolutions; of the last one, pooling comes before the neurons, and the currents are the
    beginning of the residual stream."""
    for stage, pooled in enumerate(builder.pools):
        number, last = str(stage) if stage else "", stage == STAGES - 1
        key, norm = f"patch_embed.proj_conv{number}", f"patch_embed.proj_bn{number}"
        builder.convolution(f"stem{stage}", key, norm, None if last else builder.neuron)
        if pooled:
            builder.pool(f"stem{stage}.pool")
    stem = builder.x
    builder.x = _fire(builder, "stem.x", stem)
    builder.convolution(
        "position", "patch_embed.rpe_conv", "patch_embed.rpe_bn", None, builder.dims
    )
    builder.x = builder.add(Add(name="embed", inputs=(builder.x, stem)))


def _block(builder: Builder, number: int) -> None:
    """Attention and MLP, each added to the stream of currents."""
    stream, dims, neuron = builder.x, builder.dims, builder.neuron
    name, key = f"block{number}", f"block.{number}"
    x = _fire(builder, f"{name}.x", stream)
    q, k, v = (
        builder.linear(f"{name}.{part}", x, f"{key}.attn.{part}", neuron, dims) for part in "qkv"
    )
    builder.heads()  # is checked, though heads do not mix channels here
    attention = SpikeDriven(
        name=f"{name}.attention", inputs=(q, k, v), neuron=builder.attention_neuron
    )
    attended = builder.add(attention)
    proj = builder.linear(f"{name}.proj", attended, f"{key}.attn.proj", None, dims)
    stream = builder.add(Add(name=f"{name}.u1", inputs=(proj, stream)))
    x = _fire(builder, f"{name}.x1", stream)
    fc1_key, fc2_key = f"{key}.mlp.fc1", f"{key}.mlp.fc2"
    if builder.outputs(fc1_key) == dims:  # then the authors' code adds this layer as well
        fc1 = builder.linear(f"{name}.fc1", x, fc1_key, None)
        stream = builder.add(Add(name=f"{name}.u2", inputs=(fc1, stream)))
        hidden = _fire(builder, f"{name}.hidden", stream)
    else:
        hidden = builder.linear(f"{name}.fc1", x, fc1_key, neuron)
    fc2 = builder.linear(f"{name}.fc2", hidden, fc2_key, None, dims)
    builder.x = builder.add(Add(name=f"{name}.u3", inputs=(fc2, stream)))
