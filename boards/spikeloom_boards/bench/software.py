"""The same attention in software, timed on the machine that runs the bench."""

from __future__ import annotations

import importlib.util
import time

import numpy as np

TOKENS, DIMS, STEPS = 64, 64, 10


def software_rows() -> list[tuple[str, float]]:
    """(name, microseconds per attention) of stochastic attention, N = D = 64, T = 10."""
    spikes = np.random.default_rng(1).random((3, STEPS, TOKENS, DIMS)) < 0.5
    rows = [("ssa/software/numpy/this-machine", _microseconds(_numpy(spikes)))]
    if importlib.util.find_spec("torch"):
        rows.append(("ssa/software/pytorch/this-machine", _microseconds(_torch(spikes))))
    return rows


def _numpy(spikes):
    q, k, v = spikes.astype(np.float32)
    draw = np.random.default_rng(2)

    def attention():
        scores = draw.random((STEPS, TOKENS, TOKENS), np.float32) * DIMS < q @ k.swapaxes(1, 2)
        return draw.random((STEPS, TOKENS, DIMS), np.float32) * TOKENS < scores @ v

    return attention


def _torch(spikes):
    import torch  # pyright: ignore[reportMissingImports]  # optional

    q, k, v = torch.from_numpy(spikes.astype(np.float32))

    def attention():
        scores = torch.rand(STEPS, TOKENS, TOKENS) * DIMS < q @ k.transpose(1, 2)
        return torch.rand(STEPS, TOKENS, DIMS) * TOKENS < scores.float() @ v

    return attention


def _microseconds(attention):
    """The best of many runs."""
    best = float("inf")
    for _ in range(50):
        begun = time.perf_counter()
        attention()
        best = min(best, time.perf_counter() - begun)
    return round(1e6 * best, 1)
