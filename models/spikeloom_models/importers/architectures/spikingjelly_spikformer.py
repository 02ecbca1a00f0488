"""Spikformer, by the keys of the model that SpikingJelly 2.0 ships.

It pools currents, before the neurons of a stage, and q, k and v are one layer.

Source: `spikingjelly.activation_based.model.spikformer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...floating import Add, FloatNetwork, Linear, Neurons
from ..builder import COMMON, Builder
from ..registry import Keys, architecture
from .spikformer import SCALE, attention

STAGE = "patch_embed.stages.{}.conv_bn.block"


@architecture(
    "spikingjelly-spikformer", "Spikformer of SpikingJelly 2.0 (fangwei123456)", *COMMON, SCALE
)
def build(keys: Keys, values: Mapping[str, Any]) -> FloatNetwork:
    """The network of a checkpoint."""
    builder = Builder(keys, values, f"{STAGE.format(0)}.0.weight")
    _stem(builder)
    for number in range(keys.count("blocks.{}.")):
        _block(builder, number)
    builder.head()
    return FloatNetwork(
        "spikingjelly-spikformer", values["steps"], builder.image, tuple(builder.layers)
    )


def _stem(builder: Builder) -> None:
    """Convolutions, perhaps pooling, and neurons; then positions, added."""
    for stage, pooled in enumerate(builder.pools):
        key, name = STAGE.format(stage), f"stem{stage}"
        if not pooled:
            builder.convolution(name, f"{key}.0", f"{key}.1", builder.neuron)
            continue
        builder.convolution(f"{name}.current", f"{key}.0", f"{key}.1", None)
        builder.pool(f"{name}.pool")
        builder.x = builder.add(Neurons(name=name, inputs=(builder.x,), neuron=builder.neuron))
    stem, key = builder.x, "patch_embed.positional_encoding.conv_bn.block"
    builder.convolution("position", f"{key}.0", f"{key}.1", builder.neuron, builder.dims)
    builder.x = builder.add(Add(name="embed", inputs=(builder.x, stem)))


def _block(builder: Builder, number: int) -> None:
    """Attention and MLP, each added to the stream of spikes."""
    x, dims, neuron = builder.x, builder.dims, builder.neuron
    name, key = f"block{number}", f"blocks.{number}"
    attended = attention(builder, name, _qkv(builder, name, f"{key}.attn.qkv_conv_bn"))

    def dense(name: str, x: str, key: str, outputs: int | None) -> str:
        return builder.dense(name, x, f"{key}.0", f"{key}.1", neuron, outputs)

    proj = dense(f"{name}.proj", attended, f"{key}.attn.proj_conv_bn", dims)
    x1 = builder.add(Add(name=f"{name}.x1", inputs=(x, proj)))
    fc1 = dense(f"{name}.fc1", x1, f"{key}.mlp.fc1", None)
    fc2 = dense(f"{name}.fc2", fc1, f"{key}.mlp.fc2", dims)
    builder.x = builder.add(Add(name=f"{name}.x2", inputs=(x1, fc2)))


def _qkv(builder: Builder, name: str, key: str) -> tuple[str, ...]:
    """The layers q, k and v, whose rows follow each other."""
    dims = builder.dims
    weight = builder.keys.take(f"{key}.0.weight", 3 * dims, dims)
    bias = builder.bias(f"{key}.0", 3 * dims)
    norm = builder.norm(f"{key}.1", 3 * dims)
    added = []
    for number, part in enumerate("qkv"):
        rows = slice(number * dims, (number + 1) * dims)
        layer = Linear(
            name=f"{name}.{part}",
            inputs=(builder.x,),
            weight=weight[rows],
            bias=None if bias is None else bias[rows],
            norm=norm.channels(rows),
            neuron=builder.neuron,
        )
        added.append(builder.add(layer))
    return tuple(added)
