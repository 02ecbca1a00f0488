"""Chains of linear layers and `snntorch.Leaky` neurons.

Modules are taken in the order of the checkpoint: the first linear layer with the first neurons, and
so on. Dropout and flattening leave no keys.

Source: snnTorch, `snntorch.Leaky`.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from spikeloom.errors import InputError

from ...floating import FloatNetwork, FloatNeuron
from ..chain import SETTINGS, Stage, chain_network, time_constant, with_thresholds
from ..registry import Keys, Setting, architecture

RESETS = ("subtract", "zero", "none")  # by `reset_mechanism_val`
DELAY = Setting(
    "reset_delay",
    1,
    "1 where neurons are reset in the step after a spike, 0 at once",
    whole=True,
    zero=True,
    most=1,
)


@architecture("snntorch", "linear layers and Leaky neurons of snnTorch", *SETTINGS, DELAY)
def build(keys: Keys, values: Mapping[str, Any]) -> FloatNetwork:
    """The network of a checkpoint."""
    groups = keys.groups()
    neurons = [name for name, parts in groups.items() if "threshold" in parts]
    linear = [name for name, parts in groups.items() if "weight" in parts and name not in neurons]
    if not len(linear) - 1 <= len(neurons) <= len(linear):
        raise InputError(
            f"the checkpoint holds {len(linear)} layers with weights and {len(neurons)} with "
            "thresholds; a chain has neurons behind each layer, or each but the last"
        )
    stages = []
    for name, fires in zip_longest(linear, neurons):
        weight = keys.take(f"{name}.weight", None, None)
        key = f"{name}.bias"
        bias = keys.take(key, len(weight)) if key in keys else None
        neuron = None if fires is None else _neuron(keys, fires, values)
        stage = Stage(name, weight, bias, neuron)
        if fires is not None:
            key = f"{fires}.threshold"
            stage = with_thresholds(stage, key, keys.numbers(key))
        stages.append(stage)
    keys.close()
    return chain_network("snntorch", stages, values)


def _neuron(keys: Keys, name: str, values: Mapping[str, Any]) -> FloatNeuron:
    """The neurons of a module, but for their thresholds."""
    tau = time_constant(name, keys.numbers(f"{name}.beta").clamp(0, 1), "beta")
    key = f"{name}.graded_spikes_factor"
    if key in keys and not bool((keys.numbers(key) == 1).all()):
        raise InputError(f"{key} is not 1; the hardware's spikes are 0 and 1: train without it")
    (number,) = keys.numbers(f"{name}.reset_mechanism_val").tolist()[:1] or [-1]
    if number not in range(len(RESETS)):
        raise InputError(f"{name}.reset_mechanism_val is {number:g}; snnTorch knows 0, 1 and 2")
    reset = RESETS[int(number)]
    if reset == "none":
        raise InputError(f"{name}: reset_mechanism is none; train with reset_mechanism='zero'")
    if reset == "subtract" and (tau != float("inf") or not values["reset_delay"]):
        raise InputError(
            f"{name}: reset_mechanism is subtract, which snnTorch does after the decay of the next "
            "step and the hardware before it; train with reset_mechanism='zero', or with beta = 1 "
            "and reset_delay"
        )
    reset = "soft" if reset == "subtract" else "hard"
    return FloatNeuron(tau=tau, decay_input=False, reset=reset, strict=True)
