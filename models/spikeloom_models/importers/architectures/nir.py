"""Chains of linear layers and neurons in NIR, the neuromorphic intermediate representation.

NIR describes neurons by differential equations; here they take Euler steps of `dt`. It holds no
time step, and its writers disagree on what a spike leaves, so both must be given.

Source: Pedersen et al., "Neuromorphic intermediate representation", Nature Communications 2024.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from spikeloom.errors import InputError

from ...floating import FloatNetwork, FloatNeuron
from ..chain import SETTINGS, Stage, chain_network, time_constant, with_thresholds
from ..registry import Keys, Setting, architecture

DT = Setting("dt", None, "time step, in the unit of the time constants; snnTorch: 1e-4")
RESET = Setting(
    "reset",
    None,
    "what a spike does: hard sets the membrane to 0, soft subtracts the threshold",
    choices=("hard", "soft"),
)


@architecture("nir", "linear layers and IF, LIF, CubaLIF neurons of NIR", *SETTINGS, DT, RESET)
def build(keys: Keys, values: Mapping[str, Any]) -> FloatNetwork:
    """The network of a graph, whose nodes are groups of keys in their order."""
    groups, stages = list(keys.groups().items()), []
    while groups:
        name, parts = groups.pop(0)
        if "v_threshold" in parts:
            raise InputError(f"node {name}: neurons without a linear layer before them")
        weight = keys.take(f"{name}.weight", None, None)
        bias = keys.take(f"{name}.bias", len(weight)) if "bias" in parts else None
        stage = Stage(name, weight, bias, None)
        if groups and "v_threshold" in groups[0][1]:
            stage = _fired(stage, keys, *groups.pop(0), values)
        stages.append(stage)
    keys.close()
    return chain_network("nir", stages, values)


def _fired(
    stage: Stage, keys: Keys, name: str, parts: set[str], values: Mapping[str, Any]
) -> Stage:
    """The layer with the neurons of node `name`: ``v <- v + share (v_leak - v + r I)``, where the
    resistance and the leak go into weights and biases."""
    count, dt = len(stage.weight), values["dt"]

    def numbers(part: str) -> Tensor:
        found = keys.numbers(f"{name}.{part}")
        if len(found) not in (1, count):
            raise InputError(f"{name}.{part} has {len(found)} values for {count} neurons")
        return found.expand(count)

    share = leak = torch.zeros(count).double()
    factor, meaning = dt * numbers("r"), ""
    if tau := next((one for one in ("tau", "tau_mem") if one in parts), ""):
        constants = numbers(tau)
        if not bool((constants > 0).all()):
            raise InputError(f"{name}.{tau} is {constants.min():g}; it must be above 0")
        share, meaning = dt / constants, f"1 - dt / {tau}"
        factor, leak = share * numbers("r"), share * numbers("v_leak")
    if "tau_syn" in parts:
        if not torch.allclose(numbers("tau_syn"), torch.full_like(leak, dt), rtol=1e-4, atol=0):
            raise InputError(
                f"{name}: tau_syn is {numbers('tau_syn')[0]:g}; synapses of the hardware keep "
                f"nothing, which is tau_syn = dt = {dt:g}: train with LIF neurons"
            )
        factor = factor * numbers("w_in")
    if bool((numbers("v_reset") != 0).any()):
        raise InputError(f"{name}: v_reset is {numbers('v_reset')[0]:g}; the hardware resets to 0")
    tau = time_constant(name, 1 - share, meaning)
    neuron = FloatNeuron(tau=tau, decay_input=False, reset=values["reset"], strict=True)
    factor = _rounded(factor)
    bias = ((0 if stage.bias is None else stage.bias) * factor + leak).float()
    stage = Stage(stage.name, (stage.weight * factor[:, None]).float(), bias, neuron)
    key = f"{name}.v_threshold"
    return with_thresholds(stage, key, keys.numbers(key))


def _rounded(values: Tensor) -> Tensor:
    """Six digits, as far as quotients of single-precision numbers are exact."""
    return torch.tensor([float(f"{value:.6g}") for value in values.tolist()]).double()
