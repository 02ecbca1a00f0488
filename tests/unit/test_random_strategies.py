"""Correlation of each strategy, compared with ideal independent random numbers.

N = D = 64, T = 10, all cells of a row at once. `python tests/unit/test_random_strategies.py` prints
the table of docs/random.md.
"""

import numpy as np
import pytest

from spikeloom.cores.ssa import SSA
from spikeloom.cores.ssa import golden as ssa
from spikeloom.random.random_plan import STRATEGIES

SIZE, STEPS, RUNS = 64, 10, 60
UNROLLS = {"16 cells x 8 bits": (16, 8), "64 cells x 64 bits": (64, 64), "array": (4096, 1)}


def errors(run):
    """RMSE of (element, sum over dimensions, sum over tokens); sums are divided by sqrt(64)."""
    rng = np.random.default_rng(7)
    spikes = (rng.random((3, STEPS, SIZE, SIZE)) < rng.random((3, 1, SIZE, SIZE))).astype(np.uint8)
    q, k, v = spikes
    scores = np.einsum("tid,tjd->tij", *spikes[:2].astype(float)) / SIZE
    expected = np.einsum("tij,tjd->tid", scores, v.astype(float)).mean(axis=0) / SIZE
    found = np.array([run(n, q, k, v).mean(axis=0) - expected for n in range(RUNS)])
    return np.array(
        [np.sqrt((found**2).mean())]
        + [np.sqrt((found.sum(axis=axis) ** 2).mean() / SIZE) for axis in (2, 1)]
    )


def ideal(n, q, k, v):
    """The counters with NumPy's random numbers, independent for every cell."""
    rng = np.random.default_rng(1000 + n)
    counts = q.astype(float) @ k.astype(float).transpose(0, 2, 1)
    scores = rng.integers(0, SIZE, counts.shape) < counts
    hits = scores.astype(float) @ v.astype(float)
    return rng.integers(0, SIZE, hits.shape) < hits


def strategy_errors(strategy, cells, bits):
    """The same with the golden model of the hardware, a seed for each run."""

    def run(n, q, k, v):
        config = SSA(
            **{"tokens": SIZE, "head_dim": SIZE, "steps": STEPS, "seed": n + 1},
            **{"cells": cells, "bits": bits, "random": strategy},
        )
        return ssa.run(config, q, k, v)

    return errors(run)


@pytest.fixture(scope="module")
def ideal_errors():
    return errors(ideal)


@pytest.mark.long
@pytest.mark.parametrize("unroll", UNROLLS)
def test_default_is_as_good_as_ideal(ideal_errors, unroll):
    """Element, sum over dimensions and sum over tokens within 1.10 of the ideal."""
    assert SSA(tokens=1, head_dim=1).random == "slices"
    assert (strategy_errors("slices", *UNROLLS[unroll]) / ideal_errors).max() < 1.10


def test_the_measure_tells_shared_numbers_apart(ideal_errors):
    """One number for a whole row of cells ruins the sum over dimensions: the test can fail."""

    def shared(n, q, k, v):
        rng = np.random.default_rng(2000 + n)
        counts = q.astype(float) @ k.astype(float).transpose(0, 2, 1)
        scores = rng.integers(0, SIZE, (STEPS, SIZE, 1)) < counts
        hits = scores.astype(float) @ v.astype(float)
        return rng.integers(0, SIZE, (STEPS, SIZE, 1)) < hits

    assert (errors(shared) / ideal_errors)[1] > 3


if __name__ == "__main__":
    best = errors(ideal)
    print("| strategy | unroll | element | sum over d | sum over tokens | worst / ideal |")
    print("|---|---|---|---|---|---|")
    print("| ideal | - |", " | ".join(f"{x:.4f}" for x in best), "| 1.00 |")
    for strategy in STRATEGIES:
        for name, unroll in UNROLLS.items():
            found = strategy_errors(strategy, *unroll)
            cells = " | ".join(f"{x:.4f}" for x in found)
            print(f"| {strategy} | {name} | {cells} | {(found / best).max():.2f} |")
