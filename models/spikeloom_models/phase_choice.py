"""The base and the steps of phase codes, chosen by the values that they have to carry.

A code of base B and T steps rounds a magnitude to a power of 1 / B, and one below ``B**-(T - 1)``
of its scale to 0. So a base near 1 rounds finely, and needs many steps to reach small values; which
is better depends on how the values of a layer are spread. The paper names this choice as future
work.

Source: "SpikedAttention", NeurIPS 2024, section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.cores.spiked.golden import run
from spikeloom.cores.spiked.golden.phase_code import decode, encode_values
from spikeloom.networks.layers.phase_coded import base_of, head_core
from spikeloom.networks.neuron import MAX_SHIFT

SLACK = 1.05  # times the least error that a code with fewer steps may have
HEADS = 8  # on which attention is measured


@dataclass(frozen=True)
class LayerCode:
    """A code of base ``2**shift / (2**shift - 1)`` and `steps` time steps.

    `error` is the mean square error of the values for which it was chosen, as a share of their mean
    square; 0 if it was given.
    """

    shift: int
    steps: int
    error: float = 0.0

    @property
    def base(self) -> float:
        return base_of(self.shift)


def squared_errors(magnitudes: NDArray, scale: float, shift: int, steps: int) -> NDArray:
    """The error of codes of 1, 2, ... `steps` steps, as in `LayerCode`, of magnitudes whose scale,
    what a spike at step 0 is worth, is `scale`."""
    base = base_of(shift)
    x = magnitudes.astype(np.float64) / scale
    with np.errstate(divide="ignore"):
        # The first step whose level, (1 + 1 / base) / 2 of what its spike is worth, is reached.
        step = np.ceil(np.log((1 + 1 / base) / 2 / x) / np.log(base))
    step = np.clip(step, 0, steps).astype(np.int64)
    rounded = (x - base ** -step.astype(np.float64)) ** 2
    coded = np.bincount(step, rounded, steps + 1)[:steps].cumsum()
    silent = (x * x).sum() - np.bincount(step, x * x, steps + 1)[:steps].cumsum()
    return (coded + silent) / max((x * x).sum(), 1e-30)


def choose(magnitudes: NDArray, scale: float, steps: int) -> LayerCode:
    """The code of at most `steps` steps for magnitudes of a layer: the one with the fewest steps
    among those whose error is at most `SLACK` times the least one."""
    errors = {
        (shift, number): float(error)
        for shift in range(1, MAX_SHIFT + 1)
        for number, error in enumerate(squared_errors(magnitudes, scale, shift, steps), 1)
    }
    most = SLACK * min(errors.values())
    good = (code for code, error in errors.items() if error <= most)
    best = min(good, key=lambda code: (code[1], errors[code]))
    return LayerCode(*best, errors[best])


def choose_attention(
    values: Mapping[str, NDArray], scales: Mapping[str, float], steps: int
) -> LayerCode:
    """The code of `steps` steps of an attention: of the bases, the one whose output is nearest.

    Parameters
    ----------
    values : "q", "k", "v" and "attention" (B, H, N, D) in floating point.
    scales : what a spike of each of them, and of "score", is worth at step 0.
    """
    heads = {name: one.reshape(-1, *one.shape[2:])[:HEADS] for name, one in values.items()}
    tokens, dims, value_dims = *heads["q"].shape[1:], heads["v"].shape[2]
    wanted = heads["attention"]
    errors = {}
    for shift in range(1, MAX_SHIFT + 1):
        core_scales = {**scales, "base": base_of(shift), "output": scales["attention"]}
        core = head_core(core_scales, steps, tokens, dims, value_dims)
        codes = (encode_values(core, heads[name] / scales[name]) for name in "qkv")
        found = [decode(core, run(core, *one)) for one in zip(*codes, strict=True)]
        errors[shift] = float(np.square(scales["attention"] * np.array(found) - wanted).sum())
    best = min(errors, key=errors.__getitem__)
    return LayerCode(best, steps, errors[best] / max(float(np.square(wanted).sum()), 1e-30))
