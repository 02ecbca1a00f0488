"""SpikedAttention in real numbers, after the equations of the paper, and softmax attention."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import AUTO
from .head import admitted
from .phase_code import decode, encode_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..core import Spiked


@dataclass
class FloatTrace:
    """Results of every stage for real operands.

    `q`, `k`, `v`, `scores`, `probabilities`, `output`: codes; `potentials` (N, N): WOSS potentials
    u; `values` (N, Dv): the output in the units of V, decoded; `largest`: magnitude of the data at
    each stage; `config`: with every scale a number.
    """

    config: object
    largest: dict
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    scores: np.ndarray
    potentials: np.ndarray
    probabilities: np.ndarray
    output: np.ndarray
    values: np.ndarray


def float_model(config: Spiked, q: NDArray, k: NDArray, v: NDArray) -> FloatTrace:
    """Run on real operands `q`, `k` (N, D) and `v` (N, Dv): a `FloatTrace`.

    A scale of "auto" becomes the largest magnitude of its stage (1 if all values are zero).
    """
    scales, largest = {}, {}
    base, steps = config.base, config.steps
    allowed = admitted(len(q), config.mask)

    def encode(name, values):
        key = f"{name}_scale"
        largest[key] = float(np.abs(values).max())
        given = getattr(config, key)
        scale = scales[key] = largest[key] or 1.0 if given == AUTO else given
        codes = encode_values(config, values / scale)
        return codes, scale * decode(config, codes)

    q_codes, q = encode("q", q)
    k_codes, k = encode("k", k)
    v_codes, v = encode("v", v)

    scores, score = encode("score", q @ k.T / np.sqrt(q.shape[1]) * allowed)
    winner = np.where(allowed & (score > 0), score, 0).max(axis=1, keepdims=True)
    potentials = score - winner

    # first m with u >= (1/2 - m) ln B; the small term keeps exact ties exact
    step = np.maximum(np.ceil(0.5 - potentials / np.log(base) - 1e-12), 0)
    fires = allowed & (step < steps)
    probabilities = np.where(fires, step + 1, 0).astype(np.int16)
    p = decode(config, probabilities)
    total = p.sum(axis=1, keepdims=True)
    output, values = encode("output", p @ v / np.where(total > 0, total, 1))
    return FloatTrace(
        config=replace(config, **scales),
        largest=largest,
        q=q_codes,
        k=k_codes,
        v=v_codes,
        scores=scores,
        potentials=potentials,
        probabilities=probabilities,
        output=output,
        values=values,
    )


def fit_scales(config: Spiked, heads: Any) -> Spiked:
    """`config` with every scale that is "auto" set to the largest magnitude among `heads`.

    `heads` is a list of real (q, k, v). Stages are fitted in order, each with the fitted scales of
    those before it.
    """
    for stage in (("q_scale", "k_scale", "v_scale"), ("score_scale",), ("output_scale",)):
        found = [float_model(config, *head).largest for head in heads]
        fitted = {
            key: max(largest[key] for largest in found) or 1.0
            for key in stage
            if getattr(config, key) == AUTO
        }
        config = replace(config, **fitted)
    return config


def softmax_attention(q: NDArray, k: NDArray, v: NDArray, mask: str = "none") -> NDArray:
    """``softmax(q k^T / sqrt(D)) v`` over the admitted tokens: (N, Dv) float64."""
    scores = np.where(admitted(len(q), mask), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ v
