"""Spikformer, by the keys of its authors' code (variants with linear layers and convolutions).

Source: Zhou et al., "Spikformer: When Spiking Neural Network Meets Transformer", ICLR 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...floating import Add, Attention, FloatNetwork
from ..builder import COMMON, Builder
from ..registry import Keys, Setting, architecture

UNUSED = ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias")
SCALE = Setting("scale", 0.125, "factor of the attention product")


@architecture("spikformer", "Spikformer (ZK-Zhou/spikformer)", *COMMON, SCALE)
def build(keys: Keys, values: Mapping[str, Any]) -> FloatNetwork:
    """The network of a checkpoint."""
    keys.ignore(*UNUSED)
    builder = Builder(keys, values, "patch_embed.proj_conv.weight")
    _stem(builder)
    for number in range(keys.count("block.{}.")):
        _block(builder, number)
    builder.head()
    return FloatNetwork("spikformer", values["steps"], builder.image, tuple(builder.layers))


def _stem(builder: Builder) -> None:
    """Convolutions, each with neurons and perhaps pooling; then positions, added."""
    for stage, pooled in enumerate(builder.pools):
        number = str(stage) if stage else ""
        key, norm = f"patch_embed.proj_conv{number}", f"patch_embed.proj_bn{number}"
        builder.convolution(f"stem{stage}", key, norm, builder.neuron)
        if pooled:
            builder.pool(f"stem{stage}.pool")
    stem = builder.x
    key, norm = "patch_embed.rpe_conv", "patch_embed.rpe_bn"
    builder.convolution("position", key, norm, builder.neuron, builder.dims)
    builder.x = builder.add(Add(name="embed", inputs=(builder.x, stem)))


def _block(builder: Builder, number: int) -> None:
    """Attention and MLP, each added to the stream of spikes."""
    x, dims, neuron = builder.x, builder.dims, builder.neuron
    name, key = f"block{number}", f"block.{number}"
    qkv = tuple(
        builder.linear(f"{name}.{part}", x, f"{key}.attn.{part}", neuron, dims) for part in "qkv"
    )
    attended = attention(builder, name, qkv)
    proj = builder.linear(f"{name}.proj", attended, f"{key}.attn.proj", neuron, dims)
    x1 = builder.add(Add(name=f"{name}.x1", inputs=(x, proj)))
    fc1 = builder.linear(f"{name}.fc1", x1, f"{key}.mlp.fc1", neuron)
    fc2 = builder.linear(f"{name}.fc2", fc1, f"{key}.mlp.fc2", neuron, dims)
    builder.x = builder.add(Add(name=f"{name}.x2", inputs=(x1, fc2)))


def attention(builder: Builder, name: str, qkv: tuple[str, ...]) -> str:
    """The attention of a block, of the layers q, k and v."""
    layer = Attention(
        name=f"{name}.attention",
        inputs=qkv,
        heads=builder.heads(),
        scale=builder.values["scale"],
        neuron=builder.attention_neuron,
    )
    return builder.add(layer)
