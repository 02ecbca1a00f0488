"""A trained network as a graph of integers, for a network file."""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from spikeloom.errors import InputError
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import (
    Attention,
    Classifier,
    Layer,
    Linear,
    PatchEmbedding,
    Residual,
)
from spikeloom.networks.neuron import Neuron

from .torch import LIF, ReLU, SpikingLinear, SpikingTransformer, StochasticAttention
from .torch.transformer import Block


@torch.no_grad()
def to_graph(
    model: SpikingTransformer,
    name: str,
    classes: Sequence[str] = (),
    licence: str = "",
    description: str = "",
) -> Graph:
    """The graph of a quantised network. Raises `InputError` if it is not quantised."""
    if not bool(model.head.integer):
        raise InputError(f"network {name} is not quantised; call quantise() first")
    shape, embed = model.shape, model.embed
    (weighted,) = _parts(embed, ("embed",))
    layers: list[Layer] = [
        PatchEmbedding(inputs=("image",), patch=embed.patch, position=shape.position, **weighted)
    ]
    for number, block in enumerate(model.blocks):
        assert isinstance(block, Block)
        layers += _block(block, f"block{number}", layers[-1].name)
    head = Classifier(
        name="head",
        inputs=(layers[-1].name,),
        weight=_integers(model.head.integer_weight(), np.int8),
        bias=_integers(model.head.integer_bias(shape.steps * shape.tokens), np.int32),
        weight_bits=model.head.bits,
    )
    return Graph(
        name=name,
        steps=shape.steps,
        image=shape.input_image,
        layers=(*layers, head),
        pixel_bits=shape.pixel_bits,
        classes=tuple(classes),
        licence=licence,
        description=description,
    )


def _block(block: Block, name: str, x: str) -> list[Layer]:
    """The layers of a block that reads layer `x`."""
    q, k, v = f"{name}.q", f"{name}.k", f"{name}.v"
    module = block.attention
    if isinstance(module, StochasticAttention):
        own: dict[str, Any] = {"seed": module.seed}
    else:
        own = {"neuron": _neuron(module.neuron, module.threshold)}
    attention = Attention(
        name=f"{name}.attention", form=module.FORM, heads=block.heads, inputs=(q, k, v), **own
    )
    qkv = [Linear(inputs=(x,), **part) for part in _parts(block.qkv, (q, k, v))]
    proj = _linear(block.proj, f"{name}.proj", attention.name)
    x1 = Residual(name=f"{name}.x1", form="iand", inputs=(x, proj.name))
    fc1 = _linear(block.fc1, f"{name}.fc1", x1.name)
    fc2 = _linear(block.fc2, f"{name}.fc2", fc1.name)
    x2 = Residual(name=f"{name}.x2", form="iand", inputs=(x1.name, fc2.name))
    return [*qkv, attention, proj, x1, fc1, fc2, x2]


def _linear(module: SpikingLinear, name: str, x: str) -> Linear:
    (part,) = _parts(module, (name,))
    return Linear(inputs=(x,), **part)


def _parts(module: SpikingLinear, names: Sequence[str]) -> list[dict]:
    """Fields of the layers that a module stands for."""
    columns = np.split(_integers(module.integer_weight(), np.int8), len(names), axis=1)
    biases = np.split(_integers(module.integer_bias(), np.int32), len(names))
    return [
        {
            "name": name,
            "weight": np.ascontiguousarray(weight),
            "bias": bias,
            "weight_bits": module.bits,
            "neuron": _neuron(neuron, threshold),
        }
        for name, weight, bias, neuron, threshold in zip(
            names, columns, biases, module.neurons, module.threshold, strict=True
        )
    ]


def _neuron(module: torch.nn.Module, threshold: torch.Tensor) -> Neuron:
    if isinstance(module, ReLU):
        return Neuron(threshold=int(threshold), kind=module.kind, bits=module.bits)
    assert isinstance(module, LIF)
    return Neuron(threshold=int(threshold), leak=module.leak, reset=module.reset, kind=module.kind)


def _integers(values: torch.Tensor, dtype: type) -> np.ndarray:
    return values.detach().numpy().astype(dtype)
