"""Chains of linear layers and neurons, which classify an image that is a constant current."""

# pyright: reportMissingImports=false

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from spikeloom.errors import InputError
from spikeloom.networks.signals import MAX_STEPS
from spikeloom.networks.values import LAYER_NAME

from ..floating import FloatLayer, FloatNetwork, FloatNeuron, Head, Linear, WholeImage
from .builder import COMMON, image_size, normalisation
from .registry import Setting

SETTINGS = (
    *(setting for setting in COMMON if setting.name in ("image", "mean", "std")),
    Setting("steps", None, "time steps T", whole=True, most=MAX_STEPS),
    Setting(
        "encoding",
        "constant",
        "how an image enters: constant, as the same current in every step",
        choices=("constant",),
    ),
)
KEPT = {0.5: 2.0, 1.0: float("inf")}  # time constant, by what a step leaves of a membrane


@dataclass(frozen=True)
class Stage:
    """A linear layer with weights ``[out, in]``, and its neurons, if it has any."""

    name: str
    weight: Tensor
    bias: Tensor | None
    neuron: FloatNeuron | None

    def divided(self, thresholds: Tensor) -> Stage:
        """The layer whose neurons all have the threshold 1, where `thresholds` ``[out]`` differ."""
        assert self.neuron is not None
        bias = None if self.bias is None else (self.bias / thresholds).float()
        weight = (self.weight / thresholds[:, None]).float()
        return Stage(self.name, weight, bias, replace(self.neuron, threshold=1.0))


def time_constant(name: str, keep: Tensor, meaning: str) -> float:
    """The time constant of neurons that keep a share `keep` ``[n]`` of their membranes in a step.
    `meaning` says which parameter that is, in messages."""
    found = {min(KEPT, key=lambda share: abs(share - value)) for value in keep.tolist()}
    nearest = min(found)
    if len(found) > 1 or not torch.allclose(keep, torch.full_like(keep, nearest), atol=1e-5):
        shown = ", ".join(f"{value:g}" for value in keep[:3].tolist()) + ", ..." * (len(keep) > 3)
        raise InputError(
            f"{name}: {meaning} of {shown}; all neurons of a layer keep 0.5 or 1 of a membrane in "
            f"the hardware, the nearest is {nearest:g}: train with it"
        )
    return KEPT[nearest]


def with_thresholds(stage: Stage, key: str, values: Tensor) -> Stage:
    """The layer whose neurons have the thresholds `values`, one for all or one for each."""
    assert stage.neuron is not None
    if len(values) not in (1, len(stage.weight)):
        raise InputError(f"{key} has {len(values)} values for {len(stage.weight)} neurons")
    if not bool((values > 0).all()):
        raise InputError(f"{key} is {values.min():g}; a threshold must be above 0")
    if bool((values != values[0]).any()):
        return stage.divided(values)
    return replace(stage, neuron=replace(stage.neuron, threshold=float(values[0])))


def chain_network(name: str, stages: Sequence[Stage], values: Mapping[str, Any]) -> FloatNetwork:
    """The network of a chain. The class is the neuron of the last layer that spikes most, or, if
    that layer has no neurons, its largest sum over all steps."""
    _check(stages)
    size = image_size(values)
    inputs = stages[0].weight.shape[1]
    channels = inputs // (size[0] * size[1])
    if channels * size[0] * size[1] != inputs or not channels:
        raise InputError(
            f"{stages[0].name} takes {inputs} inputs, which no image of {size[0]} x {size[1]} has; "
            "give its size with --set image=HEIGHT,WIDTH"
        )
    layers: list[FloatLayer] = []
    x, kind, first = "image", WholeImage, normalisation(values, channels)
    for stage in stages:
        given = {field.name: getattr(stage, field.name) for field in fields(stage)}
        given |= {"name": _layer_name(stage.name), "inputs": (x,)}
        if stage.neuron is None:
            layers.append(Head(**given, tokens=1))
            break
        layers.append(kind(**given, **first))
        x, kind, first = layers[-1].name, Linear, {}
    else:
        counts = torch.eye(len(stages[-1].weight))
        layers.append(Head(name="spike_count", inputs=(x,), weight=counts, tokens=1))
    return FloatNetwork(name, values["steps"], (*size, channels), tuple(layers))


def _check(stages: Sequence[Stage]) -> None:
    """Raise `InputError` unless the layers follow each other."""
    if not stages or stages[0].neuron is None:
        raise InputError("a chain needs a linear layer with neurons; is this the right --arch?")
    for one, other in pairwise(stages):
        if one.neuron is None:
            raise InputError(f"{one.name} has no neurons; only the last layer may lack them")
        if other.weight.shape[1] != len(one.weight):
            raise InputError(
                f"{other.name} takes {other.weight.shape[1]} inputs and {one.name}, before it, has "
                f"{len(one.weight)} outputs; name the layers in the order of the network"
            )


def _layer_name(name: str) -> str:
    """A name that a network file allows."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    name = name if LAYER_NAME.fullmatch(name) else f"layer{name}"[:64]
    return f"layer_{name}" if name == "image" else name
