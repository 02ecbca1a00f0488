"""The `spiked` core as a whole: outputs, cycles, and errors for invalid keys."""

from itertools import chain
from math import ceil

import numpy as np
import pytest

from spikeloom.cores.spiked import Spiked, schedule
from spikeloom.cores.spiked import golden as spiked
from spikeloom.errors import InputError

from .spiked_bench import random_head, run_heads


def _long(keys):
    return pytest.param(keys, marks=pytest.mark.long)


CONFIGS = [
    {"tokens": 1, "head_dim": 1, "steps": 2, "base": 2.0},
    {"tokens": 3, "head_dim": 1, "value_dim": 2, "lanes": 1, "steps": 64, "base": 1.05},
    {"tokens": 4, "head_dim": 3, "steps": 8, "base": 1.4},
    {"tokens": 4, "head_dim": 1, "steps": 1},
    {"tokens": 7, "head_dim": 2, "lanes": 3, "mask": "causal"},
    {"tokens": 5, "head_dim": 3, "value_dim": 2, "lanes": 4, "encoders": 2, "mask": "causal"},
    {"tokens": 9, "head_dim": 4, "value_dim": 7, "lanes": 9, "encoders": 3},
    _long({"tokens": 13, "head_dim": 5, "lanes": 6, "encoders": 3, "frac_bits": 12, "log_bits": 4}),
    _long({"tokens": 10, "head_dim": 6, "value_dim": 1, "lanes": 10, "encoders": 10}),
    {"tokens": 7, "head_dim": 2, "lanes": 3, "events": 2, "mask": "causal"},
    _long({"tokens": 9, "head_dim": 5, "value_dim": 3, "lanes": 9, "encoders": 3, "events": 2}),
    {"tokens": 5, "head_dim": 3, "lanes": 4, "encoders": 2, "events": 2, "mask": "causal"},
    {"tokens": 5, "head_dim": 3, "lanes": 5, "encoders": 2, "events": 2, "mask": "causal"},
    _long({"tokens": 7, "head_dim": 2, "lanes": 7, "encoders": 4}),
    _long({"tokens": 10, "head_dim": 4, "lanes": 10, "encoders": 4, "events": 2}),
]


def spikes(head):
    return [(codes != 0).tolist() for codes in (head[0], head[2])]


@pytest.mark.parametrize("keys", CONFIGS, ids=str)
@pytest.mark.parametrize("density", [_long(1.0), 0.5, _long(0.1), 0.0])
def test_equal_and_as_fast_as_predicted(keys, density):
    config = Spiked(**keys)
    head = random_head(config, 1, density)
    run = run_heads(config, [head])
    assert (run.outputs[0] == spiked.run(config, *head)).all()
    assert run.beat_clocks[-1] == schedule.cycles(config, *spikes(head))


@pytest.mark.parametrize("keys", CONFIGS, ids=str)
@pytest.mark.parametrize("density", [_long(0.6), 0.15])
def test_stalls_on_every_stream(keys, density):
    config = Spiked(**keys, heads=3)
    heads = [random_head(config, seed, density) for seed in range(3)]
    run = run_heads(config, heads, stalls=0.4, preload=False)
    for output, head in zip(run.outputs, heads, strict=True):
        assert (output == spiked.run(config, *head)).all()


@pytest.mark.parametrize("keys", CONFIGS, ids=str)
@pytest.mark.parametrize(
    "densities",
    [
        pytest.param([1.0] * 5, marks=pytest.mark.long),
        pytest.param([0.1] * 5, marks=pytest.mark.long),
        [1.0, 0.0, 0.0, 0.3, 0.0],
    ],
    ids=str,
)
def test_heads_follow_each_other_as_predicted(keys, densities):
    config = Spiked(**keys, heads=5)
    heads = [random_head(config, seed, density) for seed, density in enumerate(densities)]
    run = run_heads(config, heads)
    for output, head in zip(run.outputs, heads, strict=True):
        assert (output == spiked.run(config, *head)).all()
    q, v = ([*chain(*rows)] for rows in zip(*map(spikes, heads), strict=True))
    ends = run.beat_clocks[config.tokens - 1 :: config.tokens]
    assert ends == schedule.last_beat_cycles(config, q, v)


def test_gaussian_operands_through_the_core():
    config = Spiked(tokens=12, head_dim=8, lanes=6)
    q, k, v = np.random.default_rng(0).standard_normal((3, 12, 8))
    trace = spiked.float_model(config, q, k, v)
    run = run_heads(trace.config, [(trace.q, trace.k, trace.v)])
    values = trace.config.output_scale * spiked.decode(config, run.outputs[0])
    softmax = spiked.softmax_attention(q, k, v)
    assert np.corrcoef(values.ravel(), softmax.ravel())[0, 1] > 0.98


def test_swin_window_is_fast_enough():
    """N = 49, D = 32, T = 40, dense: at most 9,000 cycles, and fewer if fewer neurons spike."""
    config = Spiked(tokens=49, head_dim=32, lanes=49)
    assert schedule.cycles(config) <= 9_000
    for share in (0.5, 0.1):
        head = random_head(config, 1, share)
        assert schedule.cycles(config, *spikes(head)) <= ceil(share * 9_000)


@pytest.mark.parametrize("tokens", [49, 64, 65])
@pytest.mark.parametrize("lanes", [1, 8, None])
def test_products_cost_what_spikes_cost(tokens, lanes):
    """Both products, by the formula: a vector addition per spike and group of lanes, and a tenth;
    a neuron that never spikes costs nothing, a line of them one clock, and so does a part."""
    lanes = lanes or tokens
    config = Spiked(tokens=tokens, head_dim=64, lanes=lanes, encoders=lanes)
    for share in (1.0, 0.5, 0.1, 0.05, 0.02, 0.01, 0.0):
        q, k, v = random_head(config, 1, share)
        p = spiked.trace(config, q, k, v).probabilities
        queries = schedule.query_events(config, (q != 0).tolist())
        values = schedule.value_events(config, (v != 0).tolist())
        for a, b in ((queries, k), (values, p)):
            work = sum(a) + np.count_nonzero(b)
            clocks = schedule.product_cycles(config, a)
            parts = config.groups  # of as many lines as lanes
            assert clocks <= 1.10 * work * config.groups + config.steps + parts + 32


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"base": 1}, "base must be a number in [1.001, 2.0]"),
        ({"base": 2.01}, "base = 2.01 is not allowed"),
        ({"base": float("nan")}, "base = nan is not allowed"),
        ({"steps": 65}, "steps must be 1..64"),
        ({"q_scale": 0}, "q_scale = 0.0 is not allowed"),
        ({"v_scale": float("inf")}, "v_scale = inf is not allowed"),
        ({"k_scale": "big"}, "k_scale = 'big' is not a number, nor 'auto'"),
        ({"score_scale": 1e5}, "score_scale = 100000.0 makes every score vanish"),
        ({"lanes": 5}, "lanes = 5 is not allowed; lanes must be 1..tokens (4)"),
        ({"lanes": 3, "encoders": 2}, "encoders must be a divisor of lanes (3)"),
        ({"lanes": 4, "encoders": 5}, "encoders must be 1..lanes (4)"),
        ({"events": 3}, "events must be 1..2"),
        ({"head_dim": 1, "events": 2}, "1..the smaller of tokens and head_dim (1)"),
    ],
)
def test_bad_keys_get_one_clear_line(keys, message):
    with pytest.raises(InputError) as caught:
        Spiked.from_settings({"tokens": 4, "head_dim": 4} | keys)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_scales_are_numbers_or_auto_also_as_text():
    config = Spiked.from_settings(
        {"tokens": "4", "head_dim": "4", "q_scale": "2.5", "k_scale": "auto"}
    )
    assert config.q_scale == 2.5
    assert config.k_scale == "auto"
    assert config.scales["q"] == 2.5
