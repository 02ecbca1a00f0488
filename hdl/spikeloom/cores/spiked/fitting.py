"""Encoding of real tensors: fits scales to the data and checks that no stage vanishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ...item import real_numbers
from . import golden

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import Spiked


def encode_and_fit(
    core: Spiked, tensors: Mapping[str, NDArray]
) -> tuple[Spiked, list[dict[str, NDArray]]]:
    """The core with a number for every scale, and the codes (q, k, v) of each head.

    Parameters
    ----------
    core : `Spiked`; scales may be "auto".
    tensors : q, k (N, D) and v (N, Dv) of real numbers, optionally with a leading axis of heads.

    Raises `InputError` for numbers that are not finite, and if a scale makes a stage vanish.
    """
    checked = {name: real_numbers(tensors[name], name).astype(float) for name in "qkv"}
    stacked = [x.reshape(-1, *x.shape[-2:]) for x in checked.values()]
    heads = list(zip(*stacked, strict=True))
    core = golden.fit_scales(core, heads)
    codes = [encode(core, *head) for head in heads]
    for name, tensor, coded in zip("qkv", stacked, zip(*codes, strict=True), strict=True):
        _refuse_vanished(core, name, abs(tensor).max(), coded)
    traces = [golden.trace(core, *head) for head in codes]
    score = max(abs(trace.score_sums).max() for trace in traces)
    score *= core.scales["score"] / 2**core.frac_bits / core.score_gain
    _refuse_vanished(core, "score", score, [trace.scores for trace in traces])
    output = max(
        (abs(trace.output_sums) / np.maximum(trace.normaliser, 1)[:, None]).max()
        for trace in traces
    )
    output *= core.scales["output"] / core.output_gain
    _refuse_vanished(core, "output", output, [trace.output for trace in traces])
    return core, [dict(zip("qkv", head, strict=True)) for head in codes]


def encode(core: Spiked, q: NDArray, k: NDArray, v: NDArray) -> tuple[NDArray, ...]:
    """Codes of real (q, k, v) with the scales of the core."""
    scales = core.scales
    return tuple(
        golden.encode_values(core, x / scales[name])
        for name, x in zip("qkv", (q, k, v), strict=True)
    )


def _refuse_vanished(core, name, largest, codes):
    """Raise `InputError` if a stage has nonzero values, but all are too small to spike."""
    if largest and not any(np.any(code) for code in codes):
        key, what = f"{name}_scale", {"score": "score"}.get(name, f"value of {name}")
        raise InputError(
            f"{key} = {core.scales[name]} makes every {what} vanish; the largest is "
            f"{largest:.4g}, set {key} to about that or leave it at auto"
        )
