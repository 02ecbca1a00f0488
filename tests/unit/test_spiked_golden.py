"""Golden and float models of `spiked`: against the paper's equations, softmax and each other."""

import numpy as np
import pytest

from spikeloom.cores.spiked import Spiked
from spikeloom.cores.spiked import golden as spiked


def gaussian(tokens, dim, seed):
    return np.random.default_rng(seed).standard_normal((3, tokens, dim))


@pytest.mark.parametrize("base", [1.02, 1.15, 2**0.5, 2.0])
def test_code_is_the_first_step_that_reaches_the_threshold(base):
    config = Spiked(tokens=1, head_dim=1, base=base, steps=16)
    values = np.linspace(-1, 1, 2001)
    for value, code in zip(values, spiked.encode_values(config, values), strict=True):
        steps = [n for n in range(16) if abs(value) * base**n >= (1 + 1 / base) / 2]
        assert code == (np.sign(value) * (steps[0] + 1) if steps else 0)


def test_codes_survive_decoding_and_encoding_and_spike_trains():
    config = Spiked(tokens=1, head_dim=1)
    codes = np.arange(-40, 41)
    assert (spiked.encode_values(config, spiked.decode(config, codes)) == codes).all()
    train = spiked.to_spike_train(config, codes)
    assert train.shape == (40, 81)
    assert (abs(train).sum(0) == (codes != 0)).all()
    assert (spiked.from_spike_train(train) == codes).all()


def test_trace_product_is_the_paper_s_step_by_step_sum():
    config = Spiked(tokens=5, head_dim=3, steps=7, base=1.4)
    rng = np.random.default_rng(1)
    q, k = rng.integers(-7, 8, (2, 5, 3))
    q_train, k_train = spiked.to_spike_train(config, q), spiked.to_spike_train(config, k)
    score, trace_q, trace_k = np.zeros((5, 5)), np.zeros((5, 3)), np.zeros((5, 3))
    for t, (q_t, k_t) in enumerate(zip(q_train.astype(float), k_train, strict=True)):
        weight = config.base**-t
        trace_q += weight * abs(q_t) * np.sign(q)
        trace_k += weight * abs(k_t) * np.sign(k)
        same = (trace_q * abs(q_t)) @ k_t.T
        score += weight * (q_t @ trace_k.T + trace_q @ k_t.T - same)
    sums = spiked.trace_product(config, q, k)
    np.testing.assert_allclose(sums / 2**config.frac_bits, score, atol=3 * 2.0**-config.frac_bits)


def test_woss_by_hand():
    """B = 2, M = ln 2: potentials are powers of two in units of the threshold's fall."""
    config = Spiked(tokens=4, head_dim=1, base=2.0, steps=4, score_scale=np.log(2))
    everyone = np.ones((1, 4), bool)
    for scores, fires in (
        ([1, 2, 0, -1], [1, 1, 2, 3]),  # u = 0, -1/2, -1, -2: at 1/2, 1, 3/2, 5/2, rounded up
        ([-1, -1, -1, -1], [2, 2, 2, 2]),  # nothing positive: no winner, u = -1
        ([0, 0, 0, 0], [1, 1, 1, 1]),
        ([-1, 0, 0, 0], [2, 1, 1, 1]),
        ([3, 3, 3, 3], [1, 1, 1, 1]),
    ):
        assert (spiked.woss(config, np.array([scores]), everyone)[0] - 1 == fires).all(), scores


def test_woss_leaves_masked_neurons_out():
    config = Spiked(tokens=3, head_dim=1, base=2.0, steps=4, score_scale=np.log(2))
    scores = np.array([[1, 2, 2], [1, 2, 2]])
    admitted = np.array([[False, True, True], [False, False, False]])
    assert spiked.woss(config, scores, admitted).tolist() == [[0, 2, 2], [0, 0, 0]]


@pytest.mark.parametrize(
    ("tokens", "dim", "base", "steps", "least"),
    [(49, 32, 1.15, 40, 0.99), (128, 64, 1.4, 16, 0.955)],
)
def test_correlation_with_softmax_attention(tokens, dim, base, steps, least):
    config = Spiked(tokens=tokens, head_dim=dim, base=base, steps=steps)
    for seed in range(4):
        q, k, v = gaussian(tokens, dim, seed)
        trace = spiked.float_model(config, q, k, v)
        output = spiked.run(trace.config, trace.q, trace.k, trace.v)
        softmax = spiked.softmax_attention(q, k, v).ravel()
        for values in (trace.values, spiked.decode(config, output)):
            assert np.corrcoef(values.ravel(), softmax)[0, 1] >= least


@pytest.mark.parametrize(("tokens", "dim"), [(49, 32), (49, 64), (64, 32), (64, 64)])
def test_default_format_agrees_with_the_float_model(tokens, dim):
    config = Spiked(tokens=tokens, head_dim=dim)
    for seed in range(3):
        trace = spiked.float_model(config, *gaussian(tokens, dim, seed))
        output = spiked.run(trace.config, trace.q, trace.k, trace.v)
        steps = [np.where(codes == 0, 41, abs(codes)) for codes in (output, trace.output)]
        assert (output == trace.output).mean() >= 0.99
        assert abs(steps[0] - steps[1]).max() <= 1


@pytest.mark.parametrize("mask", ["none", "causal"])
def test_zero_operands(mask):
    config = Spiked(tokens=6, head_dim=4, mask=mask)
    q, k, v = gaussian(6, 4, 0)
    trace = spiked.float_model(config, 0 * q, k, v)
    output = spiked.run(trace.config, trace.q, trace.k, trace.v)
    means = [v[: i + 1].mean(0) if mask == "causal" else v.mean(0) for i in range(6)]
    scale = trace.config.output_scale
    np.testing.assert_allclose(spiked.decode(config, output) * scale, means, rtol=0.15, atol=0.02)
    for zero in ((q, k, 0 * v), (0 * q, 0 * k, 0 * v)):
        trace = spiked.float_model(config, *zero)
        assert not spiked.run(trace.config, trace.q, trace.k, trace.v).any()
