"""Index sampling against exact fractions, the counters' error, and its own promises.

`python tests/unit/test_ssa_sampled_golden.py` prints the tables of docs/ssa.md.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from spikeloom.cores.ssa import SSA
from spikeloom.cores.ssa import golden as ssa
from spikeloom.cores.ssa import golden_sampled as ssa_sampled
from spikeloom.random.lattice import lattice

SIZES = [(4, 4, 4), (4, 4, 2), (3, 5, 5), (5, 3, 3), (6, 4, 10), (1, 3, 7), (3, 1, 4), (8, 2, 2)]


def sampled(tokens=4, head_dim=4, **keys):
    return SSA(engine="sampled", tokens=tokens, head_dim=head_dim, **keys)


def every_index(config):
    """All D * N values of (s, b), as two (D * N, N) arrays: one time step for each."""
    s, b = np.array(list(product(range(config.head_dim), range(config.tokens)))).T
    return [np.repeat(numbers[:, None], config.tokens, axis=1) for numbers in (s, b)]


@pytest.mark.parametrize(("tokens", "head_dim", "value_dim"), SIZES)
def test_every_pair_is_looked_at_equally_often(tokens, head_dim, value_dim):
    """Over all index values, each output looks at each (dimension, key) exactly once."""
    config = sampled(tokens, head_dim, value_dim=value_dim)
    c, j = ssa_sampled.places(config, *every_index(config))
    for query in range(tokens):
        for d in range(value_dim):
            pairs = set(zip(c[:, query, d].tolist(), j[:, query, d].tolist(), strict=True))
            assert len(pairs) == head_dim * tokens


def test_scores_and_outputs_have_the_counters_probability():
    """Every bit pattern at N = D = 4: a score spike has probability count/D, an output spike
    count/N of the scores looked at, as exact fractions over the 16 index values."""
    config = sampled()
    mask = np.ones((4, 4), bool)
    s, b = every_index(config)
    for x, y in product(product((0, 1), repeat=4), repeat=2):
        count = int(np.dot(x, y))
        rows = [np.tile(np.array(row, np.uint8), (16, 4, 1)) for row in (x, y)]
        ones = np.ones((16, 4, 4), np.uint8)

        scores, _ = ssa_sampled.sample(config, *rows, ones, mask, s, b)
        assert Fraction(int(scores[:, 0, 0].sum()), 16) == Fraction(count, 4)

        # Scores x (all dimensions of key j are x[j]) and a column y of V.
        keys = np.tile(np.array(x, np.uint8)[:, None], (16, 1, 4))
        values = np.tile(np.array(y, np.uint8)[:, None], (16, 1, 4))
        _, output = ssa_sampled.sample(config, ones, keys, values, mask, s, b)
        for d in range(4):
            assert Fraction(int(output[:, 0, d].sum()), 16) == Fraction(count, 4)


@pytest.mark.parametrize("mask", ["none", "causal", "self"])
@pytest.mark.parametrize(("tokens", "head_dim", "value_dim"), SIZES)
def test_random_patterns_have_the_float_equation_exactly(tokens, head_dim, value_dim, mask):
    config = sampled(tokens, head_dim, value_dim=value_dim, mask=mask)
    rng = np.random.default_rng(5)
    steps = tokens * head_dim
    widths = (head_dim, head_dim, value_dim)
    q, k, v = (rng.integers(0, 2, (tokens, width), np.uint8) for width in widths)
    constant = (np.broadcast_to(x, (steps, *x.shape)) for x in (q, k, v))
    _, output = ssa_sampled.sample(
        config, *constant, ssa.admitted(tokens, mask), *every_index(config)
    )
    expected = ((q.astype(int) @ k.T) * ssa.admitted(tokens, mask)) @ v
    assert np.array_equal(output.sum(axis=0, dtype=int), expected)


@pytest.mark.parametrize("engine_keys", [{}, {"lanes": 4, "steps_at_once": 10}])
def test_error_is_that_of_independent_counters(engine_keys):
    """T = 10, N = D = 64: element, sum along d, sum over tokens and random projections."""
    assert (errors(engine_keys) / errors(None)).max() < 1.10


def errors(keys, runs=40):
    """RMSE of element, sum over dimensions, sum over tokens, projections along d and over all;
    sums and projections scaled to the size of an element. Keys of None: ideal counters."""
    rng = np.random.default_rng(7)
    rates = rng.random((3, 1, 64, 64))
    q, k, v = (rng.random((3, 10, 64, 64)) < rates).astype(np.uint8)
    expected = (q.astype(float) @ k.transpose(0, 2, 1) @ v).mean(axis=0) / 64**2
    along, over = rng.choice((-1, 1), 64), rng.choice((-1, 1), (64, 64))
    found = []
    for run in range(runs):
        if keys is None:
            draw = np.random.default_rng(1000 + run)
            matches = q.astype(int) @ k.transpose(0, 2, 1)
            scores = draw.integers(0, 64, matches.shape) < matches
            hits = scores.astype(int) @ v
            output = draw.integers(0, 64, hits.shape) < hits
        else:
            config = sampled(64, 64, steps=10, seed=run + 1, **keys)
            output = ssa.run(config, q, k, v)
        found.append(output.mean(axis=0) - expected)
    found = np.array(found)
    measures = (
        found,
        found.sum(axis=2) / 8,
        found.sum(axis=1) / 8,
        found @ along / 8,
        (found * over).sum(axis=(1, 2)) / 64,
    )
    return np.array([np.sqrt((x**2).mean()) for x in measures])


@pytest.mark.parametrize(("head_dim", "tokens"), [(64, 64), (32, 49), (64, 65), (5, 6), (1, 3)])
def test_lattice_repeats_nothing(head_dim, tokens):
    walk = lattice(head_dim, tokens)
    offsets = np.array([walk.offset(step) for step in range(head_dim * tokens)])
    assert len(set(offsets[:head_dim, 0])) == head_dim
    assert len({tuple(pair) for pair in offsets.tolist()}) == head_dim * tokens
    keys = offsets.sum(axis=1) % tokens
    assert len(set(keys[: min(head_dim, tokens)])) == min(head_dim, tokens)


def constant_input_error(indices, steps, runs=4):
    """RMSE of the decoded output for constant spikes, N = D = 16."""
    rng = np.random.default_rng(3)
    q, k, v = rng.integers(0, 2, (3, 16, 16), np.uint8)
    expected = (q.astype(float) @ k.T) @ v / 16**2
    config = sampled(16, 16, steps=steps, indices=indices)
    constant = [np.broadcast_to(x, (steps, 16, 16)) for x in (q, k, v)]
    found = [ssa.run(replace(config, seed=n + 1), *constant).mean(axis=0) for n in range(runs)]
    return np.sqrt(((np.array(found) - expected) ** 2).mean())


def test_stratified_error_falls_faster():
    """Steeper than 1/sqrt(T) on constant inputs, and gone when each pair has come once."""
    steps = [4, 8, 16, 32, 64, 128]
    slopes = {}
    for indices in ("lfsr", "stratified"):
        found = [constant_input_error(indices, n, runs=16) for n in steps]
        slopes[indices] = np.polyfit(np.log(steps), np.log(found), 1)[0]
    assert abs(slopes["lfsr"] + 0.5) < 0.05
    assert slopes["stratified"] < -0.57
    assert constant_input_error("stratified", 256) == 0


if __name__ == "__main__":
    ideal = errors(None)
    print("| | element | sum over d | sum over tokens | along d | over all | worst / ideal |")
    print("|---|---|---|---|---|---|---|")
    rows = {
        "independent counters": None,
        "sampled": {},
        "sampled, 4 lanes x 10 steps": {"lanes": 4, "steps_at_once": 10},
        "sampled, stratified": {"indices": "stratified"},
    }
    for name, keys in rows.items():
        found = errors(keys)
        cells = " | ".join(f"{x:.4f}" for x in found)
        print(f"| {name} | {cells} | {(found / ideal).max():.2f} |")
