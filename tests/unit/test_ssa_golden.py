"""The golden model of `ssa` against hand-worked vectors, the float equation and statistics."""

import time

import numpy as np
import pytest
from scipy import stats

from spikeloom.cores.ssa import SSA
from spikeloom.cores.ssa import golden as ssa


def test_worked_by_hand():
    """Counts of 0 and D, 0 and N leave nothing to chance.

    Token 0 asks with (1, 1) and both keys answer with both bits: its scores are certain. Token 1
    asks for nothing. Both values carry dimension 0 and not 1, so token 0 outputs exactly (1, 0).
    """
    config = SSA(tokens=2, head_dim=2, steps=50)
    q, k, v = (
        np.tile(np.array(x, np.uint8), (50, 1, 1))
        for x in ([[1, 1], [0, 0]], [[1, 1], [1, 1]], [[1, 0], [1, 0]])
    )
    trace = ssa.trace(config, q, k, v)
    assert (trace.scores == [[1, 1], [0, 0]]).all()
    assert (trace.output == [[1, 0], [0, 0]]).all()


@pytest.mark.parametrize(
    ("mask", "scores", "output"),
    [("causal", [[1, 0], [1, 1]], None), ("self", [[0, 1], [1, 0]], None), ("none", None, 1)],
)
def test_masks_on_all_ones(mask, scores, output):
    """All ones count to D and to N; a mask takes out exactly its own scores."""
    config = SSA(tokens=2, head_dim=4, steps=20, mask=mask)
    ones = np.ones((20, 2, 4), np.uint8)
    trace = ssa.trace(config, ones, ones, ones)
    if scores is not None:
        assert (trace.scores == scores).all()
    if output is not None:
        assert (trace.output == output).all()


@pytest.mark.parametrize("mask", ["none", "causal", "self"])
@pytest.mark.parametrize(
    ("tokens", "head_dim", "value_dim"), [(16, 16, 16), (12, 20, 8), (1, 3, 5)]
)
def test_mean_approaches_the_float_equation(mask, tokens, head_dim, value_dim):
    """Rate-coded inputs, T = 4000: every output within 5.5 sigma of the float reference."""
    rng = np.random.default_rng(5)
    config = SSA(
        **{"tokens": tokens, "head_dim": head_dim, "value_dim": value_dim, "steps": 4000},
        **{"input_kind": "values", "mask": mask, "value_bits": 12},
    )
    q, k = rng.random((2, tokens, head_dim))
    v = rng.random((tokens, value_dim))
    expected = ssa.float_reference(q, k, v, mask)
    found = ssa.run(config, q, k, v).mean(axis=0)
    sigma = np.sqrt(np.maximum(expected * (1 - expected), 1e-4) / 4000)
    assert (np.abs(found - expected) < 5.5 * sigma + 1e-3).all()


@pytest.mark.parametrize(("tokens", "head_dim"), [(8, 8), (9, 12)])
def test_every_output_has_its_probability(tokens, head_dim):
    """Fixed spikes over 20,000 steps: chi-square of scores against count/D and of outputs against
    the scores' count/N. With the fixed seeds, a false alarm has probability 1e-4 in each."""
    rng = np.random.default_rng(11)
    steps = 20_000
    config = SSA(tokens=tokens, head_dim=head_dim, steps=steps, seed=77)
    q, k, v = (
        np.broadcast_to(rng.random((tokens, head_dim)) < 0.6, (steps, tokens, head_dim)).astype(
            np.uint8
        )
        for _ in range(3)
    )
    trace = ssa.trace(config, q, k, v)

    probability = (q[0].astype(int) @ k[0].T) / head_dim
    _assert_frequencies(trace.scores.sum(axis=0), steps * probability, steps)

    # Outputs depend on the scores of their step: group them by their count.
    counts = trace.scores.astype(int) @ v.astype(int)
    for count in range(tokens + 1):
        chosen = counts == count
        total = int(chosen.sum())
        spikes = int(trace.output[chosen].sum())
        if count in (0, tokens):
            assert spikes == (total if count else 0)
        elif total > 100:
            assert stats.binomtest(spikes, total, count / tokens).pvalue > 1e-4 / tokens


def _assert_frequencies(spikes, expected, steps):
    certain = (expected == 0) | (expected == steps)
    assert (spikes[certain] == expected[certain]).all()
    spikes, expected = spikes[~certain], expected[~certain]
    variance = expected * (1 - expected / steps)
    statistic = ((spikes - expected) ** 2 / variance).sum()
    assert stats.chi2.sf(statistic, len(spikes)) > 1e-4
    assert stats.chi2.cdf(statistic, len(spikes)) > 1e-4  # nor suspiciously good


def test_a_run_in_stretches_is_the_same_run():
    """Long runs are worked on in stretches of time; seeds and spikes do not show it."""
    config = SSA(tokens=4, head_dim=4, steps=300_000, seed=3)
    short = SSA(tokens=4, head_dim=4, steps=500, seed=3)
    rng = np.random.default_rng(0)
    spikes = rng.integers(0, 2, (3, 300_000, 4, 4), dtype=np.uint8)
    assert (ssa.run(config, *spikes)[:500] == ssa.run(short, *spikes[:, :500])).all()


def test_hundred_steps_of_64_by_64_take_under_a_second():
    rng = np.random.default_rng(0)
    config = SSA(tokens=64, head_dim=64, steps=100, input_kind="values")
    values = rng.random((3, 64, 64))
    ssa.run(config, *values)
    fastest = min(_seconds(lambda: ssa.run(config, *values)) for _ in range(3))
    assert fastest < 1.0


def _seconds(job):
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun
